"""Objects to and from dictionaries, models to and from files."""

from lamina.keras._saving.model_file import load_model as load_model
from lamina.keras._saving.model_file import load_weights as load_weights
from lamina.keras._saving.model_file import save_model as save_model
from lamina.keras._saving.model_file import save_weights as save_weights
from lamina.keras._saving.objects import deserialize_keras_object as deserialize_keras_object
from lamina.keras._saving.objects import serialize_keras_object as serialize_keras_object
from lamina.keras._saving.registry import CustomObjectScope as CustomObjectScope
from lamina.keras._saving.registry import custom_object_scope as custom_object_scope
from lamina.keras._saving.registry import get_custom_objects as get_custom_objects
from lamina.keras._saving.registry import get_registered_name as get_registered_name
from lamina.keras._saving.registry import get_registered_object as get_registered_object
from lamina.keras._saving.registry import register_keras_serializable as register_keras_serializable
from lamina.keras._training.absent import refuse_absent

__all__ = [
    "CustomObjectScope",
    "custom_object_scope",
    "deserialize_keras_object",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "load_model",
    "load_weights",
    "register_keras_serializable",
    "save_model",
    "save_weights",
    "serialize_keras_object",
]

refuse_absent(__name__)
