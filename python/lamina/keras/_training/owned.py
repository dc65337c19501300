"""OwnedLayer: the one model that a layer belongs to."""

from __future__ import annotations

import gc
import weakref
from abc import abstractmethod
from typing import Any

from lamina.keras.layers.variable import Variable


class OwnedLayer:
    """A layer's weights live in the one flat block of its model, so that there is one model at most."""

    _owner: weakref.ref[Any] | None = None
    _weights: list[Variable]

    @property
    @abstractmethod
    def name(self) -> str: ...

    @property
    @abstractmethod
    def core_weights(self) -> list[Variable]: ...

    def check_free(self, model: Any) -> None:
        """Refuse a second model: the weights live in the one flat block of the first.

        Raises:
            ValueError: the layer is in another model.
        """
        if self._owner_now() not in (None, model):
            gc.collect()  # a model that was dropped together with its History is freed only now
        owner = self._owner_now()
        if owner is not None and owner is not model:
            raise ValueError(
                f"layer {self.name!r} is in model {owner.name!r} already, and can be in one model only; "
                f"make another, for example with {type(self).__name__}.from_config(layer.get_config())"
            )

    def is_in(self, model: Any) -> bool:
        """Whether the layer belongs to this model."""
        return self._owner_now() is model

    def _owner_now(self) -> Any:
        return None if self._owner is None else self._owner()

    def set_owner(self, model: Any) -> None:
        """Join a model (None: leave it, taking the weights along)."""
        self._owner = None if model is None else weakref.ref(model)
        prefix = "" if model is None else f"{model.name}/"
        if model is None:
            for weight in self.core_weights:
                weight.move_out()
        for weight in self._weights:
            weight.path = f"{prefix}{self.name}/{weight.name}"
