"""The GPU by NVIDIA's own libraries: what it is called, what it copies, and its products by cuBLAS.

Through ctypes, so that limits and names are there whichever peers are. The declarations are those of cuda.h
and cublas_api.h, the same in CUDA 12 and 13.
"""

import ctypes
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from lamina._bench.network import Array, MissingError, Product

_KERNEL_DRIVER = Path("/proc/driver/nvidia/version")
# cudaDataType_t, cublasComputeType_t (plain float32, no TF32) and cublasGemmAlgo_t.
_TYPES = {"float32": 0, "bfloat16": 14}
_COMPUTE_32F, _DEFAULT_ALGORITHM = 68, -1
_SIZE, _NUMBER, _POINTER = ctypes.c_size_t, ctypes.c_int, ctypes.c_void_p


class Driver:
    """The first GPU that `CUDA_VISIBLE_DEVICES` leaves, current for this thread until the process ends.

    Raises:
        MissingError: there is no driver, or it shows no GPU.
    """

    def __init__(self) -> None:
        self.library = _opened("the driver of the GPU", ["libcuda.so.1"])
        self.call("cuInit", 0)
        number, context = _NUMBER(), _POINTER()
        self.call("cuDeviceGet", ctypes.byref(number), 0)
        self.call("cuDevicePrimaryCtxRetain", ctypes.byref(context), number)
        self.call("cuCtxSetCurrent", context)
        self.number = number

    def call(self, function: str, *arguments: Any) -> None:
        status = getattr(self.library, function)(*arguments)
        if status:
            raise MissingError(f"the driver of the GPU: {function}: status {status}")

    def described(self) -> dict[str, Any]:
        name, memory, cuda = ctypes.create_string_buffer(256), _SIZE(), _NUMBER()
        self.call("cuDeviceGetName", name, len(name), self.number)
        self.call("cuDeviceTotalMem_v2", ctypes.byref(memory), self.number)
        self.call("cuDriverGetVersion", ctypes.byref(cuda))
        found = {"name": name.value.decode(), "memory": memory.value}
        found["cuda"] = f"{cuda.value // 1000}.{cuda.value % 1000 // 10}"
        version = None
        if _KERNEL_DRIVER.exists():
            version = re.search(r"Module\b.*?\s(\d+\.[\d.]+)", _KERNEL_DRIVER.read_text(encoding="utf-8"))
        return found | {"driver": version[1] if version else ""}

    def allocated(self, size: int) -> _POINTER:
        memory = _POINTER()
        self.call("cuMemAlloc_v2", ctypes.byref(memory), _SIZE(size))
        return memory

    def uploaded(self, array: Array) -> _POINTER:
        memory = self.allocated(array.nbytes)
        self.call("cuMemcpyHtoD_v2", memory, array.ctypes.data_as(_POINTER), _SIZE(array.nbytes))
        return memory

    def free(self, memory: _POINTER) -> None:
        self.call("cuMemFree_v2", memory)

    def wait(self) -> None:
        self.call("cuCtxSynchronize")

    def copier(self, size: int) -> Callable[[], None]:
        """Begins to copy so many bytes from one block of the device's memory to another."""
        source, target = self.allocated(size), self.allocated(size)
        return lambda: self.call("cuMemcpyDtoDAsync_v2", target, source, _SIZE(size), None)


class Cublas:
    """Products of matrices that lie row by row, as peers hold them.

    Raises:
        MissingError: it is not found, or does not start.
    """

    def __init__(self, driver: Driver) -> None:
        self.driver = driver
        self.library = _opened("cuBLAS", _places())
        self.handle = _POINTER()
        self.taken("cublasCreate_v2", ctypes.byref(self.handle))

    def taken(self, function: str, *arguments: Any) -> None:
        status = getattr(self.library, function)(*arguments)
        if status:
            raise MissingError(f"cuBLAS: {function}: status {status}")

    def product(self, sizes: Product, dtype: str) -> tuple[Callable[[], None], Callable[[], None]]:
        """What begins the product of such factors, random ones, and what frees their memory."""
        which, m, k, n = sizes
        rng = np.random.default_rng(4)
        a, b = (self.driver.uploaded(_typed(rng.random(size, np.float32), dtype)) for size in (m * k, k * n))
        c = self.driver.allocated(4 * m * n)
        one, zero, kind = ctypes.c_float(1), ctypes.c_float(0), _TYPES[dtype]

        def begin() -> None:
            # The library's matrices lie column by column: c transposed is b transposed times a transposed.
            self.taken(
                "cublasGemmEx",
                *(self.handle, int(which == "dx"), int(which == "dw"), n, m, k, ctypes.byref(one)),
                *(b, kind, k if which == "dx" else n, a, kind, m if which == "dw" else k),
                *(ctypes.byref(zero), c, kind, n, _COMPUTE_32F, _DEFAULT_ALGORITHM),
            )

        def free() -> None:
            for memory in (a, b, c):
                self.driver.free(memory)

        return begin, free


def _typed(values: Array, dtype: str) -> Array:
    """As bfloat16 the upper halves of the numbers: rounded down, which a clock does not mind."""
    return (values.view(np.uint32) >> 16).astype(np.uint16) if dtype == "bfloat16" else values


def _opened(what: str, places: list[str]) -> ctypes.CDLL:
    for place in places:
        try:
            return ctypes.CDLL(place)
        except OSError:
            continue
    raise MissingError(f"{what} is missing: looked for {', '.join(places)}")


def _places() -> list[str]:
    """As Lamina looks for it (docs/gpu.md), for CUDA 13 and 12."""
    named = os.environ.get("LAMINA_CUBLAS")
    if named and named != "off":
        return [named]
    places = []
    for folder, major in (("cu13", 13), ("cublas", 12)):
        file = f"libcublas.so.{major}"
        found = [Path(path, "nvidia", folder, "lib", file) for path in sys.path]
        found += [
            Path(os.environ[name], "lib64", file) for name in ("CUDA_HOME", "CUDA_PATH") if name in os.environ
        ]
        places += [str(path) for path in found if path.exists()]
        places += [file, f"/usr/local/cuda/lib64/{file}"]
    return places
