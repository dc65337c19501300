"""Metric: the base class of what is measured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lamina.keras import initializers
from lamina.keras._training.absent import KerasAttributes
from lamina.keras._training.naming import auto_name
from lamina.keras.config import floatx
from lamina.keras.losses.loss import float_name
from lamina.keras.metrics.variable import Variable
from lamina.keras.utils.dtypes import is_int_dtype, standardize_dtype


class Metric(KerasAttributes):
    """Base class of the metrics: `update_state` with every batch, `result` when it is wanted, `reset_state`
    to start anew. A subclass of one's own makes its variables by `add_variable`, and is asked batch by batch
    in training.

    Args:
        dtype: "float32" or "float64"; default floatx.
        name: default the class's name in snake case, made unique.

    Attributes:
        core_kind: the name under which the training loop computes this metric; None if Python is asked.
    """

    core_kind: str | None = None
    _direction: str | None = None  # "up" or "down": which way is better

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "core_kind" not in vars(cls) and vars(cls).keys() & {"update_state", "result", "reset_state"}:
            cls.core_kind = None  # not the formula that the core knows the parent by

    def __init__(self, dtype: str | None = None, name: str | None = None) -> None:
        self.name = name or auto_name(type(self).__name__)
        self.dtype = float_name(dtype)
        self._variables: list[Variable] = []

    def add_variable(
        self,
        shape: Any,
        initializer: Any,
        dtype: str | None = None,
        aggregation: str = "sum",
        name: str | None = None,
    ) -> Variable:
        """A variable that `reset_state` sets to 0.

        Args:
            shape: of the variable, () for a number.
            initializer: name or instance of `keras.initializers`.
            dtype: "float32", "float64", or one of integers; default floatx.
            aggregation: accepted without effect.
            name: of the variable.
        """
        self._check_super_called()
        kind = standardize_dtype(dtype)
        drawn = floatx() if is_int_dtype(kind) else float_name(kind)
        variable = Variable.of(initializers.get(initializer)(tuple(shape), dtype=drawn).astype(kind), name)
        self._variables.append(variable)
        return variable

    def add_weight(
        self, shape: Any = (), initializer: Any = "zeros", dtype: str | None = None, name: str | None = None
    ) -> Variable:
        """The same as `add_variable`; the shape defaults to a number's, the initializer to zeros."""
        return self.add_variable(
            shape, "zeros" if initializer is None else initializer, dtype=dtype, name=name
        )

    @property
    def variables(self) -> list[Variable]:
        """Its own variables, then those of metrics that are its attributes."""
        found = list(self._variables)
        for value in vars(self).values():
            if isinstance(value, Metric):
                found += value.variables
        return found

    def update_state(self, *args: Any, **kwargs: Any) -> None:
        """Take a batch into account."""
        raise NotImplementedError(f"{type(self).__name__} must implement update_state")

    def result(self) -> Any:
        """The value over everything since the last reset."""
        raise NotImplementedError(f"{type(self).__name__} must implement result")

    def reset_state(self) -> None:
        """Forget every batch: all variables become 0."""
        for variable in self.variables:
            variable.assign(0)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """`update_state`, then `result`."""
        self._check_super_called()
        self.update_state(*args, **kwargs)
        return self.result()

    # -- in the training loop --------------------------------------------------------------------------------
    def core_form(self) -> dict[str, Any] | None:
        """What the core's trainer is told to compute; None: Python is asked batch by batch."""
        return None if self.core_kind is None else {"kind": self.core_kind}

    def hold(self, values: Sequence[float], rows: int) -> None:
        """Take over what the core reports after so many rows, instead of what was there."""
        raise NotImplementedError(f"{type(self).__name__} is not computed by the core")

    def core_result(self, values: Sequence[float]) -> Any:
        """The value that the core's report stands for."""
        self.hold(values, 0)
        return self.result()

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name, "dtype": self.dtype}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        return cls(**config)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"

    def _scalar(self, value: Any) -> Any:
        return np.dtype(self.dtype).type(value)

    def _check_super_called(self) -> None:
        if "_variables" not in vars(self):
            raise RuntimeError(
                f"{type(self).__name__}: expected super().__init__() to be called in __init__() first"
            )


def divided(above: Any, below: Any) -> Any:
    """above / below, 0 where below is 0."""
    above, below = np.asarray(above), np.asarray(below)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(below == 0, above.dtype.type(0), above / np.where(below == 0, 1, below))[()].astype(
            above.dtype
        )
