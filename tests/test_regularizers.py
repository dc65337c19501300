"""Regularizers and constraints on their own, against live Keras: values, edges, names, configs and errors."""

from types import ModuleType
from typing import Any

import numpy as np
import pytest
from tolerances import assert_close, rounding

RNG = np.random.default_rng(7)
ARRAYS = {
    "matrix": RNG.normal(size=(7, 5)),
    "vector": RNG.normal(size=(9,)),
    "cube": RNG.normal(size=(2, 3, 4)),
    "zeros": np.zeros((3, 4)),
    "a row of zeros": np.array([[0.0, 0.0], [3.0, 4.0]]),
    "negative zero": np.array([-0.0, 0.0, -1.0]),
    "nan": np.array([[1.0, np.nan], [2.0, 3.0]]),
    "infinite": np.array([[1.0, np.inf], [-2.0, -3.0]]),
    "huge": np.array([1e19, -1e19]),
    "tiny": np.array([1e-30, -1e-30]),
    "empty": np.zeros((0, 4)),
    "one": np.array([[2.5]]),
    "whole numbers": np.array([[1, -2], [3, 0]]),
}
REGULARIZERS: list[tuple[str, dict[str, Any]]] = [
    ("L1", {}),
    ("L1", {"l1": 0.3}),
    ("L1", {"l1": None}),
    ("L2", {}),
    ("L2", {"l2": 2}),
    ("L2", {"l2": True}),
    ("L1L2", {}),
    ("L1L2", {"l1": 0.2}),
    ("L1L2", {"l1": 0.2, "l2": 0.7}),
    ("L1L2", {"l1": None, "l2": None}),
]
CONSTRAINTS: list[tuple[str, dict[str, Any]]] = [
    ("NonNeg", {}),
    ("Constraint", {}),
    ("MaxNorm", {}),
    ("MaxNorm", {"max_value": 0.5, "axis": -1}),
    ("MaxNorm", {"max_value": 0}),
    ("MaxNorm", {"max_value": -1.0}),
    ("UnitNorm", {}),
    ("UnitNorm", {"axis": -1}),
    ("MinMaxNorm", {}),
    ("MinMaxNorm", {"min_value": 1.0, "max_value": 1.5, "rate": 0.3}),
    ("MinMaxNorm", {"min_value": 3.0, "max_value": 1.0}),
    ("MaxNorm", {"axis": None}),
    ("UnitNorm", {"axis": [0]}),
]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("array", ARRAYS)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_values(array: str, dtype: str, live_keras: ModuleType, lamina_keras: ModuleType) -> None:
    x = ARRAYS[array] if array == "whole numbers" else ARRAYS[array].astype(dtype)
    bound = rounding(x.dtype if x.dtype.kind == "f" else "float32", x.size + 1)
    for module, cases in (("regularizers", REGULARIZERS), ("constraints", CONSTRAINTS)):
        for kind, kwargs in cases:
            if module == "constraints" and x.dtype.kind != "f":
                continue
            ours = getattr(getattr(lamina_keras, module), kind)(**kwargs)(x)
            theirs = np.asarray(getattr(getattr(live_keras, module), kind)(**kwargs)(x))
            assert np.asarray(ours).dtype == theirs.dtype, (kind, kwargs)
            assert_close(ours, theirs, bound, f"{kind} {kwargs}")


@pytest.mark.parametrize("module", ["regularizers", "constraints"])
def test_names_and_configs(module: str, live_keras: ModuleType, lamina_keras: ModuleType) -> None:
    """Every name that Keras knows, and no other; each config goes both ways."""
    from keras.src import constraints, regularizers

    ours, theirs = getattr(lamina_keras, module), getattr(live_keras, module)
    known = {"regularizers": regularizers, "constraints": constraints}[module].ALL_OBJECTS_DICT
    for name, kind in known.items():
        assert type(ours.get(name)).__name__ == kind.__name__
    for name in ("l1_l2", "L3", "maxnorm", ""):
        for library in (ours, theirs):
            with pytest.raises(ValueError, match=r"interpret|expected one of"):
                library.get(name)
    for kind, kwargs in REGULARIZERS if module == "regularizers" else CONSTRAINTS:
        mine, live = getattr(ours, kind)(**kwargs), getattr(theirs, kind)(**kwargs)
        assert mine.get_config() == live.get_config()
        assert ours.serialize(mine) == theirs.serialize(live)
        assert ours.get(theirs.serialize(live)).get_config() == live.get_config()
        assert theirs.get(ours.serialize(mine)).get_config() == mine.get_config()
    assert ours.get(None) is theirs.get(None) is None
    assert ours.serialize(None) is theirs.serialize(None) is None
    found = ours.get("l2" if module == "regularizers" else "non_neg")
    assert ours.get(found) is found
    assert isinstance(ours.get(type(found)), type(found))
    for nothing in (3, [], object()):
        with pytest.raises(ValueError, match="expected"):
            ours.get(nothing)


