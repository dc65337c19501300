"""`summary()` prints what Keras 3 prints, byte for byte."""

from __future__ import annotations

import contextlib
import functools
import io
import os
import subprocess
import sys
import warnings
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from lamina import keras as lamina_keras
from lamina.keras._training.cells import cell_width, cropped, shortened, wrapped
from lamina.keras._training.table import column_widths


def _two_layers(k: Any) -> Any:
    return k.Sequential(
        [k.Input((784,)), k.layers.Dense(100, name="hidden"), k.layers.Dense(10, name="output")],
        name="패션 MNIST 모델",
    )


def _deep(k: Any) -> Any:
    model = k.models.Sequential()
    model.add(k.layers.Flatten(input_shape=[28, 28], name="Flatten"))
    for units, name in ((300, "Hidden1"), (200, "Hidden2"), (100, "Hidden3")):
        model.add(k.layers.Dense(units, activation="relu", name=name))
    model.add(k.layers.Dense(10, activation="softmax", name="Output"))
    return model


def _unbuilt(k: Any) -> Any:
    layers = k.layers
    return k.Sequential(
        [
            layers.Dense(3),
            layers.Flatten(),
            layers.Dropout(0.1),
            layers.Activation("relu"),
            layers.BatchNormalization(),
        ]
    )


def _called(k: Any) -> Any:
    model = _unbuilt(k)
    model(np.zeros((7, 4), np.float32))
    return model


def _fed(batch_size: int) -> Callable[[Any], Any]:
    def make(k: Any) -> Any:
        model = k.Sequential([k.layers.Dense(3)])
        model.compile("adam", "mse")
        model.fit(np.zeros((8, 4)), np.zeros((8, 3)), batch_size=batch_size, verbose=0)
        return model

    return make


def _predicted(k: Any) -> Any:
    model = k.Sequential([k.layers.Dense(3)])
    model.predict(np.zeros((7, 4), np.float32), batch_size=4, verbose=0)
    return model


def _built_then_popped(k: Any) -> Any:
    model = k.Sequential([k.Input((4, 5)), k.layers.Dense(3), k.layers.Dense(2), k.layers.Dense(1)])
    model.pop()
    model.add(k.layers.Flatten())
    return model


def _long_names(k: Any) -> Any:
    return k.Sequential(
        [
            k.Input((1234,)),
            k.layers.Dense(5678, name="a_layer_name_that_is_much_too_long_for_its_column"),
            k.layers.BatchNormalization(
                name="이름이 아주 길어서 한 줄에 들어가지 않는 층 그리고 또 하나의 이름"
            ),
            k.layers.Dense(2, name="two words"),
        ],
        name="a model name of many words, too many for one line of eighty cells: 긴 이름 긴 이름",
    )


def _fixed_batch(k: Any) -> Any:
    return k.Sequential([k.Input((4,), batch_size=16), k.layers.Dense(3)])


def _trained(optimizer: Callable[[Any], Any], dtype: str = "float32") -> Callable[[Any], Any]:
    def make(k: Any) -> Any:
        layers = [k.Input((4,)), k.layers.Dense(3, dtype=dtype), k.layers.BatchNormalization(dtype=dtype)]
        model = k.Sequential(layers)
        model.compile(optimizer(k), "mse")
        if k is lamina_keras:
            model.fit(np.zeros((8, 4)), np.zeros((8, 3)), verbose=0)
        else:  # what the first step of fit does, without the seconds it takes to trace it
            model.optimizer.build(model.trainable_variables)
        return model

    return make


def _evaluated(k: Any) -> Any:
    model = k.Sequential([k.layers.Dense(3)])
    model.compile("adam", "mse")
    model.evaluate(np.zeros((8, 4)), np.zeros((8, 3)), verbose=0)
    return model


