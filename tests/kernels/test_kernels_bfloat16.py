"""mixed_bfloat16's products on every instruction set, against float64 products of the rounded factors."""

import sys

import numpy as np
import pytest
from bfloat16_oracle import half_a_unit, rounded
from tolerances import rounding

from lamina import _core, config

pytestmark = pytest.mark.usefixtures("isa")

# Round the edges of tiles (16 by 32), blocks (32), panels (64), and of what is cut for the threads (256) and
# along the depth (512).
EDGES = (1, 2, 15, 16, 17, 31, 32, 33, 63, 64, 65)
SIZES = [
    *((edge, 33, 17) for edge in EDGES),
    *((17, edge, 33) for edge in EDGES),
    *((33, 17, edge) for edge in EDGES),
    (257, 40, 70),
    (40, 70, 257),
    (70, 513, 40),
    (3, 1100, 300),
    (520, 5, 3),
    (5, 1030, 40),
]
ACTIVATIONS = ("linear", "relu", "sigmoid", "tanh", "exp", "softmax")


def normal(rng, *shape):
    return rng.normal(size=shape).astype(np.float32)


def check(got, left, right, what, added=0.0, of=lambda z: z, slope=1.0):
    """`got` is the rounded f(left right + added) of float64 factors; float sums on the way there."""
    exact = left @ right + added
    sums = rounding(np.float32, left.shape[1] + 1) * (np.abs(left) @ np.abs(right) + np.abs(added))
    error = np.abs(got - of(exact))
    assert np.array_equal(rounded(got), got), f"{what}: not bfloat16"
    allowed = half_a_unit(of(exact)) + 1.01 * slope * sums + 1e-37  # products drop subnormal numbers
    assert (error <= allowed).all(), f"{what}: off by {error.max():.3g}"


@pytest.mark.parametrize(("rows", "inputs", "units"), SIZES)
def test_products(rng, rows, inputs, units):
    x, w, b = normal(rng, rows, inputs), normal(rng, units, inputs), normal(rng, units)
    dz = rounded(normal(rng, rows, units))
    exact_x, exact_w, exact_b, exact_dz = (rounded(a).astype(np.float64) for a in (x, w, b, dz))
    check(_core.bfloat16_dense("cpu", x, w, None, "linear"), exact_x, exact_w.T, "x wT")
    check(_core.bfloat16_dense("cpu", x, w, b, "linear"), exact_x, exact_w.T, "x wT + b", exact_b)
    positive = _core.bfloat16_dense("cpu", x, w, b, "relu")
    check(positive, exact_x, exact_w.T, "relu", exact_b, lambda z: np.maximum(z, 0))
    dw, db, dx = _core.bfloat16_dense_gradient("cpu", x, w, dz)
    check(dw, exact_dz.T, exact_x, "dw")
    check(dx, exact_dz, exact_w, "dx")
    total = np.zeros(units, np.float32)
    for row in dz:
        total = rounded(total + row)
    np.testing.assert_array_equal(db, total)


@pytest.mark.parametrize(("name", "of", "slope"), [("sigmoid", None, 0.25), ("tanh", np.tanh, 1.0)])
def test_bias_and_activation_are_one_rounding(rng, name, of, slope):
    x, w, b = normal(rng, 40, 70), 0.2 * normal(rng, 50, 70), normal(rng, 50)
    got = _core.bfloat16_dense("cpu", x, w, b, name)
    of = of or (lambda z: 1 / (1 + np.exp(-z)))
    factors = (rounded(a).astype(np.float64) for a in (x, w.T))
    check(got, *factors, name, rounded(b).astype(np.float64), of, slope)


def test_without_a_bias_the_activation_is_an_operation_of_its_own(rng):
    x, w = normal(rng, 40, 70), 0.2 * normal(rng, 50, 70)
    z = _core.bfloat16_dense("cpu", x, w, None, "linear")
    e = rounded(np.exp(z.astype(np.float64)))
    y = _core.bfloat16_dense("cpu", x, w, None, "sigmoid")
    # The exponential is within 2 units of float32, which may decide a tie differently: rarely.
    assert np.mean(y == rounded(e.astype(np.float64) / rounded(1 + e))) > 0.999
    t = _core.bfloat16_dense("cpu", x, w, None, "tanh")
    assert np.mean(t == rounded(np.tanh(z.astype(np.float64)))) > 0.999


