"""LossScaleOptimizer: the scale follows what overflows, and the steps are the inner optimizer's."""

from types import ModuleType
from typing import Any

import numpy as np
import pytest
from tolerances import rounding

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


@pytest.mark.parametrize(("growth", "scale"), [(3, 2.0**120), (1, 2.0**118), (2, 1024.0)])
@pytest.mark.parametrize(
    ("kind", "arguments"),
    [
        ("SGD", {"momentum": 0.9, "weight_decay": 0.1}),
        ("Adam", {"clipnorm": 0.1, "epsilon": 1e-3}),
        ("SGD", {"gradient_accumulation_steps": 2}),
        ("SGD", {"use_ema": True, "ema_overwrite_frequency": 3}),
    ],
)
def test_fit_step_by_step(
    kind: str, arguments: dict[str, Any], growth: int, scale: float, live_keras: ModuleType
) -> None:
    """Losses, weights, scale, counts and slots after every batch are Keras's: with targets whose gradients
    overflow in some batches and are NaN in one, a penalty, and a scale that falls and rises.
    """
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 4)).astype("float32")
    y = rng.normal(size=(60, 2)).astype("float32")
    y[20:24], y[44] = 1e30, np.nan
    found = []
    for library in (keras, live_keras):
        layers = library.layers
        model = library.Sequential(
            [
                library.Input((4,)),
                layers.Dense(5, activation="tanh", kernel_regularizer="l2", name="a"),
                layers.Dense(2, name="b"),
            ],
            name="m",
        )
        values = np.random.default_rng(3)
        model.set_weights([values.normal(size=weight.shape) * 0.3 for weight in model.get_weights()])
        inner = getattr(library.optimizers, kind)(0.01, **arguments, name="i")
        optimizer = library.optimizers.LossScaleOptimizer(inner, scale, growth, name="l")
        model.compile(optimizer, "mse")
        seen: list[Any] = []
        after = library.callbacks.LambdaCallback(
            on_train_batch_end=lambda _, logs, optimizer=optimizer, model=model, seen=seen: seen.append(
                [logs["loss"], *(np.array(v.numpy()) for v in (*optimizer.variables, *model.weights))]
            )
        )
        history = model.fit(x, y, batch_size=4, epochs=2, shuffle=False, verbose=0, callbacks=[after])
        assert list(history.history) == ["loss"]
        found.append(seen)
    assert len(found[0]) == len(found[1]) == 30
    scales = {float(step[4]) for step in found[1]}  # behind the loss, two numbers of no use, the steps
    assert len(scales) > 2
    for step, (ours, theirs) in enumerate(zip(*found, strict=True)):
        bound = 8 * rounding("float32", 20, step + 1)
        for number, (one, other) in enumerate(zip(ours, theirs, strict=True)):
            size = np.abs(np.where(np.isfinite(other), other, 0.0)).max()
            np.testing.assert_allclose(one, other, rtol=0, atol=bound * size, err_msg=f"{step}: {number}")
            assert number not in (3, 4) or float(one) == float(other)


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