MODELS: dict[str, Callable[[Any], Any]] = {
    "two layers": _two_layers,
    "deep": _deep,
    "empty": lambda k: k.Sequential(),
    "input only": lambda k: k.Sequential([k.Input((3,))]),
    "unbuilt": _unbuilt,
    "built by a call": _called,
    "built by fit": _fed(3),
    "built by fit in equal batches": _fed(4),
    "built by predict": _predicted,
    "popped": _built_then_popped,
    "long names": _long_names,
    "fixed batch": _fixed_batch,
    "sgd": _trained(lambda k: "sgd"),
    "momentum": _trained(lambda k: k.optimizers.SGD(momentum=0.9)),
    "rmsprop": _trained(lambda k: "rmsprop"),
    "centered": _trained(lambda k: k.optimizers.RMSprop(centered=True, momentum=0.5)),
    "adagrad": _trained(lambda k: "adagrad"),
    "adam": _trained(lambda k: "adam"),
    "amsgrad": _trained(lambda k: k.optimizers.Adam(amsgrad=True)),
    "float64": _trained(lambda k: "adam", "float64"),
    "evaluated": _evaluated,
}
LAYOUTS: list[dict[str, Any]] = [
    {"line_length": 120},
    {"line_length": 50},
    {"line_length": 22},
    {"positions": [0.3, 0.6, 1.0]},
    {"positions": [0.2, 0.4, 0.5]},
    {"show_trainable": True},
    {"layer_range": ["Hidden1", "Hidden3"]},
    {"layer_range": ["Output", "Hid"]},
    {"positions": [0.33, 0.55, 0.67, 1.0]},  # Keras 2 had four columns
    {"positions": [0.33, 0.55, 0.67, 1.0], "show_trainable": True},
]


@functools.cache
def _made(k: Any, name: str) -> Any:
    k.backend.clear_session()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return MODELS[name](k)


def _summary(model: Any, **layout: Any) -> str:
    texts: list[str] = []
    model.summary(print_fn=texts.append, **layout)
    assert len(texts) == 1
    return texts[0]


@pytest.mark.parametrize("columns", ["", "60", "200"])
@pytest.mark.parametrize("name", MODELS)
def test_a_summary_is_keras_s(
    name: str, columns: str, live_keras: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    assert _summary(_made(lamina_keras, name)) == _summary(_made(live_keras, name))


@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
def test_a_layout_is_keras_s(
    layout: dict[str, Any], live_keras: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "")
    assert _summary(_made(lamina_keras, "deep"), **layout) == _summary(_made(live_keras, "deep"), **layout)


def test_the_text_goes_to_standard_output() -> None:
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown):
        model = _two_layers(lamina_keras)
        model.summary()
    assert shown.getvalue() == _summary(model)
    assert "│ hidden (Dense)" in shown.getvalue()
    assert " Total params: 79,510 (310.59 KB)\n" in shown.getvalue()


def test_an_encoding_without_rules_gets_plain_ones() -> None:
    code = "from lamina.keras import *; Sequential([Input((4,)), layers.Dense(3)], name='m').summary()"
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "COLUMNS": "80"}
    shown = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    lines = shown.stdout.splitlines()
    assert lines[0] == 'Model: "m"'
    assert lines[1] == "+" + "-" * 74 + "+"
    assert lines[2].startswith("| Layer (type)")
    assert lines[3].startswith("|-")
    assert "+" in lines[3]


def test_a_table_that_is_too_narrow_is_refused() -> None:
    model = _two_layers(lamina_keras)
    with pytest.raises(ValueError, match=r"line_length: expected columns of at least 4 characters, got 2"):
        model.summary(line_length=10)
    with pytest.raises(ValueError, match="layer_range: expected names among"):
        model.summary(layer_range=["nope", "output"])
    with pytest.raises(
        ValueError, match=r"positions: expected one for each of 3 columns, got \[0\.5, 1\.0\]"
    ):
        model.summary(positions=[0.5, 1.0])
    with pytest.raises(ValueError, match="layer_range: expected two names"):
        model.summary(layer_range=["output"])


def test_cells() -> None:
    assert cell_width("패션 MNIST") == 10
    assert cell_width("e\u0301") == 1
    assert cropped("패션", 3) == "패 "
    assert shortened("abcdef", 4) == "abc…"
    assert shortened("abcd", 4) == "abcd"
    assert wrapped("one two three", 7, fold=False) == ["one two", "three"]
    assert wrapped("abcdefgh", 3, fold=True) == ["abc", "def", "gh"]
    assert wrapped("", 3, fold=True) == [""]
    assert sum(column_widths([34, 26, 16], 76)) + 4 == 76
    assert sum(column_widths([15, 15, 8], 76)) + 4 == 76
