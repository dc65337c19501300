"""Files of models: what is written comes back, whole files or none, and no file can do harm."""

from __future__ import annotations

import errno
import io
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_models import LABELS, SPARSE, X, classifier, same_weights

from lamina import keras
from lamina.keras import Sequential, layers
from lamina.keras._saving import whole_file

h5py = pytest.importorskip("h5py")


def trained(dropout: float = 0.25) -> Any:
    model = Sequential([keras.Input((4,)), layers.Dense(8, "relu"), layers.BatchNormalization()])
    model.add(layers.Dropout(dropout, seed=3))
    model.add(layers.Dense(3, "softmax"))
    model.compile(keras.optimizers.Adam(0.01), SPARSE, metrics=["accuracy"])
    model.fit(X, LABELS, epochs=2, batch_size=8, verbose=0)
    return model


def bits(model: Any) -> list[bytes]:
    state = [variable.numpy().tobytes() for variable in getattr(model.optimizer, "variables", [])]
    return [weight.tobytes() for weight in model.get_weights()] + state


# -- and back ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("optimizer", ["sgd", "adam", "nadam", "adafactor"])
def test_a_model_comes_back_with_its_optimizer_s_state(optimizer: str, tmp_path: Path) -> None:
    model = trained(dropout=0.0)  # which of the rows go on is the run's, as their order is
    model.compile(optimizer, SPARSE, metrics=["accuracy"])
    model.fit(X, LABELS, batch_size=8, verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert bits(again) == bits(model)
    assert again.get_config() == model.get_config()
    assert again.get_compile_config() == model.get_compile_config()
    assert again.evaluate(X, LABELS, verbose=0) == model.evaluate(X, LABELS, verbose=0)
    for each in (model, again):
        each.fit(X, LABELS, batch_size=len(X), shuffle=False, verbose=0)
    assert bits(again)[:2] == bits(model)[:2]
    assert not keras.models.load_model(tmp_path / "model.keras", compile=False).compiled


@pytest.mark.parametrize("ending", ["weights.h5", "keras"])
def test_weights_come_back(ending: str, tmp_path: Path) -> None:
    model, path = trained(), str(tmp_path / f"a.{ending}")
    (model.save if ending == "keras" else model.save_weights)(path)
    other = keras.models.clone_model(model)
    other.load_weights(path)
    assert same_weights(other, model)
    assert not other.compiled
    other.compile("adam", SPARSE)
    with pytest.warns(UserWarning, match="its 2 variables are left as they are"):  # not built, as in Keras
        other.load_weights(path)
    other.optimizer.build(other.trainable_variables)
    other.load_weights(path)
    assert bits(other) == bits(model)


def test_float64_and_unbuilt_models_come_back(tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    model = Sequential([keras.Input((3,)), layers.Dense(2, dtype="float64")])
    model.save(path)
    again = keras.models.load_model(path)
    assert again.dtype == "float64"
    assert same_weights(again, model)
    with pytest.warns(UserWarning, match="not built"):
        Sequential([layers.Dense(2)]).save(path)
    again = keras.models.load_model(path)
    assert (again.built, len(again.layers)) == (False, 1)
    for method in (again.save_weights, again.load_weights):
        with pytest.raises(ValueError, match="no weights yet"):
            method(tmp_path / "a.weights.h5")


def test_statistics_that_were_adapted_come_back(tmp_path: Path) -> None:
    normalization = layers.Normalization()
    normalization.adapt(X * 3 + 5)
    model = Sequential([keras.Input((4,)), normalization, layers.Dense(2)])
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert np.array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))
    other = keras.models.clone_model(model)
    assert not np.array_equal(other.predict(X, verbose=0), model.predict(X, verbose=0))
    other.load_weights(tmp_path / "model.keras")
    assert np.array_equal(other.predict(X, verbose=0), model.predict(X, verbose=0))


