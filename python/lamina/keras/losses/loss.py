"""Loss: the base class, and how per-sample values become one number."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from lamina.keras._training.naming import auto_name
from lamina.keras.config import floatx

Array = npt.NDArray[Any]

REDUCTIONS = ("sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none", None)


class Loss:
    """Base class of the losses; a subclass implements `call(y_true, y_pred)`: one value per sample.

    Args:
        name: Default: the class's name in snake case, made unique.
        reduction: how the values of the samples, each times its weight w, become one.
            "sum_over_batch_size" (default) and "mean": sum / number of values (not / sum of w);
            "sum": their sum; "mean_with_sample_weight": sum / sum of w; None and "none": they stay as they
            are (training then takes the gradient of their sum, and reports their mean).
        dtype: "float32" or "float64"; Default: floatx.

    Attributes:
        core_kind: the name under which the training loop computes this loss; None if it can't. It then needs
            a method `gradient(y_true, y_pred)`: for every sample the gradient of its value at its
            predictions, an array of y_pred's shape. (Lamina has no automatic differentiation.)

    Raises:
        ValueError: an unknown reduction or dtype.
    """

    core_kind: str | None = None
    from_logits: bool = False
    label_smoothing: float = 0.0
    # Of one's own: the gradient of `call`, (y_true, y_pred) -> the gradient of each sample's value at y_pred.
    gradient: Any = None

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "call" in vars(cls) and "core_kind" not in vars(cls):
            cls.core_kind = None  # not the formula that the core knows the parent by

    def __init__(
        self, name: str | None = None, reduction: str | None = "sum_over_batch_size", dtype: str | None = None
    ) -> None:
        if reduction not in REDUCTIONS:
            raise ValueError(f"reduction: expected one of {REDUCTIONS}, got {reduction!r}")
        self.name = name or auto_name(type(self).__name__)
        self.reduction = reduction
        self.dtype = float_name(dtype)

    def __call__(
        self, y_true: npt.ArrayLike, y_pred: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None
    ) -> Any:
        """The loss of `y_pred`.

        Args:
            y_true: targets.
            y_pred: predictions (n, ...).
            sample_weight: weight of each sample (n,), or of each value that `call` gives.

        Returns:
            A numpy scalar, or with reduction None an array, of the loss's dtype.
        """
        truth = numbers("y_true", y_true, self.dtype)
        prediction = numbers("y_pred", y_pred, self.dtype)
        values = self.call(truth, prediction)
        mask = getattr(values, "_keras_mask", None)
        return reduce_weighted(np.asarray(values, dtype=self.dtype), sample_weight, self.reduction, mask)

    def call(self, y_true: Array, y_pred: Array) -> Any:
        """One value per sample, from arrays of the loss's dtype."""
        raise NotImplementedError(f"{type(self).__name__} must implement call(y_true, y_pred)")

    @property
    def core_reduction(self) -> str:
        """The training loop's name of the reduction."""
        return {"mean": "sum_over_batch_size", None: "none"}.get(self.reduction, str(self.reduction))

    def core_options(self) -> dict[str, Any]:
        """What the training loop has to know of this loss besides its kind, logits and smoothing."""
        return {}

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name, "reduction": self.reduction}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        return cls(**config)


def float_name(dtype: Any) -> str:
    """ "float32" or "float64"; floatx for None."""
    name = floatx() if dtype is None else getattr(dtype, "name", None) or str(dtype)
    if name not in ("float32", "float64"):
        raise ValueError(f"dtype: expected 'float32' or 'float64', got {dtype!r}")
    return str(name)


def numbers(argument: str, values: npt.ArrayLike, dtype: Any = None) -> Array:
    """An array of numbers, of this dtype or of its own.

    Raises:
        ValueError: None, text, or what else no array of numbers can be made of.
    """
    try:
        array = np.asarray(values, dtype=dtype)
    except (TypeError, ValueError):
        array = None
    if array is None or values is None or array.dtype.kind not in "biufV":  # bfloat16's kind is V
        raise ValueError(f"{argument}: expected numbers, got {repr(values)[:60]}")
    return array


