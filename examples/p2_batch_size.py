"""P2: what the batch size, the activation and the optimizer do to one small network.

The network of P0, unnamed. Every run starts from the same weights; a table shows its time and accuracy.

    python examples/p2_batch_size.py [--quick] [--output FOLDER]
"""

import argparse
import time
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from sklearn.model_selection import train_test_split

from lamina import keras

options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
options.add_argument("--quick", action="store_true", help="2 epochs on 6,000 pictures")
options.add_argument("--output", type=Path, default=Path(), help="folder for the picture")
args = options.parse_args()
args.output.mkdir(parents=True, exist_ok=True)
epochs = 2 if args.quick else 5

(train_input, train_target), (test_input, test_target) = keras.datasets.fashion_mnist.load_data()
train_scaled = train_input.reshape(-1, 28 * 28) / 255.0
train_scaled, val_scaled, train_target, val_target = train_test_split(
    train_scaled, train_target, test_size=0.2, random_state=42
)
if args.quick:
    train_scaled, train_target = train_scaled[:6000], train_target[:6000]


def network(activation):
    keras.utils.set_random_seed(42)  # the same initial weights each time
    return keras.Sequential(
        [
            keras.layers.Dense(100, activation=activation, input_shape=(784,)),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )


def train(title, activation, optimizer, batch_size=32):
    """Train a fresh network, print a row of the table, return the training history."""
    model = network(activation)
    model.compile(optimizer=optimizer, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    start = time.perf_counter()
    history = model.fit(train_scaled, train_target, batch_size=batch_size, epochs=epochs, verbose=0)
    seconds = time.perf_counter() - start
    loss, accuracy = model.evaluate(val_scaled, val_target, verbose=0)
    print(f"{title:32} {seconds:8.2f} s   validation loss {loss:.4f}, accuracy {accuracy:.4f}", flush=True)
    return history


network("sigmoid").summary()
fig, (left, right) = plt.subplots(1, 2, figsize=(12, 4), sharey=True)

for batch_size in (16, 32, 128, 512):
    history = train(f"batch size {batch_size}", "sigmoid", "rmsprop", batch_size)
    left.plot(history.epoch, history.history["loss"], label=f"batch size {batch_size}")

optimizers = {
    "sgd": "sgd",
    "sgd, rate 0.1": keras.optimizers.SGD(learning_rate=0.1),
    "nesterov momentum": keras.optimizers.SGD(momentum=0.9, nesterov=True),
    "adagrad": keras.optimizers.Adagrad(),
    "rmsprop": keras.optimizers.RMSprop(),
    "adam": "adam",
}
for name, optimizer in optimizers.items():
    history = train(f"relu, {name}", "relu", optimizer)
    right.plot(history.epoch, history.history["loss"], label=name)

left.set_title("sigmoid, rmsprop")
right.set_title("relu, batch size 32")
left.set_ylabel("training loss")
for axis in (left, right):
    axis.set_xlabel("epoch")
    axis.set_xticks(history.epoch)
    axis.legend(loc="upper center", bbox_to_anchor=(0.5, -0.13), ncols=2)
fig.savefig(args.output / "p2_training.png", bbox_inches="tight")
