"""Models on a GPU: which devices there are, what is said where there is none, and that a model computes there
what it computes on the CPU.

A real GPU is used where there is one. Without one, the emulated module does (`cmake -DLAMINA_CUDA=EMULATED`),
whose path `LAMINA_TEST_DEVICE_MODULE` holds (conftest.py): kernels are the same, and host code that does not
wait is seen. The tests of models run there too, with `LAMINA_DEVICE=cuda pytest`.
"""

import pickle
from pathlib import Path
from typing import Any

import fresh_process
import numpy as np
import pytest
from device_data import BYTES, NAMES, WEIGHTS, X, Y, assert_alike, on_device

import lamina
from lamina import keras
from lamina.keras import callbacks, layers, optimizers


def network(dtype: str = "float32") -> keras.Sequential:
    keras.utils.set_random_seed(1)
    return keras.Sequential(
        [
            keras.Input((29,), dtype=dtype),
            layers.Rescaling(0.1, dtype=dtype),
            layers.Dense(37, "relu", kernel_regularizer="l2", activity_regularizer="l1", dtype=dtype),
            layers.Dropout(0.2, dtype=dtype),
            layers.BatchNormalization(dtype=dtype),
            layers.Dense(18, "gelu", kernel_constraint="max_norm", dtype=dtype),
            layers.LayerNormalization(dtype=dtype),
            layers.GaussianNoise(0.1, dtype=dtype),
            layers.PReLU(dtype=dtype),
            layers.Dense(5, "softmax", activity_regularizer="l2", dtype=dtype),
        ]
    )


def trained(device: str, optimizer: Any, dtype: str = "float32", x: np.ndarray = X) -> tuple[Any, Any]:
    with lamina.device(device):
        model = network(dtype)
        model.compile(
            optimizer() if callable(optimizer) else optimizer,
            "sparse_categorical_crossentropy",
            metrics=["accuracy", keras.metrics.SparseCategoricalCrossentropy()],
            weighted_metrics=["accuracy"],
        )
        history = model.fit(
            x, Y, 32, 3, verbose=0, sample_weight=WEIGHTS, validation_data=(x[:99], Y[:99])
        ).history
    return model, history


# As many roundings as a run of 21 steps has on its longest way; an error in a kernel is larger by far.
@on_device
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("x", [X, BYTES, X[:, ::-1]], ids=["floats", "bytes", "reversed"])
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_a_fit_is_that_of_the_cpu(optimizer: str, x: np.ndarray, dtype: str) -> None:
    there, history = trained("cuda", optimizer, dtype, x)
    here, expected = trained("cpu", optimizer, dtype, x)
    assert history.keys() == expected.keys()
    assert_alike(history.values(), expected.values(), dtype)
    assert_alike(there.get_weights(), here.get_weights(), dtype)
    assert_alike([there.predict(x, verbose=0)], [here.predict(x, verbose=0)], dtype)
    assert_alike([there.evaluate(x, Y, verbose=0)], [here.evaluate(x, Y, verbose=0)], dtype)


@on_device
@pytest.mark.parametrize(
    "optimizer",
    [
        *("rmsprop", "nadam", "adagrad", "adadelta", "adamax", "lion", "ftrl", "adafactor", "muon", "Lamb"),
        lambda: optimizers.Adam(clipnorm=0.5, weight_decay=0.01),
        lambda: optimizers.SGD(momentum=0.9, nesterov=True, global_clipnorm=0.5),
        lambda: optimizers.Adam(gradient_accumulation_steps=3, use_ema=True),
        lambda: optimizers.LossScaleOptimizer(optimizers.SGD()),
    ],
)
def test_every_optimizer_takes_the_cpus_steps(optimizer: Any) -> None:
    """In float64: in float32 Lion's signs would part the two."""
    there, _ = trained("cuda", optimizer, "float64")
    here, _ = trained("cpu", optimizer, "float64")
    assert_alike(there.get_weights(), here.get_weights(), "float64")


