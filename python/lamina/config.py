"""Settings of the compiled core: threads, device, backend, instruction set, and what the build holds."""

from __future__ import annotations

import os
import re
import sys
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from lamina import _core

BACKENDS = ("cpu", "profile", "reference")
_backend = "cpu"
_core.set_device_module(os.path.join(os.path.dirname(_core.__file__), "_cuda.so"))
# Where NVIDIA's packages, nvidia-cublas and nvidia-cublas-cu12, put their libraries.
_core.set_device_libraries(
    [os.path.join(path, "nvidia", part, "lib") for path in sys.path for part in ("cu13", "cublas")]
)


def get_num_threads() -> int:
    """The largest number of threads that a call may use; small problems use fewer."""
    return _core.get_num_threads()


def set_num_threads(num_threads: int) -> None:
    """Limit the threads of the core. Results don't depend on it, bit for bit, so that a training works with
    one while it finds that to be quicker.

    Args:
        num_threads: an int >= 1. Default at import: `LAMINA_NUM_THREADS`, else the CPUs this process may use.

    Raises:
        ValueError: num_threads is not such an int.
    """
    if isinstance(num_threads, bool) or not isinstance(num_threads, (int, np.integer)) or num_threads < 1:
        raise ValueError(f"num_threads: expected an int >= 1, got {num_threads!r}")
    _core.set_num_threads(int(num_threads))


def build_info() -> dict[str, Any]:
    """What was built and what this machine uses of it.

    Returns:
        dict with version, compiler, build_type, isa_built, isa_available, isa and cuda.
    """
    return _core.build_info()


def set_isa(name: str) -> None:
    """Choose the instruction set of the kernels, as the environment variable `LAMINA_ISA` does at import.

    Args:
        name: "baseline", "avx2", "avx512", "avx512_bf16" or "amx". The last two differ from "avx512" under
            `mixed_bfloat16` only: with "amx" or "avx512_bf16" its products are done by those instructions,
            with the others they are emulated.

    Raises:
        ValueError: this build or this machine lacks it.
    """
    _core.set_isa(name)


def get_backend() -> str:
    """The backend on which models are built from now on: "cpu" (default), "profile" or "reference"."""
    return _backend


def set_backend(name: str) -> None:
    """Choose the backend of the models built after this call; those that are built keep theirs.

    Args:
        name: "cpu", the fast one; "profile", the same with a clock beside it, for `take_profile`; or
            "reference", plain loops with double accumulation, for checking the others. Where the device is a
            GPU (see `set_device`), that one computes.

    Raises:
        ValueError: there is no such backend.
    """
    global _backend
    if name not in BACKENDS:
        raise ValueError(f"backend: expected one of {', '.join(map(repr, BACKENDS))}, got {name!r}")
    _backend = name


def _checked_device(name: object, what: str) -> str:
    """The name as `get_device` gives it: "cpu", or "cuda:" and a number."""
    found = re.fullmatch(r"cpu|cuda(?::(\d{1,4}))?", name) if isinstance(name, str) else None
    if found is None:
        raise ValueError(f"{what}: expected 'cpu', 'cuda' or 'cuda:' and a number, got {name!r}")
    return "cpu" if found[0] == "cpu" else f"cuda:{int(found[1] or 0)}"


_device = _checked_device(os.environ.get("LAMINA_DEVICE") or "cpu", "LAMINA_DEVICE")


def get_device() -> str:
    """The device on which models are built from now on: "cpu" (default), or a GPU: "cuda:0", "cuda:1" …"""
    return _device


def set_device(name: str) -> None:
    """Choose the device of the models built after this call; those that are built keep theirs.

    The environment variable `LAMINA_DEVICE` does the same at import. A model pickles and saves its weights,
    not its device: it is built anew on the device of the time when it is loaded.

    Args:
        name: "cpu", or "cuda" or "cuda:0" for the first GPU, "cuda:1" for the second.

    Raises:
        ValueError: name is no such name.
        RuntimeError: this build has no module for GPUs, or there is no driver or no such GPU; the message
            says what is missing and how to get it.
    """
    global _device
    checked = _checked_device(name, "device")
    if checked != "cpu":
        _core.require_device(checked)
    _device = checked


