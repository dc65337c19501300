"""Metrics of intersection over union, alone and in training, as in live Keras."""

import pickle
import warnings
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from tolerances import rounding

ROWS, CLASSES = 30, 4
BOUND = rounding("float32", ROWS)
CASES: list[tuple[str, dict[str, Any], str]] = [
    ("IoU", {"num_classes": CLASSES, "target_class_ids": [0, 2]}, "classes"),
    ("IoU", {"num_classes": 3, "target_class_ids": [-1], "dtype": "float32"}, "classes"),
    ("IoU", {"num_classes": 9, "target_class_ids": (0, 8), "ignore_class": 2}, "classes"),
    ("IoU", {"num_classes": CLASSES, "target_class_ids": [1], "sparse_y_pred": False}, "scores"),
    ("MeanIoU", {"num_classes": CLASSES}, "classes"),
    ("MeanIoU", {"num_classes": 9, "dtype": "int32"}, "classes"),
    ("MeanIoU", {"num_classes": CLASSES, "ignore_class": 0, "dtype": "float64"}, "classes"),
    ("BinaryIoU", {}, "bits"),
    ("BinaryIoU", {"target_class_ids": [1], "threshold": 0.25, "dtype": "float32"}, "bits"),
    ("OneHotIoU", {"num_classes": CLASSES, "target_class_ids": [3, 0]}, "one_hot"),
    ("OneHotMeanIoU", {"num_classes": CLASSES, "ignore_class": 1, "dtype": "float32"}, "one_hot"),
    ("OneHotMeanIoU", {"num_classes": CLASSES, "sparse_y_pred": True}, "one_hot_of_classes"),
]
IDS = [f"{name} {arguments}" for name, arguments, _ in CASES]


def batch(kind: str, rng: np.random.Generator, rows: int) -> tuple[Any, Any]:
    truth, said = rng.integers(0, CLASSES, (2, rows))
    truth[0], said[1] = -1, CLASSES  # of no class
    scores = rng.uniform(size=(rows, CLASSES)).astype("float32")
    one_hot = np.eye(CLASSES, dtype="float32")[truth]
    bits = rng.integers(0, 2, (rows, 2)).astype("float32")
    return {
        "classes": (truth, said),
        "scores": (truth, scores),
        "bits": (bits, np.round(scores[:, :2] * 4) / 4),
        "one_hot": (one_hot, scores),
        "one_hot_of_classes": (one_hot, said),
    }[kind]


@pytest.mark.parametrize(("name", "arguments", "kind"), CASES, ids=IDS)
@pytest.mark.filterwarnings("ignore:(sample_weight|You are passing weight):UserWarning")
def test_alone(name: str, arguments: dict[str, Any], kind: str, live_keras: ModuleType) -> None:
    """Running value, matrix, weights with fractions, and configs."""
    from lamina.keras import metrics

    rng = np.random.default_rng(1)
    for weighted in (False, True):
        ours = getattr(metrics, name)(**arguments, name="m")
        theirs = getattr(live_keras.metrics, name)(**arguments, name="m")
        assert float(ours.result()) == float(theirs.result()) == 0
        assert ours.get_config() == theirs.get_config()
        for rows in (ROWS, 5):
            y, p = batch(kind, rng, rows)
            weights = rng.integers(0, 5, y.shape if kind == "bits" else rows) / 2 if weighted else None
            ours.update_state(y, p, weights)
            theirs.update_state(y, p, weights)
            result, expected = ours.result(), np.asarray(theirs.result())
            assert (np.asarray(result).shape, np.asarray(result).dtype) == (expected.shape, expected.dtype)
            np.testing.assert_allclose(result, expected, rtol=BOUND)
            matrix = theirs.total_cm.numpy()
            np.testing.assert_array_equal(ours.total_cm, matrix)
            assert ours.total_cm.dtype == matrix.dtype
        copied = pickle.loads(pickle.dumps(ours))
        ours.reset_state()
        assert float(ours.result()) == 0
        assert float(copied.result()) == float(result)
        again = metrics.deserialize(metrics.serialize(ours))
        assert (type(again), again.get_config()) == (type(ours), ours.get_config())


