"""Fetch one file over HTTP: whole and checked, or not at all."""

import contextlib
import os
import zlib
from collections.abc import Callable, Iterator
from io import BufferedIOBase
from pathlib import Path

from lamina.keras.utils import Progbar, console

# Where Keras takes the same files from.
ORIGIN = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"

TIMEOUT = 30.0  # seconds without a byte before a connection is given up
_CHUNK = 1 << 16


class DatasetUnavailableError(OSError):
    """A data set is neither here nor to be had from the network; the message says what to put where."""


def sha256(path: Path, *, unpacked: bool = False) -> str:
    """SHA-256 of a file, in hexadecimal.

    Args:
        path: the file.
        unpacked: hash what the gzip file contains, so that time and name in its header do not count.

    Raises:
        OSError: the file cannot be read, or is not whole gzip data where `unpacked` is set.
    """
    import hashlib

    digest = hashlib.sha256()
    with _opened(path, unpacked) as stream:
        try:
            while chunk := stream.read(_CHUNK):
                digest.update(chunk)
        except (EOFError, zlib.error) as error:
            raise OSError(f"{path} is damaged: {error}") from error
    return digest.hexdigest()


def download(url: str, target: Path, expected: str, *, unpacked: bool = False) -> Path:
    """Download a file, with a progress bar; it appears under its name only when whole and checked.

    Args:
        url: an address that urllib can open; `http_proxy` and `https_proxy` are honoured.
        target: the file to make, in a folder that exists. An older one stays until the new one is good.
        expected: SHA-256 of the file, or of its contents where `unpacked` is set.
        unpacked: see `sha256`.

    Returns:
        `target`.

    Raises:
        OSError: no connection, an HTTP error, a transfer that ended early, or other bytes than expected.
    """
    found = ""

    def right(part: Path) -> bool:
        nonlocal found
        found = sha256(part, unpacked=unpacked)
        return found == expected

    contents = " of its unpacked contents" if unpacked else ""
    return fetched(url, target, right, lambda: f"sha256{contents} is {found}, expected {expected}")


def fetched(url: str, target: Path, right: Callable[[Path], bool], wrong: Callable[[], str] | str) -> Path:
    """The same with a check of one's own.

    Args:
        url, target: as in `download`.
        right: whether the file is the one expected.
        wrong: what to say if it isn't.

    Raises:
        OSError: as in `download`.
    """
    with _part_of(target) as part:
        console.print_msg(f"Downloading data from {url}")
        _transfer(url, part)
        if not right(part):
            raise OSError(f"{url}: {wrong if isinstance(wrong, str) else wrong()}")
        os.replace(part, target)
    return target


def _transfer(url: str, part: Path) -> None:
    # Loaded here and not above: urllib.request with ssl costs as much as all the rest of `import lamina`.
    from http.client import HTTPException
    from urllib.error import HTTPError
    from urllib.request import urlopen

    try:
        with urlopen(url, timeout=TIMEOUT) as response, open(part, "wb") as file:
            header = response.headers.get("Content-Length")
            total = int(header) if header else None
            bar = Progbar(total)
            done = 0
            while chunk := response.read(_CHUNK):
                file.write(chunk)
                done += len(chunk)
                bar.update(done, finalize=False)
            bar.update(done, finalize=True)
    except HTTPError as error:
        with error:  # it holds the connection
            raise OSError(f"{url}: HTTP status {error.code}, {error.reason}") from None
    except (HTTPException, ValueError) as error:
        raise OSError(f"{url}: {error or type(error).__name__}") from error
    if total is not None and done != total:
        raise OSError(f"{url}: the transfer ended after {done:,} of {total:,} bytes")


@contextlib.contextmanager
def _part_of(target: Path) -> Iterator[Path]:
    """A name beside `target`, of this process alone, that is gone afterwards whatever happens."""
    part = target.with_name(f"{target.name}.{os.getpid()}-{os.urandom(4).hex()}.part")
    try:
        yield part
    finally:
        part.unlink(missing_ok=True)


def _opened(path: Path, unpacked: bool) -> BufferedIOBase:
    if not unpacked:
        return open(path, "rb")
    import gzip

    return gzip.open(path, "rb")
