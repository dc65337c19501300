"""An optimizer's step on a user's own gradients: what the core is given, and what it gives back."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from lamina.keras.layers.variable import Variable


def gradients_of(
    optimizer: Any, grads: Sequence[Any], variables: Sequence[Variable], known: Sequence[Variable]
) -> list[Any]:
    """The gradients in the order of `known`, unscaled, None for a variable that has none.

    Raises:
        ValueError: a number or shape that doesn't match, an unknown variable, or no gradient at all.
    """
    if len(grads) != len(variables):
        raise ValueError(f"grads: expected one for each of {len(variables)} variables, got {len(grads)}")
    places = {id(variable): i for i, variable in enumerate(known)}
    ordered: list[Any] = [None] * len(known)
    missing = []
    for gradient, variable in zip(grads, variables, strict=True):
        if id(variable) not in places:
            raise ValueError(
                f"variables: expected those that the optimizer was built for, got {variable!r}; "
                "make another optimizer"
            )
        if gradient is None:
            missing.append(variable.path)
            continue
        array = np.asarray(gradient)
        if array.dtype.kind not in "biuf" or array.shape != variable.shape:
            raise ValueError(
                f"grads: expected real numbers of shape {variable.shape} for {variable.path!r}, "
                f"got shape {array.shape} and dtype {array.dtype}"
            )
        if optimizer.loss_scale_factor is not None:
            array = array / optimizer.loss_scale_factor
        ordered[places[id(variable)]] = np.ascontiguousarray(array, variable.dtype).reshape(variable.shape)
    if len(missing) == len(grads):
        raise ValueError("grads: expected a gradient for at least one variable, got None for all")
    if missing:
        warnings.warn(f"grads: there is none for {missing}, which stay as they are", stacklevel=3)
    return ordered


def write_weights_of(core: Any, ordered: list[Any], variables: Sequence[Variable]) -> None:
    """The core's step; it writes the variables' arrays."""
    core.apply(ordered, [variable.value for variable in variables])
