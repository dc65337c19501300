"""P4, second half: the textbook's networks in Keras.

A network with one hidden layer tells malignant from benign tumours (30 features; cross-entropy, then squared
error), another tells ten kinds of clothes apart from one-hot targets. `p4_classes.py` builds them by hand.

    python examples/p4_keras.py [--quick] [--output FOLDER]
"""

import argparse
from pathlib import Path

import matplotlib
import numpy as np

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

import lamina as tf
from lamina.keras import Sequential
from lamina.keras.layers import Dense

options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
options.add_argument("--quick", action="store_true", help="40 epochs on the tumours, 2 on 12,000 pictures")
options.add_argument("--output", type=Path, default=Path(), help="folder for the picture")
args = options.parse_args()
args.output.mkdir(parents=True, exist_ok=True)
tf.keras.utils.set_random_seed(42)

# -- two classes: breast cancer -----------------------------------------------------------------------------
cancer = load_breast_cancer()
x_all, x_test, y_all, y_test = train_test_split(
    cancer.data, cancer.target, stratify=cancer.target, test_size=0.2, random_state=42
)
x_train, x_val, y_train, y_val = train_test_split(
    x_all, y_all, stratify=y_all, test_size=0.2, random_state=42
)
scaler = StandardScaler().fit(x_train)
x_train, x_val = scaler.transform(x_train), scaler.transform(x_val)

for loss in ("binary_crossentropy", "mse"):
    model = Sequential()
    model.add(Dense(10, activation="sigmoid", input_shape=(30,)))
    model.add(Dense(1, activation="sigmoid"))
    assert model.count_params() == 30 * 10 + 10 + 10 * 1 + 1
    model.compile(optimizer=tf.keras.optimizers.SGD(learning_rate=0.5), loss=loss, metrics=["accuracy"])
    model.fit(x_train, y_train, epochs=40 if args.quick else 200, verbose=0)
    accuracy = model.evaluate(x_val, y_val, verbose=0)[1]
    print(f"breast cancer, {loss}: validation accuracy {accuracy:.4f}")

# -- ten classes: Fashion-MNIST -----------------------------------------------------------------------------
(x_all, y_all), (x_test, y_test) = tf.keras.datasets.fashion_mnist.load_data()
x_train, x_val, y_train, y_val = train_test_split(
    x_all, y_all, stratify=y_all, test_size=0.2, random_state=42
)
x_train = x_train.reshape(-1, 784) / 255
x_val = x_val.reshape(-1, 784) / 255
y_train_encoded = tf.keras.utils.to_categorical(y_train)
y_val_encoded = tf.keras.utils.to_categorical(y_val)
if args.quick:
    x_train, y_train_encoded = x_train[:12000], y_train_encoded[:12000]

model = Sequential()
model.add(Dense(100, activation="sigmoid", input_shape=(784,)))
model.add(Dense(10, activation="softmax"))
model.compile(optimizer="sgd", loss="categorical_crossentropy", metrics=["accuracy"])
history = model.fit(
    x_train,
    y_train_encoded,
    epochs=2 if args.quick else 40,
    validation_data=(x_val, y_val_encoded),
)
loss, accuracy = model.evaluate(x_val, y_val_encoded, verbose=0)
agree = np.mean(np.argmax(model.predict(x_val, verbose=0), axis=1) == y_val)
assert abs(agree - accuracy) < 1e-6
print(f"clothes: validation loss {loss:.4f}, accuracy {accuracy:.4f}")

fig, axes = plt.subplots(1, 2, figsize=(10, 4))
for axis, name in zip(axes, ("loss", "accuracy"), strict=True):
    axis.plot(history.epoch, history.history[name], label="training")
    axis.plot(history.epoch, history.history[f"val_{name}"], label="validation")
    axis.set_xlabel("epoch")
    axis.xaxis.set_major_locator(plt.MaxNLocator(integer=True))
    axis.set_title(name)
    axis.legend()
fig.savefig(args.output / "p4_keras.png", bbox_inches="tight")
