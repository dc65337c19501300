"""Copies of a model with weights of their own, drawn anew."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from lamina.keras._training.stack import LayerStack
from lamina.keras.layers.input_layer import InputLayer
from lamina.keras.layers.layer import Layer

_Model = TypeVar("_Model", bound=LayerStack)


def cloned(
    kind: type[_Model],
    model: Any,
    input_tensors: Any,
    clone_function: Callable[[Any], Any] | None,
    call_function: Any,
    recursive: bool,
) -> _Model:
    """See `keras.models.clone_model`; `kind` is what the clone is made as."""
    if not isinstance(model, kind):
        raise ValueError(f"model: expected a Sequential model, got {model!r}")
    if call_function is not None:
        raise ValueError(
            "call_function: expected None for a Sequential model, whose layers are listed, not called; "
            f"got {call_function!r}"
        )
    if clone_function is not None and not callable(clone_function):
        raise ValueError(f"clone_function: expected a function of a layer, got {clone_function!r}")

    def one(layer: Layer) -> Any:
        inner: Any = layer
        if recursive and isinstance(inner, kind):
            return cloned(kind, inner, None, clone_function, None, True)
        if clone_function is not None:
            return clone_function(layer)
        return type(layer).from_config(layer.get_config())

    layers = [one(layer) for layer in model.layers]
    first = _input_for(model, input_tensors)
    return kind([*([] if first is None else [first]), *layers], name=model.name)


def _input_for(model: LayerStack, input_tensors: Any) -> InputLayer | None:
    own = model.input_layer
    if input_tensors is None:
        return None if own is None else InputLayer(**own.get_config())
    if isinstance(input_tensors, (list, tuple)):
        if len(input_tensors) != 1:
            raise ValueError(f"input_tensors: expected one Input, got {len(input_tensors)}")
        input_tensors = input_tensors[0]
    if not isinstance(input_tensors, InputLayer):
        raise ValueError(f"input_tensors: expected a keras.Input, got {input_tensors!r}")
    name = input_tensors.name if own is None else own.name
    return InputLayer(**{**input_tensors.get_config(), "name": name})
