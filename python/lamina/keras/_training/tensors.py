"""What comes into models and layers and out of them, as shapes and dtypes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lamina.keras.keras_tensor import KerasTensor
    from lamina.keras.layers.shape import Shape


class ModelTensors:
    """`inputs` and `outputs` of a stack of layers."""

    leaves: Any
    _shapes: list[Shape]
    _input: Any
    _tensors: tuple[KerasTensor, ...] = ()  # made when they are asked for

    @property
    def inputs(self) -> list[KerasTensor]:
        """What comes in, one `KerasTensor` in a list.

        Raises:
            AttributeError: the model is not built.
        """
        return [self.tensors()[0]]

    @property
    def outputs(self) -> list[KerasTensor]:
        """What comes out, one `KerasTensor` in a list.

        Raises:
            AttributeError: the model is not built.
        """
        return [self.tensors()[-1]]

    def tensors(self) -> tuple[KerasTensor, ...]:
        """What comes into the first layer, out of it, out of the second …

        Raises:
            AttributeError: the model is not built.
        """
        from lamina.keras.keras_tensor import KerasTensor

        if not self._shapes:
            raise AttributeError(f"{self!r} has no inputs and outputs before it is built")
        if not self._tensors:
            dtype, name = ("float32", None) if self._input is None else (self._input.dtype, self._input.name)
            first = KerasTensor(self._shapes[0], dtype, name=name)
            results = zip(self._shapes[1:], self.leaves, strict=True)
            self._tensors = (first, *(KerasTensor(shape, layer.compute_dtype) for shape, layer in results))
        return self._tensors

    def forget_tensors(self) -> None:
        self._tensors = ()


class LayerTensors:
    """`input` and `output` of a layer of a model."""

    @property
    def input(self) -> KerasTensor:
        """What comes in.

        Raises:
            AttributeError: the layer is in no model that is built.
        """
        return self._tensor(0)

    @property
    def output(self) -> KerasTensor:
        """What comes out.

        Raises:
            AttributeError: the layer is in no model that is built.
        """
        return self._tensor(1)

    def _tensor(self, after: int) -> KerasTensor:
        owner = self._owner_now()  # type: ignore[attr-defined]
        if owner is None:
            raise AttributeError(f"{self!r} has no input and output before it is in a model that is built")
        place = next(i for i, layer in enumerate(owner.leaves) if layer is self)
        return owner.tensors()[place + after]  # type: ignore[no-any-return]
