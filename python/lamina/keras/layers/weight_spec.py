"""WeightSpec: what a layer says of a weight before it exists."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lamina.keras import initializers
from lamina.keras.layers.variable import Variable


class WeightSpec(NamedTuple):
    """A weight that a layer needs once it knows its input."""

    name: str
    shape: tuple[int, ...]
    initializer: Any
    trainable: bool = True
    regularizer: Any = None
    constraint: Any = None

    def variable(self, layer: str, dtype: str) -> Variable:
        """The weight, with its first values.

        Args:
            layer: the layer's name, for the error.
            dtype: what its values are held in.

        Raises:
            ValueError: the initializer gives another shape, or no real numbers.
        """
        values = np.asarray(self.initializer(self.shape, dtype=dtype))
        if values.shape != self.shape or values.dtype.kind not in "biuf":
            raise ValueError(
                f"layer {layer!r}: {self.name}_initializer: expected real numbers of shape {self.shape}, "
                f"got an array of shape {values.shape} and dtype {values.dtype}"
            )
        first: npt.NDArray[Any] = values.astype(dtype, copy=False)
        return Variable.over(first, self.name, self.trainable, None, self.regularizer, self.constraint)


def checked_initializer(identifier: Any, argument: str) -> Any:
    """The initializer of this name, class, instance or config; its argument is named in the error."""
    if identifier is None:
        raise ValueError(f"{argument}: expected the name of an initializer or an initializer, got None")
    return initializers.get(identifier)
