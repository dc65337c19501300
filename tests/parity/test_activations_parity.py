"""Every activation against live Keras: value and gradient of each number, edges included, and whole fits."""

from types import ModuleType
from typing import Any

import numpy as np
import pytest
from activation_cases import ALONG_AXIS, CASES, EACH_NUMBER, Case, edges, numbers
from networks import initial
from tolerances import assert_close, rounding

from lamina import _core
from lamina.keras import activations


def _gradient(case: Case, x: Any, dy: Any, backend: str) -> Any:
    """The core's gradient, by the kernels that a network uses."""
    form = activations.form_of(activations.get(case.name), check_only=True)
    if case.arguments:
        form = activations.FORMS[activations.get(case.name).__name__](**case.arguments)
    out = np.empty_like(x)
    if form.kind in ("linear", "relu", "sigmoid", "tanh", "softmax", "exp") and not form.numbers:
        y = np.empty_like(x)
        _core.activation(form.kind, x, y)
        _core.activation_grad(form.kind, y, dy, out)
        return out
    y = np.empty_like(dy)
    _core.nonlinearity(backend, form.kind, form.numbers, x, y)
    _core.nonlinearity_grad(backend, form.kind, form.numbers, x, y, dy, out)
    return out


def _live(keras: ModuleType, case: Case, x: Any, dy: Any) -> tuple[Any, Any]:
    """Keras's value, and the gradient of its sum with these weights."""
    import tensorflow as tf

    tensor = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(tensor)
        y = getattr(keras.activations, case.name)(tensor, **case.arguments)
    return y.numpy(), tape.gradient(y, tensor, output_gradients=tf.constant(dy)).numpy()


def _check(ours: Any, theirs: Any, bound: float, scale: Any, tiny: Any, what: str) -> None:
    assert ours.dtype == theirs.dtype
    assert ours.shape == theirs.shape
    finite = np.isfinite(theirs)
    np.testing.assert_array_equal(ours[~finite], theirs[~finite], err_msg=what)
    with np.errstate(invalid="ignore", over="ignore"):
        off = np.abs(ours.astype(np.float64) - theirs.astype(np.float64))
        allowed = bound * np.asarray(scale, np.float64) + tiny
    wrong = finite & ~(off <= allowed)
    assert not wrong.any(), (
        f"{what}: at {np.flatnonzero(wrong)[:9]} {ours[wrong][:9]}, Keras {theirs[wrong][:9]}"
    )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", EACH_NUMBER, ids=str)
def test_each_number(case: Case, dtype: str, live_keras: ModuleType) -> None:
    x = np.concatenate([edges(dtype), numbers(dtype, 4000)])
    dy = np.random.default_rng(6).uniform(0.5, 2.0, x.size).astype(dtype)
    value, slope = _live(live_keras, case, x, dy)
    ours = getattr(activations, case.name)(x, **case.arguments)
    bound, tiny = rounding(dtype, 1), float(np.finfo(dtype).smallest_normal)
    with np.errstate(invalid="ignore"):
        size = np.abs(value)
        if case.scale != "y":
            size = np.fmax(size, np.abs(x) if case.scale == "x" else 1)
        # A slope is a sum of terms of the size of 1, or of x times a number that may be 1 - 1.
        slope_size = np.fmax(np.fmax(1, np.fmin(np.abs(x), 1e3)), np.abs(slope))
        if case.arguments.get("approximate"):  # 1 - tanh² times x³
            slope_size = slope_size * np.fmax(1, np.fmin(x * x, 1e3))
        tiny = tiny * np.fmax(1, np.fmin(np.abs(x), 1e3))  # TensorFlow takes subnormal numbers for 0
    _check(ours, value, bound, size, tiny, "value")
    _check(_gradient(case, x, dy, "cpu"), slope, bound, slope_size, tiny, "gradient")
    # The reference, in double, meets a float's bends one number earlier or later.
    inner = slice(edges(dtype).size, None)
    reference = _gradient(case, x[inner], dy[inner], "reference")
    _check(reference, slope[inner], bound, slope_size[inner], tiny[inner], "reference's gradient")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", ALONG_AXIS, ids=str)
