"""Initializers whose width follows from the shape: VarianceScaling, and Glorot's, He's and LeCun's cases."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from lamina.keras.initializers.initializer import Array, RandomInitializer, checked_number, checked_shape

# Standard deviation of the standard normal cut at +-2: sqrt(1 - 4 phi(2) / (2 Phi(2) - 1)).
_CUT_STDDEV = 0.87962566103423978

_MODES = ("fan_in", "fan_out", "fan_avg")
_DISTRIBUTIONS = ("truncated_normal", "untruncated_normal", "uniform")


class VarianceScaling(RandomInitializer):
    """Variance scale / n, with n the number of inputs or outputs of a unit.

    uniform in [-limit, limit), limit = sqrt(3 scale / n); normal with standard deviation sqrt(scale / n), for
    the truncated one after the cut at two standard deviations.

    Args:
        scale: > 0, default 1.0.
        mode: n: "fan_in" (default) the inputs, "fan_out" the outputs, "fan_avg" their mean.
        distribution: "truncated_normal" (default; "normal" is the same), "untruncated_normal", "uniform".
        seed: as in `RandomInitializer`.
        input_axes, output_axes: axes whose sizes multiply to the numbers of inputs and of outputs; default:
            the last two axes, each times those before them.

    Raises:
        ValueError: an argument is out of its range or unknown.

    Source: Keras 3 `initializers/random_initializers.py`.
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: int | None = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ) -> None:
        self.scale = checked_number("scale", scale)
        if self.scale <= 0:
            raise ValueError(f"scale: expected a number > 0, got {scale!r}")
        if mode not in _MODES:
            raise ValueError(f"mode: expected one of {', '.join(_MODES)}, got {mode!r}")
        lowered = distribution.lower() if isinstance(distribution, str) else distribution
        lowered = "truncated_normal" if lowered == "normal" else lowered
        if lowered not in _DISTRIBUTIONS:
            raise ValueError(
                f"distribution: expected one of {', '.join(_DISTRIBUTIONS)}, got {distribution!r}"
            )
        self.mode = mode
        self.distribution = lowered
        self.input_axes = input_axes
        self.output_axes = output_axes
        super().__init__(seed)

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Array:
        fan_in, fan_out = fans(checked_shape(shape), self.input_axes, self.output_axes)
        n = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        variance = self.scale / max(1.0, n)
        if self.distribution == "uniform":
            limit = math.sqrt(3.0 * variance)
            return self._uniform(shape, dtype, -limit, limit)
        if self.distribution == "truncated_normal":
            return self._normal(shape, dtype, 0.0, math.sqrt(variance) / _CUT_STDDEV, truncated=True)
        return self._normal(shape, dtype, 0.0, math.sqrt(variance), truncated=False)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "scale": self.scale,
            "mode": self.mode,
            "distribution": self.distribution,
            "input_axes": self.input_axes,
            "output_axes": self.output_axes,
        }


class _Named(VarianceScaling):
    """A case of VarianceScaling that has its own name: only the seed and the axes are left to choose."""

    _case: tuple[float, str, str]

    def __init__(
        self,
        seed: int | None = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ) -> None:
        super().__init__(*self._case, seed=seed, input_axes=input_axes, output_axes=output_axes)

    def get_config(self) -> dict[str, Any]:
        return {"seed": self._given_seed, "input_axes": self.input_axes, "output_axes": self.output_axes}


class GlorotUniform(_Named):
    """Uniform in [-limit, limit), limit = sqrt(6 / (inputs + outputs)). Glorot and Bengio, AISTATS 2010.

    Args:
        seed, input_axes, output_axes: as in `VarianceScaling`.
    """

    _case = (1.0, "fan_avg", "uniform")


class GlorotNormal(_Named):
    """Truncated normal of standard deviation sqrt(2 / (inputs + outputs)). Glorot and Bengio, AISTATS 2010.

    Args:
        seed, input_axes, output_axes: as in `VarianceScaling`.
    """

    _case = (1.0, "fan_avg", "truncated_normal")


class HeUniform(_Named):
    """Uniform in [-limit, limit), limit = sqrt(6 / inputs). He et al., ICCV 2015.

    Args:
        seed, input_axes, output_axes: as in `VarianceScaling`.
    """

    _case = (2.0, "fan_in", "uniform")


class HeNormal(_Named):
    """Truncated normal of standard deviation sqrt(2 / inputs). He et al., ICCV 2015.

    Args:
        seed, input_axes, output_axes: as in `VarianceScaling`.
    """

    _case = (2.0, "fan_in", "truncated_normal")


class LecunUniform(_Named):
    """Uniform in [-limit, limit), limit = sqrt(3 / inputs). LeCun et al., "Efficient BackProp", 1998.

    Args:
        seed, input_axes, output_axes: as in `VarianceScaling`.
    """

    _case = (1.0, "fan_in", "uniform")


class LecunNormal(_Named):
    """Truncated normal of standard deviation sqrt(1 / inputs). LeCun et al., "Efficient BackProp", 1998.

    Args:
        seed, input_axes, output_axes: as in `VarianceScaling`.
    """

    _case = (1.0, "fan_in", "truncated_normal")


def fans(
    shape: tuple[int, ...], input_axes: Sequence[int] | None = None, output_axes: Sequence[int] | None = None
) -> tuple[int, int]:
    """Numbers of inputs and outputs of a unit whose weights have this shape."""
    if input_axes is not None and output_axes is not None:
        return math.prod(shape[axis] for axis in input_axes), math.prod(shape[axis] for axis in output_axes)
    if len(shape) < 2:
        size = shape[0] if shape else 1
        return size, size
    field = math.prod(shape[:-2])
    return field * shape[-2], field * shape[-1]
