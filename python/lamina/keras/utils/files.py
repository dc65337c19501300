"""get_file: a file from the network, kept in Keras's folder."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from lamina.keras.utils.console import print_msg

if TYPE_CHECKING:
    from pathlib import Path


def get_file(
    fname: Any = None,
    origin: str | None = None,
    untar: bool = False,
    md5_hash: str | None = None,
    file_hash: str | None = None,
    cache_subdir: str = "datasets",
    hash_algorithm: str = "auto",
    extract: bool = False,
    archive_format: Any = "auto",
    cache_dir: Any = None,
    force_download: bool = False,
) -> str:
    """The path of a file that is downloaded unless it is there already, whole and with the right hash.

    Args:
        fname: its name in the folder; None (default) takes the address's. With extract, a name without a dot
            is that of the folder made.
        origin: address that urllib can open.
        untar, md5_hash: older words for extract and file_hash.
        file_hash: the hash it must have, SHA-256 or MD5 in hexadecimal. Default None: any.
        cache_subdir: folder in cache_dir. Default "datasets".
        hash_algorithm: "sha256", "md5" or "auto" (default), which tells by the length.
        extract: whether it is an archive to be unpacked; then the path is that of the folder.
        archive_format: "tar", "zip", a list of these, or "auto" (default): both.
        cache_dir: default `$KERAS_HOME`, else `~/.keras`.
        force_download: whether to download it even if it is there.

    Raises:
        ValueError: no address, or a wrong argument.
        OSError: it can't be had, or comes with another hash; what was there before stays.
    """
    from pathlib import Path
    from urllib.parse import urlsplit

    from lamina.keras.datasets._cache import home
    from lamina.keras.datasets._download import fetched

    if origin is None:
        raise ValueError("origin: expected the address of a file, got None")
    if md5_hash is not None and file_hash is None:
        file_hash, hash_algorithm = md5_hash, "md5"
    if hash_algorithm not in ("auto", "md5", "sha256"):
        raise ValueError(f"hash_algorithm: expected 'auto', 'md5' or 'sha256', got {hash_algorithm!r}")
    formats = _formats("tar" if untar else archive_format)
    name = "" if fname is None else os.fspath(fname)
    if os.sep in name:
        raise ValueError(f"fname: expected a name without a folder, got {name!r}; cache_dir says where")
    given, name = bool(name), name or os.path.basename(urlsplit(origin).path)
    if not name:
        raise ValueError(f"fname: expected a name, as the address {origin!r} ends without one, got None")
    folder = _writable(Path(home() if cache_dir is None else cache_dir).expanduser()) / cache_subdir
    folder.mkdir(parents=True, exist_ok=True)
    target, unpacked = folder / name, None
    if extract or untar:
        if given and "." in name:
            unpacked = folder / f"{name[: name.find('.')]}_extracted"
        else:
            target, unpacked = folder / f"{name}_archive", folder / name

    def right(path: Path) -> bool:
        return file_hash is None or _hash(path, _algorithm(hash_algorithm, file_hash)) == file_hash

    if force_download or not target.exists() or not right(target):
        if target.exists() and not force_download:
            print_msg(f"{target} has another hash than {file_hash}: it is downloaded again.")
        fetched(origin, target, right, f"expected the hash {file_hash}")
    if unpacked is None:
        return str(target)
    _extract(target, unpacked, formats)
    return str(unpacked)


def _writable(folder: Path) -> Path:
    if folder.exists() and not os.access(folder, os.W_OK):
        import tempfile
        from pathlib import Path

        return Path(tempfile.gettempdir()) / ".keras"
    return folder


def _algorithm(name: str, expected: str) -> str:
    if name == "auto":
        return "sha256" if len(expected) == 64 else "md5"
    return name


def _hash(path: Path, algorithm: str) -> str:
    import hashlib

    digest = hashlib.new(algorithm, usedforsecurity=False)
    with open(path, "rb") as stream:
        while chunk := stream.read(1 << 16):
            digest.update(chunk)
    return digest.hexdigest()


def _formats(archive_format: Any) -> list[str]:
    if archive_format is None:
        return []
    chosen = ["tar", "zip"] if archive_format == "auto" else archive_format
    formats = [chosen] if isinstance(chosen, str) else list(chosen)
    if any(entry not in ("tar", "zip") for entry in formats):
        raise ValueError(f"archive_format: expected 'auto', 'tar', 'zip' or None, got {archive_format!r}")
    return formats


def _extract(archive: Path, folder: Path, formats: list[str]) -> None:
    """Unpack it; what would lie outside of the folder is refused."""
    import tarfile
    import warnings
    import zipfile

    if "tar" in formats and tarfile.is_tarfile(archive):
        with tarfile.open(archive) as tar:
            if not hasattr(tarfile, "data_filter"):
                raise OSError(f"{archive}: this Python unpacks no archive safely; a newer patch release does")
            tar.extractall(folder, filter="data")
    elif "zip" in formats and zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as zipped:
            zipped.extractall(folder)  # drops what leads out of the folder by itself
    else:
        warnings.warn(f"get_file: {archive} is no archive of format {' or '.join(formats)}", stacklevel=3)
