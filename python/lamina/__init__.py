"""Lamina: dense neural networks with Keras's face, trained by a compiled core.

`import lamina as tf` runs a Keras script of dense layers as it stands; `lamina.ops` holds the kernels for
those who write the training loop themselves; `lamina.config` sets threads and tells what the build can do.
"""

from typing import TYPE_CHECKING, Any

from lamina import config as config
from lamina._core import __version__ as __version__
from lamina.config import device as device

if TYPE_CHECKING:
    from lamina import keras as keras
    from lamina import ops as ops
    from lamina import random as random
    from lamina.many import train_many as train_many

__all__ = ["__version__", "config", "device", "keras", "ops", "random", "train_many"]


def __getattr__(name: str) -> Any:
    if name in (
        "keras",
        "ops",
        "random",
    ):  # at first use: a program that needs one doesn't wait for the others
        from importlib import import_module

        return import_module(f"lamina.{name}")
    if name == "train_many":
        from lamina.many import train_many

        return train_many
    raise AttributeError(f"module 'lamina' has no attribute {name!r}; it has {', '.join(__all__)}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
