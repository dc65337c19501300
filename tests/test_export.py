"""Exported models: ONNX Runtime computes what `predict` computes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_models import classifier
from tolerances import assert_close, rounding

from lamina import keras
from lamina.keras import Sequential, layers
from lamina.keras._export.activations import ACTIVATIONS
from lamina.keras._export.layers import LAYERS

pytest.importorskip("onnx")
runtime = pytest.importorskip("onnxruntime")

X = np.random.default_rng(5).normal(0, 2, (7, 3, 4)).astype(np.float32)

# Arguments of the layers; each goes behind a Dense layer, on rows and on rows of rows.
ARGUMENTS: dict[str, list[dict[str, Any]]] = {
    "Activation": [{"activation": "tanh"}],
    "ActivityRegularization": [{"l1": 0.1}],
    "AlphaDropout": [{"rate": 0.5}],
    "BatchNormalization": [{}, {"center": False}, {"scale": False, "epsilon": 0.1}, {"renorm": True}],
    "Dense": [{"units": 3}, {"units": 2, "use_bias": False, "activation": "softmax"}],
    "Dropout": [{"rate": 0.5}],
    "ELU": [{"alpha": 0.5}],
    "Flatten": [{}],
    "GaussianDropout": [{"rate": 0.5}],
    "GaussianNoise": [{"stddev": 0.5}],
    "GroupNormalization": [{"groups": 2}, {"groups": -1}],
    "Identity": [{}],
    "LayerNormalization": [{}, {"center": False, "epsilon": 0.1}, {"rms_scaling": True, "epsilon": 0.1}],
    "LeakyReLU": [{"negative_slope": 0.1}],
    "Normalization": [{"mean": 0.5, "variance": 2.0}, {"mean": 0.5, "variance": 2.0, "invert": True}],
    "PReLU": [{"alpha_initializer": "random_normal"}],
    "RMSNormalization": [{}],
    "ReLU": [{}, {"max_value": 1.0, "negative_slope": 0.1, "threshold": 0.25}],
    "Rescaling": [{"scale": 0.5, "offset": 1.0}, {"scale": np.arange(4.0), "offset": [1, 2, 3, 4]}],
    "Reshape": [{"target_shape": (-1, 2)}],
    "Softmax": [{}],
    "UnitNormalization": [{}],
}


def agrees(model: Any, x: Any, path: Path, layer: str = "model") -> None:
    """The exported model computes what the model does, for any number of rows."""
    rng = np.random.default_rng(1)
    model.set_weights([np.abs(rng.normal(0.5, 0.2, weight.shape)) for weight in model.get_weights()])
    model.export(path, format="onnx", verbose=False)
    session = runtime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    for rows in (x, x[:1]):
        want = model.predict(rows, verbose=0)
        got = session.run(None, {name: rows})[0]
        assert got.shape == want.shape
        assert_close(got, want, rounding(str(rows.dtype), 12, steps=8), layer)


@pytest.mark.parametrize("name", sorted(LAYERS))
def test_every_layer(name: str, tmp_path: Path) -> None:
    for arguments in ARGUMENTS[name]:
        for x in (X[:, 0], X):
            model = Sequential(
                [keras.Input(x.shape[1:]), layers.Dense(4), getattr(layers, name)(**arguments)]
            )
            agrees(model, x, tmp_path / "model.onnx", f"{name} {arguments}")


def test_short_rows_get_length_one(tmp_path: Path) -> None:
    """The norm counts from 1e-12 on, its square from 1e-24."""
    model = Sequential([keras.Input((4,)), layers.UnitNormalization()])
    agrees(model, X[:, 0] * np.float32(1e-9), tmp_path / "model.onnx")


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_every_activation(name: str, tmp_path: Path) -> None:
    model = Sequential([keras.Input((4,)), layers.Activation(name)])
    agrees(model, X[:, 0], tmp_path / "model.onnx", name)
    agrees(Sequential([keras.Input((3, 4)), layers.Dense(5, name)]), X, tmp_path / "model.onnx", name)


def test_unit_normalization_of_tiny_rows(tmp_path: Path) -> None:
    """Keras's bound is one on the norm, 1e-12: rows above it have length 1, those below less."""
    norms = np.array([1e-5, 1e-6, 1e-8, 1e-11, 3e-12, 5e-13, 1e-14, 0])
    x = (norms[:, None] * np.array([0.6, 0, -0.8])).astype(np.float32)
    model = Sequential([keras.Input((3,)), layers.UnitNormalization()])
    want = x.astype(np.float64) / np.maximum(norms, 1e-12)[:, None]
    model.export(tmp_path / "unit.onnx", format="onnx", verbose=False)
    session = runtime.InferenceSession((tmp_path / "unit.onnx").read_bytes())
    got = session.run(None, {session.get_inputs()[0].name: x})[0]
    for values in (got, model.predict(x, verbose=0)):
        np.testing.assert_allclose(values, want, rtol=rounding("float32", 3, steps=4))


def test_a_model_within_a_model_and_float64(tmp_path: Path) -> None:
    for dtype in ("float32", "float64"):
        model = Sequential([keras.Input((4,)), layers.Dense(8, "relu", dtype=dtype)])
        model.add(layers.BatchNormalization(dtype=dtype))
        model.add(layers.Dropout(0.5, dtype=dtype))
        model.add(Sequential([layers.Dense(6, "tanh", dtype=dtype), layers.Dense(5, dtype=dtype)]))
        model.add(layers.Dense(3, "softmax", dtype=dtype))
        agrees(model, X[:, 0].astype(dtype), tmp_path / "model.onnx")


def test_what_can_not_be_exported_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model, path = classifier(), tmp_path / "model.onnx"
    for format in ("tf_saved_model", "litert", "openvino", "torch", "pdf", 3):
        with pytest.raises(ValueError, match="format: expected 'onnx'"):
            model.export(path, format=format)
    with pytest.raises(ValueError, match="format: expected 'onnx', got 'tf_saved_model'"):
        model.export(path)
    for wrong in ({"input_signature": 3}, {"opset_version": 3}, {"nope": 1}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            model.export(path, format="onnx", **wrong)
    with pytest.raises(ValueError, match="no weights yet"):
        Sequential([layers.Dense(2)]).export(path, format="onnx")
    mixed = Sequential([keras.Input((4,)), layers.Dense(2, dtype="mixed_bfloat16")])
    with pytest.raises(ValueError, match="mixed_bfloat16"):
        mixed.export(path, format="onnx")
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImportError, match=r"pip install 'lamina\[onnx\]'"):
        model.export(path, format="onnx")
    assert list(tmp_path.iterdir()) == []


def test_it_says_where_the_file_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    classifier().export(tmp_path / "model.onnx", format="onnx")
    assert str(tmp_path / "model.onnx") in capsys.readouterr().out
