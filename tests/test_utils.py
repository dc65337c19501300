"""keras.utils: to_categorical, normalize, set_random_seed, and the dictionaries of configs."""

import random

import numpy as np
import pytest
from tolerances import rounding

import lamina
from lamina.keras import initializers, utils


@pytest.fixture
def keras(live_keras):
    return live_keras


@pytest.mark.parametrize(
    "x", [[0, 2, 1], np.array([[1], [0]]), np.array([[0, 1], [2, 1]]), 3, [1.9, 0.2], [[[1], [0]]], [True]]
)
@pytest.mark.parametrize("num_classes", [None, 5, np.int64(4)])
def test_to_categorical_is_kerass(keras, x, num_classes):
    ours, theirs = utils.to_categorical(x, num_classes), keras.utils.to_categorical(x, num_classes)
    assert ours.dtype == theirs.dtype == np.float64
    np.testing.assert_array_equal(ours, theirs)


def test_to_categorical_counts_negative_numbers_from_the_end(keras):
    np.testing.assert_array_equal(utils.to_categorical([-1, 0], 3), keras.utils.to_categorical([-1, 0], 3))


@pytest.mark.parametrize(("x", "num_classes"), [([0, 3], 3), ([-4], 3), ([], None), ([np.nan], 3)])
def test_to_categorical_names_the_bad_class(x, num_classes):
    with pytest.raises(ValueError, match=r"to_categorical: (x|num_classes): expected"):
        utils.to_categorical(x, num_classes)


def test_to_categorical_of_nothing_with_a_number_of_classes():
    assert utils.to_categorical([], 3).shape == (0, 3)


@pytest.mark.parametrize("order", [1, 2, np.inf])
@pytest.mark.parametrize("shape", [(4,), (3, 4), (2, 3, 4)])
def test_normalize_is_kerass(keras, shape, order):
    x = np.random.default_rng(1).normal(size=shape)
    x[..., 0] = x[0] = 0  # zero vectors
    ours = utils.normalize(x, order=order)
    theirs = keras.utils.normalize(x, order=order)
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(ours, theirs, rtol=rounding(x.dtype, 4))


def test_normalize_along_the_first_axis():
    x = np.array([[3.0, 0.0], [4.0, 2.0]])
    np.testing.assert_allclose(utils.normalize(x, axis=0), [[0.6, 0], [0.8, 1]])


def test_set_random_seed_seeds_python_and_numpy():
    drawn = []
    for _ in range(2):
        utils.set_random_seed(42)
        drawn.append((random.random(), np.random.random()))  # noqa: NPY002
    assert drawn[0] == drawn[1]
    expected = random.Random(42).random(), np.random.RandomState(42).random_sample()
    assert drawn[0] == expected


@pytest.mark.parametrize("seed", ["1", 1.0, None, -1, 2**32, True])
def test_set_random_seed_refuses(seed):
    with pytest.raises(ValueError, match="seed: expected an int"):
        utils.set_random_seed(seed)


def test_set_seed_repeats_what_lamina_draws_and_leaves_numpy_alone():
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    drawn = []
    for seed in (42, np.int64(42), 43):
        lamina.random.set_seed(seed)
        drawn.append(initializers.GlorotUniform()((3, 4)))
    np.testing.assert_array_equal(drawn[0], drawn[1])
    assert (drawn[0] != drawn[2]).any()
    np.testing.assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002
    with pytest.raises(ValueError, match="set_seed: seed: expected an int, got '42'"):
        lamina.random.set_seed("42")
