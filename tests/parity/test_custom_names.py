"""Names of one's own as plain strings: each `get` finds them, or refuses them, as Keras's does."""

from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest

# Of each namespace a class to make one's own of.
BASES = {
    "activations": None,
    "constraints": "NonNeg",
    "initializers": "Ones",
    "losses": "MeanSquaredError",
    "metrics": "MeanSquaredError",
    "optimizers": "SGD",
    "regularizers": "L2",
}
# Lamina's own of the same name must not hide them, nor be hidden, other than in Keras.
TAKEN = {"initializers": "Ones", "losses": "mse", "metrics": "mse", "optimizers": "SGD", "regularizers": "l2"}


def own(keras: ModuleType, namespace: str) -> Any:
    base = BASES[namespace]
    if base is None:  # a function of one's own can't be differentiated: the name of one that can
        return keras.activations.tanh
    return type("Own", (getattr(getattr(keras, namespace), base),), {"__module__": "program"})


def gap(y_true: Any, y_pred: Any) -> Any:
    return y_true - y_pred


@pytest.fixture(autouse=True)
def nothing_registered(live_keras: ModuleType, lamina_keras: ModuleType) -> Iterator[None]:
    yield
    for keras in (live_keras, lamina_keras):
        keras.saving.get_custom_objects().clear()


def outcome(get: Callable[[Any], Any], identifier: Any) -> str:
    """The class's or function's name that comes out, or that it was refused."""
    try:
        found = get(identifier)
    except (ValueError, TypeError):
        return "refused"
    return str(getattr(found, "__name__", type(found).__name__))


@pytest.mark.parametrize("namespace", BASES)
def test_names_are_found_where_keras_finds_them(
    namespace: str, live_keras: ModuleType, lamina_keras: ModuleType
) -> None:
    outcomes = []
    for keras in (lamina_keras, live_keras):
        kind, module = own(keras, namespace), getattr(keras, namespace)
        found = {}
        with keras.saving.custom_object_scope({"Mine": kind, "gap": gap, **taken(namespace, kind)}):
            for name in ("Mine", "mine", "gap", TAKEN.get(namespace, "nonesuch"), "nonesuch"):
                found[f"scope {name}"] = outcome(module.get, name)
            if BASES[namespace] is not None:
                found["config"] = outcome(module.get, {"class_name": "Mine", "config": {}})
        if BASES[namespace] is not None:
            keras.saving.register_keras_serializable("ours")(kind)
        for name in ("ours>Own", "Own", "Mine"):
            found[f"registered {name}"] = outcome(module.get, name)
        outcomes.append(found)
    assert outcomes[0] == outcomes[1]


def taken(namespace: str, kind: Any) -> dict[str, Any]:
    return {TAKEN[namespace]: kind} if namespace in TAKEN else {}


def test_an_optimizer_of_ones_own_by_its_name(live_keras: ModuleType, lamina_keras: ModuleType) -> None:
    """`compile` takes the name too, and a config's arguments arrive."""
    for keras in (lamina_keras, live_keras):
        kind = own(keras, "optimizers")
        model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        with keras.saving.custom_object_scope({"Mine": kind}):
            model.compile("Mine", "mse")
            made = keras.optimizers.deserialize({"class_name": "Mine", "config": {"momentum": 0.5}})
        assert type(model.optimizer) is kind
        assert (type(made), made.momentum) == (kind, 0.5)
        keras.saving.register_keras_serializable("ours")(kind)
        model.compile("ours>Own", "mse")
        assert type(model.optimizer) is kind
