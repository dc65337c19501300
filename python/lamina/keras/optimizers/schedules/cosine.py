"""Schedules along half a cosine, once or again and again."""

from __future__ import annotations

from lamina.keras.optimizers.schedules.schedule import CoreSchedule, check_numbers, check_steps


class CosineDecay(CoreSchedule):
    """From the rate r: r ((1 - alpha) (1 + cos(pi step / decay_steps)) / 2 + alpha), and r alpha from
    decay_steps on. With a warmup_target, r is that, and the rate first goes there in a straight line from
    initial_learning_rate, in warmup_steps steps that are not counted in decay_steps.

    Args:
        initial_learning_rate: the rate of the first step.
        decay_steps: > 0.
        alpha: the last rate as a part of r, default 0.0.
        name: kept in the config.
        warmup_target: default None, no warmup.
        warmup_steps: default 0.

    Raises:
        ValueError: decay_steps is not above 0, or an argument is no number.

    Source: Loshchilov and Hutter, ICLR 2017.
    """

    _kind = "cosine"
    _numbers = (
        ("initial_learning_rate", "initial"),
        ("decay_steps", "steps"),
        ("alpha", "alpha"),
        ("warmup_target", "warmup_target"),
        ("warmup_steps", "warmup_steps"),
    )
    _config = ("initial_learning_rate", "decay_steps", "alpha", "name", "warmup_target", "warmup_steps")

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        alpha: float = 0.0,
        name: str = "CosineDecay",
        warmup_target: float | None = None,
        warmup_steps: float = 0,
    ) -> None:
        check_numbers(initial_learning_rate=initial_learning_rate, alpha=alpha, warmup_steps=warmup_steps)
        if warmup_target is not None:
            check_numbers(warmup_target=warmup_target)
        check_steps("decay_steps", decay_steps)
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.alpha = alpha
        self.name = name
        self.warmup_target = warmup_target
        self.warmup_steps = warmup_steps


class CosineDecayRestarts(CoreSchedule):
    """Cosine decays in a row: the first takes first_decay_steps, each of the next t_mul times the steps of
    the one before, from m_mul times its rate.

    Args:
        initial_learning_rate: the rate of the first step.
        first_decay_steps: > 0.
        t_mul: default 2.0.
        m_mul: default 1.0.
        alpha: the last rate as a part of the initial one, default 0.0.
        name: kept in the config.

    Raises:
        ValueError: first_decay_steps is not above 0, or an argument is no number.

    Source: Loshchilov and Hutter, ICLR 2017.
    """

    _kind = "cosine_restarts"
    _numbers = (
        ("initial_learning_rate", "initial"),
        ("first_decay_steps", "steps"),
        ("_t_mul", "t_mul"),
        ("_m_mul", "m_mul"),
        ("alpha", "alpha"),
    )
    _config = ("initial_learning_rate", "first_decay_steps", "_t_mul", "_m_mul", "alpha", "name")

    def __init__(
        self,
        initial_learning_rate: float,
        first_decay_steps: float,
        t_mul: float = 2.0,
        m_mul: float = 1.0,
        alpha: float = 0.0,
        name: str = "SGDRDecay",
    ) -> None:
        check_numbers(initial_learning_rate=initial_learning_rate, t_mul=t_mul, m_mul=m_mul, alpha=alpha)
        check_steps("first_decay_steps", first_decay_steps)
        self.initial_learning_rate = initial_learning_rate
        self.first_decay_steps = first_decay_steps
        self._t_mul = t_mul
        self._m_mul = m_mul
        self.alpha = alpha
        self.name = name
