"""The same bits for a seed: whatever the number of threads, beside other models, after a copy, again and
again.
"""

import copy
import io
import pickle
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

THREADS = [1, 2, 3, 8]


@pytest.fixture
def keras(lamina_keras: Any) -> Any:
    return lamina_keras


@pytest.fixture(autouse=True)
def _threads() -> Iterator[None]:
    from lamina import config

    before = config.get_num_threads()
    yield
    config.set_num_threads(before)


def _set_threads(number: int) -> None:
    from lamina import config

    config.set_num_threads(number)


# Sizes on both sides of every threshold at which work is shared: a network of a few units, the tutorials'
# widths, one whose layers are larger than a core's cache, and widths and rows that no block size divides.
SIZES: dict[str, dict[str, Any]] = {
    "tiny": {"inputs": 3, "widths": (5,), "classes": 2, "rows": 70, "batch_size": 16},
    "tutorial": {"inputs": 784, "widths": (100,), "classes": 10, "rows": 300, "batch_size": 32},
    "wide": {"inputs": 600, "widths": (1100, 701), "classes": 37, "rows": 203, "batch_size": 67},
    "large batch": {"inputs": 40, "widths": (64, 33), "classes": 5, "rows": 5000, "batch_size": 2048},
}
OPTIMIZERS = ["sgd", "rmsprop", "adagrad", "adam"]


def _model(
    keras: Any, size: dict[str, Any], optimizer: str = "adam", dtype: str = "float32", seed: int = 1
) -> Any:
    keras.utils.set_random_seed(seed)
    layers = keras.layers
    model = keras.Sequential([keras.Input((size["inputs"],), dtype=dtype)])
    for width, activation in zip(size["widths"], ("relu", "tanh"), strict=False):
        model.add(layers.Dense(width, activation, dtype=dtype))
        model.add(layers.BatchNormalization(dtype=dtype))
        model.add(layers.Dropout(0.2, dtype=dtype))
    model.add(layers.Dense(size["classes"], "softmax", dtype=dtype))
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def _data(size: dict[str, Any], seed: int = 2) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(size["rows"], size["inputs"])).astype("float32")
    return x, rng.integers(0, size["classes"], size["rows"])


def _train(model: Any, size: dict[str, Any], epochs: int = 2) -> Any:
    x, y = _data(size)
    return model.fit(
        x, y, batch_size=size["batch_size"], epochs=epochs, verbose=0, validation_data=(x[:60], y[:60])
    )


def _bits(model: Any) -> list[bytes]:
    iterations, slots = model.optimizer.core(str(model.get_weights()[0].dtype)).get_state()
    return [
        str(iterations).encode(),
        *(np.asarray(array).tobytes() for array in [*model.get_weights(), *slots]),
    ]


def _everything(keras: Any, size: dict[str, Any], **kwargs: Any) -> list[Any]:
    model = _model(keras, size, **kwargs)
    history = _train(model, size).history
    x, y = _data(size)
    return [
        _bits(model),
        repr(history),
        repr(model.evaluate(x, y, batch_size=size["batch_size"] + 1, verbose=0)),
        model.predict(x, batch_size=97, verbose=0).tobytes(),
        model.predict_on_batch(x).tobytes(),
    ]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", SIZES)
def test_thread_counts(keras: Any, name: str, dtype: str) -> None:
    """Weights, slots, history, evaluate and predict for 1, 2, 3 and 8 threads, bit for bit."""
    results = []
    for number in THREADS:
        _set_threads(number)
        results.append(_everything(keras, SIZES[name], dtype=dtype))
    for number, found in zip(THREADS[1:], results[1:], strict=True):
        assert found == results[0], f"{number} threads differ from 1"


@pytest.mark.parametrize("name", ["tutorial", "wide"])
def test_thread_counts_of_activations(keras: Any, name: str) -> None:
    """Those that keep their input, over numbers and over rows, and one that learns."""
    size, layers, results = SIZES[name], keras.layers, []
    for number in THREADS:
        _set_threads(number)
        keras.utils.set_random_seed(4)
        model = keras.Sequential([keras.Input((size["inputs"],)), layers.Dense(size["widths"][0], "gelu")])
        for layer in (layers.PReLU(), layers.Activation("mish"), layers.Activation("log_softmax")):
            model.add(layer)
        model.add(layers.Dense(2 * size["classes"], "glu"))
        model.add(layers.Activation("sparsemax"))
        model.compile("adam", "mse")
        x, labels = _data(size)
        y = np.eye(size["classes"], dtype="float32")[labels]
        model.fit(x, y, batch_size=size["batch_size"], epochs=1, verbose=0)
        results.append([_bits(model), model.predict(x, verbose=0).tobytes()])
    assert all(found == results[0] for found in results[1:])


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_thread_counts_with_every_optimizer(keras: Any, optimizer: str) -> None:
    results = []
    for number in THREADS:
        _set_threads(number)
        results.append(_everything(keras, SIZES["wide"], optimizer=optimizer))
    assert all(found == results[0] for found in results)


def test_the_thread_count_may_change_between_fits(keras: Any) -> None:
    size = SIZES["tutorial"]
    results = []
    for numbers in ((2, 2, 2), (3, 1, 8)):
        model = _model(keras, size)
        for number in numbers:
            _set_threads(number)
            _train(model, size, 1)
        results.append(_bits(model))
    assert results[0] == results[1]


def test_two_runs_with_one_seed(keras: Any) -> None:
    first, second = (_everything(keras, SIZES["tutorial"]) for _ in range(2))
    assert first == second


