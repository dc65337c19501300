"""Files that are written whole or not at all: every file of a model goes this way."""

from __future__ import annotations

import os
from contextlib import suppress


def write_whole(path: str, data: bytes | memoryview) -> None:
    """Write a file so that at any moment, after a crash too, the path holds the old contents or the new ones.

    The data go to a new file beside it, which is synced and then takes its place; a link at the path stays a
    link.

    Raises:
        OSError: it can't be written (the path is in it); what was there is still there.
    """
    path = os.path.realpath(path)
    if os.path.isdir(path):
        raise IsADirectoryError(f"filepath: expected a file to write, got the folder {path!r}")
    beside = f"{path}.{os.getpid()}-{os.urandom(4).hex()}.tmp"
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        with open(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        os.replace(beside, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(beside)
        raise
    _sync_folder(os.path.dirname(path))


def may_write(path: str, overwrite: bool) -> bool:
    """Whether to go on: always, unless the file is there and someone at the keyboard says no, as in Keras."""
    if overwrite or not os.path.exists(path):
        return True
    answer = ""
    while answer not in ("y", "n"):
        answer = input(f"{path} exists already. Overwrite it? [y/n] ").strip().lower()
    return answer == "y"


def _sync_folder(folder: str) -> None:
    # The rename itself must last; some file systems can't sync a folder, and need not.
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
