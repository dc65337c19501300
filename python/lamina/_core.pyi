"""Types of the compiled core.

Networks, optimizers and trainers come for float32 and float64; `T` is that type. The underscored names
stand in this file only.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

_Array: TypeAlias = npt.NDArray[Any]
_Rows: TypeAlias = _Array | tuple[_Array, _Array, _Array, int]
_Progress: TypeAlias = Callable[[int, list[float]], None]

__version__: str

# -- the machine -----------------------------------------------------------------------------------------
def set_device_module(path: str) -> None: ...
def device_names() -> tuple[list[str], str]: ...  # of GPUs; and why there is none
def require_device(name: str) -> None: ...
def build_info() -> dict[str, Any]:
    """version, compiler, build_type, isa_built, isa_available, isa, cuda (bool)."""

def set_isa(name: str) -> None:
    """Switch the kernel table ("baseline", "avx2" …); ValueError where this machine or build lacks it."""

def get_num_threads() -> int: ...
def set_num_threads(n: int) -> None: ...
def take_profile() -> list[tuple[str, int, float]]:
    """(verb, calls, seconds) of the backend "profile" since the last time."""

def peak_multiply_add(rounds: int) -> float:
    """Multiply and add in registers, float32, on each of the threads at once; returns the floating-point
    operations of all. The caller takes the time.
    """

class CopyBlocks:
    """For each of the threads two blocks of `size` float32, a multiple of 1024."""

    def __init__(self, size: int) -> None: ...
    def copy(self, rounds: int) -> None:
        """Each thread copies its first block to its second, `rounds` times."""

# -- random numbers (Philox 4x32-10), independent of threads ---------------------------------------------
def random_uniform(out: _Array, seed: int, stream: int, low: float, high: float) -> None:
    """Fill a C-contiguous float32/float64 array with U[low, high)."""

def random_normal(out: _Array, seed: int, stream: int, mean: float, stddev: float, truncated: bool) -> None:
    """Fill with N(mean, stddev); truncated redraws what lies beyond two stddev of that."""

def philox(counter: Sequence[int], key: Sequence[int]) -> tuple[int, int, int, int]:
    """One raw block, for known-answer tests."""

def permutation(n: int, seed: int, epoch: int) -> npt.NDArray[np.int64]:
    """The order in which `fit` with shuffle=True visits n rows in this epoch."""

# -- data ------------------------------------------------------------------------------------------------
class Dataset:
    """Views of x (n, ...), y (n, ...) and sample_weight (n,), kept where and as they are: any
    bool/int/uint/float16/32/64 dtype, any strides, byte order, alignment, read-only or memory-mapped.
    Rows are converted as they are gathered. A sparse x is (values, columns, starts of the rows, number of
    columns); its rows are made dense as they are gathered. `y_name` is the word used in messages.
    """

    def __init__(
        self, x: _Rows, y: _Array | None = ..., sample_weight: _Array | None = ..., y_name: str = ...
    ) -> None: ...
    def __len__(self) -> int: ...

# -- networks --------------------------------------------------------------------------------------------
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
        self, layer: int, parameter: int, penalty: Callable[[_Array, _Array | None], float] | None,
        constraint: Callable[[_Array, _Array], None] | None,
    ) -> None: ...  # fmt: skip
    def build(self) -> None:
        """Allocate the parameters (zeros). No layer can be added after it."""

    def parameters(self) -> list[tuple[int, str, bool, _Array]]:
        """(index of the add_* call, name, trainable, writable zero-copy view in Keras's shape) in
        Keras's order: dense "kernel" (inputs, units), "bias" (units,); batch normalization
        "gamma", "beta", "moving_mean", "moving_variance", and of batch renormalization "moving_stddev",
        "renorm_mean", "renorm_stddev".
        """

    def predict(self, x: _Rows, batch_size: int, progress: _Progress | None = ...) -> _Array:
        """(n, ...) of any supported dtype and layout -> (n, outputs) of dtype T; safe to call
        from several threads.
        """

    def freeze(self, parameters: list[bool], statistics: list[bool]) -> None:
        """For each of `parameters()` whether it takes no step, and for each layer whether batch statistics
        are not used. They move: `parameters()` gives their views anew. A trainer of before must not go on.
        """

    def forward(self, x: _Array, training: bool, step: int, frozen_statistics: list[bool] = ...) -> _Array:
        """All rows as one batch; training=True applies dropout (addressed by step) and batch
        statistics (moving ones are not updated); frozen_statistics stands in for `freeze` in this call.
        """

    @property
    def layers(self) -> int: ...
    @property
    def outputs(self) -> int: ...

class Schedule:
    """A learning rate by the number of steps, in float32; whole: the step is a whole number."""

    def __init__(self, kind: str, **numbers: Any) -> None: ...
    def rate_at(self, step: float, whole: bool) -> float: ...

class _Optimizer:
    def __init__(
        self,
        kind: str,  # "sgd" "rmsprop" "adagrad" "adam" "adadelta" "adamax" "nadam" "ftrl" "lion" "lamb" …
        learning_rate: float,
        **numbers: Any,  # those of the Python classes, by the same names; 0 or None where None stands there
    ) -> None: ...

    learning_rate: float
    iterations: int  # calls

    def share(self, iterations: _Array, learning_rate: _Array | None) -> None: ...
    def scale_dynamically(self, growth_steps: int, steps: _Array, scale: _Array) -> None: ...
    def set_schedule(self, schedule: Schedule | Callable[[int], float]) -> None: ...
    def build(self, variables: Sequence[_Array]) -> None:
        """Makes the slots for variables of these shapes and values."""

    def bind(self, network: _Network, known: list[int]) -> None:
        """Step for this network, whose `parameters()` of these numbers it was built for."""

    def apply(self, grads: Sequence[_Array | None], variables: Sequence[_Array]) -> None:
        """One step of the variables that it was built for; those without a gradient stay as they are."""

    def exclude_from_decay(self, excluded: Sequence[bool]) -> None: ...
    def leave_to_adam(self, left: Sequence[bool]) -> None: ...
    @property
    def bound(self) -> bool: ...
    def slots(self) -> list[tuple[str, int, _Array]]:
        """(name, number of the parameter or -1, view in Keras's shape) in Keras's order, once it is bound."""

    def get_state(self) -> tuple[int, list[_Array]]:
        """(iterations, the flat slots, copied)"""

    def set_state(self, iterations: int, slots: Sequence[_Array]) -> None:
        """What get_state gave; before a Trainer binds it the slots are kept until then."""

class _Trainer:
    """Runs the batches of a network with an optimizer, a loss and metrics. Only one call at a time: a
    second one raises RuntimeError.
    """

    def __init__(
        self,
        network: _Network,
        optimizer: _Optimizer,
        loss: str | dict[str, Any],
        from_logits: bool,
        label_smoothing: float,
        reduction: str,  # "sum_over_batch_size", "sum", "mean_with_sample_weight" or "none"
        metrics: Sequence[str | dict[str, Any]],
        positions: int = ...,
        head_logits: bool = ...,
    ) -> None:
        """loss: a name (kernels/loss_names.h), or a dict with "kind" and what the loss has of its own: delta,
        alpha, beta, gamma (floats), flag, whole_batch (bools), ignored (a class number); or with "own", a
        function (y_true, y_pred, weights, training, first of the epoch) -> (value, gradient) of arrays of one
        row per sample, and target_width, values of a sample's targets. Both take loss_weight, a factor.
        metrics: names, or dicts with "kind" (and threshold, k); with "loss", a dict as above, for its mean;
        with "tally": "thresholds", "buckets", "classes" or "moments" (backend/tally.h) and its parameters; or
        with "own", a function as above that returns a number. "weighted": by the samples' weights.
        positions: the output is (positions, outputs / positions) per sample; default 1.
        head_logits (default True): where the network ends in a softmax or sigmoid (linear
        activations, and dropout while it does nothing, aside) the loss takes what goes into it,
        as Keras on TensorFlow does; False where Keras loses sight of it: a Flatten after the
        head, or (n, t) labels for (n, t, 1) outputs. ValueError if the optimizer's slots were
        made for other parameter shapes.
        """

    def check(self, data: Dataset) -> None:
        """ValueError when x has not the network's number of features, y does not fit the output
        and the loss, or a sparse label is not an integer in [0, classes); O(n), changes nothing.
        Sparse y: one label per position; else one value per output. The label and its index are
        named.
        """

    def begin_epoch(
        self,
        data: Dataset,
        batch_size: int,
        shuffle: bool | str,  # "batch": within each
        seed: int,
        epoch: int,
        goes_on: bool = ...,
    ) -> int:
        """Set the order of rows, reset the running means (unless the epoch goes on with other data); returns
        the number of batches (the short last one included).
        """

    def clear_means(self) -> None:
        """Begin the epoch's running means anew; the order of its rows stays."""

    def train(self, first: int, last: int, progress: _Progress | None = ...) -> list[float]:
        """Train on batches first..last-1 of the epoch in one crossing, GIL released; returns [loss, *metrics]
        of the epoch so far: means; of a weighted mean its weight too, of a tally its state. progress(batches
        done, the same) is called at most every 0.1 s. A signal's exception (KeyboardInterrupt) or one from
        progress ends it before a step's update or after it: the model is that of a whole number of steps.
        The data set is let go after the epoch's last batch.
        """

    def evaluate(
        self, data: Dataset, batch_size: int, progress: _Progress | None = ..., goes_on: bool = ...
    ) -> list[float]:
        """[loss, *metrics] over the data, and those of the calls before where it goes on. With reduction
        "sum_over_batch_size" the batch size changes nothing but rounding, and small batches are computed
        several at once; progress counts them as they were asked for.
        """

    def epochs(
        self,
        data: Dataset,
        first: int,
        last: int,
        batch_size: int,
        shuffle: bool | str,
        seed: int,
        trained_before: int,
        validation: Dataset | None = ...,
        validation_batch_size: int = ...,
        validation_freq: int = ...,
        validation_epochs: Sequence[int] = ...,
    ) -> Epochs:
        """A run over epochs first..last-1, not begun yet. trained_before addresses the shuffle of its first
        epoch. Validation comes after every validation_freq epochs or, where that is 0, after those listed in
        validation_epochs; both count from 1.
        """

class Epochs:
    """A run over many epochs, validation included. It ends early by `stop`, after the epoch under way, and by
    an exception of a signal or of `look`, at once but after a whole step.
    """

    def run(self, look: Callable[[], object]) -> None:
        """The whole run, with all threads and without the GIL. look() is called every 20 ms, after signals
        were handled; every 0.1 s outside the main thread.
        """

    def stop(self) -> None:
        """Also before `run`: it then ends after the first epoch."""

    def take(self) -> npt.NDArray[np.float64]:
        """(epochs, values): the epochs finished since the last call, in order. The values are [loss,
        *metrics] and, where there are validation data, as many again, 0 where no validation was due.
        """

    @property
    def begun(self) -> int:
        """How many epochs were begun."""

    @property
    def done(self) -> int:
        """How many of them are done: trained, and validated where that was due."""

def run_together(runs: Sequence[Epochs], look: Callable[[], object]) -> None:
    """Run them all, one a thread, each with the bits of its own `run`; look() as there. An exception of a
    signal or of look stops all of them after a whole step. The error of a run leaves the others going; that
    of the first in the list is raised in the end, as "models[i]: ...". RuntimeError, before anything changes,
    for a network that another call trains.
    """

class Network32(_Network):
    # Layers that compute in bfloat16: float32 arrays hold its numbers, weights are float32. What goes into
    # all but the dense one is rounded already; add_bfloat16_cast rounds. Those that are not listed take what
    # their likes without `bfloat16_` take.
    def add_bfloat16_cast(self, size: int) -> None: ...
    def add_bfloat16_dense(
        self, positions: int, inputs: int, units: int, activation: str, use_bias: bool, fused: bool
    ) -> None:
        """fused: with a bias and linear, relu, sigmoid or tanh one rounding; else after each operation."""

    def add_bfloat16_activation(self, positions: int, features: int, activation: str) -> None: ...

class Network64(_Network): ...
class Optimizer32(_Optimizer): ...
class Optimizer64(_Optimizer): ...
class Trainer32(_Trainer): ...
class Trainer64(_Trainer): ...

# -- kernels of mixed_bfloat16, for their tests --------------------------------------------------------
# Arrays are float32 and C-contiguous; w is (units, inputs). Factors are rounded to bfloat16, results too.
def bfloat16_dense(
    backend: str, x: _Array, w: _Array, b: _Array | None, activation: str, fused: bool = True
) -> _Array:
    """activation(x wT + b)"""

def bfloat16_dense_gradient(backend: str, x: _Array, w: _Array, dz: _Array) -> tuple[_Array, _Array, _Array]:
    """(dw, db, dx)"""

def bfloat16_activation_gradient(backend: str, activation: str, y: _Array, dy: _Array) -> _Array:
    """Gradient at the input from the OUTPUT y."""

# -- kernels for `lamina.ops` --------------------------------------------------------------------------
# Arrays are float32 or float64, all of one dtype, and aligned; `out` is written; nothing else changes.
# Matrices may have any strides where one of the two axes is contiguous (item stride 1); vectors and the
# arrays of elementwise functions must be C-contiguous. The caller (ops.py) copies what is not so, and checks.
def matmul(a: _Array, b: _Array, out: _Array) -> None: ...
def dense(x: _Array, w: _Array, b: _Array | None, activation: str, out: _Array) -> None:
    """out = activation(x w + b); x (n, inputs), w (inputs, units), b (units,), out (n, units)
    C-contiguous.
    """

def dense_grad(
    x: _Array, w: _Array, dy: _Array, dx: _Array | None, dw: _Array | None, db: _Array | None
) -> None:
    """dx = dy wT, dw = xT dy (inputs, units), db = sum of dy over rows; for db dy must be C-contiguous."""

def activation(name: str, x: _Array, out: _Array) -> None:
    """name: linear relu sigmoid tanh softmax exp; softmax over the last axis of a C-contiguous array."""

def activation_grad(name: str, y: _Array, dy: _Array, out: _Array) -> None:
    """Gradient at the input from the OUTPUT y."""

# cpp/bindings/nonlinearity.cpp: x, out, inner; x, y, dy, out, inner
def nonlinearity(backend: str, kind: str, numbers: Sequence[float], *arguments: Any) -> None: ...
def nonlinearity_grad(backend: str, kind: str, numbers: Sequence[float], *arguments: Any) -> None: ...
def loss(kind: str, y_true: _Array, y_pred: _Array, from_logits: bool) -> float:
    """Mean over the rows. y_pred (n, k) C-contiguous; y_true (n, k) of the same dtype, or int64 (n,)
    for the sparse kind.
    """

def loss_rows(kind: str, y_true: _Array, y_pred: _Array, from_logits: bool, out: _Array) -> None:
    """out (n,): one value per row."""

def loss_grad(kind: str, y_true: _Array, y_pred: _Array, from_logits: bool, out: _Array) -> None:
    """out (n, k): d mean loss / d y_pred."""

def sgd_step(
    w: _Array, dw: _Array, lr: float, momentum: float, velocity: _Array | None, nesterov: bool
) -> None: ...
def rmsprop_step(
    w: _Array, dw: _Array, lr: float, velocity: _Array, rho: float, epsilon: float, momentum: float,
    momentum_slot: _Array | None, average_gradient: _Array | None,
) -> None: ...  # fmt: skip
def adagrad_step(w: _Array, dw: _Array, lr: float, accumulator: _Array, epsilon: float) -> None: ...
def adam_step(
    w: _Array, dw: _Array, lr: float, m: _Array, v: _Array, step: int, beta1: float, beta2: float,
    epsilon: float, vhat: _Array | None,
) -> None: ...  # fmt: skip
