"""Every loss in training: value and step, from the output that Keras's TensorFlow path sees, with weights,
reductions and loss_weights; losses and metrics of the user's own.
"""

from types import ModuleType
from typing import Any

import numpy as np
import pytest
import test_losses_alone as alone
from networks import initial
from tolerances import assert_close, rounding

ROWS, FEATURES, WIDTH = 10, 5, alone.WIDTH
BOUND = 1e4 * rounding("float64", ROWS * WIDTH)


def build(keras: ModuleType, loss: Any, activation: str | None, **compile_options: Any) -> Any:
    model = keras.Sequential([keras.Input((FEATURES,)), keras.layers.Dense(WIDTH, activation=activation)])
    model.compile(keras.optimizers.SGD(0.125), loss, **compile_options)
    rng = np.random.default_rng(7)
    model.set_weights([initial(weight, rng) for weight in model.get_weights()])
    return model


def steps(model: Any, target: str, weighted: bool, number: int = 2) -> list[Any]:
    """Losses and weights of some steps; the test losses before and after."""
    rng = np.random.default_rng(3)
    x, found = rng.normal(size=(ROWS, FEATURES)), []
    y = alone.targets(target, rng, ROWS)
    weights = {"sample_weight": rng.uniform(0, 2, ROWS)} if weighted else {}
    found.append(model.test_on_batch(x, y, **weights))
    for _ in range(number):
        found += [model.train_on_batch(x, y, **weights), *(np.array(w) for w in model.get_weights())]
    return [*found, model.test_on_batch(x, y)]


def compare(ours: list[Any], theirs: list[Any]) -> None:
    for i, (our, their) in enumerate(zip(ours, theirs, strict=True)):
        assert_close(our, np.asarray(their), BOUND, f"value {i}")


TRAINED = [case for case in alone.CASES if case[1].get("axis") not in (0, (0,))]  # those have no weights


@pytest.mark.parametrize(("name", "arguments", "target"), TRAINED, ids=str)
@pytest.mark.usefixtures("float64")
@pytest.mark.filterwarnings("ignore:.*from_logits")
def test_steps_of_every_loss(
    name: str, arguments: dict[str, Any], target: str, live_keras: ModuleType, lamina_keras: ModuleType
) -> None:
    """On outputs of softmax, sigmoid and tanh; the reduction goes round with them."""
    for activation, weighted, reduction in (
        ("softmax", True, "sum_over_batch_size"),
        ("sigmoid", False, "sum"),
        ("tanh", True, "mean_with_sample_weight"),
    ):
        found = []
        for keras, options in ((lamina_keras, {}), (live_keras, {"run_eagerly": True})):
            loss = getattr(keras.losses, name)(reduction=reduction, **arguments)
            model = build(keras, loss, activation, loss_weights=0.5 if weighted else None, **options)
            found.append(steps(model, target, weighted))
        compare(*found)


@pytest.mark.parametrize("name", ["MeanSquaredError", "Huber", "KLDivergence", "BinaryCrossentropy"])
@pytest.mark.usefixtures("float64")
def test_steps_without_a_reduction(name: str, live_keras: ModuleType, lamina_keras: ModuleType) -> None:
    """The gradient of the sum is taken, and the mean reported."""
    found = []
    for keras, options in ((lamina_keras, {}), (live_keras, {"run_eagerly": True})):
        model = build(keras, getattr(keras.losses, name)(reduction="none"), "sigmoid", **options)
        found.append(steps(model, "bits", True, 1))
    compare(*found)


