"""What `compile` was told, and the core's trainer made of it."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lamina import _core
from lamina.keras import config as keras_config
from lamina.keras import losses, metrics, optimizers
from lamina.keras._training.targets import SPARSE
from lamina.keras.layers.shape import Shape, known_sizes


class Head(NamedTuple):
    """How a model ends: the activation of its last layer that computes, and whether a Flatten follows it."""

    activation: str | None
    flattened: bool


class TrainerForm(NamedTuple):
    """The part of a core trainer's arguments that the shapes decide."""

    metrics: list[str]
    positions: int
    head_logits: bool


class Compiled:
    """Optimizer, loss and metrics of a model.

    Args:
        optimizer: name, config or `Optimizer`.
        loss: name, function or `Loss`; None to be told later.
        metric_identifiers: the `metrics` argument; None or a list, tuple or dict of names and `Metric`
            objects.

    Raises:
        ValueError: a name that isn't known, or a loss or metric that the training loop can't compute.
    """

    def __init__(self, optimizer: Any, loss: Any, metric_identifiers: Any) -> None:
        if metric_identifiers and not isinstance(metric_identifiers, (list, tuple, dict)):
            raise ValueError(f"metrics: expected a list, tuple or dict, got {metric_identifiers!r}")
        if isinstance(loss, (list, tuple, dict)) and len(loss) == 1:
            loss = _flat(loss)[0]  # one loss for the one output
        identifiers = _flat(metric_identifiers or [])
        # Unknown names are refused now, not in the first fit. The shapes only serve "accuracy" and
        # "crossentropy".
        for identifier in identifiers:
            metrics.resolve(identifier, y_shape=(1, 1), output_shape=(None, 1))
        if loss is not None:
            losses.resolve(loss, y_shape=(1, 1), output_shape=(None, 1))
        self.optimizer = optimizers.get(optimizer)
        if self.optimizer is None:
            raise ValueError("optimizer: expected the name of an optimizer or an optimizer, got None")
        self.user_loss = loss
        self.metric_identifiers = identifiers
        self.metric_argument = metric_identifiers
        self.names_metrics = metric_identifiers is not None
        self.has_trained = False
        self.loss: Any = None
        self.metrics: list[Any] = []
        self._form: TrainerForm | None = None
        self._log_names: list[str] = []
        self._trainer: Any = None
        self._took_trainable = False  # what is frozen at the first training stays so until the next compile
        self._trains = False  # whether the trainer holds the optimizer, or only evaluates
        self._network: Any = None

    # -- the core's trainer ----------------------------------------------------------------------------------
    def resolve_loss(self, y_shape: Sequence[int], output_shape: Shape) -> str:
        """The core's name of the loss for such targets.

        Raises:
            ValueError: there is no loss.
        """
        if self.user_loss is None:
            raise ValueError("loss: expected a loss to compute, got none; give one to compile(loss=...)")
        loss = losses.resolve(self.user_loss, y_shape=y_shape, output_shape=output_shape)
        if self.loss is None or _kind(loss) != _kind(self.loss):
            self.loss = loss
            self._form = None
        return str(loss.core_kind)

    def trainer(
        self,
        model: Any,
        network: Any,
        y_shape: Sequence[int],
        output_shape: Shape,
        head: Head,
        *,
        trains: bool,
    ) -> Any:
        """The trainer of this network for such targets, kept from call to call.

        Args:
            model: owner of the network.
            network: what is trained.
            y_shape: shape of the targets as the user passed them.
            output_shape: the model's, with the batch axis.
            head: how the model ends.
            trains: whether it will take steps. Only then the optimizer becomes the model's own.

        Raises:
            ValueError: a metric doesn't go with the loss, or it trains and the optimizer is another model's.
        """
        self.resolve_loss(y_shape, output_shape)
        if trains and not self._took_trainable:
            if model.take_trainable():
                self._form = None  # a trainer of the old layout is of no use
            self._took_trainable = True
            if not model.trainable_weights:
                warnings.warn(f"model {model.name!r} has no trainable weights: nothing learns", stacklevel=4)
        found = [
            metrics.resolve(entry, y_shape=y_shape, output_shape=output_shape)
            for entry in self.metric_identifiers
        ]
        # Keras takes the logits of a final softmax or sigmoid from the output's tensor. It loses them where
        # it reshapes that tensor: in a Flatten, or to match (n, t) targets with an (n, t, 1) output.
        squeezed = 2 <= len(y_shape) == len(output_shape) - 1 and self.loss.core_kind != SPARSE
        form = TrainerForm(
            metrics=[str(metric.core_kind) for metric in found],
            positions=math.prod(known_sizes(output_shape, "output shape")[:-1]),
            head_logits=not (head.flattened or squeezed),
        )
        if self._network is not network or form != self._form or (trains and not self._trains):
            for metric in found:
                self._check_pair(metric, output_shape)
            if trains:
                self.optimizer.claim_for(model.identity, model.name)
            self._warn_of_logits(head, form)
            self.metrics = found
            self._log_names = ["loss", *_unique([metric.name for metric in found])]
            self._network, self._form, self._trains = network, form, trains
            self._trainer = self._made(model.dtype)
        return self._trainer

    def renewed(self, network: Any, dtype: str) -> Any:
        """The trainer; another one where the model's network was made anew since."""
        if network is not self._network:
            self._network = network
            self._trainer = self._made(dtype)
        return self._trainer

    def _made(self, dtype: str) -> Any:
        make: Any = _core.Trainer64 if dtype == "float64" else _core.Trainer32
        if self._trains:
            optimizer = self.optimizer.core(dtype)
        else:  # one that takes no steps: the user's may be another model's
            optimizer = (_core.Optimizer64 if dtype == "float64" else _core.Optimizer32)("sgd", 0.0)
        loss, form = self.loss, self._form
        assert form is not None
        return make(
            self._network,
            optimizer,
            loss.core_kind,
            bool(loss.from_logits),
            float(loss.label_smoothing),
            loss.core_reduction,
            *form,
        )

    def _warn_of_logits(self, head: Head, form: TrainerForm) -> None:
        if self.loss.from_logits and form.head_logits and head.activation in ("softmax", "sigmoid"):
            warnings.warn(
                f"loss: {self.loss.name!r} has from_logits=True, but the model ends in {head.activation}, "
                "whose results are no logits. What goes into it is taken for them, as by Keras.",
                stacklevel=5,  # the line that called fit
            )

    def _check_pair(self, metric: Any, output_shape: Shape) -> None:
        # Class numbers are for one metric, targets in the output's shape for the others.
        wants_classes = metric.core_kind == "sparse_categorical_accuracy"
        has_classes = self.loss.core_kind == SPARSE
        if wants_classes == has_classes or (has_classes and output_shape[-1] == 1):
            return
        targets = "class numbers" if has_classes else "targets in the shape of the output"
        raise ValueError(
            f"metrics: expected some that fit the {targets} of loss {self.loss.name!r}, got {metric.name!r}"
        )

    # -- what is reported ------------------------------------------------------------------------------------
    def logs(self, values: Sequence[float], rows: int | None = None) -> dict[str, float]:
        """The core's [loss, metrics…] by name, in Keras's (alphabetical) order and precision.

        Given the number of rows that they are the means of, the metric objects hold them too, as Keras's do.
        """
        if rows is not None:
            for metric, value in zip(self.metrics, values[1:], strict=True):
                metric.hold(value, rows)
        if keras_config.floatx() == "float32":
            with np.errstate(over="ignore"):
                values = [float(np.float32(value)) for value in values]
        return dict(sorted(zip(self._log_names, values, strict=True)))

    def series(self, values: npt.NDArray[np.float64]) -> dict[str, list[float]]:
        """The `logs` of many epochs, a row each, as a list by name."""
        if keras_config.floatx() == "float32":
            with np.errstate(over="ignore"):
                values = values.astype(np.float32).astype(np.float64)
        return dict(sorted(zip(self._log_names, values.T.tolist(), strict=True)))

    def in_order(self, logs: Mapping[str, float]) -> Any:
        """The logs as `evaluate` returns them: the loss, then the metrics as compile got them; a lone loss as
        a number.
        """
        order = ["loss", *[metric.name for metric in self.metrics]]
        results = [logs[name] for name in order] + [logs[name] for name in sorted(logs) if name not in order]
        return results[0] if len(results) == 1 else results

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_trainer": None, "_network": None}


def _kind(loss: Any) -> tuple[Any, ...]:
    return (loss.core_kind, loss.from_logits, loss.label_smoothing, loss.core_reduction)


def _flat(nested: Any) -> list[Any]:
    """The leaves of nested lists, tuples and dicts: there is one output, so that all metrics are for it."""
    if isinstance(nested, dict):
        nested = list(nested.values())
    if not isinstance(nested, (list, tuple)):
        return [nested]
    return [leaf for entry in nested for leaf in _flat(entry)]


def _unique(names: list[str]) -> list[str]:
    """Names with _1, _2 … on the second, third … of equals."""
    counts: dict[str, int] = {}
    unique = []
    for name in names:
        count = counts.get(name, 0)
        counts[name] = count + 1
        unique.append(f"{name}_{count}" if count else name)
    return unique
