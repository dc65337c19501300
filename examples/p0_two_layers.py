"""P0: a network of two layers that tells ten kinds of clothes apart.

Fashion-MNIST, 784 pixels, 100 sigmoid units, 10 softmax outputs; a fifth of the training set for validation.

    python examples/p0_two_layers.py [--quick] [--output FOLDER]
"""

import argparse
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from sklearn.model_selection import train_test_split

from lamina import keras

options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
options.add_argument("--quick", action="store_true", help="2 epochs on 12,000 pictures")
options.add_argument("--output", type=Path, default=Path(), help="folder for the pictures")
args = options.parse_args()
args.output.mkdir(parents=True, exist_ok=True)

keras.utils.set_random_seed(42)

# The data: 28x28 bytes become 784 numbers from 0 to 1.
(train_input, train_target), (test_input, test_target) = keras.datasets.fashion_mnist.load_data()
print(train_input.shape, train_target.shape, test_input.shape)

fig, axes = plt.subplots(1, 10, figsize=(10, 1.4))
for axis, image, label in zip(axes, train_input, train_target, strict=False):
    axis.imshow(image, cmap="gray_r")
    axis.set_title(str(label))
    axis.axis("off")
fig.savefig(args.output / "p0_images.png", bbox_inches="tight")

train_scaled = train_input.reshape(-1, 28 * 28) / 255.0
train_scaled, val_scaled, train_target, val_target = train_test_split(
    train_scaled, train_target, test_size=0.2, random_state=42
)
if args.quick:
    train_scaled, train_target = train_scaled[:12000], train_target[:12000]

# The network, as a list of layers.
dense1 = keras.layers.Dense(100, activation="sigmoid", input_shape=(784,), name="hidden")
dense2 = keras.layers.Dense(10, activation="softmax", name="output")
model = keras.Sequential([dense1, dense2], name="clothes")
model.summary()

model.compile(loss="sparse_categorical_crossentropy", metrics=["accuracy"])
history = model.fit(train_scaled, train_target, epochs=2 if args.quick else 5)

loss, accuracy = model.evaluate(val_scaled, val_target)
print(f"validation loss {loss:.4f}, accuracy {accuracy:.4f}")

fig, axis = plt.subplots()
axis.plot(history.epoch, history.history["loss"], label="loss")
axis.plot(history.epoch, history.history["accuracy"], label="accuracy")
axis.set_xticks(history.epoch)
axis.set_xlabel("epoch")
axis.legend()
fig.savefig(args.output / "p0_training.png", bbox_inches="tight")
