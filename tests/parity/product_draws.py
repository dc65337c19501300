"""The whole product, drawn at random: networks, restraints, frozen layers, losses, optimizers with their
options, weights of samples and classes, validation. A draw is plain data, from which either library is built.
"""

from types import ModuleType
from typing import Any

import numpy as np
from hypothesis import strategies as st
from optimizer_draws import RULES, drawn_optimizers, made
from restraint_draws import DENSE, FACTORS, NORM, REGULARIZERS, constraints, spoken

INPUTS, UNITS, CLASSES = 5, 6, 3
ROWS, BATCH, EPOCHS = 22, 6, 2

# Bends and plateaus are met elsewhere: here a number that rounding puts on the other side of one would part
# two trainings that are both right.
ACTIVATIONS = st.sampled_from(["tanh", "sigmoid", "gelu", "silu", "softplus", "elu", "selu", "mish"])


def worded(kind: str, **kwargs: Any) -> st.SearchStrategy[Any]:
    """(class, arguments), some of these drawn."""
    drawn = {
        name: value if isinstance(value, st.SearchStrategy) else st.just(value)
        for name, value in kwargs.items()
    }
    return st.fixed_dictionaries(drawn).map(lambda arguments: (kind, arguments))


BETWEEN = st.one_of(
    NORM.map(lambda arguments: ("BatchNormalization", {**arguments, "momentum": 0.7})),
    NORM.map(lambda arguments: ("LayerNormalization", arguments)),
    worded("RMSNormalization", epsilon=1e-3),
    worded(
        "GroupNormalization", groups=st.sampled_from([1, 2, -1]), gamma_regularizer=REGULARIZERS, epsilon=0.1
    ),
    worded("UnitNormalization"),
    worded("PReLU", alpha_regularizer=REGULARIZERS, alpha_constraint=constraints(None), shared_axes=[1]),
    worded("LeakyReLU", negative_slope=0.2, activity_regularizer=REGULARIZERS),
    worded("Activation", activation=ACTIVATIONS, activity_regularizer=REGULARIZERS),
    worded("ActivityRegularization", l1=FACTORS, l2=FACTORS),
    worded("Rescaling", scale=0.7, offset=0.1),
    worded("Dropout", rate=0.0, activity_regularizer=REGULARIZERS),
)
# Activation, loss and its arguments, kind of targets.
HEADS = st.sampled_from(
    [
        ("softmax", "SparseCategoricalCrossentropy", {}, "labels"),
        (None, "SparseCategoricalCrossentropy", {"from_logits": True}, "labels"),
        ("softmax", "CategoricalCrossentropy", {"label_smoothing": 0.1}, "one_hot"),
        ("softmax", "CategoricalFocalCrossentropy", {}, "one_hot"),
        ("sigmoid", "BinaryCrossentropy", {"label_smoothing": 0.2}, "bits"),
        ("sigmoid", "BinaryFocalCrossentropy", {"apply_class_balancing": True}, "bits"),
        ("softmax", "KLDivergence", {}, "one_hot"),
        ("softplus", "Poisson", {}, "bits"),
        (None, "MeanSquaredError", {}, "values"),
        ("tanh", "Huber", {"delta": 0.5}, "values"),
        (None, "LogCosh", {}, "values"),
        ("tanh", "CosineSimilarity", {}, "values"),
        ("sigmoid", "Dice", {}, "bits"),
    ]
)
METRICS = {
    "labels": ["accuracy"],
    "one_hot": ["accuracy", "AUC", "F1Score"],
    "bits": ["mae", "Precision"],
    "values": ["mae", "R2Score"],
}


@st.composite
def _optimizers(draw: st.DrawFn) -> tuple[str, Any, dict[str, Any]]:
    rule, rate, options = draw(drawn_optimizers())
    if RULES[rule][0] == "Muon" and isinstance(rate, tuple):
        rate = 0.02  # Keras's Muon can't multiply float64 by a schedule's float32
    return rule, rate, options


