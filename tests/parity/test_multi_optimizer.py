"""MultiOptimizer and OptimizerMap: each variable's step by its optimizer, in the compiled loop as in live
Keras; configs, files and copies.
"""

import pickle
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from tolerances import assert_close, rounding

ROWS = 23
X = np.random.default_rng(1).normal(size=(ROWS, 4)).astype("float32")
Y = np.random.default_rng(2).normal(size=(ROWS, 2)).astype("float32")
BOUND = 64 * rounding("float32", ROWS, 12)


def by_path(keras: ModuleType) -> Any:
    """Several kinds of optimizer, each with something of its own."""
    o = keras.optimizers
    chosen = o.OptimizerMap(
        o.SGD(0.05, momentum=0.9, nesterov=True, global_clipnorm=0.5),
        {
            ".*first/.*": o.AdamW(o.schedules.ExponentialDecay(0.02, 3, 0.5), weight_decay=0.01),
            ".*last/kernel": o.RMSprop(0.01, use_ema=True, ema_momentum=0.8),
        },
    )
    chosen[".*norm/.*"] = o.Adam(0.03, gradient_accumulation_steps=2, clipvalue=0.2)
    return chosen


def by_function(keras: ModuleType) -> Any:
    """Another optimizer at every call."""
    o = keras.optimizers
    return lambda variable: o.Nadam(0.02) if "kernel" in variable.path else o.Lion(0.005)


def made(keras: ModuleType, choose: Any = by_path) -> Any:
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(6, "tanh", name="first"),
            layers.BatchNormalization(name="norm"),
            layers.Dense(5, "tanh", kernel_regularizer="l2", name="middle"),
            layers.Dense(2, name="last", kernel_constraint="max_norm"),
        ],
        name="net",
    )
    rng = np.random.default_rng(5)
    model.set_weights([rng.uniform(0.1, 0.9, weight.shape) for weight in model.get_weights()])
    model.compile(keras.optimizers.MultiOptimizer(choose(keras)), "mse")
    return model


def fitted(keras: ModuleType, model: Any, **options: Any) -> list[Any]:
    history = model.fit(X, Y, batch_size=6, epochs=3, shuffle=False, verbose=0, **options).history
    optimizer = model.optimizer
    counts = [int(optimizer.iterations), *(int(each.iterations) for each in optimizer.optimizers)]
    return [*history["loss"], *model.get_weights(), *map(np.asarray, optimizer.variables), *counts]


@pytest.mark.parametrize("choose", [by_path, by_function])
def test_fits(choose: Any, live_keras: ModuleType, lamina_keras: ModuleType) -> None:
    ours, theirs = (made(keras, choose) for keras in (lamina_keras, live_keras))
    found = [fitted(lamina_keras, ours), fitted(live_keras, theirs)]
    for i, (our, their) in enumerate(zip(*found, strict=True)):
        assert_close(np.asarray(our, np.float64), np.asarray(their, np.float64), BOUND, str(i), 1e-2)
    names = [variable.path.split("/")[-1] for variable in ours.optimizer.variables]
    theirs_names = [variable.path.split("/")[-1] for variable in theirs.optimizer.variables]
    # What has no parameter's name is numbered by Keras.
    assert names == [re.sub(r"^variable_\d+$", "variable", name) for name in theirs_names]
    kinds = [[type(each).__name__ for each in model.optimizer.optimizers] for model in (ours, theirs)]
    assert kinds[0] == kinds[1]


def test_a_map_s_keys(live_keras: ModuleType, lamina_keras: ModuleType) -> None:
    found = []
    for keras in (lamina_keras, live_keras):
        o = keras.optimizers
        chosen = o.OptimizerMap(o.SGD(name="a"), {"x/.*": o.SGD(name="b"), "x/y": o.SGD(name="c")})
        names = [chosen[key].name for key in ("x/y", "x/z", "z/x/y", "x/")]
        chosen["x/y/.*"] = o.SGD(name="d")
        with pytest.raises(ValueError, match="x/y/z"):
            _ = chosen["x/y/z"]
        with pytest.raises(ValueError, match="x/y"):
            chosen["x/y"] = o.SGD()
        for wrong in (3, o.LossScaleOptimizer(o.SGD()), o.MultiOptimizer(chosen)):
            with pytest.raises(ValueError, match=r"[Oo]ptimizer"):
                chosen["new"] = wrong
        with pytest.raises(ValueError, match="key"):
            chosen[3] = o.SGD()
        for arguments in ((3,), (o.SGD(), 3)):
            with pytest.raises(TypeError, match=r"default_optimizer|optimizer_map"):
                o.OptimizerMap(*arguments)
        del chosen["x/y/.*"]
        found.append([names, len(chosen), list(chosen), chosen.default_optimizer.name])
    assert found[0] == found[1]


def test_configs_go_both_ways(live_keras: ModuleType, lamina_keras: ModuleType) -> None:
    ours, theirs = (
        keras.optimizers.MultiOptimizer(by_path(keras), name="all") for keras in (lamina_keras, live_keras)
    )
    for keras, config in ((lamina_keras, theirs.get_config()), (live_keras, ours.get_config())):
        again = keras.optimizers.MultiOptimizer.from_config(config)
        assert [type(each).__name__ for each in again.optimizers] == ["AdamW", "RMSprop", "Adam", "SGD"]
        assert again.name == "all"
    whole = lamina_keras.optimizers.serialize(ours)
    assert isinstance(lamina_keras.optimizers.deserialize(whole), lamina_keras.optimizers.MultiOptimizer)


