"""Losses on numpy arrays, against live Keras and against formulas in float64."""

import itertools

import numpy as np
import pytest
from tolerances import rounding

from lamina.keras import losses


@pytest.fixture
def keras(live_keras):
    return live_keras


def close(ours, theirs, values, scale=1.0):
    """Equal to rounding, of sums over `values` numbers of size `scale`."""
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    assert (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape)
    bound = rounding(ours.dtype, values)
    np.testing.assert_allclose(ours, theirs, rtol=bound, atol=bound * scale)


def draw(kind, shape, rng, from_logits, dtype="float32"):
    if kind == "mean_squared_error":
        return rng.normal(size=shape).astype(dtype), rng.normal(size=shape).astype(dtype)
    z = 3 * rng.normal(size=shape)
    if kind == "binary_crossentropy":
        return (rng.random(shape) < 0.5).astype(dtype), (z if from_logits else 1 / (1 + np.exp(-z))).astype(
            dtype
        )
    p = np.exp(z) / np.exp(z).sum(-1, keepdims=True)
    labels = rng.integers(0, shape[-1], shape[:-1])
    y = labels if kind == "sparse_categorical_crossentropy" else np.eye(shape[-1], dtype=dtype)[labels]
    return y, (z if from_logits else p).astype(dtype)


KINDS = [
    "mean_squared_error",
    "binary_crossentropy",
    "categorical_crossentropy",
    "sparse_categorical_crossentropy",
]
CLASSES = {
    "mean_squared_error": "MeanSquaredError",
    "binary_crossentropy": "BinaryCrossentropy",
    "categorical_crossentropy": "CategoricalCrossentropy",
    "sparse_categorical_crossentropy": "SparseCategoricalCrossentropy",
}


def cases():
    for kind in KINDS:
        logits = [False] if kind == "mean_squared_error" else [False, True]
        smoothing = [0.0, 0.1] if kind in ("binary_crossentropy", "categorical_crossentropy") else [0.0]
        for from_logits, smooth in itertools.product(logits, smoothing):
            arguments = {}
            if kind != "mean_squared_error":
                arguments["from_logits"] = from_logits
            if smooth:
                arguments["label_smoothing"] = smooth
            yield kind, arguments


@pytest.mark.parametrize(
    ("kind", "arguments", "shape"),
    [
        (kind, arguments, shape)
        for kind, arguments in cases()
        for shape in [(7, 4), (7, 1), (5, 3, 4), (1, 10)]
        if shape[-1] > 1 or "categorical" not in kind  # one class has no cross-entropy
    ],
)
def test_functions_give_kerass_values_per_sample(keras, kind, arguments, shape):
    rng = np.random.default_rng(1)
    for dtype in ("float32", "float64"):
        y, p = draw(kind, shape, rng, arguments.get("from_logits", False), dtype)
        ours = getattr(losses, kind)(y, p, **arguments)
        theirs = getattr(keras.losses, kind)(y, p, **arguments).numpy()
        close(ours, theirs, shape[-1])
        assert ours.dtype == dtype


@pytest.mark.parametrize(
    "reduction", ["sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none", None]
)
@pytest.mark.parametrize("weights", [None, "rows", "column", "zeros"])
@pytest.mark.parametrize(("kind", "arguments"), list(cases()))
def test_classes_reduce_as_keras_does(keras, kind, arguments, weights, reduction):
    rng = np.random.default_rng(2)
    shape = (9, 5)
    y, p = draw(kind, shape, rng, arguments.get("from_logits", False))
    weight = {None: None, "rows": rng.random(9), "column": rng.random((9, 1)), "zeros": np.zeros(9)}[weights]
    ours = getattr(losses, CLASSES[kind])(reduction=reduction, **arguments)(y, p, sample_weight=weight)
    theirs = getattr(keras.losses, CLASSES[kind])(reduction=reduction, **arguments)(
        y, p, sample_weight=weight
    ).numpy()
    close(ours, theirs, 45, scale=9)


