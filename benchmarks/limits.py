"""What the machine, and the BLAS libraries on it, can do at most: a fresh process, started by rounds.py.

`limits.py machine` prints the FMA peak and the copy bandwidths; `limits.py numpy` and `limits.py torch` the
times of the matrix products of the cases, by that library's BLAS; `limits.py cuda` all of these of a GPU, by
cuBLAS. One line of JSON each.
"""

import argparse
import json
import os
import time
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
from cases import CASES, Case
from device import Cublas, Driver

from lamina._bench.limits import caches, copy_bandwidth, fma_peak
from lamina._bench.network import Array, MissingError, Product

_SECONDS = 0.02  # of each product
_REPEATS = 5
_DRAM = 256 << 20  # bytes of a block that no core's share of the last cache holds
_COPIED = 1 << 30  # bytes that no GPU's cache holds
_SIDE = 8192  # of the matrices whose product shows a GPU's peak


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("library", choices=("machine", "numpy", "torch", "cuda"))
    parser.add_argument("--cases", nargs="+", default=[])
    parser.add_argument("--threads", type=int, required=True)
    options = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: options.threads])
    cases = [case for case in CASES if case.name in options.cases]
    if options.library == "machine":
        found: dict[str, Any] = machine(options.threads)
    elif options.library == "cuda":
        try:
            found = cuda(cases)
        except MissingError as reason:
            found = {"missing": str(reason)}
    else:
        product = numpy_product if options.library == "numpy" else torch_product(options.threads)
        found = blas(cases, product)
    print(json.dumps(found))


def machine(threads: int) -> dict[str, Any]:
    """ "fma" operations a second, "copy" bytes a second by level, "caches" with the bytes that each holds."""
    import lamina

    lamina.config.set_num_threads(threads)
    known = caches()
    # Half a cache, so that what else lies in it does not push out the blocks.
    sizes = {level: size // 2 for level, size in known.items() if level in ("L1", "L2")}
    if {"L2", "L3"} <= known.keys():
        # All processors use it, those of other machines on the same host too: blocks that the second level is
        # just too small for.
        sizes["L3"] = 4 * known["L2"]
    return {
        "fma": fma_peak(),
        "copy": {level: copy_bandwidth(size) for level, size in {**sizes, "memory": _DRAM}.items()},
        "caches": known,
    }


def blas(cases: list[Case], product: Callable[[Array, Array], Callable[[], Any]]) -> dict[str, float]:
    """Microseconds of each case's products, one after the other."""
    known: dict[Product, float] = {}
    for sizes in {sizes for case in cases for sizes in case.products}:
        known[sizes] = _microseconds(product(*_factors(sizes)))
    return {case.name: sum(known[sizes] for sizes in case.products) for case in cases}


def cuda(cases: list[Case], side: int = _SIDE, copied: int = _COPIED) -> dict[str, Any]:
    """What the device is, "fma" operations a second by type, "copy" bytes a second, "blas" by case.

    The peaks are those of a large product by cuBLAS, TF32 being off.
    """
    driver = Driver()
    cublas = Cublas(driver)

    def seconds(sizes: Product, dtype: str) -> float:
        begin, free = cublas.product(sizes, dtype)
        taken = _seconds_each(begin, driver.wait)
        free()
        return taken

    types = sorted({case.product_type for case in cases} | {"float32"})
    wanted = {(sizes, case.product_type) for case in cases for sizes in case.products}
    known = {key: seconds(*key) for key in sorted(wanted)}
    large = Product("forward", side, side, side)
    copies = _seconds_each(driver.copier(copied), driver.wait)
    return {
        "device": driver.described(),
        "fma": {dtype: 2 * side**3 / seconds(large, dtype) for dtype in types},
        "copy": {"cuda": {"memory": 2 * copied / copies}},
        "blas": {
            case.name: sum(known[sizes, case.product_type] for sizes in case.products) * 1e6 for case in cases
        },
    }


def _seconds_each(begin: Callable[[], None], wait: Callable[[], None]) -> float:
    """Of one of many that are begun before the device is waited for; the quickest of some such rows."""
    times: list[float] = []
    count = 1
    while len(times) < _REPEATS:
        start = time.perf_counter()
        for _ in range(count):
            begin()
        wait()
        taken = time.perf_counter() - start
        if taken < _SECONDS:  # too short to be told from the launches' and the clock's own time
            count *= 2
        else:
            times.append(taken / count)
    return min(times)


def numpy_product(a: Array, b: Array) -> Callable[[], Any]:
    out = np.empty((len(a), b.shape[1]), a.dtype)
    return lambda: np.matmul(a, b, out=out)


def torch_product(threads: int) -> Callable[[Array, Array], Callable[[], Any]]:
    torch: Any = import_module("torch")
    torch.set_num_threads(threads)

    def product(a: Array, b: Array) -> Callable[[], Any]:
        left, right, out = torch.from_numpy(a), torch.from_numpy(b), torch.empty(len(a), b.shape[1])
        return lambda: torch.mm(left, right, out=out)

    return product


def _factors(sizes: Product) -> tuple[Array, Array]:
    which, m, k, n = sizes
    rng = np.random.default_rng(4)
    a = rng.random((k, m) if which == "dw" else (m, k), np.float32)
    b = rng.random((n, k) if which == "dx" else (k, n), np.float32)
    return (a.T if which == "dw" else a), (b.T if which == "dx" else b)


def _microseconds(run: Callable[[], Any]) -> float:
    """Of the quickest of many calls."""
    run()
    best = float("inf")
    end = time.perf_counter() + _SECONDS
    while (start := time.perf_counter()) < end:
        run()
        best = min(best, time.perf_counter() - start)
    return best * 1e6


if __name__ == "__main__":
    main()
