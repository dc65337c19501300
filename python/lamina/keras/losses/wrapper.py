"""LossFunctionWrapper: a function of targets and predictions as a loss."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lamina.keras.losses.loss import Array, Loss, match_ranks
from lamina.keras.utils.serialization import serialize_object, with_function


class LossFunctionWrapper(Loss):
    """The loss whose values per sample are `fn(y_true, y_pred, **kwargs)`.

    Args:
        fn: the function.
        reduction, name, dtype: as in `Loss`.
        **kwargs: passed on to fn.
    """

    def __init__(
        self,
        fn: Callable[..., Any],
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.fn = fn
        self._fn_kwargs = kwargs

    def call(self, y_true: Array, y_pred: Array) -> Any:
        return self.fn(*match_ranks(y_true, y_pred), **self._fn_kwargs)

    def get_config(self) -> dict[str, Any]:
        if type(self) is LossFunctionWrapper:
            return {
                **super().get_config(),
                "fn": serialize_object(self.fn, "keras.losses"),
                **self._fn_kwargs,
            }
        return super().get_config()

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        return cls(**with_function(config))

    def __repr__(self) -> str:
        return f"<LossFunctionWrapper({self.fn}, kwargs={self._fn_kwargs})>"
