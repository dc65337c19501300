"""Adafactor: second moments held as a row and a column."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from lamina.keras.layers.variable import Variable
from lamina.keras.optimizers.arguments import check_number, check_range
from lamina.keras.optimizers.optimizer import Optimizer


class Adafactor(Optimizer):
    """Adafactor. g is the gradient, lr the learning rate, t the number of the step, from 1; rms is the root
    mean square of a variable's values, means are over one axis of a matrix:

        b = 1 - t^beta_2_decay;  s = g^2 + epsilon_1
        r = b r + (1 - b) mean_columns(s);  c = b c + (1 - b) mean_rows(s);  v = r cT / mean(r)
        v = b v + (1 - b) s                         for a vector
        u = g / sqrt(v);  u = u / max(1, rms(u) / clip_threshold)
        w -= max(epsilon_2, rms(w)) min(lr, 1 / sqrt(t)) u

    It is computed by one thread.

    Args:
        learning_rate: default 0.001.
        beta_2_decay: default -0.8.
        epsilon_1: >= 0, default 1e-30.
        epsilon_2: >= 0, default 1e-3.
        clip_threshold: > 0, default 1.0.
        relative_step: kept in the config; as in Keras, the limit 1 / sqrt(t) holds with and without it.
        others: as in `Optimizer`.

    Raises:
        ValueError: a variable has more than two axes, when the optimizer is built; and as in `Optimizer`.

    Source: Keras 3 `optimizers/adafactor.py`; Shazeer and Stern, ICML 2018.
    """

    _kind = "adafactor"

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_2_decay: float = -0.8,
        epsilon_1: float = 1e-30,
        epsilon_2: float = 1e-3,
        clip_threshold: float = 1.0,
        relative_step: bool = True,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            learning_rate,
            weight_decay,
            clipnorm,
            clipvalue,
            global_clipnorm,
            use_ema,
            ema_momentum,
            ema_overwrite_frequency,
            loss_scale_factor,
            gradient_accumulation_steps,
            name,
            **kwargs,
        )
        self.beta_2_decay = check_number("beta_2_decay", beta_2_decay)
        self.epsilon_1 = check_range("epsilon_1", epsilon_1, 0)
        self.epsilon_2 = check_range("epsilon_2", epsilon_2, 0)
        self.clip_threshold = check_range("clip_threshold", clip_threshold, 0)
        self.relative_step = relative_step

    def _hyperparameters(self) -> dict[str, Any]:
        return {
            "beta_2_decay": self.beta_2_decay,
            "epsilon_1": self.epsilon_1,
            "epsilon_2": self.epsilon_2,
            "clip_threshold": self.clip_threshold,
            "relative_step": self.relative_step,
        }

    def _core_arguments(self) -> dict[str, Any]:
        return {
            "beta_2_decay": self.beta_2_decay,
            "epsilon": self.epsilon_1,
            "epsilon_2": self.epsilon_2,
            "clip_threshold": self.clip_threshold,
        }

    def build(self, variables: Iterable[Variable]) -> None:
        """Make the slots; errors as in the class."""
        variables = list(variables)
        for variable in variables:
            if variable.ndim > 2:
                raise ValueError(
                    f"variables: expected at most two axes for Adafactor, got {variable.shape} "
                    f"for {variable.path!r}"
                )
        super().build(variables)

    def _slot_variables(self) -> list[Variable]:
        # Keras names the two factors as the variable, and has two useless integers for a vector.
        slots: list[Variable] = []
        for slot, index, view in self._core.slots():
            variable = self._trainable_variables[index]
            if slot in ("r", "c"):
                path = f"{self.name}/{variable.name}"
                slots.append(Variable.over(view, variable.name, False, path))
                continue
            if slot == "velocity" and variable.ndim < 2:
                slots += [Variable.over(np.array(0, "int32"), variable.name, False) for _ in range(2)]
            slots.append(self._slot_variable(slot, index, view))
        return slots