def test_what_does_not_fit_is_skipped_or_refused_as_a_whole(tmp_path: Path) -> None:
    model, path = trained(), str(tmp_path / "a.weights.h5")
    model.save_weights(path)
    other = Sequential([keras.Input((4,)), layers.Dense(8), layers.BatchNormalization(), layers.Dense(5)])
    before = other.get_weights()
    with pytest.raises(ValueError, match=r"1 parts don't fit: '\w+' \(layers/dense_1\): variable 0"):
        other.load_weights(path)
    assert all(np.array_equal(one, two) for one, two in zip(before, other.get_weights(), strict=True))
    with pytest.warns(UserWarning, match="left as they are"):
        other.load_weights(path, skip_mismatch=True)
    for index in range(6):
        assert np.array_equal(other.get_weights()[index], model.get_weights()[index])
    assert np.array_equal(other.get_weights()[6], before[6])
    deeper = Sequential([keras.Input((4,)), layers.Dense(8), layers.Dense(3), layers.Dense(3)])
    with pytest.raises(ValueError, match="expected 2 variables, got 0"):
        deeper.load_weights(path)
    fresh = keras.models.clone_model(model)
    first = fresh.layers[0].get_weights()
    fresh.load_weights(path, objects_to_skip=[fresh.layers[0]])
    assert np.array_equal(fresh.layers[0].get_weights()[0], first[0])
    assert np.array_equal(fresh.get_weights()[2], model.get_weights()[2])


# -- written whole or not at all -----------------------------------------------------------------------------
class Full(io.RawIOBase):
    """A file on a disk that is full."""

    def write(self, data: Any) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("fails", ["open", "write", "fsync", "replace"])
