"""What the machine can do at most: multiply-adds in registers, bytes copied, words from core to core."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from lamina import _core

_ROUNDS = 200_000  # some two milliseconds: threads that start a few microseconds late do not show
_COPIED = 1 << 27  # values copied in one timing, in blocks of whatever size
_REPEATS = 7
# And for so long, in seconds: the system may wake a thread on the caller's CPU and take a while to move it.
_LONG_ENOUGH = 0.25


def fma_peak() -> float:
    """Floating-point operations a second, in float32, of all the threads that Lamina may use together."""
    operations = _core.peak_multiply_add(_ROUNDS)
    return operations / _shortest(lambda: _core.peak_multiply_add(_ROUNDS), 2 * _REPEATS)


def copy_bandwidth(size: int) -> float:
    """Bytes read plus bytes written a second by all the threads together, each copying a block.

    Args:
        size: bytes that a thread's two blocks take; rounded down to whole 8 KiB.
    """
    values = max(1, size // 8192) * 1024
    rounds = max(1, _COPIED // 16 // values)
    blocks = _core.CopyBlocks(values)
    seconds = _shortest(lambda: blocks.copy(rounds), _REPEATS)
    return 8.0 * values * rounds * _core.get_num_threads() / seconds


def handover() -> float:
    """Seconds until what one thread writes has come to another; what threads share costs multiples of it.

    On a virtual machine it may change from minute to minute, as its processors are moved about. Needs two
    threads.
    """
    rounds = 10_000
    return _shortest(lambda: _core.hand_over(rounds), 3, long_enough=0.0) / (2 * rounds)


def caches() -> dict[str, int]:
    """Bytes of the first CPU's data caches by name ("L1", "L2", "L3"), as Linux tells; {} elsewhere."""
    found: dict[str, int] = {}
    for folder in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        level, kind, size = ((folder / part).read_text().strip() for part in ("level", "type", "size"))
        if kind != "Instruction" and size.endswith("K"):
            found[f"L{level}"] = int(size[:-1]) * 1024
    return found


def _shortest(run: Callable[[], object], repeats: int, long_enough: float = _LONG_ENOUGH) -> float:
    """Seconds of the quickest run: a limit is what the machine can do when nothing disturbs it."""
    times: list[float] = []
    while len(times) < repeats or sum(times) < long_enough:
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times)
