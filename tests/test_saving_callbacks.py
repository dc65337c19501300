"""Callbacks that write files or change the learning rate: what they decide and write, against live Keras."""

import json
import random
import threading
import warnings
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import parse_qs

import numpy as np
import pytest

from lamina.keras import callbacks


class Optimizer:
    def __init__(self, rate):
        self.learning_rate = rate


class Model:
    """As much of a model as these callbacks touch; files hold the number of the epoch."""

    def __init__(self):
        self.metrics = []
        self.stop_training = False
        self.epoch = None
        self.optimizer = Optimizer(0.5)
        self.saved = []

    def save(self, path, overwrite):
        self.saved.append(("save", path, overwrite, self.epoch))

    def save_weights(self, path, overwrite):
        self.saved.append(("save_weights", path, overwrite, self.epoch))


@pytest.fixture
def keras(live_keras):
    return live_keras


def courses(count):
    """Values of a watched number over some epochs; None where it is missing."""
    draw = random.Random(3)
    for _ in range(count):
        special = [float("nan"), float("inf"), None, 0.5 + 1e-9] * (draw.random() < 0.3)
        grid = [i / 10 for i in range(1, 10)] + special
        values = [draw.choice(grid) for _ in range(draw.randint(1, 9))]
        yield draw, [v if v is None else float(np.float32(v)) for v in values]


# -- ModelCheckpoint -----------------------------------------------------------------------------------------
def run_checkpoint(module, arguments, values):
    model = Model()
    saver = module.ModelCheckpoint(**arguments)
    saver.set_model(model)
    saver.on_train_begin()
    for epoch, value in enumerate(values):
        model.epoch = epoch
        logs = {"loss": 0.25} if value is None else {"loss": 0.25, "val_loss": value}
        saver.on_epoch_begin(epoch)
        for batch in range(3):
            saver.on_train_batch_end(batch, logs)
        saver.on_epoch_end(epoch, logs)
    saver.on_train_end()
    return model.saved, repr(saver.best)


def test_model_checkpoint_saves_when_keras_does(keras, capsys, tmp_path):
    saved = skipped = 0
    for draw, values in courses(150):
        weights = draw.random() < 0.5
        name = draw.choice(["a", "in/{epoch:02d}-{loss:.2f}", "x{epoch}"])
        arguments = {
            "filepath": tmp_path / f"{name}{'.weights.h5' if weights else draw.choice(['.keras', '.h5'])}",
            "verbose": draw.choice([0, 1]),
            "save_best_only": draw.random() < 0.7,
            "save_weights_only": weights,
            "mode": draw.choice(["auto", "min", "max"]),
            "save_freq": draw.choice(["epoch", "epoch", 1, 2, 4, 7]),
            "initial_value_threshold": draw.choice([None, None, 0.5]),
        }
        # Keras's own fails where it compares batches before it has seen an epoch's end.
        if arguments["save_best_only"] and arguments["save_freq"] != "epoch":
            arguments["save_best_only"] = False
        found = []
        for module in (callbacks, keras.callbacks):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found.append((run_checkpoint(module, arguments, values), capsys.readouterr().out))
        assert found[0] == found[1], (arguments, values)
        saved += len(found[0][0][0])
        skipped += arguments["save_best_only"] and len(values) - len(found[0][0][0])
    assert saved > 100
    assert skipped > 50
    assert (tmp_path / "in").is_dir()


def test_model_checkpoint_compares_batches_too(tmp_path):
    model = Model()
    saver = callbacks.ModelCheckpoint(tmp_path / "b{batch}.keras", "loss", save_best_only=True, save_freq=1)
    saver.set_model(model)
    saver.on_epoch_begin(0)
    for batch, loss in enumerate([0.5, 0.7, 0.25]):
        saver.on_train_batch_end(batch, {"loss": loss})
    assert [Path(path).name for _, path, _, _ in model.saved] == ["b1.keras", "b3.keras"]


def test_model_checkpoint_refuses_wrong_paths(keras, tmp_path):
    for module in (callbacks, keras.callbacks):
        for arguments in (
            {"filepath": "a.txt"},
            {"filepath": "a.keras", "save_weights_only": True},
            {"filepath": "a.keras", "save_freq": "batch"},
        ):
            with pytest.raises(ValueError, match=r"filepath|save_freq"):
                module.ModelCheckpoint(**arguments)
        with pytest.raises(KeyError, match="val_loss"):
            run_checkpoint(module, {"filepath": str(tmp_path / "{val_loss}.keras")}, [None])
    (tmp_path / "folder.keras").mkdir()
    with pytest.raises(IsADirectoryError, match="filepath: expected a file, got the folder"):
        run_checkpoint(callbacks, {"filepath": tmp_path / "folder.keras"}, [0.5])


@pytest.mark.parametrize(
    ("make", "train"),
    [
        (lambda tmp: callbacks.ModelCheckpoint(tmp / "a.keras"), False),
        (lambda tmp: callbacks.ModelCheckpoint(tmp / "a.keras", save_freq=2), True),
        (lambda tmp: callbacks.BackupAndRestore(tmp / "b"), False),
        (lambda tmp: callbacks.BackupAndRestore(tmp / "b", save_freq=2), True),
        (lambda tmp: callbacks.BackupAndRestore(tmp / "b", save_freq=False), False),
        (
            lambda tmp: type("Own", (callbacks.ModelCheckpoint,), {"on_train_batch_end": print})(
                tmp / "a.keras"
            ),
            True,
        ),
        (lambda tmp: callbacks.LearningRateScheduler(lambda epoch: 0.5), False),
        (lambda tmp: callbacks.ReduceLROnPlateau(), False),
        (lambda tmp: callbacks.CSVLogger(tmp / "a.csv"), False),
        (lambda tmp: callbacks.RemoteMonitor(), False),
    ],
)
def test_who_wants_batches(make, train, tmp_path):
    both = callbacks.CallbackList(make(tmp_path), add_history=True)
    assert (both.wants_train_batches, both.wants_test_batches, both.wants_epochs) == (train, False, True)


