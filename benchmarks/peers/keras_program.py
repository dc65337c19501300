"""A case as a Keras program; Keras and Lamina run the same one."""

from typing import Any

import numpy as np
import numpy.typing as npt
from cases import Case

from peers import Array


class KerasProgram:
    """The case's network in `keras`, the module of that name in TensorFlow or in Lamina."""

    def __init__(self, keras: Any, case: Case, weights: list[Array]) -> None:
        self.keras = keras
        self.case = case
        self.weights = weights
        layers: list[Any] = [keras.layers.Input((case.units[0],))]
        layers += [keras.layers.Dense(units, activation=case.activation) for units in case.units[1:-1]]
        last = "sigmoid" if case.units[-1] == 1 else "softmax"
        layers.append(keras.layers.Dense(case.units[-1], activation=last))
        self.model = keras.Sequential(layers)
        self.reset()

    def reset(self) -> None:
        self.model.set_weights(self.weights)
        several = self.case.units[-1] > 1
        self.model.compile(
            optimizer=self.case.optimizer,
            loss="sparse_categorical_crossentropy" if several else "binary_crossentropy",
            metrics=["accuracy"],
        )

    def train(self, x: Array, y: npt.NDArray[np.int32], epochs: int, shuffle: bool) -> float:
        history = self.model.fit(
            x, y, batch_size=self.case.batch_size, epochs=epochs, shuffle=shuffle, verbose=0
        )
        return float(history.history["loss"][-1])

    def predict(self, x: Array) -> Array:
        outputs: Array = self.model.predict(x, verbose=0)
        return outputs