def test_what_was_there_survives_a_failing_save(
    fails: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, path = trained(), tmp_path / "model.keras"
    model.save(path)
    before = path.read_bytes()

    def failing(*args: Any, **kwargs: Any) -> Any:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        if fails == "write":
            patch.setattr(whole_file, "open", lambda *args: Full(), raising=False)
        else:
            patch.setattr(whole_file.os, fails, failing)
        with pytest.raises(OSError, match="No space left"):
            model.save(path)
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["model.keras"]
    model.save(path)
    assert same_weights(keras.models.load_model(path), model)


KILLED_WHILE_SAVING = """
import os, sys
from lamina import keras
from lamina.keras._saving import whole_file
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
model.set_weights([weight * 0 + 1 for weight in model.get_weights()])
die = lambda *args: os.kill(os.getpid(), 9)
setattr(whole_file.os, sys.argv[2], die)
model.save(sys.argv[1])
"""


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_what_was_there_survives_a_killed_process(call: str, tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    model = Sequential([keras.Input((4,)), layers.Dense(3)])
    model.save(path)
    killed = subprocess.run([sys.executable, "-c", KILLED_WHILE_SAVING, str(path), call], check=False)
    assert killed.returncode == -9
    assert same_weights(keras.models.load_model(path), model)


def test_files_keep_their_place_and_rights(tmp_path: Path) -> None:
    model, real, link = classifier(), tmp_path / "real.keras", tmp_path / "link.keras"
    model.save(real)
    link.symlink_to(real)
    model.save(link)
    assert link.is_symlink()
    old = os.umask(0o027)
    try:
        model.save(tmp_path / "other.keras")
    finally:
        os.umask(old)
    assert (tmp_path / "other.keras").stat().st_mode & 0o777 == 0o640
    with pytest.raises(FileNotFoundError):
        model.save(tmp_path / "nowhere" / "model.keras")


@pytest.mark.parametrize("answer", ["n", "y"])
def test_overwrite_asks(answer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model, path = classifier(), tmp_path / "a.weights.h5"
    path.write_text("old")
    answers = iter(["perhaps", answer])
    monkeypatch.setattr("builtins.input", lambda prompt: next(answers))
    model.save_weights(path, overwrite=False)
    assert (path.read_bytes() == b"old") == (answer == "n")


# -- other people's files ------------------------------------------------------------------------------------
def rewritten(
    path: Path, change: Callable[[dict[str, bytes]], None], store: int = zipfile.ZIP_STORED
) -> None:
    """The archive with its members changed."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    with zipfile.ZipFile(path, "w", store) as archive:
        for name, data in members.items():
            archive.writestr(name, data)


def with_config(change: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, bytes]], None]:
    def rewrite(members: dict[str, bytes]) -> None:
        config = json.loads(members["config.json"])
        changed = change(config)
        members["config.json"] = json.dumps(config if changed is None else changed).encode()

    return rewrite


def with_weights(change: Callable[[Any], Any]) -> Callable[[dict[str, bytes]], None]:
    def rewrite(members: dict[str, bytes]) -> None:
        memory = io.BytesIO(members["model.weights.h5"])
        with h5py.File(memory, "a") as file:
            change(file)
        members["model.weights.h5"] = memory.getvalue()

    return rewrite


def huge_units(config: dict[str, Any]) -> None:
    for entry in config["config"]["layers"]:
        if entry["class_name"] == "Dense":
            entry["config"]["units"] = 10**11


def replaced(make: Callable[[Any, str], Any], name: str = "layers/dense/vars/0") -> Callable[[Any], None]:
    def change(file: Any) -> None:
        del file[name]
        make(file, name)

    return change


def linked(file: Any, name: str) -> None:
    """What the model expects, but behind a link."""
    file.move(name, "elsewhere")
    file[name] = h5py.SoftLink("/elsewhere")


LAMBDA = {"class_name": "__lambda__", "config": {"value": "x"}}
DAMAGES: dict[str, Callable[[dict[str, bytes]], None]] = {
    "no config": lambda members: members.pop("config.json"),
    "no weights": lambda members: members.pop("model.weights.h5"),
    "empty config": lambda members: members.update({"config.json": b""}),
    "config that is no JSON": lambda members: members.update({"config.json": b"\xff{"}),
    "config that is no dict": with_config(lambda config: []),
    "config without layers": with_config(lambda config: config.update(config={"name": "m"})),
    "config of a function": with_config(lambda config: config.update(class_name="function", config="eval")),
    "config of another module": with_config(lambda config: config.update(module="os", class_name="system")),
    "config of huge layers": with_config(huge_units),
    "config with a lambda": with_config(
        lambda config: config["config"]["layers"].append(
            {"class_name": "__lambda__", "config": {"value": "x"}}
        )
    ),
    "name with a path": with_config(lambda config: config["config"].update(name="../../x")),
    "weights that are no HDF5": lambda members: members.update({"model.weights.h5": b"x" * 5000}),
    "half the weights": lambda members: members.update(
        {"model.weights.h5": members["model.weights.h5"][: len(members["model.weights.h5"]) // 2]}
    ),
    "soft link": with_weights(lambda file: linked(file, "layers/dense/vars/0")),
    "soft link to a group": with_weights(lambda file: linked(file, "layers/dense")),
    "values in another file": with_weights(
        replaced(
            lambda file, name: file.create_dataset(
                name, (4, 8), "f4", external=[("/etc/passwd", 0, h5py.h5f.UNLIMITED)]
            )
        )
    ),
    "huge shape": with_weights(
        replaced(lambda file, name: file.create_dataset(name, (10**6, 10**6), "f4", chunks=(100, 100)))
    ),
    "strings": with_weights(
        replaced(lambda file, name: file.create_dataset(name, (4, 8), h5py.string_dtype()))
    ),
    "a group for values": with_weights(replaced(lambda file, name: file.create_group(name))),
    "values for a group": with_weights(
        replaced(lambda file, name: file.__setitem__(name, 3.0), "layers/dense/vars")
    ),
    "one variable more": with_weights(lambda file: file.__setitem__("layers/dense/vars/2", 1.0)),
    "other names": with_weights(lambda file: file.move("layers/dense/vars/0", "layers/dense/vars/x")),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_bad_file_gives_one_error_and_changes_nothing(damage: str, tmp_path: Path) -> None:
    model, path = trained(), tmp_path / "model.keras"
    model.save(path)
    rewritten(path, DAMAGES[damage])
    assert path.stat().st_size < 200_000
    modules, before = set(sys.modules), bits(model)
    with pytest.raises((ValueError, TypeError)):
        keras.models.load_model(path)
    if "config" not in damage and "name with" not in damage:
        with pytest.raises(ValueError):
            model.load_weights(path)
    assert bits(model) == before
    assert set(sys.modules) == modules


def test_links_to_other_files_are_not_followed(tmp_path: Path) -> None:
    model, path = trained(), tmp_path / "a.weights.h5"
    model.save_weights(path)
    model.save_weights(tmp_path / "other.h5.weights.h5")
    with h5py.File(path, "a") as file:
        del file["layers/dense"]
        file["layers/dense"] = h5py.ExternalLink(str(tmp_path / "other.h5.weights.h5"), "/layers/dense")
    with pytest.raises(ValueError, match="expected no links in the file, got ExternalLink"):
        model.load_weights(path)


def test_truncated_and_padded_files_are_refused(tmp_path: Path) -> None:
    model, path = trained(), tmp_path / "model.keras"
    model.save(path)
    whole = path.read_bytes()
    for size in (0, 1, 100, len(whole) // 3, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:size])
        with pytest.raises(ValueError, match="whole"):
            keras.models.load_model(path)
    model.save_weights(tmp_path / "a.weights.h5")
    before = bits(model)
    content = (tmp_path / "a.weights.h5").read_bytes()
    (tmp_path / "a.weights.h5").write_bytes(content[: len(content) // 2])
    with pytest.raises(ValueError, match="whole"):
        model.load_weights(tmp_path / "a.weights.h5")
    assert bits(model) == before


def test_a_member_that_unpacks_to_more_than_the_file_can_mean_is_refused(tmp_path: Path) -> None:
    model, path = trained(), tmp_path / "model.keras"
    model.save(path)

    def bloat(members: dict[str, bytes]) -> None:
        members["model.weights.h5"] += b"\0" * 2**27

    rewritten(path, bloat, zipfile.ZIP_DEFLATED)
    with pytest.raises(ValueError, match=r"model\.weights\.h5: expected at most"):
        keras.models.load_model(path)


# -- bad arguments -------------------------------------------------------------------------------------------
def test_other_forms_and_bad_arguments_are_refused(tmp_path: Path) -> None:
    model = classifier()
    for name in ("model.h5", "model.hdf5", "model", "model.keras.txt"):
        for call in (model.save, model.save_weights, model.load_weights, keras.models.load_model):
            with pytest.raises(ValueError, match="filepath: expected a name that ends in"):
                call(tmp_path / name)
    with pytest.raises(ValueError, match="older HDF5 form is not supported"):
        model.save("model.h5")
    for wrong in (3, None, object()):
        with pytest.raises(ValueError, match="filepath: expected a string or a path"):
            model.save(wrong)
    with pytest.raises(ValueError, match="zipped"):
        model.save("model.keras", zipped=False)
    with pytest.raises(ValueError, match="max_shard_size"):
        model.save_weights("model.weights.h5", max_shard_size=1)
    with pytest.raises(ValueError, match="by_name"):
        model.load_weights("model.weights.h5", by_name=True)
    for call in (model.save, model.load_weights):
        with pytest.raises(ValueError, match="unknown arguments 'nope'"):
            call("model.keras", nope=1)
    with pytest.raises(ValueError, match="not there"):
        keras.models.load_model(tmp_path / "none.keras")
    with pytest.raises(FileNotFoundError, match="not there"):
        model.load_weights(tmp_path / "none.weights.h5")
    assert list(tmp_path.iterdir()) == []


def test_without_h5py_the_error_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = classifier()
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(ImportError, match=r"pip install 'lamina\[keras\]'"):
        model.save(tmp_path / "model.keras")
    assert list(tmp_path.iterdir()) == []
