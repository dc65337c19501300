"""`keras.mixed_precision`: the older names of the dtype policies."""

from __future__ import annotations

from lamina.keras._training.absent import refuse_absent
from lamina.keras.config import dtype_policy as dtype_policy
from lamina.keras.config import set_dtype_policy as set_dtype_policy
from lamina.keras.dtype_policies import DTypePolicy as DTypePolicy
from lamina.keras.optimizers import LossScaleOptimizer as LossScaleOptimizer

__all__ = [
    "DTypePolicy",
    "LossScaleOptimizer",
    "Policy",
    "dtype_policy",
    "global_policy",
    "set_dtype_policy",
    "set_global_policy",
]

Policy = DTypePolicy
global_policy = dtype_policy
set_global_policy = set_dtype_policy

refuse_absent(__name__)
