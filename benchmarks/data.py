"""The arrays that every peer gets, through files."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from cases import Case

from lamina._bench.network import Rows

Array = npt.NDArray[Any]

_IMAGES = 60000


def fashion_mnist() -> tuple[Array, Array, str]:
    """x (60000, 784) of uint8, y (60000,): the real pictures, or made-up ones where there are none."""
    from lamina.keras.datasets import fashion_mnist as source

    try:
        (x, y), _ = source.load_data()
    except OSError as reason:
        print(f"made-up pictures instead of Fashion-MNIST: {reason}")
        rng = np.random.default_rng(0)
        y = rng.integers(0, 10, _IMAGES, dtype=np.uint8)
        patterns = rng.uniform(0, 200, (10, 784))
        x = np.clip(patterns[y] + rng.normal(0, 60, (_IMAGES, 784)), 0, 255).astype(np.uint8)
        return x, y.astype(np.int32), "made up, shaped like Fashion-MNIST"
    return x.reshape(-1, 784), y.astype(np.int32), "Fashion-MNIST"


def cancer_like() -> tuple[Array, Array, str]:
    """x (364, 30) standardized, y (364,) of 0 and 1: the shape of the breast cancer set's training part."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(364, 30)).astype(np.float32)
    y = x @ rng.normal(size=30) + rng.normal(0, 1, 364) > 0
    return x, y.astype(np.int32), "made up, shaped like the breast cancer set"


SOURCES = {"fashion_mnist": fashion_mnist, "cancer_like": cancer_like}
WITHOUT_DATA = ("import", "size", "kernel")


def write(cases: list[Case], folder: Path) -> dict[str, str]:
    """Store in `folder` what the cases need. Returns what each data set is, in words."""
    words = {}
    for name in sorted({case.data for case in cases if case.kind not in WITHOUT_DATA}):
        x, y, words[name] = SOURCES[name]()
        np.save(folder / f"{name}_x.npy", x)
        np.save(folder / f"{name}_y.npy", y)
    return words


def read(case: Case, folder: Path) -> tuple[Rows, Rows | None]:
    """(x, y) to train with and to validate with: float32 from 0 to 1, or the bytes as they are."""
    # Bytes that stay as they are lie in memory once: no page of the file beside them, no copy.
    mode: Any = None if case.from_bytes else "r"
    x, y = (np.load(folder / f"{case.data}_{part}.npy", mmap_mode=mode) for part in "xy")

    def part(first: int, last: int) -> Rows:
        rows, labels = x[first:last], np.array(y[first:last])
        if case.from_bytes:
            return rows, labels
        return rows / np.float32(255) if rows.dtype == np.uint8 else np.array(rows), labels

    end = case.rows + case.validation_rows
    return part(0, case.rows), part(case.rows, end) if case.validation_rows else None
