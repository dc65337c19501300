"""Metrics on numpy arrays, against live Keras, and the choice that "accuracy" stands for."""

import numpy as np
import pytest
from tolerances import rounding

from lamina.keras import losses, metrics

CLASSES = [
    "Accuracy",
    "BinaryAccuracy",
    "CategoricalAccuracy",
    "SparseCategoricalAccuracy",
    "MeanSquaredError",
    "MeanAbsoluteError",
]


@pytest.fixture
def keras(live_keras):
    return live_keras


def draw(name, n, rng, shape=(4,)):
    p = rng.random((n, *shape)).astype("float32")
    labels = rng.integers(0, shape[-1], (n, *shape[:-1]))
    if name == "SparseCategoricalAccuracy":
        return labels, p
    if name == "CategoricalAccuracy":
        return np.eye(shape[-1], dtype="float32")[labels], p
    if name == "BinaryAccuracy":
        return (rng.random(p.shape) < 0.5).astype("float32"), p
    if name == "Accuracy":
        return rng.integers(0, 2, p.shape).astype("float32"), np.round(p)
    return rng.random(p.shape).astype("float32"), p


def same(ours, theirs, terms):
    assert ours.dtype == np.float32
    np.testing.assert_allclose(ours, theirs, rtol=rounding("float32", terms))


@pytest.mark.parametrize("shape", [(4,), (1,), (3, 4)])
@pytest.mark.parametrize("weights", ["none", "rows", "column", "zeros", "scalar"])
@pytest.mark.parametrize("name", CLASSES)
def test_running_value_is_kerass(keras, name, weights, shape):
    rng = np.random.default_rng(1)
    ours, theirs = getattr(metrics, name)(), getattr(keras.metrics, name)()
    assert ours.name == theirs.name
    assert ours.result() == theirs.result() == 0
    for _ in range(2):
        for n in (8, 8, 3):  # the last batch is short
            y, p = draw(name, n, rng, shape)
            weight = {
                "none": None,
                "rows": rng.random(n).astype("float32"),
                "column": rng.random((n, 1)).astype("float32"),
                "zeros": np.zeros(n, "float32"),
                "scalar": np.float32(0.5),
            }[weights]
            theirs.update_state(y, p, sample_weight=weight)
            ours.update_state(y, p, sample_weight=weight)
            same(ours.result(), theirs.result().numpy(), 8 * 12)
        ours.reset_state()
        theirs.reset_state()
        assert ours.result() == 0


@pytest.mark.parametrize("name", CLASSES[1:])
def test_functions_give_kerass_values(keras, name):
    function = {
        "MeanSquaredError": "mean_squared_error",
        "MeanAbsoluteError": "mean_absolute_error",
        "BinaryAccuracy": "binary_accuracy",
        "CategoricalAccuracy": "categorical_accuracy",
        "SparseCategoricalAccuracy": "sparse_categorical_accuracy",
    }[name]
    for shape in ((4,), (3, 4)):
        y, p = draw(name, 6, np.random.default_rng(2), shape)
        ours = getattr(metrics, function)(y, p)
        theirs = getattr(keras.metrics, function)(y, p).numpy()
        assert ours.shape == theirs.shape
        assert ours.dtype == theirs.dtype
        np.testing.assert_allclose(ours, theirs, rtol=rounding("float32", shape[-1]))


def test_ties_and_the_threshold(keras):
    p = np.array([[0.5, 0.5], [0.2, 0.2], [0.5000001, 0.4]], "float32")
    y = np.array([[1, 0], [0, 1], [1, 0]], "float32")
    for name in ("binary_accuracy", "categorical_accuracy"):
        np.testing.assert_array_equal(
            getattr(metrics, name)(y, p), getattr(keras.metrics, name)(y, p).numpy()
        )
    assert metrics.binary_accuracy(y, p)[0].tolist() == [0, 1]  # 0.5 is not more than 0.5
    for threshold in (0.0, 0.45, 1.0):
        ours, theirs = (
            metrics.BinaryAccuracy(threshold=threshold),
            keras.metrics.BinaryAccuracy(threshold=threshold),
        )
        assert ours(y, p) == theirs(y, p).numpy()


