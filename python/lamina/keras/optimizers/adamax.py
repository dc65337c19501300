"""Adamax: Adam with the infinity norm."""

from __future__ import annotations

from typing import Any

from lamina.keras.optimizers.arguments import check_range
from lamina.keras.optimizers.optimizer import Optimizer


class Adamax(Optimizer):
    """Adamax. g is the gradient, lr the learning rate, t the number of the step, from 1:

        m += (1 - beta_1) (g - m);  u = max(beta_2 u, |g|)
        w -= lr m / ((1 - beta_1^t) (u + epsilon))

    Args:
        learning_rate: default 0.001.
        beta_1: in [0, 1), default 0.9.
        beta_2: in [0, 1), default 0.999.
        epsilon: >= 0, default 1e-7.
        others: as in `Optimizer`.

    Source: Keras 3 `optimizers/adamax.py`; Kingma and Ba, ICLR 2015, section 7.1.
    """

    _kind = "adamax"

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
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
        self.beta_1 = check_range("beta_1", beta_1, 0, 1, below=True)
        self.beta_2 = check_range("beta_2", beta_2, 0, 1, below=True)
        self.epsilon = check_range("epsilon", epsilon, 0)

    def _hyperparameters(self) -> dict[str, Any]:
        return {"beta_1": self.beta_1, "beta_2": self.beta_2, "epsilon": self.epsilon}