@pytest.mark.parametrize("loss", ["hinge", "kld", "cosine_similarity", "mape", "poisson"])
def test_outputs_of_rank_3(loss: str, live_keras: ModuleType, lamina_keras: ModuleType) -> None:
    """(n, t, k) against targets of its shape; and (n, t) against (n, t, 1), whose row is then the t."""
    rng = np.random.default_rng(5)
    x = rng.normal(size=(6, 3, 2)).astype("float32")
    for units, shape in ((2, (6, 3, 2)), (1, (6, 3))):
        y = rng.integers(0, 2, shape).astype("float32")
        weights = [rng.normal(size=(2, units)).astype("float32"), np.zeros(units, "float32")]
        found = []
        for keras in (lamina_keras, live_keras):
            model = keras.Sequential([keras.Input((3, 2)), keras.layers.Dense(units, activation="sigmoid")])
            model.compile("sgd", loss)
            model.set_weights(weights)
            found.append([model.train_on_batch(x, y), *model.get_weights(), model.test_on_batch(x, y)])
        for our, their in zip(*found, strict=True):
            assert_close(our, np.asarray(their), 8 * rounding("float32", 36), loss)


def test_fit_in_batches_is_kerass(live_keras: ModuleType, lamina_keras: ModuleType) -> None:
    """Losses that depend on how the rows are cut: bits that stand for signs, ignored classes, batches."""
    rng = np.random.default_rng(6)
    x = rng.normal(size=(50, FEATURES)).astype("float32")
    labels = rng.integers(-1, WIDTH, 50)
    bits = np.where(np.arange(50)[:, None] < 16, rng.integers(0, 2, (50, WIDTH)), 2)
    cases = [
        ("Hinge", {}, bits),
        ("SquaredHinge", {}, bits),
        ("SparseCategoricalCrossentropy", {"ignore_class": -1}, labels),
        ("Dice", {}, rng.integers(0, 2, (50, WIDTH))),
        ("Circle", {"gamma": 2.0}, np.abs(labels)),
    ]
    for name, arguments, y in cases:
        found = []
        for keras in (lamina_keras, live_keras):
            model = build(keras, getattr(keras.losses, name)(**arguments), "sigmoid")
            history = model.fit(
                x, y, batch_size=8, epochs=2, shuffle=False, verbose=0, validation_data=(x, y)
            )
            evaluated = model.evaluate(x, y, batch_size=8, verbose=0)
            found.append([*history.history["loss"], *history.history["val_loss"], evaluated])
            found[-1] += model.get_weights()
        for our, their in zip(*found, strict=True):
            assert_close(our, np.asarray(their), 8 * rounding("float32", 50 * WIDTH, 14), name)


