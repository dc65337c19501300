"""Mean and sum, and the metrics that are means of a function."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from lamina.keras import losses
from lamina.keras._training.targets import OF_CLASSES
from lamina.keras.losses.loss import match_ranks
from lamina.keras.metrics.metric import Metric, divided
from lamina.keras.utils.serialization import serialize_object, with_function


def by_sample(
    values: npt.ArrayLike, sample_weight: npt.ArrayLike | None, reduce: Callable[..., Any], dtype: str
) -> tuple[Any, Any]:
    """Weighted values of the samples and their weights, from values (n, ...).

    What a sample has of values is reduced; weights are (n,), or any shape that the values can be reduced to
    or that broadcasts to it. Without weights the second is None.
    """
    masked = getattr(values, "_keras_mask", None)
    batch: Any = np.asarray(values, dtype=dtype)
    weight: Any = None
    if sample_weight is not None:
        weight = np.asarray(sample_weight, dtype=dtype)
        if masked is not None:
            mask, weight = match_ranks(masked.astype(dtype), weight)
            weight = weight * mask
        batch, weight = match_ranks(batch, weight)
        if batch.ndim > weight.ndim:
            batch = reduce(batch, axis=tuple(range(weight.ndim, batch.ndim)))
        try:
            spread = np.broadcast_to(weight, batch.shape)
        except ValueError:
            raise ValueError(
                f"sample_weight: expected a shape that broadcasts to {batch.shape}, got {weight.shape}"
            ) from None
        batch = batch * spread
        weight = reduce(spread, axis=tuple(range(1, weight.ndim))) if weight.ndim > 1 else spread
    if batch.ndim > 1:
        batch = reduce(batch, axis=tuple(range(1, batch.ndim)))
    return batch, weight


class Mean(Metric):
    """The weighted mean: sum(w v) / sum(w), 0 before the first batch.

    Args:
        name, dtype: as in `Metric`.
    """

    def __init__(self, name: str | None = "mean", dtype: str | None = None) -> None:
        super().__init__(dtype=dtype, name=name)
        self.total: Any = self.add_variable((), "zeros", dtype=self.dtype, name="total")
        self.count: Any = self.add_variable((), "zeros", dtype=self.dtype, name="count")

    def update_state(self, values: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> None:
        """Add a batch.

        Args:
            values: (n, ...); what a sample has of them is meaned first. A scalar counts as one sample.
            sample_weight: (n,), or any shape that `values` can be meaned to or that broadcasts to it.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            batch, weight = by_sample(values, sample_weight, np.mean, self.dtype)
            self.total.assign_add(batch.sum())
        if weight is not None:
            self.count.assign_add(weight.sum())
        else:
            self.count.assign_add(batch.shape[0] if batch.ndim else 1)

    def hold(self, values: Sequence[float], rows: int) -> None:
        """Take over a mean of `rows` samples, or one with its weight, that was computed elsewhere."""
        mean, count = values[0], values[1] if len(values) > 1 else rows
        with np.errstate(over="ignore", invalid="ignore"):
            self.total.assign(mean * count)
        self.count.assign(count)

    def core_result(self, values: Sequence[float]) -> Any:
        return values[0]

    def result(self) -> Any:
        return divided(self.total, self.count)


class Sum(Metric):
    """The weighted sum of all values.

    Args:
        name, dtype: as in `Metric`.
    """

    def __init__(self, name: str | None = "sum", dtype: str | None = None) -> None:
        super().__init__(dtype=dtype, name=name)
        self.total: Any = self.add_variable((), "zeros", dtype=self.dtype, name="total")

    def update_state(self, values: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> None:
        """Add a batch; arguments as in `Mean`, but that what a sample has of values is summed."""
        self.total.assign_add(by_sample(values, sample_weight, np.sum, self.dtype)[0].sum())

    def result(self) -> Any:
        return self._scalar(self.total)


class MeanMetricWrapper(Mean):
    """The mean of `fn(y_true, y_pred, **kwargs)`, which gives one value per sample.

    Args:
        fn: the function.
        name, dtype: as in `Metric`.
        **kwargs: passed on to fn.
    """

    _core_loss: dict[str, Any] | None = None

    def __init__(
        self, fn: Callable[..., Any], name: str | None = None, dtype: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self._fn = fn
        self._fn_kwargs = kwargs
        if type(self) is MeanMetricWrapper:
            self._follow_loss()

    def _follow_loss(self) -> None:
        # The mean of a loss that the training loop knows is measured there.
        make = losses.class_of(self._fn)
        if make is None or "reduction" in self._fn_kwargs:  # which the class takes, and the function doesn't
            return
        try:
            loss = make(**self._fn_kwargs)
            options = loss.core_options()
        except (TypeError, ValueError):  # the function will say what it does not take
            return
        if "alphas" in options or loss.core_kind in OF_CLASSES:
            return
        self.core_kind, self.axis = loss.core_kind, getattr(loss, "axis", -1)
        self.from_logits = bool(loss.from_logits)
        self._core_loss = {
            "kind": loss.core_kind,
            "from_logits": self.from_logits,
            "label_smoothing": float(loss.label_smoothing),
            **options,
        }

    def core_form(self) -> dict[str, Any] | None:
        return super().core_form() if self._core_loss is None else {"loss": self._core_loss}

    def update_state(  # type: ignore[override]  # as in Keras: a wrapped function takes two arrays
        self, y_true: npt.ArrayLike, y_pred: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None
    ) -> None:
        """Add a batch of targets (n, ...) and predictions (n, ...), with one weight per sample (n,)."""
        super().update_state(self._fn(y_true, y_pred, **self._fn_kwargs), sample_weight=sample_weight)

    def get_config(self) -> dict[str, Any]:
        if type(self) is not MeanMetricWrapper:
            return super().get_config()
        return {
            **super().get_config(),
            "fn": serialize_object(self._fn, "keras.metrics"),
            **self._fn_kwargs,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        return cls(**with_function(config))


class MeanLoss(MeanMetricWrapper):
    """A metric that is the mean of a loss, which the training loop computes as it computes losses."""

    def core_form(self) -> dict[str, Any] | None:
        return None if self.core_kind is None else {"loss": {"kind": self.core_kind}}
