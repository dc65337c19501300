"""CompiledModel: what `compile` gives a model, and what fit, evaluate and predict share."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy.typing as npt

from lamina.keras._saving.objects import serialize_keras_object
from lamina.keras._training.absent import KerasAttributes
from lamina.keras._training.arguments import integer
from lamina.keras._training.compiled import Compiled, Head
from lamina.keras._training.data import Data
from lamina.keras._training.tracebacks import filter_traceback
from lamina.keras.callbacks import CallbackList, History
from lamina.keras.layers.shape import Shape
from lamina.keras.layers.variable import Variable


class CompiledModel(KerasAttributes, ABC):
    """What every way of training needs: optimizer, loss, metrics, seed, count of epochs, doors for data."""

    name: str
    stop_training: bool
    stop_evaluating: bool
    stop_predicting: bool
    history: History | None

    def __init__(self) -> None:
        self.identity = object()  # what its optimizer knows it by, as long as the optimizer lives
        self._compiled: Compiled | None = None
        self._compile_arguments: dict[str, Any] | None = None
        self._seed: int | None = None
        self._epochs_trained = 0
        self._results: dict[str, float] = {}  # loss and metrics of the last call
        self._initial_epoch: int | None = None  # with which the next fit goes on, whatever it is told
        self._in_epoch = False
        self._network: Any = None  # the core's; None until the model is built
        self.stop_training = self.stop_evaluating = self.stop_predicting = False
        self.history = None

    # -- what the model must give ----------------------------------------------------------------------------
    @property
    @abstractmethod
    def dtype(self) -> str: ...

    @property
    @abstractmethod
    def input_shape(self) -> Shape: ...

    @property
    @abstractmethod
    def output_shape(self) -> Shape: ...

    @property
    @abstractmethod
    def trainable_weights(self) -> list[Variable]: ...

    @property
    @abstractmethod
    def learning_weights(self) -> list[Variable]: ...

    @property
    @abstractmethod
    def core_weights(self) -> list[Variable]: ...

    @property
    @abstractmethod
    def head(self) -> Head:
        """How the model ends."""

    @abstractmethod
    def network_for(self, rows_shape: Shape) -> Any:
        """The core's network; a model without a shape takes this one (batch axis first)."""

    @abstractmethod
    def refuse_inner(self, what: str) -> None:
        """Refuse training where the model is part of another."""

    # -- compile ---------------------------------------------------------------------------------------------
    @filter_traceback
    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        jit_compile: Any = "auto",
        auto_scale_loss: bool = True,
    ) -> None:
        """Choose optimizer, loss and metrics. The weights stay as they are.

        A later call without loss or metrics keeps the earlier ones, as in Keras.

        Args:
            optimizer: name or instance of `keras.optimizers`. Default "rmsprop".
            loss: name, function or instance of `keras.losses`. A model that ends in softmax or sigmoid is
                trained from its logits, as by Keras on TensorFlow. One of your own is a function of
                (y_true, y_pred) that returns (value, gradient), numpy arrays: one value per sample (n, ...),
                or one for the batch, and their gradient at y_pred, in its shape; or a `Loss` with a method
                `gradient`. (One written with keras.ops or tf would need automatic differentiation, which
                Lamina does not have.)
            metrics: list of names, functions or instances of `keras.metrics`; "accuracy" is chosen by the
                shapes of y and output. A function of your own gives values for (y_true, y_pred), whose mean
                is reported; it and a `Metric` of your own are asked batch by batch.
            loss_weights: a float, or a list of one: the factor of the loss. Default 1.
            weighted_metrics: as metrics, but weighted by sample_weight or class_weight.
            steps_per_execution: an int >= 1: batch hooks are called after every so many batches of arrays
                only. Default 1.
            run_eagerly, jit_compile, auto_scale_loss: accepted without effect: they change how Keras
                executes, not what it computes.

        Raises:
            ValueError: an unknown name, or an argument that is not supported.
        """
        integer("steps_per_execution", steps_per_execution, 1)
        before = self._compiled
        if before is not None:
            loss = before.user_loss if loss is None else loss
            metrics = before.metric_argument if metrics is None else metrics
            if weighted_metrics is None:
                weighted_metrics = before.weighted_argument
        self._compiled = Compiled(optimizer, loss, metrics, weighted_metrics, loss_weights)
        self._compile_arguments = {
            "optimizer": self._compiled.optimizer,
            "loss": loss,
            "loss_weights": loss_weights,
            "metrics": metrics,
            "weighted_metrics": weighted_metrics,
            "run_eagerly": run_eagerly,
            "steps_per_execution": steps_per_execution,
            "jit_compile": False if jit_compile == "auto" else jit_compile,
        }
        self.stop_training = False

    def get_compile_config(self) -> dict[str, Any]:
        """What `compile` was told, serialized, for `compile_from_config` here or in Keras; {} before."""
        return {key: serialize_keras_object(value) for key, value in (self._compile_arguments or {}).items()}

    @property
    def compiled(self) -> bool:
        return self._compiled is not None

    @property
    def optimizer(self) -> Any:
        """The optimizer; None before `compile`."""
        return None if self._compiled is None else self._compiled.optimizer

    @property
    def loss(self) -> Any:
        """The loss as `compile` got it; None before."""
        return None if self._compiled is None else self._compiled.user_loss

    @property
    def optimizer_has_state(self) -> bool:
        """Whether the optimizer has trained, so that its state counts in `summary()`."""
        return self._compiled is not None and (
            self._compiled.has_trained or int(self._compiled.optimizer.iterations) > 0
        )

    @property
    def metrics_names(self) -> list[str]:
        """As in Keras 3: "loss", and "compile_metrics" where `compile` got metrics; the logs name each of
        them.
        """
        if self._compiled is None:
            return []
        return ["loss", "compile_metrics"] if self._compiled.names_metrics else ["loss"]

    @property
    def metrics(self) -> list[Any]:
        """The metrics of `compile`, resolved for the targets once these are known, at the first call."""
        return [] if self._compiled is None else list(self._compiled.metrics)

    def get_metrics_result(self) -> dict[str, float]:
        """Loss and metrics of the last epoch, evaluation or batch, the validation's where there was one; {}
        before, and after `reset_metrics`.
        """
        return dict(self._results)

    def reset_metrics(self) -> None:
        """Forget the results; every epoch, evaluation and batch call starts its running means by itself."""
        self._results = {}

    def hold_results(self, logs: dict[str, float]) -> None:
        """Keep logs for `get_metrics_result`: those of the validation, if they have any."""
        found = {name[4:]: value for name, value in logs.items() if name.startswith("val_")} or logs
        order = ["loss", *[metric.name for metric in self.metrics]]
        self._results = {name: found[name] for name in [*order, *found] if name in found}

    @property
    def run_eagerly(self) -> bool:
        """What `compile` was told, without effect."""
        return bool((self._compile_arguments or {}).get("run_eagerly", False))

    @property
    def steps_per_execution(self) -> int:
        """After how many batches of arrays the batch hooks are called."""
        return int((self._compile_arguments or {}).get("steps_per_execution", 1))

    @property
    def jit_compile(self) -> bool:
        """What `compile` was told, without effect."""
        return bool((self._compile_arguments or {}).get("jit_compile", False))

    # -- inside ----------------------------------------------------------------------------------------------
    def shuffle_seed(self) -> int:
        """The seed of this model's shuffles and steps, drawn when it is first needed."""
        if self._seed is None:
            self._seed = random.randint(1, 10**9)
        return self._seed

    @property
    def epochs_trained(self) -> int:
        """How many epochs were begun, in all calls together."""
        return self._epochs_trained

    def count_epochs(self, begun: int) -> None:
        """Add epochs to those that were begun."""
        self._epochs_trained += begun

    def count_epoch(self) -> int:
        """How many epochs were begun before this one, in all calls together."""
        self.count_epochs(1)
        return self._epochs_trained - 1

    def resume(self, seed: int, epochs_trained: int, epoch: int) -> None:
        """Go on where another run was: its seed and count of epochs; the next `fit` begins with `epoch`."""
        self._seed, self._epochs_trained, self._initial_epoch = seed, epochs_trained, epoch

    def take_initial_epoch(self) -> int | None:
        """The epoch that `resume` named, once; None if it wasn't called since."""
        epoch, self._initial_epoch = self._initial_epoch, None
        return epoch

    @contextmanager
    def in_epoch(self) -> Iterator[None]:
        """Holds the trainer's epoch: a batch hook that trains the same model would tear it."""
        if self._in_epoch:
            raise RuntimeError(
                f"model {self.name!r} is in the middle of an epoch: "
                "it can't be trained from a batch hook or from another thread"
            )
        self._in_epoch = True
        try:
            yield
        finally:
            self._in_epoch = False

    def shaped_output(self, out: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The core's (n, outputs) in the model's output shape."""
        sizes: tuple[Any, ...] = self.output_shape[1:]
        return out if len(sizes) == 1 else out.reshape(len(out), *sizes)

    def _compiled_now(self, method: str) -> Compiled:
        if self._compiled is None:
            raise ValueError(
                f"{method}: the model is not compiled; call compile(optimizer, loss, metrics) first"
            )
        return self._compiled

    def _admit(
        self, compiled: Compiled, data: Data, batch_size: int, *, trains: bool = False
    ) -> tuple[Any, Data]:
        """The trainer for these data, and the data after every check."""
        # A model that has no shape yet shows the batch size from now on where all batches have it, as Keras's
        # does.
        batch = None if len(data.x) % batch_size else batch_size
        if trains:
            self.refuse_inner("fit")
        network = self.network_for((batch, *data.x.shape[1:]))
        loss = compiled.resolve_loss(data.y.shape, self.output_shape)
        shaped = data.shaped(self.input_shape, self.output_shape, loss)
        trainer = compiled.trainer(self, network, data.y.shape, self.output_shape, self.head, trains=trains)
        trainer.check(shaped.dataset())
        return trainer, shaped

    def _callbacks(
        self, callbacks: Any, verbose: Any, epochs: int, steps: int | None, add_history: bool = False
    ) -> CallbackList:
        if isinstance(callbacks, CallbackList):
            return callbacks
        return CallbackList(
            callbacks,
            add_history=add_history,
            add_progbar=verbose != 0,
            model=self,
            verbose=verbose,
            epochs=epochs,
            steps=steps,
        )