def as_float(y_pred: npt.ArrayLike) -> Array:
    """float32 and float64 arrays as they are, everything else as floatx."""
    if (
        isinstance(y_pred, (np.ndarray, np.generic))
        and y_pred.dtype.kind == "f"
        and y_pred.dtype.itemsize in (4, 8)
    ):
        return np.asarray(y_pred, dtype=y_pred.dtype.newbyteorder("="))
    return numbers("y_pred", y_pred, floatx())


def match_ranks(y_true: Array, y_pred: Array) -> tuple[Array, Array]:
    """Give two arrays whose ranks differ by a last axis of length 1 the same rank.

    (n,) and (n, 1) become (n, 1), so that they are never broadcast to (n, n); of higher ranks that axis is
    dropped.
    """
    if y_true.ndim == y_pred.ndim + 1 and y_true.shape[-1] == 1:
        return (y_true, y_pred[:, None]) if y_pred.ndim == 1 else (y_true[..., 0], y_pred)
    if y_pred.ndim == y_true.ndim + 1 and y_pred.shape[-1] == 1:
        return (y_true[:, None], y_pred) if y_true.ndim == 1 else (y_true, y_pred[..., 0])
    return y_true, y_pred


def same_shape(y_true: Array, y_pred: Array) -> tuple[Array, Array]:
    """`match_ranks`, then ValueError unless the shapes are equal."""
    y_true, y_pred = match_ranks(y_true, y_pred)
    if y_true.shape != y_pred.shape:
        raise ValueError(f"y_true: expected the shape of y_pred, {y_pred.shape}, got {y_true.shape}")
    return y_true, y_pred


class Masked(np.ndarray[Any, Any]):
    """Values of which some don't count: those where `_keras_mask` is False."""

    _keras_mask: Array | None = None

    @classmethod
    def of(cls, values: Array, mask: Array) -> Masked:
        masked = values.view(cls)
        masked._keras_mask = mask
        return masked


def reduce_weighted(
    values: Array, sample_weight: npt.ArrayLike | None, reduction: str | None, mask: Array | None = None
) -> Any:
    """Multiply by the weights and reduce; see `Loss`. Where a mask is False a value weighs 0, and means are
    over the others.
    """
    divisor: Any = None
    weight: Any = None if sample_weight is None else np.asarray(sample_weight, dtype=values.dtype)
    if mask is not None:
        valid = mask.astype(values.dtype)
        if reduction in ("mean", "sum_over_batch_size"):
            count = valid.sum()
            valid = valid * (values.dtype.type(mask.size) / count if count else values.dtype.type(0))
        if weight is None:
            weight = valid
        else:
            valid, weight = match_ranks(valid, weight)
            weight = _over_rows(weight, valid) * valid
    if weight is not None:
        values, weight = match_ranks(values, weight)
        values = values * _over_rows(weight, values)
        divisor = weight.sum()
    if reduction in (None, "none") or values.shape in ((), (0,)):
        return values[()]
    total = values.sum()
    if reduction == "sum":
        return total
    if reduction != "mean_with_sample_weight" or divisor is None:
        divisor = values.dtype.type(values.size)
    return total / divisor if divisor else values.dtype.type(0)


def _over_rows(weight: Array, values: Array) -> Array:
    """Weights (n,) for values (n, p, ...) as (n, 1, ...): a sample's weight is that of all its values."""
    if weight.shape == values.shape[: weight.ndim]:
        return weight.reshape(weight.shape + (1,) * (values.ndim - weight.ndim))
    if values.ndim == 0:
        return weight
    try:
        np.broadcast_to(weight, values.shape)
    except ValueError:
        raise ValueError(
            f"sample_weight: expected one weight per sample, shape {values.shape[:1]}, or per value, "
            f"{values.shape}, got {weight.shape}"
        ) from None
    return weight
