"""Trainers: a network with an optimizer, a loss and metrics."""

from collections.abc import Sequence
from typing import Any

from lamina._core.arrays import Progress
from lamina._core.dataset import Dataset
from lamina._core.epochs import Epochs
from lamina._core.network import _Network
from lamina._core.optimizer import _Optimizer

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
        alpha, beta, gamma (floats), flag, ignored (a class number), alphas, and the axes of its rows
        (train/objective.h): axes_from, axes_width, axes_batch, or whole_batch; or with "own", a
        function (y_true, y_pred, weights, training, first of the epoch) -> (value, gradient) of arrays of one
        row per sample, and target_width, values of a sample's targets. Both take loss_weight, a factor.
        metrics: names, or dicts with "kind" (and threshold, k); with "loss", a dict as above, for its mean;
        the axes of rows (these with axes_counts) stand beside them;
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

    def keep_data(self, looks: bool) -> bool:
        """Until `let_data_go` a device keeps its copies of data sets that come again; False if it does so
        already. looks: whether they may have changed where an epoch or an evaluation begins.
        """

    def let_data_go(self) -> None:
        """Forget the epoch under way, and a device's copies; nothing while another call has the model."""

    def clear_means(self) -> None:
        """Begin the epoch's running means anew; the order of its rows stays."""

    def train(self, first: int, last: int, progress: Progress | None = ...) -> list[float]:
        """Train on batches first..last-1 of the epoch in one crossing, GIL released; returns [loss, *metrics]
        of the epoch so far: means; of a weighted mean its weight too, of a tally its state. progress(batches
        done, the same) is called at most every 0.1 s. A signal's exception (KeyboardInterrupt) or one from
        progress ends it before a step's update or after it: the model is that of a whole number of steps.
        The data set is let go after the epoch's last batch.
        """

    @property
    def verbs_because(self) -> str:
        """Why the last training went verb by verb; "" where the device trained by itself, in one kernel for
        many steps.
        """

    def evaluate(
        self, data: Dataset, batch_size: int, progress: Progress | None = ..., goes_on: bool = ...
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
        steps: int = ...,
    ) -> Epochs:
        """A run over epochs first..last-1, not begun yet. trained_before addresses the shuffle of its first
        pass. Validation comes after every validation_freq epochs or, where that is 0, after those listed in
        validation_epochs; both count from 1. With steps an epoch is so many batches, and the next one goes on
        behind them; with the end of a pass over the rows it ends in any case.
        """

class Trainer32(_Trainer): ...
class Trainer64(_Trainer): ...
