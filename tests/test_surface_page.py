"""The page that says what of Keras's is supported is the one that the code gives."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from lamina import keras

DOCS = Path(__file__).resolve().parent.parent / "docs"


@pytest.fixture(scope="module")
def surface() -> Any:
    spec = importlib.util.spec_from_file_location("keras_surface", DOCS / "keras_surface.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_current(surface: Any) -> None:
    assert surface.PAGE.read_text(encoding="utf-8") == surface.page(), "run: python docs/keras_surface.py"


def test_every_name_of_keras_s_is_on_it(surface: Any, live_keras: ModuleType) -> None:
    for namespace in surface.NAMESPACES:
        live: Any = live_keras
        for part in namespace.split(".")[1:]:
            live = getattr(live, part)
        public = {name for name in dir(live) if not name.startswith("_")} - {"src"}
        on_page = {*surface.supported(namespace), *surface.NAMES.get(namespace, "").split()}
        assert public - on_page == set() or surface.module_of(namespace) is None, namespace
        assert set(surface.supported(namespace)) <= public, namespace
    for kind, names in surface.MEMBERS.items():
        assert names.split() == [name for name in dir(getattr(live_keras, kind)) if not name.startswith("_")]


def test_arguments_are_read_from_docstrings(surface: Any) -> None:
    text = """Does something.

    Args:
        x: an array. Default
            none.
        mode, kind: not supported, None only.
        **kwargs: others.

    Returns:
        y: nothing.
    """
    assert list(surface.entries(text)) == [
        (["x"], "an array. Default none."),
        (["mode", "kind"], "not supported, None only."),
        (["**kwargs"], "others."),
    ]
    page = surface.page()
    assert "| `Sequential.compile` | `run_eagerly`, `jit_compile`" in page
    assert "| `Sequential.export` | `input_signature` | None only. |" in page
    assert keras.Sequential.__name__ in page
