"""Scripts as courses and textbooks have them: with one word changed they give the same numbers."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from tolerances import CANCELLATION, assert_close, rounding

pytest.importorskip("sklearn")
pytest.importorskip("h5py")

SCRIPTS = sorted((Path(__file__).parent.parent / "course_scripts").glob("*.py"))


class Draws:
    """Uniform numbers by the order of the calls: both libraries begin with the same weights."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        self.calls += 1
        limit = np.sqrt(6 / sum(shape))
        return np.random.default_rng(self.calls).uniform(-limit, limit, shape).astype(dtype)


def results(script: Path, word: str, keras: ModuleType, folder: Path, patch: pytest.MonkeyPatch) -> Any:
    """What the script calls its results, with this word for the library's."""
    source = re.sub(r"\btensorflow\b", word, script.read_text(encoding="utf-8"))
    folder.mkdir()
    draws = Draws()
    with patch.context() as context:
        context.chdir(folder)
        context.setattr(
            keras.initializers.GlorotUniform,
            "__call__",
            lambda self, shape, dtype=None: draws(shape, dtype),
        )
        names: dict[str, Any] = {"__name__": "__main__"}
        exec(compile(source, str(script), "exec"), names)
    return names["results"]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
@pytest.mark.usefixtures("float64")
def test_the_same_with_one_word_changed(
    script: Path,
    live_keras: ModuleType,
    lamina_keras: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    theirs = results(script, "tensorflow", live_keras, tmp_path / "theirs", monkeypatch)
    ours = results(script, "lamina", lamina_keras, tmp_path / "ours", monkeypatch)
    assert list(ours) == list(theirs)
    # Some hundred steps, of optimizers that divide gradients by their size.
    bound = CANCELLATION * rounding("float64", 130, steps=200)
    if script.stem == "overfitting":  # Keras makes float32 of the penalties' factors
        bound = rounding("float32", 130)
    for name, value in theirs.items():
        if isinstance(value, (dict, str)) or (isinstance(value, list) and isinstance(value[0], str)):
            assert written(ours[name]) == written(value), name
        else:
            assert_close(ours[name], value, bound, name, scale=1.0)


def written(value: Any) -> str:
    """The value as text, without the names that count the objects of a process."""
    return re.sub(r"(dense|batch_normalization|input_layer)_\d+", r"\1", str(value))
