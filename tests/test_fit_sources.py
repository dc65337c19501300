"""What `fit` takes: batches from sources and sparse rows have the bits of the same numbers in arrays; what it
does not take is refused with the name of the argument.
"""

import os
import threading
import warnings

import numpy as np
import pytest
from small_classifier import assert_refused, state, trained

from lamina import keras

RNG = np.random.default_rng(5)
ROWS, SIZE = 21, 8
X, Y = RNG.normal(size=(ROWS, 4)).astype("float32"), RNG.integers(0, 3, ROWS)
WEIGHTS = RNG.random(ROWS).astype("float32")


class Batches(keras.utils.PyDataset):
    def __init__(self, **arguments):
        super().__init__(**arguments)
        self.threads, self.processes = set(), set()

    def __len__(self):
        return 3

    def __getitem__(self, index):
        self.threads.add(threading.get_ident())
        rows = slice(index * SIZE, (index + 1) * SIZE)
        return X[rows], Y[rows]


class Own(Batches):
    """One whose constructor forgets its base's."""

    def __init__(self):
        self.threads = set()


class Where(Batches):
    """Batches that were made in another process weigh half."""

    here = os.getpid()

    def __getitem__(self, index):
        x, y = super().__getitem__(index)
        return x, y, np.full(len(y), 1.0 if os.getpid() == self.here else 0.5)


def generator():
    yield from (Batches()[i] for i in range(3))


def fit(x, y=None, seed=3, **arguments):
    model = trained(keras)
    keras.utils.set_random_seed(seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        history = model.fit(x, y, **{"batch_size": SIZE, "shuffle": False, "verbose": 0, **arguments})
    return state(model), history.history


SOURCES = {
    "generator": generator,
    "iterator": lambda: iter(list(generator())),
    "PyDataset": Batches,
    "threads": lambda: Batches(workers=2, max_queue_size=1),
    "processes": lambda: Batches(workers=2, use_multiprocessing=True),
}


@pytest.mark.parametrize("kind", SOURCES)
def test_batches_of_a_source_have_the_bits_of_arrays(kind):
    assert fit(SOURCES[kind]()) == fit(X, Y)
    model = trained(keras)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # Small batches of arrays are evaluated several at once, which only rounds otherwise.
        expected = model.evaluate(X, Y, batch_size=SIZE, verbose=0)
        np.testing.assert_allclose(model.evaluate(SOURCES[kind](), verbose=0), expected, rtol=1e-6)
        found = model.predict(SOURCES[kind](), verbose=0)
    expected = np.concatenate([model.predict_on_batch(X[i : i + SIZE]) for i in range(0, ROWS, SIZE)])
    np.testing.assert_array_equal(found, expected)


def test_workers_work_elsewhere_and_ahead():
    data = Batches(workers=2)
    fit(data)
    assert threading.get_ident() in data.threads  # the first look at the shapes
    assert len(data.threads) > 1
    _, elsewhere = fit(Where(workers=1, use_multiprocessing=True))
    _, here = fit(Where())
    assert elsewhere["loss"][0] < 0.75 * here["loss"][0]


def test_a_data_set_that_forgets_its_base():
    with pytest.warns(UserWarning, match=r"Own: expected a constructor that calls super\(\).__init__"):
        trained(keras).fit(Own(), verbose=0)


def test_torch_loaders_and_tensors():
    torch = pytest.importorskip("torch")
    data = torch.utils.data.TensorDataset(torch.tensor(X), torch.tensor(Y))
    expected = fit(X, Y)
    assert fit(torch.utils.data.DataLoader(data, SIZE)) == expected
    assert fit(torch.tensor(X), torch.tensor(Y)) == expected


def test_tensorflow_data_sets(live_keras):
    import tensorflow as tf

    data = tf.data.Dataset.from_tensor_slices((X, Y, WEIGHTS)).batch(SIZE)
    assert fit(data) == fit(X, Y, sample_weight=WEIGHTS)
    assert fit(tf.constant(X), tf.constant(Y)) == fit(X, Y)


# -- sparse rows ---------------------------------------------------------------------------------------------
def dense_and_sparse(kind, dtype):
    sparse = pytest.importorskip("scipy.sparse")
    dense = np.where(RNG.random((ROWS, 4)) < 0.4, RNG.integers(-3, 4, (ROWS, 4)), 0).astype(dtype)
    return dense, getattr(sparse, kind)(dense)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int8", "bool"])
@pytest.mark.parametrize("kind", ["csr_matrix", "csc_array", "coo_array", "lil_matrix"])
def test_sparse_rows_have_the_bits_of_dense_ones(kind, dtype):
    dense, sparse = dense_and_sparse(kind, dtype)
    for arguments in (
        {"shuffle": True, "epochs": 3},
        {"validation_split": 0.3, "sample_weight": WEIGHTS},
        {"validation_data": (sparse, Y), "class_weight": {1: 2.0}},
        {"callbacks": [keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: None)]},
    ):
        plain = {**arguments}
        if "validation_data" in plain:
            plain["validation_data"] = (dense, Y)
        assert fit(sparse, Y, **arguments) == fit(dense, Y, **plain)
    model = trained(keras)
    assert model.evaluate(sparse, Y, verbose=0) == model.evaluate(dense, Y, verbose=0)
    for size in (1, 5, ROWS):
        np.testing.assert_array_equal(
            model.predict(sparse, size, verbose=0), model.predict(dense, size, verbose=0)
        )
    np.testing.assert_array_equal(model.predict_on_batch(sparse), model.predict_on_batch(dense))


