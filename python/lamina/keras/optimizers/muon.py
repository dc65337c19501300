"""Muon: momentum made orthogonal for matrices, Adam for the rest."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from lamina.keras.layers.variable import Variable
from lamina.keras.optimizers.arguments import check_number, check_range
from lamina.keras.optimizers.optimizer import Optimizer


class Muon(Optimizer):
    """Muon. g is the gradient of a matrix (a, b), lr the learning rate, mu the momentum:

        m = mu m + g;  x = g + mu m                 x = m without nesterov
        x = x / |x|, then ns_steps times x = muon_a x + (muon_b s + muon_c s s) x, with s = x xT
        w -= lr x sqrt(max(a, b)) rms_rate          lr x where rms_rate is None

    Variables of another rank, and those that are excluded, take `Adam`'s step with lr adam_lr_ratio.

    Args:
        learning_rate: default 0.001.
        adam_beta_1, adam_beta_2, epsilon: Adam's, default 0.9, 0.999 and 1e-7.
        adam_weight_decay: Adam's variables decay by it, default 0.004.
        weight_decay: the others decay by it, default 0.004.
        exclude_layers: regular expressions; variables whose path contains one are Adam's. Default None.
        exclude_embeddings: so are those whose path contains "embedding". Default True.
        muon_a, muon_b, muon_c: of the iteration, default 3.4445, -4.7750 and 2.0315.
        adam_lr_ratio: default 1.
        momentum: default 0.95.
        ns_steps: number of iterations, >= 0, default 5.
        nesterov: default True.
        rms_rate: default 0.2.
        others: as in `Optimizer`.

    Source: Keras 3 `optimizers/muon.py`; Jordan et al., "Muon", 2024.
    """

    _kind = "muon"

    def __init__(
        self,
        learning_rate: Any = 0.001,
        adam_beta_1: float = 0.9,
        adam_beta_2: float = 0.999,
        adam_weight_decay: float | None = 0.004,
        epsilon: float = 1e-7,
        weight_decay: float | None = 0.004,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        exclude_layers: Sequence[str] | None = None,
        exclude_embeddings: bool = True,
        muon_a: float = 3.4445,
        muon_b: float = -4.7750,
        muon_c: float = 2.0315,
        adam_lr_ratio: float = 1,
        momentum: float = 0.95,
        ns_steps: int = 5,
        nesterov: bool = True,
        rms_rate: float | None = 0.2,
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
        self.adam_beta_1 = check_range("adam_beta_1", adam_beta_1, 0, 1, below=True)
        self.adam_beta_2 = check_range("adam_beta_2", adam_beta_2, 0, 1, below=True)
        self.adam_weight_decay = adam_weight_decay
        if adam_weight_decay is not None:
            check_number("adam_weight_decay", adam_weight_decay)
        self.epsilon = check_range("epsilon", epsilon, 0)
        self.exclude_layers = exclude_layers or []
        self.exclude_embeddings = exclude_embeddings
        self.muon_a = check_number("muon_a", muon_a)
        self.muon_b = check_number("muon_b", muon_b)
        self.muon_c = check_number("muon_c", muon_c)
        check_number("adam_lr_ratio", adam_lr_ratio)
        self.adam_lr_ratio = adam_lr_ratio
        self.momentum = check_number("momentum", momentum)
        if not isinstance(ns_steps, int) or ns_steps < 0:
            raise ValueError(f"ns_steps: expected an integer >= 0, got {ns_steps!r}")
        self.ns_steps = ns_steps
        self.nesterov = bool(nesterov)
        self.rms_rate = None if rms_rate is None else check_number("rms_rate", rms_rate)

    def _hyperparameters(self) -> dict[str, Any]:
        names = (
            *("adam_beta_1", "adam_beta_2", "epsilon", "exclude_layers", "muon_a", "muon_b", "muon_c"),
            *("adam_lr_ratio", "momentum", "ns_steps", "nesterov", "exclude_embeddings"),
            *("adam_weight_decay", "rms_rate"),
        )
        return {name: getattr(self, name) for name in names}

    def _core_arguments(self) -> dict[str, Any]:
        arguments = self._hyperparameters()
        for name in ("exclude_layers", "exclude_embeddings"):
            del arguments[name]
        arguments["beta_1"] = arguments.pop("adam_beta_1")
        arguments["beta_2"] = arguments.pop("adam_beta_2")
        arguments["rms_rate"] = self.rms_rate or 0.0
        return arguments

    def build(self, variables: Iterable[Variable]) -> None:
        """Make the slots for these variables; errors as in `Optimizer`."""
        if self.built:
            return
        variables = list(variables)
        super().build(variables)
        self._core.leave_to_adam([self._is_adams(variable) for variable in variables])

    def _is_adams(self, variable: Variable) -> bool:
        if variable.ndim != 2 or (self.exclude_embeddings and "embedding" in variable.path.lower()):
            return True
        return any(re.search(pattern, variable.path) for pattern in self.exclude_layers)
