"""Output: what calling a model or a layer gives."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


class Output(np.ndarray[Any, Any]):
    """An array that programs written for TensorFlow can also ask for `numpy()`."""

    def numpy(self) -> npt.NDArray[Any]:
        """The same numbers as a plain array, without a copy."""
        return self.view(np.ndarray)
