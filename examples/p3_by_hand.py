"""P3, second half: the classifier of `p3_by_keras.py` built by hand on `lamina.ops`.

784 inputs, 50 hidden units, 10 softmax outputs; batches of 100, drawn with replacement; gradient
descent. The forward and backward passes stand here, the kernels they call are Lamina's own.

    python examples/p3_by_hand.py [--quick] [--output FOLDER] [--activation sigmoid|tanh|relu]
                                  [--loss crossentropy|mse]
"""

# ruff: noqa: NPY002 - random numbers as courses draw them

import argparse
import time
from pathlib import Path

import matplotlib
import numpy as np

matplotlib.use("Agg")
import matplotlib.pyplot as plt

from lamina import ops
from lamina.keras import datasets

# Learning rates: the squared error is a mean over ten outputs, mostly near zero: its gradients are small.
LOSSES = {"crossentropy": 0.1, "mse": 2.0}

ACTIVATIONS = {
    "sigmoid": (ops.sigmoid, ops.sigmoid_grad),
    "tanh": (ops.tanh, ops.tanh_grad),
    "relu": (ops.relu, ops.relu_grad),
}


def init_params(inputs, hidden, outputs, weight_init_std=0.01, dtype=np.float32):
    """Weights w1, b1, w2, b2: normal with the given deviation, biases zero."""
    w1 = weight_init_std * np.random.randn(inputs, hidden)
    w2 = weight_init_std * np.random.randn(hidden, outputs)
    return [p.astype(dtype) for p in (w1, np.zeros(hidden), w2, np.zeros(outputs))]


def affine_layer_forward(x, w, b):
    """y = x w + b, and what the backward pass needs."""
    return ops.dense(x, w, b), (x, w)


def affine_layer_backward(dy, cache, input_gradient=True):
    """Gradients at x (if wanted), w and b: dx = dy wᵀ, dw = xᵀ dy, db = sum of dy over the rows."""
    x, w = cache
    return ops.dense_grad(x, w, dy, input_gradient=input_gradient)


def predict(x, params, activation="sigmoid"):
    """Class probabilities."""
    w1, b1, w2, b2 = params
    a1, _ = affine_layer_forward(x, w1, b1)
    a2, _ = affine_layer_forward(ACTIVATIONS[activation][0](a1), w2, b2)
    return ops.softmax(a2)


def train_step(x, t, params, learning_rate=0.1, activation="sigmoid", loss="crossentropy"):
    """One step of gradient descent on a batch; changes `params` in place and returns the loss before it.

    x: pictures (n, 784); t: one-hot targets (n, 10).
    """
    w1, b1, w2, b2 = params
    function, function_grad = ACTIVATIONS[activation]

    a1, cache1 = affine_layer_forward(x, w1, b1)
    z1 = function(a1)
    a2, cache2 = affine_layer_forward(z1, w2, b2)
    y = ops.softmax(a2)

    if loss == "crossentropy":
        value = ops.categorical_crossentropy(t, y)
        da2 = (y - t) / len(x)  # the gradients of softmax and cross-entropy, together
    else:
        value = ops.mean_squared_error(t, y)
        da2 = ops.softmax_grad(y, ops.mean_squared_error_grad(t, y))

    dz1, dw2, db2 = affine_layer_backward(da2, cache2)
    da1 = function_grad(z1, dz1)
    _, dw1, db1 = affine_layer_backward(da1, cache1, input_gradient=False)

    for p, dp in zip(params, (dw1, db1, dw2, db2), strict=True):
        ops.sgd_step(p, dp, learning_rate)
    return value


def accuracy(x, labels, params, activation="sigmoid"):
    return np.mean(np.argmax(predict(x, params, activation), axis=1) == labels)


def load_pictures():
    """Float32 rows of 784 values from 0 to 1, and labels, of MNIST or, without it, Fashion-MNIST."""
    try:
        sets = datasets.mnist.load_data()
    except OSError as reason:
        print(f"Fashion-MNIST instead of MNIST: {reason}")
        sets = datasets.fashion_mnist.load_data()
    return [((x.reshape(-1, 784) / 255.0).astype(np.float32), labels) for x, labels in sets]


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--quick", action="store_true", help="3,000 steps instead of 50,000")
    options.add_argument("--activation", choices=ACTIVATIONS, default="sigmoid")
    options.add_argument("--loss", choices=LOSSES, default="crossentropy")
    options.add_argument("--output", type=Path, default=Path(), help="folder for the picture")
    args = options.parse_args()
    args.output.mkdir(parents=True, exist_ok=True)

    np.random.seed(42)
    (x_train, y_train), (x_test, y_test) = load_pictures()
    t_train = np.eye(10, dtype=np.float32)[y_train]
    params = init_params(784, 50, 10)

    steps, batch_size, every = 3000 if args.quick else 50000, 100, 600
    losses, rows = [], []
    seconds = 0.0
    for step in range(steps):
        start = time.perf_counter()
        batch = np.random.choice(len(x_train), batch_size)
        loss = train_step(
            x_train[batch], t_train[batch], params, LOSSES[args.loss], args.activation, args.loss
        )
        seconds += time.perf_counter() - start
        losses.append(loss)
        if step % every == 0 or step == steps - 1:
            train = accuracy(x_train, y_train, params, args.activation)
            test = accuracy(x_test, y_test, params, args.activation)
            rows.append((step, train, test))
            print(f"step {step:6}  loss {loss:.4f}  training accuracy {train:.4f}  test accuracy {test:.4f}")
    print(f"{steps:,} steps in {seconds:.2f} s, {seconds / steps * 1e6:.0f} µs each")
    print(f"test accuracy {rows[-1][2]:.4f}")

    fig, (left, right) = plt.subplots(1, 2, figsize=(10, 4))
    left.plot(losses, linewidth=0.5, alpha=0.4)
    window = min(200, len(losses))
    means = np.convolve(losses, np.ones(window) / window, "valid")
    left.plot(np.arange(len(means)) + window // 2, means)
    left.set_title(f"{args.loss} of the batches, mean over {window}")
    at, train, test = zip(*rows, strict=True)
    right.plot(at, train, label="training")
    right.plot(at, test, label="test")
    right.set_title("accuracy")
    right.legend()
    for axis in (left, right):
        axis.set_xlabel("step")
    fig.savefig(args.output / "p3_by_hand.png", bbox_inches="tight")


if __name__ == "__main__":
    main()
