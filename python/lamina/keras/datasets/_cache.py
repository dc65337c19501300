"""The folder that Keras keeps data sets in."""

import os
from pathlib import Path


def home() -> Path:
    """Keras's folder: `$KERAS_HOME`, else `~/.keras`, else `.keras` in the temporary folder."""
    chosen = os.environ.get("KERAS_HOME")
    if chosen:
        return Path(chosen).expanduser()
    user = Path("~").expanduser()
    return (user if os.access(user, os.W_OK) else _temporary()) / ".keras"


def folders(subfolder: str) -> list[Path]:
    """The places to look in, best first; the last is the one to write in. A read-only home has a second."""
    places = [home()]
    if not _writable(places[0]):
        places.append(_temporary() / ".keras")
    return [place / subfolder for place in places]


def find(subfolder: str, name: str) -> list[Path]:
    """The files of this name that the cache holds, best first."""
    paths = (folder / name for folder in folders(subfolder))
    return [path for path in paths if path.is_file()]


def make_folder(subfolder: str) -> Path:
    """The folder to put new files in, made if need be.

    Raises:
        OSError: it cannot be made.
    """
    folder = folders(subfolder)[-1]
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _writable(folder: Path) -> bool:
    """True where `folder` is, or could be made, a folder that this process may write in."""
    existing = next((place for place in (folder, *folder.absolute().parents) if place.exists()), Path(os.sep))
    return existing.is_dir() and os.access(existing, os.W_OK)


def _temporary() -> Path:
    if os.path.isdir("/tmp"):
        return Path("/tmp")
    import tempfile

    return Path(tempfile.gettempdir())
