"""GaussianNoise, GaussianDropout, AlphaDropout and Dropout's noise_shape: what is drawn, what is computed of
it, and its gradient.

The numbers are Lamina's own (Keras's cannot be had), so that their statistics are tested: of n numbers with
standard deviation s the mean is off by less than 5 s / sqrt(n), except once in 2 million times.
"""

from typing import Any

import numpy as np
import pytest
from test_gradients import Loss, Net, batch

from lamina import _core, keras
from lamina.keras import layers

N = 200_000
X = np.linspace(-2.0, 3.0, N).astype("float32").reshape(100, -1)


def drawn(layer: Any, x: Any = X) -> Any:
    return np.asarray(layer(x, training=True)).astype(np.float64)


def normal_moments(z: Any) -> None:
    """Mean, variance, skewness and kurtosis of a standard normal, and its tails."""
    z = z.ravel()
    n = z.size
    for power, expected, deviation in ((1, 0, 1), (2, 1, 2), (3, 0, 15), (4, 3, 96)):
        assert abs((z**power).mean() - expected) < 5 * np.sqrt(deviation / n), power
    for bound, share in ((1.0, 0.317310508), (3.0, 0.002699796)):
        assert abs((np.abs(z) > bound).mean() - share) < 5 * np.sqrt(share / n)
    assert abs((z[:-1] * z[1:]).mean()) < 5 / np.sqrt(n)  # neighbours are independent


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_normal_noise(dtype: str) -> None:
    x = X.astype(dtype)
    normal_moments((drawn(layers.GaussianNoise(0.5, seed=1, dtype=dtype), x) - x) / 0.5)
    factors = drawn(layers.GaussianDropout(0.2, seed=2, dtype=dtype), np.ones_like(x))
    normal_moments((factors - 1) / 0.5)  # sqrt(0.2 / 0.8)


@pytest.mark.parametrize("size", [1, 3, 64, 65, 1000])
def test_backends_draw_the_same_numbers(size: int) -> None:
    """Those of the reference, to the rounding of double; whatever the size, so that no tail is special."""
    values = {}
    for backend in ("cpu", "reference"):
        core = _core.Network64(size, backend)
        core.add_normal_noise(size, 1.0, False, 99)
        core.build()
        values[backend] = core.forward(np.zeros((7, size)), True, 3)
    np.testing.assert_allclose(values["cpu"], values["reference"], rtol=1e-13, atol=1e-14)


def test_noise_is_for_training_only() -> None:
    for layer in (layers.GaussianNoise(0.5), layers.GaussianDropout(0.5), layers.AlphaDropout(0.5)):
        np.testing.assert_array_equal(np.asarray(layer(X)), X)
    for layer in (layers.GaussianNoise(0.0), layers.GaussianDropout(0.0), layers.AlphaDropout(0.0)):
        np.testing.assert_array_equal(drawn(layer), X.astype(np.float64))


def test_every_step_draws_anew_and_seeds_tell_apart() -> None:
    first, again, other = layers.GaussianNoise(1.0, seed=4), layers.GaussianNoise(1.0, seed=4), None
    other = layers.GaussianNoise(1.0, seed=5)
    a, b, c = drawn(first), drawn(first), drawn(other)
    assert (a != b).mean() > 0.99
    assert (a != c).mean() > 0.99
    np.testing.assert_array_equal(a, drawn(again))


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_alpha_dropout_formula(rate: float) -> None:
    """y = a (x kept + low (1 - kept)) + b for the mask that shows in y."""
    low = -1.6732632423543772 * 1.0507009873554805
    a = ((1 - rate) * (1 + rate * low**2)) ** -0.5
    b = -a * low * rate
    y = drawn(layers.AlphaDropout(rate, seed=3, dtype="float64"), X.astype("float64"))
    x = X.astype(np.float64)
    kept = np.isclose(y, a * x + b, rtol=1e-12, atol=1e-12)
    dropped = np.isclose(y, a * low + b, rtol=1e-12, atol=1e-12)
    assert (kept | dropped).all()
    assert abs(dropped.mean() - rate) < 5 * np.sqrt(rate * (1 - rate) / N)
    z = np.random.default_rng(0).normal(size=(100, 2000))
    z = drawn(layers.AlphaDropout(rate, seed=4, dtype="float64"), z)
    assert abs(z.mean()) < 0.02  # what it is made for
    assert abs(z.std() - 1) < 0.02