def test_sparse_rows_are_never_dense_as_a_whole():
    sparse = pytest.importorskip("scipy.sparse")
    resource = pytest.importorskip("resource")
    rows, columns = 20_000, 5_000  # 400 MB as dense float32
    x = sparse.random_array((rows, columns), density=1e-4, format="csr", dtype="float32", rng=0)
    model = keras.Sequential([keras.Input((columns,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    model.fit(x, np.zeros(rows), batch_size=1000, verbose=0)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000


def test_places_that_come_twice_hold_their_sum():
    sparse = pytest.importorskip("scipy.sparse")
    twice = sparse.csr_matrix((np.ones(4), [1, 1, 0, 3], [0, 3, 4]), shape=(2, 4))
    model = trained(keras)
    np.testing.assert_array_equal(model.predict_on_batch(twice), model.predict_on_batch(twice.toarray()))


def test_sparse_matrices_that_point_outside_are_refused():
    sparse = pytest.importorskip("scipy.sparse")
    model = trained(keras)
    for index, value in (("indices", 4), ("indices", -1), ("indptr", 99)):
        wrong = sparse.csr_matrix(np.eye(ROWS, 4, dtype="float32"))
        getattr(wrong, index)[-1] = value
        assert_refused(
            model, ["x: expected a sparse matrix"], lambda wrong=wrong: model.fit(wrong, Y, verbose=0)
        )
    narrow = sparse.csr_matrix(np.eye(ROWS, 3))
    assert_refused(model, ["x", "(n, 4)", str(narrow.shape)], lambda: model.fit(narrow, Y, verbose=0))
    assert_refused(model, ["x", "complex"], lambda: model.fit(sparse.csr_matrix(np.eye(ROWS, 4) * 1j), Y))


def test_frames():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"a": X[:, 0], "b": Y % 2 == 0, "c": np.arange(ROWS), "d": X[:, 3].astype("f8")})
    assert fit(frame, pandas.Series(Y)) == fit(frame.to_numpy("float32"), Y)
    frame["d"] = "text"
    assert_refused(model := trained(keras), ["x", "object"], lambda: model.fit(frame, Y, verbose=0))


# -- steps and shuffles --------------------------------------------------------------------------------------
def test_steps_go_on_through_a_pass():
    """Two epochs of half a pass are one of a whole one, in its order."""
    halves, found = fit(X[:16], Y[:16], batch_size=4, steps_per_epoch=2, epochs=4, shuffle=True)
    whole, expected = fit(X[:16], Y[:16], batch_size=4, epochs=2, shuffle=True)
    assert halves == whole
    np.testing.assert_allclose(np.reshape(found["loss"], (2, 2)).mean(axis=1), expected["loss"], rtol=1e-6)


def test_rows_are_permuted_within_their_batches():
    """The batches keep their rows: with a loss of each row's own, a batch's mean only rounds otherwise."""
    seen = []

    class Note(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append(logs["loss"])

    losses = {}
    for shuffle in (False, "batch", True):
        seen.clear()
        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, "softmax")])
        model.set_weights([np.full((4, 3), 0.1), np.zeros(3)])
        model.compile(keras.optimizers.SGD(0.0), "sparse_categorical_crossentropy")
        model.fit(X * 100, Y, batch_size=SIZE, shuffle=shuffle, verbose=0, callbacks=[Note()])
        model.layers[0].kernel.assign(np.arange(12).reshape(4, 3) / 10)
        seen.clear()
        model.fit(X, Y, batch_size=SIZE, shuffle=shuffle, verbose=0, callbacks=[Note()])
        losses[shuffle] = list(seen)
    np.testing.assert_allclose(losses["batch"], losses[False], rtol=1e-6)
    assert not np.allclose(losses[True], losses[False], rtol=1e-3)
    assert fit(X, Y, shuffle="batch")[0] != fit(X, Y)[0], "dropout and sums see another order"
    assert fit(X, Y, shuffle="batch") == fit(X, Y, shuffle="batch")


