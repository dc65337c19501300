"""ActivationLayer: a layer that only applies an activation; and how a network is told of one."""

from __future__ import annotations

import math
from typing import Any

from lamina import _core
from lamina.keras.activations import form_of
from lamina.keras.activations.form import BY_ROWS, FROM_OUTPUT, Form
from lamina.keras.layers.axes import add_in_order, moved_order
from lamina.keras.layers.layer import Layer
from lamina.keras.layers.shape import Shape, known_sizes


class ActivationLayer(Layer):
    """Base class of the layers that apply an activation and have nothing to learn."""

    _built_at_start = True

    def activation_form(self) -> Form:
        """What the core is told."""
        raise NotImplementedError(f"{type(self).__name__} must implement activation_form()")

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        if len(input_shape) < 2:
            raise ValueError(
                f"layer {self.name!r}: expected an input of rank 2 or more, got shape {tuple(input_shape)}"
            )
        return activated_shape(self.activation_form(), input_shape, f"layer {self.name!r}")

    @property
    def passes_on(self) -> bool:
        return self.activation_form().kind == "linear"

    @property
    def head(self) -> str | None:
        return visible_head(self.activation_form())

    def add_to(self, network: _core.Network32 | _core.Network64, input_shape: Shape) -> bool:
        add_activation(self, self.activation_form(), network, input_shape)
        return True


def checked_activation(activation: Any, layer: Layer) -> Any:
    """The activation, if this layer can apply it.

    Raises:
        ValueError: it needs arguments.
    """
    form_of(activation)
    return activation


def visible_head(form: Form) -> str | None:
    """The activation, if a loss can see what went into it."""
    return form.kind if form.shows_logits or form.kind == "sigmoid" else None


def activated_shape(form: Form, input_shape: Shape, where: str) -> Shape:
    """The shape of the activation of an input of this one: a gated linear unit halves the last axis.

    Raises:
        ValueError: it can't be halved, or the axes are not those of the input.
    """
    if form.axes:
        _placed_axes(form, len(input_shape), where)
    if form.kind != "glu":
        return tuple(input_shape)
    size = input_shape[-1]
    if size is not None and size % 2:
        raise ValueError(f"{where}: expected an even size of the last axis for glu, got {tuple(input_shape)}")
    return (*input_shape[:-1], None if size is None else size // 2)


def fused_name(form: Form, rank: int) -> str | None:
    """The core's name of the activation, if its slope follows from the output: then a dense layer of this
    rank applies it itself.
    """
    if form.kind not in FROM_OUTPUT or form.numbers:
        return None
    return None if form.axes and [axis % rank for axis in form.axes] != [rank - 1] else form.kind


def add_activation(
    layer: Layer, form: Form, network: _core.Network32 | _core.Network64, input_shape: Shape
) -> None:
    """Add the activation to a network as a layer of its own, in the compute dtype of `layer`."""
    where = f"layer {layer.name!r}: input shape"
    rank, sizes = len(input_shape), known_sizes(input_shape, where)
    name = fused_name(form, rank)
    if name is not None:
        layer._adder(network, "activation")(math.prod(sizes[:-1]), sizes[-1], name)
        return
    first, last = _placed_axes(form, rank, where)
    if layer.compute_dtype == "bfloat16":
        _add_in_bfloat16(form, network, sizes, first, last)
        return
    network.add_nonlinearity(
        math.prod(sizes[: first - 1]),
        math.prod(sizes[first - 1 :]),
        form.kind,
        form.numbers,
        math.prod(sizes[last:]),
        form.shows_logits,
    )


def _add_in_bfloat16(form: Form, network: Any, sizes: tuple[int, ...], first: int, last: int) -> None:
    if form.kind == "softmax":  # in the order in which what it runs along lies together
        axes = range(first - 1, last)
        outer = [axis for axis in range(len(sizes)) if axis not in axes]
        features = math.prod(sizes[axis] for axis in axes)
        add_in_order(
            network,
            moved_order(sizes, [*outer, *axes]),
            lambda: network.add_bfloat16_activation(math.prod(sizes) // features, features, "softmax"),
        )
    elif form.kind in BY_ROWS:
        network.add_bfloat16_row_nonlinearity(math.prod(sizes[:-1]), sizes[-1], form.kind)
    else:
        network.add_bfloat16_nonlinearity(math.prod(sizes), form.kind, form.numbers)


def _placed_axes(form: Form, rank: int, where: str) -> tuple[int, int]:
    """The first and the last of the axes that the activation runs along; the last axis, if along none."""
    axes = sorted(axis + rank if axis < 0 else axis for axis in form.axes) or [rank - 1]
    first, last = axes[0], axes[-1]
    if axes != list(range(first, last + 1)) or not first > 0 or last >= rank:
        raise ValueError(
            f"{where}: axis: expected neighbouring axes of one sample, for an input of rank {rank}, "
            f"got {form.axes[0] if len(form.axes) == 1 else form.axes}"
        )
    if last < rank - 1 and form.kind != "softmax":
        raise ValueError(f"{where}: axis: expected the last one for {form.kind}, got {form.axes[0]}")
    return first, last
