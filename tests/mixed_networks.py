"""Networks under mixed_bfloat16, trained by Lamina, on the CPU or a GPU, or by live Keras from the same
words, weights and data.

As a program it trains them in Keras and writes what came out: TensorFlow's own default, the oneDNN kernels,
can only be chosen before it is imported, and the other tests run without them.
"""

import functools
import sys
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Words = tuple[str, tuple[Any, ...], dict[str, Any]]
ROWS, BATCH = 4 * 32 - 5, 32
MIXED = "mixed_bfloat16"
# Forward and backward each layer rounds about four times: factors, result, the gradients at either side.
ROUNDINGS = 4


def layer(kind: str, *args: Any, **kwargs: Any) -> Words:
    return kind, args, kwargs


def dense(units: int, activation: str | None = None, **kwargs: Any) -> Words:
    return layer("Dense", units, activation, **kwargs)


@dataclass(frozen=True)
class Mixed:
    """One network: its layers, its loss and what it is trained with."""

    layers: list[Words]
    loss: str = "sparse_categorical_crossentropy"
    classes: int = 6
    optimizer: tuple[str, dict[str, Any]] = ("SGD", {"learning_rate": 0.05})
    shape: tuple[int, ...] = (40,)
    policy: str = MIXED
    sharp: bool = True  # whether both round at the same places

    def data(self) -> tuple[Array, Array]:
        rng = np.random.default_rng(7)
        x = rng.normal(size=(ROWS, *self.shape)).astype(np.float32)
        if self.loss == "sparse_categorical_crossentropy":
            return x, rng.integers(0, self.classes, ROWS)
        if self.loss == "categorical_crossentropy":
            return x, np.eye(self.classes, dtype=np.float32)[rng.integers(0, self.classes, ROWS)]
        if self.loss == "binary_crossentropy":
            return x, rng.integers(0, 2, (ROWS, self.classes)).astype(np.float32)
        return x, rng.normal(size=(ROWS, self.classes)).astype(np.float32)

    def model(self, keras: Any) -> Any:
        keras.config.set_dtype_policy(self.policy)
        layers = [
            getattr(keras.layers, kind)(*(named(keras, argument) for argument in args), **kwargs)
            for kind, args, kwargs in self.layers
        ]
        keras.config.set_dtype_policy("float32")
        model = keras.Sequential([keras.Input(self.shape), *layers])
        rng = np.random.default_rng(11)
        weights = []
        for weight in model.weights:
            values = rng.normal(size=tuple(weight.shape)) / np.sqrt(weight.shape[0])
            positive = "variance" in weight.path or "stddev" in weight.path
            weights.append(np.abs(values) + 0.5 if positive else values)
        model.set_weights(weights)
        optimizer, options = self.optimizer
        model.compile(
            getattr(keras.optimizers, optimizer)(**options),
            self.loss,
            metrics=["accuracy"] if "entropy" in self.loss else [],
        )
        return model


