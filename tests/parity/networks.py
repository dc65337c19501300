"""Networks on which Lamina and Keras are compared: a case is plain data, built by either library from the
same words.
"""

from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Layer = tuple[str, tuple[Any, ...], dict[str, Any]]


def layer(kind: str, *args: Any, **kwargs: Any) -> Layer:
    """One layer in words: the class name in `keras.layers` and its arguments."""
    return (kind, args, kwargs)


@dataclass(frozen=True)
class Head:
    """The end of a network, its loss and the kind of target it wants."""

    layers: list[Layer]
    loss: str
    target: str  # "values" "column" "bits" "bit" "one_hot" "unnormalised" "labels" "label_column"
    outputs: int
    options: dict[str, Any] = field(default_factory=dict)
    metrics: tuple[str, ...] = ("accuracy",)


def _dense(outputs: int, activation: str | None = None, *after: Layer) -> list[Layer]:
    return [layer("Dense", outputs, activation=activation), *after]


_FLATTEN = layer(
    "Flatten"
)  # after a softmax or sigmoid it hides the logits, so that the loss is taken from probabilities
MSE, BCE = "MeanSquaredError", "BinaryCrossentropy"
CCE, SCCE = "CategoricalCrossentropy", "SparseCategoricalCrossentropy"

# Every loss on every path that Keras distinguishes: logits found behind the last activation (of whatever
# kind), logits given, probabilities (with the activation of the other loss, so that taking logits would give
# other numbers).
HEADS = {
    "mse linear": Head(_dense(3), MSE, "values", 3, metrics=("mae", "mse")),
    "mse one unit, flat target": Head(_dense(1, "tanh"), MSE, "column", 1, metrics=("mae",)),
    "mse sum": Head(_dense(2, "sigmoid"), MSE, "values", 2, {"reduction": "sum"}, ("mae", "mse")),
    "mse softmax": Head(_dense(4, "softmax"), MSE, "one_hot", 4),
    "bce": Head(_dense(1, "sigmoid"), BCE, "bit", 1),
    "bce many": Head(
        _dense(3, "sigmoid"), BCE, "bits", 3, {"label_smoothing": 0.2}, ("binary_accuracy", "accuracy")
    ),
    "bce given logits": Head(_dense(2), BCE, "bits", 2, {"from_logits": True}, ("binary_accuracy",)),
    "bce probabilities": Head(_dense(3, "softmax", _FLATTEN), BCE, "bits", 3, metrics=("binary_accuracy",)),
    "bce behind softmax": Head(_dense(3, "softmax"), BCE, "bits", 3, metrics=("binary_accuracy",)),
    "cce": Head(_dense(4, "softmax"), CCE, "one_hot", 4),
    "cce smoothed": Head(_dense(4, "softmax"), CCE, "one_hot", 4, {"label_smoothing": 0.1}, ("acc", "mse")),
    "cce given logits": Head(_dense(3), CCE, "one_hot", 3, {"from_logits": True}, ("categorical_accuracy",)),
    "cce unnormalised target": Head(
        _dense(3, "softmax"), CCE, "unnormalised", 3, metrics=("categorical_accuracy",)
    ),
    "cce probabilities": Head(_dense(4, "sigmoid", _FLATTEN), CCE, "one_hot", 4),
    "cce behind sigmoid": Head([*_dense(3), layer("Activation", "sigmoid")], CCE, "one_hot", 3),
    "cce sum": Head(_dense(3, "softmax"), CCE, "one_hot", 3, {"reduction": "sum"}),
    "scce": Head(_dense(4, "softmax"), SCCE, "labels", 4),
    "scce column": Head([*_dense(5), layer("Activation", "softmax")], SCCE, "label_column", 5),
    "scce given logits": Head(
        _dense(3), SCCE, "labels", 3, {"from_logits": True}, ("sparse_categorical_accuracy",)
    ),
    "scce probabilities": Head(_dense(4, "sigmoid", _FLATTEN), SCCE, "labels", 4),
    "scce behind sigmoid": Head(_dense(3, "sigmoid"), SCCE, "labels", 3),
}
# Flatten would join the positions of a rank-3 output, and labels would no longer fit.
FLAT_HEADS = {name for name, head in HEADS.items() if _FLATTEN in head.layers}


def _batch_norm(**kwargs: Any) -> Layer:
    return layer("BatchNormalization", **kwargs)


