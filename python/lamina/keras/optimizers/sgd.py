"""SGD: gradient descent, with momentum."""

from __future__ import annotations

from typing import Any

from lamina.keras.optimizers.optimizer import Optimizer


class SGD(Optimizer):
    """Gradient descent. g is the gradient, lr the learning rate, mu the momentum:

        w -= lr g                                   without momentum
        m = mu m - lr g;  w += m                    with momentum
        m = mu m - lr g;  w += mu m - lr g          Nesterov's

    Args:
        learning_rate: default 0.01.
        momentum: a float in [0, 1] (an int raises, as in Keras), default 0.0.
        nesterov: whether the momentum is Nesterov's. Default False.
        others: as in `Optimizer`.

    Source: Keras 3 `optimizers/sgd.py`; Nesterov: Sutskever et al., ICML 2013.
    """

    _kind = "sgd"

    def __init__(
        self,
        learning_rate: Any = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
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
        if not isinstance(momentum, float) or not 0.0 <= momentum <= 1.0:
            raise ValueError(f"momentum: expected a float in [0, 1], got {momentum!r}")
        self.momentum = momentum
        self.nesterov = bool(nesterov)

    def _hyperparameters(self) -> dict[str, Any]:
        return {"momentum": self.momentum, "nesterov": self.nesterov}
