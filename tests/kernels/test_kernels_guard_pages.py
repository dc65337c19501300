"""No kernel reads or writes past an array's ends: the arrays stand against pages that may not be touched.

A stray access ends the process, so each run is a process of its own.
"""

import subprocess
import sys
from textwrap import dedent

import pytest

PREAMBLE = """
import ctypes, mmap, sys
import numpy as np
from lamina import _core

PAGE = mmap.PAGESIZE
libc = ctypes.CDLL(None, use_errno=True)
libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
_core.set_isa(sys.argv[1])
kept = []

def guarded(shape, dtype, at_end, fill=0.25):
    count = int(np.prod(shape))
    size = count * np.dtype(dtype).itemsize
    pages = -(-size // PAGE)
    memory = mmap.mmap(-1, (pages + 2) * PAGE)
    start = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    kept.append(memory)
    offset = (pages + 1) * PAGE - size if at_end else PAGE
    array = np.frombuffer(memory, dtype, count=count, offset=offset).reshape(shape)
    array[...] = fill
    for guard in (start, start + (pages + 1) * PAGE):
        assert libc.mprotect(guard, PAGE, 0) == 0
    return array
"""

PROGRAM = """
LOSSES = ("mean_squared_error", "binary_crossentropy", "categorical_crossentropy")
for dtype in (np.float32, np.float64):
    for at_end in (True, False):
        for n in (1, 2, 3, 5, 7, 8, 9, 15, 16, 17, 31, 33, 63, 65, 67):
            x, y = guarded(n, dtype, at_end), guarded(n, dtype, at_end)
            out, slots = guarded(n, dtype, at_end), [guarded(n, dtype, at_end) for _ in range(3)]
            rows = guarded(1, dtype, at_end)
            labels = guarded(1, np.int64, at_end, 0)
            for name in ("linear", "relu", "sigmoid", "tanh", "exp", "softmax"):
                _core.activation(name, x, out)
                _core.activation_grad(name, x, y, out)
            for name in ("gelu", "elu", "mish", "log_softmax", "sparsemax", "softmax"):
                _core.nonlinearity("cpu", name, (1.0,), x, y)
                _core.nonlinearity_grad("cpu", name, (1.0,), x, y, y, out)
            halves = [guarded(n, dtype, at_end) for _ in range(2)]
            pairs = [guarded(2 * n, dtype, at_end) for _ in range(2)]
            _core.nonlinearity("cpu", "glu", (), pairs[0], halves[0])
            _core.nonlinearity_grad("cpu", "glu", (), pairs[0], halves[0], halves[1], pairs[1])
            _core.nonlinearity("cpu", "softmax", (), pairs[0], pairs[1], n)
            _core.nonlinearity_grad("cpu", "softmax", (), pairs[0], pairs[1], pairs[1], pairs[0], n)
            for from_logits in (False, True):
                for kind in LOSSES:
                    one = (x.reshape(1, n), y.reshape(1, n))
                    _core.loss(kind, *one, from_logits)
                    _core.loss_rows(kind, *one, from_logits, rows)
                    _core.loss_grad(kind, *one, from_logits, out.reshape(1, n))
                one = ("sparse_categorical_crossentropy", labels, x.reshape(1, n), from_logits)
                _core.loss_grad(*one, out.reshape(1, n))
            _core.sgd_step(x, y, 0.1, 0.9, slots[0], True)
            _core.rmsprop_step(x, y, 0.1, slots[0], 0.9, 1e-7, 0.5, slots[1], slots[2])
            _core.adagrad_step(x, y, 0.1, slots[0], 1e-7)
            _core.adam_step(x, y, 0.1, slots[0], slots[1], 1, 0.9, 0.999, 1e-7, slots[2])
            _core.random_uniform(out, 1, 0, 0.0, 1.0)
            _core.random_normal(out, 1, 0, 0.0, 1.0, True)
        for n, k, m in ((1, 1, 1), (3, 5, 7), (8, 16, 4), (9, 17, 33), (13, 31, 15), (33, 3, 67), (65, 9, 2)):
            a, b, out = (guarded(shape, dtype, at_end) for shape in ((n, k), (k, m), (n, m)))
            a_t, b_t = (guarded(shape, dtype, at_end).T for shape in ((k, n), (m, k)))
            bias, dx, dw, db = (guarded(shape, dtype, at_end) for shape in (m, (n, k), (k, m), m))
            for left in (a, a_t):
                for right in (b, b_t):
                    _core.matmul(left, right, out)
            for name in ("linear", "relu", "sigmoid", "tanh", "softmax"):
                _core.dense(a, b, bias, name, out)
            _core.dense_grad(a, b, out, dx, dw, db)
        kinds = (_core.Network32, _core.Trainer32, _core.Optimizer32)
        if dtype == np.float64:
            kinds = (_core.Network64, _core.Trainer64, _core.Optimizer64)
        for n, k in ((70, 3), (70, 16), (70, 30), (70, 67), (16, 30)):
            for m in (6, 10, 40):
                for x in (guarded((n, k), dtype, at_end), guarded((n, k), np.uint8, at_end, 1)):
                    network = kinds[0](k)
                    network.add_dense(1, k, m, "relu", True)
                    network.build()
                    loss = ("mean_squared_error", False, 0.0, "sum_over_batch_size", [])
                    trainer = kinds[1](network, kinds[2]("sgd", 0.1), *loss)
                    trainer.begin_epoch(_core.Dataset(x, guarded((n, m), dtype, at_end)), n, False, 0, 0)
                    trainer.train(0, 1)
"""


def run_guarded(isa: str, program: str) -> None:
    """Run a program that makes its arrays with `guarded(…)`, in a process of its own."""
    text = PREAMBLE + dedent(program) + "print('whole')\n"
    run = subprocess.run([sys.executable, "-c", text, isa], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip() == "whole"


@pytest.mark.skipif(sys.platform != "linux", reason="mprotect through ctypes is written for Linux")
def test_nothing_is_touched_beyond_the_ends(isa):
    run_guarded(isa, PROGRAM)