def test_seeds_make_a_difference(keras: Any) -> None:
    """Else equal bits would prove nothing: initial weights, shuffles and dropout masks all depend on the
    seed.
    """
    size = SIZES["tutorial"]
    models = [_model(keras, size, seed=seed) for seed in (1, 2)]
    assert models[0].get_weights()[0].tobytes() != models[1].get_weights()[0].tobytes()
    models[1].set_weights(models[0].get_weights())
    for model in models:
        _train(model, size)
    assert _bits(models[0]) != _bits(models[1])


@pytest.mark.parametrize("threads", [1, 2])
def test_eight_models_at_once(keras: Any, threads: int) -> None:
    """Models trained in eight Python threads get the bits of the same models trained one after another."""
    _set_threads(threads)
    sizes = [SIZES["tutorial"], SIZES["wide"], SIZES["tiny"], SIZES["large batch"]] * 2

    def make() -> list[Any]:
        models = []
        for i, size in enumerate(sizes):
            model = _model(keras, size, OPTIMIZERS[i % 4], seed=i)
            # The first step draws the seed of the shuffles from Python's global generator: here, in a fixed
            # order.
            x, y = _data(size)
            model.train_on_batch(x[:8], y[:8])
            models.append(model)
        return models

    serial, together = make(), make()
    expected = [repr(_train(model, size).history) for model, size in zip(serial, sizes, strict=True)]
    found: list[Any] = [None] * len(sizes)
    start = threading.Barrier(len(sizes))

    def work(i: int) -> None:
        start.wait()
        try:
            found[i] = repr(_train(together[i], sizes[i]).history)
        except BaseException as error:
            found[i] = error

    workers = [threading.Thread(target=work, args=(i,), daemon=True) for i in range(len(sizes))]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
        assert not worker.is_alive(), "a training hangs"
    assert found == expected
    for one, other in zip(serial, together, strict=True):
        assert _bits(one) == _bits(other)


def test_one_model_predicts_in_eight_threads(keras: Any) -> None:
    size = SIZES["tutorial"]
    _set_threads(2)
    model = _model(keras, size)
    x, _ = _data(size)
    expected = model.predict(x, verbose=0).tobytes()
    found: list[Any] = [None] * 8

    def work(i: int) -> None:
        found[i] = all(model.predict(x, verbose=0).tobytes() == expected for _ in range(20))

    workers = [threading.Thread(target=work, args=(i,), daemon=True) for i in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert found == [True] * 8


def test_two_fits_of_one_model_at_once_are_refused_or_taken_in_turn(keras: Any) -> None:
    """The second caller gets a clear RuntimeError (or waits); no crash, and the model stays finite."""
    size = SIZES["large batch"]
    model = _model(keras, size)
    outcomes: list[Any] = []

    def work() -> None:
        try:
            outcomes.append(_train(model, size, 6).epoch)
        except RuntimeError as error:
            outcomes.append(str(error))

    workers = [threading.Thread(target=work, daemon=True) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
        assert not worker.is_alive()
    assert list(range(6)) in outcomes
    assert len(outcomes) == 3
    assert all(np.isfinite(weight).all() for weight in model.get_weights())


COPIES = {
    "deepcopy": copy.deepcopy,
    **{f"pickle {i}": lambda model, i=i: pickle.loads(pickle.dumps(model, protocol=i)) for i in range(2, 6)},
}


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("how", COPIES)
def test_copies_go_on_with_the_same_bits(keras: Any, how: str, optimizer: str) -> None:
    """Weights, slots, iterations, dropout steps and the order of rows: the copy continues what the original
    continues.
    """
    size = SIZES["tiny"]
    model = _model(keras, size, optimizer)
    _train(model, size)
    x, y = _data(size)
    model.train_on_batch(x[:9], y[:9])
    before = _bits(model)
    twin = COPIES[how](COPIES[how](model))  # a copy that never trained is as good as its original
    assert [weight.tobytes() for weight in twin.get_weights()] == before[1 : 1 + len(twin.get_weights())]
    histories = [_train(each, size, 3).history for each in (model, twin)]
    assert histories[0] == histories[1]
    assert _bits(model) == _bits(twin) != before


def test_copies_share_nothing(keras: Any) -> None:
    size = SIZES["tiny"]
    model = _model(keras, size)
    _train(model, size)
    before = _bits(model)
    for how in COPIES.values():
        _train(how(model), size)
        assert _bits(model) == before


def test_copies_before_training_and_before_compile(keras: Any) -> None:
    size = SIZES["tiny"]
    bare = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, "softmax")])
    for model in (bare, _model(keras, size)):
        x, _ = _data(size)
        for how in COPIES.values():
            twin = how(model)
            np.testing.assert_array_equal(twin.predict(x, verbose=0), model.predict(x, verbose=0))


def test_pickles_hold_no_addresses(keras: Any) -> None:
    """Pickling twice gives the same bytes."""
    size = SIZES["tiny"]
    model = _model(keras, size)
    _train(model, size)
    first, second = io.BytesIO(), io.BytesIO()
    pickle.dump(model, first)
    pickle.dump(model, second)
    assert first.getvalue() == second.getvalue()


def test_fit_in_parts_is_fit_in_one(keras: Any) -> None:
    """Three times one epoch visits the rows in the orders of one fit over three epochs: the same bits."""
    size = SIZES["tiny"]
    once, thrice = _model(keras, size), _model(keras, size)
    # Both draw the seed of their shuffles from the same state.
    keras.utils.set_random_seed(5)
    _train(once, size, 3)
    keras.utils.set_random_seed(5)
    for _ in range(3):
        _train(thrice, size, 1)
    assert _bits(once) == _bits(thrice)
