"""What fit means: epochs, batches, weights, shuffling, validation; told by numbers that NumPy computes in
float64.
"""

from typing import Any

import numpy as np
import pytest
from linear_unit import BOUND, FEATURES, ROWS, by_hand, data, linear, slices
from tolerances import assert_close, rounding


@pytest.fixture
def keras(lamina_keras: Any) -> Any:
    return lamina_keras


# -- epochs and batches --------------------------------------------------------------------------------------
@pytest.mark.parametrize("batch_size", [1, 5, 22, 23, 24, 1000])
def test_epoch_loss_is_the_running_mean_over_rows(keras: Any, batch_size: int) -> None:
    """Each batch's loss before its own step, weighted by its rows; the short last batch divides by its own
    size.
    """
    model = linear(keras)
    x, y = data()
    history = model.fit(x, y, batch_size=batch_size, shuffle=False, verbose=0).history
    batches = slices(ROWS, batch_size)
    w, losses = by_hand(x, y, batches)
    mean = sum(loss * (batch.stop - batch.start) for loss, batch in zip(losses, batches, strict=True)) / ROWS
    assert_close(history["loss"], [mean], rounding("float32", ROWS, len(batches)), "loss")
    assert_close(model.get_weights()[0], w, rounding("float32", ROWS, len(batches)), "weights")
    assert model.optimizer.iterations == len(batches)


def test_batch_size_defaults_to_32(keras: Any) -> None:
    x, y = data(70)
    model = linear(keras)
    history = model.fit(x, y, shuffle=False, verbose=0)
    assert history.params["steps"] == 3
    assert_close(model.get_weights()[0], by_hand(x, y, slices(70, 32))[0], BOUND, "weights")


def test_sample_weights_divide_by_the_number_of_rows(keras: Any) -> None:
    """Not by the sum of the weights; validation data may bring their own."""
    x, y = data()
    weights = np.linspace(0, 3, ROWS)
    model = linear(keras)
    history = model.fit(
        x,
        y,
        batch_size=6,
        shuffle=False,
        verbose=0,
        sample_weight=weights,
        validation_data=(x, y, weights[::-1]),
    ).history
    batches = slices(ROWS, 6)
    w, losses = by_hand(x, y, batches, weights)
    mean = sum(loss * (batch.stop - batch.start) for loss, batch in zip(losses, batches, strict=True)) / ROWS
    assert_close(history["loss"], [mean], BOUND, "loss")
    error = x @ w - y
    assert_close(history["val_loss"], [float((weights[::-1, None] * error**2).mean())], BOUND, "val_loss")


def test_metrics_do_not_see_sample_weights(keras: Any) -> None:
    x, y = data()
    model = linear(keras, 0.0, ["mae", "mse"])
    plain = model.evaluate(x, y, verbose=0)
    weighted = model.evaluate(x, y, sample_weight=np.full(ROWS, 2.0), verbose=0)
    assert_close(weighted[0], 2 * plain[0], BOUND, "loss")
    assert weighted[1:] == plain[1:]
    assert_close(plain[2], plain[0], BOUND, "the mse as a metric is the mse as a loss")


def test_class_weights_are_sample_weights(keras: Any) -> None:
    """Missing classes weigh 1; rows of one-hot targets go by their largest entry."""
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(40, 3)).astype("float32"), rng.integers(0, 4, 40)
    class_weight = {0: 0.25, 2: 4.0}
    sample_weight = np.choose(y, [0.25, 1.0, 4.0, 1.0])
    found = []
    for loss, targets in (("sparse_categorical_crossentropy", y), ("categorical_crossentropy", np.eye(4)[y])):
        for kwargs in ({"class_weight": class_weight}, {"sample_weight": sample_weight}):
            keras.utils.set_random_seed(1)
            model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4, "softmax")])
            model.compile("sgd", loss)
            model.fit(x, targets, batch_size=7, epochs=2, verbose=0, **kwargs)
            found.append(model.get_weights())
    for other in found[1:]:
        for one, two in zip(found[0], other, strict=True):
            assert_close(two, one, BOUND, "weights")


# -- shuffling -----------------------------------------------------------------------------------------------
def _visits(keras: Any, model: Any, rows: int, batch_size: int, epochs: int) -> list[list[int]]:
    """The order in which `fit` takes the rows: x names the row, and the loss of each batch of one shows it.

    The weights stay at 1 (rate 0) and the targets at 0, so that the loss of row i is i squared.
    """
    order: list[list[int]] = []
    sums: list[float] = [0.0]

    class Record(keras.callbacks.Callback):  # type: ignore[name-defined,misc]
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            order.append([])
            sums[0] = 0.0

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            total = logs["loss"] * (batch + 1)
            order[-1].append(round(np.sqrt(max(total - sums[0], 0))))
            sums[0] = total

    x = np.arange(rows, dtype="float64")[:, None]
    model.fit(x, np.zeros((rows, 1)), batch_size=batch_size, epochs=epochs, verbose=0, callbacks=[Record()])
    return order


def _identity(keras: Any) -> Any:
    model = keras.Sequential(
        [keras.Input((1,), dtype="float64"), keras.layers.Dense(1, use_bias=False, dtype="float64")]
    )
    model.compile(keras.optimizers.SGD(0.0), "mse")
    model.set_weights([np.ones((1, 1))])
    return model


@pytest.fixture
def _float64_logs(keras: Any) -> Any:
    keras.config.set_floatx("float64")
    yield
    keras.config.set_floatx("float32")


