"""LossScaleOptimizer: the scale follows what overflows, and the steps are the inner optimizer's."""

from types import ModuleType
from typing import Any

import numpy as np
import pytest

from lamina import keras
from lamina.keras import optimizers

GRADIENTS = [1.0, np.inf, 2.0, 3.0, np.nan, 4.0, 5.0, 6.0, 7.0]


def test_steps_and_scale_are_kerass(live_keras: ModuleType) -> None:
    found: list[Any] = []
    for library in (keras, live_keras):
        inner = library.optimizers.SGD(0.5, momentum=0.5, name="i")
        optimizer = library.optimizers.LossScaleOptimizer(inner, 8.0, 3, name="l")
        w = library.Variable(np.zeros(2, "float32"), name="w")
        optimizer.build([w])
        seen = []
        for gradient in GRADIENTS:
            optimizer.apply([library.Variable(np.array([gradient, 1.0], "float32")).value], [w])
            scaled = float(optimizer.scale_loss(1.0))
            state = [np.asarray(variable.numpy()).ravel().tolist() for variable in optimizer.variables]
            seen.append([w.numpy().tolist(), scaled, state])
        paths = [variable.path for variable in optimizer.variables]
        found.append([seen, paths, optimizer.get_config(), library.optimizers.serialize(optimizer)])
    assert found[0] == found[1]
    again = optimizers.deserialize(found[0][3])
    assert again.get_config() == found[0][2]


def test_fit_leaves_out_what_overflows() -> None:
    """The loss of one batch is large enough for its gradients to overflow when they are scaled by 1e38."""
    keras.utils.set_random_seed(1)
    optimizer = optimizers.LossScaleOptimizer(optimizers.SGD(0.01), 2.0**120, 2)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile(optimizer, "mse")
    x = np.ones((4, 3), "float32")
    before = model.get_weights()
    model.fit(x, np.full(4, 1e6), batch_size=4, verbose=0)
    for ours, same in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(ours, same)
    assert (int(optimizer.iterations), float(optimizer.dynamic_scale)) == (0, 2.0**119)
    model.fit(x, np.ones(4), batch_size=2, verbose=0)
    assert (int(optimizer.iterations), float(optimizer.dynamic_scale)) == (2, 2.0**120)
    assert not np.array_equal(model.get_weights()[0], before[0])
    alone = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    alone.set_weights(before)
    alone.compile(optimizers.SGD(0.01), "mse")
    alone.fit(x, np.ones(4), batch_size=2, verbose=0)
    for ours, same in zip(model.get_weights(), alone.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, same)


@pytest.mark.parametrize(
    "arguments",
    [
        {"inner_optimizer": "sgd"},
        {"inner_optimizer": optimizers.SGD(), "dynamic": False},
        {"inner_optimizer": optimizers.SGD(), "clipnorm": 1.0},
        {"inner_optimizer": optimizers.SGD(), "dynamic_growth_steps": 0},
        {"inner_optimizer": optimizers.SGD(), "nope": 0},
    ],
)
def test_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"expected|unknown"):
        optimizers.LossScaleOptimizer(**arguments)
