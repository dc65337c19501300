"""Every way a program of the users reaches a name, and what importing costs."""

from __future__ import annotations

import ast
import importlib
import inspect
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from tolerances import adaptive_movement, assert_close, rounding

import lamina
from lamina.keras._training.absent import NAMES, REASONS

PACKAGE = Path(lamina.__file__).parent


@pytest.mark.parametrize(
    "line",
    [
        "import lamina as tf; tf.keras.Sequential; tf.keras.layers.Dense; tf.__version__",
        "import lamina as tf; tf.keras.datasets.fashion_mnist.load_data; tf.keras.utils.set_random_seed(42)",
        "import lamina as tf; tf.config.experimental.enable_op_determinism()",
        "import lamina as tf; tf.random.set_seed(42); assert tf.config.list_physical_devices('GPU') != 0",
        "import lamina as tf; assert tf.config.list_physical_devices()[0].device_type == 'CPU'",
        "import lamina; lamina.ops; lamina.config.build_info()",
        "from lamina import keras; keras.Sequential; keras.datasets.fashion_mnist; keras.__version__",
        "from lamina import keras; keras.Input; keras.callbacks.EarlyStopping; keras.backend.clear_session()",
        "from lamina.keras import Sequential, models, layers",
        "from lamina.keras import datasets, optimizers, losses, metrics, activations, initializers, utils",
        "from lamina.keras.models import Sequential",
        "from lamina.keras.layers import Dense, BatchNormalization, Dropout",
        "from lamina.keras.datasets.mnist import load_data",
        "from lamina.keras.datasets import mnist, fashion_mnist, digits",
        "from lamina.keras.optimizers import SGD, RMSprop, Adagrad, Adam",
        "from lamina.keras.utils import to_categorical, set_random_seed",
        "from lamina.keras.callbacks import Callback, History, EarlyStopping, LambdaCallback, TerminateOnNaN",
        "import lamina.keras.layers as L; import lamina.ops as ops; L.Flatten",
        "from lamina.keras import *; Sequential",
    ],
)
def test_names_are_where_programs_look(line: str) -> None:
    exec(line, {})


def test_each_name_listed_is_there() -> None:
    keras = lamina.keras
    modules = [lamina, keras, keras.layers, keras.models, keras.losses, keras.metrics, keras.optimizers]
    for module in [*modules, keras.initializers, keras.callbacks, keras.utils, keras.datasets]:
        names = module.__all__
        assert sorted(set(names)) == sorted(names)
        for name in names:
            assert getattr(module, name) is not None
        assert set(names) <= set(dir(module))


def test_unknown_names_are_no_attributes() -> None:
    for module in (lamina, lamina.keras):
        with pytest.raises(AttributeError, match="no attribute 'nope'"):
            _ = module.nope


@pytest.mark.parametrize("namespace", NAMES)
def test_keras_s_names_are_there_or_refused_as_such(namespace: str, live_keras: ModuleType) -> None:
    ours, live = lamina, live_keras
    for part in namespace.split("."):
        ours, live = getattr(ours, part), live if part == "keras" else getattr(live, part)
    public = {name for name in dir(live) if not name.startswith("_")} - {"src"}
    absent = set(NAMES[namespace].split())
    assert {name for name in public if not hasattr(ours, name)} == absent
    name = min(absent)
    reason = REASONS.get(f"{namespace}.{name}")
    said = "not supported by Lamina yet" if reason is None else f"not supported by Lamina: {reason}"
    for wrong, ask in ((AttributeError, f"ours.{name}"), (ImportError, "from {} import {}")):
        with pytest.raises(wrong) as caught:
            exec(ask.format(ours.__name__, name), {"ours": ours})
        assert str(caught.value) == f"{namespace}.{name}: Keras's, but {said}"
    with pytest.raises(AttributeError, match=r"no attribute 'nope'; it has \w"):
        _ = ours.nope


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("from lamina.keras import distribution", "keras.distribution"),
        ("from lamina.keras.layers import Conv2D", "keras.layers.Conv2D"),
        ("import lamina.keras.distribution", "keras.distribution"),
        ("import lamina.keras.applications.vgg16", "keras.applications"),
        ("from lamina.keras.preprocessing.image import ImageDataGenerator", "keras.preprocessing"),
        ("from lamina.keras.datasets.cifar10 import load_data", "keras.datasets.cifar10"),
    ],
)
def test_an_import_of_keras_s_other_names_is_refused_as_such(line: str, name: str) -> None:
    with pytest.raises(ImportError, match=f"^{name}: Keras's, but not supported by Lamina yet$"):
        exec(line, {})


def test_a_module_that_nobody_has_is_pythons_to_refuse() -> None:
    for name in ("lamina.keras.nope", "lamina.keras.layers.nope", "lamina.nope"):
        with pytest.raises(ModuleNotFoundError, match=f"^No module named '{name}'$"):
            exec(f"import {name}", {})
    importlib.invalidate_caches()


def test_one_version() -> None:
    assert (
        lamina.__version__ == lamina.keras.__version__ == lamina.keras.version() == lamina._core.__version__
    )


def test_the_package_is_typed() -> None:
    assert (PACKAGE / "py.typed").exists()


@pytest.mark.parametrize(
    "name",
    [
        "Dense",
        "Flatten",
        "Activation",
        "Dropout",
        "BatchNormalization",
        "Input",
        "InputLayer",
        "ReLU",
        "LeakyReLU",
        "ELU",
        "PReLU",
        "Softmax",
    ],
)
def test_layers_take_keras_s_arguments(name: str, live_keras: ModuleType) -> None:
    ours, live = getattr(lamina.keras.layers, name), getattr(live_keras.layers, name)
    assert _arguments(ours) == _arguments(live)