# Bodies: input shape and the layers before the head, as a function of the hidden activation `a`. No bias or
# beta is followed by batch normalisation with only linear maps between: its gradient is exactly zero, and
# adaptive optimizers, which divide a gradient by its own size, would turn that rounding noise into full
# steps. `test_special_networks.py` treats the case alone.
BODIES: dict[str, tuple[tuple[int, ...], Any]] = {
    "none": ((9,), lambda a: [layer("Activation", a)]),
    "one dense": ((12,), lambda a: [layer("Dense", 8, activation=a)]),
    "two dense": (
        (7,),
        lambda a: [layer("Dense", 9, activation=a), layer("Dense", 6, activation=a, use_bias=False)],
    ),
    "activation layer": ((5,), lambda a: [layer("Dense", 7), layer("Activation", a)]),
    "batch norm": (
        (6,),
        lambda a: [layer("Dense", 8, use_bias=False), _batch_norm(), layer("Activation", a)],
    ),
    "batch norm options": (
        (6,),
        lambda a: [
            _batch_norm(momentum=0.8, epsilon=1e-2, center=False),
            layer("Dense", 7, activation=a, use_bias=False),
            _batch_norm(scale=False),
        ],
    ),
    "dropout 0": (
        (8,),
        lambda a: [layer("Dropout", 0.0), layer("Dense", 9, activation=a), layer("Dropout", 0.0)],
    ),
    "flatten": ((4, 3), lambda a: [layer("Flatten"), layer("Dense", 8, activation=a)]),
    "rank 3": ((3, 5), lambda a: [layer("Dense", 6, activation=a), layer("Dropout", 0.0)]),
    "rank 3 batch norm": (
        (4, 3),
        lambda a: [layer("Dense", 5, use_bias=False), _batch_norm(), layer("Activation", a)],
    ),
    "rank 3 flattened": ((3, 4), lambda a: [layer("Dense", 5, activation=a), layer("Flatten")]),
    "rank 4": ((2, 2, 4), lambda a: [layer("Dense", 5, activation=a)]),
}
DEEP_BODIES = {"rank 3", "rank 3 batch norm", "rank 4"}  # the head sees more than one position per sample

ACTIVATIONS = ("linear", "relu", "sigmoid", "tanh", "softmax")

OPTIMIZERS: dict[str, tuple[str, dict[str, Any]]] = {
    "sgd": ("SGD", {"learning_rate": 0.1}),
    "sgd momentum": ("SGD", {"learning_rate": 0.05, "momentum": 0.9}),
    "sgd nesterov": ("SGD", {"learning_rate": 0.05, "momentum": 0.8, "nesterov": True}),
    "rmsprop": ("RMSprop", {}),
    "rmsprop momentum": ("RMSprop", {"learning_rate": 2e-3, "rho": 0.8, "momentum": 0.7}),
    "rmsprop centered": ("RMSprop", {"learning_rate": 2e-3, "centered": True, "epsilon": 1e-3}),
    "rmsprop centered momentum": ("RMSprop", {"centered": True, "momentum": 0.5, "epsilon": 1e-4}),
    "adagrad": ("Adagrad", {"learning_rate": 0.05, "initial_accumulator_value": 0.2}),
    "adam": ("Adam", {}),
    "adam options": ("Adam", {"learning_rate": 5e-3, "beta_1": 0.8, "beta_2": 0.9, "epsilon": 1e-4}),
    "adam amsgrad": ("Adam", {"amsgrad": True, "learning_rate": 3e-3}),
}
WEIGHTING = ("none", "sample", "class")


