"""Objects to and from dictionaries, models to and from files."""

from lamina.keras._training.absent import refuse_absent
from lamina.keras.saving.objects import deserialize_keras_object as deserialize_keras_object
from lamina.keras.saving.objects import serialize_keras_object as serialize_keras_object
from lamina.keras.saving.registry import CustomObjectScope as CustomObjectScope
from lamina.keras.saving.registry import custom_object_scope as custom_object_scope
from lamina.keras.saving.registry import get_custom_objects as get_custom_objects
from lamina.keras.saving.registry import get_registered_name as get_registered_name
from lamina.keras.saving.registry import get_registered_object as get_registered_object
from lamina.keras.saving.registry import register_keras_serializable as register_keras_serializable

__all__ = [
    "CustomObjectScope",
    "custom_object_scope",
    "deserialize_keras_object",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "register_keras_serializable",
    "serialize_keras_object",
]

refuse_absent(__name__)
