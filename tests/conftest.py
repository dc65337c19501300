"""Fixtures shared by all tests: live Keras as the oracle, imported only by the tests that ask for it."""

import gc
import importlib.util
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from lamina import _core

# The emulated module for GPUs, or another that is not installed: with `LAMINA_DEVICE=cuda` all tests' models
# are built on its device.
if "LAMINA_TEST_DEVICE_MODULE" in os.environ:
    _core.set_device_module(os.environ["LAMINA_TEST_DEVICE_MODULE"])

# Read by TensorFlow at its import. oneDNN is off because it picks other summation orders on other machines.
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

# A shell's background job ignores Ctrl-C, and so would the programs that tests start only to interrupt them.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Lets every test file, in whatever folder, `import tolerances`.
sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="module", autouse=True)
def frozen_heap() -> None:
    """What other files left is not searched for garbage again: clear_session collects, and TensorFlow leaves
    a million objects.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def live_keras() -> ModuleType:
    """Keras on TensorFlow, one thread per operation; skips where the test extra is not installed."""
    for name in ("tensorflow", "keras"):
        if importlib.util.find_spec(name) is None:
            pytest.skip(f"{name} is not installed")
    import keras
    import tensorflow as tf

    assert keras.backend.backend() == "tensorflow"
    # Set before the first operation runs, else TensorFlow refuses. A GPU, if there is one, is for Lamina.
    tf.config.set_visible_devices([], "GPU")
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    return keras


@pytest.fixture(scope="session")
def lamina_keras() -> ModuleType:
    """`lamina.keras`, the module under test."""
    from lamina import keras

    return keras


@pytest.fixture
def float64(live_keras: ModuleType, lamina_keras: ModuleType) -> Iterator[None]:
    """Both libraries in float64 for one test. Keras keeps its policy once a layer was made, so that is set
    as well.
    """
    before = lamina_keras.config.floatx()
    for floatx in ("float64", before):
        lamina_keras.config.set_floatx(floatx)
        live_keras.config.set_floatx(floatx)
        live_keras.config.set_dtype_policy(floatx)
        if floatx == "float64":
            yield


@pytest.fixture(scope="session")
def compiler() -> str:
    """A C compiler, for the tests that watch the process from outside."""
    found = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if found is None:
        pytest.skip("no C compiler")
    return found
