"""Weights in Keras's HDF5 form. h5py is imported here and only when a file is written or read."""

from __future__ import annotations

import io
from collections.abc import Sequence
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

from lamina.keras._saving.entries import Entry

_FILTERS = {1, 2, 3}  # deflate, shuffle, checksum: HDF5's own; any other would be looked for on the disk


def h5py_module() -> Any:
    """h5py.

    Raises:
        ImportError: it is not installed.
    """
    try:
        import h5py
    except ImportError as error:
        raise ImportError(
            "files of models need h5py, which is not installed: pip install 'lamina[keras]' "
            "(pickle needs nothing)"
        ) from error
    return h5py


def weights_bytes(entries: Sequence[Entry]) -> bytes:
    """The contents of a weights file.

    Raises:
        ImportError: h5py is not installed.
    """
    h5py = h5py_module()
    memory = io.BytesIO()
    with h5py.File(memory, "w") as file:
        for entry in entries:
            group = file.create_group(f"{entry.path}/vars" if entry.path else "vars")
            group.attrs["name"] = entry.name
            for number, variable in enumerate(entry.variables):
                group[str(number)] = variable.numpy()
    return memory.getvalue()


class WeightsFile:
    """An open weights file. What it gives has been compared with what the model expects: nothing in the file
    decides how much is read, or from where.

    Args:
        source: path, or a file object.

    Raises:
        ImportError: h5py is not installed.
        OSError: it can't be opened, or is no HDF5 file.
    """

    def __init__(self, source: Any) -> None:
        self._h5py = h5py_module()
        self._file = self._h5py.File(source, "r")

    def __enter__(self) -> WeightsFile:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._file.close()

    def count(self, entry: Entry) -> int:
        """How many variables the file has for this entry."""
        group = self._group(entry)
        return 0 if group is None else len(group)

    def arrays(self, entry: Entry) -> list[npt.NDArray[Any]]:
        """The values of an entry's variables.

        Raises:
            ValueError: another number of them, or another shape or kind.
        """
        group = self._group(entry)
        count = 0 if group is None else len(group)
        if count != len(entry.variables):
            raise ValueError(f"expected {len(entry.variables)} variables, got {count}")
        return [self._values(group, str(i), variable) for i, variable in enumerate(entry.variables)]

    def _values(self, group: Any, name: str, variable: Any) -> npt.NDArray[Any]:
        dataset = self._member(group, name, self._h5py.Dataset)
        where = f"variable {name}"
        if dataset is None:
            raise ValueError(f"{where}: expected it in the file, got none")
        if dataset.external or dataset.is_virtual:
            raise ValueError(f"{where}: expected values in the file itself, got a reference to another file")
        if dataset.shape != variable.shape:
            raise ValueError(f"{where}: expected shape {variable.shape}, got {dataset.shape}")
        if dataset.dtype.kind not in "biuf":
            raise ValueError(f"{where}: expected real numbers, got dtype {dataset.dtype}")
        creation = dataset.id.get_create_plist()
        filters = {creation.get_filter(i)[0] for i in range(creation.get_nfilters())}
        if not filters <= _FILTERS:
            raise ValueError(f"{where}: expected HDF5's own filters or none, got {sorted(filters)}")
        return np.asarray(dataset[()])

    def _group(self, entry: Entry) -> Any:
        found: Any = self._file
        for part in [*entry.path.split("/"), "vars"] if entry.path else ["vars"]:
            found = self._member(found, part, self._h5py.Group)
            if found is None:
                return None
        return found

    def _member(self, group: Any, name: str, kind: Any) -> Any:
        """What a group holds under this name; None if nothing. A link to elsewhere is refused unfollowed."""
        if name not in group.keys():  # noqa: SIM118, "in group" would follow the link
            return None
        link = group.get(name, getlink=True)
        if not isinstance(link, self._h5py.HardLink):
            raise ValueError(f"{name!r}: expected no links in the file, got {type(link).__name__}")
        found = group[name]
        if not isinstance(found, kind):
            raise ValueError(f"{name!r}: expected a {kind.__name__.lower()}, got {type(found).__name__}")
        return found
