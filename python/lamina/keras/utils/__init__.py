"""Small public tools of `keras.utils`."""

from lamina.keras._saving.objects import deserialize_keras_object as deserialize_keras_object
from lamina.keras._saving.objects import serialize_keras_object as serialize_keras_object
from lamina.keras._saving.registry import CustomObjectScope as CustomObjectScope
from lamina.keras._saving.registry import custom_object_scope as custom_object_scope
from lamina.keras._saving.registry import get_custom_objects as get_custom_objects
from lamina.keras._saving.registry import get_registered_name as get_registered_name
from lamina.keras._saving.registry import get_registered_object as get_registered_object
from lamina.keras._saving.registry import register_keras_serializable as register_keras_serializable
from lamina.keras._training.absent import refuse_absent
from lamina.keras.keras_tensor import is_keras_tensor as is_keras_tensor
from lamina.keras.utils.categorical import to_categorical as to_categorical
from lamina.keras.utils.clearing import clear_session as clear_session
from lamina.keras.utils.console import disable_interactive_logging as disable_interactive_logging
from lamina.keras.utils.console import enable_interactive_logging as enable_interactive_logging
from lamina.keras.utils.console import is_interactive_logging_enabled as is_interactive_logging_enabled
from lamina.keras.utils.dtypes import standardize_dtype as standardize_dtype
from lamina.keras.utils.files import get_file as get_file
from lamina.keras.utils.normalization import normalize as normalize
from lamina.keras.utils.progbar import Progbar as Progbar
from lamina.keras.utils.py_dataset import PyDataset as PyDataset
from lamina.keras.utils.py_dataset import PyDataset as Sequence
from lamina.keras.utils.sample_weight import pack_x_y_sample_weight as pack_x_y_sample_weight
from lamina.keras.utils.sample_weight import unpack_x_y_sample_weight as unpack_x_y_sample_weight
from lamina.keras.utils.samples import split_dataset as split_dataset
from lamina.keras.utils.seeding import set_random_seed as set_random_seed
from lamina.keras.utils.sequences import pad_sequences as pad_sequences
from lamina.keras.utils.visualization import model_to_dot as model_to_dot
from lamina.keras.utils.visualization import plot_model as plot_model

__all__ = [
    "CustomObjectScope",
    "Progbar",
    "PyDataset",
    "Sequence",
    "clear_session",
    "custom_object_scope",
    "deserialize_keras_object",
    "disable_interactive_logging",
    "enable_interactive_logging",
    "get_custom_objects",
    "get_file",
    "get_registered_name",
    "get_registered_object",
    "is_interactive_logging_enabled",
    "is_keras_tensor",
    "model_to_dot",
    "normalize",
    "pack_x_y_sample_weight",
    "pad_sequences",
    "plot_model",
    "register_keras_serializable",
    "serialize_keras_object",
    "set_random_seed",
    "split_dataset",
    "standardize_dtype",
    "to_categorical",
    "unpack_x_y_sample_weight",
]

refuse_absent(__name__)