@pytest.mark.parametrize("kind", ["bits", "labels", "one_hot"])
@pytest.mark.filterwarnings("ignore:(sample_weight|You are passing weight):UserWarning")
def test_in_training(kind: str, live_keras: ModuleType, lamina_keras: ModuleType) -> None:
    """In fit, validation and evaluate; in `metrics` and `weighted_metrics`."""
    rng = np.random.default_rng(2)
    x = rng.normal(size=(ROWS, 3)).astype("float32")
    labels, weights = rng.integers(0, CLASSES, ROWS), rng.integers(1, 4, ROWS).astype("float32")
    y = {
        "bits": (labels % 2).astype("float32")[:, None],
        "labels": labels,
        "one_hot": np.eye(CLASSES, dtype="float32")[labels],
    }[kind]
    found = []
    for keras in (lamina_keras, live_keras):
        units = 1 if kind == "bits" else CLASSES
        last = keras.layers.Dense(units, activation="sigmoid" if kind == "bits" else "softmax")
        model = keras.Sequential([keras.Input((3,)), last])
        model.set_weights([np.random.default_rng(3).normal(size=(3, units)), np.zeros(units)])
        m = keras.metrics
        make = {
            "bits": lambda m=m, **options: m.BinaryIoU(**options),
            "labels": lambda m=m, **options: m.MeanIoU(CLASSES, sparse_y_pred=False, **options),
            "one_hot": lambda m=m, **options: m.OneHotIoU(CLASSES, [0, 1], **options),
        }[kind]
        loss = {"bits": "binary", "labels": "sparse_categorical", "one_hot": "categorical"}[kind]
        model.compile(
            keras.optimizers.SGD(0.5),
            f"{loss}_crossentropy",
            metrics=[make(name="a")],
            weighted_metrics=[make(name="b", dtype="float32")],
        )
        history = model.fit(
            x,
            y,
            8,
            3,
            0,
            shuffle=False,
            sample_weight=weights,
            validation_data=(x[:11], y[:11], weights[:11]),
        )
        evaluated = model.evaluate(x, y, 7, 0, sample_weight=weights, return_dict=True)
        found.append((history.history, evaluated))
    for ours, theirs in zip(*found, strict=True):
        assert list(ours) == list(theirs)
        for name, expected in theirs.items():
            np.testing.assert_allclose(ours[name], expected, rtol=8 * BOUND, err_msg=name)


def test_fractions_of_weights_warn(lamina_keras: ModuleType) -> None:
    iou = lamina_keras.metrics.MeanIoU(2)
    with pytest.warns(UserWarning, match="cuts fractions of weights off"):
        iou.update_state([0, 1], [0, 1], np.array([0.5, 1.5]))
    assert iou.total_cm.tolist() == [[0, 0], [0, 1]]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        lamina_keras.metrics.MeanIoU(2, dtype="float32").update_state([0], [0], np.array([0.5]))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_classes": 0, "target_class_ids": [0]}, "num_classes: expected an int >= 1, got 0"),
        ({"num_classes": 3, "target_class_ids": [3]}, r"target_class_ids: expected some of 0 … 2, got \[3\]"),
        ({"num_classes": 3, "target_class_ids": []}, r"target_class_ids: expected some of 0 … 2, got \[\]"),
        ({"num_classes": 3, "target_class_ids": [0], "dtype": "float16"}, "dtype: expected one of integers"),
    ],
)
def test_refused(arguments: dict[str, Any], message: str, lamina_keras: ModuleType) -> None:
    with pytest.raises(ValueError, match=message):
        lamina_keras.metrics.IoU(**arguments)
    for kind in ("MeanIoU", "OneHotMeanIoU"):
        for number in ("x", 2.0, True, -1, None):
            with pytest.raises(ValueError, match=f"num_classes: expected an int >= 1, got {number!r}"):
                getattr(lamina_keras.metrics, kind)(num_classes=number)
    iou = lamina_keras.metrics.MeanIoU(3)
    with pytest.raises(ValueError, match="expected as many classes, got 2 and 3"):
        iou.update_state([0, 1], [0, 1, 2])
    with pytest.raises(ValueError, match="sample_weight: expected one, or 2, got 3"):
        iou.update_state([0, 1], [0, 1], [1, 1, 1])
