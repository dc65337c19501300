"""Fashion-MNIST: 70,000 grey 28x28 pictures of clothes in 10 classes.

Source: H. Xiao, K. Rasul, R. Vollgraf, "Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine
Learning Algorithms", 2017; (c) Zalando SE, MIT licence.
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from lamina.keras.datasets import _cache, _download, _idx
from lamina.keras.utils import console

CLASS_NAMES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)

FOLDER = "datasets/fashion-mnist"  # within Keras's home
DEBIAN = Path("/usr/share/datasets/fashion-mnist")  # the package dataset-fashion-mnist

# SHA-256 of the unpacked files: packed, the same bytes come with different gzip headers.
FILES = {
    "train-images-idx3-ubyte.gz": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "train-labels-idx1-ubyte.gz": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "t10k-images-idx3-ubyte.gz": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "t10k-labels-idx1-ubyte.gz": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
}

_Array = npt.NDArray[np.uint8]


def load_data() -> tuple[tuple[_Array, _Array], tuple[_Array, _Array]]:
    """Fashion-MNIST as `(x_train, y_train), (x_test, y_test)`.

    Each of the four files is taken from Keras's cache (`~/.keras/datasets/fashion-mnist`, `~/.keras`
    being `$KERAS_HOME` where that is set), else from Debian's package `dataset-fashion-mnist`, else
    downloaded into that cache (31 MB in all).

    Returns:
        Images uint8 (60000, 28, 28) and (10000, 28, 28), values 0 to 255; labels uint8 (60000,) and (10000,),
        values 0 to 9, whose names are in `CLASS_NAMES`.

    Raises:
        DatasetUnavailableError: a file is not here and cannot be downloaded.
        ValueError: images and labels differ in number.
    """
    x_train, y_train, x_test, y_test = (_read(name) for name in FILES)
    for part, x, y in (("train", x_train, y_train), ("t10k", x_test, y_test)):
        if len(x) != len(y):
            raise ValueError(f"Fashion-MNIST's {part}-* files hold {len(x):,} images but {len(y):,} labels")
    return (x_train, y_train), (x_test, y_test)


def _read(name: str) -> _Array:
    shape = (None, 28, 28) if "images" in name else (None,)
    for path in [*_cache.find(FOLDER, name), DEBIAN / name]:
        if path.is_file():
            try:
                return _idx.read(path, shape)
            except (OSError, ValueError) as error:
                console.print_msg(f"Passing over a file that cannot be used: {error}")
    return _idx.read(_fetch(name), shape)


def _fetch(name: str) -> Path:
    try:
        target = _cache.make_folder(FOLDER) / name
        return _download.download(_download.ORIGIN + name, target, FILES[name], unpacked=True)
    except OSError as error:
        raise _download.DatasetUnavailableError(
            f"Fashion-MNIST is not on this machine and cannot be downloaded: {error}. "
            f"Put {', '.join(FILES)} into {_cache.home() / FOLDER}, "
            "or install the package dataset-fashion-mnist (Debian, Ubuntu)."
        ) from error
