"""Data sets: the folder they are kept in, the IDX format, and what importing them loads."""

import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from dataset_site import idx

from lamina.keras.datasets import _cache, _idx

# -- the cache -----------------------------------------------------------------------------------------------


def test_home_is_keras_home_or_dot_keras(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("KERAS_HOME", "~/elsewhere")
    assert _cache.home() == tmp_path / "elsewhere"
    monkeypatch.delenv("KERAS_HOME")
    assert _cache.home() == tmp_path / ".keras"
    assert _cache.folders("datasets") == [tmp_path / ".keras" / "datasets"]


def test_home_that_cannot_be_written_has_a_second_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv(
        "KERAS_HOME", str(tmp_path / "file" / "keras")
    )  # below a file: can't be made, even by root
    monkeypatch.setattr(_cache, "_temporary", lambda: tmp_path / "tmp")
    assert _cache.make_folder("datasets") == tmp_path / "tmp" / ".keras" / "datasets"
    assert (tmp_path / "tmp" / ".keras" / "datasets").is_dir()


# -- the IDX format ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not an IDX file: it starts with nothing"),
        (b"\0\0\x08", "not an IDX file"),
        (b"PK\x03\x04", "not an IDX file: it starts with 50 4b 03 04"),
        (b"\0\0\x0d\x02" + bytes(8), "IDX type 0x0d, expected 0x08"),
        (b"\0\0\x08\x03" + bytes(12), "3 axes, expected 2"),
        (b"\0\0\x08\x02" + bytes(7), "ends within its header: 11 of 12 bytes"),
        (idx(np.zeros((4, 5), np.uint8)), r"shape \(4, 5\), expected \(any, 3\)"),
        (idx(np.zeros((4, 3), np.uint8))[:-1], "12 values in its header and holds only 11"),
        (idx(np.zeros((4, 3), np.uint8)) + b"\0", "12 values in its header and holds more"),
        (b"\0\0\x08\x02" + b"\xff\xff\xff\xff" + b"\0\0\0\x03", "12,884,901,885 values in its header"),
    ],
)
def test_idx_errors(data: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        _idx.parse(io.BytesIO(data), "a file", (None, 3))


@pytest.mark.parametrize("shape", [(0, 3), (1, 3), (400_000, 3)])
def test_idx_values(shape: tuple[int, int]) -> None:
    values = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    found = _idx.parse(io.BytesIO(idx(values)), "a file", (None, 3))
    np.testing.assert_array_equal(found, values)


# -- import --------------------------------------------------------------------------------------------------


def test_import_loads_nothing_for_the_network() -> None:
    code = (
        "import sys, numpy; before = set(sys.modules); import lamina.keras.datasets; "
        "new = set(sys.modules) - before; print(sorted({'gzip', 'ssl', 'urllib.request'} & new))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=dict(os.environ)
    )
    assert done.stdout.strip() == "[]"
