"""`lamina.ops` against live Keras on TensorFlow: losses, also beyond the clip, and optimizer steps."""

import numpy as np
import pytest

from lamina import ops

DTYPES = pytest.mark.parametrize("dtype", ["float32", "float64"])
KINDS = ("binary_crossentropy", "categorical_crossentropy", "sparse_categorical_crossentropy")

# Both sides round a handful of times, each in its own order: 16 units roundoff of the largest term.
ROUNDING = {"float32": 16 * 2.0**-24, "float64": 16 * 2.0**-53}


def keras_loss(keras, kind, y_true, y_pred, from_logits):
    """(mean loss, gradient) of the public function of Keras."""
    import tensorflow as tf

    options = {} if kind == "mean_squared_error" else {"from_logits": from_logits}
    pred = tf.constant(y_pred)
    with tf.GradientTape() as tape:
        tape.watch(pred)
        loss = tf.reduce_mean(getattr(keras.losses, kind)(y_true, pred, **options))
    return float(loss), tape.gradient(loss, pred).numpy()


def check(keras, kind, y_true, y_pred, from_logits):
    value, gradient = keras_loss(keras, kind, y_true, y_pred, from_logits)
    options = {} if kind == "mean_squared_error" else {"from_logits": from_logits}
    got = getattr(ops, kind)(y_true, y_pred, **options)
    got_gradient = getattr(ops, kind + "_grad")(y_true, y_pred, **options)
    tolerance = ROUNDING[str(y_pred.dtype)]
    np.testing.assert_allclose(got, value, rtol=tolerance, atol=tolerance)
    finite = np.abs(gradient[np.isfinite(gradient)])
    largest = finite.max(initial=0)
    np.testing.assert_allclose(got_gradient, gradient, rtol=tolerance, atol=tolerance * largest)


def targets(kind, rng, n, k, dtype):
    if kind.startswith("sparse"):
        return rng.integers(0, k, n)
    if kind == "categorical_crossentropy":
        return np.eye(k, dtype=dtype)[rng.integers(0, k, n)]
    return rng.integers(0, 2, (n, k)).astype(dtype)


@DTYPES
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("from_logits", [False, True])
def test_losses(kind, from_logits, dtype, live_keras):
    rng = np.random.default_rng(2)
    for n, k in ((1, 2), (4, 3), (32, 10)):
        y_true = targets(kind, rng, n, k, dtype)
        y_pred = rng.normal(0, 3, (n, k)) if from_logits else rng.uniform(0.02, 0.98, (n, k))
        check(live_keras, kind, y_true, y_pred.astype(dtype), from_logits)


@DTYPES
def test_mean_squared_error(dtype, live_keras):
    rng = np.random.default_rng(2)
    y_true, y_pred = rng.normal(size=(2, 7, 5)).astype(dtype)
    check(live_keras, "mean_squared_error", y_true, y_pred, False)
    check(live_keras, "mean_squared_error", y_true[:, 0], y_pred[:, 0], False)


@DTYPES
@pytest.mark.parametrize("kind", KINDS)
def test_probabilities_at_and_beyond_the_clip(kind, dtype, live_keras):
    rng = np.random.default_rng(3)
    low, high = np.array([1e-7, 1 - 1e-7], dtype)
    below, above = np.nextafter([low, high], np.array([0, 1], dtype))
    edges = np.array([0, below, low, 1e-6, 0.5, 1 - 1e-6, high, above, 1], dtype)
    y_pred = rng.choice(edges, (64, 4))
    y_pred[:, 0] = np.maximum(y_pred[:, 0], np.array(1e-6, dtype))  # no row of zeros alone
    check(live_keras, kind, targets(kind, rng, 64, 4, dtype), y_pred, False)


@DTYPES
@pytest.mark.parametrize("kind", KINDS)
def test_probabilities_that_do_not_sum_to_one(kind, dtype, live_keras):
    rng = np.random.default_rng(4)
    y_pred = rng.uniform(0.001, 0.2, (16, 6)).astype(dtype)
    check(live_keras, kind, targets(kind, rng, 16, 6, dtype), y_pred, False)


@DTYPES
@pytest.mark.parametrize("kind", KINDS)
def test_large_logits(kind, dtype, live_keras):
    rng = np.random.default_rng(5)
    y_pred = rng.choice([-1000.0, -88, -20, 0, 20, 88, 1000], (64, 5)).astype(dtype)
    check(live_keras, kind, targets(kind, rng, 64, 5, dtype), y_pred, True)


@DTYPES
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("from_logits", [False, True])
@pytest.mark.parametrize("special", [np.nan, np.inf, -np.inf])
def test_special_values(kind, from_logits, special, dtype, live_keras):
    """NaN for NaN, infinity for infinity: one special value in one row; the other row must not see it."""
    y_true = {"sparse_categorical_crossentropy": np.array([0, 1])}.get(kind, np.eye(2, 3, dtype=dtype))
    for place in range(3):
        y_pred = np.array([[0.2, 0.3, 0.5], [0.1, 0.3, 0.6]], dtype)
        y_pred[1, place] = special
        value, gradient = keras_loss(live_keras, kind, y_true, y_pred, from_logits)
        got = getattr(ops, kind)(y_true, y_pred, from_logits)
        got_gradient = getattr(ops, kind + "_grad")(y_true, y_pred, from_logits)
        np.testing.assert_allclose(got, value, rtol=ROUNDING[dtype])
        largest = np.abs(gradient[np.isfinite(gradient)]).max()
        np.testing.assert_allclose(got_gradient, gradient, atol=ROUNDING[dtype] * largest)


