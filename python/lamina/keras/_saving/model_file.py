"""Models and weights to files and back, in Keras 3's forms: `.keras` and `.weights.h5`."""

from __future__ import annotations

import io
import json
import os
import time
import warnings
from collections.abc import Iterable, Mapping
from typing import Any

from lamina._core import __version__
from lamina.keras._saving.entries import Entry, entries_of
from lamina.keras._saving.hdf5 import WeightsFile, weights_bytes
from lamina.keras._saving.objects import serialize_keras_object
from lamina.keras._saving.size_limit import at_most
from lamina.keras._saving.whole_file import may_write, write_whole
from lamina.keras._training.stored_stack import model_of, parsed
from lamina.keras._training.tracebacks import callers_level

_KERAS_VERSION = "3.15.1"  # whose form is written
_METADATA, _CONFIG, _WEIGHTS = "metadata.json", "config.json", "model.weights.h5"
_LARGEST_CONFIG = 64 * 2**20
_SPARE = 2**26  # bytes that a weights file may have beside the values


# -- writing -------------------------------------------------------------------------------------------------
def save_model(
    model: Any, filepath: Any, overwrite: bool = True, zipped: bool | None = None, **kwargs: Any
) -> None:
    """Write a model to a `.keras` file: layers, weights, what `compile` was told, and the optimizer's state.

    The file is replaced once the new one is whole. Keras 3 reads it. Needs h5py (`pip install
    'lamina[keras]'`).

    Args:
        model: a `Sequential` model.
        filepath: string or path that ends in ".keras".
        overwrite: False asks at the keyboard before a file that exists is replaced. Default True.
        zipped: None or True; a folder (False) is not supported.

    Raises:
        ValueError: another ending, ".h5" among them: Keras's older form is not supported.
        ImportError: h5py is not installed.
        OSError: the file can't be written; what was there is still there.
    """
    path = _ending(filepath, (".keras",), "filepath")
    if zipped is False:
        raise ValueError("zipped: expected None or True, got False; models in folders are not supported")
    kwargs.pop("save_format", None)
    if kwargs:
        raise ValueError(f"save: unknown arguments {', '.join(map(repr, kwargs))}")
    if not may_write(path, overwrite):
        return
    if not model.built:
        warnings.warn(
            f"save: model {model.name!r} is not built, and has no weights yet; the file will hold none",
            stacklevel=callers_level(),
        )
    write_whole(path, _model_bytes(model))


def save_weights(
    model: Any, filepath: Any, overwrite: bool = True, max_shard_size: Any = None, **kwargs: Any
) -> None:
    """Write a model's weights, and the state of its optimizer if it has one, to a `.weights.h5` file.

    Args:
        model: a built model.
        filepath: string or path that ends in ".weights.h5".
        overwrite: as in `save_model`.
        max_shard_size: None only: one file is written.

    Raises:
        ValueError, ImportError, OSError: as in `save_model`; or the model isn't built.
    """
    path = _ending(filepath, (".weights.h5",), "filepath")
    if max_shard_size is not None:
        raise ValueError(f"max_shard_size: expected None (one file), got {max_shard_size!r}")
    if kwargs:
        raise ValueError(f"save_weights: unknown arguments {', '.join(map(repr, kwargs))}")
    _require_built(model, "save_weights")
    if may_write(path, overwrite):
        write_whole(path, weights_bytes(entries_of(model)))


def _model_bytes(model: Any) -> bytes:
    from zipfile import ZipFile

    metadata = {
        "keras_version": _KERAS_VERSION,
        "lamina_version": __version__,
        "date_saved": time.strftime("%Y-%m-%d@%H:%M:%S"),
    }
    parts = (
        (_METADATA, json.dumps(metadata).encode()),
        (_CONFIG, json.dumps(serialize_keras_object(model)).encode()),
        (_WEIGHTS, weights_bytes(entries_of(model))),
    )
    memory = io.BytesIO()
    with ZipFile(memory, "w") as archive:
        for name, data in parts:
            archive.writestr(name, data)
    return memory.getvalue()


# -- reading -------------------------------------------------------------------------------------------------
def load_model(
    filepath: Any,
    custom_objects: Mapping[str, Any] | None = None,
    compile: bool = True,
    safe_mode: bool = True,
) -> Any:
    """The model of a `.keras` file that Lamina or Keras 3 wrote.

    Whatever the file holds: no module is imported, no code of it is run and no other file is opened.

    Args:
        filepath: string or path that ends in ".keras".
        custom_objects: dict from name to class or function, for what the program registered nowhere else.
        compile: whether to compile it as it was. Default True.
        safe_mode: accepted; code in a file is refused with False as well.

    Returns:
        The model, with weights and optimizer state.

    Raises:
        ValueError: no such file, not a whole one, or it holds what Lamina doesn't have.
        ImportError: h5py is not installed.
    """
    path = _ending(filepath, (".keras",), "filepath")
    if not os.path.isfile(path):
        raise ValueError(f"filepath: expected a .keras file, got {path!r}, which is not there")
    config, weights = _members(path)
    if not isinstance(config, Mapping):
        raise ValueError(f"{path}: config.json: expected a dict, got {type(config).__name__}")
    if not compile:
        config = {**config, "compile_config": None}
    with at_most(4 * len(weights) + 2**20):
        model = model_of(config, custom_objects)
    if model.built:
        _load(model, io.BytesIO(weights), path, skip_mismatch=False)
    return model


