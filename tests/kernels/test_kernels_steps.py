"""One step of each optimizer, from a state in the kernel's precision, against the formula in a wider one."""

import numpy as np
import pytest
from kernel_bounds import assert_within, unit
from numpy_oracle import adagrad, adam, rmsprop, sgd, wide

from lamina import _core

pytestmark = pytest.mark.usefixtures("isa")

SIZES = (*range(1, 68), 127, 128, 129, 255, 256, 257, 1023, 1024, 1025)


def run(call, exact, names, dtype, start, cond=1.0):
    """Three steps of `call` on arrays of every size; each is compared with `exact` from the state before it.

    A step is made of at most a dozen operations on terms no larger than the state, the gradient and the step
    itself; the square root and the division pass relative errors on. `cond` is how much a difference of
    squares enlarges them.
    """
    rng = np.random.default_rng(7)
    for size in SIZES:
        block = {name: np.full(size + 128, 7, dtype) for name in names}
        state = {name: b[64 : 64 + size] for name, b in block.items()}
        for name in names:
            state[name][:] = start(name, rng, size)
        for count in (1, 2, 3):
            dw = rng.standard_normal(size).astype(dtype)
            before = {name: wide(a) for name, a in state.items()}
            expected = exact(wide(dw), count, **before)
            call(dw, count, **state)
            for name in names:
                change = np.abs(expected[name] - before[name])
                size_of_terms = np.abs(before[name]) + 12 * cond * (change + np.abs(expected[name]))
                if name != "w":
                    size_of_terms = size_of_terms + 4 * (np.abs(wide(dw)) + wide(dw) ** 2)
                assert_within(state[name], expected[name], 2 * unit(dtype) * size_of_terms, dtype)
        for b in block.values():
            assert (b[:64] == 7).all()
            assert (b[64 + size :] == 7).all()


def signed(name, rng, size):
    return rng.standard_normal(size)


def mixed(name, rng, size):
    return rng.standard_normal(size) if name in ("w", "m", "momentum_slot") else rng.uniform(0.5, 1, size)


def test_sgd(dtype):
    def call(dw, count, w):
        _core.sgd_step(w, dw, 0.03, 0.0, None, False)

    run(call, lambda dw, count, w: sgd(w, dw, 0.03), ["w"], dtype, signed)


@pytest.mark.parametrize("nesterov", [False, True])
def test_sgd_with_momentum(nesterov, dtype):
    def call(dw, count, w, velocity):
        _core.sgd_step(w, dw, 0.03, 0.9, velocity, nesterov)

    def exact(dw, count, w, velocity):
        return sgd(w, dw, 0.03, 0.9, velocity, nesterov)

    run(call, exact, ["w", "velocity"], dtype, signed)


@pytest.mark.parametrize("momentum", [0.0, 0.8])
@pytest.mark.parametrize("centered", [False, True])
def test_rmsprop(momentum, centered, dtype):
    names = ["w", "velocity"] + ["momentum_slot"] * bool(momentum) + ["average_gradient"] * centered

    def call(dw, count, w, velocity, momentum_slot=None, average_gradient=None):
        _core.rmsprop_step(w, dw, 0.01, velocity, 0.9, 1e-7, momentum, momentum_slot, average_gradient)

    def exact(dw, count, w, velocity, momentum_slot=None, average_gradient=None):
        return rmsprop(w, dw, 0.01, velocity, 0.9, 1e-7, momentum, momentum_slot, average_gradient)

    def start(name, rng, size):
        return rng.uniform(-0.3, 0.3, size) if name == "average_gradient" else mixed(name, rng, size)

    # velocity >= 0.36 and the average's square <= (0.27 + 0.1 |dw|)^2 while velocity gains 0.1 dw^2: at most
    # 4 is lost
    run(call, exact, names, dtype, start, cond=4.0 if centered else 1.0)


def test_adagrad(dtype):
    def call(dw, count, w, accumulator):
        _core.adagrad_step(w, dw, 0.01, accumulator, 1e-7)

    def exact(dw, count, w, accumulator):
        return adagrad(w, dw, 0.01, accumulator)

    run(call, exact, ["w", "accumulator"], dtype, mixed)


@pytest.mark.parametrize("amsgrad", [False, True])
@pytest.mark.parametrize("first", [1, 1000])
def test_adam(amsgrad, first, dtype):
    def call(dw, count, w, m, v, vhat=None):
        _core.adam_step(w, dw, 0.01, m, v, count + first - 1, 0.9, 0.999, 1e-7, vhat)

    def exact(dw, count, w, m, v, vhat=None):
        return adam(w, dw, 0.01, m, v, count + first - 1, 0.9, 0.999, 1e-7, vhat, dtype)

    run(call, exact, ["w", "m", "v"] + ["vhat"] * amsgrad, dtype, mixed)


@pytest.mark.parametrize("step", ["sgd", "rmsprop", "adagrad", "adam"])
def test_nan_gradient_reaches_the_weight_and_only_that_one(step, dtype):
    for size in (1, 9, 33):
        w, dw, a, b = np.ones((4, size), dtype)
        dw[size // 2] = np.nan
        numbers = {
            "sgd": (0.0, None, False),
            "rmsprop": (a, 0.9, 1e-7, 0.0, None, None),
            "adagrad": (a, 1e-7),
            "adam": (a, b, 1, 0.9, 0.999, 1e-7, None),
        }
        getattr(_core, step + "_step")(w, dw, 0.1, *numbers[step])
        assert np.isnan(w[size // 2])
        assert np.isfinite(np.delete(w, size // 2)).all()


def test_zero_gradient_and_empty_slots_stay_put(dtype):
    """0 / sqrt(0 + epsilon) is 0: an unused weight must not drift or turn into NaN."""
    zero = [np.zeros(37, dtype) for _ in range(4)]
    w = np.ones(37, dtype)
    _core.rmsprop_step(w, zero[0], 0.1, zero[1], 0.9, 1e-7, 0.0, None, None)
    _core.adagrad_step(w, zero[0], 0.1, zero[1], 1e-7)
    _core.adam_step(w, zero[0], 0.1, zero[2], zero[3], 1, 0.9, 0.999, 1e-7, None)
    _core.sgd_step(w, zero[0], 0.1, 0.9, zero[1], True)
    np.testing.assert_array_equal(w, 1)