METHODS = (
    "__init__ add pop build compile fit evaluate predict train_on_batch test_on_batch predict_on_batch "
    "summary get_layer get_weights set_weights count_params reset_metrics"
)


@pytest.mark.parametrize("name", METHODS.split())
def test_sequential_takes_keras_s_arguments(name: str, live_keras: ModuleType) -> None:
    ours, live = getattr(lamina.keras.Sequential, name), getattr(live_keras.Sequential, name)
    assert _arguments(ours) == _arguments(live)


def _arguments(function: Any) -> list[tuple[str, Any]]:
    """Names, order and defaults."""
    return [
        (parameter.name, parameter.default)
        for parameter in inspect.signature(function).parameters.values()
        if parameter.kind is not parameter.VAR_KEYWORD
    ]


HEAVY = {
    "asyncio",
    "concurrent",
    "h5py",
    "http",
    "matplotlib",
    "multiprocessing",
    "rich",
    "shutil",
    "ssl",
    "urllib",
}


def test_importing_is_light() -> None:
    code = """
import sys, numpy
before = set(sys.modules)
from lamina import keras
print(*set(sys.modules) - before)
"""
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.split(".")[0] for name in shown.stdout.split()}
    assert not loaded & HEAVY
    assert "lamina.keras.datasets" not in shown.stdout.split()


def test_nothing_reaches_upward() -> None:
    """The face's inner rooms never import the package's front: names come from where they are defined."""
    for path in [*(PACKAGE / "keras/layers").glob("*.py"), *(PACKAGE / "keras/_training").glob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                assert node.module != "lamina.keras.models", path
                if node.module == "lamina.keras":
                    assert not {"Sequential", "models"} & {alias.name for alias in node.names}, path


def test_threads_backend_and_isa_are_checked() -> None:
    config = lamina.config
    threads = config.get_num_threads()
    config.set_num_threads(2)
    assert config.get_num_threads() == 2
    config.set_num_threads(np.int64(1))
    assert config.get_num_threads() == 1
    config.set_num_threads(threads)
    for wrong in (0, -1, 1.5, True, "2"):
        with pytest.raises(ValueError, match="num_threads: expected an int >= 1"):
            config.set_num_threads(wrong)
    with pytest.raises(ValueError, match="backend: expected one of 'cpu', 'profile', 'reference', got 'gpu'"):
        config.set_backend("gpu")
    with pytest.raises(ValueError, match="nope"):
        config.set_isa("nope")


def test_the_reference_backend_computes_the_same() -> None:
    keras, x = lamina.keras, np.random.default_rng(0).random((20, 6))

    def train(backend: str) -> Any:
        lamina.config.set_backend(backend)
        try:
            keras.utils.set_random_seed(3)
            model = keras.Sequential(
                [keras.Input((6,)), keras.layers.Dense(5, "tanh"), keras.layers.Dense(2)]
            )
        finally:
            lamina.config.set_backend("cpu")
        model.compile("adam", "mse")
        model.fit(x, x[:, :2], epochs=3, verbose=0)
        return model.get_weights()

    assert lamina.config.get_backend() == "cpu"
    for one, other in zip(train("cpu"), train("reference"), strict=True):
        assert_close(one, other, rounding("float32", 20, steps=3), "weights", scale=adaptive_movement(1e-3))


def test_floatx() -> None:
    config = lamina.keras.config
    assert (config.floatx(), lamina.keras.backend.floatx(), config.epsilon()) == ("float32", "float32", 1e-7)
    with pytest.raises(ValueError, match="floatx: expected 'float32' or 'float64', got 'float16'"):
        config.set_floatx("float16")
    config.set_floatx("float64")
    try:
        assert lamina.keras.layers.Dense(1).dtype == "float64"
    finally:
        config.set_floatx("float32")
    assert config.image_data_format() == "channels_last"
    assert config.backend() == "lamina"


def test_attributes_of_keras_s_objects_are_there_or_refused_as_such(live_keras: ModuleType) -> None:
    """What a trained model, its layers, optimizer and metrics have, but for what only TensorFlow needs."""
    internal = {"backend", "interpolate_pr_auc", "ragged", "sparse", "optional", "activity_regularizer"}
    held = []
    for keras in (live_keras, lamina.keras):
        model = keras.Sequential(
            [keras.Input((3,)), keras.layers.BatchNormalization(), keras.layers.Dense(2)]
        )
        model.compile("adam", "mse", metrics=[keras.metrics.AUC()])
        model.fit(np.ones((4, 3), "f4"), np.ones((4, 2), "f4"), verbose=0)
        held.append(
            [model, *model.layers, model.optimizer, keras.metrics.AUC(), keras.layers.Normalization()]
        )
    for live, ours in zip(*held, strict=True):
        for name in dir(live):
            if name.startswith("_") or name in internal:
                continue
            try:
                getattr(live, name)
            except Exception:  # Keras's own does not answer
                continue
            if not hasattr(ours, name):
                with pytest.raises(AttributeError, match="Keras's, but not supported by Lamina"):
                    getattr(ours, name)


def test_own_variables_of_a_layer(live_keras: ModuleType) -> None:
    stores: list[dict[str, Any]] = []
    for keras in (lamina.keras, live_keras):
        layer = keras.layers.BatchNormalization()
        layer.build((None, 3))
        store: dict[str, Any] = {str(i): np.arange(3.0) + i for i in range(4)}
        layer.load_own_variables(store)
        found: dict[str, Any] = {}
        layer.save_own_variables(found)
        stores.append({name: np.asarray(value).tolist() for name, value in found.items()})
        assert layer.input_dtype == "float32"
        with pytest.raises(ValueError, match=r"4|four"):
            layer.load_own_variables({"0": np.zeros(3)})
    assert stores[0] == stores[1]