def run_keras(keras, optimizer, w, gradients):
    """(weights, {slot: values}) after the steps."""
    variable = keras.Variable(w, dtype=str(w.dtype), name="w")
    for g in gradients:
        optimizer.apply([g], [variable])
    slots = {v.name.removeprefix("w_"): v.numpy() for v in optimizer.variables}
    return variable.numpy(), slots


@pytest.fixture
def floatx(dtype, live_keras):
    """Keras holds the numbers of an optimizer in its default type, whatever that of the weights."""
    before = live_keras.config.floatx()
    live_keras.config.set_floatx(dtype)
    yield dtype
    live_keras.config.set_floatx(before)


# (class, options beside the learning rate, slots and what they start with). Keras rounds some options to
# float32 on the way, in float64 too: those given here are sums of few powers of two, which that leaves alone.
STEPS = {
    "sgd": ("SGD", {}, {}),
    "sgd momentum": ("SGD", {"momentum": 0.875}, {"momentum": 0.0}),
    "sgd nesterov": ("SGD", {"momentum": 0.875, "nesterov": True}, {"momentum": 0.0}),
    "rmsprop": ("RMSprop", {}, {"velocity": 0.0}),
    "rmsprop momentum": ("RMSprop", {"momentum": 0.5, "rho": 0.8}, {"velocity": 0.0, "momentum": 0.0}),
    "rmsprop centered": ("RMSprop", {"centered": True}, {"velocity": 0.0, "average_gradient": 0.0}),
    "adagrad": ("Adagrad", {"initial_accumulator_value": 0.125}, {"accumulator": 0.125}),
    "adam": ("Adam", {"beta_1": 0.875, "beta_2": 1 - 2.0**-10}, {"momentum": 0.0, "velocity": 0.0}),
    "adam amsgrad": (
        "Adam",
        {"amsgrad": True, "beta_1": 0.75, "beta_2": 1 - 2.0**-7},
        {"momentum": 0.0, "velocity": 0.0, "velocity_hat": 0.0},
    ),
}
DEFAULTS = {
    "adagrad": ("Adagrad", {}, {"accumulator": 0.1}),
    "adam": ("Adam", {}, {"momentum": 0.0, "velocity": 0.0}),
}


def step(name, w, dw, lr, count, options, slots):
    """The same step in the words of `lamina.ops`."""
    if name == "SGD":
        ops.sgd_step(w, dw, lr, velocity=slots.get("momentum"), **options)
    elif name == "RMSprop":
        options = {key: value for key, value in options.items() if key != "centered"}
        slots = {{"momentum": "momentum_slot"}.get(key, key): slot for key, slot in slots.items()}
        ops.rmsprop_step(w, dw, lr, **slots, **options)
    elif name == "Adagrad":
        ops.adagrad_step(w, dw, lr, slots["accumulator"])
    else:
        betas = {key.replace("_", ""): value for key, value in options.items() if key != "amsgrad"}
        vhat = slots.get("velocity_hat")
        ops.adam_step(w, dw, lr, slots["momentum"], slots["velocity"], count, vhat=vhat, **betas)


def check_steps(keras, name, options, initial, dtype):
    rng = np.random.default_rng(6)
    w, gradients = rng.normal(size=(5, 4)).astype(dtype), rng.normal(size=(20, 5, 4)).astype(dtype)
    gradients[:, 0, 0] = 0  # an unused weight
    optimizer = getattr(keras.optimizers, name)(learning_rate=0.01, **options)
    expected, expected_slots = run_keras(keras, optimizer, w.copy(), gradients)
    slots = {slot: np.full(w.shape, value, dtype) for slot, value in initial.items()}
    for count, dw in enumerate(gradients, start=1):
        step(name, w, dw, 0.01, count, options, slots)
    tolerance = 20 * ROUNDING[dtype]  # of one step, 20 times
    np.testing.assert_allclose(w, expected, rtol=tolerance, atol=tolerance)
    for slot, values in slots.items():
        np.testing.assert_allclose(values, expected_slots[slot], rtol=tolerance, atol=tolerance, err_msg=slot)


@DTYPES
@pytest.mark.parametrize("case", STEPS)
def test_steps(case, dtype, live_keras, floatx):
    check_steps(live_keras, *STEPS[case], dtype)


@pytest.mark.parametrize("case", DEFAULTS)
def test_steps_with_default_numbers(case, live_keras):
    check_steps(live_keras, *DEFAULTS[case], "float32")


def test_defaults_are_those_of_keras(live_keras):
    """Read from the signatures: what the steps take for granted where nothing is said."""
    import inspect

    def default(function, name):
        return inspect.signature(function).parameters[name].default

    optimizers = live_keras.optimizers
    assert default(ops.sgd_step, "momentum") == optimizers.SGD().momentum
    assert default(ops.sgd_step, "nesterov") == optimizers.SGD().nesterov
    assert default(ops.rmsprop_step, "rho") == optimizers.RMSprop().rho
    assert default(ops.rmsprop_step, "momentum") == optimizers.RMSprop().momentum
    assert default(ops.rmsprop_step, "epsilon") == optimizers.RMSprop().epsilon
    assert default(ops.adagrad_step, "epsilon") == optimizers.Adagrad().epsilon
    assert default(ops.adam_step, "beta1") == optimizers.Adam().beta_1
    assert default(ops.adam_step, "beta2") == optimizers.Adam().beta_2
    assert default(ops.adam_step, "epsilon") == optimizers.Adam().epsilon
