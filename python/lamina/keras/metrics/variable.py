"""Variable: a number or an array that a metric keeps between batches."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


class Variable(np.ndarray[Any, Any]):
    """An array that programs written for Keras can also `assign` to and ask for `numpy()`.

    Attributes:
        name: what it was called.
    """

    name: str | None = None

    @classmethod
    def of(cls, values: npt.ArrayLike, name: str | None) -> Variable:
        variable = np.array(values).view(cls)
        variable.name = name
        return variable

    def assign(self, value: Any) -> Variable:
        """Set all of it."""
        self[...] = value
        return self

    def assign_add(self, value: Any) -> Variable:
        """Add to it."""
        self[...] = self.view(np.ndarray) + value
        return self

    def assign_sub(self, value: Any) -> Variable:
        """Subtract from it."""
        self[...] = self.view(np.ndarray) - value
        return self

    def numpy(self) -> npt.NDArray[Any]:
        """A copy as a plain array."""
        return np.array(self)

    @property
    def value(self) -> npt.NDArray[Any]:
        """The same numbers as a plain array, without a copy."""
        return self.view(np.ndarray)

    def __reduce__(self) -> Any:  # an array's own forgets the name
        return Variable.of, (np.array(self), self.name)

    def __deepcopy__(self, memo: Any) -> Variable:
        return Variable.of(self, self.name)