@pytest.mark.parametrize("kind", [layers.Dropout, layers.AlphaDropout])
@pytest.mark.parametrize(
    "noise_shape", [(None, 1, 5), (None, 4, 1), (1, None, None), (1, 1, 5), [None, 4, 5]]
)
def test_noise_shape(kind: Any, noise_shape: Any) -> None:
    """What is dropped together, is; and the shares of what is not agree with the rate."""
    layer = kind(0.4, noise_shape=noise_shape, seed=5)
    x = np.ones((6, 4, 5), "float32")
    shares = []
    for _ in range(300):
        y = drawn(layer, x)
        dropped = y < 0.5 if kind is layers.AlphaDropout else y == 0
        sizes = [size if one is None else one for one, size in zip(noise_shape, x.shape, strict=True)]
        first = dropped[tuple(slice(size) for size in sizes)]
        np.testing.assert_array_equal(dropped, np.broadcast_to(first, x.shape))
        shares.append(first.mean())
    count = 300 * np.prod(sizes)
    assert abs(np.mean(shares) - 0.4) < 5 * np.sqrt(0.24 / count)
    if kind is layers.Dropout:
        np.testing.assert_allclose(y[~dropped], 1 / 0.6, rtol=1e-6)


@pytest.mark.parametrize("backend", ["cpu", "reference"])
@pytest.mark.parametrize(
    "noise",
    [
        ("normal_noise", 8, 0.5, False, 11),
        ("normal_noise", 8, 0.7, True, 11),
        ("dropout_of_shape", 0.3, 11, [0, 0, 1, 1, 2, 2, 3, 3], 4, False, False),
        ("dropout_of_shape", 0.3, 11, [0, 1, 2, 3, 4, 5, 6, 7], 8, True, False),
        ("dropout_of_shape", 0.3, 11, [0, 1, 2, 3, 4, 5, 6, 7], 8, False, True),
        ("dropout_of_shape", 0.3, 11, [0, 1, 0, 1, 0, 1, 0, 1], 2, True, True),
    ],
    ids=str,
)
def test_gradients(noise: Any, backend: str) -> None:
    x, y = batch(4, 3, "mean_squared_error")
    stack = [("dense", 1, 4, 8, "tanh", True), noise, ("dense", 1, 8, 3, "linear", True)]
    loss = Loss(Net(4, stack, backend), x, y, "mean_squared_error")
    assert loss.step(0.0) == loss.step(0.0)  # one mask for one step
    loss.check()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.GaussianNoise(1.5), r"stddev: expected a number in \[0, 1\], got 1.5"),
        (lambda: layers.GaussianNoise(0.5, seed="a"), "seed: expected an int or None, got 'a'"),
        (lambda: layers.GaussianDropout(-0.1), r"rate: expected a number in \[0, 1\], got -0.1"),
        (lambda: layers.GaussianDropout(1)(X), "rate: expected a number below 1"),
        (lambda: layers.AlphaDropout(1)(X), "rate: expected a number below 1"),
        (lambda: layers.Dropout(0.5, noise_shape="a"), "noise_shape: expected a tuple"),
        (lambda: layers.Dropout(0.5, noise_shape=3), "noise_shape: expected a tuple"),
        (
            lambda: layers.Dropout(0.5, noise_shape=(None, 0)),
            "noise_shape: expected ints >= 1 or None, got 0",
        ),
        (lambda: layers.Dropout(0.5, noise_shape=(None, 3))(X), "noise_shape: expected 1 or None"),
        (lambda: layers.Dropout(0.5, noise_shape=(None,))(X), "noise_shape: expected 1 or None"),
        (lambda: layers.Dropout(0.5, noise_shape=(100, 1))(X), "noise_shape: expected 1 or None"),
    ],
)
def test_bad_arguments(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_a_network_trains_and_keeps_its_bits() -> None:
    """The same bits with any number of threads."""
    from lamina import config

    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(64, 300)).astype("float32"), rng.integers(0, 3, 64)
    results = []
    before = config.get_num_threads()
    try:
        for threads in (1, 3):
            config.set_num_threads(threads)
            keras.utils.set_random_seed(3)
            model = keras.Sequential(
                [
                    layers.GaussianNoise(0.1),
                    layers.Dense(300, activation="tanh"),
                    layers.AlphaDropout(0.2),
                    layers.LayerNormalization(),
                    layers.Dense(300, activation="tanh"),
                    layers.GroupNormalization(10),
                    layers.GaussianDropout(0.3),
                    layers.Dropout(0.2, noise_shape=(1, 300)),
                    layers.Dense(3, activation="softmax"),
                ]
            )
            model.compile("adam", "sparse_categorical_crossentropy")
            history = model.fit(x, y, epochs=8, verbose=0)
            results.append(model.get_weights())
            assert history.history["loss"][-1] < history.history["loss"][0]
    finally:
        config.set_num_threads(before)
    for one, other in zip(*results, strict=True):
        np.testing.assert_array_equal(one, other)
