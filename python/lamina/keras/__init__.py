"""`lamina.keras`: models, layers, losses … under Keras's names and with its defaults."""

import sys
from typing import TYPE_CHECKING, Any

from lamina._core import __version__ as __version__
from lamina.keras import activations as activations
from lamina.keras import backend as backend
from lamina.keras import callbacks as callbacks
from lamina.keras import config as config
from lamina.keras import constraints as constraints
from lamina.keras import dtype_policies as dtype_policies
from lamina.keras import initializers as initializers
from lamina.keras import layers as layers
from lamina.keras import losses as losses
from lamina.keras import metrics as metrics
from lamina.keras import mixed_precision as mixed_precision
from lamina.keras import models as models
from lamina.keras import optimizers as optimizers
from lamina.keras import regularizers as regularizers
from lamina.keras import saving as saving
from lamina.keras import utils as utils
from lamina.keras._training.absent import AbsentModules, absent_error
from lamina.keras.dtype_policies import DTypePolicy as DTypePolicy
from lamina.keras.dtype_policies import FloatDTypePolicy as FloatDTypePolicy
from lamina.keras.initializers import Initializer as Initializer
from lamina.keras.keras_tensor import KerasTensor as KerasTensor
from lamina.keras.layers import Input as Input
from lamina.keras.layers import Layer as Layer
from lamina.keras.layers.variable import Variable as Variable
from lamina.keras.losses import Loss as Loss
from lamina.keras.metrics import Metric as Metric
from lamina.keras.models import Sequential as Sequential
from lamina.keras.optimizers import Optimizer as Optimizer
from lamina.keras.regularizers import Regularizer as Regularizer

if TYPE_CHECKING:
    from lamina.keras import datasets as datasets

__all__ = [
    "DTypePolicy",
    "FloatDTypePolicy",
    "Initializer",
    "Input",
    "KerasTensor",
    "Layer",
    "Loss",
    "Metric",
    "Optimizer",
    "Regularizer",
    "Sequential",
    "Variable",
    "__version__",
    "activations",
    "backend",
    "callbacks",
    "config",
    "constraints",
    "datasets",
    "dtype_policies",
    "initializers",
    "layers",
    "losses",
    "metrics",
    "mixed_precision",
    "models",
    "optimizers",
    "regularizers",
    "saving",
    "utils",
    "version",
]


if AbsentModules not in sys.meta_path:  # importlib.reload comes here again
    sys.meta_path.append(AbsentModules)


def version() -> str:
    """Lamina's version."""
    return __version__


def __getattr__(name: str) -> Any:
    if name == "datasets":  # at first use: most programs bring their own data
        from importlib import import_module

        return import_module("lamina.keras.datasets")
    raise absent_error(__name__, name, sys._getframe(1))


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
