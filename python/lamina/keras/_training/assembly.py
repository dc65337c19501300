"""From layers to a network of the core, and the layers' weights into its flat block."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from lamina import _core
from lamina import config as lamina_config
from lamina.keras._training.restraints import penalise_output, restrain
from lamina.keras.layers.layer import Layer
from lamina.keras.layers.shape import Shape, known_sizes


def common_dtype(layers: Sequence[Layer], where: str) -> str:
    """The one dtype of these layers.

    Raises:
        ValueError: they have two.
    """
    first = layers[0]
    for layer in layers:
        if layer.dtype != first.dtype:  # mixed_bfloat16 and float32 go together: both keep float32
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


def casts_before(layers: Sequence[Layer]) -> set[int]:
    """The indices of the layers before which the network has to round to bfloat16, len(layers) for its end.

    A layer under "mixed_bfloat16" takes its input rounded, unless it says otherwise. It comes so from another
    one; and one that rounds it by itself needs no cast, also if the layers between only reshape.
    """
    casts: set[int] = set()
    rounded = due = False
    for index, layer in enumerate(layers):
        mixed = layer.compute_dtype == "bfloat16"
        due = due or (mixed and not rounded and layer.casts_input)
        rounded = mixed
        if layer.only_reshapes:
            continue
        if due and not (mixed and layer.rounds_input):
            casts.add(index)
        due = False
    return casts | {len(layers)} if due else casts


def _add_cast(network: Any, shape: Shape) -> None:
    network.add_bfloat16_cast(math.prod(known_sizes(shape, "input shape")))


class Assembly(NamedTuple):
    """The core's network, and of each of its layers the index of the one it was made for."""

    network: Any
    made_for: list[int]

    def of_each(self, words: Sequence[bool]) -> list[bool]:
        """A word per layer as one per layer of the network."""
        return [index < len(words) and words[index] for index in self.made_for]

    def freeze(self, states: Sequence[tuple[frozenset[int], bool]]) -> None:
        """Tell the network of each layer which of its weights, by number, are frozen, and whether its
        statistics are; its parameters move.
        """
        done = [0] * len(states)
        frozen = []
        for added, _name, _trainable, _view in self.network.parameters():
            index = self.made_for[added]
            frozen.append(done[index] in states[index][0])
            done[index] += 1
        self.network.freeze(frozen, self.of_each([statistics for _weights, statistics in states]))

    def restrain(self, layers: Sequence[Layer]) -> None:
        """Tell the network of the regularizers and constraints of the layers' weights."""
        done = [0] * len(layers)
        parameter, before = 0, -1
        for added, _name, _trainable, _view in self.network.parameters():
            parameter, before = (parameter + 1 if added == before else 0), added
            index = self.made_for[added]
            restrain(self.network, added, parameter, layers[index].core_weights[done[index]])
            done[index] += 1

    def views(self, layers: Sequence[Layer]) -> list[list[Any]]:
        """The weights of each layer where the network holds them, in the order of `layer.weights`."""
        views: list[list[Any]] = [[] for _ in layers]
        for added, _name, _trainable, view in self.network.parameters():
            views[self.made_for[added]].append(view)
        return views


def assemble(layers: Sequence[Layer], shapes: Sequence[Shape], dtype: str) -> Assembly:
    """The core's network for these layers, frozen as they say.

    The layers' own weights are not touched: see `Variable.move_to`.

    Args:
        layers: the chain, without an input layer.
        shapes: what `shapes_through` gave for them.
        dtype: "float32" or "float64".

    Returns:
        The network, with weights of zeros.
    """
    kind: Any = _core.Network64 if dtype == "float64" else _core.Network32
    network = kind(math.prod(known_sizes(shapes[0], "input shape")), lamina_config._network_backend())
    casts = casts_before(layers)
    made_for: list[int] = []
    for index, layer in enumerate(layers):
        if index in casts:
            _add_cast(network, shapes[index])
        layer.add_to(network, shapes[index])
        if layer.activity_regularizer is not None:
            penalise_output(network, layer)
        made_for += [index] * (network.layers - len(made_for))
    if len(layers) in casts:
        _add_cast(network, shapes[-1])
        made_for.append(len(layers))
    network.build()
    assembly = Assembly(network, made_for)
    assembly.restrain(layers)
    if any(any(layer.frozen_in_core) for layer in layers):
        assembly.freeze([layer.frozen_in_core for layer in layers])
    return assembly
