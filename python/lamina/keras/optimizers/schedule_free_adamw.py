"""ScheduleFreeAdamW: Adam with averaged weights in the place of a schedule."""

from __future__ import annotations

from typing import Any

from lamina.keras.optimizers.arguments import check_range
from lamina.keras.optimizers.optimizer import Optimizer


class ScheduleFreeAdamW(Optimizer):
    """Schedule-free AdamW. g is the gradient, lr the learning rate, t the number of the step, from 1; z
    starts as w:

        lr_t = lr min(t / warmup_steps, 1)          lr without warmup
        v += (1 - beta_2) (g^2 - v)
        z -= lr_t g / (sqrt(v / (1 - beta_2^t)) + epsilon)
        w = (1 - 1/t) w + z / t

    This is what Keras computes on TensorFlow, where w = (1 - beta_1) z + beta_1 x is taken apart with the z
    after its step, so that beta_1 cancels.

    Args:
        learning_rate: default 0.0025.
        beta_1: in [0, 1], default 0.9.
        beta_2: in [0, 1), default 0.999.
        epsilon: >= 0, outside the root, default 1e-8.
        warmup_steps: >= 0, default 0.
        others: as in `Optimizer`.

    Source: Keras 3 `optimizers/schedule_free_adamw.py`; Defazio et al., NeurIPS 2024.
    """

    _kind = "schedule_free_adamw"

    def __init__(
        self,
        learning_rate: Any = 0.0025,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        warmup_steps: int = 0,
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
        self.beta_2 = check_range("beta_2", beta_2, 0, 1, below=True)
        self.epsilon = check_range("epsilon", epsilon, 0)
        check_range("warmup_steps", warmup_steps, 0)
        self.warmup_steps = warmup_steps

    def _hyperparameters(self) -> dict[str, Any]:
        return {
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
            "epsilon": self.epsilon,
            "warmup_steps": self.warmup_steps,
        }
