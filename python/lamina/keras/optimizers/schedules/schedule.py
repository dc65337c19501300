"""LearningRateSchedule: a learning rate that depends on the number of steps taken."""

from __future__ import annotations

import numbers
from collections.abc import Callable
from typing import Any

import numpy as np

from lamina import _core


class LearningRateSchedule:
    """Base class of the schedules, and of your own: override `__call__(self, step)`, which gets the number of
    calls of the optimizer before this one, from 0, and returns the learning rate; and `get_config`, if it is
    to be saved. One of your own is called by Python at every step.
    """

    def __call__(self, step: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must override __call__(self, step)")

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor, by name."""
        raise NotImplementedError(f"{type(self).__name__} must override get_config(self)")

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """A schedule with these arguments."""
        return cls(**config)


class CoreSchedule(LearningRateSchedule):
    """A schedule that the core computes, in float32 as Keras does."""

    _kind = ""  # the core's name
    _numbers: tuple[tuple[str, str], ...] = ()  # attribute, and the core's name of it

    def core(self) -> Any:
        """The core's schedule of the present attributes."""
        return _core.Schedule(
            self._kind, **{theirs: _plain(getattr(self, ours)) for ours, theirs in self._numbers}
        )

    def __call__(self, step: Any) -> Any:
        """The learning rate after so many steps, a float32."""
        steps = np.asarray(step)
        return np.float32(self.core().rate_at(float(steps), steps.dtype.kind in "iu"))

    def get_config(self) -> dict[str, Any]:
        return {ours.removeprefix("_"): getattr(self, ours) for ours in self._config}

    _config: tuple[str, ...] = ()


def core_schedule(rate: Any) -> Any:
    """What the core's optimizer takes for a schedule or a function without arguments."""
    if isinstance(rate, CoreSchedule) and type(rate).__call__ is CoreSchedule.__call__:
        return rate.core()
    if isinstance(rate, LearningRateSchedule):
        return _PerStep(rate)
    return _PerStep(lambda _: rate())


class _PerStep:
    def __init__(self, rate: Callable[[Any], Any]) -> None:
        self._rate = rate

    def __call__(self, step: int) -> float:
        return float(self._rate(np.int64(step)))


def check_numbers(**given: Any) -> None:
    """ValueError unless all are real numbers."""
    for name, value in given.items():
        if not isinstance(value, (numbers.Real, np.number)):
            raise ValueError(f"{name}: expected a number, got {value!r}")


def check_steps(name: str, value: Any) -> None:
    """ValueError unless it is a number above 0."""
    check_numbers(**{name: value})
    if value <= 0:
        raise ValueError(f"{name}: expected a number above 0, got {value!r}")


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool):
        return value
    return [float(entry) for entry in value] if isinstance(value, (list, tuple)) else float(value)