@dataclass(frozen=True)
class Case:
    """One network, its training and its data, in words and a seed."""

    body: str
    activation: str
    head: str
    optimizer: str
    weighting: str
    seed: int
    rows: int = 41
    batch_size: int = 8

    def __str__(self) -> str:
        words = (
            self.body,
            self.activation,
            self.head,
            self.optimizer,
            f"{self.weighting} weights",
            f"seed {self.seed}",
        )
        return ", ".join(words)

    @property
    def positions(self) -> tuple[int, ...]:
        """The axes of the output between the batch and the features."""
        return BODIES[self.body][0][:-1] if self.body in DEEP_BODIES else ()

    @property
    def learning_rate(self) -> float:
        """Keras's default is 0.01 for SGD, which every SGD here overrides, and 0.001 for the others."""
        return float(OPTIMIZERS[self.optimizer][1].get("learning_rate", 1e-3))

    @property
    def is_adaptive(self) -> bool:
        """Whether the optimizer divides the gradient by an average of its size."""
        return OPTIMIZERS[self.optimizer][0] != "SGD"

    @property
    def longest_sum(self) -> int:
        """Rows and positions of an epoch or a batch: more than the features and units of any layer here."""
        return self.rows * int(np.prod(BODIES[self.body][0][:-1]))

    def layers(self) -> list[Layer]:
        return [*BODIES[self.body][1](self.activation), *HEADS[self.head].layers]

    def build(self, keras: ModuleType, **compile_options: Any) -> Any:
        """The compiled model in either library, with the weights of this case."""
        model = keras.Sequential([keras.Input(BODIES[self.body][0])])
        for kind, args, kwargs in self.layers():
            model.add(getattr(keras.layers, kind)(*args, **kwargs))
        head = HEADS[self.head]
        kind, kwargs = OPTIMIZERS[self.optimizer]
        model.compile(
            optimizer=getattr(keras.optimizers, kind)(**kwargs),
            loss=getattr(keras.losses, head.loss)(**head.options),
            metrics=list(head.metrics),
            **compile_options,
        )
        rng = np.random.default_rng([self.seed, 1])
        model.set_weights([initial(weight, rng) for weight in model.get_weights()])
        return model

    def data(self, rows: int, stream: int) -> tuple[Array, Array]:
        """x ~ N(0, 1) and targets of the head's kind."""
        rng = np.random.default_rng([self.seed, stream])
        x = rng.normal(size=(rows, *BODIES[self.body][0]))
        head = HEADS[self.head]
        shape = (rows, *self.positions, head.outputs)
        labels = rng.integers(0, head.outputs, shape[:-1])
        match head.target:
            case "values" | "unnormalised":
                return x, rng.uniform(0.1, 0.9, shape)
            case "column":
                return x, rng.normal(size=shape[:-1] if not self.positions else shape)
            case "bits":
                return x, rng.integers(0, 2, shape)
            case "bit":
                return x, rng.integers(0, 2, shape[:-1] if not self.positions else shape)
            case "one_hot":
                return x, np.eye(head.outputs)[labels]
            case "labels":
                return x, labels
            case "label_column":
                return x, labels[..., None]
        raise AssertionError(head.target)

    def weights_of_rows(self, rows: int) -> dict[str, Any]:
        """The sample_weight or class_weight argument of `fit`. With positions Keras wants a column of sample
        weights.
        """
        if self.weighting == "none":
            return {}
        if self.weighting == "class":
            return {"class_weight": {0: 0.5, 1: 2.0}}
        rng = np.random.default_rng([self.seed, 5])
        weights = rng.uniform(0.0, 2.0, rows)
        return {
            "sample_weight": weights.reshape(-1, *(1 for _ in self.positions)) if self.positions else weights
        }


def initial(like: Array, rng: np.random.Generator) -> Array:
    """Weights away from every special value; gamma and the moving variance stay positive because all vectors
    are near 0.5.
    """
    if like.ndim == 2:
        return rng.normal(size=like.shape, scale=1 / np.sqrt(like.shape[0])).astype(like.dtype)
    return rng.uniform(0.1, 0.9, like.shape).astype(like.dtype)


def case(index: int) -> Case | None:
    """Case number `index`: all pairs of body and head in 12 x 21 numbers, the other factors cycling with
    other periods.

    The periods 5 and 11 are coprime to 21, so that each activation and optimizer also meets each head. None
    where a flattened head would join the positions of a deep body.
    """
    bodies, heads = list(BODIES), list(HEADS)
    body, head = bodies[index // len(heads) % len(bodies)], heads[index % len(heads)]
    if body in DEEP_BODIES and head in FLAT_HEADS:
        return None
    weighting = WEIGHTING[index // 7 % len(WEIGHTING)]
    one_label = HEADS[head].target in ("bit", "labels", "label_column", "one_hot") and body not in DEEP_BODIES
    if weighting == "class" and not one_label:
        weighting = "sample"
    optimizer = list(OPTIMIZERS)[index % len(OPTIMIZERS)]
    return Case(body, ACTIVATIONS[index % len(ACTIVATIONS)], head, optimizer, weighting, index)


def all_cases() -> list[Case]:
    """Every pair of body and head once."""
    return [found for i in range(len(BODIES) * len(HEADS)) if (found := case(i))]


def few_cases(number: int) -> list[Case]:
    """A spread of `all_cases` in which every level of every factor occurs."""
    total = len(BODIES) * len(HEADS)
    # 37 is coprime to the total and to every period, so that its multiples wander through all factors.
    return [found for i in range(number) if (found := case(i * 37 % total))]
