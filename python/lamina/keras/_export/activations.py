"""Activations in ONNX, by their names in Keras; arguments are Keras's defaults."""

from __future__ import annotations

from collections.abc import Callable

from lamina.keras._export.graph import Graph

_SELU = {"alpha": 1.6732632423543772, "gamma": 1.0507009873554805}


def _hard_sigmoid(graph: Graph, x: str) -> str:  # relu6(x + 3) / 6
    clipped = _clipped(graph, graph.add("Add", x, graph.numbers(3.0)), 0.0, 6.0)
    return graph.add("Div", clipped, graph.numbers(6.0))


def _clipped(graph: Graph, x: str, low: float, high: float) -> str:
    return graph.add("Clip", x, graph.numbers(low), graph.numbers(high))


def _times(function: Callable[[Graph, str], str]) -> Callable[[Graph, str], str]:
    """x f(x)."""
    return lambda graph, x: graph.add("Mul", x, function(graph, x))


def _plain(kind: str, **attributes: float) -> Callable[[Graph, str], str]:
    return lambda graph, x: graph.add(kind, x, **attributes)


def _gelu(graph: Graph, x: str) -> str:  # x (1 + erf(x / sqrt 2)) / 2
    erf = graph.add("Erf", graph.add("Mul", x, graph.numbers(0.5**0.5)))
    half = graph.add("Mul", x, graph.numbers(0.5))
    return graph.add("Mul", half, graph.add("Add", erf, graph.numbers(1.0)))


def _log_sigmoid(graph: Graph, x: str) -> str:  # -softplus(-x)
    return graph.add("Neg", graph.add("Softplus", graph.add("Neg", x)))


def _squareplus(graph: Graph, x: str) -> str:  # (x + sqrt(x^2 + 4)) / 2
    root = graph.add("Sqrt", graph.add("Add", graph.add("Mul", x, x), graph.numbers(4.0)))
    return graph.add("Mul", graph.add("Add", x, root), graph.numbers(0.5))


def _sparse_sigmoid(graph: Graph, x: str) -> str:  # (x + 1) / 2 within [-1, 1]
    half = graph.add("Mul", _clipped(graph, x, -1.0, 1.0), graph.numbers(0.5))
    return graph.add("Add", half, graph.numbers(0.5))


def _softplus_tanh(graph: Graph, x: str) -> str:
    return graph.add("Tanh", graph.add("Softplus", x))


def _tanh_shrink(graph: Graph, x: str) -> str:
    return graph.add("Sub", x, graph.add("Tanh", x))


ACTIVATIONS: dict[str, Callable[[Graph, str], str]] = {
    "celu": _plain("Celu", alpha=1.0),
    "elu": _plain("Elu", alpha=1.0),
    "exponential": _plain("Exp"),
    "gelu": _gelu,
    "hard_shrink": _plain("Shrink", lambd=0.5, bias=0.0),
    "hard_sigmoid": _hard_sigmoid,
    "hard_silu": _times(_hard_sigmoid),
    "hard_swish": _times(_hard_sigmoid),
    "hard_tanh": lambda graph, x: _clipped(graph, x, -1.0, 1.0),
    "leaky_relu": _plain("LeakyRelu", alpha=0.2),
    "linear": lambda graph, x: x,
    "log_sigmoid": _log_sigmoid,
    "log_softmax": _plain("LogSoftmax", axis=-1),
    "mish": _times(_softplus_tanh),
    "relu": _plain("Relu"),
    "relu6": lambda graph, x: _clipped(graph, x, 0.0, 6.0),
    "selu": _plain("Selu", **_SELU),
    "sigmoid": _plain("Sigmoid"),
    "silu": _times(_plain("Sigmoid")),
    "soft_shrink": _plain("Shrink", lambd=0.5, bias=0.5),
    "softmax": _plain("Softmax", axis=-1),
    "softplus": _plain("Softplus"),
    "softsign": _plain("Softsign"),
    "sparse_sigmoid": _sparse_sigmoid,
    "squareplus": _squareplus,
    "swish": _times(_plain("Sigmoid")),
    "tanh": _plain("Tanh"),
    "tanh_shrink": _tanh_shrink,
}


def add_activation(graph: Graph, x: str, name: object, where: str) -> str:
    """Add an activation by name.

    Raises:
        ValueError: there is none of this name in ONNX's operators.
    """
    if not isinstance(name, str) or name not in ACTIVATIONS:
        raise ValueError(f"export: {where}: expected one of {', '.join(ACTIVATIONS)} for ONNX, got {name!r}")
    return ACTIVATIONS[name](graph, x)
