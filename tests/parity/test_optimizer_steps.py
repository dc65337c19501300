"""Optimizers on their own: the same gradients give the same variables and the same state as live Keras."""

from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from optimizer_draws import RULES, drawn_optimizers, made
from tolerances import assert_close, rounding

from lamina import _core

SHAPES = {"kernel": (5, 3), "bias": (3,), "wide": (1, 4), "tall": (7, 1), "scalar": (), "deep": (2, 3, 2)}
STEPS = 5


def variables(keras: ModuleType, dtype: str) -> list[Any]:
    rng = np.random.default_rng(3)
    return [keras.Variable(rng.normal(size=shape).astype(dtype), name=name) for name, shape in SHAPES.items()]


def gradients(dtype: str, steps: int = STEPS, seed: int = 4) -> list[list[Any]]:
    rng = np.random.default_rng(seed)
    return [[rng.normal(size=shape).astype(dtype) for shape in SHAPES.values()] for _ in range(steps)]


def assert_same_state(ours: Any, theirs: Any, own: list[Any], live: list[Any], bound: float) -> None:
    unnumbered = "_0123456789"  # Nadam's product is called variable, numbered
    for part in ("path", "name"):
        found, expected = ([getattr(v, part) for v in o.variables] for o in (ours, theirs))
        assert [name.rstrip(unnumbered) for name in found] == [name.rstrip(unnumbered) for name in expected]
    for a, b in zip(ours.variables, theirs.variables, strict=True):
        assert (a.shape, a.dtype) == (tuple(b.shape), b.dtype), a.path
        assert_close(a.numpy(), b.numpy(), 4 * bound, a.path, 1.0)
    for a, b in zip(own, live, strict=True):
        assert_close(a.numpy(), b.numpy(), bound, a.path, 1.0)


def steps(lamina_keras: ModuleType, live_keras: ModuleType, drawn: tuple[Any, ...], dtype: str) -> None:
    ours, theirs = made(lamina_keras, *drawn), made(live_keras, *drawn)
    own, live = variables(lamina_keras, dtype), variables(live_keras, dtype)
    some = 5 if drawn[0].startswith("adafactor") else 6  # which takes no variable of three axes
    own, live = own[:some], live[:some]
    ours.build(own)
    theirs.build(live)
    for grads in gradients(dtype):
        ours.apply(grads[:some], own)
        theirs.apply([live_keras.ops.convert_to_tensor(g) for g in grads[:some]], live)
    assert_same_state(ours, theirs, own, live, rounding(dtype, 24, 4 * STEPS))
    assert int(ours.iterations) == int(theirs.iterations)
    ours.finalize_variable_values(own)
    theirs.finalize_variable_values(live)
    for a, b in zip(own, live, strict=True):
        assert_close(a.numpy(), b.numpy(), rounding(dtype, 24, 4 * STEPS), f"final {a.path}", 1.0)


@pytest.mark.parametrize("rule", RULES)
def test_each_rule(live_keras: ModuleType, lamina_keras: ModuleType, rule: str) -> None:
    steps(lamina_keras, live_keras, (rule, 0.05, {}), "float32")


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("rule", RULES)
def test_each_rule_in_float64(live_keras: ModuleType, lamina_keras: ModuleType, rule: str) -> None:
    steps(lamina_keras, live_keras, (rule, 0.05, {"weight_decay": 0.1}), "float64")


@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(drawn=drawn_optimizers(), dtype=st.sampled_from(["float32", "float32", "float64"]))
@example(drawn=("adam", 0.05, {"clipnorm": 0.5, "weight_decay": 0.1, "use_ema": True}), dtype="float32")
@example(
    drawn=(
        "nadam",
        ("CosineDecay", (0.05, 5)),
        {"gradient_accumulation_steps": 2, "use_ema": True, "ema_overwrite_frequency": 2},
    ),
    dtype="float32",
)
def test_options(live_keras: ModuleType, lamina_keras: ModuleType, drawn: Any, dtype: str) -> None:
    steps(lamina_keras, live_keras, drawn, dtype)


EDGES = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-30, 1e30, -3.0]


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule != "lamb"])  # its norms mix all elements
@pytest.mark.parametrize("options", [{}, {"clipvalue": 1.0, "weight_decay": 0.1}, {"clipnorm": 1.0}], ids=str)
def test_edge_values(live_keras: ModuleType, lamina_keras: ModuleType, rule: str, options: Any) -> None:
    """NaN and infinities stand where they stand in Keras, after one step and after two."""
    ours, theirs = made(lamina_keras, rule, 0.05, options), made(live_keras, rule, 0.05, options)
    values, weights = np.array(EDGES, "float32"), np.linspace(-1, 1, len(EDGES), dtype="float32")
    if (
        "centered" in rule
    ):  # its inf - mean^2 is NaN where mean^2 overflows by itself, not in a fused operation
        values[values == np.float32(1e30)] = 1e18
    own, live = (
        [keras.Variable(weights, name="w"), keras.Variable(weights[:2], name="b")]
        for keras in (lamina_keras, live_keras)
    )
    for _ in range(2):
        ours.apply([values, values[3:5]], own)
        theirs.apply([live_keras.ops.convert_to_tensor(g) for g in (values, values[3:5])], live)
        for a, b in zip(own, live, strict=True):
            x, y = a.numpy(), b.numpy()
            np.testing.assert_array_equal(np.isnan(x), np.isnan(y), err_msg=f"{x} {y}")
            assert_close(np.nan_to_num(x), np.nan_to_num(y), rounding("float32", 24, 8), "edges", 1.0)