# -- of one's own --------------------------------------------------------------------------------------------
def own_squares(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """The mean squared error, a value per sample."""
    d = y_pred - y_true
    return (d * d).mean(axis=-1), 2 * d / d.shape[-1]


def test_own_loss_trains_as_the_built_in(lamina_keras: ModuleType) -> None:
    keras = lamina_keras

    class Squares(keras.losses.Loss):  # type: ignore[name-defined, misc]
        def call(self, y_true: Any, y_pred: Any) -> Any:
            return own_squares(y_true, y_pred)[0]

        def gradient(self, y_true: Any, y_pred: Any) -> Any:
            return own_squares(y_true, y_pred)[1]

    def of_the_batch(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
        values, gradient = own_squares(y_true, y_pred)
        return values.mean(), gradient / len(values)

    rng = np.random.default_rng(8)
    x, y = rng.normal(size=(40, FEATURES)).astype("float32"), rng.random((40, WIDTH)).astype("float32")
    weights = rng.uniform(0, 2, 40)
    for weighted, losses in ((True, [own_squares, Squares()]), (False, [own_squares, of_the_batch])):
        given = {"sample_weight": weights} if weighted else {}
        found = []
        for loss in ["mse", *losses]:
            model = build(keras, loss, "tanh", loss_weights=0.5, metrics=["mae"])
            history = model.fit(x, y, epochs=3, shuffle=False, verbose=0, **given)
            evaluated = model.evaluate(x, y, verbose=0, **given)
            found.append(
                [*history.history["loss"], *history.history["mae"], *evaluated, *model.get_weights()]
            )
        for others in found[1:]:
            for our, expected in zip(others, found[0], strict=True):
                assert_close(our, np.asarray(expected), rounding("float32", 40, 6), "own loss")


@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum", "mean_with_sample_weight", None])
def test_own_value_for_the_batch_is_weighed_as_in_keras(
    reduction: str | None, live_keras: ModuleType, lamina_keras: ModuleType
) -> None:
    """Each weight multiplies the one value."""
    import tensorflow as tf

    class Theirs(live_keras.losses.Loss):  # type: ignore[name-defined, misc]
        def call(self, y_true: Any, y_pred: Any) -> Any:
            return tf.reduce_mean(tf.square(y_pred - y_true))

    class Ours(lamina_keras.losses.Loss):  # type: ignore[name-defined, misc]
        def call(self, y_true: Any, y_pred: Any) -> Any:
            return own_squares(y_true, y_pred)[0].mean()

        def gradient(self, y_true: Any, y_pred: Any) -> Any:
            return own_squares(y_true, y_pred)[1] / len(y_pred)

    rng = np.random.default_rng(8)
    x, y = rng.normal(size=(22, FEATURES)).astype("float32"), rng.random((22, WIDTH)).astype("float32")
    found = []
    for keras, loss in ((lamina_keras, Ours), (live_keras, Theirs)):
        model = build(keras, loss(reduction=reduction), "tanh", loss_weights=0.5)
        fitted = model.fit(
            x, y, 8, epochs=2, shuffle=False, verbose=0, sample_weight=np.linspace(0, 2, len(x))
        )
        found.append([*fitted.history["loss"], *model.get_weights()])
    for our, their in zip(*found, strict=True):
        assert_close(our, np.asarray(their), 64 * rounding("float32", 22 * WIDTH, 6), str(reduction))


def test_own_loss_takes_any_targets(lamina_keras: ModuleType) -> None:
    """Class numbers for an output of classes, with the metrics of class numbers."""

    def crossentropy(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
        hot = np.eye(WIDTH)[y_true.astype(int)]
        return -np.log((hot * y_pred).sum(-1)), -hot / y_pred

    rng = np.random.default_rng(9)
    x, y = rng.normal(size=(40, FEATURES)).astype("float32"), rng.integers(0, WIDTH, 40)
    found = []
    for loss in (crossentropy, "sparse_categorical_crossentropy"):
        model = build(lamina_keras, loss, "softmax", metrics=["accuracy"])
        history = model.fit(x, y, epochs=2, shuffle=False, verbose=0).history
        found.append([*history["loss"], *history["accuracy"], *model.get_weights()])
    for our, expected in zip(*found, strict=True):
        assert_close(our, np.asarray(expected), 4 * rounding("float32", 40, 4), "own loss of classes")


def test_a_loss_without_a_gradient_says_why(lamina_keras: ModuleType) -> None:
    keras = lamina_keras
    x, y = np.zeros((4, FEATURES), "float32"), np.zeros((4, WIDTH), "float32")

    class NoGradient(keras.losses.Loss):  # type: ignore[name-defined, misc]
        def call(self, y_true: Any, y_pred: Any) -> Any:
            return abs(y_true - y_pred).mean(-1)

    with pytest.raises(ValueError, match="no automatic differentiation"):
        build(keras, NoGradient(), None)
    model = build(keras, lambda y_true, y_pred: abs(y_true - y_pred).mean(-1), None)
    before = model.get_weights()
    with pytest.raises(TypeError, match="no automatic differentiation"):
        model.fit(x, y, verbose=0)
    model = build(keras, lambda y_true, y_pred: (0.0, y_pred[:, 0]), None)
    with pytest.raises(ValueError, match=r"gradient: expected y_pred's shape \(4, 4\), got \(4,\)"):
        model.fit(x, y, verbose=0)
    for ours, expected in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(ours, expected)
    with pytest.raises(ValueError, match="loss_weights: expected one weight for one loss, got 2"):
        build(keras, "mse", None, loss_weights=[1.0, 2.0])
