"""What other code may do to a run: change its arrays, fork, change the floating-point state, stop it."""

import gc
import os
import subprocess
import threading
import time
import weakref
from pathlib import Path

import numpy as np
import pytest
from fresh_process import run

from lamina import _core, config, keras, ops


def trainer() -> tuple[_core.Network32, _core.Trainer32]:
    network = _core.Network32(4)
    network.add_dense(1, 4, 3, "softmax", True)
    network.build()
    optimizer = _core.Optimizer32("sgd", 0.1)
    loss = "sparse_categorical_crossentropy"
    return network, _core.Trainer32(network, optimizer, loss, False, 0.0, "sum_over_batch_size", [])


def dataset(rows: int = 8, width: int = 4, classes: int = 3) -> _core.Dataset:
    return _core.Dataset(np.ones((rows, width), "f4"), np.arange(rows) % classes)


def test_sizes_are_checked_where_the_rows_are_read() -> None:
    """An array may have been reshaped since it was checked."""
    _, trains = trainer()
    with pytest.raises(ValueError, match="x: expected 4 values per row, got 4000"):
        trains.begin_epoch(dataset(width=4000), 4, False, 0, 0)
    with pytest.raises(ValueError, match="x: expected 4 values per row, got 4000"):
        trains.evaluate(dataset(width=4000), 4)


def test_a_refused_epoch_leaves_nothing_to_train_on() -> None:
    _, trains = trainer()
    trains.begin_epoch(dataset(), 4, False, 0, 0)
    with pytest.raises(ValueError, match="batch_size"):
        trains.begin_epoch(dataset(), 0, False, 0, 0)
    with pytest.raises(ValueError, match="begin_epoch comes first"):
        trains.train(0, 1)


def test_labels_changed_since_the_check_stay_inside_their_row() -> None:
    _, trains = trainer()
    labels = np.arange(8) % 3
    data = _core.Dataset(np.ones((8, 4), "f4"), labels)
    trains.check(data)
    labels[:] = [-(2**63), 2**62, 3, -1, 99, 0, 1, 2]
    trains.begin_epoch(data, 4, False, 0, 0)
    assert np.isfinite(trains.train(0, 2)).all()


def test_the_data_are_let_go_after_the_fit() -> None:
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, "softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    x = np.ones((8, 4), "f4")
    alive = weakref.ref(x)
    model.fit(x, np.arange(8) % 3, verbose=0)
    del x
    gc.collect()
    assert alive() is None


def test_training_waits_for_those_who_predict() -> None:
    """A prediction takes longer than an epoch here: without waiting one would find the model in use."""
    model = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(200, "tanh"), keras.layers.Dense(3, "softmax")]
    )
    model.compile("sgd", "sparse_categorical_crossentropy")
    x, labels = np.ones((30_000, 4), "f4"), np.arange(30_000) % 3
    predicted, refused, stop = [], [], threading.Event()

    def predict() -> None:
        while not stop.is_set():
            try:
                predicted.append(len(model.predict(x, verbose=0)))
            except RuntimeError as error:
                refused.append(str(error))

    reader = threading.Thread(target=predict)
    reader.start()
    while not predicted:
        time.sleep(0.001)
    history = model.fit(x[:64], labels[:64], epochs=30, verbose=0)
    stop.set()
    reader.join()
    assert len(history.history["loss"]) == 30
    assert all("being trained" in message for message in refused)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_signal_handler_may_fork_during_a_fit() -> None:
    statuses = run(
        """
        def handler(*_):
            child = os.fork()
            if child == 0:
                signal.alarm(30)  # ends a child that hangs
                sys.exit(5)
            children.append(child)

        children = []
        signal.signal(signal.SIGUSR1, handler)
        network = model()
        x, y = data(20_000)
        timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGUSR1))
        timer.start()
        while not children:
            network.fit(x, y, verbose=0)
        print(json.dumps([os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]))
        """
    )
    assert statuses == [5]


def test_ctrl_c_is_answered_while_rows_are_shuffled() -> None:
    """The wait is measured generously; without looking up it is that of shuffling 40 million rows."""
    waited = run(
        """
        rows = 40_000_000
        x, y = np.broadcast_to(np.float32([[1]]), (rows, 1)), np.broadcast_to(np.int64(1), (rows,))
        started = time.perf_counter()
        _ = lamina._core.permutation(rows, 0, 0)
        shuffle = time.perf_counter() - started  # what is to be interrupted
        data = lamina._core.Dataset(x, y)
        core = lamina._core
        net = core.Network32(1)
        net.add_dense(1, 1, 5, "softmax", True)
        net.build()
        loss = "sparse_categorical_crossentropy"
        loop = core.Trainer32(net, core.Optimizer32("sgd", 0.1), loss, False, 0.0, "sum_over_batch_size", [])
        sent = []

        def send():
            sent.append(time.perf_counter())
            os.kill(os.getpid(), signal.SIGINT)

        threading.Timer(0.3, send).start()
        try:
            loop.begin_epoch(data, 32, True, 0, 0)
            waited = None
        except KeyboardInterrupt:
            waited = time.perf_counter() - sent[0]
        print(json.dumps([waited, shuffle]))
        """
    )
    answer, shuffle = waited
    assert answer is not None
    assert answer < shuffle / 2


def test_workers_take_over_the_floating_point_state(compiler: str, tmp_path: Path) -> None:
    """A library may flush subnormals in the caller's thread: all tiles must then be computed so."""
    import ctypes

    source = tmp_path / "flush.c"
    source.write_text(
        "#ifdef __x86_64__\n#include <immintrin.h>\n"
        "unsigned swap(unsigned to) {\n"
        "  unsigned was = _mm_getcsr(); _mm_setcsr(to ? to : was | 0x8040u); return was;\n"
        "}\n"
        "#endif\n"
    )
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", tmp_path / "flush.so", source], check=True)
    library = ctypes.CDLL(str(tmp_path / "flush.so"))
    if not hasattr(library, "swap"):
        pytest.skip("not an x86-64 machine")
    before_threads = config.get_num_threads()
    subnormal = np.full((512, 512), 1e-40, "f4")
    one = np.eye(512, dtype="f4")
    try:
        config.set_num_threads(4)
        assert (ops.matmul(subnormal, one) == subnormal).all()
        before = library.swap(0)
        try:
            flushed = [ops.matmul(subnormal, one) for _ in range(20)]
        finally:
            library.swap(before)
        assert not any(result.view("u4").any() for result in flushed)
        assert (ops.matmul(subnormal, one) == subnormal).all()
    finally:
        config.set_num_threads(before_threads)
