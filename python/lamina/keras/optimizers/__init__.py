"""Optimizers: how a gradient changes the weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lamina.keras._training.absent import refuse_absent
from lamina.keras.optimizers import schedules as schedules
from lamina.keras.optimizers.adadelta import Adadelta as Adadelta
from lamina.keras.optimizers.adafactor import Adafactor as Adafactor
from lamina.keras.optimizers.adagrad import Adagrad as Adagrad
from lamina.keras.optimizers.adam import Adam as Adam
from lamina.keras.optimizers.adam_w import AdamW as AdamW
from lamina.keras.optimizers.adamax import Adamax as Adamax
from lamina.keras.optimizers.ftrl import Ftrl as Ftrl
from lamina.keras.optimizers.lamb import Lamb as Lamb
from lamina.keras.optimizers.lion import Lion as Lion
from lamina.keras.optimizers.loss_scale_optimizer import LossScaleOptimizer as LossScaleOptimizer
from lamina.keras.optimizers.multi_optimizer import MultiOptimizer as MultiOptimizer
from lamina.keras.optimizers.multi_optimizer import OptimizerMap as OptimizerMap
from lamina.keras.optimizers.muon import Muon as Muon
from lamina.keras.optimizers.nadam import Nadam as Nadam
from lamina.keras.optimizers.optimizer import Optimizer as Optimizer
from lamina.keras.optimizers.rmsprop import RMSprop as RMSprop
from lamina.keras.optimizers.schedule_free_adamw import ScheduleFreeAdamW as ScheduleFreeAdamW
from lamina.keras.optimizers.sgd import SGD as SGD
from lamina.keras.utils.serialization import deserialize_object, serialize_object

__all__ = [
    "SGD",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Ftrl",
    "Lamb",
    "Lion",
    "LossScaleOptimizer",
    "MultiOptimizer",
    "Muon",
    "Nadam",
    "Optimizer",
    "OptimizerMap",
    "RMSprop",
    "ScheduleFreeAdamW",
    "deserialize",
    "get",
    "schedules",
    "serialize",
]

# By name; Keras knows Lamb as a class only.
_KNOWN: dict[str, Any] = {
    kind.__name__.lower(): kind
    for kind in (
        Adadelta,
        Adafactor,
        Adagrad,
        Adam,
        AdamW,
        Adamax,
        Ftrl,
        Lion,
        LossScaleOptimizer,
        MultiOptimizer,
        Muon,
        Nadam,
        RMSprop,
        ScheduleFreeAdamW,
        SGD,
    )
}
_KNOWN["Lamb"] = Lamb


def get(identifier: Any) -> Any:
    """An optimizer from its name or config.

    Args:
        identifier: a name in any case ("adam"), or as it is in scope or registered (see `keras.saving`), a
            dict {"class_name", "config"}, or an optimizer (returned as it is); None gives None.

    Raises:
        ValueError: a name that isn't known, or no optimizer at all.
    """
    if identifier is None or isinstance(identifier, Optimizer):
        return identifier
    if isinstance(identifier, (str, Mapping)):
        found = deserialize(identifier)
        if not isinstance(found, Optimizer):
            raise ValueError(f"optimizer: expected the name or config of an optimizer, got that of {found!r}")
        return found
    if isinstance(identifier, type) and issubclass(identifier, Optimizer):
        raise ValueError(f"optimizer: expected an optimizer, got its class; write {identifier.__name__}()")
    raise ValueError(f"optimizer: expected an optimizer, its name or its config, got {identifier!r}")


def serialize(optimizer: Optimizer) -> dict[str, Any]:
    """The config of an optimizer."""
    return serialize_object(optimizer, "keras.optimizers")


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The optimizer of a config that `serialize` made; a class of Lamina's may be named in any case."""
    if isinstance(config, str):
        config = {"class_name": config, "config": {}}
    if isinstance(config, Mapping) and isinstance(config.get("class_name"), str):
        name = config["class_name"].lower()
        if name in _KNOWN:
            config = {**config, "class_name": name}
    return deserialize_object(config, _KNOWN, "optimizer", custom_objects)


refuse_absent(__name__)
