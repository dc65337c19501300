"""Input and InputLayer: the shape of what a model takes."""

from __future__ import annotations

import warnings
from typing import Any

from lamina import _core
from lamina.keras._training.unsupported import refuse_unless_default
from lamina.keras.layers.layer import Layer
from lamina.keras.layers.shape import Shape, checked_shape, known_sizes
from lamina.keras.utils.dtypes import standardize_dtype


class InputLayer(Layer):
    """The first layer of a model whose input shape is known from the start.

    Args:
        shape: shape of one sample, e.g. (784,); every size must be known.
        batch_size: int, only shown in shapes: any number of rows may be passed. Default None.
        dtype: accepted and shown in the config; whatever is passed is cast to the dtype of the layers.
        sparse, ragged, optional, input_tensor: not supported, defaults only.
        batch_shape: shape and batch size in one, e.g. (None, 784), instead of the two.
        name: string without "/"; None (default) numbers the input layers of a process.

    Raises:
        ValueError: no shape or two, or an argument is unknown, wrong or not supported.
    """

    _built_at_start = True

    def __init__(
        self,
        shape: Any = None,
        batch_size: int | None = None,
        dtype: Any = None,
        sparse: Any = None,
        ragged: Any = None,
        batch_shape: Any = None,
        input_tensor: Any = None,
        optional: bool = False,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        if "input_shape" in kwargs:
            warnings.warn("InputLayer: `input_shape` is an older name of `shape`.", stacklevel=2)
            shape = kwargs.pop("input_shape")
        if "batch_input_shape" in kwargs:
            batch_shape = kwargs.pop("batch_input_shape")
        refuse_unless_default(
            "Input",
            sparse=(sparse or None, None),
            ragged=(ragged or None, None),
            input_tensor=(input_tensor, None),
            optional=(bool(optional), False),
        )
        super().__init__(name=name, **kwargs)
        self.batch_shape = _batch_shape(shape, batch_size, batch_shape)
        self._input_dtype = standardize_dtype(dtype)

    @property
    def shape(self) -> Shape:
        """The shape with the batch axis, e.g. (None, 784)."""
        return self.batch_shape

    @property
    def dtype(self) -> str:
        return self._input_dtype

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return tuple(input_shape)

    def add_to(self, network: _core.Network32 | _core.Network64, input_shape: Shape) -> bool:
        return False

    def get_config(self) -> dict[str, Any]:
        return {
            "batch_shape": self.batch_shape,
            "dtype": self.dtype,
            "sparse": False,
            "ragged": False,
            "name": self.name,
            "optional": False,
        }


def Input(  # noqa: N802, Keras's name
    shape: Any = None,
    batch_size: int | None = None,
    dtype: Any = None,
    sparse: Any = None,
    ragged: Any = None,
    batch_shape: Any = None,
    name: str | None = None,
    tensor: Any = None,
    optional: bool = False,
) -> InputLayer:
    """The input of a model, to be added before its first layer: `Sequential([Input(shape=(784,)),
    Dense(10)])`.

    Args:
        shape: shape of one sample, e.g. (784,).
        batch_size, dtype, sparse, ragged, batch_shape, name, optional: as in `InputLayer`.
        tensor: not supported, None only.

    Returns:
        An `InputLayer`. (Keras returns a symbolic tensor; graphs of layers are not supported yet.)

    Raises:
        ValueError: see `InputLayer`.
    """
    return InputLayer(
        shape=shape,
        batch_size=batch_size,
        dtype=dtype,
        sparse=sparse,
        ragged=ragged,
        batch_shape=batch_shape,
        input_tensor=tensor,
        optional=optional,
        name=name,
    )


def _batch_shape(shape: Any, batch_size: Any, batch_shape: Any) -> Shape:
    if (shape is None) == (batch_shape is None):
        got = "neither" if shape is None else "both"
        raise ValueError(f"Input: expected either shape or batch_shape, got {got}")
    if batch_shape is None:
        whole = (*checked_shape((batch_size,), "batch_size"), *checked_shape(shape, "shape"))
        known_sizes(whole, "shape")
        return whole
    if batch_size is not None:
        raise ValueError(
            f"Input: expected either batch_size or batch_shape, got both ({batch_size!r} and {batch_shape!r})"
        )
    whole = checked_shape(batch_shape, "batch_shape")
    if not whole:
        raise ValueError("batch_shape: expected at least the batch axis, got ()")
    known_sizes(whole, "batch_shape")
    return whole
