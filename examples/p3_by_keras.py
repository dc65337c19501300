"""P3, first half: a digit classifier in a few lines, with its accuracy and loss curves.

50 sigmoid units and 10 softmax outputs, adam, ten epochs on MNIST (on Fashion-MNIST where MNIST is not to be
had). The second half, `p3_by_hand.py`, builds the same network without Keras.

    python examples/p3_by_keras.py [--quick] [--output FOLDER]
"""

import argparse
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

import lamina as tf

options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
options.add_argument("--quick", action="store_true", help="3 epochs on 10,000 pictures")
options.add_argument("--output", type=Path, default=Path(), help="folder for the picture")
args = options.parse_args()
args.output.mkdir(parents=True, exist_ok=True)

print(tf.__version__)
tf.keras.utils.set_random_seed(42)
tf.config.experimental.enable_op_determinism()

try:
    (x_train, y_train), (x_test, y_test) = tf.keras.datasets.mnist.load_data()
except Exception as reason:  # an OSError from one library, a bare Exception from the other
    print(f"Fashion-MNIST instead of MNIST: {reason}")
    (x_train, y_train), (x_test, y_test) = tf.keras.datasets.fashion_mnist.load_data()
x_train, x_test = x_train / 255.0, x_test / 255.0
if args.quick:
    x_train, y_train = x_train[:10000], y_train[:10000]

model = tf.keras.models.Sequential(
    [
        tf.keras.layers.Flatten(input_shape=(28, 28)),
        tf.keras.layers.Dense(50, activation="sigmoid"),
        tf.keras.layers.Dense(10, activation="softmax"),
    ]
)
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
history = model.fit(x_train, y_train, epochs=3 if args.quick else 10, validation_data=(x_test, y_test))
loss, accuracy = model.evaluate(x_test, y_test, verbose=2)
print(f"test loss {loss:.4f}, accuracy {accuracy:.4f}")

fig, axes = plt.subplots(1, 2, figsize=(10, 4))
for axis, name in zip(axes, ("accuracy", "loss"), strict=True):
    axis.plot(history.epoch, history.history[name], label="training")
    axis.plot(history.epoch, history.history[f"val_{name}"], label="test")
    axis.set_xlabel("epoch")
    axis.xaxis.set_major_locator(plt.MaxNLocator(integer=True))
    axis.set_title(name)
    axis.legend()
fig.savefig(args.output / "p3_by_keras.png", bbox_inches="tight")