MOMENTUM = ("SGD", {"learning_rate": 0.05, "momentum": 0.9})
ADAM = ("Adam", {"learning_rate": 1e-3})
EXACT = {"dtype": "float32"}
NETWORKS = {
    "relu": Mixed([dense(70, "relu"), dense(33, "relu"), dense(6, "softmax")]),
    "float32 head": Mixed(
        [dense(70, "relu"), dense(33, "relu"), dense(6, "softmax", **EXACT)], optimizer=ADAM
    ),
    "sigmoid and tanh": Mixed(
        [dense(70, "sigmoid"), dense(33, "tanh"), dense(6, "softmax", **EXACT)], optimizer=MOMENTUM
    ),
    "softmax within": Mixed([dense(20, "softmax"), dense(6, "softmax", **EXACT)], optimizer=MOMENTUM),
    "activation layers": Mixed(
        [
            dense(50),
            layer("Activation", "relu"),
            dense(40, use_bias=False),
            layer("Activation", "sigmoid"),
            dense(30, use_bias=False),
            layer("Activation", "tanh"),
            dense(6),
            layer("Activation", "softmax", **EXACT),
        ],
        optimizer=MOMENTUM,
    ),
    # TensorFlow fuses these two layers where it finds them behind one another, and drops a rounding.
    "activation behind a bias": Mixed(
        [dense(50), layer("Activation", "tanh"), dense(6, "softmax", **EXACT)], sharp=False
    ),
    # So it does here: elu always, the others where it needs no slope, in `predict`.
    "activations that need their input": Mixed(
        [
            dense(50, "elu"),
            dense(40, "gelu"),
            dense(30, "leaky_relu"),
            dense(20, "silu"),
            dense(6, "softmax", **EXACT),
        ],
        optimizer=MOMENTUM,
        sharp=False,
    ),
    "without biases": Mixed(
        [
            dense(50, "tanh", use_bias=False),
            dense(30, "sigmoid", use_bias=False),
            dense(1, "sigmoid", use_bias=False),
        ],
        loss="binary_crossentropy",
        classes=1,
        optimizer=MOMENTUM,
    ),
    "batch normalization": Mixed(
        [
            layer("BatchNormalization"),
            dense(50, use_bias=False),
            layer("BatchNormalization"),
            layer("Activation", "relu"),
            layer("BatchNormalization", **EXACT),
            dense(6, "softmax", **EXACT),
        ]
    ),
    "batch renormalization": Mixed(
        [
            layer("BatchNormalization", renorm=True),
            dense(50, use_bias=False),
            layer("BatchNormalization", renorm=True, renorm_clipping={"rmax": 1.5, "dmax": 0.5}),
            layer("Activation", "relu"),
            dense(6, "softmax", **EXACT),
        ]
    ),
    # The first one's input comes as float32 and stays so; and so does that of the next network's.
    "layer normalization": Mixed(
        [
            layer("LayerNormalization"),
            dense(50, "tanh"),
            layer("LayerNormalization"),
            dense(6, "softmax", **EXACT),
        ]
    ),
    "layer normalization behind float32": Mixed(
        [
            dense(50, "tanh"),
            dense(30, **EXACT),
            layer("LayerNormalization"),
            dense(30),
            layer("LayerNormalization", rms_scaling=True),
            dense(6, "softmax", **EXACT),
        ]
    ),
    "root mean square and group normalization": Mixed(
        [
            layer("RMSNormalization"),
            dense(48, "tanh"),
            layer("GroupNormalization", 4),
            dense(32),
            layer("RMSNormalization"),
            layer("Activation", "relu"),
            dense(6, "softmax", **EXACT),
        ]
    ),
    "constants": Mixed(
        [
            layer("Normalization", mean=list(np.linspace(-1, 1, 40)), variance=list(np.linspace(0.1, 3, 40))),
            dense(30, "tanh"),
            layer("Rescaling", list(np.linspace(-1, 2, 30)), 0.1),
            dense(20, "tanh"),
            layer("Rescaling", 0.3, 0.1),
            dense(20),
            layer("Normalization", mean=0.3, variance=0.7, invert=True),
            dense(6, "softmax", **EXACT),
        ]
    ),
    "flatten": Mixed(
        [layer("Flatten"), layer("Dropout", 0.0), dense(30, "relu"), dense(3)],
        loss="mse",
        classes=3,
        shape=(6, 7),
    ),
    "flatten at the end": Mixed(
        [dense(9, "relu"), dense(2, "sigmoid", **EXACT), layer("Flatten")],
        loss="binary_crossentropy",
        classes=6,
        shape=(3, 8),
    ),
    "float32 between": Mixed(
        [dense(40, "relu"), dense(30, "relu", **EXACT), dense(20, "tanh"), dense(6, "softmax")],
        loss="categorical_crossentropy",
    ),
    "mixed by layer": Mixed(
        [dense(40, "relu", dtype=MIXED), dense(30, "relu"), dense(6, "softmax", dtype=MIXED)],
        policy="float32",
    ),
    "float32 throughout": Mixed([dense(40, "relu"), dense(6, "softmax")], policy="float32"),
}


def activated(first: Words, second: Words) -> Mixed:
    """Two activations that need their input, behind dense layers that TensorFlow fuses with neither; but it
    multiplies by the 1/6 in hard_sigmoid and hard_silu where that costs it least.
    """
    return Mixed(
        [
            dense(50, use_bias=False),
            first,
            dense(40, use_bias=False),
            second,
            dense(6, "softmax", **EXACT),
        ],
        optimizer=MOMENTUM,
        sharp=not {"hard_sigmoid", "hard_silu"} & {*first[1], *second[1]},
    )