def test_labels_with_a_last_axis_of_one(keras):
    rng = np.random.default_rng(3)
    p, y = rng.random((7, 3)).astype("float32"), rng.integers(0, 3, (7, 1))
    assert (
        metrics.SparseCategoricalAccuracy()(y, p) == keras.metrics.SparseCategoricalAccuracy()(y, p).numpy()
    )
    q = rng.random((7, 1)).astype("float32")
    b = rng.integers(0, 2, 7)
    assert metrics.BinaryAccuracy()(b, q) == keras.metrics.BinaryAccuracy()(b, q).numpy()


def test_mean(keras):
    ours, theirs = metrics.Mean(), keras.metrics.Mean()
    for values, weight in [
        ([1, 3, 5, 7], None),
        ([1, 3, 5, 7], [1, 1, 0, 0]),
        (4.0, None),
        ([[1, 2], [3, 4]], [2, 1]),
    ]:
        ours.update_state(values, sample_weight=weight)
        theirs.update_state(values, sample_weight=weight)
        same(ours.result(), theirs.result().numpy(), 4)


def test_nan_is_not_hidden():
    metric = metrics.MeanSquaredError()
    metric.update_state([[1.0]], [[np.nan]])
    metric.update_state([[1.0]], [[1.0]])
    assert np.isnan(metric.result())


def test_direction_is_kerass(keras):
    for name in CLASSES:
        assert getattr(metrics, name)()._direction == getattr(keras.metrics, name)()._direction


@pytest.mark.parametrize(
    "identifier",
    [*CLASSES, "accuracy", "binary_accuracy", "mae", "MAE", "mse", "MSE", "mean_absolute_error", "mean"],
)
def test_get_by_every_name(keras, identifier):
    ours, theirs = metrics.get(identifier), keras.metrics.get(identifier)
    assert type(ours).__name__ == type(theirs).__name__
    assert ours.name == theirs.name
    assert metrics.serialize(ours) == keras.metrics.serialize(theirs)
    again = metrics.deserialize(metrics.serialize(ours))
    assert again.get_config() == ours.get_config()


@pytest.mark.parametrize(
    ("y_shape", "output_shape"),
    [((8,), (None, 1)), ((8, 1), (None, 1)), ((8,), (None, 3)), ((8, 1), (None, 3)), ((8, 3), (None, 3)),
     ((8, 5), (None, 5, 3)), ((8, 5, 1), (None, 5, 3)), ((8, 5, 3), (None, 5, 3)), ((8, 5, 1), (None, 5, 1))],
)  # fmt: skip
@pytest.mark.parametrize("identifier", ["accuracy", "acc", "Accuracy"])
def test_accuracy_is_the_one_keras_takes(keras, identifier, y_shape, output_shape):
    compile_utils = pytest.importorskip("keras.src.trainers.compile_utils")
    ours = metrics.resolve(identifier, y_shape=y_shape, output_shape=output_shape)
    theirs = compile_utils.get_metric(identifier, np.zeros(y_shape), np.zeros((8, *output_shape[1:])))
    assert type(ours).__name__ == type(theirs).__name__
    assert ours.name == theirs.name
    assert ours.core_kind in ("binary_accuracy", "categorical_accuracy", "sparse_categorical_accuracy")


@pytest.mark.parametrize(
    "identifier", ["mae", "MSE", "mean_squared_error", "MeanSquaredError", "binary_accuracy"]
)
def test_other_names_stay_the_metrics_name(keras, identifier):
    compile_utils = pytest.importorskip("keras.src.trainers.compile_utils")
    ours = metrics.resolve(identifier, y_shape=(8, 1), output_shape=(None, 1))
    theirs = compile_utils.get_metric(identifier, np.zeros((8, 1)), np.zeros((8, 1)))
    assert ours.name == theirs.name
    assert type(ours).__name__ == type(theirs).__name__


def test_resolve_takes_instances_classes_and_functions():
    shapes = {"y_shape": (8, 1), "output_shape": (None, 1)}
    own = metrics.MeanAbsoluteError(name="mine")
    assert metrics.resolve(own, **shapes) is own
    assert own.name == "mine"
    assert metrics.resolve(metrics.MeanAbsoluteError, **shapes).name == "mean_absolute_error"
    for module in (metrics, losses):
        assert metrics.resolve(module.mean_squared_error, **shapes).core_kind == "mean_squared_error"


