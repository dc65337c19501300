"""Settings of the compiled core: threads, backend, instruction set, and what the build holds."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from lamina import _core

BACKENDS = ("cpu", "profile", "reference")
_backend = "cpu"


def get_num_threads() -> int:
    """The largest number of threads that a call may use; small problems use fewer."""
    return _core.get_num_threads()


def set_num_threads(num_threads: int) -> None:
    """Limit the threads of the core. Results don't depend on it, bit for bit.

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
            "reference", plain loops with double accumulation, for checking the others.

    Raises:
        ValueError: there is no such backend.
    """
    global _backend
    if name not in BACKENDS:
        raise ValueError(f"backend: expected one of {', '.join(map(repr, BACKENDS))}, got {name!r}")
    _backend = name


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
    """The devices that Lamina computes on, for programs that look for a GPU: the CPU alone.

    Args:
        device_type: "CPU", "GPU" …; None (default) lists all.

    Returns:
        One device for None and "CPU", [] for any other type.
    """
    devices = [PhysicalDevice("/physical_device:CPU:0", "CPU")]
    return [device for device in devices if device_type in (None, device.device_type)]


# The corners of `tf.config` that scripts of this kind reach for.
experimental = SimpleNamespace(
    enable_op_determinism=_enable_op_determinism, list_physical_devices=list_physical_devices
)