@st.composite
def products(draw: st.DrawFn) -> dict[str, Any]:
    layers = []
    for _ in range(2):
        # Its output is bent, so that no bias or beta below a batch normalization has a gradient of rounding
        # noise alone, which some optimizers would turn into full steps.
        layers.append(("Dense", {"units": UNITS, "activation": draw(ACTIVATIONS), **draw(DENSE)}))
        layers += draw(st.lists(BETWEEN, max_size=1))
    activation, loss, arguments, target = draw(HEADS)
    layers.append(("Dense", {"units": CLASSES, "activation": activation, **draw(DENSE)}))
    positions = draw(st.sampled_from([1, 1, 2])) if loss != "Dice" else 1
    frozen = draw(st.lists(st.sampled_from([False, False, True]), min_size=5, max_size=5))
    of_one_label = target in ("labels", "one_hot") and positions == 1
    return {
        "layers": layers,
        "frozen": [*frozen[: len(layers) - 1], False],
        "loss": (loss, {**arguments, "reduction": draw(st.sampled_from(["sum_over_batch_size", "sum"]))}),
        "loss_weights": draw(st.sampled_from([None, 0.5])),
        "target": target,
        "positions": positions,
        "optimizer": draw(_optimizers()),
        "undecayed": draw(st.sampled_from([[], ["bias"]])),
        "weighting": draw(st.sampled_from(["none", "sample", *(["class", "class"] if of_one_label else [])])),
        "weighted_validation": draw(st.booleans()),
        "validation_batch": draw(st.sampled_from([4, 40])),
        "seed": draw(st.integers(0, 99)),
    }


def built(keras: ModuleType, product: dict[str, Any], **options: Any) -> Any:
    """The model of one library, compiled, with this draw's weights."""
    positions = product["positions"]
    model = keras.Sequential([keras.Input((INPUTS,) if positions == 1 else (positions, INPUTS))])
    for (kind, kwargs), frozen in zip(product["layers"], product["frozen"], strict=True):
        spelled = {name: spoken(keras, name, value) for name, value in kwargs.items()}
        model.add(getattr(keras.layers, kind)(**spelled))
        model.layers[-1].trainable = not frozen
    optimizer = made(keras, *product["optimizer"])
    if product["undecayed"] and optimizer.weight_decay:
        optimizer.exclude_from_weight_decay(var_names=product["undecayed"])
    kind, kwargs = product["loss"]
    # A metric of the class names has no state to share: each library makes its own.
    metrics = [
        getattr(keras.metrics, name)() if name[0].isupper() else name
        for name in METRICS[product["target"]]
        if product["positions"] == 1 or not name[0].isupper()
    ]
    model.compile(
        optimizer,
        getattr(keras.losses, kind)(**kwargs),
        metrics=metrics,
        weighted_metrics=["mse"] if product["target"] != "labels" else None,
        loss_weights=product["loss_weights"],
        **options,
    )
    rng = np.random.default_rng([product["seed"], 1])
    model.set_weights(
        [
            rng.uniform(0.5, 1.5, weight.shape)
            if "variance" in weight.path
            else rng.normal(0.1, 0.6, weight.shape)
            for weight in model.weights
        ]
    )
    return model


def _data(product: dict[str, Any], rows: int, stream: int) -> tuple[Any, Any]:
    rng = np.random.default_rng([product["seed"], stream])
    places = (rows,) if product["positions"] == 1 else (rows, product["positions"])
    x, labels = rng.normal(size=(*places, INPUTS)), rng.integers(0, CLASSES, places)
    match product["target"]:
        case "labels":
            return x, labels
        case "one_hot":
            return x, np.eye(CLASSES)[labels]
        case "bits":
            return x, rng.integers(0, 2, (*places, CLASSES)).astype("float64")
    return x, rng.normal(0.1, 0.6, (*places, CLASSES))


def _sample_weight(product: dict[str, Any], rows: int, stream: int) -> Any:
    weights = np.random.default_rng([product["seed"], stream]).uniform(0, 2, rows)
    return weights if product["positions"] == 1 else weights[:, None]


def fitted(keras: ModuleType, product: dict[str, Any], **options: Any) -> tuple[Any, dict[str, Any]]:
    """The model after a fit, and all that it reported, predictions included."""
    keras.utils.clear_session()  # metrics are numbered anew, as reports name them
    model = built(keras, product, **options)
    x, y = _data(product, ROWS, 2)
    validation = _data(product, 9, 3)
    arguments: dict[str, Any] = {}
    if product["weighting"] == "sample":
        arguments["sample_weight"] = _sample_weight(product, ROWS, 4)
    elif product["weighting"] == "class":
        arguments["class_weight"] = {0: 0.5, 1: 2.0}
    weights = [_sample_weight(product, 9, 5)] if product["weighted_validation"] else []
    history = model.fit(
        x,
        y,
        BATCH,
        EPOCHS,
        0,
        shuffle=False,
        validation_data=(*validation, *weights),
        validation_batch_size=product["validation_batch"],
        **arguments,
    )
    reported: dict[str, Any] = dict(history.history)
    for name, value in model.evaluate(*validation, verbose=0, return_dict=True).items():
        reported[f"evaluate {name}"] = value
    reported["predict"] = model.predict(validation[0], verbose=0)
    return model, reported


def is_adaptive(product: dict[str, Any]) -> bool:
    """Whether the optimizer divides gradients by their size."""
    return RULES[product["optimizer"][0]][0] != "SGD"