@pytest.mark.parametrize(
    "bad",
    ["acuracy", "iou", 3, None],
)
def test_what_the_loop_cannot_measure_is_refused(bad):
    with pytest.raises(ValueError, match=r"metrics?: expected"):
        metrics.resolve(bad, y_shape=(8, 1), output_shape=(None, 1))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: metrics.BinaryAccuracy(threshold=2), "threshold: expected"),
        (lambda: metrics.Mean(dtype="int32"), "dtype: expected"),
        (lambda: metrics.binary_accuracy(np.zeros((3, 2)), np.zeros((3, 4))), "y_true: expected"),
        (lambda: metrics.categorical_accuracy(np.zeros(3), np.zeros((3, 4))), "y_true: expected"),
        (lambda: metrics.sparse_categorical_accuracy(np.zeros((3, 4)), np.zeros((3, 4))), "y_true: expected"),
        (lambda: metrics.Mean()([1, 2, 3], sample_weight=[1, 2]), "sample_weight: expected"),
    ],
)
def test_errors_name_the_argument(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8", "float64", None])
def test_variables_of_ones_own_metric_count_in_any_dtype(keras, lamina_keras, dtype):
    for library in (lamina_keras, keras):

        class Counter(library.metrics.Metric):
            def __init__(self):
                super().__init__(name="counter")
                self.n = self.add_weight(name="n", initializer="ones", dtype=dtype)

            def update_state(self, y_true, y_pred, sample_weight=None):
                self.n.assign_add(len(y_pred))

            def result(self):
                return self.n

        counter = Counter()
        assert np.asarray(counter.n) == 1
        counter.update_state(None, np.zeros(3))
        assert np.asarray(counter.n) == 4
        assert np.asarray(counter.n).dtype == (dtype or "float32")
        counter.reset_state()
        assert np.asarray(counter.n) == 0
    with pytest.raises(ValueError, match="dtype: expected one of"):
        metrics.Mean().add_weight(dtype="int33")
    with pytest.raises(ValueError, match="dtype: expected 'float32' or 'float64'"):
        metrics.Mean().add_weight(dtype="float16")


NEEDS = {
    "IoU": {"num_classes": 2, "target_class_ids": [0]},
    "MeanIoU": {"num_classes": 2},
    "OneHotIoU": {"num_classes": 2, "target_class_ids": [0]},
    "OneHotMeanIoU": {"num_classes": 2},
    "PrecisionAtRecall": {"recall": 0.5},
    "RecallAtPrecision": {"precision": 0.5},
    "SensitivityAtSpecificity": {"specificity": 0.5},
    "SpecificityAtSensitivity": {"sensitivity": 0.5},
}
NO_PAIRS = {"Mean", "Sum", "Metric", "MeanMetricWrapper", "get", "resolve", "serialize", "deserialize"}


@pytest.mark.parametrize("bad", [None, "text", ["a", "b"], {"a": 1.0}], ids=str)
@pytest.mark.parametrize("name", sorted(set(metrics.__all__) - NO_PAIRS))
def test_what_is_no_numbers_is_refused_by_name(name, bad):
    good = [[0.0, 1.0], [1.0, 0.0]]
    for pair, argument in (((bad, good), "y_true"), ((good, bad), "y_pred")):
        made = getattr(metrics, name)
        if isinstance(made, type):
            made = made(**NEEDS.get(name, {})).update_state
        with pytest.raises(ValueError, match=f"^{argument}: expected numbers, got"):
            made(*pair)


@pytest.mark.parametrize("name", ["top_k_categorical_accuracy", "sparse_top_k_categorical_accuracy"])
@pytest.mark.parametrize("shape", [(), (3,), (2, 2, 2)])
def test_top_k_takes_a_class_for_each_row(name, shape):
    with pytest.raises(ValueError, match=r"^y_true: expected"):
        getattr(metrics, name)(np.zeros(shape), np.ones((2, 4)))


def test_a_cross_entropy_among_the_metrics_ignores_what_the_loss_does(lamina_keras):
    """A label that the loss lets through is no class, and no metric may look for its column."""
    x, y = np.ones((4, 2), np.float32), np.array([0, -1, 1, 2])

    def fit(metric):
        model = lamina_keras.Sequential([lamina_keras.Input((2,)), lamina_keras.layers.Dense(3, "softmax")])
        model.compile("sgd", losses.SparseCategoricalCrossentropy(ignore_class=-1), metrics=[metric])
        return model.fit(x, y, verbose=0)

    with pytest.raises(ValueError, match="expected the loss's ignore_class, -1, of a cross-entropy"):
        fit("sparse_categorical_crossentropy")
    assert np.isfinite(fit("sparse_categorical_accuracy").history["sparse_categorical_accuracy"][0])
