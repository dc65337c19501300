"""Schedules: learning rates that depend on the number of steps taken."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lamina.keras.optimizers.schedules.cosine import CosineDecay as CosineDecay
from lamina.keras.optimizers.schedules.cosine import CosineDecayRestarts as CosineDecayRestarts
from lamina.keras.optimizers.schedules.decay import ExponentialDecay as ExponentialDecay
from lamina.keras.optimizers.schedules.decay import InverseTimeDecay as InverseTimeDecay
from lamina.keras.optimizers.schedules.decay import PiecewiseConstantDecay as PiecewiseConstantDecay
from lamina.keras.optimizers.schedules.decay import PolynomialDecay as PolynomialDecay
from lamina.keras.optimizers.schedules.schedule import LearningRateSchedule as LearningRateSchedule
from lamina.keras.optimizers.schedules.schedule import core_schedule as core_schedule
from lamina.keras.utils.serialization import deserialize_object, serialize_object

__all__ = [
    "CosineDecay",
    "CosineDecayRestarts",
    "ExponentialDecay",
    "InverseTimeDecay",
    "LearningRateSchedule",
    "PiecewiseConstantDecay",
    "PolynomialDecay",
    "deserialize",
    "serialize",
]

_KNOWN: dict[str, Any] = {
    kind.__name__: kind
    for kind in (
        CosineDecay,
        CosineDecayRestarts,
        ExponentialDecay,
        InverseTimeDecay,
        PiecewiseConstantDecay,
        PolynomialDecay,
    )
}


def serialize(learning_rate_schedule: LearningRateSchedule) -> dict[str, Any]:
    """The config of a schedule."""
    return serialize_object(learning_rate_schedule, "keras.optimizers.schedules")


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The schedule of a config that `serialize` made.

    Raises:
        ValueError: no such config, or a class that isn't known.
    """
    return deserialize_object(config, _KNOWN, "learning rate schedule", custom_objects)
