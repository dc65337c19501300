"""The layers a `Sequential` model is made of."""

from lamina.keras._training.absent import refuse_absent
from lamina.keras.layers.activation import Activation as Activation
from lamina.keras.layers.batch_normalization import BatchNormalization as BatchNormalization
from lamina.keras.layers.dense import Dense as Dense
from lamina.keras.layers.dropout import Dropout as Dropout
from lamina.keras.layers.flatten import Flatten as Flatten
from lamina.keras.layers.input_layer import Input as Input
from lamina.keras.layers.input_layer import InputLayer as InputLayer
from lamina.keras.layers.layer import Layer as Layer
from lamina.keras.layers.rescaling import Rescaling as Rescaling

__all__ = [
    "Activation",
    "BatchNormalization",
    "Dense",
    "Dropout",
    "Flatten",
    "Input",
    "InputLayer",
    "Layer",
    "Rescaling",
]

refuse_absent(__name__)
