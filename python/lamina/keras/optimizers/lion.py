"""Lion: steps of one size, in the direction that momentum and gradient agree on."""

from __future__ import annotations

from typing import Any

from lamina.keras.optimizers.arguments import check_range
from lamina.keras.optimizers.optimizer import Optimizer


class Lion(Optimizer):
    """Lion. g is the gradient, lr the learning rate:

        w -= lr sign(beta_1 m + (1 - beta_1) g);  m = beta_2 m + (1 - beta_2) g

    Args:
        learning_rate: default 0.001.
        beta_1: in (0, 1], default 0.9.
        beta_2: in [0, 1], default 0.99.
        others: as in `Optimizer`.

    Source: Keras 3 `optimizers/lion.py`; Chen et al., arXiv 2302.06675 (2023).
    """

    _kind = "lion"

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.99,
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
        self.beta_1 = check_range("beta_1", beta_1, 0, 1)
        if not self.beta_1:
            raise ValueError(
                "beta_1: expected a number in (0, 1], got 0: only signs of gradients would be left"
            )
        self.beta_2 = check_range("beta_2", beta_2, 0, 1)

    def _hyperparameters(self) -> dict[str, Any]:
        return {"beta_1": self.beta_1, "beta_2": self.beta_2}
