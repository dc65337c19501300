"""Initializers: bounds, moments and distributions against theory, and limits against Keras."""

import math
import pickle
import random

import numpy as np
import pytest
from tolerances import rounding

from lamina.keras import initializers, utils

CUT_STDDEV = 0.87962566103423978  # standard deviation of N(0, 1) cut at +-2
KOLMOGOROV = 2.3  # exceeded by sqrt(n) sup |F_n - F| with probability 2 exp(-2 * 2.3^2) = 5e-5
SHAPE = (300, 200)
# name -> (n of the shape above, scale): variance scale / n
SCALED = {
    "Glorot": (250, 1.0),
    "He": (300, 2.0),
    "Lecun": (300, 1.0),
}
DRAWING = ["RandomNormal", "RandomUniform", "TruncatedNormal", "VarianceScaling", "Orthogonal"] + [
    f"{who}{what}" for who in SCALED for what in ("Uniform", "Normal")
]


@pytest.fixture
def keras(live_keras):
    return live_keras


def normal_cdf(x):
    return 0.5 * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))


def cut_cdf(x):
    low, high = normal_cdf(-2.0), normal_cdf(2.0)
    return np.clip((normal_cdf(x) - low) / (high - low), 0, 1)


def kolmogorov_distance(values, cdf):
    """sqrt(n) sup |F_n - F|."""
    ordered = np.sort(values.ravel().astype("float64"))
    n = ordered.size
    theory = cdf(ordered)
    steps = np.arange(n + 1) / n
    return math.sqrt(n) * max((theory - steps[:-1]).max(), (steps[1:] - theory).max())


def check_distribution(values, cdf, mean, stddev):
    n = values.size
    assert kolmogorov_distance(values, cdf) < KOLMOGOROV
    assert abs(values.mean(dtype="float64") - mean) < 4 * stddev / math.sqrt(n)
    # The fourth moments here are at most 3 stddev^4, so that the variance's own is at most 2 stddev^4 / n.
    assert abs(values.var(dtype="float64") / stddev**2 - 1) < 4 * math.sqrt(2 / n)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("seed", [1, 2**40 + 5])
def test_plain_distributions(dtype, seed):
    low, high = -0.3, 0.7
    values = initializers.RandomUniform(low, high, seed)(SHAPE, dtype)
    assert values.dtype == dtype
    assert values.min() >= np.dtype(dtype).type(low)
    assert values.max() <= high
    check_distribution(values, lambda x: np.clip((x - low) / (high - low), 0, 1), 0.2, 1 / math.sqrt(12))
    values = initializers.RandomNormal(0.5, 2.0, seed)(SHAPE, dtype)
    check_distribution(values, lambda x: normal_cdf((x - 0.5) / 2), 0.5, 2.0)
    values = initializers.TruncatedNormal(0.5, 2.0, seed)(SHAPE, dtype)
    assert np.abs(values - 0.5).max() <= 4.0
    check_distribution(values, lambda x: cut_cdf((x - 0.5) / 2), 0.5, 2 * CUT_STDDEV)


@pytest.mark.parametrize("who", list(SCALED))
def test_scaled_distributions(who):
    n, scale = SCALED[who]
    stddev = math.sqrt(scale / n)
    limit = math.sqrt(3 * scale / n)
    values = getattr(initializers, f"{who}Uniform")(seed=3)(SHAPE)
    assert values.dtype == np.float32
    assert np.abs(values).max() <= np.float32(limit)
    check_distribution(values, lambda x: np.clip((x + limit) / (2 * limit), 0, 1), 0, stddev)
    values = getattr(initializers, f"{who}Normal")(seed=3)(SHAPE)
    assert np.abs(values).max() <= np.float32(2 * stddev / CUT_STDDEV)
    check_distribution(values, lambda x: cut_cdf(x * CUT_STDDEV / stddev), 0, stddev)


