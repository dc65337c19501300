"""Activation functions, on numpy arrays; in a layer the core applies them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

from lamina.keras._saving.objects import deserialize_keras_object, serialize_keras_object
from lamina.keras._training.absent import refuse_absent
from lamina.keras.activations.along_axis import glu as glu
from lamina.keras.activations.along_axis import log_softmax as log_softmax
from lamina.keras.activations.along_axis import softmax as softmax
from lamina.keras.activations.along_axis import sparsemax as sparsemax
from lamina.keras.activations.arrays import Array as Array
from lamina.keras.activations.each_number import celu as celu
from lamina.keras.activations.each_number import elu as elu
from lamina.keras.activations.each_number import exponential as exponential
from lamina.keras.activations.each_number import gelu as gelu
from lamina.keras.activations.each_number import hard_shrink as hard_shrink
from lamina.keras.activations.each_number import hard_sigmoid as hard_sigmoid
from lamina.keras.activations.each_number import hard_silu as hard_silu
from lamina.keras.activations.each_number import hard_tanh as hard_tanh
from lamina.keras.activations.each_number import leaky_relu as leaky_relu
from lamina.keras.activations.each_number import linear as linear
from lamina.keras.activations.each_number import log_sigmoid as log_sigmoid
from lamina.keras.activations.each_number import mish as mish
from lamina.keras.activations.each_number import relu as relu
from lamina.keras.activations.each_number import relu6 as relu6
from lamina.keras.activations.each_number import selu as selu
from lamina.keras.activations.each_number import sigmoid as sigmoid
from lamina.keras.activations.each_number import silu as silu
from lamina.keras.activations.each_number import soft_shrink as soft_shrink
from lamina.keras.activations.each_number import softplus as softplus
from lamina.keras.activations.each_number import softsign as softsign
from lamina.keras.activations.each_number import sparse_plus as sparse_plus
from lamina.keras.activations.each_number import sparse_sigmoid as sparse_sigmoid
from lamina.keras.activations.each_number import squareplus as squareplus
from lamina.keras.activations.each_number import tanh as tanh
from lamina.keras.activations.each_number import tanh_shrink as tanh_shrink
from lamina.keras.activations.each_number import threshold as threshold
from lamina.keras.activations.form import FORMS, Form

swish = silu
hard_swish = hard_silu

_KNOWN: dict[str, Callable[..., Array]] = {
    **{name: globals()[name] for name in FORMS},
    "swish": silu,
    "hard_swish": hard_silu,
}

__all__ = [*sorted(_KNOWN), "deserialize", "get", "serialize"]


def get(identifier: Any) -> Callable[..., Array]:
    """The activation function of that name.

    Args:
        identifier: a name, a config, one of these functions, a `functools.partial` of one with keyword
            arguments, or an activation layer such as `layers.LeakyReLU(0.1)`; None for `linear`.

    Raises:
        ValueError: a name that isn't known.
        TypeError: a function of your own: it would need automatic differentiation, which Lamina does not
            have.
    """
    if identifier is None:
        return linear
    if isinstance(identifier, Mapping):
        return deserialize(identifier)
    if isinstance(identifier, str):
        if identifier not in _KNOWN:
            raise ValueError(f"activation: expected one of {', '.join(sorted(_KNOWN))}, got {identifier!r}")
        return _KNOWN[identifier]
    if callable(identifier):
        form_of(identifier, check_only=True)
        return identifier  # type: ignore[no-any-return]
    raise ValueError(f"activation: expected a name or None, got {identifier!r}")


def form_of(activation: Any, check_only: bool = False) -> Form:
    """What the core is told of an activation that `get` gave.

    Args:
        activation: the function, partial or layer.
        check_only: True accepts functions whose arguments are not all known, such as `threshold`.

    Raises:
        TypeError: it is none of Lamina's.
        ValueError: arguments are missing or wrong.
    """
    if hasattr(activation, "activation_form"):  # a layer
        return activation.activation_form()  # type: ignore[no-any-return]
    function, arguments = activation, {}
    if isinstance(activation, functools.partial) and not activation.args:
        function, arguments = activation.func, activation.keywords
    name = getattr(function, "__name__", None)
    if name not in FORMS or function is not _KNOWN[name]:
        raise TypeError(
            f"activation: expected one of {', '.join(sorted(_KNOWN))}, got {activation!r}; an activation of "
            "your own would need automatic differentiation, which Lamina does not have"
        )
    if name == "threshold" and len(arguments) < 2:
        if check_only:
            return Form("threshold")
        raise ValueError(
            "activation: expected one that needs nothing but x, got threshold; give it its threshold and "
            "default_value, for example by functools.partial(activations.threshold, threshold=0.5, "
            "default_value=0)"
        )
    return FORMS[name](**arguments)


def serialize(activation: Any) -> Any:
    """The name of an activation function, or the config of a layer.

    Raises:
        TypeError: a function of your own, or a `functools.partial`.
    """
    found = get(activation)
    if hasattr(found, "get_config"):
        return serialize_keras_object(found)
    if isinstance(found, functools.partial):
        raise TypeError(f"activation: expected a function with a name or a layer to serialize, got {found!r}")
    return found.__name__


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Callable[..., Array]:
    """The activation of a name, of a dict {"class_name": "function", "config": name}, or of a layer's config.

    Raises:
        ValueError: a name that isn't known.
    """
    if not isinstance(config, Mapping):
        return get(config)
    if config.get("class_name") in _KNOWN:
        return get(config["class_name"])
    found = deserialize_keras_object(config, custom_objects=custom_objects)
    if isinstance(found, Mapping):  # it had no class_name and config, and came back as it was
        raise ValueError(f"activation: expected a dict with 'class_name' and 'config', got {config!r}")
    return get(found)


refuse_absent(__name__)
