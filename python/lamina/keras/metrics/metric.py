"""Metric: the base class of what is measured."""

from __future__ import annotations

from typing import Any

import numpy as np

from lamina.keras._training.naming import auto_name
from lamina.keras.losses.loss import float_name


class Metric:
    """Base class of the metrics: `update_state` with every batch, `result` when it is wanted, `reset_state`
    to start anew.

    Args:
        dtype: "float32" or "float64"; default floatx.
        name: default the class's name in snake case, made unique.

    Attributes:
        core_kind: the name under which the training loop computes this metric; None if it can't.
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

    def update_state(self, *args: Any, **kwargs: Any) -> None:
        """Take a batch into account."""
        raise NotImplementedError(f"{type(self).__name__} must implement update_state")

    def result(self) -> Any:
        """The value over everything since the last reset."""
        raise NotImplementedError(f"{type(self).__name__} must implement result")

    def reset_state(self) -> None:
        """Forget every batch."""
        raise NotImplementedError(f"{type(self).__name__} must implement reset_state")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """`update_state`, then `result`."""
        self.update_state(*args, **kwargs)
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
