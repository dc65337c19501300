"""Identity: a place for a layer that does nothing."""

from __future__ import annotations

from typing import Any

from lamina.keras.layers.layer import Layer
from lamina.keras.layers.shape import Shape


class Identity(Layer):
    """Passes its input on. Costs nothing at run time.

    Args:
        **kwargs: `name`, `dtype`, `input_shape` and what else `Layer` takes.

    Raises:
        ValueError: an argument is unknown or wrong.

    Source: Keras 3 `keras.layers.Identity`.
    """

    _built_at_start = True
    only_reshapes = True

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)

    @property
    def passes_on(self) -> bool:
        return True

    def add_to(self, network: Any, input_shape: Shape) -> bool:
        return False
