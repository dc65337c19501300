"""Schedules that let the learning rate decay by a formula of one line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lamina.keras.optimizers.schedules.schedule import CoreSchedule, check_numbers, check_steps


class ExponentialDecay(CoreSchedule):
    """initial_learning_rate * decay_rate^(step / decay_steps).

    Args:
        initial_learning_rate: the rate of the first step.
        decay_steps: > 0.
        decay_rate: the factor of each decay_steps steps.
        staircase: whether step / decay_steps is rounded down. Default False.
        name: kept in the config.

    Raises:
        ValueError: decay_steps is not above 0, or an argument is no number.
    """

    _kind = "exponential"
    _numbers = (
        ("initial_learning_rate", "initial"),
        ("decay_steps", "steps"),
        ("decay_rate", "rate"),
        ("staircase", "staircase"),
    )
    _config = ("initial_learning_rate", "decay_steps", "decay_rate", "staircase", "name")

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        decay_rate: float,
        staircase: bool = False,
        name: str = "ExponentialDecay",
    ) -> None:
        check_numbers(initial_learning_rate=initial_learning_rate, decay_rate=decay_rate)
        check_steps("decay_steps", decay_steps)
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.decay_rate = decay_rate
        self.staircase = staircase
        self.name = name


class InverseTimeDecay(ExponentialDecay):
    """initial_learning_rate / (1 + decay_rate * step / decay_steps); arguments as in `ExponentialDecay`."""

    _kind = "inverse_time"

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        decay_rate: float,
        staircase: bool = False,
        name: str = "InverseTimeDecay",
    ) -> None:
        super().__init__(initial_learning_rate, decay_steps, decay_rate, staircase, name)


class PolynomialDecay(CoreSchedule):
    """(initial - end) * (1 - step / decay_steps)^power + end, and end from decay_steps on.

    Args:
        initial_learning_rate: the rate of the first step.
        decay_steps: > 0.
        end_learning_rate: the last rate, default 0.0001.
        power: default 1.0, a straight line.
        cycle: whether it begins anew at its end, with decay_steps times the smallest number of such cycles
            that reach the step. Default False.
        name: kept in the config.

    Raises:
        ValueError: decay_steps is not above 0, or an argument is no number.
    """

    _kind = "polynomial"
    _numbers = (
        ("initial_learning_rate", "initial"),
        ("decay_steps", "steps"),
        ("end_learning_rate", "end"),
        ("power", "power"),
        ("cycle", "cycle"),
    )
    _config = ("initial_learning_rate", "decay_steps", "end_learning_rate", "power", "cycle", "name")

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        end_learning_rate: float = 0.0001,
        power: float = 1.0,
        cycle: bool = False,
        name: str = "PolynomialDecay",
    ) -> None:
        check_numbers(
            initial_learning_rate=initial_learning_rate, end_learning_rate=end_learning_rate, power=power
        )
        check_steps("decay_steps", decay_steps)
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.end_learning_rate = end_learning_rate
        self.power = power
        self.cycle = cycle
        self.name = name


class PiecewiseConstantDecay(CoreSchedule):
    """values[0] up to and with step boundaries[0], values[1] up to and with boundaries[1] …, then values[-1].

    Args:
        boundaries: increasing numbers of steps; cut to whole ones where the step is whole.
        values: one more than boundaries.
        name: kept in the config.

    Raises:
        ValueError: the numbers of boundaries and values don't match, or there are no boundaries.
    """

    _kind = "piecewise_constant"
    _numbers = (("boundaries", "boundaries"), ("values", "values"))
    _config = ("boundaries", "values", "name")

    def __init__(
        self, boundaries: Sequence[float], values: Sequence[float], name: str = "PiecewiseConstant"
    ) -> None:
        if len(boundaries) != len(values) - 1 or not boundaries:
            raise ValueError(
                "boundaries: expected one or more, and one less than values, "
                f"got {list(boundaries)!r} and {list(values)!r}"
            )
        self.boundaries: Any = boundaries
        self.values: Any = values
        self.name = name
