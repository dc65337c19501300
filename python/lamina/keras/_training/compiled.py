"""What `compile` was told, and the core's trainer made of it."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy.typing as npt

from lamina import _core
from lamina.keras import losses, metrics, optimizers
from lamina.keras._training.own import OwnLossCall, OwnMetricCall
from lamina.keras._training.reports import Reports, unique_names
from lamina.keras._training.restraints import check_penalties
from lamina.keras._training.targets import OF_CLASSES, OF_ROWS, OWN
from lamina.keras._training.tracebacks import callers_level
from lamina.keras.layers.shape import Shape, known_sizes


class Head(NamedTuple):
    """How a model ends: the activation of its last layer that computes, and whether a Flatten follows it."""

    activation: str | None
    flattened: bool


class TrainerForm(NamedTuple):
    """The part of a core trainer's arguments that the shapes decide."""

    metrics: list[dict[str, Any]]
    positions: int
    head_logits: bool


class Compiled:
    """Optimizer, loss and metrics of a model.

    Args:
        optimizer: name, config or `Optimizer`.
        loss: name, function or `Loss`; None to be told later.
        metric_identifiers: the `metrics` argument; None or a list, tuple or dict of names, functions and
            `Metric` objects.
        weighted_identifiers: the `weighted_metrics` argument, likewise.
        loss_weights: None, a float, or a list, tuple or dict of one.

    Raises:
        ValueError: a name that isn't known, or a loss that the training loop can't compute.
    """

    def __init__(
        self,
        optimizer: Any,
        loss: Any,
        metric_identifiers: Any,
        weighted_identifiers: Any = None,
        loss_weights: Any = None,
    ) -> None:
        for name, given in (("metrics", metric_identifiers), ("weighted_metrics", weighted_identifiers)):
            if given and not isinstance(given, (list, tuple, dict)):
                raise ValueError(f"{name}: expected a list, tuple or dict, got {given!r}")
        if isinstance(loss, (list, tuple, dict)) and len(loss) == 1:
            loss = _flat(loss)[0]  # one loss for the one output
        identifiers = _flat(metric_identifiers or [])
        weighted = _flat(weighted_identifiers or [])
        # Unknown names are refused now, not in the first fit. The shapes only serve "crossentropy".
        for identifier in (*identifiers, *weighted):
            metrics.check(identifier)
        if loss is not None:
            losses.resolve(loss, y_shape=(1, 1), output_shape=(None, 1))
        self.optimizer = optimizers.get(optimizer)
        if self.optimizer is None:
            raise ValueError("optimizer: expected the name of an optimizer or an optimizer, got None")
        self.user_loss = loss
        self.metric_identifiers = identifiers
        self.weighted_identifiers = weighted
        self.metric_argument = metric_identifiers
        self.weighted_argument = weighted_identifiers
        self.loss_weight = _loss_weight(loss_weights)
        self.loss_weights = loss_weights
        self.names_metrics = metric_identifiers is not None or weighted_identifiers is not None
        self.has_trained = False
        self.loss: Any = None
        self.metrics: list[Any] = []
        self.reports = Reports()
        self._found: dict[tuple[int, type | None], Any] = {}  # metrics that were made from identifiers
        self._form: TrainerForm | None = None
        self._axes: dict[str, Any] = {}  # the loss's, where it goes along others than the last
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
        if self.loss is None or loss.core_kind != self.loss.core_kind:
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
                warnings.warn(
                    f"model {model.name!r} has no trainable weights: nothing learns",
                    stacklevel=callers_level(),
                )
        found = self._metrics_for(y_shape, output_shape)
        kind = self.loss.core_kind
        # Keras takes the logits of a final softmax or sigmoid from the output's tensor. It loses them where
        # it reshapes that tensor: in a Flatten, or to match (n, t) targets with an (n, t, 1) output.
        squeezed = 2 <= len(y_shape) == len(output_shape) - 1 and kind not in (*OF_CLASSES, OWN)
        squeezed = squeezed and output_shape[-1] == 1
        positions = known_sizes(output_shape, "output shape")[:-1]
        head_logits = not (head.flattened or squeezed)
        sees_head = head_logits and head.activation in ("softmax", "sigmoid")
        form = TrainerForm(
            metrics=[
                self._core_form(i, metric, y_shape, output_shape, sees_head) for i, metric in enumerate(found)
            ],
            # Such an output's row is then what were its positions.
            positions=math.prod(positions[:-1] if squeezed and kind in OF_ROWS else positions),
            head_logits=head_logits,
        )
        axes: dict[str, Any] = {}
        if kind != OWN:
            sample = known_sizes(output_shape[:-1] if squeezed else output_shape, "output shape")
            axes = losses.core_axes(self.loss, sample, sees_head)
        if self._network is not network or form != self._form or (trains and not self._trains):
            check_penalties(model.leaves)
            for metric, entry in zip(found, form.metrics, strict=True):
                self._check_pair(metric, entry, output_shape)
            if trains:
                self.optimizer.claim_for(model.identity, model.name)
                self.optimizer.core(model.dtype)
                self.optimizer.build_for(model.learning_weights, model.core_weights)
            self._warn_of_logits(head, form)
            self.metrics = found
            plain = len(self.metric_identifiers)
            names = [metric.name for metric in found]
            self.reports = Reports(
                [entry.get("own", metric) for metric, entry in zip(found, form.metrics, strict=True)],
                form.metrics,
                unique_names(names[:plain], names[plain:]),
                math.prod(known_sizes(output_shape, "output shape")) // form.positions,
            )
            self._targets = (tuple(y_shape[1:]), known_sizes(output_shape, "output shape"))
            self._axes = axes
            self._network, self._form, self._trains = network, form, trains
            self._trainer = self._made(model)
        return self._trainer

    def renewed(self, model: Any, network: Any) -> Any:
        """The trainer; another one where the model's network was made anew since."""
        if network is not self._network:
            self._network = network
            self._trainer = self._made(model)
        return self._trainer

    def _made(self, model: Any) -> Any:
        dtype = model.dtype
        make: Any = _core.Trainer64 if dtype == "float64" else _core.Trainer32
        if self._trains:
            optimizer = self.optimizer.core(dtype)
            self.optimizer.work_on(self._network, model.core_weights, model.learning_weights)
        else:  # one that takes no steps: the user's may be another model's
            optimizer = (_core.Optimizer64 if dtype == "float64" else _core.Optimizer32)("sgd", 0.0)
        loss, form = self.loss, self._form
        assert form is not None
        return make(
            self._network,
            optimizer,
            self._core_loss(),
            bool(loss.from_logits),
            float(loss.label_smoothing),
            loss.core_reduction,
            *form,
        )

    def _core_loss(self) -> dict[str, Any]:
        loss = self.loss
        if loss.core_kind == OWN:
            y_shape, output_shape = self._targets
            call = OwnLossCall(loss, y_shape, output_shape, self.loss_weight)
            return {"own": call, "target_width": math.prod(y_shape)}
        return {
            "kind": loss.core_kind,
            "loss_weight": self.loss_weight,
            **loss.core_options(),
            **self._axes,
        }

    def _metrics_for(self, y_shape: Sequence[int], output_shape: Shape) -> list[Any]:
        """The metrics, each made once; "accuracy" once for each class that it stands for."""
        found = []
        for i, entry in enumerate((*self.metric_identifiers, *self.weighted_identifiers)):
            chosen = metrics.accuracy_class(entry, y_shape=y_shape, output_shape=output_shape)
            if (i, chosen) not in self._found:
                self._found[i, chosen] = metrics.resolve(entry, y_shape=y_shape, output_shape=output_shape)
            found.append(self._found[i, chosen])
        return found

    def _core_form(
        self, i: int, metric: Any, y_shape: Sequence[int], output_shape: Shape, sees_head: bool
    ) -> dict[str, Any]:
        weighted = {"weighted": True} if i >= len(self.metric_identifiers) else {}
        y, output = tuple(y_shape[1:]), tuple(known_sizes(output_shape, "output shape"))
        form = metric.core_form()
        if form is not None:
            axes = losses.core_axes(metric, output, sees_head, "metrics")
            if weighted and "whole_batch" in axes and losses.takes_rows_of_logits(metric, sees_head):
                axes = {}  # which have weights; the core would see to it otherwise
            # Neither shapes nor weights that only broadcasting brings together are the core's. (Metrics that
            # have a class fit the targets to the output first.)
            fits = y == output or not (axes or type(metric) is metrics.MeanMetricWrapper)
            if fits and not (weighted and ("whole_batch" in axes or "axes_batch" in axes)):
                return {**form, **axes, **weighted}
        key = (i, OwnMetricCall)
        call = self._found.get(key)
        if call is None or (call.metric, call.shapes) != (metric, (y, output)):
            call = self._found[key] = OwnMetricCall(metric, y, output)
        return {"own": call, **weighted}

    def _warn_of_logits(self, head: Head, form: TrainerForm) -> None:
        if self.loss.from_logits and form.head_logits and head.activation in ("softmax", "sigmoid"):
            warnings.warn(
                f"loss: {self.loss.name!r} has from_logits=True, but the model ends in {head.activation}, "
                "whose results are no logits. What goes into it is taken for them, as by Keras.",
                stacklevel=callers_level(),
            )

    def _check_pair(self, metric: Any, form: dict[str, Any], output_shape: Shape) -> None:
        # Class numbers are for one metric, targets in the output's shape for the others.
        if "own" in form or self.loss.core_kind == OWN:
            return
        wants_classes = (form.get("loss") or form).get("kind") in (
            *OF_CLASSES,
            "sparse_categorical_accuracy",
            "sparse_top_k_categorical_accuracy",
        )
        has_classes = self.loss.core_kind in OF_CLASSES
        if wants_classes == has_classes or (has_classes and output_shape[-1] == 1):
            return
        targets = "class numbers" if has_classes else "targets in the shape of the output"
        raise ValueError(
            f"metrics: expected some that fit the {targets} of loss {self.loss.name!r}, got {metric.name!r}"
        )

    # -- what is reported ------------------------------------------------------------------------------------
    def logs(self, values: Sequence[float], rows: int | None = None) -> dict[str, Any]:
        """See `Reports.logs`."""
        return self.reports.logs(values, rows)

    def series(self, values: npt.NDArray[Any]) -> dict[str, list[Any]]:
        """See `Reports.series`."""
        return self.reports.series(values)

    def in_order(self, logs: Mapping[str, float]) -> Any:
        """The logs as `evaluate` returns them: the loss, then the metrics as compile got them; a lone loss as
        a number.
        """
        order = [name for name in ["loss", *(metric.name for metric in self.metrics)] if name in logs]
        order += [name for name in sorted(logs) if name not in order]
        results = [logs[name] for name in order]
        return results[0] if len(results) == 1 else results

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_trainer": None, "_network": None}


def _flat(nested: Any) -> list[Any]:
    """The leaves of nested lists, tuples and dicts: there is one output, so that all metrics are for it."""
    if isinstance(nested, dict):
        nested = list(nested.values())
    if not isinstance(nested, (list, tuple)):
        return [nested]
    return [leaf for entry in nested for leaf in _flat(entry)]


def _loss_weight(loss_weights: Any) -> float:
    """The factor of the one loss: 1 for None.

    Raises:
        ValueError: not a float, or a list, tuple or dict of one.
    """
    if loss_weights is None or loss_weights == 0 or loss_weights == []:
        return 1.0 if loss_weights is None or loss_weights == [] else float(loss_weights)
    if not isinstance(loss_weights, (list, tuple, dict, float)):
        raise ValueError(f"loss_weights: expected a float, list, tuple or dict, got {loss_weights!r}")
    flat = _flat(loss_weights)
    if len(flat) != 1:
        raise ValueError(f"loss_weights: expected one weight for one loss, got {len(flat)}")
    return float(flat[0])