@pytest.mark.parametrize("name", DRAWING)
def test_spread_is_kerass(keras, name):
    """Their numbers differ, their distribution does not: two-sample Kolmogorov-Smirnov, and the extremes."""
    for shape in ((300, 200), (40, 500), (5, 6, 30, 20)):
        ours = np.asarray(getattr(initializers, name)(seed=5)(shape))
        theirs = np.asarray(getattr(keras.initializers, name)(seed=5)(shape))
        assert ours.shape == theirs.shape
        assert ours.dtype == theirs.dtype
        both = np.sort(np.concatenate([ours.ravel(), theirs.ravel()]))
        n = ours.size
        steps = [np.searchsorted(np.sort(a.ravel()), both, side="right") / n for a in (ours, theirs)]
        assert math.sqrt(n / 2) * np.abs(steps[0] - steps[1]).max() < KOLMOGOROV
        if (
            "Uniform" in name
        ):  # n values fill an interval to within 10 / n of its width, with probability 1 - e^-10
            assert abs(np.abs(ours).max() / np.abs(theirs).max() - 1) < 20 / n


@pytest.mark.parametrize("mode", ["fan_in", "fan_out", "fan_avg"])
@pytest.mark.parametrize(
    "distribution", ["normal", "truncated_normal", "untruncated_normal", "uniform", "UNIFORM"]
)
def test_variance_scaling(keras, mode, distribution):
    shape = (400, 100)
    n = {"fan_in": 400, "fan_out": 100, "fan_avg": 250}[mode]
    ours = initializers.VarianceScaling(0.7, mode, distribution, seed=9)
    theirs = keras.initializers.VarianceScaling(0.7, mode, distribution, seed=9)
    values = ours(shape)
    assert abs(values.var(dtype="float64") * n / 0.7 - 1) < 4 * math.sqrt(2 / values.size)
    assert ours.get_config() == theirs.get_config()


def test_fans_of_other_ranks(keras):
    random_initializers = pytest.importorskip("keras.src.initializers.random_initializers")
    from lamina.keras.initializers.variance_scaling import fans

    for shape in [(), (7,), (3, 4), (5, 3, 4), (2, 5, 3, 4)]:
        assert fans(shape) == random_initializers.compute_fans(shape)
    assert fans((2, 3, 4), input_axes=[0, 1], output_axes=[2]) == (6, 4)


@pytest.mark.parametrize("shape", [(6, 6), (9, 4), (4, 9), (2, 3, 5), (1, 1)])
def test_orthogonal(shape):
    for dtype in ("float32", "float64"):
        q = initializers.Orthogonal(gain=2.0, seed=1)(shape, dtype).reshape(-1, shape[-1]) / 2
        product = q.T @ q if q.shape[0] >= q.shape[1] else q @ q.T
        np.testing.assert_allclose(product, np.eye(len(product)), atol=rounding(dtype, len(q)))
        assert q.dtype == dtype
    with pytest.raises(ValueError, match="shape: expected at least two sizes"):
        initializers.Orthogonal()((3,))


def test_orthogonal_is_uniform_over_the_circle():
    """Without the signs of R the first entry of a 2x2 matrix would never be positive."""
    first = np.array([initializers.Orthogonal(seed=seed)((2, 2), "float64")[0] for seed in range(400)])
    angles = np.arctan2(first[:, 1], first[:, 0])
    assert kolmogorov_distance(angles, lambda a: (a + math.pi) / (2 * math.pi)) < KOLMOGOROV


@pytest.mark.parametrize("dtype", [None, "float32", "float64", "int32"])
def test_constants(keras, dtype):
    for ours, theirs in [
        (initializers.Zeros(), keras.initializers.Zeros()),
        (initializers.Ones(), keras.initializers.Ones()),
        (initializers.Constant(3.0), keras.initializers.Constant(3.0)),
        (initializers.Identity(gain=2.0), keras.initializers.Identity(gain=2.0)),
    ]:
        if dtype == "int32" and isinstance(ours, initializers.Identity):
            np.testing.assert_array_equal(ours((3, 4), dtype), 2 * np.eye(3, 4))  # Keras fails here
            continue
        got, expected = ours((3, 4), dtype), np.asarray(theirs((3, 4), dtype))
        np.testing.assert_array_equal(got, expected)
        assert got.flags.writeable
        assert got.dtype == expected.dtype


