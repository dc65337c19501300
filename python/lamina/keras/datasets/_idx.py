"""The IDX format of the MNIST files.

Two zero bytes, a type (8 = unsigned byte), the number of axes, one big-endian 32-bit length per axis, then
the values. Source: the MNIST database's own page.
"""

import math
import zlib
from io import BufferedIOBase
from pathlib import Path

import numpy as np
import numpy.typing as npt

_UNSIGNED_BYTE = 8
_CHUNK = 1 << 20


def read(path: Path, shape: tuple[int | None, ...]) -> npt.NDArray[np.uint8]:
    """Values of a gzip-packed IDX file.

    Args:
        path: the file.
        shape: the expected shape; None stands for any length.

    Returns:
        A writable uint8 array.

    Raises:
        ValueError: not gzip, not IDX, another type or shape, or another number of values than announced.
        OSError: the file cannot be read.
    """
    import gzip

    try:
        with gzip.open(path, "rb") as file:
            return parse(file, str(path), shape)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ValueError(f"{path} is not a whole gzip file: {error}") from error


def parse(file: BufferedIOBase, name: str, shape: tuple[int | None, ...]) -> npt.NDArray[np.uint8]:
    """Values of unpacked IDX data, as `read` does; `name` is how messages call them."""
    start = file.read(4)
    if len(start) < 4 or start[:2] != b"\0\0":
        raise ValueError(f"{name} is not an IDX file: it starts with {start.hex(' ') or 'nothing'}")
    if start[2] != _UNSIGNED_BYTE:
        raise ValueError(f"{name} holds values of IDX type 0x{start[2]:02x}, expected 0x08 (unsigned byte)")
    if start[3] != len(shape):
        raise ValueError(f"{name} has {start[3]} axes, expected {len(shape)}")
    header = file.read(4 * len(shape))
    if len(header) < 4 * len(shape):
        raise ValueError(f"{name} ends within its header: {4 + len(header)} of {4 + 4 * len(shape)} bytes")
    found = tuple(int.from_bytes(header[at : at + 4], "big") for at in range(0, len(header), 4))
    if any(want is not None and want != got for want, got in zip(shape, found, strict=True)):
        wanted = ", ".join("any" if want is None else str(want) for want in shape)
        raise ValueError(f"{name} has shape {found}, expected ({wanted})")
    size = math.prod(found)
    # Grown as the bytes come, not allocated from the header: a header that lies costs nothing.
    values = bytearray()
    while len(values) <= size and (chunk := file.read(_CHUNK)):
        values += chunk
    if len(values) != size:
        more = "more" if len(values) > size else f"only {len(values):,}"
        raise ValueError(f"{name} announces {size:,} values in its header and holds {more}")
    return np.frombuffer(values, np.uint8).reshape(found)
