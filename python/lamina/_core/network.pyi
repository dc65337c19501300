"""Networks. They come for float32 and float64, as optimizers and trainers do; `T` is that type."""

from collections.abc import Callable, Sequence
from typing import Any

from lamina._core.arrays import Array, Progress, Rows

class _Network:
    """A chain of layers and the flat block of their parameters. Add layers, then `build()`."""

    def __init__(self, inputs: int, backend: str = ...) -> None:
        """inputs: values per sample. backend: "cpu", "profile" or "reference"."""

    def add_dense(self, positions: int, inputs: int, units: int, activation: str, use_bias: bool) -> None:
        """y = activation(x w + b) on (batch * positions, inputs) rows: a rank-2 input has
        positions 1, higher ranks the product of the middle axes.
        """

    def add_activation(self, positions: int, features: int, activation: str) -> None: ...
    def add_nonlinearity(self, positions: int, features: int, kind: str, *arguments: Any) -> None: ...
    def add_prelu(self, size: int, shape: Sequence[int], places: Sequence[int]) -> None: ...
    def add_batch_normalization(
        self, positions: int, channels: int, momentum: float, epsilon: float, center: bool, scale: bool
    ) -> None: ...
    # Arguments as above, then renorm_momentum and the bounds rmin, rmax and dmax; infinite: uncut.
    def add_batch_renormalization(self, positions: int, channels: int, *arguments: Any) -> None: ...
    def add_dropout(self, size: int, rate: float, seed: int) -> None: ...
    def add_rescaling(self, size: int, scale: float, offset: float) -> None:
        """x * scale + offset; as the first layer it is part of reading the rows."""
    # Each of a sample's `groups` of `lanes` values by itself: "standard", "root_mean_square", "deviation",
    # "unit"; parameters: a value per element, the same in `alike` runs of groups and for `repeat` neighbours.
    def add_normalisation(
        self, groups: int, lanes: int, alike: int, repeat: int, kind: str, epsilon: float, gamma: str,
        center: bool, parameter_shape: Sequence[int],
    ) -> None: ...  # fmt: skip
    def add_rearrangement(self, from_: Sequence[int]) -> None: ...  # y[j] = x[from_[j]]
    def add_standardisation(self, size: int) -> None: ...  # (x - mean) * scale + shift, by element
    # In training x + N(0, stddev), or with factor x * N(1, stddev).
    def add_normal_noise(self, size: int, stddev: float, factor: bool, seed: int) -> None: ...
    # Element j goes with number from_[j] of `size`, drawn for each sample or once; alpha: for selu networks.
    def add_dropout_of_shape(
        self, rate: float, seed: int, from_: Sequence[int], size: int, once: bool, alpha: bool
    ) -> None: ...
    # (l1 sum |y| + l2 sum y^2) / samples of what comes out of the layer before joins the loss.
    def add_output_penalty(self, l1: float, l2: float) -> None: ...
    # Of a parameter l1 sum |w| + l2 sum w^2 joins it, or factor times the mean of |cos| of the angles between
    # a matrix's rows (columns); before a trainer is made.
    def penalise(self, layer: int, parameter: int, l1: float, l2: float) -> None: ...
    def penalise_angles(self, layer: int, parameter: int, factor: float, columns: bool) -> None: ...
    # Brings a parameter back after each step. kind: "non_neg", "max_norm", "min_max_norm" or "unit_norm";
    # axes, of the view in Keras's shape, that a norm is taken along: "first", "last" or "all".
    def constrain(
        self, layer: int, parameter: int, kind: str, axes: str, min_value: float, max_value: float,
        rate: float, epsilon: float,
    ) -> None: ...  # fmt: skip
    # A program's own: penalty(weight, slope) adds its gradient to slope, unless that is None;
    # constraint(weight, place) writes what becomes of the weight. Weights are copies.
    def restrain(
        self, layer: int, parameter: int, penalty: Callable[[Array, Array | None], float] | None,
        constraint: Callable[[Array, Array], None] | None,
    ) -> None: ...  # fmt: skip
    def build(self) -> None:
        """Allocate the parameters (zeros). No layer can be added after it."""

    def parameters(self) -> list[tuple[int, str, bool, Array]]:
        """(index of the add_* call, name, trainable, writable zero-copy view in Keras's shape) in
        Keras's order: dense "kernel" (inputs, units), "bias" (units,); batch normalization
        "gamma", "beta", "moving_mean", "moving_variance", and of batch renormalization "moving_stddev",
        "renorm_mean", "renorm_stddev".
        """

    def predict(self, x: Rows, batch_size: int, progress: Progress | None = ...) -> Array:
        """(n, ...) of any supported dtype and layout -> (n, outputs) of dtype T; safe to call
        from several threads.
        """

    def freeze(self, parameters: list[bool], statistics: list[bool]) -> None:
        """For each of `parameters()` whether it takes no step, and for each layer whether batch statistics
        are not used. They move: `parameters()` gives their views anew. A trainer of before must not go on.
        """

    def forward(self, x: Array, training: bool, step: int, frozen_statistics: list[bool] = ...) -> Array:
        """All rows as one batch; training=True applies dropout (addressed by step) and batch
        statistics (moving ones are not updated); frozen_statistics stands in for `freeze` in this call.
        """

    @property
    def layers(self) -> int: ...
    @property
    def outputs(self) -> int: ...

class Network32(_Network):
    # Layers that compute in bfloat16: float32 arrays hold its numbers, weights are float32. What goes into
    # all but the dense one is rounded already; add_bfloat16_cast rounds. Those that are not listed take what
    # their likes without `bfloat16_` take.
    def add_bfloat16_cast(self, size: int) -> None: ...
    def add_bfloat16_dense(
        self, positions: int, inputs: int, units: int, activation: str, use_bias: bool, fused: bool
    ) -> None:
        """fused: with a bias and linear, relu, sigmoid or tanh one rounding; else after each operation."""

    def add_bfloat16_row_nonlinearity(self, positions: int, features: int, kind: str) -> None:
        """kind: "glu", "log_softmax" or "sparsemax"; the last two are computed in float and rounded once."""

    def add_bfloat16_activation(self, positions: int, features: int, activation: str) -> None: ...

class Network64(_Network): ...
