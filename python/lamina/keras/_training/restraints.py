"""Regularizers and constraints, told to the core."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from lamina.keras import config as keras_config
from lamina.keras import constraints, regularizers
from lamina.keras.layers.variable import Variable

if TYPE_CHECKING:
    from lamina.keras.layers.layer import Layer

Array = npt.NDArray[Any]


def restrain(network: Any, layer: int, parameter: int, weight: Variable) -> None:
    """Tell a network of the core what is asked of one of its parameters.

    Args:
        network: it is built.
        layer, parameter: indices of the core's layer, and of the parameter in it.
        weight: whose regularizer and constraint they are.

    Raises:
        TypeError, ValueError: they can't be computed for a weight of this shape.
    """
    own_penalty = own_constraint = None
    regularizer, constraint = weight.regularizer, weight.constraint
    if regularizer is not None:
        kind = regularizers.kind_of(regularizer, f"{weight.path}: regularizer")
        if kind is None:
            own_penalty = _own_penalty(regularizer, weight.path)
        elif kind is regularizers.OrthogonalRegularizer:
            if len(weight.shape) != 2:
                raise ValueError(
                    f"{weight.path}: regularizer: expected one for an array of shape {weight.shape}, "
                    f"got {regularizer!r}, which is one for matrices"
                )
            network.penalise_angles(layer, parameter, regularizer.factor, regularizer.mode == "columns")
        else:
            network.penalise(layer, parameter, *regularizer.core_form())
    if constraint is not None:
        kind = constraints.kind_of(constraint)
        if kind is None:
            own_constraint = _own_constraint(constraint, weight.path)
        elif kind is not constraints.Constraint:
            form = constraint.core_form(weight.shape, f"{weight.path}: constraint")
            network.constrain(layer, parameter, *form, keras_config.epsilon())
    if own_penalty is not None or own_constraint is not None:
        network.restrain(layer, parameter, own_penalty, own_constraint)


def penalise_output(network: Any, layer: Layer) -> None:
    """Add to a network of the core the penalty on what comes out of it so far, this layer's output.

    Raises:
        TypeError: the core can't compute it.
    """
    regularizer = regularizers.checked_of_output(
        layer.activity_regularizer, f"layer {layer.name!r}: activity_regularizer"
    )
    if layer.compute_dtype != "bfloat16":  # else it is never trained with; see check_penalties
        network.add_output_penalty(*regularizer.core_form())


def check_penalties(layers: Sequence[Layer]) -> None:
    """Refuse what Keras on TensorFlow can't train or evaluate either: it adds no bfloat16 to a loss.

    Raises:
        ValueError: a layer that computes in bfloat16 has a penalty on its output.
    """
    for layer in layers:
        if layer.activity_regularizer is not None and layer.compute_dtype == "bfloat16":
            raise ValueError(
                f"layer {layer.name!r}: activity_regularizer: expected None in training for a layer that "
                "computes in bfloat16, which Keras can't add to the loss either; give it dtype='float32'"
            )


def _own_penalty(regularizer: Any, path: str) -> Callable[[Array, Array | None], float]:
    def penalty(weight: Array, slope: Array | None) -> float:
        value = float(regularizer(weight))
        if slope is not None:
            slope += _of_shape(regularizer.gradient(weight), weight.shape, f"{path}: regularizer: gradient")
        return value

    return penalty


def _own_constraint(constraint: Any, path: str) -> Callable[[Array, Array], None]:
    def constrain(weight: Array, place: Array) -> None:
        place[...] = _of_shape(constraint(weight), weight.shape, f"{path}: constraint")

    return constrain


def _of_shape(values: Any, shape: tuple[int, ...], what: str) -> Array:
    array = np.asarray(values)
    if array.shape != shape or array.dtype.kind not in "biuf":
        raise ValueError(
            f"{what}: expected real numbers of shape {shape}, got an array of shape {array.shape} and "
            f"dtype {array.dtype}"
        )
    return array