NETWORKS |= {
    f"{first[0]} {first[1]} {first[2]}, {second[0]} {second[1]} {second[2]}": activated(first, second)
    for first, second in (
        (layer("Activation", "gelu"), layer("Activation", "silu")),
        (layer("Activation", "elu"), layer("Activation", "selu")),
        (layer("Activation", "leaky_relu"), layer("Activation", "relu6")),
        (layer("Activation", "softplus"), layer("Activation", "softsign")),
        (layer("Activation", "mish"), layer("Activation", "hard_sigmoid")),
        (layer("Activation", "hard_silu"), layer("Activation", "hard_tanh")),
        (layer("Activation", "celu"), layer("Activation", "log_sigmoid")),
        (layer("Activation", "soft_shrink"), layer("Activation", "tanh_shrink")),
        (layer("Activation", "squareplus"), layer("Activation", "hard_shrink")),
        (layer("Activation", "sparse_plus"), layer("Activation", "sparse_sigmoid")),
        (layer("ReLU", 1.5), layer("ReLU", 2.0, 0.1, 0.2)),
        (layer("ELU", 0.5), layer("LeakyReLU", 0.1)),
    )
}


def behind(*second: Words, shape: tuple[int, ...] = (40,), sharp: bool = True) -> Mixed:
    """A layer behind a dense one that TensorFlow does not fuse with it."""
    last = [layer("Flatten")] if len(shape) > 1 else []
    return Mixed(
        [dense(20, use_bias=False), *second, *last, dense(6, "softmax", **EXACT)],
        optimizer=MOMENTUM,
        shape=shape,
        sharp=sharp,
    )


# In float32 and rounded once, where Keras rounds after each operation: not sharp.
NETWORKS |= {
    "softmax along the first axis": behind(layer("Softmax", axis=1), shape=(5, 8)),
    "softmax along two axes": behind(layer("Softmax", axis=(1, 2)), shape=(5, 8), sharp=False),
    "log_softmax": behind(layer("Activation", "log_softmax"), sharp=False),
    "sparsemax": behind(layer("Activation", "sparsemax"), sharp=False),
    # Keras's layers behind it would not know its shape.
    "glu": Mixed(
        [dense(20, "tanh"), dense(12, use_bias=False), layer("Activation", "glu")],
        loss="mse",
        optimizer=MOMENTUM,
    ),
    "prelu": behind(layer("PReLU", alpha_initializer="ones"), sharp=False),
    "prelu of shared alphas": behind(layer("PReLU", shared_axes=[1]), shape=(5, 8), sharp=False),
    "unit normalization": behind(layer("UnitNormalization"), sharp=False),
    "approximate gelu": behind(layer("Activation", "approximate gelu"), sharp=False),
}


def named(keras: Any, argument: Any) -> Any:
    """What a word stands for that is no string of Keras's."""
    if argument != "approximate gelu":
        return argument
    if "lamina" in keras.__name__:
        return functools.partial(keras.activations.gelu, approximate=True)
    return lambda x: keras.activations.gelu(x, approximate=True)


def results(keras: Any, network: Mixed) -> dict[str, Array]:
    """What an epoch of three batches and a short one leaves behind, by name."""
    model = network.model(keras)
    x, y = network.data()
    start = [np.array(weight) for weight in model.get_weights()]
    out = {"predict": model.predict(x, batch_size=BATCH, verbose=0)}
    history = model.fit(x, y, batch_size=BATCH, shuffle=False, verbose=0).history
    out["history"] = np.array([history[name][0] for name in sorted(history)])
    for i, (before, after) in enumerate(zip(start, model.get_weights(), strict=True)):
        out[f"moved {i}"] = np.array(after) - before
    return {name: np.asarray(value, np.float64) for name, value in out.items()}


def all_results(keras: Any) -> dict[str, Array]:
    return {
        f"{name}/{what}": value
        for name, network in NETWORKS.items()
        for what, value in results(keras, network).items()
    }


if __name__ == "__main__":
    import keras as live

    np.savez(sys.argv[1], **all_results(live))
