"""Ftrl: follow the regularized leader, for sparse models."""

from __future__ import annotations

import math
from typing import Any

from lamina.keras.optimizers.arguments import check_number, check_range
from lamina.keras.optimizers.optimizer import Optimizer


class Ftrl(Optimizer):
    """FTRL-proximal. g is the gradient, lr the learning rate, p = -learning_rate_power:

        n' = n + g^2
        z += g + 2 l2_shrinkage w - (n'^p - n^p) / lr w
        w = (clip(z, -l1, l1) - z) / (n'^p / lr + 2 (l2 + beta / (2 lr)));  n = n'

    Args:
        learning_rate: default 0.001.
        learning_rate_power: <= 0, default -0.5.
        initial_accumulator_value: the n of the start, >= 0, default 0.1.
        l1_regularization_strength, l2_regularization_strength, l2_shrinkage_regularization_strength: >= 0,
            default 0.0.
        beta: default 0.0.
        others: as in `Optimizer`.

    Source: Keras 3 `optimizers/ftrl.py`; McMahan et al., KDD 2013.
    """

    _kind = "ftrl"

    def __init__(
        self,
        learning_rate: Any = 0.001,
        learning_rate_power: float = -0.5,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        l2_shrinkage_regularization_strength: float = 0.0,
        beta: float = 0.0,
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
        self.learning_rate_power = check_range("learning_rate_power", learning_rate_power, -math.inf, 0)
        self.initial_accumulator_value = check_range(
            "initial_accumulator_value", initial_accumulator_value, 0
        )
        self.l1_regularization_strength = check_range(
            "l1_regularization_strength", l1_regularization_strength, 0
        )
        self.l2_regularization_strength = check_range(
            "l2_regularization_strength", l2_regularization_strength, 0
        )
        self.l2_shrinkage_regularization_strength = check_range(
            "l2_shrinkage_regularization_strength", l2_shrinkage_regularization_strength, 0
        )
        self.beta = check_number("beta", beta)

    def _hyperparameters(self) -> dict[str, Any]:
        return {
            "learning_rate_power": self.learning_rate_power,
            "initial_accumulator_value": self.initial_accumulator_value,
            "l1_regularization_strength": self.l1_regularization_strength,
            "l2_regularization_strength": self.l2_regularization_strength,
            "l2_shrinkage_regularization_strength": self.l2_shrinkage_regularization_strength,
            "beta": self.beta,
        }