def test_along_an_axis(case: Case, dtype: str, live_keras: ModuleType) -> None:
    rng = np.random.default_rng(7)
    for width in (2, 4, 10, 50):
        x = (rng.normal(size=(40, width)) * 10.0 ** rng.uniform(-2, 2, (40, 1))).astype(dtype)
        x[0], x[1], x[2, 1], x[3, 0] = 0, np.arange(width) // 2, -np.inf, 1e4
        if case.name != "sparsemax":  # where sorting NaN puts it is nobody's promise
            x[4, width // 2], x[5, -1], x[6] = np.nan, np.inf, -np.inf
        half = width // 2 if case.name == "glu" else width
        dy = rng.uniform(0.5, 2.0, (40, half)).astype(dtype)
        value, slope = _live(live_keras, case, x, dy)
        ours = getattr(activations, case.name)(x, **case.arguments)
        bound, tiny = rounding(dtype, width), float(np.finfo(dtype).smallest_normal)
        with np.errstate(invalid="ignore"):
            sizes = np.where(np.isfinite(x), np.abs(x), 0).max(axis=1, keepdims=True)
        sizes = np.maximum(sizes, 1) * (width if case.name == "sparsemax" else 1)
        _check(ours, value, bound, sizes, tiny, "value")
        # sparsemax sums the gradient over the support
        for backend in ("cpu", "reference"):
            _check(
                _gradient(case, x, dy, backend), slope, bound, 2 * width * sizes, tiny, f"{backend} gradient"
            )
        for axis in (0, 1, -2):
            turned = np.moveaxis(np.stack([x, x]), -1, axis)
            again = getattr(activations, case.name)(turned, axis=axis)
            np.testing.assert_array_equal(np.moveaxis(again, axis, -1)[0], ours)


BODIES: dict[str, list[str]] = {
    "smooth": ["gelu", "silu", "softplus", "mish", "selu"],
    "bent": ["leaky_relu", "relu6", "elu", "hard_silu", "celu"],
    "shrinking": ["tanh_shrink", "soft_shrink", "squareplus", "hard_tanh", "log_sigmoid"],
    "sparse": ["sparse_plus", "sparse_sigmoid", "softsign", "hard_sigmoid", "hard_shrink"],
    "rows": ["log_softmax", "exponential", "sparsemax", "relu", "glu"],
}


def _fit(keras: ModuleType, names: list[str], as_layers: bool, dtype: str) -> Any:
    model = keras.Sequential([keras.Input((6,))])
    for name in names:
        if as_layers:
            model.add(keras.layers.Dense(8))
            model.add(keras.layers.Activation(name))
        else:
            model.add(keras.layers.Dense(8, activation=name))
    model.compile(keras.optimizers.SGD(0.01, momentum=0.5), "mse")
    rng = np.random.default_rng(11)
    model.set_weights([initial(weight, rng) for weight in model.get_weights()])
    x = rng.normal(size=(37, 6)).astype(dtype)
    y = rng.normal(size=(37, 4 if names[-1] == "glu" else 8)).astype(dtype)
    history = model.fit(x, y, batch_size=8, epochs=2, shuffle=False, verbose=0)
    return [*history.history["loss"], model.predict(x, verbose=0), *model.get_weights()]


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.usefixtures("float64")
def test_fit(body: str, live_keras: ModuleType, lamina_keras: ModuleType) -> None:
    """Five layers deep, as an argument of Dense and as layers of their own."""
    theirs = _fit(live_keras, BODIES[body], False, "float64")
    bound = rounding("float64", 37, steps=10) * len(BODIES[body])
    for as_layers in (False, True):
        ours = _fit(lamina_keras, BODIES[body], as_layers, "float64")
        for i, (our, their) in enumerate(zip(ours, theirs, strict=True)):
            assert_close(our, their, bound, f"{body}: number {i}", scale=1.0)


def test_every_name_is_tried(live_keras: ModuleType) -> None:
    from keras.src.activations import ALL_OBJECTS_DICT

    assert {case.name for case in CASES} == set(ALL_OBJECTS_DICT) == set(activations._KNOWN)