@pytest.mark.parametrize("factor", [-0.1, "0.1", float("inf"), float("nan"), np.float32(0.1), [0.1]])
def test_bad_factors(factor: Any, live_keras: ModuleType, lamina_keras: ModuleType) -> None:
    for keras in (live_keras, lamina_keras):
        for kind, name in (("L1", "l1"), ("L2", "l2"), ("L1L2", "l1"), ("L1L2", "l2")):
            with pytest.raises(ValueError, match=name):
                getattr(keras.regularizers, kind)(**{name: factor})


LAYERS: list[tuple[str, dict[str, Any]]] = [
    ("Dense", {"units": 3, "kernel_regularizer": "l1", "bias_constraint": "non_neg"}),
    ("Dense", {"units": 3, "bias_regularizer": "L2", "kernel_constraint": "MaxNorm"}),
    ("Dense", {"units": 3, "activity_regularizer": "l1l2"}),
    (
        "BatchNormalization",
        {"gamma_regularizer": "l2", "beta_regularizer": "l1", "gamma_constraint": "unit_norm"},
    ),
    ("BatchNormalization", {"beta_constraint": "min_max_norm"}),
    ("ActivityRegularization", {"l1": 0.1, "l2": 2}),
    ("Dropout", {"rate": 0.5, "activity_regularizer": "l2"}),
]


@pytest.mark.parametrize(("kind", "kwargs"), LAYERS)
def test_configs_of_layers(
    kind: str, kwargs: dict[str, Any], live_keras: ModuleType, lamina_keras: ModuleType
) -> None:
    mine = getattr(lamina_keras.layers, kind)(name="a", **kwargs)
    live = getattr(live_keras.layers, kind)(name="a", **kwargs)
    ours, theirs = mine.get_config(), live.get_config()
    names = [name for name in theirs if "regularizer" in name or "constraint" in name or name in ("l1", "l2")]
    assert {name: ours[name] for name in names} == {name: theirs[name] for name in names}
    assert [name for name in ours if name in names] == names
    assert type(live).from_config(ours).get_config() == theirs
    again = type(mine).from_config(ours)
    assert again.get_config() == ours


def test_errors_name_the_argument(lamina_keras: ModuleType) -> None:
    layers = lamina_keras.layers
    for name in ("kernel_regularizer", "bias_constraint", "activity_regularizer"):
        with pytest.raises(ValueError, match=rf"{name}: .*expected one of"):
            layers.Dense(2, **{name: "no such"})
    for name in ("kernel_regularizer", "activity_regularizer"):
        with pytest.raises(TypeError, match=rf"{name}: .*automatic differentiation"):
            layers.Dense(2, **{name: lambda w: 0.1})
    model = lamina_keras.Sequential([lamina_keras.Input((3,))])
    for axis in (2, -3, "0"):
        with pytest.raises(ValueError, match="axis"):
            model.add(layers.Dense(2, kernel_constraint=lamina_keras.constraints.MaxNorm(axis=axis)))
    assert model.layers == []
    with pytest.raises(ValueError, match="axis"):
        model.add(layers.Dense(2, bias_constraint=lamina_keras.constraints.UnitNorm(axis=1)))


def test_not_in_bfloat16(lamina_keras: ModuleType, live_keras: ModuleType) -> None:
    """Such a model computes, and shows its penalty; but Keras on TensorFlow can't add it to the loss."""
    found = []
    x, y = np.linspace(-1, 2, 12, dtype="float32").reshape(4, 3), np.zeros((4, 2), "float32")
    for keras in (lamina_keras, live_keras):
        dense = keras.layers.Dense(2, activity_regularizer="l2", dtype="mixed_bfloat16")
        model = keras.Sequential([keras.Input((3,)), dense])
        model.set_weights([np.linspace(-1, 1, 6).reshape(3, 2), np.ones(2)])
        model.compile("sgd", "mse")
        for call in (model.train_on_batch, model.test_on_batch):
            with pytest.raises((ValueError, TypeError), match="bfloat16"):
                call(x, y)
        out = np.asarray(model(x)).astype("float32")
        found.append([out, *(float(loss) for loss in model.losses)])
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=2**-7)
