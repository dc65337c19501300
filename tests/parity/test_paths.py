"""Where Keras's losses part ways: saturated outputs, clipped probabilities, what hides the logits and what
does not.
"""

from types import ModuleType
from typing import Any

import networks
import numpy as np
import pytest
from networks import Layer, layer
from tolerances import assert_close, rounding

ROWS, FEATURES = 24, 6
LOSSES = {
    "categorical": ("CategoricalCrossentropy", {}),
    "categorical, logits": ("CategoricalCrossentropy", {"from_logits": True}),
    "sparse": ("SparseCategoricalCrossentropy", {}),
    "sparse, logits": ("SparseCategoricalCrossentropy", {"from_logits": True}),
    "binary": ("BinaryCrossentropy", {}),
    "binary, logits": ("BinaryCrossentropy", {"from_logits": True}),
}
# Dropout of rate 0 and a linear activation hand the same tensor on, and with it the logits; the others make a
# new one.
ENDS: dict[str, list[Layer]] = {
    "softmax": [layer("Dense", 3, activation="softmax")],
    "sigmoid": [layer("Dense", 3, activation="sigmoid")],
    "relu": [layer("Dense", 3, activation="relu")],
    "softmax, linear": [layer("Dense", 3, activation="softmax"), layer("Activation", "linear")],
    "sigmoid, dropout 0": [layer("Dense", 3, activation="sigmoid"), layer("Dropout", 0.0)],
    "softmax, flatten": [layer("Dense", 3, activation="softmax"), layer("Flatten")],
    "sigmoid, relu": [layer("Dense", 3, activation="sigmoid"), layer("Activation", "relu")],
    "softmax, softmax": [layer("Dense", 3, activation="softmax"), layer("Activation", "softmax")],
    "softmax, batch norm": [layer("Dense", 3, activation="softmax"), layer("BatchNormalization")],
    "linear, softmax, dropout 0": [layer("Dense", 3), layer("Activation", "softmax"), layer("Dropout", 0.0)],
}


def _build(keras: ModuleType, end: list[Layer], loss: str, scale: float, **compile_options: Any) -> Any:
    model = keras.Sequential([keras.Input((FEATURES,))])
    for kind, args, kwargs in end:
        model.add(getattr(keras.layers, kind)(*args, **kwargs))
    kind, kwargs = LOSSES[loss]
    model.compile(keras.optimizers.SGD(0.125), getattr(keras.losses, kind)(**kwargs), **compile_options)
    rng = np.random.default_rng(7)
    weights = [networks.initial(weight, rng) for weight in model.get_weights()]
    weights[0] *= scale
    model.set_weights(weights)
    return model


def _targets(loss: str, rng: np.random.Generator) -> Any:
    if loss.startswith("binary"):
        return rng.integers(0, 2, (ROWS, 3))
    labels = rng.integers(0, 3, ROWS)
    return labels if loss.startswith("sparse") else np.eye(3)[labels]


@pytest.mark.parametrize("scale", [1.0, 6.0], ids=["moderate", "saturated"])
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("end", ENDS)
@pytest.mark.usefixtures("float64")
@pytest.mark.filterwarnings("ignore:.*from_logits")
def test_which_numbers_the_loss_sees(
    end: str, loss: str, scale: float, live_keras: ModuleType, lamina_keras: ModuleType
) -> None:
    """Loss, gradient (as a step of plain SGD) and test loss, with outputs beyond the clip at 1e-7 in the
    saturated half.
    """
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(ROWS, FEATURES)), _targets(loss, rng)
    results = []
    for keras, options in ((lamina_keras, {}), (live_keras, {"run_eagerly": True})):
        model = _build(keras, ENDS[end], loss, scale, **options)
        before = model.test_on_batch(x, y)
        results.append([before, model.train_on_batch(x, y), *model.get_weights()])
    # The step at a clipped probability is 1 / 1e-7 times the derivative of the activation, which is a
    # difference of numbers near 1.
    bound = rounding("float64", ROWS) * 1e4
    for i, (ours, theirs) in enumerate(zip(*results, strict=True)):
        assert_close(
            ours, theirs, bound, ("test loss", "training loss", *(f"weight {j}" for j in range(9)))[i]
        )


@pytest.mark.parametrize("loss", ["categorical", "binary"])
@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
def test_dropout_at_the_end_hides_the_logits_in_training_only(
    activation: str, loss: str, live_keras: ModuleType, lamina_keras: ModuleType
) -> None:
    """With a rate so small that nothing is dropped, training takes probabilities, and evaluation still the
    logits.
    """
    end = [layer("Dense", 3, activation=activation), layer("Dropout", 1e-9)]
    rng = np.random.default_rng(4)
    x, y = rng.normal(size=(ROWS, FEATURES)).astype("float32"), _targets(loss, rng)
    theirs = _build(live_keras, end, loss, 1.0, run_eagerly=True)
    ours = _build(lamina_keras, end, loss, 1.0)
    bound = rounding("float32", ROWS)
    assert_close(ours.test_on_batch(x, y), theirs.test_on_batch(x, y), bound, "test loss")
    assert_close(ours.train_on_batch(x, y), theirs.train_on_batch(x, y), bound, "training loss")
    for i, (our, their) in enumerate(zip(ours.get_weights(), theirs.get_weights(), strict=True)):
        assert_close(our, their, bound, f"weight {i}")


@pytest.mark.parametrize("with_axis", [False, True], ids=["(n, t)", "(n, t, 1)"])
def test_targets_without_the_last_axis_hide_the_logits(
    with_axis: bool, live_keras: ModuleType, lamina_keras: ModuleType
) -> None:
    """Against an output (n, t, 1), targets (n, t) make Keras squeeze the output, which loses the logits; (n,
    t, 1) do not.
    """
    rng = np.random.default_rng(5)
    x = rng.normal(size=(8, 4, 2)).astype("float32")
    y = rng.integers(0, 2, (8, 4, 1) if with_axis else (8, 4))
    weights = [np.array([[35.0], [-21.0]], "float32"), np.array([0.5], "float32")]
    found = []
    for keras in (lamina_keras, live_keras):
        model = keras.Sequential([keras.Input((4, 2)), keras.layers.Dense(1, activation="sigmoid")])
        model.compile("sgd", "binary_crossentropy", metrics=["accuracy"])
        model.set_weights(weights)
        found.append(model.evaluate(x, y, verbose=0))
    # Some probabilities lie near 1 - 2^-23, where the logarithm of 1 - p has few digits: its error is the
    # rounding of p over 1 - p.
    assert_close(
        found[0],
        found[1],
        rounding("float32", 32) + (0 if with_axis else 2**-24 / 2**-10),
        "loss and accuracy",
    )


def test_from_logits_behind_a_softmax_warns(lamina_keras: ModuleType) -> None:
    """Keras takes the logits all the same, and says that the output does not look like logits."""
    x = np.zeros((4, FEATURES), "float32")
    model = _build(lamina_keras, ENDS["softmax"], "sparse, logits", 1.0)
    with pytest.warns(UserWarning, match="from_logits"):
        model.train_on_batch(x, np.zeros(4, int))