@on_device
def test_runs_have_the_same_bits_each_time() -> None:
    first, second = (trained("cuda", "adam")[0].get_weights() for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


@on_device
def test_a_model_of_a_gpu_pickles_and_loads_without_one(tmp_path: Path) -> None:
    model, _ = trained("cuda", "adam")
    expected = model.predict(X, verbose=0)
    (tmp_path / "model").write_bytes(pickle.dumps(model))
    model.save(tmp_path / "model.keras")
    np.save(tmp_path / "x.npy", X)
    found = fresh_process.run(
        f"""
        import pickle, pathlib
        folder = pathlib.Path({str(tmp_path)!r})
        x = np.load(folder / "x.npy")
        loaded = [pickle.loads((folder / "model").read_bytes())]
        loaded.append(keras.models.load_model(folder / "model.keras"))
        assert config.get_device() == "cpu"
        predictions = [model.predict(x, verbose=0).tolist() for model in loaded]
        for model in loaded:
            model.fit(x, np.zeros(len(x), int), verbose=0)
        print(json.dumps(predictions))
        """
    )
    for prediction in found:
        np.testing.assert_allclose(prediction, expected, atol=1e-5)


@on_device
def test_batch_by_batch_with_an_own_metric() -> None:
    class Highest(keras.callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            self.weights = self.model.get_weights()  # host code between two steps

    def surest(y_true: Any, y_pred: Any) -> Any:
        return np.max(y_pred)

    found = []
    for device in ("cuda", "cpu"):
        with lamina.device(device):
            model = network("float64")
            model.compile("sgd", "sparse_categorical_crossentropy", metrics=[surest])
        seen = Highest()
        history = model.fit(X, Y, 50, 2, verbose=0, callbacks=[seen]).history
        model.train_on_batch(X[:20], Y[:20])
        found.append([*history.values(), *seen.weights, *model.get_weights()])
    assert_alike(*found, "float64")


@on_device
@pytest.mark.parametrize("kind", ["floats", "bytes", "reversed", "swapped", "sparse"])
@pytest.mark.parametrize("shuffle", [True, False])
def test_data_without_room_on_the_device_come_by_batches(
    kind: str, shuffle: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    x = {"floats": X, "bytes": BYTES, "reversed": X[:, ::-1], "swapped": X.astype(">f8"), "sparse": None}[
        kind
    ]
    if kind == "sparse":
        x = pytest.importorskip("scipy.sparse").csr_matrix(X * (X > 1))
    found = []
    for room in ("", "1000"):
        monkeypatch.setenv("LAMINA_CUDA_ROOM", room)
        with lamina.device("cuda"):
            model = network()
            model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        history = model.fit(
            x, Y, 32, 3, verbose=0, shuffle=shuffle, sample_weight=WEIGHTS, validation_data=(x[:99], Y[:99])
        ).history
        found.append([*map(np.array, history.values()), *model.get_weights()])
    for a, b in zip(*found, strict=True):
        np.testing.assert_array_equal(a, b)


@on_device
@pytest.mark.parametrize("changed", ["x", "y", "weights", "validation"])
def test_data_that_a_callback_changes(changed: str) -> None:
    """The device has a copy for the whole fit; a change between two epochs is seen all the same."""

    class Change(keras.callbacks.Callback):
        def __init__(self, data: dict[str, np.ndarray]) -> None:
            super().__init__()
            self.data = data

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            if epoch == 1:
                self.data[changed][7:90] = 1 - self.data[changed][7:90]

    found = []
    for device in ("cuda", "cpu"):
        data = {"x": X.copy(), "y": Y // 3, "weights": WEIGHTS.copy(), "validation": X[:50].copy()}
        with lamina.device(device):
            model = network("float64")
            model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
        history = model.fit(
            data["x"], data["y"], 50, 4, verbose=0, sample_weight=data["weights"], callbacks=[Change(data)],
            validation_data=(data["validation"], Y[:50]),
        ).history  # fmt: skip
        found.append([*history.values(), *model.get_weights()])
    assert_alike(*found, "float64")


class Mine(keras.callbacks.EarlyStopping):
    pass


class MyList(keras.callbacks.CallbackList):
    pass


@pytest.mark.parametrize(
    ("given", "foreign"),
    [
        ([], False),
        ([callbacks.History(), callbacks.CallbackList([callbacks.EarlyStopping()])], False),
        ([callbacks.EarlyStopping(), Mine()], True),
        ([callbacks.CallbackList([Mine()])], True),
        ([callbacks.LambdaCallback(on_epoch_begin=print)], True),
        ([callbacks.LearningRateScheduler(lambda epoch: 0.1)], True),
        (MyList(), True),
    ],
)
def test_whose_code_runs_between_epochs(given: Any, foreign: bool) -> None:
    given = given if isinstance(given, callbacks.CallbackList) else callbacks.CallbackList(given)
    assert given.runs_foreign_code is foreign


@on_device
def test_a_fit_that_a_callback_ends_or_tears_leaves_a_model_that_trains_on() -> None:
    class Fail(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            raise KeyError("enough")

    found = []
    for device in ("cuda", "cpu"):
        with lamina.device(device):
            model = network("float64")
            model.compile("sgd", "sparse_categorical_crossentropy")
        x = X.copy()
        with pytest.raises(KeyError):
            model.fit(x, Y, 50, 4, verbose=0, callbacks=[Fail()])
        x[:100] = 0  # what the device had of it is gone
        history = model.fit(x, Y, 50, 2, verbose=0, callbacks=[keras.callbacks.EarlyStopping("loss")]).history
        found.append([*history.values(), *model.get_weights()])
    assert_alike(*found, "float64")


@on_device
def test_many_models_at_once_have_the_bits_of_each() -> None:
    def models() -> list[keras.Sequential]:
        with lamina.device("cuda"):
            made = [network() for _ in range(3)]
        for seed, (model, optimizer) in enumerate(zip(made, ("sgd", "adam", "rmsprop"), strict=True)):
            model.compile(optimizer, "sparse_categorical_crossentropy")
            model._seed = seed
        return made

    together, alone = models(), models()
    lamina.train_many(together, X, Y, batch_size=32, epochs=2, validation_data=(X, Y))
    for model, other in zip(together, alone, strict=True):
        other.fit(X, Y, batch_size=32, epochs=2, verbose=0)
        for a, b in zip(model.get_weights(), other.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)


@on_device
def test_where_models_are_built() -> None:
    assert lamina.config.get_device() == "cpu"
    with lamina.device("cuda:0"):
        assert lamina.config.get_device() == "cuda:0"
        with lamina.device("cpu"):
            assert lamina.config.get_device() == "cpu"
        assert lamina.config.get_device() == "cuda:0"
    assert lamina.config.get_device() == "cpu"
    lamina.config.set_device("cuda")
    assert lamina.config.get_device() == "cuda:0"
    lamina.config.set_device("cpu")
    assert len(lamina.config.list_physical_devices("GPU")) == len(NAMES)
    with pytest.raises(RuntimeError, match=r"device: cuda: .*number"):
        lamina.config.set_device(f"cuda:{len(NAMES)}")
    assert lamina.config.get_device() == "cpu"


@pytest.mark.parametrize("name", ["gpu", "cuda:", "cuda:-1", "cuda:x", "CUDA", "cuda:00000", None, 0])
def test_a_name_that_is_none(name: Any) -> None:
    for build in (lamina.config.set_device, lamina.device):
        with pytest.raises(ValueError, match="device: expected 'cpu', 'cuda' or"):
            build(name)
    assert lamina.config.get_device() == "cpu"


def test_the_one_error_where_there_is_no_module(tmp_path: Path) -> None:
    found = fresh_process.run(
        f"""
        from lamina import _core
        _core.set_device_module({str(tmp_path / "_cuda.so")!r})
        def enter(name):
            with lamina.device(name):
                pass
        said = []
        for build in (config.set_device, _core.require_device, enter):
            try:
                build("cuda:0")
            except RuntimeError as error:
                said.append(str(error))
        model().predict(data(3)[0], verbose=0)  # all else works
        devices = [config.list_physical_devices(kind) for kind in ("GPU", None)]
        print(json.dumps([said, config.get_device(), *map(len, devices)]))
        """
    )
    said, *rest = found
    assert len(said) == 3
    assert all("device: cuda: this build of Lamina has no module for GPUs" in text for text in said)
    assert all("LAMINA_CUDA=ON" in text for text in said)
    assert rest == ["cpu", 0, 1]


def test_a_library_that_is_no_module() -> None:
    said = fresh_process.run(
        """
        from lamina import _core
        _core.set_device_module(_core.__file__)
        try:
            config.set_device("cuda")
        except RuntimeError as error:
            print(json.dumps(str(error)))
        """
    )
    assert "was built for another program, and this is Lamina" in said


def test_the_environment_chooses() -> None:
    code = "print(json.dumps(config.get_device()))"
    assert fresh_process.run(code, LAMINA_DEVICE="cuda") == "cuda:0"
    assert fresh_process.run(code, LAMINA_DEVICE="") == "cpu"
