"""A model as an ONNX file."""

from __future__ import annotations

import os
from typing import Any

from lamina.keras._export.graph import OPSET, Graph
from lamina.keras._export.layers import add_layer
from lamina.keras._saving.whole_file import write_whole
from lamina.keras.utils.console import print_msg

_OTHERS = {
    "tf_saved_model": "it is TensorFlow's graph, which only TensorFlow can write",
    "litert": "it is made from TensorFlow's graph",
    "openvino": "OpenVINO reads ONNX",
    "torch": "it is PyTorch's graph, which only PyTorch can write",
}


def export_model(
    model: Any,
    filepath: Any,
    format: str = "tf_saved_model",
    verbose: bool | None = None,
    input_signature: Any = None,
    **kwargs: Any,
) -> None:
    """See `Sequential.export`."""
    if format != "onnx":
        reason = f" ({_OTHERS[format]})" if format in _OTHERS else ""
        raise ValueError(f"format: expected 'onnx', got {format!r}{reason}")
    if input_signature is not None:
        raise ValueError("input_signature: expected None: the model knows its input")
    opset = kwargs.pop("opset_version", None)
    if kwargs:
        raise ValueError(f"export: unknown arguments {', '.join(map(repr, kwargs))}")
    if opset not in (None, OPSET):
        raise ValueError(f"opset_version: expected None or {OPSET}, got {opset!r}")
    path = os.fsdecode(os.fspath(filepath))
    if not model.built:
        raise ValueError(
            f"export: model {model.name!r} has no weights yet; give it an input shape or build it first"
        )
    for layer in model.leaves:
        if layer.compute_dtype == "bfloat16":
            raise ValueError(
                f"export: layer {layer.name!r}: expected dtype 'float32' or 'float64', got 'mixed_bfloat16'"
            )
    graph = Graph(_onnx_module(), model.dtype)
    x = y = model.input_layer.name
    for layer, shape in zip(model.leaves, model.shapes, strict=False):
        y = add_layer(graph, y, layer, shape)
    write_whole(path, graph.finished(model.name, x, model.input_shape, y, model.output_shape))
    if verbose is None or verbose:
        print_msg(f"Saved the model in ONNX's form to {path!r}")


def _onnx_module() -> Any:
    try:
        import onnx
    except ImportError as error:
        raise ImportError(
            "export: format 'onnx' needs onnx, which is not installed: pip install 'lamina[onnx]'"
        ) from error
    return onnx
