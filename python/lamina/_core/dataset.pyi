"""Data."""

from lamina._core.arrays import Array, Rows

class Dataset:
    """Views of x (n, ...), y (n, ...) and sample_weight (n,), kept where and as they are: any
    bool/int/uint/float16/32/64 dtype, any strides, byte order, alignment, read-only or memory-mapped.
    Rows are converted as they are gathered. A sparse x is (values, columns, starts of the rows, number of
    columns); its rows are made dense as they are gathered. `y_name` is the word used in messages.
    """

    def __init__(
        self, x: Rows, y: Array | None = ..., sample_weight: Array | None = ..., y_name: str = ...
    ) -> None: ...
    def __len__(self) -> int: ...
