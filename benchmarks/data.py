"""The arrays that every peer gets: the same data and the same initial weights, through files."""

import itertools
from pathlib import Path

import numpy as np
import numpy.typing as npt
from cases import Case

Array = npt.NDArray[np.float32]

_IMAGES = 60000


def fashion_mnist() -> tuple[Array, npt.NDArray[np.int32], str]:
    """x (60000, 784) from 0 to 1, y (60000,): the real pictures, or made-up ones where there are none."""
    from lamina.keras.datasets import fashion_mnist as source

    try:
        (x, y), _ = source.load_data()
    except OSError as reason:
        print(f"made-up pictures instead of Fashion-MNIST: {reason}")
        rng = np.random.default_rng(0)
        y = rng.integers(0, 10, _IMAGES, dtype=np.uint8)
        patterns = rng.uniform(0, 200, (10, 784))
        x = np.clip(patterns[y] + rng.normal(0, 60, (_IMAGES, 784)), 0, 255).astype(np.uint8)
        return x / np.float32(255), y.astype(np.int32), "made up, shaped like Fashion-MNIST"
    return x.reshape(-1, 784) / np.float32(255), y.astype(np.int32), "Fashion-MNIST"


def cancer_like() -> tuple[Array, npt.NDArray[np.int32], str]:
    """x (364, 30) standardized, y (364,) of 0 and 1: the shape of the breast cancer set's training part."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(364, 30)).astype(np.float32)
    y = x @ rng.normal(size=30) + rng.normal(0, 1, 364) > 0
    return x, y.astype(np.int32), "made up, shaped like the breast cancer set"


SOURCES = {"fashion_mnist": fashion_mnist, "cancer_like": cancer_like}


def initial_weights(units: tuple[int, ...]) -> list[Array]:
    """Kernel (inputs, outputs), Glorot-uniform, and zero bias of each layer in turn."""
    rng = np.random.default_rng(2)
    weights: list[Array] = []
    for inputs, outputs in itertools.pairwise(units):
        limit = np.sqrt(6 / (inputs + outputs))
        weights.append(rng.uniform(-limit, limit, (inputs, outputs)).astype(np.float32))
        weights.append(np.zeros(outputs, np.float32))
    return weights


def write(cases: list[Case], folder: Path) -> dict[str, str]:
    """Store in `folder` what the cases need. Returns what each data set is, in words."""
    words = {}
    for name in sorted({case.data for case in cases if case.kind != "import"}):
        x, y, words[name] = SOURCES[name]()
        np.save(folder / f"{name}_x.npy", x)
        np.save(folder / f"{name}_y.npy", y)
    return words


def read(case: Case, folder: Path) -> tuple[Array, npt.NDArray[np.int32]]:
    """x and y of a case, cut to its rows."""
    x, y = (np.load(folder / f"{case.data}_{part}.npy") for part in "xy")
    return np.ascontiguousarray(x[: case.rows]), y[: case.rows]
