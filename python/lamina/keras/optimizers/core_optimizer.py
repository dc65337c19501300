"""CoreOptimizer: what ties an optimizer to its model, and to the optimizer of the compiled core."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any

from lamina import _core
from lamina.keras._training.absent import KerasAttributes
from lamina.keras.layers.variable import Variable
from lamina.keras.optimizers import schedules
from lamina.keras.optimizers.arguments import core_options


class CoreOptimizer(KerasAttributes, ABC):
    """An optimizer as its model and the core see it."""

    _kind = ""  # the core's name of the update rule
    _iterations: Variable
    _learning_rate: Any

    def __init__(self) -> None:
        self.built = False
        self._core: Any = None
        self._core_dtype: str | None = None
        self._restored: list[Any] | None = None  # slots that a copy came with
        self._owner: tuple[object, str] | None = None  # identity and name of the model that it trains
        self._trainable_variables: list[Variable] = []
        self._known_paths: list[str] = []  # of the variables that a copy's original was built for

    @abstractmethod
    def build(self, variables: Iterable[Variable]) -> None: ...

    @abstractmethod
    def _core_arguments(self) -> dict[str, Any]: ...

    def claim_for(self, identity: object, name: str) -> None:
        """Belong to this model from now on: the slots are those of its weights.

        Args:
            identity: what the model is known by. A copy of the optimizer is free again.
            name: the model's.

        Raises:
            ValueError: the optimizer belongs to another model, be it gone or not.
        """
        if self._owner is not None and self._owner[0] is not identity:
            raise ValueError(
                "optimizer: expected one that works for this model alone, "
                f"got the one that trains model {self._owner[1]!r}; make another"
            )
        self._owner = (identity, name)

    def core(self, dtype: str) -> Any:
        """The optimizer of the compiled core, made at the first call and then kept.

        Args:
            dtype: "float32" or "float64", that of the model.

        Raises:
            ValueError: the optimizer already serves a model of the other dtype.
        """
        if self._core is None:
            kind = _core.Optimizer64 if dtype == "float64" else _core.Optimizer32
            self._core = kind(self._kind, 0.0, **self._core_arguments(), **core_options(self))
            self._core_dtype = dtype
            self._share()
            if self._restored is not None:
                self._core.set_state(int(self._iterations), self._restored)
        if dtype != self._core_dtype:
            raise ValueError(
                f"optimizer: expected one that served no {self._core_dtype} model, for one of {dtype}; "
                f"make a new {type(self).__name__}"
            )
        return self._core

    def build_for(self, learning: Sequence[Variable], among: Sequence[Variable]) -> None:
        """Make the slots for the weights that learn; of a copy, for those that the original had slots for.

        Args:
            learning: the model's weights that learn.
            among: all of its weights.
        """
        by_path = {weight.path: weight for weight in among}
        known = [by_path[path] for path in self._known_paths if path in by_path]
        self.build(known if known and len(known) == len(self._known_paths) else learning)

    def work_on(self, network: Any, weights: Sequence[Variable], learning: Sequence[Variable]) -> None:
        """Take this network's steps from now on. A weight that has slots and doesn't learn keeps them, and
        goes on with them when it learns again.

        Args:
            network: the core's.
            weights: those that its block holds, in its order.
            learning: those of them that learn.

        Raises:
            ValueError: one learns that the optimizer was not built for, as in Keras.
        """
        places = {id(weight): place for place, weight in enumerate(weights)}
        known = {id(variable) for variable in self._trainable_variables}
        for weight in learning:
            if id(weight) not in known:
                raise ValueError(
                    f"optimizer: expected one that was built for all weights that learn, got one without "
                    f"{weight.path!r}; make another optimizer"
                )
        for variable in self._trainable_variables:
            if id(variable) not in places:
                raise ValueError(
                    f"optimizer: expected one that was built for this model's weights, got one for "
                    f"{variable.path!r} too; make another optimizer"
                )
        self._core.bind(network, [places[id(variable)] for variable in self._trainable_variables])

    def _share(self) -> None:
        rate = self._learning_rate
        self._core.share(self._iterations.value, rate.value if isinstance(rate, Variable) else None)
        if not isinstance(rate, Variable):
            self._core.set_schedule(schedules.core_schedule(rate))
