"""Normalization: features with mean 0 and variance 1, by statistics that are taken beforehand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from lamina.keras import backend, initializers
from lamina.keras._training.inputs import real_array
from lamina.keras.layers.axes import checked_axes
from lamina.keras.layers.shape import Shape, checked_shape, known_sizes
from lamina.keras.layers.standardised import Standardised
from lamina.keras.layers.variable import Variable
from lamina.keras.layers.weight_spec import WeightSpec
from lamina.keras.utils.dtypes import in_dtype

ROWS_AT_ONCE = 8192  # of an array that statistics are taken of


class Normalization(Standardised):
    """`y = (x - mean) / max(sqrt(variance), 1e-7)`, in training and prediction alike; mean and variance are
    given, or taken from data by `adapt`.

    Args:
        axis: the axis or axes that have a mean and variance for each index; the others share them. None: one
            mean and variance for all. Default -1.
        mean, variance: numbers or arrays that fit the sizes of these axes; both or none.
        invert: True computes `y = x max(sqrt(variance), 1e-7) + mean` instead.
        **kwargs: `name`, `dtype`, `input_shape` and what else `Layer` takes.

    Without mean and variance the layer has the weights mean, variance (0 and 1 until `adapt`) and count (0,
    as in Keras). The statistics that it computes with are those of the last `adapt` or `finalize_state`: a
    weight that was set by itself counts from the next `finalize_state` on, as in Keras.

    Raises:
        ValueError: an argument is unknown or wrong.

    Source: Keras 3 `keras.layers.Normalization`.
    """

    def __init__(
        self, axis: Any = -1, mean: Any = None, variance: Any = None, invert: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        axes = () if axis is None else checked_axes(axis, "Normalization")
        self.axis = (axes,) if isinstance(axes, int) else tuple(axes)
        if (mean is None) != (variance is None):
            raise ValueError(f"mean, variance: expected both or none, got {mean!r} and {variance!r}")
        if np.shape(mean) != np.shape(variance) or np.ndim(mean) > len(self.axis):
            raise ValueError(
                f"mean, variance: expected one shape of at most {len(self.axis)} axes, got {np.shape(mean)} "
                f"and {np.shape(variance)}"
            )
        self.input_mean = None if mean is None else _real(mean, "mean")
        self.input_variance = None if variance is None else _real(variance, "variance")
        self.invert = bool(invert)
        self._statistics: tuple[npt.NDArray[Any], npt.NDArray[Any]] | None = None

    # -- shapes and weights ----------------------------------------------------------------------------------
    def compute_output_shape(self, input_shape: Shape) -> Shape:
        self._kept(input_shape)
        return tuple(input_shape)

    def _kept(self, shape: Shape) -> list[int]:
        rank = len(shape)
        if any(not -rank <= axis < rank for axis in self.axis):
            raise ValueError(
                f"layer {self.name!r}: axis: expected numbers from {-rank} to {rank - 1} for input shape "
                f"{tuple(shape)}, got {self.axis}"
            )
        kept = sorted(axis % rank for axis in self.axis)
        if any(shape[axis] is None for axis in kept):
            raise ValueError(
                f"layer {self.name!r}: axis: expected axes of known size, got {self.axis} for input shape "
                f"{tuple(shape)}"
            )
        return kept

    def build(self, input_shape: Any) -> None:
        shape = checked_shape(input_shape, "input_shape")
        kept = self._kept(shape)
        sizes = tuple(int(shape[axis] or 0) for axis in kept)
        if self.built:
            assert self._build_shape is not None
            expected = tuple(self._build_shape[axis] for axis in self._kept(self._build_shape))
            if expected != sizes:
                raise ValueError(
                    f"layer {self.name!r}: expected an input that fits input shape {self._build_shape}, "
                    f"got {shape}"
                )
            return
        if self.input_mean is None:
            specs = [
                WeightSpec("mean", sizes, initializers.Zeros(), trainable=False),
                WeightSpec("variance", sizes, initializers.Ones(), trainable=False),
            ]
            self._weights = [spec.variable(self.name, self.dtype) for spec in specs]
            self._weights.append(Variable.over(np.zeros((), "int64"), "count", False))
            for weight in self._weights:
                weight.path = f"{self.name}/{weight.name}"
        self._build_shape = shape
        self.built = True
        self.finalize_state()

    def finalize_state(self) -> None:
        """Compute with the weights as they are now."""
        if not self.built:
            return
        shape = self._build_shape
        assert shape is not None
        kept = self._kept(shape)
        sizes = [int(shape[axis] or 0) for axis in kept]
        given: tuple[Any, Any] = (self.input_mean, self.input_variance)
        if self.input_mean is None:
            given = (self._weights[0].numpy(), self._weights[1].numpy())
        try:
            mean, variance = (np.broadcast_to(in_dtype(value, self.compute_dtype), sizes) for value in given)
        except ValueError:
            raise ValueError(
                f"layer {self.name!r}: mean, variance: expected an array that fits the sizes {sizes}, got "
                f"shape {np.shape(given[0])}"
            ) from None
        self._statistics = (mean.copy(), variance.copy())
        self._set_standardisation(self._constants())

    @property
    def mean(self) -> npt.NDArray[Any] | None:
        """The mean that it computes with, a size of 1 for each axis that shares it; None before the build."""
        return None if self._statistics is None else self._statistics[0].reshape(self._aligned())

    @property
    def variance(self) -> npt.NDArray[Any] | None:
        """The variance that it computes with, as `mean`."""
        return None if self._statistics is None else self._statistics[1].reshape(self._aligned())

    def _aligned(self) -> tuple[int, ...]:
        assert self._build_shape is not None
        kept = self._kept(self._build_shape)
        return tuple(int(size or 0) if axis in kept else 1 for axis, size in enumerate(self._build_shape))

    def _constants(self) -> tuple[npt.NDArray[Any], ...]:
        """What is subtracted, multiplied with and added."""
        mean, variance = self.mean, self.variance
        assert mean is not None
        assert variance is not None
        least, root = (
            in_dtype(backend.epsilon(), self.compute_dtype),
            in_dtype(np.sqrt(variance), self.compute_dtype),
        )
        # A quotient of two bfloat16 numbers is never so near a tie that it rounds otherwise than the product
        # with the reciprocal in float32.
        deviation = np.maximum(root, least)
        zero = np.zeros_like(mean)
        return (zero, deviation, mean) if self.invert else (mean, 1 / deviation, zero)

    def add_to(self, network: Any, input_shape: Shape) -> bool:
        sizes = known_sizes(input_shape, f"layer {self.name!r}: input shape")
        if 0 in self._kept(input_shape):
            raise ValueError(f"layer {self.name!r}: axis: the batch axis can't be kept, got {self.axis}")
        self._add_standardisation(network, self._constants(), sizes)
        return True

    # -- statistics ------------------------------------------------------------------------------------------
    def adapt(self, data: Any) -> None:
        """Take mean and variance of data; what was taken before is forgotten. Nothing is kept of the data, so
        that a generator may yield more than fits into memory.

        Args:
            data: an array, in parts of which the sums are taken, or an iterable of batches: arrays, or tuples
                whose first entry is one.

        Raises:
            TypeError: data is neither.
            ValueError: there are no data, their shape doesn't fit, or mean and variance were given.
        """
        if self.input_mean is not None:
            raise ValueError(f"adapt: layer {self.name!r} has its mean and variance as arguments")
        count, mean, squares = 0, np.zeros(()), np.zeros(())
        for batch in _batches(data):
            if not self.built:
                self.build(batch.shape)
            self.build((None, *batch.shape[1:]) if 0 not in self._kept(batch.shape) else batch.shape)
            kept = self._kept(batch.shape)
            others = tuple(axis for axis in range(batch.ndim) if axis not in kept)
            values = batch.astype(np.float64)
            number = int(np.prod([batch.shape[axis] for axis in others]))
            if number == 0:
                continue
            here = values.mean(axis=others)
            part = number / (count + number)  # Chan, Golub, LeVeque, 1983
            squares = squares + ((values - values.mean(axis=others, keepdims=True)) ** 2).sum(axis=others)
            squares = squares + (here - mean) ** 2 * (count * part)
            mean = mean + (here - mean) * part
            count += number
        if count == 0:
            raise ValueError("adapt: expected at least one batch of data, got none")
        self._weights[0].assign(mean)
        self._weights[1].assign(squares / count)
        self.finalize_state()

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "axis": self.axis,
            "invert": self.invert,
            "mean": None if self.input_mean is None else self.input_mean.tolist(),
            "variance": None if self.input_variance is None else self.input_variance.tolist(),
        }


def _real(value: Any, name: str) -> npt.NDArray[Any]:
    array = np.asarray(value)
    if array.dtype.kind not in "biuf":
        raise ValueError(f"{name}: expected a number or an array of numbers, got {value!r}")
    return array


def _batches(data: Any) -> Iterator[npt.NDArray[Any]]:
    if hasattr(data, "__array__"):
        array = real_array(data, "data")
        for first in range(0, len(array), ROWS_AT_ONCE):
            yield array[first : first + ROWS_AT_ONCE]
        return
    if not isinstance(data, Iterable) and not hasattr(data, "__getitem__"):
        raise TypeError(f"adapt: expected an array or an iterable of batches, got {type(data).__name__}")
    entries = (data[i] for i in range(len(data))) if not isinstance(data, Iterable) else data
    for entry in entries:
        batch = entry[0] if isinstance(entry, (tuple, list)) else entry
        if not hasattr(batch, "shape"):
            raise TypeError(f"adapt: expected batches that are arrays, got {type(batch).__name__}")
        yield real_array(batch, "data")
