"""The tutorial's network on the real images learns what it learns in Keras."""

from types import ModuleType

import pytest


def test_two_layers_reach_keras_accuracy(lamina_keras: ModuleType) -> None:
    """784-100-10, sigmoid and softmax, default rmsprop, batches of 32, 5 epochs of 48,000 images: validation
    0.86 to 0.87.

    Keras prints 0.866 for it; seeds move the number by some thousandths.
    """
    try:
        (images, labels), _ = lamina_keras.datasets.fashion_mnist.load_data()
    except (OSError, RuntimeError, ValueError) as error:
        pytest.skip(f"Fashion-MNIST is not here: {error}")
    lamina_keras.utils.set_random_seed(42)
    x = images.reshape(-1, 784) / 255.0
    layers = lamina_keras.layers
    model = lamina_keras.Sequential(
        [
            lamina_keras.Input((784,)),
            layers.Dense(100, activation="sigmoid"),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(x[:48000], labels[:48000], epochs=5, verbose=0)
    loss, accuracy = model.evaluate(x[48000:], labels[48000:], verbose=0)
    losses = history.history["loss"]
    assert losses == sorted(losses, reverse=True)
    assert 0.855 <= accuracy <= 0.880
    assert 0.34 <= loss <= 0.42
