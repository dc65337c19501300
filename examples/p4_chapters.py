"""P4: the classes of `p4_classes.py` on the book's data, chapter by chapter.

In full length it prints the accuracies that the book prints.

    python examples/p4_chapters.py [--quick] [--output FOLDER]
"""

import argparse
import time
from pathlib import Path

import matplotlib
import numpy as np

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from p4_classes import (
    DualLayer,
    MinibatchNetwork,
    MultiClassNetwork,
    PerSampleLayer,
    RandomInitNetwork,
    SingleLayer,
)
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from lamina import ops
from lamina.keras import datasets, utils


def split(x, y):
    """A fifth off for validation, with the classes in proportion."""
    return train_test_split(x, y, stratify=y, test_size=0.2, random_state=42)


def load_cancer():
    """455 samples of 30 raw features and their classes; the 114 that are left out are the book's test set."""
    cancer = load_breast_cancer()
    x_all, _, y_all, _ = split(cancer.data, cancer.target)
    return x_all, y_all


def load_clothes(count):
    """Fashion-MNIST, rows of 784 values from 0 to 1 and one-hot targets: `count` of them to train."""
    (x_all, y_all), _ = datasets.fashion_mnist.load_data()
    x_train, x_val, y_train, y_val = split(x_all, y_all)
    x_train, y_train = x_train[:count], y_train[:count]
    x_train, x_val = x_train.reshape(-1, 784) / 255, x_val.reshape(-1, 784) / 255
    return x_train, x_val, utils.to_categorical(y_train), utils.to_categorical(y_val)


def ten_fold_score(x, y, epochs):
    """Mean accuracy of `PerSampleLayer(l2=0.01)` over ten folds, each scaled by its own training part."""
    size = len(x) // 10
    scores = []
    for first in range(0, 10 * size, size):
        held = np.zeros(len(x), dtype=bool)
        held[first : first + size] = True
        scaler = StandardScaler().fit(x[~held])
        layer = PerSampleLayer(l2=0.01)
        layer.fit(scaler.transform(x[~held]), y[~held], epochs=epochs)
        scores.append(layer.score(scaler.transform(x[held]), y[held]))
    return np.mean(scores)


def run(title, network, data, epochs):
    """Train, and print the time and the validation accuracy."""
    x_train, x_val, y_train, y_val = data
    start = time.perf_counter()
    network.fit(x_train, y_train, epochs=epochs, x_val=x_val, y_val=y_val)
    seconds = time.perf_counter() - start
    score = network.score(x_val, y_val)
    print(f"{title:56} {epochs:6} epochs {seconds:7.2f} s  accuracy {score:.7f}", flush=True)


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--quick", action="store_true", help="a tenth of the epochs, 12,000 pictures")
    options.add_argument("--output", type=Path, default=Path(), help="folder for the picture")
    args = options.parse_args()
    args.output.mkdir(parents=True, exist_ok=True)
    part = 10 if args.quick else 1

    print("softmax of (2.20, 1.39, 0.85):", ops.softmax(np.array([2.20, 1.39, 0.85])).round(2))
    print("softmax of (0.0, -1.39, -2.20):", ops.softmax(np.array([0.0, -1.39, -2.20])).round(2))
    print("sigmoid of 2.20:", ops.sigmoid(np.array([2.20])).round(1))

    x_all, y_all = load_cancer()
    x_train, x_val, y_train, y_val = raw = split(x_all, y_all)
    scaler = StandardScaler().fit(x_train)
    scaled = scaler.transform(x_train), scaler.transform(x_val), y_train, y_val

    print("\nChapter 5: breast cancer, one neuron, one sample at a time")
    run("PerSampleLayer, raw features", PerSampleLayer(), raw, 100)
    run("PerSampleLayer, scaled features", PerSampleLayer(), scaled, 100)
    run("PerSampleLayer, stopped early", PerSampleLayer(), scaled, 20)
    run("PerSampleLayer(l1=0.001)", PerSampleLayer(l1=0.001), scaled, 20)
    run("PerSampleLayer(l2=0.01)", PerSampleLayer(l2=0.01), scaled, 50)
    print(f"ten folds, mean accuracy {ten_fold_score(x_all, y_all, epochs=50):.7f}")

    fig, (left, right) = plt.subplots(1, 2, figsize=(11, 4))
    print("\nChapter 6: all samples at once, a hidden layer, mini-batches")
    networks = {
        "SingleLayer": (SingleLayer(l2=0.01), 10000 // part),
        "DualLayer": (DualLayer(l2=0.01), 20000 // part),
        "RandomInitNetwork": (RandomInitNetwork(l2=0.01), 500),
        "MinibatchNetwork, batches of 32": (MinibatchNetwork(l2=0.01, batch_size=32), 500),
        "MinibatchNetwork, batches of 128": (MinibatchNetwork(l2=0.01, batch_size=128), 500),
    }
    for title, (network, epochs) in networks.items():
        run(f"{title}, l2=0.01", network, scaled, epochs)
        left.plot(network.losses, label=title)
        left.plot(network.val_losses, ":", color=left.lines[-1].get_color())

    print("\nChapter 7: Fashion-MNIST, ten classes")
    clothes = load_clothes(12000 if args.quick else 48000)
    for scalar in (True, False):
        network = MultiClassNetwork(units=100, batch_size=256, scalar_output_bias=scalar)
        title = f"MultiClassNetwork, {'one number' if scalar else 'a vector'} at the output bias"
        run(title, network, clothes, 40 // part)
        right.plot(network.losses, label=title)
        right.plot(network.val_losses, ":", color=right.lines[-1].get_color())

    left.set_title("breast cancer (dotted: validation)")
    left.set_xlim(0, 500)
    left.set_ylim(0, 0.8)
    right.set_title("Fashion-MNIST (dotted: validation)")
    for axis in (left, right):
        axis.set_xlabel("epoch")
        axis.set_ylabel("loss")
        axis.legend(fontsize=8)
    fig.savefig(args.output / "p4_chapters.png", bbox_inches="tight")


if __name__ == "__main__":
    main()