@pytest.mark.parametrize("columns", [1, 7, 10, 16, 33, 100])
def test_softmax(rng, columns):
    x, w, b = normal(rng, 40, 30), normal(rng, columns, 30), normal(rng, columns)
    z = _core.bfloat16_dense("cpu", x, w, b, "linear").astype(np.float64)
    e = np.exp(z - z.max(1, keepdims=True))
    exact = e / e.sum(1, keepdims=True)
    got = _core.bfloat16_dense("cpu", x, w, b, "softmax")
    assert (np.abs(got - exact) <= half_a_unit(exact) + 16 * rounding(np.float32, columns) * exact).all()


def gradient_step_by_step(name, y, dy):
    d = rounded(dy)
    if name == "linear":
        return d
    if name == "relu":
        return d * (y > 0)
    if name == "exp":
        return rounded(d * y)
    if name == "sigmoid":
        return rounded(d * rounded(y * rounded(1 - y)))
    if name == "tanh":
        return rounded(d * rounded(1 - rounded(y * y)))
    total = rounded(rounded(y * d).astype(np.float64).sum(1, keepdims=True))
    return rounded(rounded(d - total) * y)


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("columns", [1, 5, 16, 37])
def test_activation_gradients_round_after_each_operation(rng, name, columns):
    y, dy = rounded(rng.uniform(0, 1, (64, columns))), normal(rng, 64, columns)
    got = _core.bfloat16_activation_gradient("cpu", name, y, dy)
    np.testing.assert_array_equal(got, gradient_step_by_step(name, y, dy))


def cast(x):
    network = _core.Network32(x.shape[1], "cpu")
    network.add_bfloat16_cast(x.shape[1])
    network.build()
    return network.predict(x, len(x))


def test_rounding(rng):
    tie_down, tie_up = 1 + 2.0**-8, 1 + 3 * 2.0**-8
    assert cast(np.float32([[tie_down, tie_up, -tie_down, 257, 259]])).tolist() == [
        [1, 1 + 2.0**-6, -1, 256, 260]
    ]
    largest = np.float32(255 * 2.0**120)
    beyond = np.nextafter(np.float32(255.5 * 2.0**120), np.float32(np.inf))
    special = np.float32(
        [[np.inf, -np.inf, -0.0, 0.0, largest, beyond, 2.0**-149, -(2.0**-126), 1.5 * 2.0**-133]]
    )
    got = cast(special)
    np.testing.assert_array_equal(got, rounded(special))
    assert np.signbit(got[0, 2])
    assert got[0, 4] == largest
    assert np.isinf(got[0, 5])
    payloads = np.uint32([0x7F800001, 0xFFFFFFFF, 0x7FC00000, 0xFF80FFFF]).view(np.float32)
    assert np.isnan(cast(payloads.reshape(1, -1))).all()
    every = rng.integers(0, 2**32, 200_000, np.uint32).view(np.float32)
    every = every[~np.isnan(every)].reshape(1, -1)
    np.testing.assert_array_equal(cast(every), rounded(every))


def test_sigmoid_far_out():
    z = np.float32([[1e4, 100, 89, 88, 20, -20, -88, -1e4, np.inf, -np.inf, np.nan]])
    network = _core.Network32(z.shape[1], "cpu")
    network.add_bfloat16_activation(1, z.shape[1], "sigmoid")
    network.build()
    got = network.predict(z, 1)[0]
    assert got[[0, 1, 2, 3, 4, 8]].tolist() == [1] * 6
    assert np.isclose(got[5], np.exp(-20), rtol=2**-7)
    assert got[[7, 9]].tolist() == [0, 0]
    assert np.isnan(got[10])


def test_nan_and_infinity_stay_in_their_row_and_column(rng):
    x, w, dz = normal(rng, 40, 70), normal(rng, 50, 70), rounded(normal(rng, 40, 50))
    x[7, 3] = np.nan
    x[9, 69] = np.inf
    with np.errstate(invalid="ignore"):
        y = _core.bfloat16_dense("cpu", x, w, None, "relu")
        dw, _, dx = _core.bfloat16_dense_gradient("cpu", x, w, dz)
    assert np.isnan(y[7]).all()
    assert np.isfinite(np.delete(y, [7, 9], axis=0)).all()
    np.testing.assert_array_equal(y[9], np.where(w[:, 69] > 0, np.inf, 0))
    assert np.isnan(dw[:, 3]).all()
    assert np.isinf(dw[:, 69]).all()
    assert np.isfinite(np.delete(dw, [3, 69], axis=1)).all()
    assert np.isfinite(dx).all()


