"""One layer called on an array, outside of any model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.keras._training.assembly import assemble, shapes_through
from lamina.keras._training.inputs import real_array
from lamina.keras._training.output import Output
from lamina.keras._training.penalties import output_penalty

if TYPE_CHECKING:
    from lamina.keras.layers.layer import Layer


def call_layer(layer: Layer, inputs: Any, training: bool) -> Output:
    """See `Layer.__call__`."""
    refuse_graph(inputs, "layer", layer.name)
    x = real_array(inputs, "inputs")
    layer.build((None, *x.shape[1:]))
    shapes = shapes_through([layer], (None, *x.shape[1:]))
    assembly = assemble([layer], shapes, layer.dtype)
    network = assembly.network
    for weight, view in zip(layer.core_weights, assembly.views([layer])[0], strict=True):
        view[...] = weight.value
    layer.calls += 1  # every call draws another dropout pattern
    frozen = [] if layer.trainable else [True] * network.layers
    out = network.forward(x, bool(training), layer.calls, frozen)
    if layer.activity_regularizer is not None:
        layer.call_penalties = (output_penalty(layer, np.asarray(out)),)
    sizes: tuple[Any, ...] = shapes[1][1:]
    return np.asarray(out).reshape(len(x), *sizes).view(Output)


def refuse_graph(inputs: Any, kind: str, name: str) -> None:
    """Raise TypeError for a layer passed as data, as in Keras's functional API."""
    if isinstance(inputs, np.ndarray):
        return
    from lamina.keras.layers.layer import Layer

    if isinstance(inputs, Layer):
        raise TypeError(
            f"{kind} {name!r}: expected an array, got {inputs!r}; graphs of layers (the functional API) "
            "are not supported yet, use Sequential"
        )
