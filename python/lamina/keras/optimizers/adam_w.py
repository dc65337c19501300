"""AdamW: Adam with weights that decay."""

from __future__ import annotations

from typing import Any

from lamina.keras.optimizers.adam import Adam


class AdamW(Adam):
    """`Adam`, after w -= w weight_decay learning_rate.

    Args:
        learning_rate: default 0.001.
        weight_decay: default 0.004; None raises.
        others: as in `Adam` and `Optimizer`.

    Source: Keras 3 `optimizers/adamw.py`; Loshchilov and Hutter, ICLR 2019.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        weight_decay: float = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
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
            beta_1,
            beta_2,
            epsilon,
            amsgrad,
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
        if weight_decay is None:
            raise ValueError("weight_decay: expected a number, got None")
