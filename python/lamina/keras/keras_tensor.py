"""KerasTensor: the shape and dtype of what comes into a layer or out of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lamina.keras._training.naming import checked_name
from lamina.keras.utils.dtypes import standardize_dtype

if TYPE_CHECKING:
    from lamina.keras.layers.shape import Shape


class KerasTensor:
    """A shape, a dtype and a name, without values.

    `model.inputs`, `layer.output` and the like are such. Nothing is computed with them: graphs of layers (the
    functional API) are not supported.

    Args:
        shape: with the batch axis, e.g. (None, 10).
        dtype: default "float32".
        sparse, ragged: False only.
        record_history: accepted; there is no history.
        name: string; None (default) numbers them per process.

    Raises:
        ValueError: no such shape or dtype, or sparse or ragged.
    """

    def __init__(
        self,
        shape: Any,
        dtype: Any = "float32",
        sparse: bool = False,
        ragged: bool = False,
        record_history: bool = True,
        name: str | None = None,
    ) -> None:
        from lamina.keras.layers.shape import (
            checked_shape,  # whose package needs the modules that need this one
        )

        if sparse or ragged:
            raise ValueError("KerasTensor: sparse, ragged: not supported, expected False")
        self._shape = checked_shape(shape, "shape")
        self._dtype = standardize_dtype(dtype)
        self.name = checked_name(name, "KerasTensor")
        self.record_history = record_history

    @property
    def shape(self) -> Shape:
        """With the batch axis; None for a size that isn't fixed."""
        return self._shape

    @property
    def dtype(self) -> str:
        return self._dtype

    @property
    def ndim(self) -> int:
        return len(self._shape)

    sparse = ragged = False

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise ValueError(f"{self!r} has no values; numpy can't compute with it")

    def __bool__(self) -> bool:
        raise TypeError(f"{self!r} has no values; it can't be taken for True or False")

    def __repr__(self) -> str:
        return (
            f"<KerasTensor shape={self.shape}, dtype={self.dtype}, sparse={self.sparse}, "
            f"ragged={self.ragged}, name={self.name}>"
        )


def is_keras_tensor(x: Any) -> bool:
    """Whether x is a `KerasTensor`."""
    return isinstance(x, KerasTensor)