# -- the learning rate ---------------------------------------------------------------------------------------
def test_reduce_lr_on_plateau_decides_as_keras_does(keras, capsys):
    reduced = 0
    for draw, values in courses(200):
        arguments = {
            "factor": draw.choice([0.1, 0.5, 0.9]),
            "patience": draw.choice([0, 1, 2]),
            "verbose": draw.choice([0, 1]),
            "mode": draw.choice(["auto", "min", "max"]),
            "min_delta": draw.choice([1e-4, 0, 0.1, -0.1]),
            "cooldown": draw.choice([0, 1, 2]),
            "min_lr": draw.choice([0.0, 0.2]),
        }
        found = []
        for module in (callbacks, keras.callbacks):
            model = Model()
            reducer = module.ReduceLROnPlateau(**arguments)
            reducer.set_model(model)
            course = []
            for _ in range(2):
                reducer.on_train_begin()
                for epoch, value in enumerate(values):
                    logs = {"loss": 1.0} if value is None else {"loss": 1.0, "val_loss": value}
                    with warnings.catch_warnings():
                        warnings.simplefilter("ignore")
                        reducer.on_epoch_end(epoch, logs)
                    course.append((list(logs), logs["learning_rate"], reducer.wait, reducer.cooldown_counter))
            found.append((course, model.optimizer.learning_rate, capsys.readouterr().out))
        assert found[0] == found[1], (arguments, values)
        reduced += found[0][1] < 0.5
    assert reduced > 50
    for module in (callbacks, keras.callbacks):
        with pytest.raises(ValueError, match="factor"):
            module.ReduceLROnPlateau(factor=1.0)


@pytest.mark.parametrize("verbose", [0, 1])
def test_learning_rate_scheduler_sets_what_keras_sets(keras, capsys, verbose):
    schedules = [lambda epoch, rate: rate * 0.5 + epoch, lambda epoch: 0.25 / (epoch + 1)]
    for schedule in [*schedules, lambda epoch, rate: np.float32(rate)]:
        found = []
        for module in (callbacks, keras.callbacks):
            model = Model()
            scheduler = module.LearningRateScheduler(schedule, verbose=verbose)
            scheduler.set_model(model)
            course = []
            for epoch in range(3):
                scheduler.on_epoch_begin(epoch)
                logs = {"loss": 1.0}
                scheduler.on_epoch_end(epoch, logs)
                course.append(logs)
            found.append((course, capsys.readouterr().out))
        assert found[0] == found[1]
    for module in (callbacks, keras.callbacks):
        scheduler = module.LearningRateScheduler(lambda epoch, rate: 1)
        scheduler.set_model(Model())
        with pytest.raises(ValueError, match="float"):
            scheduler.on_epoch_begin(0)


# -- CSVLogger -----------------------------------------------------------------------------------------------
def test_csv_logger_writes_keras_s_file(keras, tmp_path):
    runs = [
        [{"loss": 0.5, "accuracy": 1.0}, {"loss": 0.25}, {"loss": float("nan"), "val_loss": 2.0}],
        [{"val_loss": 0.5, "loss": np.float32(0.1), "rates": np.array([1, 2]), "word": "a;b"}],
    ]
    for separator in (",", ";"):
        for append in (False, True):
            written = []
            for module, name in ((callbacks, "ours"), (keras.callbacks, "theirs")):
                path = tmp_path / f"{name}{separator}{append}.csv"
                for run in runs:
                    logger = module.CSVLogger(path, separator=separator, append=append)
                    for _ in range(2):  # one object for two calls of fit
                        logger.on_train_begin()
                        for epoch, logs in enumerate(run):
                            logger.on_epoch_end(epoch, logs)
                        logger.on_train_end()
                # Keras opens the file so that the system adds its own line ends to csv's.
                written.append(path.read_bytes().replace(b"\r\r\n", b"\r\n"))
            assert written[0] == written[1]
            assert written[0].count(b"\n") == (1 + 1 if not append else 1 + 2 * 3 + 2)


# -- RemoteMonitor -------------------------------------------------------------------------------------------
@pytest.mark.parametrize("as_json", [False, True])
def test_remote_monitor_sends_what_keras_sends(keras, as_json):
    received = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            sent = json.loads(body if as_json else parse_qs(body)["data"][0])
            received.append((self.path, self.headers["Content-Type"], self.headers["X-Key"], sent))
            self.send_response(500)
            self.end_headers()

        def log_message(self, *args):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    root = f"http://127.0.0.1:{server.server_port}"
    try:
        for module in (callbacks, keras.callbacks):
            monitor = module.RemoteMonitor(root, "/here", headers={"X-Key": "1"}, send_as_json=as_json)
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                monitor.on_epoch_end(2, {"loss": 0.5, "a": np.float32(0.25), "b": np.array(3)})
    finally:
        server.shutdown()
        server.server_close()
    assert received[0] == received[1]
    assert received[0][3] == {"epoch": 2, "loss": 0.5, "a": 0.25, "b": 3}
    with pytest.warns(UserWarning, match="root: expected a server that can be reached"):
        callbacks.RemoteMonitor(root).on_epoch_end(0, {})
