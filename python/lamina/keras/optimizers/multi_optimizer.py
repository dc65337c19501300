"""MultiOptimizer: several optimizers, each for some of a model's weights."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Iterator, MutableMapping, Sequence
from typing import Any, NoReturn

import numpy as np

from lamina.keras._saving.objects import deserialize_keras_object, serialize_keras_object
from lamina.keras.layers.variable import Variable
from lamina.keras.optimizers.application import gradients_of
from lamina.keras.optimizers.loss_scale_optimizer import LossScaleOptimizer
from lamina.keras.optimizers.optimizer import Optimizer


class OptimizerMap(MutableMapping[str, Any]):
    """Which optimizer a variable's path goes to: that of the key that equals it, else that of the one regular
    expression among the keys that matches the whole of it, else the default.

    Args:
        default_optimizer: an optimizer.
        optimizer_map: dict from path or regular expression to optimizer. Default empty.

    Raises:
        TypeError: default_optimizer is no optimizer, or optimizer_map no dict.

    Example:
        by_path = keras.optimizers.OptimizerMap(keras.optimizers.SGD(0.01))
        by_path[".*/head/.*"] = keras.optimizers.Adam()
        model.compile(keras.optimizers.MultiOptimizer(by_path), "mse")
    """

    def __init__(self, default_optimizer: Any, optimizer_map: dict[str, Any] | None = None) -> None:
        if not isinstance(default_optimizer, Optimizer):
            raise TypeError(f"default_optimizer: expected an optimizer, got {default_optimizer!r}")
        if optimizer_map is not None and not isinstance(optimizer_map, dict):
            raise TypeError(f"optimizer_map: expected a dict, got {optimizer_map!r}")
        self._default_optimizer = default_optimizer
        self._optimizer_map = dict(optimizer_map or {})

    @property
    def default_optimizer(self) -> Any:
        return self._default_optimizer

    def __getitem__(self, key: str) -> Any:
        if key in self._optimizer_map:
            return self._optimizer_map[key]
        fitting = [pattern for pattern in self._optimizer_map if re.fullmatch(pattern, key)]
        if len(fitting) > 1:
            raise ValueError(f"optimizer_map: expected one key that fits {key!r}, got {fitting}")
        return self._optimizer_map[fitting[0]] if fitting else self._default_optimizer

    def __setitem__(self, key: str, optimizer: Any) -> None:
        if not isinstance(key, str):
            raise ValueError(f"key: expected a string, got {key!r}")
        if key in self._optimizer_map:
            raise ValueError(f"key: expected another than those there are, got {key!r} again")
        self._optimizer_map[key] = _of_its_own(optimizer)

    def __delitem__(self, key: str) -> None:
        del self._optimizer_map[key]

    def __len__(self) -> int:
        return len(self._optimizer_map)

    def __iter__(self) -> Iterator[str]:
        return iter(self._optimizer_map)

    def __call__(self, variable: Variable) -> Any:
        return self[variable.path]

    def get_config(self) -> dict[str, Any]:
        """The arguments by name."""
        return {
            "default_optimizer": serialize_keras_object(self._default_optimizer),
            "optimizer_map": serialize_keras_object(self._optimizer_map),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
        """A map with optimizers of these configs."""
        return cls(
            *(
                deserialize_keras_object(config.get(name), custom_objects=custom_objects)
                for name in ("default_optimizer", "optimizer_map")
            )
        )


def _of_its_own(optimizer: Any) -> Any:
    if not isinstance(optimizer, Optimizer) or isinstance(optimizer, (LossScaleOptimizer, MultiOptimizer)):
        raise ValueError(
            "optimizer: expected an optimizer, no LossScaleOptimizer and no MultiOptimizer, "
            f"got {optimizer!r}"
        )
    return optimizer


class MultiOptimizer(Optimizer):
    """An optimizer that leaves each variable's step to one of several.

    Each of them clips, averages and counts for itself, with the learning rate of its own; this one has none.

    Args:
        optimizer_map: an `OptimizerMap`, or a function that is called with each `Variable` and returns its
            optimizer.
        loss_scale_factor: as in `Optimizer`; also that of the optimizers. Default None.
        name: default the class's name in snake case, made unique.

    Attributes:
        optimizers: list of the optimizers; those that a function names are there once it is built.

    Raises:
        ValueError: optimizer_map names what is no optimizer of its own.

    Source: Keras 3 `optimizers/multi_optimizer.py`.
    """

    _kind = "sgd"  # in the core it takes no step

    def __init__(
        self, optimizer_map: Any, loss_scale_factor: float | None = None, name: str | None = None
    ) -> None:
        if not callable(optimizer_map):
            raise ValueError(
                f"optimizer_map: expected an OptimizerMap or a function of a variable, got {optimizer_map!r}"
            )
        self._inner_optimizers: list[Any] = []
        super().__init__(0.0, loss_scale_factor=loss_scale_factor, name=name)
        self._optimizer_map = optimizer_map
        self._chosen: dict[str, int] = {}  # by path: a function may make another optimizer at every call
        for optimizer in optimizer_map.values() if isinstance(optimizer_map, OptimizerMap) else ():
            self._number_of(optimizer)
        if isinstance(optimizer_map, OptimizerMap):
            self._number_of(optimizer_map.default_optimizer)

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if name == "loss_scale_factor":
            for optimizer in self._inner_optimizers:
                optimizer.loss_scale_factor = value

    def _number_of(self, optimizer: Any) -> int:
        """The place of an optimizer among the others, where it is put if it is new."""
        for i, known in enumerate(self._inner_optimizers):
            if known is optimizer:
                return i
        _of_its_own(optimizer)
        if self._owner is not None:
            optimizer.claim_for(*self._owner)
        if optimizer.loss_scale_factor != self.loss_scale_factor:  # type: ignore[attr-defined]
            optimizer.loss_scale_factor = self.loss_scale_factor  # type: ignore[attr-defined]
        self._inner_optimizers.append(optimizer)
        return len(self._inner_optimizers) - 1

    @property
    def optimizers(self) -> list[Any]:
        return self._inner_optimizers

    @property
    def learning_rate(self) -> NoReturn:
        """There is none: see the optimizers. AttributeError."""
        raise AttributeError("learning_rate: a MultiOptimizer has none; those of its optimizers have")

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        raise AttributeError("learning_rate: can't be set on a MultiOptimizer; set those of its optimizers")

    @property
    def iterations(self) -> Any:
        """Number of calls so far, a `Variable`."""
        return self._iterations

    @property
    def variables(self) -> list[Variable]:
        """Its own count and rate (of no use), and the variables of each optimizer."""
        own = [self._iterations, self._learning_rate]
        return [*own, *(variable for each in self._inner_optimizers for variable in each.variables)]

    # -- what its optimizers do ------------------------------------------------------------------------------
    def build(self, variables: Iterable[Variable]) -> None:
        """Make the slots of each optimizer for its part of these variables.

        Raises:
            ValueError: optimizer_map names what is no optimizer of its own.
        """
        if self.built:
            return
        variables = list(variables)
        for variable in variables:
            if variable.path not in self._chosen:
                self._chosen[variable.path] = self._number_of(self._optimizer_map(variable))
        for optimizer, part in self._parts(variables):
            optimizer.build(part)
        super().build(variables)
        self._core.delegate(tuple(optimizer._core for optimizer, _ in self._parts(variables)))

    def _parts(self, variables: Sequence[Variable]) -> list[tuple[Any, list[Variable]]]:
        """Each optimizer that has some of the variables, with these."""
        parts: list[list[Variable]] = [[] for _ in self._inner_optimizers]
        for variable in variables:
            parts[self._chosen[variable.path]].append(variable)
        return [(each, part) for each, part in zip(self._inner_optimizers, parts, strict=True) if part]

    def claim_for(self, identity: object, name: str) -> None:
        """Belong to this model, with all optimizers."""
        for optimizer in self._inner_optimizers:
            optimizer.claim_for(identity, name)
        super().claim_for(identity, name)

    def work_on(self, network: Any, weights: Sequence[Variable], learning: Sequence[Variable]) -> None:
        """Take this network's steps from now on, each optimizer those of its weights."""
        super().work_on(network, weights, learning)
        places = {id(weight): place for place, weight in enumerate(weights)}
        for optimizer, part in self._parts(self._trainable_variables):
            optimizer._core.bind(network, [places[id(variable)] for variable in part])

    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[Variable] | None = None) -> None:
        """One step with these gradients, one for each of all variables; arguments and errors as in
        `Optimizer`.
        """
        if len(grads) == 0:
            return
        if trainable_variables is None and not self.built:
            raise ValueError("apply: expected variables, or an optimizer that is built (call build)")
        variables = self._trainable_variables if trainable_variables is None else list(trainable_variables)
        self.build(variables)
        count = len(self._trainable_variables)
        if not len(grads) == len(variables) == count:
            raise ValueError(f"grads: expected one for each of {count} variables, got {len(grads)}")
        given = {id(variable): gradient for variable, gradient in zip(variables, grads, strict=True)}
        unknown = [variable.path for variable in variables if variable.path not in self._chosen]
        if unknown:
            raise ValueError(f"variables: expected those that the optimizer was built for, got {unknown}")
        parts = [
            (optimizer, [given[id(variable)] for variable in part], part)
            for optimizer, part in self._parts(variables)
        ]
        with warnings.catch_warnings():  # all are looked at before any takes its step
            warnings.simplefilter("ignore")
            for optimizer, gradients, part in parts:
                gradients_of(optimizer, gradients, part, part)
        for optimizer, gradients, part in parts:
            optimizer.apply(gradients, part)
        self._iterations.assign(self._iterations + 1)

    def averages_for(self, var_list: Sequence[Variable]) -> Sequence[Any]:
        """Those of the optimizers that keep some."""
        if not self.built:
            return super().averages_for(var_list)
        found = {
            id(variable): average
            for optimizer, part in self._parts(var_list)
            for variable, average in zip(part, optimizer.averages_for(part), strict=True)
        }
        return [np.asarray(found[id(variable)]) for variable in var_list]

    # -- configs ---------------------------------------------------------------------------------------------
    def get_config(self) -> dict[str, Any]:
        """The arguments by name."""
        return {
            "optimizer_map": serialize_keras_object(self._optimizer_map),
            "loss_scale_factor": self.loss_scale_factor,  # type: ignore[attr-defined]
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
        """An optimizer with these arguments and no steps taken."""
        chosen = deserialize_keras_object(config.get("optimizer_map"), custom_objects=custom_objects)
        return cls(**{**config, "optimizer_map": chosen})
