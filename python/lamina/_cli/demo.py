"""`lamina demo`: a small network, trained from start to end."""

import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lamina import keras

EPOCHS = {"digits": 40, "fashion_mnist": 5, "mnist": 5}
PICTURE = "lamina-demo.png"


def run(data: str, epochs: int | None = None, output: str | None = None) -> int:
    """Train on a data set, print the test accuracy and the time, draw the picture.

    Args:
        data: a name in `EPOCHS`.
        epochs: default as in `EPOCHS`.
        output: path of the picture. Default `PICTURE`, in the current folder.

    Returns:
        0, or 1 where a picture was asked for that cannot be drawn.

    Raises:
        OSError: the data set is not to be had, or the picture cannot be written.
    """
    drawable = find_spec("matplotlib") is not None
    path = Path(output or PICTURE)
    complaint = _complaint(path, drawable) if output else None
    if complaint:
        print(f"lamina demo: {complaint}", file=sys.stderr)
        return 1

    (x_train, y_train), (x_test, y_test) = getattr(keras.datasets, data).load_data()
    shape = x_train.shape[1:]
    size = "x".join(map(str, shape))
    print(f"{data}: {len(x_train):,} images of {size} to learn from, {len(x_test):,} for the test")

    # The digits stand writer by writer: mixed, the tenth that validates resembles the rest.
    order = np.random.default_rng(0).permutation(len(x_train))
    x_train, y_train = x_train[order], y_train[order]
    model = _network(shape)
    scale = np.float32(x_train.max())
    history, seconds = _train(model, x_train / scale, y_train, epochs or EPOCHS[data])
    loss, accuracy = model.evaluate(x_test / scale, y_test, verbose=0)
    print(f"test accuracy {accuracy:.4f}, loss {loss:.4f}; trained in {seconds:.2f} s")

    if not drawable:
        print("no picture: matplotlib is not installed (pip install matplotlib)")
        return 0
    from lamina._cli import picture

    names = getattr(getattr(keras.datasets, data), "CLASS_NAMES", tuple("0123456789"))
    guesses = np.argmax(model.predict(x_test / scale, verbose=0), axis=1)
    picture.draw(path, history, x_test, y_test, guesses, names)
    print(f"picture: {path}")
    return 0


def _complaint(path: Path, drawable: bool) -> str | None:
    """Why a picture that was asked for cannot be made, known before the training; None where it can."""
    if not drawable:
        return "--output needs matplotlib, which is not installed (pip install matplotlib)"
    if not path.parent.is_dir():
        return f"--output: there is no folder {path.parent}"
    from lamina._cli import picture

    known = picture.formats()
    if path.suffix.lstrip(".").lower() not in known:
        return f"--output: expected a file name ending in {', '.join(known)}, got {str(path)!r}"
    return None


def _network(shape: tuple[int, ...]) -> Any:
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.layers.Input(shape),
            keras.layers.Flatten(),
            keras.layers.Dense(100, activation="relu"),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    model.summary()
    return model


def _train(
    model: Any, x: npt.NDArray[np.float32], y: npt.NDArray[np.uint8], epochs: int
) -> tuple[dict[str, list[float]], float]:
    """History and seconds of a training, with one bar for all the epochs. A tenth of the rows validates."""
    shown = ("loss", "accuracy", "val_accuracy")
    bar = keras.utils.Progbar(epochs, unit_name="epoch", stateful_metrics=shown)

    def show(epoch: int, logs: dict[str, float]) -> None:
        bar.update(epoch + 1, [(name, logs[name]) for name in shown])

    start = time.perf_counter()
    history = model.fit(
        x,
        y,
        epochs=epochs,
        validation_split=0.1,
        verbose=0,
        callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=show)],
    )
    return history.history, time.perf_counter() - start
