"""RMSprop: steps divided by the root of a moving average of the squared gradient."""

from __future__ import annotations

from typing import Any

from lamina.keras.optimizers.arguments import check_range
from lamina.keras.optimizers.optimizer import Optimizer


class RMSprop(Optimizer):
    """RMSprop. g is the gradient, lr the learning rate, mu the momentum:

        v = rho v + (1 - rho) g^2
        step = lr g / sqrt(v + epsilon)
        step = lr g / sqrt(v - a^2 + epsilon),  a = rho a + (1 - rho) g       if centered
        w -= step                                   without momentum
        m = mu m + step;  w -= m                    with momentum

    Args:
        learning_rate: default 0.001.
        rho: in [0, 1], default 0.9.
        momentum: in [0, 1], default 0.0.
        epsilon: >= 0, inside the root, default 1e-7.
        centered: whether the squared mean of the gradient is subtracted. Default False.
        others: as in `Optimizer`.

    Source: Keras 3 `optimizers/rmsprop.py`; Hinton, lecture 6e of "Neural networks for machine learning",
        2012.
    """

    _kind = "rmsprop"

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
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
        self.momentum = check_range("momentum", momentum, 0, 1)
        self.epsilon = check_range("epsilon", epsilon, 0)
        self.centered = bool(centered)

    def _hyperparameters(self) -> dict[str, Any]:
        return {
            "rho": self.rho,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
            "centered": self.centered,
        }
