"""Optimizers: how a gradient changes the weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lamina.keras._training.absent import refuse_absent
from lamina.keras.optimizers.adagrad import Adagrad as Adagrad
from lamina.keras.optimizers.adam import Adam as Adam
from lamina.keras.optimizers.optimizer import Optimizer as Optimizer
from lamina.keras.optimizers.rmsprop import RMSprop as RMSprop
from lamina.keras.optimizers.sgd import SGD as SGD
from lamina.keras.utils.serialization import deserialize_object, serialize_object, unknown_name

__all__ = ["SGD", "Adagrad", "Adam", "Optimizer", "RMSprop", "deserialize", "get", "serialize"]

_KNOWN: dict[str, Any] = {"adagrad": Adagrad, "adam": Adam, "rmsprop": RMSprop, "sgd": SGD}


def get(identifier: Any) -> Any:
    """An optimizer from its name or config.

    Args:
        identifier: a name in any case ("adam"), a dict {"class_name", "config"}, or an optimizer (returned as
            it is); None gives None.

    Raises:
        ValueError: a name that isn't known, or no optimizer at all.
    """
    if identifier is None or isinstance(identifier, Optimizer):
        return identifier
    if isinstance(identifier, (str, Mapping)):
        return deserialize(identifier)
    if isinstance(identifier, type) and issubclass(identifier, Optimizer):
        raise ValueError(f"optimizer: expected an optimizer, got its class; write {identifier.__name__}()")
    raise ValueError(f"optimizer: expected an optimizer, its name or its config, got {identifier!r}")


def serialize(optimizer: Optimizer) -> dict[str, Any]:
    """The config of an optimizer."""
    return serialize_object(optimizer, "keras.optimizers")


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The optimizer of a config that `serialize` made; the class's name may be in any case."""
    if isinstance(config, str):
        config = {"class_name": config, "config": {}}
    if isinstance(config, Mapping) and isinstance(config.get("class_name"), str):
        name = config["class_name"].lower()
        if name in _KNOWN:
            config = {**config, "class_name": name}
        elif not custom_objects or config["class_name"] not in custom_objects:
            raise unknown_name("optimizer", config["class_name"], _KNOWN)
    return deserialize_object(config, _KNOWN, "optimizer", custom_objects)


refuse_absent(__name__)
