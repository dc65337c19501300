"""Adadelta: steps in the unit of the weights, without a rate of their own."""

from __future__ import annotations

from typing import Any

from lamina.keras.optimizers.arguments import check_range
from lamina.keras.optimizers.optimizer import Optimizer


class Adadelta(Optimizer):
    """Adadelta. g is the gradient, lr the learning rate:

        v = rho v + (1 - rho) g^2
        d = -sqrt(u + epsilon) / sqrt(v + epsilon) g
        u = rho u + (1 - rho) d^2;  w += lr d

    Args:
        learning_rate: default 0.001; the paper's is 1.0.
        rho: in [0, 1], default 0.95.
        epsilon: >= 0, inside the roots, default 1e-7.
        others: as in `Optimizer`.

    Source: Keras 3 `optimizers/adadelta.py`; Zeiler, arXiv 1212.5701 (2012).
    """

    _kind = "adadelta"

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.95,
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
        self.rho = check_range("rho", rho, 0, 1)
        self.epsilon = check_range("epsilon", epsilon, 0)

    def _hyperparameters(self) -> dict[str, Any]:
        return {"rho": self.rho, "epsilon": self.epsilon}
