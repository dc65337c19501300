"""P1: four layers on the handwritten digits of MNIST, added one by one.

Flatten, relu layers of 300, 200 and 100 units, 10 softmax outputs; 5,000 pictures drawn at random are for
validation. Then the same network with batch normalization and dropout. Without MNIST the clothes of
Fashion-MNIST take its place.

    python examples/p1_deeper.py [--quick] [--output FOLDER]
"""

# ruff: noqa: NPY002 - random numbers as courses draw them

import argparse
from pathlib import Path

import matplotlib
import numpy as np

matplotlib.use("Agg")
import matplotlib.pyplot as plt

import lamina as tf
from lamina.keras import models
from lamina.keras.datasets.mnist import load_data
from lamina.keras.layers import BatchNormalization, Dense, Dropout, Flatten

options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
options.add_argument("--quick", action="store_true", help="2 epochs on 10,000 pictures")
options.add_argument("--output", type=Path, default=Path(), help="folder for the pictures")
args = options.parse_args()
args.output.mkdir(parents=True, exist_ok=True)

tf.keras.utils.set_random_seed(1234)
epochs = 2 if args.quick else 10

try:
    (train_images, train_labels), (test_images, test_labels) = load_data()
except Exception as reason:  # an OSError from one library, a bare Exception from the other
    print(f"Fashion-MNIST instead of MNIST: {reason}")
    (train_images, train_labels), (test_images, test_labels) = tf.keras.datasets.fashion_mnist.load_data()

# The pictures and their labels.
fig, axes = plt.subplots(4, 8, figsize=(8, 4.8))
for axis, image, label in zip(axes.flat, train_images, train_labels, strict=False):
    axis.imshow(image, cmap="gray")
    axis.set_title(f"label {label}", fontsize=8)
    axis.axis("off")
fig.tight_layout()
fig.savefig(args.output / "p1_images.png")

# 5,000 of the training pictures, each at most once, are for validation.
drawn = np.random.choice(len(train_images), 5000, replace=False)
valid_images, valid_labels = train_images[drawn], train_labels[drawn]
train_images, train_labels = np.delete(train_images, drawn, axis=0), np.delete(train_labels, drawn)

fig, axis = plt.subplots(figsize=(7, 3))
width = 0.4
axis.bar(np.arange(10) - width / 2, np.bincount(train_labels) / len(train_labels), width, label="training")
axis.bar(np.arange(10) + width / 2, np.bincount(valid_labels) / len(valid_labels), width, label="validation")
axis.set_xticks(range(10))
axis.set_xlabel("label")
axis.set_ylabel("share of the pictures")
axis.legend(loc="upper center", bbox_to_anchor=(0.5, 1.15), ncols=2)
fig.savefig(args.output / "p1_labels.png", bbox_inches="tight")

if args.quick:
    train_images, train_labels = train_images[:10000], train_labels[:10000]

# Min-max scaling, with the training set's smallest and largest value for all three sets.
low, high = train_images.min(), train_images.max()
train_images, valid_images, test_images = (
    (images - low) / (high - low) for images in (train_images, valid_images, test_images)
)

model = models.Sequential()
model.add(Flatten(input_shape=[28, 28], name="Flatten"))
model.add(Dense(300, activation="relu", name="Hidden1"))
model.add(Dense(200, activation="relu", name="Hidden2"))
model.add(Dense(100, activation="relu", name="Hidden3"))
model.add(Dense(10, activation="softmax", name="Output"))
model.summary()

normalized = models.Sequential()
normalized.add(Flatten(input_shape=[28, 28]))
for units in (300, 200, 100):
    normalized.add(Dense(units, activation="relu"))
    normalized.add(BatchNormalization())
    normalized.add(Dropout(0.2))
normalized.add(Dense(10, activation="softmax"))

fig, axis = plt.subplots()
for name, network in (("plain", model), ("normalized, with dropout", normalized)):
    network.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    history = network.fit(
        train_images, train_labels, epochs=epochs, verbose=2, validation_data=(valid_images, valid_labels)
    )
    loss, accuracy = network.evaluate(test_images, test_labels, verbose=0)
    print(f"{name}: test loss {loss:.4f}, accuracy {accuracy:.4f}")
    (line,) = axis.plot(history.epoch, history.history["val_loss"], label=f"{name}, validation")
    axis.plot(history.epoch, history.history["loss"], ":", color=line.get_color(), label=f"{name}, training")
axis.set_xticks(history.epoch)
axis.set_xlabel("epoch")
axis.set_ylabel("loss")
axis.legend()
fig.savefig(args.output / "p1_training.png", bbox_inches="tight")
