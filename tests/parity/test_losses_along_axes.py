"""Losses along other axes than the last: values and steps on outputs of two and three axes, as live Keras."""

import itertools
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from networks import initial
from tolerances import assert_close, rounding

ROWS, TIMES, CLASSES = 5, 3, 4
BOUND = 1e5 * rounding("float64", ROWS * TIMES * CLASSES)
LOSSES: list[tuple[str, dict[str, Any]]] = [
    ("BinaryCrossentropy", {"label_smoothing": 0.1}),
    ("BinaryFocalCrossentropy", {"apply_class_balancing": True}),
    ("CategoricalCrossentropy", {"label_smoothing": 0.2}),
    ("CategoricalCrossentropy", {"from_logits": True}),
    ("CategoricalFocalCrossentropy", {"gamma": 1.5}),
    ("CategoricalFocalCrossentropy", {"from_logits": True, "label_smoothing": 0.1}),
    ("CategoricalFocalCrossentropy", {"alpha": [0.125, 0.5, 0.25, 0.375], "label_smoothing": 0.1}),
    ("CosineSimilarity", {}),
    ("Dice", {}),
    ("Tversky", {"alpha": 0.3, "beta": 0.8}),
]
AXES: dict[int, list[Any]] = {
    2: [1, 0, -2, None, (1,), (0, 1)],
    3: [2, 1, 0, -2, None, (1, 2), (0, 1), (0, -1), [0, 1, 2]],
}
CASES = [(*loss, axis, rank) for loss in LOSSES for rank in AXES for axis in AXES[rank]]


def build(keras: ModuleType, loss: Any, rank: int, head: str, **options: Any) -> Any:
    inputs = (CLASSES,) if rank == 2 else (TIMES, CLASSES)
    model = keras.Sequential([keras.Input(inputs), keras.layers.Dense(CLASSES, activation=head)])
    model.compile(keras.optimizers.SGD(0.125), loss, **options)
    rng = np.random.default_rng(7)
    model.set_weights([initial(weight, rng) for weight in model.get_weights()])
    return model


def data(rank: int, rows: int = ROWS) -> tuple[Any, Any]:
    rng = np.random.default_rng(3)
    shape = (rows, CLASSES) if rank == 2 else (rows, TIMES, CLASSES)
    return rng.normal(size=shape), rng.integers(0, 2, shape).astype(float)


def steps(model: Any, rank: int, weights: Any) -> list[Any]:
    x, y = data(rank)
    found = [model.test_on_batch(x, y, sample_weight=weights)]
    for _ in range(2):
        found += [model.train_on_batch(x, y, sample_weight=weights)]
        found += [np.array(weight) for weight in model.get_weights()]
    return found


@pytest.mark.usefixtures("float64")
@pytest.mark.filterwarnings("ignore:.*from_logits")
@pytest.mark.parametrize(("name", "arguments", "axis", "rank"), CASES, ids=str)
def test_steps(
    name: str,
    arguments: dict[str, Any],
    axis: Any,
    rank: int,
    live_keras: ModuleType,
    lamina_keras: ModuleType,
) -> None:
    """In every reduction, with weights where Keras takes them, behind a softmax, a sigmoid or a softplus."""
    compared = 0
    heads = itertools.cycle(("softmax", "sigmoid", "softplus"))
    for weighted, reduction in itertools.product(
        (False, True), ("sum_over_batch_size", "sum", "mean_with_sample_weight", "none")
    ):
        head = next(heads)
        weights = np.linspace(0.5, 2, ROWS)[:, None] if weighted else None
        options = {**arguments, "axis": axis, "reduction": reduction}
        try:
            theirs = build(
                live_keras, getattr(live_keras.losses, name)(**options), rank, head, run_eagerly=True
            )
            expected = [np.asarray(value) for value in steps(theirs, rank, weights)]
        except Exception:  # Keras does not take these together
            continue
        ours = steps(
            build(lamina_keras, getattr(lamina_keras.losses, name)(**options), rank, head), rank, weights
        )
        for i, (our, their) in enumerate(zip(ours, expected, strict=True)):
            # Without a reduction Keras reports the values; Lamina their mean.
            assert_close(our, their.mean() if np.ndim(our) == 0 else their, BOUND, f"{head} {reduction} {i}")
        compared += 1
    # TensorFlow takes logits along one axis, not numbered from the end; Keras's softmax none of these.
    some = isinstance(axis, (tuple, list)) or axis == -2
    spared = name == "CategoricalCrossentropy" and some
    spared = spared or ("from_logits" in arguments and axis in ((0, -1), [0, 1, 2]))
    assert compared >= (0 if spared else 2)


