"""Adagrad: steps divided by the root of the sum of all squared gradients."""

from __future__ import annotations

from typing import Any

from lamina.keras.optimizers.arguments import check_range
from lamina.keras.optimizers.optimizer import Optimizer


class Adagrad(Optimizer):
    """Adagrad. g is the gradient, lr the learning rate:

        a += g^2;  w -= lr g / sqrt(a + epsilon)

    Args:
        learning_rate: default 0.001.
        initial_accumulator_value: the a of the start, >= 0, default 0.1.
        epsilon: >= 0, inside the root, default 1e-7.
        others: as in `Optimizer`.

    Source: Keras 3 `optimizers/adagrad.py`; Duchi, Hazan, Singer, JMLR 12 (2011).
    """

    _kind = "adagrad"

    def __init__(
        self,
        learning_rate: Any = 0.001,
        initial_accumulator_value: float = 0.1,
        epsilon: float = 1e-7,
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
        self.initial_accumulator_value = check_range(
            "initial_accumulator_value", initial_accumulator_value, 0
        )
        self.epsilon = check_range("epsilon", epsilon, 0)

    def _hyperparameters(self) -> dict[str, Any]:
        return {"initial_accumulator_value": self.initial_accumulator_value, "epsilon": self.epsilon}