@pytest.mark.parametrize(
    ("y_shape", "p_shape"),
    [
        ((6,), (6, 1)),
        ((6, 1), (6,)),
        ((6,), (6,)),
        ((6, 1), (6, 1)),
        ((4, 3), (4, 3, 1)),
        ((4, 3, 1), (4, 3)),
    ],
)
@pytest.mark.parametrize("name", ["MeanSquaredError", "BinaryCrossentropy"])
def test_ranks_are_matched_never_broadcast(keras, name, y_shape, p_shape):
    rng = np.random.default_rng(3)
    y, p = (rng.random(y_shape) < 0.5).astype("float32"), rng.random(p_shape).astype("float32")
    for weight in (None, rng.random(y_shape[0])):
        if weight is not None and len(y_shape) != len(p_shape) and 3 in y_shape:
            continue  # Keras lays a weight per sample over the last axis there and fails
        ours = getattr(losses, name)()(y, p, sample_weight=weight)
        close(ours, getattr(keras.losses, name)()(y, p, sample_weight=weight).numpy(), 12)


@pytest.mark.parametrize("y_shape", [(5,), (5, 1)])
@pytest.mark.parametrize("dtype", ["int64", "uint8", "float32", "bool"])
def test_sparse_labels_of_any_shape_and_dtype(keras, y_shape, dtype):
    rng = np.random.default_rng(4)
    y = rng.integers(0, 2, y_shape).astype(dtype)
    p = rng.random((5, 3)).astype("float32")  # rows that don't sum to 1
    ours = losses.SparseCategoricalCrossentropy()(y, p)
    close(ours, keras.losses.SparseCategoricalCrossentropy()(y, p).numpy(), 15)


def test_sample_weight_of_a_sequence_weighs_samples():
    """(n,) weights on (n, p, k) outputs: where n == p Keras would lay them over the positions."""
    rng = np.random.default_rng(5)
    y, p, weight = rng.random((3, 3, 2)), rng.random((3, 3, 2)), np.array([1.0, 0.0, 0.0])
    expected = ((y - p) ** 2).mean(-1)[0].sum() / 9
    np.testing.assert_allclose(
        losses.MeanSquaredError(dtype="float64")(y, p, sample_weight=weight), expected, rtol=1e-14
    )


@pytest.mark.parametrize(
    ("kind", "arguments"), [case for case in cases() if "label_smoothing" not in case[1]]
)
@pytest.mark.parametrize("value", [0.0, 1.0, 1e-9, float("nan"), float("inf"), -float("inf")])
def test_edge_values(keras, kind, arguments, value):
    p = np.array([[value, 1 - value if np.isfinite(value) else 0.5, 0.0], [0.2, 0.3, 0.5]], "float32")
    for label in (0, 1):
        y = np.array([label, 1])
        y = y if kind.startswith("sparse") else np.eye(3, dtype="float32")[y]
        ours = getattr(losses, kind)(y, p, **arguments)
        theirs = getattr(keras.losses, kind)(y, p, **arguments).numpy()
        close(ours, theirs, 3)


@pytest.mark.parametrize("kind", KINDS)
def test_nan_is_never_hidden(kind):
    rng = np.random.default_rng(6)
    for from_logits in (False, True):
        y, p = draw(kind, (4, 3), rng, from_logits)
        p[1] = np.nan
        arguments = {} if kind == "mean_squared_error" else {"from_logits": from_logits}
        rows = getattr(losses, kind)(y, p, **arguments)
        assert np.isnan(rows[1])
        assert np.isfinite(rows[[0, 2, 3]]).all()