@pytest.mark.parametrize("axis", [0, 1, (0, 1), None])
def test_fit_and_evaluate_in_batches(axis: Any, live_keras: ModuleType, lamina_keras: ModuleType) -> None:
    """A row along the batch's axis goes through the samples of a batch, also of the short last one."""
    x, y = data(3, 22)
    x, y = x.astype("float32"), y.astype("float32")
    found = []
    for keras in (lamina_keras, live_keras):
        model = build(keras, keras.losses.CosineSimilarity(axis=axis), 3, "tanh")
        history = model.fit(x, y, batch_size=8, epochs=2, shuffle=False, verbose=0, validation_data=(x, y))
        evaluated = model.evaluate(x, y, batch_size=4, verbose=0)
        found.append(
            [*history.history["loss"], *history.history["val_loss"], evaluated, *model.get_weights()]
        )
    for our, their in zip(*found, strict=True):
        assert_close(our, np.asarray(their), 64 * rounding("float32", 22 * TIMES * CLASSES, 6), str(axis))


def test_an_output_of_one_value(live_keras: ModuleType, lamina_keras: ModuleType) -> None:
    """(n, t) targets for an output (n, t, 1): the axes are those of (n, t)."""
    x, _ = data(3)
    y = np.random.default_rng(4).integers(0, 2, (ROWS, TIMES)).astype(float)
    for name, axis in itertools.product(
        ("BinaryCrossentropy", "Dice", "CategoricalCrossentropy"), (0, 1, -1)
    ):
        found = []
        for keras in (lamina_keras, live_keras):
            model = keras.Sequential([keras.Input(x.shape[1:]), keras.layers.Dense(1, activation="sigmoid")])
            model.set_weights([np.linspace(-1, 1, CLASSES)[:, None], np.full(1, 0.25)])
            model.compile(keras.optimizers.SGD(0.5), getattr(keras.losses, name)(axis=axis))
            found.append([model.train_on_batch(x, y), *model.get_weights()])
        for our, their in zip(*found, strict=True):
            assert_close(our, np.asarray(their), 64 * rounding("float32", ROWS * TIMES), f"{name} {axis}")


@pytest.mark.parametrize(
    ("name", "arguments", "rank", "message"),
    [
        ("CategoricalCrossentropy", {"axis": 2}, 2, "axis: expected axes of an output of rank 2, got 2"),
        (
            "CosineSimilarity",
            {"axis": (1, -1)},
            2,
            r"axis: expected axes of an output of rank 2, got \(1, -1\)",
        ),
        ("Dice", {"axis": (0, 3)}, 3, r"axis: expected axes of an output of rank 3, got \(0, 3\)"),
        ("SparseCategoricalCrossentropy", {"axis": 1}, 3, "axis: expected -1, the last axis, got 1"),
        (
            "CategoricalCrossentropy",
            {"axis": (0, 1)},
            2,
            "axis: expected an int where the model ends in soft",
        ),
    ],
)
def test_refused_by_fit(
    name: str, arguments: dict[str, Any], rank: int, message: str, lamina_keras: ModuleType
) -> None:
    x, y = data(rank)
    model = build(lamina_keras, getattr(lamina_keras.losses, name)(**arguments), rank, "softmax")
    with pytest.raises(ValueError, match=message):
        model.fit(x, y if "Sparse" not in name else y[..., 0], verbose=0)


def test_refused_by_compile(lamina_keras: ModuleType) -> None:
    losses = lamina_keras.losses
    for loss, message in (
        (losses.CategoricalCrossentropy(axis=(0, 1), from_logits=True), "expected an int beside from_logits"),
        (losses.SparseCategoricalCrossentropy(axis=None), "axis: expected -1, the last axis, got None"),
        (losses.Dice(axis=()), r"axis: expected an int, several or None, got \(\)"),
        (losses.CosineSimilarity(axis="x"), "axis: expected an int, several or None, got 'x'"),
    ):
        with pytest.raises(ValueError, match=message):
            build(lamina_keras, loss, 2, "softmax")


def test_as_many_alphas_as_classes(lamina_keras: ModuleType) -> None:
    model = build(lamina_keras, lamina_keras.losses.CategoricalFocalCrossentropy([0.1, 0.2]), 2, "softmax")
    with pytest.raises(ValueError, match="loss: alpha: expected one number or 4, got 2"):
        model.fit(*data(2), verbose=0)


def test_no_weights_along_the_batch(lamina_keras: ModuleType) -> None:
    x, y = data(3)
    model = build(lamina_keras, lamina_keras.losses.CosineSimilarity(axis=0), 3, "tanh")
    with pytest.raises(
        ValueError, match="sample_weight: expected none for a loss or metric along the axis of the batch"
    ):
        model.fit(x, y, sample_weight=np.ones(ROWS), verbose=0)
    model = build(lamina_keras, lamina_keras.losses.CosineSimilarity(axis=1), 3, "tanh")
    with pytest.raises(ValueError, match="sample_weight: expected one weight per row, got 3"):
        model.fit(x, y, sample_weight=np.ones((ROWS, TIMES)), verbose=0)
    model.fit(x, y, sample_weight=np.ones(ROWS), verbose=0)
