"""SparseRows: a scipy sparse matrix as the core reads it, row by row; it is never dense as a whole."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


class SparseRows:
    """The rows of a sparse matrix in compressed rows, without a copy.

    Args:
        values: the numbers that are stored, of any real dtype.
        columns: the column of each.
        starts: of each row, the number of its first value; and one more, behind the last row's.
        width: how many columns there are.

    It has what is asked of an array of rows: `shape`, `ndim`, `dtype`, `len` and slices of consecutive rows.
    """

    ndim = 2

    def __init__(
        self, values: npt.NDArray[Any], columns: npt.NDArray[Any], starts: npt.NDArray[Any], width: int
    ) -> None:
        self._values, self._columns, self._starts, self._width = values, columns, starts, width

    @property
    def shape(self) -> tuple[int, int]:
        return len(self), self._width

    @property
    def dtype(self) -> np.dtype[Any]:
        return self._values.dtype

    def __len__(self) -> int:
        return len(self._starts) - 1

    def __getitem__(self, rows: slice) -> SparseRows:
        first, last, _ = rows.indices(len(self))
        return SparseRows(self._values, self._columns, self._starts[first : last + 1], self._width)

    @property
    def source(self) -> tuple[Any, ...]:
        """What the core takes."""
        return self._values, self._columns, self._starts, self._width


def is_sparse(value: Any) -> bool:
    """Whether it is one of scipy's sparse matrices or arrays; scipy is not imported."""
    return type(value).__module__.startswith("scipy.sparse") and hasattr(value, "tocsr")


def sparse_rows(value: Any, name: str) -> SparseRows:
    """The rows of a scipy sparse matrix.

    Raises:
        TypeError: its values are no real numbers.
        ValueError: it isn't two-dimensional, or has no rows.
    """
    if value.ndim != 2:
        raise ValueError(f"{name}: expected a sparse matrix (n, features), got one of shape {value.shape}")
    rows = value.tocsr()
    if rows.dtype.char not in "?bBhHiIlLqQfd":
        raise TypeError(f"{name}: expected real numbers of at most 64 bits, got dtype {rows.dtype}")
    if rows.shape[0] == 0:
        raise ValueError(f"{name}: expected at least one row, got shape {rows.shape}")
    index = np.int64 if rows.indices.dtype == np.int64 else np.int32
    return SparseRows(
        np.ascontiguousarray(rows.data),
        np.ascontiguousarray(rows.indices, dtype=index),
        np.ascontiguousarray(rows.indptr, dtype=index),
        rows.shape[1],
    )