class device:  # noqa: N801
    """Build models on a device within a `with` block.

    Args:
        name: as for `set_device`, which is called when the block is entered.

    Example:
        >>> with lamina.device("cuda:0"):
        ...     model = keras.Sequential([keras.Input((784,)), keras.layers.Dense(10, "softmax")])
    """

    def __init__(self, name: str) -> None:
        self._name = _checked_device(name, "device")
        self._before: list[str] = []

    def __enter__(self) -> None:
        before = _device
        set_device(self._name)
        self._before.append(before)

    def __exit__(self, *_: object) -> None:
        global _device
        _device = self._before.pop()


def _network_backend() -> str:
    """The name by which the core knows who computes a model that is built now."""
    return _backend if _device == "cpu" else _device


class Verb(NamedTuple):
    """What a profile knows of one verb of the backend: its calls and how long they took together."""

    name: str
    calls: int
    seconds: float


def take_profile() -> list[Verb]:
    """Where the time of models on the backend "profile" went since this was last asked, the longest first.

    It counts every such model of the process, training and predicting, and the time on the clock of the
    thread that called the verb. What happens between the verbs is not in it.

    Example:
        >>> lamina.config.set_backend("profile")
        >>> model = keras.Sequential([keras.Input((784,)), keras.layers.Dense(10, "softmax")])
        >>> model.compile("sgd", "sparse_categorical_crossentropy")
        >>> model.fit(x, y, verbose=0)
        >>> for verb in lamina.config.take_profile():
        ...     print(f"{verb.name:25} {verb.calls:8} {verb.seconds * 1e3:8.1f} ms")
    """
    verbs = [Verb(*taken) for taken in _core.take_profile()]
    return sorted(verbs, key=lambda verb: verb.seconds, reverse=True)


def _enable_op_determinism() -> None:
    """Accepted and needless: equal seeds always give equal bits, whatever the number of threads."""


class PhysicalDevice(NamedTuple):
    """A device as `list_physical_devices` names it."""

    name: str
    device_type: str


def list_physical_devices(device_type: str | None = None) -> list[PhysicalDevice]:
    """The devices that Lamina can compute on: the CPU, and the GPUs for which this build has a module.

    Args:
        device_type: "CPU", "GPU" …; None (default) lists all.

    Returns:
        One device for "CPU", one for each usable GPU for "GPU", [] for any other type.
    """
    devices = [PhysicalDevice("/physical_device:CPU:0", "CPU")]
    if device_type in (None, "GPU"):
        names, _ = _core.device_names()
        devices += [PhysicalDevice(f"/physical_device:GPU:{i}", "GPU") for i in range(len(names))]
    return [device for device in devices if device_type in (None, device.device_type)]


def _enable_tensor_float_32_execution(enabled: bool) -> None:
    """Let a GPU round the factors of large float32 products to TF32, of 11 significant bits, or not.

    Products of some 256 by 256 by 256 and more then run on its tensor cores, several times sooner. Off by
    default, unlike in TensorFlow: float32 results then agree with the CPU's to rounding. It holds for what is
    asked for from now on, where cuBLAS is found (docs/gpu.md).

    Raises:
        ValueError: enabled is no bool.
    """
    if not isinstance(enabled, (bool, np.bool_)):
        raise ValueError(f"enabled: expected True or False, got {enabled!r}")
    _core.allow_tf32(bool(enabled))


def _tensor_float_32_execution_enabled() -> bool:
    """Whether TF32 may be used."""
    return _core.allows_tf32()


# The corners of `tf.config` that scripts of this kind reach for.
experimental = SimpleNamespace(
    enable_op_determinism=_enable_op_determinism,
    enable_tensor_float_32_execution=_enable_tensor_float_32_execution,
    list_physical_devices=list_physical_devices,
    tensor_float_32_execution_enabled=_tensor_float_32_execution_enabled,
)