def test_files_go_both_ways(live_keras: ModuleType, lamina_keras: ModuleType, tmp_path: Path) -> None:
    """What either saved the other goes on with, slots included."""
    path = str(tmp_path / "model.keras")
    for first, second in (
        (lamina_keras, live_keras),
        (live_keras, lamina_keras),
        (lamina_keras, lamina_keras),
    ):
        model = made(first)
        fitted(first, model)
        model.save(path)
        again = second.models.load_model(path)
        before = [np.asarray(variable) for variable in model.optimizer.variables]
        for one, other in zip(before, again.optimizer.variables, strict=True):
            np.testing.assert_array_equal(one, np.asarray(other))
        for one, other in zip(fitted(first, model), fitted(second, again), strict=True):
            assert_close(np.asarray(one, np.float64), np.asarray(other, np.float64), BOUND, "goes on", 1e-2)


@pytest.mark.parametrize("choose", [by_path, by_function])
def test_copies_go_on_with_the_same_bits(choose: Any, lamina_keras: ModuleType) -> None:
    model = made(lamina_keras, choose)
    fitted(lamina_keras, model)
    if choose is by_function:
        model.optimizer._optimizer_map = str  # a lambda can't be pickled; nothing is chosen anew
    copy = pickle.loads(pickle.dumps(model))
    for one, other in zip(fitted(lamina_keras, model), fitted(lamina_keras, copy), strict=True):
        np.testing.assert_array_equal(one, other)


def test_one_crossing_and_no_python_per_step(lamina_keras: ModuleType) -> None:
    """All epochs are one call into the core: the bits are those of a callback's epoch by epoch."""
    callback = lamina_keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: None)
    found = [fitted(lamina_keras, made(lamina_keras), callbacks=each) for each in (None, [callback])]
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)


def test_own_gradients(live_keras: ModuleType, lamina_keras: ModuleType) -> None:
    found = []
    rng = np.random.default_rng(7)
    grads = [rng.normal(size=shape).astype("float32") for shape in ((3, 2), (2,))]
    for keras in (lamina_keras, live_keras):
        o = keras.optimizers
        variables = [
            keras.Variable(np.ones(shape, "float32"), name=name)
            for name, shape in (("w", (3, 2)), ("b", (2,)))
        ]
        optimizer = o.MultiOptimizer(lambda v, o=o: o.SGD(0.1) if v.name == "b" else o.Adam(0.1))
        for _ in range(2):
            optimizer.apply(grads, variables)
        with pytest.raises(ValueError, match=r"got 1|1 gradients"):
            optimizer.apply(grads[:1], variables[:1])
        found.append([np.array(variable) for variable in variables] + [int(optimizer.iterations)])
    for our, their in zip(*found, strict=True):
        assert_close(our, their, BOUND, "variable")


def test_frozen_and_thawed(lamina_keras: ModuleType) -> None:
    """A frozen layer's slots stay, and go on when it learns again."""
    model = made(lamina_keras)
    fitted(lamina_keras, model)
    model.layers[0].trainable = False
    optimizer = model.optimizer
    kept, slots = model.layers[0].get_weights(), np.array(optimizer.optimizers[0].variables[1])
    model.compile(optimizer, "mse")
    model.fit(X, Y, verbose=0)
    for one, other in zip(kept, model.layers[0].get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(slots, np.array(optimizer.optimizers[0].variables[1]))


def test_errors(lamina_keras: ModuleType) -> None:
    o = lamina_keras.optimizers
    optimizer = o.MultiOptimizer(o.OptimizerMap(o.SGD()))
    with pytest.raises(AttributeError, match="learning_rate: a MultiOptimizer has none"):
        _ = optimizer.learning_rate
    with pytest.raises(AttributeError, match="learning_rate: can't be set"):
        optimizer.learning_rate = 0.1
    with pytest.raises(ValueError, match="optimizer_map: expected an OptimizerMap or a function"):
        o.MultiOptimizer({"a": o.SGD()})
    with pytest.raises(ValueError, match="optimizer_map: expected an OptimizerMap or a function"):
        o.get("multioptimizer")
    with pytest.raises(ValueError, match="optimizer: expected an optimizer, no Loss"):
        made(lamina_keras, lambda keras: lambda variable: "sgd").fit(X, Y, verbose=0)
    shared = o.SGD()
    made(lamina_keras, lambda keras: lambda variable: shared).fit(X, Y, verbose=0)
    with pytest.raises(ValueError, match="optimizer: expected one that works for this model alone"):
        made(lamina_keras, lambda keras: lambda variable: shared).fit(X, Y, verbose=0)
    optimizer = o.MultiOptimizer(o.OptimizerMap(o.SGD()), loss_scale_factor=2.0)
    assert optimizer.optimizers[0].loss_scale_factor == 2.0
    optimizer.loss_scale_factor = 4.0
    assert optimizer.optimizers[0].loss_scale_factor == 4.0


@pytest.mark.parametrize("wrong", [np.ones(3), None])
def test_no_optimizer_steps_where_another_cannot(wrong: Any, lamina_keras: ModuleType) -> None:
    keras = lamina_keras
    variables = [keras.Variable(np.ones(2), name=name) for name in ("first", "second")]
    chosen = keras.optimizers.OptimizerMap(keras.optimizers.SGD(1.0), {"second": keras.optimizers.SGD(1.0)})
    optimizer = keras.optimizers.MultiOptimizer(chosen)
    optimizer.build(variables)
    with pytest.raises(ValueError, match="grads: expected"):
        optimizer.apply([np.ones(2), wrong], variables)
    assert [variable.numpy().tolist() for variable in variables] == [[1, 1], [1, 1]]
    other = [variables[0], keras.Variable(np.ones(2), name="another")]
    with pytest.raises(ValueError, match="variables: expected those that the optimizer was built for"):
        optimizer.apply([np.ones(2)] * 2, other)
