"""StoredStack: a model as a config."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TypeVar

from lamina.keras._saving.objects import deserialize_keras_object, serialize_keras_object
from lamina.keras._saving.size_limit import check_size
from lamina.keras._training.assembly import shapes_through
from lamina.keras._training.stack import LayerStack
from lamina.keras.layers.layer import Layer
from lamina.keras.layers.shape import checked_shape

_Model = TypeVar("_Model", bound="StoredStack")


class StoredStack(LayerStack):
    """How a model becomes a dictionary, and comes back from it."""

    def get_config(self) -> dict[str, Any]:
        """Name and layers, in Keras's form: `keras.Sequential.from_config` of either library takes it.

        Neither weights nor what `compile` was told are in it.
        """
        layers = [*([] if self._input is None else [self._input]), *self._stack]
        config = {
            "name": self.name,
            "trainable": self.trainable,
            "dtype": serialize_keras_object(self.dtype_policy),
            "layers": [serialize_keras_object(layer) for layer in layers],
        }
        if self._shapes:
            config["build_input_shape"] = self._shapes[0]
        return config

    @classmethod
    def from_config(
        cls: type[_Model], config: Any, custom_objects: Mapping[str, Any] | None = None
    ) -> _Model:
        """A new model from what `get_config` gave, here or in Keras; its weights are initialized anew.

        Args:
            config: the dictionary.
            custom_objects: dict from name to class or function, for what the program registered nowhere else.

        Raises:
            ValueError: not such a dictionary, or it names what Lamina doesn't have.
        """
        if not isinstance(config, Mapping) or "name" not in config or "layers" not in config:
            raise ValueError(f"config: expected a dict with 'name' and 'layers', got {config!r}")
        if not isinstance(config["layers"], (list, tuple)):
            raise ValueError(f"config: layers: expected a list of configs, got {config['layers']!r}")
        model = cls(name=config["name"])
        for entry in config["layers"]:
            layer = deserialize_keras_object(entry, custom_objects=custom_objects)
            if not isinstance(layer, (Layer, LayerStack)):
                raise ValueError(f"config: layers: expected the config of a layer, got {entry!r}")
            model.add(layer, rebuild=False)
        shape = config.get("build_input_shape") if model._input is None else model._input.batch_shape
        if shape and model._stack:
            shapes = shapes_through(model.leaves, checked_shape(shape, "build_input_shape"))
            check_size(model.leaves, shapes, f"model {model.name!r}")
            model.build(shapes[0])
        return model

    def to_json(self, **kwargs: Any) -> str:
        """The config, with what `compile` was told, as a JSON string for `keras.models.model_from_json`.

        Args:
            **kwargs: passed on to `json.dumps`, such as `indent=2`.
        """
        return json.dumps(serialize_keras_object(self), **kwargs)

    def get_build_config(self) -> dict[str, Any] | None:
        """{"input_shape": shape with the batch axis}; None before the model is built."""
        return {"input_shape": self._shapes[0]} if self._shapes else None

    def build_from_config(self, config: Mapping[str, Any]) -> None:
        """Build for the input shape that `get_build_config` gave."""
        if config.get("input_shape") is not None:
            self.build(config["input_shape"])

    def compile_from_config(self, config: Mapping[str, Any]) -> None:
        """Compile with the arguments that `get_compile_config` gave.

        Raises:
            ValueError: it names what Lamina doesn't have.
        """
        self.compile(**deserialize_keras_object(dict(config)))
        if self.built:  # so that the state in a file has its place
            self.optimizer.core(self.dtype)
            self.optimizer.build(self.trainable_weights)


def parsed(text: str | bytes) -> Any:
    """What a JSON text holds.

    Raises:
        ValueError: no such text, or one nested too deeply.
    """
    try:
        return json.loads(text)
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"config: expected a JSON text, got {str(text)[:60]!r}… ({error})") from None


def model_of(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The model of a parsed config.

    Raises:
        ValueError: it is the config of something else.
    """
    found = deserialize_keras_object(config, custom_objects=custom_objects)
    if not isinstance(found, StoredStack):
        raise ValueError(f"config: expected the config of a Sequential model, got {type(found).__name__}")
    return found
