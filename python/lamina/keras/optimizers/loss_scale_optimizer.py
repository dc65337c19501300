"""LossScaleOptimizer: another optimizer, for losses that are scaled as far as their gradients stay finite."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from lamina.keras._saving.objects import deserialize_keras_object, serialize_keras_object
from lamina.keras.layers.variable import Variable
from lamina.keras.optimizers.arguments import COMMON, check_range
from lamina.keras.optimizers.optimizer import Optimizer


class LossScaleOptimizer(Optimizer):
    """An optimizer that steps by the gradients of a scaled loss.

    A step whose scaled gradients are not all finite is left out and halves the scale; dynamic_growth_steps in
    a row that are taken double it. `apply` takes gradients of the loss that `scale_loss` gave; `fit`, whose
    gradients need no scaling, leaves out the steps that would overflow.

    Args:
        inner_optimizer: the optimizer that takes the steps. Its loss_scale_factor is set to None.
        initial_scale: default 2^15.
        dynamic_growth_steps: an integer >= 1, default 2000.
        name: default the class's name in snake case, made unique.

    Raises:
        ValueError: an argument that is not known, or that belongs to the inner optimizer.

    Source: Keras 3 `optimizers/loss_scale_optimizer.py`; Micikevicius et al., ICLR 2018.
    """

    _kind = "loss_scale"

    def __init__(
        self,
        inner_optimizer: Any,
        initial_scale: float = 2.0**15,
        dynamic_growth_steps: int = 2000,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        if not kwargs.pop("dynamic", True):
            raise ValueError("dynamic: expected True, got False; set inner_optimizer's loss_scale_factor")
        for argument, default in COMMON.items():
            if kwargs.pop(argument, default) != default:
                raise ValueError(f"{argument}: expected it to be set on inner_optimizer")
        if not isinstance(inner_optimizer, Optimizer):
            raise ValueError(f"inner_optimizer: expected an optimizer, got {inner_optimizer!r}")
        if not isinstance(dynamic_growth_steps, (int, np.integer)) or dynamic_growth_steps < 1:
            raise ValueError(f"dynamic_growth_steps: expected an integer >= 1, got {dynamic_growth_steps!r}")
        check_range("initial_scale", initial_scale, 0)
        super().__init__(0.0, name=name, **kwargs)
        self.inner_optimizer = inner_optimizer
        self.initial_scale = initial_scale
        self.dynamic_growth_steps = dynamic_growth_steps
        inner_optimizer.loss_scale_factor = None
        self.step_counter = self._scalar(0, "step_counter", "int64")
        self.dynamic_scale = self._scalar(initial_scale, "dynamic_scale", "float32")

    @property
    def learning_rate(self) -> Any:
        """The inner optimizer's."""
        return self.inner_optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        self.inner_optimizer.learning_rate = value

    @property
    def iterations(self) -> Any:
        """The inner optimizer's: steps that were left out don't count."""
        return self.inner_optimizer.iterations

    @property
    def variables(self) -> list[Variable]:
        """Its own (count and rate, of no use; the steps since the scale changed; the scale) and the inner
        optimizer's.
        """
        own = [self.step_counter, self.dynamic_scale] if self.built else []
        return [self._iterations, self._learning_rate, *own, *self.inner_optimizer.variables]

    def build(self, variables: Iterable[Variable]) -> None:
        """Make the inner optimizer's slots."""
        if self.built:
            return
        variables = list(variables)
        self.inner_optimizer.build(variables)
        self.core(self.inner_optimizer._core_dtype or "float32")
        self._trainable_variables = variables
        self.built = True

    def core(self, dtype: str) -> Any:
        """The inner optimizer's; it watches over the scale."""
        core = self.inner_optimizer.core(dtype)
        core.scale_dynamically(self.dynamic_growth_steps, self.step_counter.value, self.dynamic_scale.value)
        return core

    def work_on(self, network: Any, weights: Sequence[Variable], learning: Sequence[Variable]) -> None:
        """The inner optimizer's."""
        self.inner_optimizer.work_on(network, weights, learning)

    def claim_for(self, identity: object, name: str) -> None:
        """Belong to this model, with the inner optimizer."""
        self.inner_optimizer.claim_for(identity, name)

    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[Variable] | None = None) -> None:
        """One step with the gradients of a scaled loss; arguments and errors as in `Optimizer`."""
        if not self.built and trainable_variables is not None:
            self.build(trainable_variables)
        arrays = [None if gradient is None else np.asarray(gradient) for gradient in grads]
        if not all(array is None or np.isfinite(array).all() for array in arrays):
            self.step_counter.assign(0)
            self.dynamic_scale.assign(self.dynamic_scale / 2)
            return
        scale = float(self.dynamic_scale)
        self.inner_optimizer.apply(
            [None if array is None else array / scale for array in arrays], trainable_variables
        )

    def scale_loss(self, loss: Any) -> Any:
        """The loss times the scale."""
        return loss * float(self.dynamic_scale)

    def finalize_variable_values(self, var_list: Sequence[Variable]) -> None:
        """The inner optimizer's."""
        self.inner_optimizer.finalize_variable_values(var_list)

    def averages_for(self, var_list: Sequence[Variable]) -> Sequence[Any]:
        """The inner optimizer's."""
        return self.inner_optimizer.averages_for(var_list)

    def get_config(self) -> dict[str, Any]:
        """All arguments by name."""
        return {
            "name": self.name,
            "inner_optimizer": serialize_keras_object(self.inner_optimizer),
            "initial_scale": self.initial_scale,
            "dynamic_growth_steps": self.dynamic_growth_steps,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
        """An optimizer with these arguments and no steps taken."""
        config = dict(config)
        inner = config.pop("inner_optimizer", None)
        if isinstance(inner, dict):
            inner = deserialize_keras_object(inner, custom_objects=custom_objects)
        return cls(inner, **config)