@pytest.mark.parametrize("norm", ["clipnorm", "global_clipnorm"])
def test_norms_of_edge_values(live_keras: ModuleType, lamina_keras: ModuleType, norm: str) -> None:
    for values in ([np.nan, 1.0], [np.inf, 1.0], [0.0, 0.0], [1e30, 1.0], [3.0, 4.0]):
        found = []
        for keras in (lamina_keras, live_keras):
            optimizer = keras.optimizers.SGD(1.0, **{norm: 1.0})
            owned = [keras.Variable(np.zeros(2, "float32")), keras.Variable(np.zeros((1, 2), "float32"))]
            optimizer.apply([np.array(values, "float32"), np.ones((1, 2), "float32")], owned)
            found.append([variable.numpy() for variable in owned])
        for a, b in zip(*found, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-6, err_msg=str(values))


def test_a_variable_without_a_gradient_stays(live_keras: ModuleType, lamina_keras: ModuleType) -> None:
    for options in ({}, {"use_ema": True, "clipnorm": 1.0, "gradient_accumulation_steps": 2}):
        ours, theirs = (made(k, "adamw", 0.05, options) for k in (lamina_keras, live_keras))
        own, live = variables(lamina_keras, "float32"), variables(live_keras, "float32")
        ours.build(own)
        theirs.build(live)
        for step, grads in enumerate(gradients("float32", 4)):
            some = [None if (step + i) % 2 else g for i, g in enumerate(grads)]
            with pytest.warns(UserWarning, match="grads: there is none for"):
                ours.apply(some, own)
            with pytest.warns(UserWarning, match="do not exist"):
                theirs.apply([None if g is None else live_keras.ops.convert_to_tensor(g) for g in some], live)
        assert_same_state(ours, theirs, own, live, rounding("float32", 24, 16))


@pytest.mark.parametrize("names", [["bias"], ["kernel", "sc.l"]])
def test_exclusion_from_decay(live_keras: ModuleType, lamina_keras: ModuleType, names: list[str]) -> None:
    found = []
    for keras in (lamina_keras, live_keras):
        optimizer, owned = keras.optimizers.AdamW(0.1, 0.5), variables(keras, "float32")
        optimizer.exclude_from_weight_decay(var_list=[owned[2]], var_names=names)
        for grads in gradients("float32", 2):
            optimizer.apply([keras.Variable(g).value for g in grads], owned)
        found.append([variable.numpy() for variable in owned])
    for a, b in zip(*found, strict=True):
        assert_close(a, b, rounding("float32", 24, 8), "weights", 1.0)


def test_loss_scale_factor(live_keras: ModuleType, lamina_keras: ModuleType) -> None:
    found = []
    for keras in (lamina_keras, live_keras):
        optimizer, owned = keras.optimizers.SGD(0.1, loss_scale_factor=3.0), variables(keras, "float32")
        assert float(optimizer.scale_loss(2.0)) == 6.0
        optimizer.apply([keras.Variable(g).value for g in gradients("float32", 1)[0]], owned)
        found.append([variable.numpy() for variable in owned])
    for a, b in zip(*found, strict=True):
        assert_close(a, b, rounding("float32", 24, 2), "weights", 1.0)


def test_zeros_between_parameters_stay() -> None:
    """Whatever the rule, also without an epsilon: what stands behind a matrix's rows is read by products."""
    for kind in ("rmsprop", "adagrad", "adam", "adadelta", "adamax", "nadam", "lamb", "schedule_free_adamw"):
        for options in ({"epsilon": 0.0}, {"epsilon": 0.0, "clipnorm": 1.0}, {"clipnorm": 1.0}):
            network = _core.Network32(5)
            network.add_dense(1, 5, 3, "linear", True)
            network.build()
            optimizer = _core.Optimizer32(kind, 0.1, initial_accumulator_value=0.0, **options)
            trainer = _core.Trainer32(
                network, optimizer, "mean_squared_error", False, 0.0, "sum_over_batch_size", []
            )
            rng = np.random.default_rng(0)
            data = _core.Dataset(
                rng.normal(size=(8, 5)).astype("float32"), rng.normal(size=(8, 3)).astype("float32")
            )
            trainer.begin_epoch(data, 4, False, 0, 0)
            trainer.train(0, 2)
            for _, _, _, view in network.parameters():
                flat = np.lib.stride_tricks.as_strided(view, (16,), (4,))  # a row and what is behind it
                assert np.isfinite(view).all()
                used = 5 if view.ndim == 2 else 3
                np.testing.assert_array_equal(flat[used:], 0, err_msg=f"{kind} {options}")
