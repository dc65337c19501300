"""MNIST: 70,000 grey 28x28 pictures of handwritten digits.

Source: Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, "Gradient-based learning applied to document recognition",
1998; (c) Yann LeCun and Corinna Cortes, CC BY-SA 3.0.
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from lamina.keras.datasets import _cache, _download
from lamina.keras.utils import console

FOLDER = "datasets"  # within Keras's home
SHA256 = "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"

_Array = npt.NDArray[np.uint8]


def load_data(path: str = "mnist.npz") -> tuple[tuple[_Array, _Array], tuple[_Array, _Array]]:
    """MNIST as `(x_train, y_train), (x_test, y_test)`.

    Taken from Keras's cache (`~/.keras/datasets`, or `$KERAS_HOME/datasets`), else downloaded into it
    (11 MB). A cached file with another checksum is replaced once the download is good, as Keras does.

    Args:
        path: name of the file in the cache.

    Returns:
        Images uint8 (60000, 28, 28) and (10000, 28, 28), values 0 to 255; labels uint8 (60000,) and (10000,),
        values 0 to 9.

    Raises:
        DatasetUnavailableError: the file is not here and cannot be downloaded.
        ValueError: `path` is no plain file name.
    """
    name = str(path)
    if name != Path(name).name or name in ("", ".."):
        raise ValueError(f"path must be a file name within {_cache.home() / FOLDER}, got {name!r}")
    file = _cached(name) or _fetch(name)
    with np.load(file, allow_pickle=False) as arrays:
        return (arrays["x_train"], arrays["y_train"]), (arrays["x_test"], arrays["y_test"])


def _cached(name: str) -> Path | None:
    for file in _cache.find(FOLDER, name):
        try:
            if _download.sha256(file) == SHA256:
                return file
            console.print_msg(f"Passing over {file}: its sha256 is not that of the published archive")
        except OSError as error:
            console.print_msg(f"Passing over a file that cannot be used: {error}")
    return None


def _fetch(name: str) -> Path:
    try:
        return _download.download(_download.ORIGIN + "mnist.npz", _cache.make_folder(FOLDER) / name, SHA256)
    except OSError as error:
        here = _cache.home() / FOLDER / name
        state = f"{here} is another file (its sha256 differs)" if here.is_file() else "MNIST is not here"
        raise _download.DatasetUnavailableError(
            f"{state} and it cannot be downloaded: {error}. Put {_download.ORIGIN}mnist.npz at {here}. "
            "Without it, fashion_mnist has the same shapes, and digits needs no download."
        ) from error