@pytest.mark.parametrize("name", DRAWING)
def test_seeds(name):
    kind = getattr(initializers, name)
    same, other = kind(seed=1), kind(seed=2)
    values = same((8, 8))
    np.testing.assert_array_equal(values, same((8, 8)))
    np.testing.assert_array_equal(values, kind(seed=np.int64(1))((8, 8)))
    np.testing.assert_array_equal(values, pickle.loads(pickle.dumps(same))((8, 8)))
    assert (values != other((8, 8))).any()

    unseeded = kind()
    assert (unseeded((8, 8)) == unseeded((8, 8))).all()
    assert (unseeded((8, 8)) != kind()((8, 8))).any()
    for _ in range(2):
        utils.set_random_seed(11)
        first = kind()((8, 8))
        second = kind()((8, 8))
        assert (first != second).any()
        utils.set_random_seed(11)
        np.testing.assert_array_equal(first, kind()((8, 8)))
    random.seed(11)
    assert kind().seed == random.Random(11).randint(1, 10**9)


@pytest.mark.parametrize("name", [*DRAWING, "Zeros", "Ones", "Constant", "Identity"])
def test_config_is_kerass(keras, name):
    arguments = {"seed": 3} if name in DRAWING else {}
    ours, theirs = getattr(initializers, name)(**arguments), getattr(keras.initializers, name)(**arguments)
    config, expected = ours.get_config(), theirs.get_config()
    assert config == expected
    assert type(ours).from_config(config).get_config() == config
    assert initializers.serialize(ours)["class_name"] == name
    again = initializers.deserialize(initializers.serialize(ours))
    assert type(again) is type(ours)
    assert again.get_config() == config
    if name in DRAWING:
        assert getattr(initializers, name)().get_config()["seed"] is None
        assert ours.clone().seed == 3


def test_every_name_of_keras(keras):
    ours = {
        name for name in dir(keras.initializers) if not name.startswith("_") and "stft" not in name.lower()
    }
    assert ours <= set(dir(initializers))
    for name in [*ours, "normal", "uniform", "one", "zero"]:
        if name in ("Initializer", "deserialize", "get", "serialize"):
            continue
        if name in ("Constant", "constant"):  # Keras's get can't make one without a value
            assert isinstance(initializers.get(name), initializers.Constant)
            continue
        assert type(initializers.get(name)).__name__ == type(keras.initializers.get(name)).__name__


def test_get_passes_instances_functions_and_arrays():
    own = initializers.HeNormal()
    assert initializers.get(own) is own
    assert initializers.get(None) is None
    assert isinstance(initializers.get(initializers.Ones), initializers.Ones)

    def mine(shape, dtype=None):
        return np.full(shape, 2.0, dtype)

    assert initializers.get(mine) is mine
    values = np.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(initializers.get(values)((2, 3), "float32"), values)
    with pytest.raises(ValueError, match="initializer: expected an array of shape"):
        initializers.get(values)((3, 2))
    assert (
        initializers.get({"class_name": "RandomUniform", "config": {"minval": 1.0, "maxval": 2.0}}).minval
        == 1.0
    )


@pytest.mark.parametrize("bad", ["glorot", "GLOROT_UNIFORM", 3, {"config": {}}, {"class_name": "nothing"}])
def test_get_refuses(bad):
    with pytest.raises(ValueError, match="initializer: expected"):
        initializers.get(bad)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: initializers.HeNormal(seed="1"), "seed: expected"),
        (lambda: initializers.HeNormal(seed=-1), "seed: expected"),
        (lambda: initializers.HeNormal(seed=1.5), "seed: expected"),
        (lambda: initializers.RandomNormal(stddev=-1), "stddev: expected"),
        (lambda: initializers.RandomUniform(1, 0), "maxval: expected"),
        (lambda: initializers.RandomNormal(mean="a"), "mean: expected"),
        (lambda: initializers.VarianceScaling(scale=0.0), "scale: expected"),
        (lambda: initializers.VarianceScaling(mode="fan"), "mode: expected"),
        (lambda: initializers.VarianceScaling(distribution="cauchy"), "distribution: expected"),
        (lambda: initializers.Identity()((3,)), "shape: expected"),
        (lambda: initializers.Zeros()((3, -1)), "shape: expected"),
        (lambda: initializers.Zeros()(3), "shape: expected"),
        (lambda: initializers.Zeros()((3, None)), "shape: expected"),
        (lambda: initializers.HeNormal()((3, 3), "int32"), "dtype: expected"),
        (lambda: initializers.HeNormal()((3, 3), "float99"), "dtype: expected"),
        (lambda: initializers.Constant([1.0, 2.0])((3, 3)), "shape: expected"),
    ],
)
def test_errors_name_the_argument(call, message):
    with pytest.raises(ValueError, match=message):
        call()