def test_formulas_in_float64():
    rng = np.random.default_rng(7)
    z = rng.normal(size=(6, 4))
    p = np.exp(z) / np.exp(z).sum(1, keepdims=True)
    labels = rng.integers(0, 4, 6)
    expected = -np.log(p[np.arange(6), labels])
    for y, name in (
        (labels, "sparse_categorical_crossentropy"),
        (np.eye(4)[labels], "categorical_crossentropy"),
    ):
        np.testing.assert_allclose(getattr(losses, name)(y, z, from_logits=True), expected, rtol=1e-14)
        np.testing.assert_allclose(getattr(losses, name)(y, p), expected, rtol=1e-14)
    s = 1 / (1 + np.exp(-z))
    t = np.eye(4)[labels]
    expected = -(t * np.log(s) + (1 - t) * np.log(1 - s)).mean(1)
    np.testing.assert_allclose(losses.binary_crossentropy(t, z, from_logits=True), expected, rtol=1e-13)
    np.testing.assert_allclose(losses.binary_crossentropy(t, s), expected, rtol=1e-13)


def test_huge_logits_do_not_overflow():
    z = np.array([[1e4, -1e4, 0.0]], "float32")
    assert losses.categorical_crossentropy(np.array([[0, 1, 0]]), z, from_logits=True)[0] == 2e4
    assert losses.sparse_categorical_crossentropy(np.array([0]), z, from_logits=True)[0] == 0
    assert losses.binary_crossentropy(np.array([[0, 0, 1]]), z, from_logits=True)[0] == pytest.approx(
        3333.5645, rel=1e-6
    )


def test_inputs_are_not_modified():
    rng = np.random.default_rng(8)
    for kind, arguments in cases():
        y, p = draw(kind, (4, 3), rng, arguments.get("from_logits", False))
        before = y.copy(), p.copy()
        y.flags.writeable = p.flags.writeable = False
        getattr(losses, CLASSES[kind])(**arguments)(y, p, sample_weight=np.ones(4))
        assert (before[0] == y).all()
        assert (before[1] == p).all()


@pytest.mark.parametrize("identifier", [*KINDS, *CLASSES.values(), "mse", "MSE", "bce", "BCE"])
def test_get_by_every_name(keras, identifier):
    ours, theirs = losses.get(identifier), keras.losses.get(identifier)
    assert isinstance(ours, losses.Loss) == isinstance(theirs, keras.losses.Loss)
    assert getattr(ours, "name", None) == getattr(theirs, "name", None)
    assert getattr(ours, "__name__", None) == getattr(theirs, "__name__", None)


def test_config_round_trip(keras):
    for kind, arguments in cases():
        loss = getattr(losses, CLASSES[kind])(reduction="sum", **arguments)
        theirs = getattr(keras.losses, CLASSES[kind])(reduction="sum", **arguments)
        assert losses.serialize(loss) == keras.losses.serialize(theirs)
        again = losses.get(losses.serialize(loss))
        assert type(again) is type(loss)
        assert again.get_config() == loss.get_config()
    assert losses.deserialize(losses.serialize(losses.mean_squared_error)) is losses.mean_squared_error
    assert losses.serialize(losses.mean_squared_error) == keras.losses.serialize(
        keras.losses.mean_squared_error
    )


def test_resolve_gives_what_the_core_computes():
    for name in (
        "mse",
        "mean_squared_error",
        "MeanSquaredError",
        losses.mean_squared_error,
        losses.MeanSquaredError,
    ):
        assert losses.resolve(name).core_kind == "mean_squared_error"
    own = losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1, reduction="sum")
    resolved = losses.resolve(own)
    assert resolved is own
    assert resolved.core_reduction == "sum"
    assert resolved.label_smoothing == 0.1
    for y_shape, output_shape, kind in [
        ((8,), (None, 1), "binary_crossentropy"),
        ((8, 1), (None, 1), "binary_crossentropy"),
        ((8,), (None, 3), "sparse_categorical_crossentropy"),
        ((8, 1), (None, 3), "sparse_categorical_crossentropy"),
        ((8, 3), (None, 3), "categorical_crossentropy"),
    ]:
        assert losses.resolve("crossentropy", y_shape=y_shape, output_shape=output_shape).core_kind == kind