@pytest.mark.usefixtures("_float64_logs")
def test_shuffle_visits_each_row_once_per_epoch(keras: Any) -> None:
    keras.utils.set_random_seed(4)
    rows = 101
    order = _visits(keras, _identity(keras), rows, 1, 6)
    for epoch in order:
        assert sorted(epoch) == list(range(rows))
    assert len({tuple(epoch) for epoch in order}) == 6, "each epoch has its own order"
    assert list(range(rows)) not in order


@pytest.mark.usefixtures("_float64_logs")
def test_every_row_comes_to_every_place(keras: Any) -> None:
    """Chi-square over (row, place) of 400 epochs: beyond 5 standard deviations of its distribution once in a
    million runs.
    """
    keras.utils.set_random_seed(9)
    rows, epochs = 12, 400
    counts = np.zeros((rows, rows))
    for epoch in _visits(keras, _identity(keras), rows, 1, epochs):
        counts[epoch, range(rows)] += 1
    expected = epochs / rows
    chi_square = ((counts - expected) ** 2 / expected).sum()
    freedom = (rows - 1) ** 2
    assert abs(chi_square - freedom) < 5 * np.sqrt(2 * freedom)


@pytest.mark.parametrize("shuffle", [True, "batch"])
def test_an_epoch_of_one_batch_is_not_shuffled(keras: Any, shuffle: bool | str) -> None:
    """Its order is only that of a sum's terms, so that it would change nothing but roundings."""
    x, y = data(300)
    weights = []
    for order in (shuffle, False):
        model = linear(keras)
        model.fit(x, y, batch_size=300, epochs=3, shuffle=order, verbose=0)
        weights.append(model.get_weights())
    for a, b in zip(*weights, strict=True):
        np.testing.assert_array_equal(a, b)


def test_no_shuffle_keeps_the_order(keras: Any) -> None:
    x, y = data()
    model = linear(keras)
    model.fit(x, y, batch_size=4, epochs=2, shuffle=False, verbose=0)
    assert_close(model.get_weights()[0], by_hand(x, y, 2 * slices(ROWS, 4))[0], BOUND, "weights")


# -- validation ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("part", "kept"), [(0.25, 17), (0.5, 11), (0.1, 20), (0.99, 0)])
def test_validation_split_takes_the_last_rows(keras: Any, part: float, kept: int) -> None:
    """floor(23 (1 - part)) rows train, before any shuffling; the rest is validated. Both sides must have
    rows.
    """
    x, y = data()
    model = linear(keras)
    if kept == 0:
        with pytest.raises(ValueError, match="validation_split"):
            model.fit(x, y, validation_split=part, verbose=0)
        return
    history = model.fit(x, y, batch_size=ROWS, validation_split=part, verbose=0).history
    w, losses = by_hand(x[:kept], y[:kept], [slice(0, kept)])
    assert_close(history["loss"], losses, BOUND, "loss")
    assert_close(history["val_loss"], [float(((x[kept:] @ w - y[kept:]) ** 2).mean())], BOUND, "val_loss")


def test_validation_split_splits_sample_weights_too(keras: Any) -> None:
    x, y = data()
    weights = np.linspace(0.5, 2, ROWS)
    history = (
        linear(keras, 0.0)
        .fit(x, y, batch_size=50, validation_split=0.5, sample_weight=weights, verbose=0)
        .history
    )
    error = (x @ np.full((FEATURES, 1), 0.5) - y) ** 2 * weights[:, None]
    assert_close(
        [history["loss"][0], history["val_loss"][0]], [error[:11].mean(), error[11:].mean()], BOUND, "losses"
    )


def test_validation_data_win_over_validation_split(keras: Any) -> None:
    x, y = data()
    model = linear(keras)
    history = model.fit(
        x, y, batch_size=50, validation_split=0.5, validation_data=(x[:3], y[:3]), verbose=0
    ).history
    w, losses = by_hand(x, y, [slice(0, ROWS)])
    assert_close(history["loss"], losses, BOUND, "loss of all rows")
    assert_close(history["val_loss"], [float(((x[:3] @ w - y[:3]) ** 2).mean())], BOUND, "val_loss")


@pytest.mark.parametrize(
    ("frequency", "epochs"), [(1, [0, 1, 2, 3, 4]), (2, [1, 3]), ([1, 5], [0, 4]), (9, [])]
)
def test_validation_frequency(keras: Any, frequency: Any, epochs: list[int]) -> None:
    x, y = data()
    seen: list[int] = []
    look = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: seen.append(epoch) if "val_loss" in logs else None
    )
    model = linear(keras, 0.01)
    history = model.fit(
        x, y, epochs=5, verbose=0, validation_data=(x, y), validation_freq=frequency, callbacks=[look]
    ).history
    assert seen == epochs
    assert len(history.get("val_loss", [])) == len(epochs)


def test_validation_runs_without_dropout_and_with_moving_statistics(keras: Any) -> None:
    """val_loss is what evaluate says after the epoch; the training loss is taken in training mode."""
    layers = keras.layers
    model = keras.Sequential(
        [keras.Input((FEATURES,)), layers.BatchNormalization(), layers.Dropout(0.5), layers.Dense(1)]
    )
    model.compile("sgd", "mse")
    x, y = data()
    history = model.fit(
        x * 5 + 3, y, epochs=1, verbose=0, validation_data=(x, y), validation_batch_size=5
    ).history
    assert history["val_loss"][0] == model.evaluate(x, y, batch_size=5, verbose=0)
    assert history["loss"] != history["val_loss"]
