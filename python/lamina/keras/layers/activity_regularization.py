"""ActivityRegularization: a penalty on what passes through."""

from __future__ import annotations

from typing import Any

from lamina import _core
from lamina.keras import regularizers
from lamina.keras.layers.layer import Layer
from lamina.keras.layers.shape import Shape


class ActivityRegularization(Layer):
    """Hands its input x on and adds `(l1 · Σ|x| + l2 · Σx²) / samples` to the loss, in evaluation too.

    Args:
        l1, l2: floats >= 0. Default 0.0.
        **kwargs: `name`, `dtype`, `input_shape` and what else `Layer` takes.

    Raises:
        ValueError: an argument is unknown, wrong or not supported.

    Source: Keras 3 `keras.layers.ActivityRegularization`.
    """

    _built_at_start = True
    only_reshapes = True

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **kwargs: Any) -> None:
        super().__init__(activity_regularizer=regularizers.L1L2(l1, l2), **kwargs)
        self.l1 = l1
        self.l2 = l2

    @property
    def passes_on(self) -> bool:
        return True

    def add_to(self, network: _core.Network32 | _core.Network64, input_shape: Shape) -> bool:
        return False  # its penalty is added as every layer's

    def get_config(self) -> dict[str, Any]:
        config = {**super().get_config(), "l1": self.l1, "l2": self.l2}
        del config["activity_regularizer"]
        return config
