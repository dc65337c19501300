"""From layers to a network of the core, and the layers' weights into its flat block."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from lamina import _core
from lamina import config as lamina_config
from lamina.keras.layers.layer import Layer
from lamina.keras.layers.shape import Shape, known_sizes


def common_dtype(layers: Sequence[Layer], where: str) -> str:
    """The one dtype of these layers.

    Raises:
        ValueError: they have two.
    """
    first = layers[0]
    for layer in layers:
        if layer.dtype != first.dtype:
            raise ValueError(
                f"{where}: dtype: expected one for all layers, "
                f"got {first.dtype} for {first.name!r} and {layer.dtype} for {layer.name!r}"
            )
    return first.dtype


def shapes_through(layers: Sequence[Layer], input_shape: Shape) -> list[Shape]:
    """The shape before the first layer, after it, after the second, …

    Raises:
        ValueError: a layer can't take its input.
    """
    shapes = [tuple(input_shape)]
    for layer in layers:
        shapes.append(layer.compute_output_shape(shapes[-1]))
    return shapes


def assemble(layers: Sequence[Layer], shapes: Sequence[Shape], dtype: str) -> tuple[Any, list[list[Any]]]:
    """The core's network for these layers, and for each layer the views of its weights in it.

    The layers' own weights are not touched: see `Variable.move_to`.

    Args:
        layers: the chain, without an input layer.
        shapes: what `shapes_through` gave for them.
        dtype: "float32" or "float64".

    Returns:
        (network, views), views[i] in the order of layers[i].weights.
    """
    kind = _core.Network64 if dtype == "float64" else _core.Network32
    network = kind(math.prod(known_sizes(shapes[0], "input shape")), lamina_config.get_backend())
    adders = [index for index, layer in enumerate(layers) if layer.add_to(network, shapes[index])]
    network.build()
    views: list[list[Any]] = [[] for _ in layers]
    for added, _name, _trainable, view in network.parameters():
        views[adders[added]].append(view)
    return network, views
