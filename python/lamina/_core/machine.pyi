"""Threads, instruction sets and what they reach."""

from typing import Any

def build_info() -> dict[str, Any]:
    """version, compiler, build_type, isa_built, isa_available, isa, cuda (bool)."""

def set_isa(name: str) -> None:
    """Switch the kernel table ("baseline", "avx2", "avx512"); ValueError where this machine or build
    lacks it.
    """

def set_device_module(path: str) -> None:
    """Where the module for GPUs lies, if there is one."""

def set_device_libraries(folders: list[str]) -> None:
    """Where that module looks first for libraries of its maker's; of no effect once it is loaded."""

def allow_tf32(allowed: bool) -> None: ...
def allows_tf32() -> bool: ...
def device_names() -> tuple[list[str], str]:
    """Of the GPUs; and where there is none, why."""

def require_device(name: str) -> None:
    """RuntimeError that says what is missing for a device of this name."""

def get_num_threads() -> int: ...
def set_num_threads(n: int) -> None: ...
def take_profile() -> list[tuple[str, int, float]]:
    """(verb, calls, seconds) of the backend "profile" since the last time."""

def peak_multiply_add(rounds: int) -> float:
    """Multiply and add in registers, float32, on each of the threads at once; returns the floating-point
    operations of all. The caller takes the time.
    """

def hand_over(rounds: int) -> None:
    """A word goes to and fro between two threads; RuntimeError where the second does not come in a second.
    The caller takes the time.
    """

class CopyBlocks:
    """For each of the threads two blocks of `size` float32, a multiple of 1024."""

    def __init__(self, size: int) -> None: ...
    def copy(self, rounds: int) -> None:
        """Each thread copies its first block to its second, `rounds` times."""
