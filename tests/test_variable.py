"""Variable, on its own and as a weight."""

from types import ModuleType
from typing import Any

import numpy as np
import pytest

from lamina import keras


@pytest.mark.parametrize(
    "arguments",
    [
        {"initializer": np.ones((2, 3), "float32")},
        {"initializer": np.ones(3)},
        {"initializer": np.arange(4)},
        {"initializer": 1.5},
        {"initializer": 3},
        {"initializer": [1.0, 2.0], "dtype": "float64", "trainable": False},
        {"initializer": "ones", "shape": (2, 2)},
        {"initializer": "zeros", "shape": (), "dtype": "float64", "name": "z"},
        {"initializer": lambda shape, dtype: np.full(shape, 2.0, dtype), "shape": (3,)},
    ],
    ids=str,
)
def test_made_as_kerass(live_keras: ModuleType, arguments: dict[str, Any]) -> None:
    ours, theirs = keras.Variable(**arguments), live_keras.Variable(**arguments)
    assert (ours.shape, ours.dtype, ours.trainable) == (tuple(theirs.shape), theirs.dtype, theirs.trainable)
    np.testing.assert_array_equal(ours.numpy(), theirs.numpy())
    assert ours.name.rstrip("_0123456789") == theirs.name.rstrip("_0123456789")
    assert ours.path == ours.name


def test_assigning() -> None:
    variable = keras.Variable(np.zeros((2, 2), "float32"), name="v")
    assert variable.assign([[1, 2], [3, 4]]) is variable
    variable.assign_add(np.ones((2, 2)))
    variable.assign_sub(np.full((2, 2), 0.5))
    np.testing.assert_array_equal(variable.numpy(), [[1.5, 2.5], [3.5, 4.5]])
    np.testing.assert_array_equal(2 * variable - 1, [[2, 4], [6, 8]])
    assert np.asarray(variable).dtype == np.float32
    with pytest.raises(ValueError, match="expected shape"):
        variable.assign([1, 2])
    with pytest.raises(ValueError, match="expected shape"):
        variable.assign_add(np.ones((3, 2, 2)))


@pytest.mark.parametrize("read", [np.asarray, np.array, lambda v: v[:], lambda v: v[0], lambda v: v.numpy()])
def test_what_was_read_stays(live_keras: ModuleType, read: Any) -> None:
    """Weights read before a step are compared with those behind it."""
    for of in (live_keras, keras):
        variable = of.Variable(np.array([1.0, 2.0], "float32"))
        before = read(variable)
        variable.assign_add([1.0, 1.0])
        np.testing.assert_array_equal(np.ravel(before), [1, 2][: np.size(before)])


def test_the_live_values_of_a_weight() -> None:
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, kernel_initializer="ones")])
    kernel = model.layers[0].kernel
    kernel.value[0] = 5.0
    kernel[0] += 1.0
    np.testing.assert_array_equal(model.predict(np.ones((1, 1), "float32"), verbose=0), [[6]])
    np.testing.assert_array_equal(np.asarray(kernel), [[6]])


def test_scalars() -> None:
    variable = keras.Variable(2.5)
    assert (float(variable), int(variable), round(variable)) == (2.5, 2, 2.0)
    assert variable > 2
    assert repr(variable) == f"<Variable path={variable.path}, shape=(), dtype=float32, value=2.5>"


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"initializer": "ones"}, ValueError, "shape: expected"),
        ({"initializer": 1.0, "name": "a/b"}, ValueError, "name: expected"),
        ({"initializer": "nope", "shape": ()}, ValueError, "initializer"),
        ({"initializer": [object()]}, TypeError, "initializer: expected real numbers"),
    ],
    ids=str,
)
def test_refused(arguments: dict[str, Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        keras.Variable(**arguments)


def test_weights_are_variables() -> None:
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name="d")], name="m")
    kernel = model.layers[0].kernel
    assert isinstance(kernel, keras.Variable)
    kernel.assign_add(np.ones((3, 2)))
    np.testing.assert_array_equal(model.get_weights()[0], kernel.numpy())


def test_a_loop_of_one_s_own_trains_a_model_and_fit_goes_on() -> None:
    """`apply_gradients` on a model's weights, then `fit`, takes the steps that `fit` alone takes."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(8, 3)), rng.normal(size=(8, 2))
    models = []
    for own_steps in (0, 2):
        keras.utils.set_random_seed(3)
        model = keras.Sequential([keras.Input((3,), dtype="float64"), keras.layers.Dense(2, dtype="float64")])
        model.compile(keras.optimizers.Adam(0.1, clipnorm=0.5, use_ema=True), "mse")
        for _ in range(own_steps):
            error = model.predict(x, verbose=0) - y
            grads = [2 * x.T @ error / error.size, 2 * error.sum(0) / error.size]
            count = model.optimizer.apply_gradients(zip(grads, model.trainable_variables, strict=True))
        model.fit(x, y, batch_size=8, epochs=4 - own_steps, shuffle=False, verbose=0)
        models.append(model)
    assert int(count) == 4
    for a, b in zip(models[0].get_weights(), models[1].get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)
    assert [v.path for v in models[0].optimizer.variables[2:4]] == [
        f"{models[0].optimizer.name}/{v.path.replace('/', '_')}_average"
        for v in models[0].trainable_variables
    ]
