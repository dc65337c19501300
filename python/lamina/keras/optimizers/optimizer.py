"""Optimizer: the base class, and the arguments that all optimizers share."""

from __future__ import annotations

import math
import numbers
import warnings
from typing import Any

import numpy as np

from lamina import _core
from lamina.keras._training.absent import KerasAttributes
from lamina.keras._training.naming import auto_name
from lamina.keras._training.unsupported import refuse_unless_default
from lamina.keras.config import floatx

# Arguments that every optimizer of Keras takes and Lamina does not act on yet, with their defaults.
_UNSUPPORTED: dict[str, Any] = {
    "weight_decay": None,
    "clipnorm": None,
    "global_clipnorm": None,
    "clipvalue": None,
    "use_ema": False,
    "ema_momentum": 0.99,
    "ema_overwrite_frequency": None,
    "loss_scale_factor": None,
    "gradient_accumulation_steps": None,
}


class Optimizer(KerasAttributes):
    """Base class of the optimizers: SGD, RMSprop, Adagrad, Adam. The core takes the steps.

    Args:
        learning_rate: a finite float; schedules are not supported yet.
        weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency,
            loss_scale_factor, gradient_accumulation_steps: not supported yet: all but the default raises.
        name: default the class's name in snake case, made unique.

    An optimizer belongs to one model. It can be pickled and copied at any time, with its slots and its count
    of steps.

    Raises:
        ValueError: an argument is out of its range, not supported or not known.
    """

    _kind = ""  # the core's name of the update rule

    def __init__(
        self,
        learning_rate: float,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        if kwargs.pop("decay", None) is not None:
            warnings.warn(
                "decay: Keras 3 ignores this argument of older versions, and so does Lamina", stacklevel=3
            )
        if kwargs:
            raise ValueError(f"{type(self).__name__}: unknown arguments {', '.join(sorted(kwargs))}")
        given = {
            "weight_decay": weight_decay,
            "clipnorm": clipnorm,
            "global_clipnorm": global_clipnorm,
            "clipvalue": clipvalue,
            "use_ema": use_ema,
            "ema_momentum": ema_momentum,
            "ema_overwrite_frequency": ema_overwrite_frequency,
            "loss_scale_factor": loss_scale_factor,
            "gradient_accumulation_steps": gradient_accumulation_steps,
        }
        for argument, value in given.items():
            if value != _UNSUPPORTED[argument]:
                raise ValueError(
                    f"{argument}: expected {_UNSUPPORTED[argument]} (it is not supported yet), got {value!r}"
                )
        if not self._kind or hasattr(self, "update_step"):
            raise TypeError(
                f"{type(self).__name__}: expected one of SGD, RMSprop, Adagrad, Adam: the base class has no "
                "update rule, and one of your own (update_step) is not supported"
            )
        self.__dict__.update(given)
        self.name = name or auto_name(type(self).__name__)
        self._floatx = floatx()
        self._core: Any = None
        self._core_dtype: str | None = None
        self._restored: tuple[int, list[Any]] | None = None  # iterations and slots that a copy came with
        self._owner: tuple[object, str] | None = None  # identity and name of the model that it trains
        self._learning_rate = self._rounded(_checked_rate(learning_rate))

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _UNSUPPORTED:
            refuse_unless_default(type(self).__name__, **{name: (value, _UNSUPPORTED[name])})
        if self.__dict__.get("_core") is not None and name in self._hyperparameters():
            raise AttributeError(
                f"{type(self).__name__}: {name}: can't change once training has begun; make another optimizer"
            )
        if name == "lr":
            warnings.warn(
                "lr: Keras 3 ignores this older name, and so does Lamina; set learning_rate", stacklevel=2
            )
        super().__setattr__(name, value)

    @property
    def learning_rate(self) -> float:
        """The learning rate, rounded to floatx as in Keras; it can be set, and the next batch uses it."""
        return self._learning_rate

    @learning_rate.setter
    def learning_rate(self, value: float) -> None:
        # Where the first learning rate must be a float, Keras lets an int be assigned.
        rate: Any = value
        if type(rate) is int or isinstance(rate, np.integer):
            rate = float(rate)
        self._learning_rate = self._rounded(_checked_rate(rate))
        if self._core is not None:
            self._core.learning_rate = self._learning_rate

    @property
    def iterations(self) -> int:
        """Number of steps taken so far."""
        if self._core is not None:
            return int(self._core.iterations)
        return self._restored[0] if self._restored else 0

    def claim_for(self, identity: object, name: str) -> None:
        """Belong to this model from now on: the slots are those of its weights.

        Args:
            identity: what the model is known by. A copy of the optimizer is free again.
            name: the model's.

        Raises:
            ValueError: the optimizer belongs to another model, be it gone or not.
        """
        if self._owner is not None and self._owner[0] is not identity:
            raise ValueError(
                "optimizer: expected one that works for this model alone, "
                f"got the one that trains model {self._owner[1]!r}; make another"
            )
        self._owner = (identity, name)

    def core(self, dtype: str) -> Any:
        """The optimizer of the compiled core, made at the first call and then kept.

        Args:
            dtype: "float32" or "float64", that of the model.

        Raises:
            ValueError: the optimizer already serves a model of the other dtype.
        """
        if self._core is None:
            kind = _core.Optimizer64 if dtype == "float64" else _core.Optimizer32
            self._core = kind(self._kind, self._learning_rate, **self._hyperparameters())
            self._core_dtype = dtype
            if self._restored is not None:
                self._core.set_state(*self._restored)
        if dtype != self._core_dtype:
            raise ValueError(
                f"optimizer: expected one that served no {self._core_dtype} model, for one of {dtype}; "
                f"make a new {type(self).__name__}"
            )
        return self._core

    def _hyperparameters(self) -> dict[str, Any]:
        """The arguments of the core's optimizer, and of the config, beside the learning rate."""
        return {}

    def get_config(self) -> dict[str, Any]:
        """All arguments by name."""
        return {
            "name": self.name,
            "learning_rate": self.learning_rate,
            **_UNSUPPORTED,
            **self._hyperparameters(),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
        """An optimizer with these arguments and no steps taken."""
        return cls(**config)

    def __getstate__(self) -> dict[str, Any]:
        state = self.__dict__.copy()
        if self._core is not None:
            iterations, slots = self._core.get_state()
            if not slots and self._restored is not None:  # not trained since: the core has none to give yet
                slots = self._restored[1]
            state["_restored"] = (iterations, slots)
        state["_core"] = None
        state["_core_dtype"] = state["_owner"] = None
        return state

    def _rounded(self, rate: float) -> float:
        return float(np.dtype(self._floatx).type(rate))


def check_range(
    argument: str, value: Any, low: float, high: float = math.inf, *, below: bool = False
) -> float:
    """`value` as float; ValueError unless it is a number in [low, high], or in [low, high) if `below`."""
    number = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if not number or not low <= value <= high or (below and value == high) or not math.isfinite(value):
        bounds = f">= {low:g}" if high == math.inf else f"in [{low:g}, {high:g}{')' if below else ']'}"
        raise ValueError(f"{argument}: expected a number {bounds}, got {value!r}")
    return float(value)


def _checked_rate(value: Any) -> float:
    if not isinstance(value, (float, np.floating)) or not math.isfinite(value):
        if callable(value):
            raise ValueError(
                f"learning_rate: expected a float (schedules are not supported yet), got {value!r}"
            )
        raise ValueError(f"learning_rate: expected a finite float, got {value!r}")
    return float(value)
