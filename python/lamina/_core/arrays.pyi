"""What arrays the core takes."""

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]
# A matrix of samples; a sparse one is (values, columns, starts of the rows, number of columns).
Rows: TypeAlias = Array | tuple[Array, Array, Array, int]
Progress: TypeAlias = Callable[[int, list[float]], None]