@pytest.mark.parametrize("bad", ["mea", "ctc", 3, losses.Loss, object(), losses.Dice(axis=())])
def test_what_cannot_be_trained_is_refused(bad):
    with pytest.raises(ValueError, match=r"loss: expected|expected a method gradient|axis: expected"):
        losses.resolve(bad)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: losses.MeanSquaredError(reduction="avg"), "reduction: expected"),
        (lambda: losses.MeanSquaredError(dtype="float16"), "dtype: expected"),
        (lambda: losses.BinaryCrossentropy(label_smoothing=1.5), "label_smoothing: expected"),
        (lambda: losses.resolve(losses.CategoricalCrossentropy(axis="last")), "axis: expected"),
        (
            lambda: losses.resolve(losses.CategoricalFocalCrossentropy(alpha=[[0.1, 0.2]])),
            "alpha: expected a number, or one for each class",
        ),
        (lambda: losses.mean_squared_error(np.zeros((3, 2)), np.zeros((3, 4))), "y_true: expected the shape"),
        (lambda: losses.mean_squared_error(np.zeros(3), np.zeros((3, 3))), "y_true: expected the shape"),
        (
            lambda: losses.categorical_crossentropy(np.zeros((3, 1)), np.zeros((3, 4))),
            "y_true: expected the shape",
        ),
        (
            lambda: losses.sparse_categorical_crossentropy([0, 4], np.ones((2, 4))),
            r"\[0, 4\), got 4 at index 1",
        ),
        (lambda: losses.sparse_categorical_crossentropy([0, -1], np.ones((2, 4))), "got -1 at index 1"),
        (lambda: losses.sparse_categorical_crossentropy([0.5, 1], np.ones((2, 4))), "got 0.5 at index 0"),
        (lambda: losses.sparse_categorical_crossentropy([np.nan, 1], np.ones((2, 4))), "got nan at index 0"),
        (
            lambda: losses.sparse_categorical_crossentropy([0, 1, 2], np.ones((2, 4))),
            "y_true: expected class numbers of",
        ),
        (
            lambda: losses.MeanSquaredError()([[1.0]], [[1.0]], sample_weight=[1, 2]),
            "sample_weight: expected",
        ),
        (lambda: losses.Circle()([[0, 1]], [[0.0, 1.0]]), "y_true: expected class numbers of shape"),
        (
            lambda: losses.CategoricalFocalCrossentropy()([[0, 1]], [[0.2, 0.3, 0.5]]),
            "y_true: expected the shape of y_pred",
        ),
        (
            lambda: losses.CategoricalGeneralizedCrossEntropy()([[0, 1]], [[0.5, 0.5]]),
            "y_true: expected class numbers of shape",
        ),
    ],
)
def test_errors_name_the_argument(make, message):
    with pytest.raises(ValueError, match=message):
        make()


# The last has a q to be given.
NO_PAIRS = {"Loss", "get", "resolve", "serialize", "deserialize", "categorical_generalized_cross_entropy"}


@pytest.mark.parametrize("bad", [None, "text", ["a", "b"], {"a": 1.0}, [[1.0], [1.0, 2.0]]], ids=str)
@pytest.mark.parametrize("name", sorted(set(losses.__all__) - NO_PAIRS), ids=str)
def test_what_is_no_numbers_is_refused_by_name(name, bad):
    good = [[0.0, 1.0], [1.0, 0.0]]
    loss = getattr(losses, name)
    for arguments, argument in (((bad, good), "y_true"), ((good, bad), "y_pred")):
        with pytest.raises(ValueError, match=f"^{argument}: expected numbers, got"):
            loss()(*arguments) if isinstance(loss, type) else loss(*arguments)


def test_a_subclass_of_ones_own_works_on_arrays():
    class Absolute(losses.Loss):
        def call(self, y_true, y_pred):
            return np.abs(y_true - y_pred).mean(-1)

    assert Absolute(reduction="sum")([[1.0, 2.0], [0.0, 0.0]], [[0.0, 0.0], [2.0, 2.0]]) == np.float32(3.5)


def test_one_class_is_warned_about():
    with pytest.warns(SyntaxWarning, match="more than one class"):
        losses.categorical_crossentropy(np.ones((2, 1)), np.ones((2, 1)))