def test_threads_and_batches_do_not_change_bits(rng):
    x, w, b = normal(rng, 300, 600), normal(rng, 330, 600), normal(rng, 330)
    dz = rounded(normal(rng, 300, 330))
    before = config.get_num_threads()
    results = []
    try:
        for threads in (1, 2, 3, 5):
            config.set_num_threads(threads)
            y = _core.bfloat16_dense("cpu", x, w, b, "tanh")
            results.append(
                b"".join(a.tobytes() for a in (y, *_core.bfloat16_dense_gradient("cpu", x, w, dz)))
            )
    finally:
        config.set_num_threads(before)
    assert len(set(results)) == 1
    for first, last in ((0, 1), (0, 17), (130, 163), (299, 300)):
        part = _core.bfloat16_dense("cpu", x[first:last], w, b, "tanh")
        np.testing.assert_array_equal(part, y[first:last])


def test_the_reference_backend_agrees(rng):
    """To one unit in the last place, where a sum in double falls on the other side of a tie."""
    x, w, b = normal(rng, 20, 45), normal(rng, 19, 45), normal(rng, 19)
    dz = rounded(normal(rng, 20, 19))

    def close(ours, reference):
        assert (np.abs(ours - reference) <= 2.01 * half_a_unit(reference) + 1e-6).all()
        assert np.mean(ours == reference) > 0.98

    for name in ACTIVATIONS:
        close(*(_core.bfloat16_dense(backend, x, w, b, name) for backend in ("cpu", "reference")))
        close(*(_core.bfloat16_dense(backend, x, w, None, name) for backend in ("cpu", "reference")))
        y = rounded(rng.uniform(0, 1, (20, 19)))
        for_each = [
            _core.bfloat16_activation_gradient(backend, name, y, normal(np.random.default_rng(1), 20, 19))
            for backend in ("cpu", "reference")
        ]
        close(*for_each)
    pairs = zip(
        *(_core.bfloat16_dense_gradient(backend, x, w, dz) for backend in ("cpu", "reference")), strict=True
    )
    for ours, reference in pairs:
        close(ours, reference)


def test_shapes_are_checked(rng):
    x, w = normal(rng, 4, 3), normal(rng, 5, 3)
    with pytest.raises(ValueError, match="x: expected shape"):
        _core.bfloat16_dense("cpu", normal(rng, 4, 2), w, None, "relu")
    with pytest.raises(ValueError, match="b: expected 5 elements, got 4"):
        _core.bfloat16_dense("cpu", x, w, normal(rng, 4), "relu")
    with pytest.raises(ValueError, match="dz: expected shape"):
        _core.bfloat16_dense_gradient("cpu", x, w, normal(rng, 3, 5))
    with pytest.raises(TypeError, match="x: expected float32, got float64"):
        _core.bfloat16_dense("cpu", x.astype(np.float64), w, None, "relu")
    with pytest.raises(ValueError, match="backend: expected cpu or reference"):
        _core.bfloat16_dense("gpu", x, w, None, "relu")


@pytest.mark.skipif(sys.platform != "linux", reason="the program's mprotect is written for Linux")
def test_nothing_is_touched_beyond_the_ends(isa):
    from test_kernels_guard_pages import run_guarded

    run_guarded(
        isa,
        """
        sizes = ((1, 1, 1), (3, 5, 7), (17, 33, 15), (15, 31, 33), (33, 65, 2), (2, 30, 65), (65, 17, 31))
        for at_end in (True, False):
            for rows, inputs, units in sizes:
                shapes = (rows, inputs), (units, inputs), units, (rows, units)
                x, w, b, dz = (guarded(shape, np.float32, at_end) for shape in shapes)
                for name in ("linear", "relu", "sigmoid", "softmax"):
                    _core.bfloat16_dense("cpu", x, w, b, name)
                    _core.bfloat16_activation_gradient("cpu", name, dz, dz)
                _core.bfloat16_dense_gradient("cpu", x, w, dz)
        """,
    )
