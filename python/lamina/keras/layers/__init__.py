"""The layers a `Sequential` model is made of."""

from collections.abc import Mapping
from typing import Any

from lamina.keras._saving.objects import deserialize_keras_object, serialize_keras_object
from lamina.keras._training.absent import refuse_absent
from lamina.keras.layers.activation import Activation as Activation
from lamina.keras.layers.activity_regularization import ActivityRegularization as ActivityRegularization
from lamina.keras.layers.alpha_dropout import AlphaDropout as AlphaDropout
from lamina.keras.layers.batch_normalization import BatchNormalization as BatchNormalization
from lamina.keras.layers.dense import Dense as Dense
from lamina.keras.layers.dropout import Dropout as Dropout
from lamina.keras.layers.flatten import Flatten as Flatten
from lamina.keras.layers.gaussian_dropout import GaussianDropout as GaussianDropout
from lamina.keras.layers.gaussian_noise import GaussianNoise as GaussianNoise
from lamina.keras.layers.group_normalization import GroupNormalization as GroupNormalization
from lamina.keras.layers.identity import Identity as Identity
from lamina.keras.layers.input_layer import Input as Input
from lamina.keras.layers.input_layer import InputLayer as InputLayer
from lamina.keras.layers.layer import Layer as Layer
from lamina.keras.layers.layer_normalization import LayerNormalization as LayerNormalization
from lamina.keras.layers.normalization import Normalization as Normalization
from lamina.keras.layers.prelu import PReLU as PReLU
from lamina.keras.layers.rectified import ELU as ELU
from lamina.keras.layers.rectified import LeakyReLU as LeakyReLU
from lamina.keras.layers.rectified import ReLU as ReLU
from lamina.keras.layers.rescaling import Rescaling as Rescaling
from lamina.keras.layers.reshape import Reshape as Reshape
from lamina.keras.layers.rms_normalization import RMSNormalization as RMSNormalization
from lamina.keras.layers.softmax import Softmax as Softmax
from lamina.keras.layers.unit_normalization import UnitNormalization as UnitNormalization

__all__ = [
    "ELU",
    "Activation",
    "ActivityRegularization",
    "AlphaDropout",
    "BatchNormalization",
    "Dense",
    "Dropout",
    "Flatten",
    "GaussianDropout",
    "GaussianNoise",
    "GroupNormalization",
    "Identity",
    "Input",
    "InputLayer",
    "Layer",
    "LayerNormalization",
    "LeakyReLU",
    "Normalization",
    "PReLU",
    "RMSNormalization",
    "ReLU",
    "Rescaling",
    "Reshape",
    "Softmax",
    "UnitNormalization",
    "deserialize",
    "serialize",
]


def serialize(layer: Layer) -> dict[str, Any]:
    """The config of a layer, with its class."""
    return serialize_keras_object(layer)  # type: ignore[no-any-return]


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Layer:
    """The layer of a config that `serialize` made, here or in Keras; its weights are initialized anew.

    Raises:
        ValueError: the config of something else, or of a layer that isn't known.
    """
    layer = deserialize_keras_object(config, custom_objects=custom_objects)
    if not isinstance(layer, Layer):
        raise ValueError(f"config: expected the config of a layer, got {config!r}")
    return layer


refuse_absent(__name__)
