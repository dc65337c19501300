"""Penalties on outputs, as a call of a layer or model leaves them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lamina.keras._training.assembly import assemble
from lamina.keras._training.penalised import Penalised
from lamina.keras.utils.dtypes import in_dtype

if TYPE_CHECKING:
    from lamina.keras.layers.layer import Layer
    from lamina.keras.layers.shape import Shape


class Call(NamedTuple):
    """A call of a model: enough to compute what each layer made of it."""

    rows: npt.NDArray[Any]
    training: bool
    number: int


def output_penalty(layer: Layer, output: npt.NDArray[Any]) -> Any:
    """The penalty on a layer's output, divided by the number of samples; of none it is 0."""
    penalty = layer.activity_regularizer(output)
    mean = penalty / penalty.dtype.type(len(output)) if len(output) else penalty * 0
    return in_dtype(mean, "bfloat16")[()] if layer.compute_dtype == "bfloat16" else mean


class CalledStack(Penalised):
    """What a model of layers knows of its last call on an array, where outputs have penalties."""

    _call: Call | None = None
    _shapes: list[Shape]
    leaves: Any
    dtype: Any

    def note_call(self, rows: npt.NDArray[Any], training: bool, number: int) -> None:
        if any(layer.activity_regularizer is not None for layer in self.leaves):
            self._call = Call(rows.copy(), training, number)

    def forget_call(self) -> None:
        self._call = None

    def penalties_of_last_call(self) -> list[Any]:
        return self.call_penalties(self.leaves)

    def call_penalties(self, layers: Sequence[Layer]) -> list[Any]:
        """The penalties on these layers' outputs, in the model's order."""
        if self._call is None:
            return []
        rows, training, number = self._call
        found = []
        for end, layer in enumerate(self.leaves, 1):
            if layer.activity_regularizer is None or not any(layer is one for one in layers):
                continue
            part = self.leaves[:end]
            assembly = assemble(part, self._shapes[: end + 1], self.dtype)
            for one, its_views in zip(part, assembly.views(part), strict=True):
                for weight, view in zip(one.core_weights, its_views, strict=True):
                    view[...] = weight.value
            frozen = assembly.of_each([not one.trainable for one in part])
            out = assembly.network.forward(rows, training, number, frozen)
            found.append(output_penalty(layer, np.asarray(out)))
        return found
