"""A network as a Keras program: Keras and Lamina run the same one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from lamina._bench.network import Array, MissingError, Network, Rows

NO_OPTIONS: Mapping[str, Any] = {}

# Of a regularised network.
L2 = 1e-4
CLIPNORM = 1.0
DECAY_STEPS, DECAY = 1000, 0.96


class KerasProgram:
    """The network in `keras`, the module of that name in TensorFlow or in Lamina.

    Args:
        keras: that module.
        network: what to build.
        weights: the initial ones.
        options: more arguments for `compile`.
    """

    def __init__(
        self, keras: Any, network: Network, weights: list[Array], options: Mapping[str, Any] = NO_OPTIONS
    ) -> None:
        self.keras = keras
        self.network = network
        self.weights = weights
        self.options = options
        if network.dtype != "float32":
            policy = _wanted(keras.config, "set_dtype_policy")
            before = keras.config.dtype_policy()
            policy(network.dtype)  # of the layers made from here on
            try:
                self.model = self._built()
            finally:
                policy(before)
        else:
            self.model = self._built()
        self.reset()

    def _built(self) -> Any:
        keras, network = self.keras, self.network
        layers: list[Any] = [keras.layers.Input((network.units[0],))]
        if network.from_bytes:
            layers.append(_wanted(keras.layers, "Rescaling")(1 / 255))
        penalty = {"kernel_regularizer": keras.regularizers.L2(L2)} if network.regularised else {}
        for units in network.units[1:-1]:
            layers.append(keras.layers.Dense(units, activation=network.activation, **penalty))
            if network.regularised:
                layers += [keras.layers.BatchNormalization(), keras.layers.Dropout(network.dropout)]
        last = "sigmoid" if network.units[-1] == 1 else "softmax"
        layers.append(keras.layers.Dense(network.units[-1], activation=last, **penalty))
        return keras.Sequential(layers)

    def reset(self) -> None:
        keras, network = self.keras, self.network
        kind = {"sgd": keras.optimizers.SGD, "adam": keras.optimizers.Adam}[network.optimizer]
        if network.regularised:
            rate = keras.optimizers.schedules.ExponentialDecay(network.rate, DECAY_STEPS, DECAY)
            optimizer = kind(learning_rate=rate, clipnorm=CLIPNORM)
        else:
            optimizer = kind(learning_rate=network.rate)
        self.model.set_weights(self.weights)
        self.model.compile(
            optimizer=optimizer,
            loss="sparse_categorical_crossentropy" if network.units[-1] > 1 else "binary_crossentropy",
            metrics=["accuracy"],
            **self.options,
        )

    def train(
        self, x: Array, y: Array, epochs: int, shuffle: bool, validation: Rows | None = None
    ) -> dict[str, float]:
        history = self.model.fit(
            x,
            y,
            batch_size=self.network.batch_size,
            epochs=epochs,
            shuffle=shuffle,
            validation_data=validation,
            verbose=0,
        ).history
        return {name: float(history[name][-1]) for name in ("loss", "val_loss") if name in history}

    def predict(self, x: Array) -> Array:
        outputs: Array = self.model.predict(x, verbose=0)
        return outputs

    def caller(self, x: Array) -> Callable[[], Any]:
        """`model(x)`, to be called again and again."""
        return lambda: self.model(x)


def _wanted(module: Any, name: str) -> Any:
    try:
        return getattr(module, name)
    except AttributeError as reason:
        raise MissingError(f"{module.__name__}.{name}") from reason