def load_weights(model: Any, filepath: Any, skip_mismatch: bool = False, **kwargs: Any) -> None:
    """Read a model's weights, and the state of its optimizer if both have one; all or none.

    Args:
        model: a built model of the same layers, in their order; names don't matter.
        filepath: string or path that ends in ".weights.h5" or ".keras", of Lamina's or Keras's.
        skip_mismatch: True leaves layers that don't fit as they are, with a warning, and reads the others.
            Default False.
        objects_to_skip: list of layers to leave as they are.

    Raises:
        ValueError: not a whole file, or one of another model; the model is as it was.
        ImportError: h5py is not installed.
        OSError: there is no such file.
    """
    path = _ending(filepath, (".weights.h5", ".keras"), "filepath")
    skipped = kwargs.pop("objects_to_skip", None)
    if kwargs.pop("by_name", None) is not None:
        raise ValueError("by_name: for files of Keras's older form only, which are not supported")
    if kwargs:
        raise ValueError(f"load_weights: unknown arguments {', '.join(map(repr, kwargs))}")
    _require_built(model, "load_weights")
    if not os.path.isfile(path):
        raise FileNotFoundError(f"filepath: expected a file of weights, got {path!r}, which is not there")
    source: Any = io.BytesIO(_members(path)[1]) if path.endswith(".keras") else path
    _load(model, source, path, skip_mismatch, skipped or ())


def _members(path: str) -> tuple[Any, bytes]:
    """The parsed config and the weights of a `.keras` file."""
    from zipfile import BadZipFile, ZipFile

    try:
        with ZipFile(path) as archive:
            config = _read(archive, _CONFIG, _LARGEST_CONFIG)
            weights = _read(archive, _WEIGHTS, 4 * os.path.getsize(path) + _SPARE)
    except (BadZipFile, EOFError, KeyError, NotImplementedError, RuntimeError, OSError) as error:
        raise ValueError(f"{path}: expected a whole .keras file, got a damaged one: {error}") from None
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    return parsed(config), weights


def _read(archive: Any, name: str, largest: int) -> bytes:
    found = [info for info in archive.infolist() if info.filename == name]
    if len(found) != 1:
        raise ValueError(f"expected one {name} in it, got {len(found)}")
    if found[0].file_size > largest:
        raise ValueError(f"{name}: expected at most {largest} bytes, got {found[0].file_size}")
    with archive.open(found[0]) as member:
        data: bytes = member.read()
    return data


def _load(model: Any, source: Any, path: str, skip_mismatch: bool, skipped: Iterable[Any] = ()) -> None:
    """Everything is read and checked before the first variable changes."""
    left_out = {id(owner) for owner in skipped}
    fitting: list[tuple[Entry, list[Any]]] = []
    problems: list[str] = []
    try:
        with WeightsFile(source) as file:
            for entry in entries_of(model):
                if id(entry.owner) in left_out or entry.repeats:
                    continue
                whole = entry.owner is not model.optimizer or _optimizer_fits(entry, file)
                try:
                    if whole:
                        fitting.append((entry, file.arrays(entry)))
                except ValueError as error:
                    problems.append(f"{entry.name!r} ({entry.path}): {error}")
    except (OSError, RuntimeError, KeyError, TypeError, AttributeError) as error:  # h5py's, on damaged files
        raise ValueError(f"{path}: expected a whole file of weights, got a damaged one: {error}") from None
    if problems:
        text = f"{path}: expected the weights of such a model; {len(problems)} parts don't fit: {problems[0]}"
        if not skip_mismatch:
            raise ValueError(text)
        warnings.warn(f"{text}; they are left as they are", stacklevel=callers_level())
    for entry, arrays in fitting:
        for variable, values in zip(entry.variables, arrays, strict=True):
            variable.assign(values)
        if arrays and hasattr(entry.owner, "finalize_state"):
            entry.owner.finalize_state()  # it computes with what follows from its variables


def _optimizer_fits(entry: Entry, file: WeightsFile) -> bool:
    count = file.count(entry)
    if count == len(entry.variables):
        return True
    if count > 2:  # fewer: it was saved before its first step, and there is nothing to read
        warnings.warn(
            f"optimizer {entry.name!r}: its {len(entry.variables)} variables are left as they are: the file "
            f"has {count}",
            stacklevel=callers_level(),
        )
    return False


def _require_built(model: Any, what: str) -> None:
    if not model.built:
        raise ValueError(
            f"{what}: model {model.name!r} has no weights yet; give it an input shape or build it first"
        )


def _ending(filepath: Any, endings: tuple[str, ...], argument: str) -> str:
    """The path as a string; ValueError for another ending."""
    try:
        path = os.fsdecode(os.fspath(filepath))
    except TypeError:
        raise ValueError(f"{argument}: expected a string or a path, got {filepath!r}") from None
    if not path.endswith(endings):
        older = " (Keras's older HDF5 form is not supported)" if path.endswith((".h5", ".hdf5")) else ""
        raise ValueError(
            f"{argument}: expected a name that ends in {' or '.join(endings)}, got {path!r}{older}"
        )
    return path