# -- what is refused -----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("make", "arguments", "wanted"),
    [
        (generator, {"y": Y}, ["y: expected None beside a generator"]),
        (generator, {"sample_weight": WEIGHTS}, ["sample_weight: expected None beside a generator"]),
        (generator, {"class_weight": {0: 1.0}}, ["class_weight: expected None beside a generator"]),
        (generator, {"validation_split": 0.5}, ["validation_split: expected 0 beside a generator"]),
        (lambda: iter(()), {}, ["x: expected a generator of at least one batch"]),
        (lambda: iter([[X, Y]]), {}, ["x: expected a generator that yields tuples", "list"]),
        (lambda: iter([(X, Y, WEIGHTS, X)]), {}, ["x: expected a generator of (x,)", "4 entries"]),
        (lambda: iter([(X,)]), {}, ["y: expected the targets"]),
        (lambda: iter([(X[:, :3], Y)]), {}, ["x: expected shape (n, 4)", "(21, 3)"]),
        (lambda: iter([(X, Y + 5)]), {}, ["y: expected integer class labels"]),
        (lambda: iter([(X, Y[:5])]), {}, ["y: expected 21 rows"]),
        (lambda: object(), {"y": Y}, ["x: expected an array", "object"]),
        (lambda: X, {"y": Y, "steps_per_epoch": -1}, ["steps_per_epoch: expected an int >= 0"]),
        (lambda: X, {"y": Y, "validation_steps": 1.5}, ["validation_steps: expected an int >= 0"]),
        (lambda: X, {"y": Y, "shuffle": "rows"}, ["shuffle: expected True, False or 'batch'", "'rows'"]),
        (lambda: X, {"y": Y, "validation_data": iter(())}, ["expected a generator of at least one batch"]),
        (
            lambda: X,
            {"y": Y, "validation_data": iter([(X[:, :3], Y)])},
            ["validation_data: ", "x: expected shape"],
        ),
    ],
)
def test_what_is_refused(make, arguments, wanted):
    model = trained(keras)

    assert_refused(model, wanted, lambda: model.fit(make(), verbose=0, **{"shuffle": False, **arguments}))


def test_a_later_batch_that_does_not_fit_is_named():
    model = trained(keras)
    steps = int(model.optimizer.iterations)
    later = iter([(X, Y), (X, Y), (X[:, :2], Y)])
    with pytest.raises(ValueError, match=r"batch 3 of the generator: x: expected shape \(n, 4\)"):
        model.fit(later, shuffle=False, verbose=0)
    assert int(model.optimizer.iterations) == steps + 2


def test_errors_of_a_data_set_come_through():
    class Fails(Batches):
        def __getitem__(self, index):
            if index == 1:
                raise OSError("no such picture")
            return super().__getitem__(index)

    for arguments in ({}, {"workers": 2}):
        with pytest.raises(OSError, match="no such picture"):
            trained(keras).fit(Fails(**arguments), shuffle=False, verbose=0)


@pytest.mark.parametrize("entries", [(), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)])
def test_batches_as_tuples(live_keras, entries):
    for make in (tuple, list):
        results = []
        for module in (keras, live_keras):
            try:
                results.append(module.utils.unpack_x_y_sample_weight(make(entries)))
            except ValueError:
                results.append("refused")
        assert results[0] == results[1]
    assert keras.utils.unpack_x_y_sample_weight(X)[0] is X
    if 0 < len(entries) < 4:
        ours, theirs = keras.utils, live_keras.utils
        assert ours.pack_x_y_sample_weight(*entries) == theirs.pack_x_y_sample_weight(*entries)
    assert keras.utils.pack_x_y_sample_weight([X]) == ([X],)
