"""Calls of every function of `lamina.ops` with arguments that fit it, and the layouts an array may have."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lamina import ops

Array = npt.NDArray[Any]


class Case(NamedTuple):
    """A function, the shapes of its arrays (values are drawn from (0.05, 0.95)), and its other arguments."""

    call: Callable[..., Any]
    shapes: dict[str, tuple[int, ...]]
    others: dict[str, Any] = {}  # noqa: RUF012  (never changed)
    labels: int = 0  # if not 0: y_true holds labels of so many classes

    def arguments(self, dtype: npt.DTypeLike, seed: int = 3) -> dict[str, Array]:
        rng = np.random.default_rng(seed)
        arrays = {name: rng.uniform(0.05, 0.95, shape).astype(dtype) for name, shape in self.shapes.items()}
        if "average_gradient" in arrays:  # its square must stay below the velocity
            arrays["average_gradient"] *= 0.05
        if self.labels:
            arrays["y_true"] = rng.integers(0, self.labels, self.shapes["y_true"])
        return arrays


LOSSES = (
    ops.mean_squared_error,
    ops.binary_crossentropy,
    ops.categorical_crossentropy,
    ops.sparse_categorical_crossentropy,
)
PURE = {
    "matmul": Case(ops.matmul, {"a": (5, 7), "b": (7, 3)}),
    "matmul of transposes": Case(
        ops.matmul, {"a": (7, 5), "b": (3, 7)}, {"transpose_a": True, "transpose_b": True}
    ),
    "dense": Case(ops.dense, {"x": (5, 7), "w": (7, 3), "b": (3,)}, {"activation": "tanh"}),
    "dense rank 3": Case(ops.dense, {"x": (2, 5, 7), "w": (7, 3)}, {"activation": "softmax"}),
    "dense_grad": Case(ops.dense_grad, {"x": (5, 7), "w": (7, 3), "dy": (5, 3)}),
    "dense_grad rank 3": Case(ops.dense_grad, {"x": (2, 5, 7), "w": (7, 3), "dy": (2, 5, 3)}),
}
for _name in ("sigmoid", "tanh", "relu", "softmax"):
    PURE[_name] = Case(getattr(ops, _name), {"x": (6, 9)})
    PURE[_name + "_grad"] = Case(getattr(ops, _name + "_grad"), {"y": (6, 9), "dy": (6, 9)})
for _name in ("mean_squared_error", "binary_crossentropy", "categorical_crossentropy"):
    for _logits in (False, True):
        if _logits and _name == "mean_squared_error":
            continue
        for _call in (_name, _name + "_grad"):
            PURE[f"{_call} {'from logits' * _logits}".strip()] = Case(
                getattr(ops, _call), {"y_true": (6, 9), "y_pred": (6, 9)}, {"from_logits": _logits}
            )
for _logits in (False, True):
    for _call in ("sparse_categorical_crossentropy", "sparse_categorical_crossentropy_grad"):
        PURE[f"{_call} {'from logits' * _logits}".strip()] = Case(
            getattr(ops, _call), {"y_true": (6,), "y_pred": (6, 9)}, {"from_logits": _logits}, labels=9
        )

# all but dense_grad, which returns three arrays, and the losses, which return a number
WITH_OUT = {name: case for name, case in PURE.items() if case.call not in (ops.dense_grad, *LOSSES)}
STEPS = {
    "sgd_step": Case(ops.sgd_step, {"w": (6, 9), "dw": (6, 9)}, {"lr": 0.1}),
    "sgd_step with momentum": Case(
        ops.sgd_step,
        {"w": (6, 9), "dw": (6, 9), "velocity": (6, 9)},
        {"lr": 0.1, "momentum": 0.9, "nesterov": True},
    ),
    "rmsprop_step": Case(ops.rmsprop_step, {"w": (6, 9), "dw": (6, 9), "velocity": (6, 9)}, {"lr": 0.1}),
    "rmsprop_step with momentum": Case(
        ops.rmsprop_step,
        dict.fromkeys(("w", "dw", "velocity", "momentum_slot", "average_gradient"), (6, 9)),
        {"lr": 0.1, "momentum": 0.5},
    ),
    "adagrad_step": Case(ops.adagrad_step, {"w": (6, 9), "dw": (6, 9), "accumulator": (6, 9)}, {"lr": 0.1}),
    "adam_step": Case(ops.adam_step, dict.fromkeys(("w", "dw", "m", "v"), (6, 9)), {"lr": 0.1, "step": 3}),
    "adam_step with vhat": Case(
        ops.adam_step, dict.fromkeys(("w", "dw", "m", "v", "vhat"), (6, 9)), {"lr": 0.1, "step": 3}
    ),
}


def _strided(array: Array) -> Array:
    block = np.full([2 * n + 1 for n in array.shape], 99, array.dtype)
    view = block[tuple(slice(1, None, 2) for _ in array.shape)]
    view[...] = array
    return view


def _reversed(array: Array) -> Array:
    backwards = tuple(slice(None, None, -1) for _ in array.shape)
    return array[backwards].copy()[backwards]


def _read_only(array: Array) -> Array:
    array = array.copy()
    array.flags.writeable = False
    return array


def _unaligned(array: Array) -> Array:
    memory = np.zeros(array.nbytes + 1, np.uint8)[1:]
    view = memory.view(array.dtype).reshape(array.shape)
    view[...] = array
    assert not view.flags.aligned
    return view


def _part_of_rows(array: Array) -> Array:
    block = np.full((*array.shape[:-1], array.shape[-1] + 3), 99, array.dtype)
    block[..., 1:-2] = array
    return block[..., 1:-2]


LAYOUTS: dict[str, Callable[[Array], Array]] = {
    "Fortran": np.asfortranarray,
    "strided": _strided,
    "reversed": _reversed,
    "part of rows": _part_of_rows,
    "read-only": _read_only,
    "unaligned": _unaligned,
    "big-endian": lambda array: array.astype(array.dtype.newbyteorder(">")),
    "little-endian": lambda array: array.astype(array.dtype.newbyteorder("<")),
    "matrix of lists": lambda array: array.tolist() if array.dtype != np.float32 else array,
}


def bits(result: Any) -> bytes:
    """Everything a call returned, as bytes."""
    if isinstance(result, tuple):
        return b"".join(map(bits, result))
    return np.asarray(result).tobytes()
