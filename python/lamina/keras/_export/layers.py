"""Layers in ONNX, as they are outside of training; their arguments are read from their configs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lamina.keras._export.activations import add_activation
from lamina.keras._export.graph import Graph
from lamina.keras.layers.layer import Layer
from lamina.keras.layers.shape import Shape


def add_layer(graph: Graph, x: str, layer: Layer, shape: Shape) -> str:
    """Add what a layer computes; the name of its result.

    Args:
        graph: the one to add to.
        x: name of the layer's input.
        layer: built.
        shape: of the input, with the batch axis.

    Raises:
        ValueError: it has no form in ONNX.
    """
    for kind in type(layer).__mro__:
        adder = LAYERS.get(kind.__name__)
        if adder is not None:
            return adder(graph, x, layer, shape)
    raise ValueError(
        f"export: layer {layer.name!r}: expected one of {', '.join(LAYERS)} for ONNX, "
        f"got {type(layer).__name__}"
    )


def _value(weight: Any) -> Any:
    return np.asarray(weight.numpy() if hasattr(weight, "numpy") else weight)


def _weights(layer: Layer) -> dict[str, Any]:
    return {weight.name: weight.numpy() for weight in layer.weights}


def _affine(graph: Graph, x: str, scale: Any, offset: Any) -> str:
    """x scale + offset, either None."""
    if scale is not None:
        x = graph.add("Mul", x, graph.numbers(scale))
    return x if offset is None else graph.add("Add", x, graph.numbers(offset))


def _same(graph: Graph, x: str, layer: Layer, shape: Shape) -> str:
    return x


def _dense(graph: Graph, x: str, layer: Any, shape: Shape) -> str:
    weights = _weights(layer)
    kernel, bias = graph.numbers(weights["kernel"]), weights.get("bias")
    if len(shape) == 2:
        y = graph.add("Gemm", x, kernel, *([] if bias is None else [graph.numbers(bias)]))
    else:
        y = _affine(graph, graph.add("MatMul", x, kernel), None, bias)
    return add_activation(graph, y, layer.get_config()["activation"], f"layer {layer.name!r}")


def _activation(graph: Graph, x: str, layer: Any, shape: Shape) -> str:
    return add_activation(graph, x, layer.get_config()["activation"], f"layer {layer.name!r}")


def _reshaped(graph: Graph, x: str, layer: Layer, shape: Shape) -> str:
    sizes = [size for size in layer.compute_output_shape(shape)[1:] if size is not None]
    return graph.add("Reshape", x, graph.integers([-1, *sizes]))


def _rescaling(graph: Graph, x: str, layer: Any, shape: Shape) -> str:
    return _affine(graph, x, layer.scale, layer.offset)


def _softmax(graph: Graph, x: str, layer: Any, shape: Shape) -> str:
    axis = layer.get_config().get("axis", -1)
    if isinstance(axis, (list, tuple)):
        if len(axis) != 1:
            raise ValueError(f"export: layer {layer.name!r}: axis: expected one for ONNX, got {axis}")
        axis = axis[0]
    return graph.add("Softmax", x, axis=int(axis))


def _relu(graph: Graph, x: str, layer: Any, shape: Shape) -> str:
    config = layer.get_config()
    threshold, slope = float(config["threshold"]), float(config["negative_slope"])
    limit = graph.numbers(threshold)
    y = graph.add("Where", graph.add("Greater", x, limit), x, graph.numbers(0.0))
    if config["max_value"] is not None:
        y = graph.add("Min", y, graph.numbers(float(config["max_value"])))
    if slope:
        below = graph.add("Min", graph.add("Sub", x, limit), graph.numbers(0.0))
        y = graph.add("Add", y, graph.add("Mul", below, graph.numbers(slope)))
    return y


def _leaky_relu(graph: Graph, x: str, layer: Any, shape: Shape) -> str:
    return graph.add("LeakyRelu", x, alpha=float(layer.get_config()["negative_slope"]))


def _elu(graph: Graph, x: str, layer: Any, shape: Shape) -> str:
    return graph.add("Elu", x, alpha=float(layer.get_config()["alpha"]))


def _prelu(graph: Graph, x: str, layer: Any, shape: Shape) -> str:
    return graph.add("PRelu", x, graph.numbers(_weights(layer)["alpha"]))


def _batch_normalization(graph: Graph, x: str, layer: Any, shape: Shape) -> str:
    weights, config = _weights(layer), layer.get_config()
    mean, variance = (np.float64(weights[f"moving_{name}"]) for name in ("mean", "variance"))
    scale = weights.get("gamma", 1.0) / np.sqrt(variance + config["epsilon"])
    offset = weights.get("beta", 0.0) - mean * scale
    sizes = [1] * len(shape)
    sizes[config["axis"]] = -1
    return _affine(graph, x, scale.reshape(sizes), offset.reshape(sizes))


def _normalized(graph: Graph, x: str, axes: Sequence[int], epsilon: float, kind: str) -> str:
    """x over the root of its mean square along the axes; as "standard" both are of x less its mean, as
    "deviation" only that mean square is.
    """
    along = graph.integers(axes)
    centered = x
    if kind != "root_mean_square":
        centered = graph.add("Sub", x, graph.add("ReduceMean", x, along, keepdims=1))
    square = graph.add("ReduceMean", graph.add("Mul", centered, centered), along, keepdims=1)
    root = graph.add("Sqrt", graph.add("Add", square, graph.numbers(epsilon)))
    return graph.add("Div", x if kind == "deviation" else centered, root)


def _layer_normalization(graph: Graph, x: str, layer: Any, shape: Shape) -> str:
    config, weights = layer.get_config(), _weights(layer)
    axis = config["axis"]
    axes = sorted(a % len(shape) for a in (axis if isinstance(axis, (list, tuple)) else [axis]))
    kind = "deviation" if config["rms_scaling"] else "standard"
    y = _normalized(graph, x, axes, config["epsilon"], kind)
    sizes = [size if a in axes else 1 for a, size in enumerate(shape)]
    scale, offset = weights.get("gamma"), weights.get("beta")
    return _affine(
        graph,
        y,
        None if scale is None else scale.reshape(sizes),
        None if offset is None else offset.reshape(sizes),
    )


def _rms_normalization(graph: Graph, x: str, layer: Any, shape: Shape) -> str:
    config, weights = layer.get_config(), _weights(layer)
    axis = config["axis"]
    axes = sorted(a % len(shape) for a in (axis if isinstance(axis, (list, tuple)) else [axis]))
    sizes = [size if a in axes else 1 for a, size in enumerate(shape)]
    y = _normalized(graph, x, axes, config["epsilon"], "root_mean_square")
    scale = next(iter(weights.values()), None)
    return _affine(graph, y, None if scale is None else scale.reshape(sizes), None)


def _group_normalization(graph: Graph, x: str, layer: Any, shape: Shape) -> str:
    config, weights = layer.get_config(), _weights(layer)
    channels = shape[-1] or 0
    if config["axis"] not in (-1, len(shape) - 1):
        raise ValueError(f"export: layer {layer.name!r}: axis: expected the last one, got {config['axis']}")
    groups = channels if config["groups"] == -1 else config["groups"]
    middle = [size or 0 for size in shape[1:-1]]
    y = graph.add("Reshape", x, graph.integers([-1, *middle, groups, channels // groups]))
    axes = [*range(1, 1 + len(middle)), len(shape)]
    y = _normalized(graph, y, axes, config["epsilon"], "standard")
    y = graph.add("Reshape", y, graph.integers([-1, *middle, channels]))
    return _affine(graph, y, weights.get("gamma"), weights.get("beta"))


def _unit_normalization(graph: Graph, x: str, layer: Any, shape: Shape) -> str:
    axis = layer.get_config()["axis"]
    along = graph.integers(list(axis) if isinstance(axis, (list, tuple)) else [axis])
    square = graph.add("ReduceSum", graph.add("Mul", x, x), along, keepdims=1)
    # Keras bounds 1 / norm by 1e12, which bounds the square.
    return graph.add("Div", x, graph.add("Sqrt", graph.add("Max", square, graph.numbers(1e-24))))


def _normalization(graph: Graph, x: str, layer: Any, shape: Shape) -> str:
    mean, variance = (np.float64(_value(value)) for value in (layer.mean, layer.variance))
    deviation = np.maximum(np.sqrt(variance), 1e-7)
    if layer.get_config().get("invert"):
        return _affine(graph, x, deviation, mean)
    centered = graph.add("Sub", x, graph.numbers(mean))
    return graph.add("Div", centered, graph.numbers(deviation))


LAYERS: dict[str, Callable[[Graph, str, Any, Shape], str]] = {
    "Activation": _activation,
    "ActivityRegularization": _same,
    "AlphaDropout": _same,
    "BatchNormalization": _batch_normalization,
    "Dense": _dense,
    "Dropout": _same,
    "ELU": _elu,
    "Flatten": _reshaped,
    "GaussianDropout": _same,
    "GaussianNoise": _same,
    "GroupNormalization": _group_normalization,
    "Identity": _same,
    "LayerNormalization": _layer_normalization,
    "LeakyReLU": _leaky_relu,
    "Normalization": _normalization,
    "PReLU": _prelu,
    "RMSNormalization": _rms_normalization,
    "ReLU": _relu,
    "Rescaling": _rescaling,
    "Reshape": _reshaped,
    "Softmax": _softmax,
    "UnitNormalization": _unit_normalization,
}
