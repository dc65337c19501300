"""The names a config may use: Lamina's own, and those that the program registered; no other, no import."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from lamina import keras
from lamina.keras import saving


class Doubled(keras.initializers.Initializer):
    """An initializer of one's own."""

    def __init__(self, by: float = 2.0) -> None:
        self.by = by

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        return np.full(shape, self.by, dtype)

    def get_config(self) -> dict[str, Any]:
        return {"by": self.by}


@pytest.fixture
def registered() -> Iterator[None]:
    saving.register_keras_serializable("mine")(Doubled)
    yield
    saving.get_custom_objects().clear()
    from lamina.keras._saving import registry

    registry._names.clear()


def model() -> Any:
    return keras.Sequential(
        [keras.Input((2,)), keras.layers.Dense(3, kernel_initializer=Doubled(5.0), name="d")]
    )


def test_a_registered_class_is_found(registered: None) -> None:
    assert saving.get_registered_name(Doubled) == "mine>Doubled"
    assert saving.get_registered_object("mine>Doubled") is Doubled
    config = model().get_config()
    entry = config["layers"][1]["config"]["kernel_initializer"]
    assert entry == {
        "module": Doubled.__module__,
        "class_name": "Doubled",
        "config": {"by": 5.0},
        "registered_name": "mine>Doubled",
    }
    again = keras.Sequential.from_config(config)
    assert (again.get_weights()[0] == 5).all()
    assert keras.models.model_from_json(model().to_json()).layers[0].kernel_initializer.by == 5.0


@pytest.mark.parametrize("way", ["scope", "argument"])
def test_a_class_of_a_scope_or_an_argument_is_found(way: str) -> None:
    config = model().get_config()
    with pytest.raises(ValueError, match=r"'Doubled'"):
        keras.Sequential.from_config(config)
    if way == "scope":
        with saving.custom_object_scope({"Doubled": Doubled}):
            again = keras.Sequential.from_config(config)
    else:
        again = keras.Sequential.from_config(config, custom_objects={"Doubled": Doubled})
    assert (again.get_weights()[0] == 5).all()
    assert saving.get_custom_objects() == {}
    assert saving.get_registered_object("Doubled") is None


def test_a_name_alone_is_found_in_scope() -> None:
    with saving.custom_object_scope({"twos": Doubled}):
        assert isinstance(keras.layers.Dense(1, kernel_initializer="twos").kernel_initializer, Doubled)
    with pytest.raises(ValueError, match="got 'twos'"):
        keras.initializers.get("twos")


def test_a_scope_hides_the_outer_one_and_other_threads_do_not_see_it() -> None:
    seen: list[Any] = []
    with saving.CustomObjectScope({"a": 1, "b": 2}), saving.CustomObjectScope({"a": 3}):
        assert [saving.get_registered_object(name) for name in "ab"] == [3, None]
        thread = threading.Thread(target=lambda: seen.append(saving.get_registered_object("a")))
        thread.start()
        thread.join()
    assert seen == [None]
    assert saving.get_registered_object("a") is None


def test_functions_are_found_by_name(registered: None) -> None:
    @saving.register_keras_serializable(name="ours")
    def gap(y_true: Any, y_pred: Any) -> Any:
        return y_true - y_pred

    config = saving.serialize_keras_object(gap)
    assert config["config"] == "Custom>ours"
    assert saving.deserialize_keras_object(config) is gap
    assert saving.deserialize_keras_object({**config, "config": "ours"}) is gap
    assert (
        saving.deserialize_keras_object(
            {"module": "builtins", "class_name": "function", "config": "gap"}, custom_objects={"gap": gap}
        )
        is gap
    )
    with pytest.raises(ValueError, match="lambda"):
        saving.serialize_keras_object(lambda x: x)


def gap(y_true: Any, y_pred: Any) -> Any:
    return y_true - y_pred


class NoConfig:
    pass


def test_what_can_not_be_registered_or_serialized_is_refused() -> None:
    with pytest.raises(ValueError, match=r"get_config\(\), got NoConfig"):
        saving.register_keras_serializable()(NoConfig)
    for wrong in (NoConfig(), Doubled, object()):
        with pytest.raises(TypeError, match=r"get_config\(\)"):
            saving.serialize_keras_object(wrong)


def entry(module: Any, class_name: str, config: Any = None, registered: Any = None) -> dict[str, Any]:
    config = {} if config is None else config
    return {"module": module, "class_name": class_name, "config": config, "registered_name": registered}


HOSTILE = [
    entry("os", "system", {"command": "true"}),
    entry("builtins", "eval", {"source": "1"}),
    entry("builtins", "function", "eval"),
    entry("builtins", "function", "system"),
    entry("os", "function", "system", "system"),
    entry("subprocess", "Popen", {"args": ["true"]}),
    entry("antigravity", "Joke"),
    entry("keras.utils", "get_file", {"fname": "x", "origin": "http://localhost"}),
    entry("keras.config", "function", "enable_unsafe_deserialization"),
    entry("keras.utils", "function", "set_random_seed"),
    entry("keras.models", "function", "load_model"),
    entry("keras.models", "load_model", {"filepath": "x"}),
    entry("keras.layers", "function", "deserialize"),
    entry("keras.losses", "function", "get"),
    entry("keras.losses", "function", "resolve"),
    entry("keras.layers", "Lambda", {"function": {"class_name": "__lambda__", "config": {"value": "x"}}}),
    entry("keras.layers", "TorchModuleWrapper", {"module": "x"}),
    entry("keras.layers", "np"),
    entry("keras.layers", "Any"),
    entry("lamina.keras.layers", "Dense", {"units": 1}),
    entry("lamina.config", "set_num_threads", {}),
    entry("keras.saving.registry", "FunctionType", {}),
    entry("keras.callbacks", "CSVLogger", {"filename": "x"}),
    {"class_name": "__lambda__", "config": {"value": ["x", None, None]}},
    {"class_name": "__typespec__", "spec_name": "x", "module": "os", "config": [], "registered_name": None},
    {"class_name": "__numpy__", "config": {"value": ["x"], "dtype": "O"}},
    {"class_name": "__bytes__", "config": {"value": 3}},
    {"class_name": 3, "config": {}},
    entry("keras.layers", "Dense", "relu"),
    entry("builtins", "function", {"a": 1}),
    entry(["keras"], "Dense", {"units": 1}),
]


@pytest.mark.parametrize("config", HOSTILE, ids=str)
def test_no_other_name_is_reached(config: dict[str, Any]) -> None:
    before = set(sys.modules)
    nested = {
        "name": "m",
        "layers": [entry("keras.layers", "Dense", {"units": 1, "kernel_initializer": config})],
    }
    with pytest.raises(ValueError):
        saving.deserialize_keras_object(config)
    with pytest.raises(ValueError):
        keras.layers.deserialize(config)
    with pytest.raises(ValueError):
        keras.Sequential.from_config({"name": "m", "layers": [config]})
    with pytest.raises((ValueError, TypeError)):
        keras.Sequential.from_config(nested)
    for get in (keras.losses.deserialize, keras.metrics.deserialize, keras.optimizers.deserialize):
        with pytest.raises(ValueError):
            get(config)
    assert set(sys.modules) == before


def test_configs_that_are_none_are_refused() -> None:
    deep: Any = {}
    for _ in range(10_000):
        deep = [deep]
    with pytest.raises(ValueError, match="64 levels"):
        saving.deserialize_keras_object(deep)
    with pytest.raises(ValueError, match="JSON"):
        keras.models.model_from_json("[" * 100_000)
    for wrong in (
        "",
        "{",
        '{"a": 1}',
        "3",
        '{"module": "keras.layers", "class_name": "Flatten", "config": {}}',
    ):
        with pytest.raises(ValueError, match="config: expected"):
            keras.models.model_from_json(wrong)
    for wrong in ({}, {"name": "m"}, {"name": "m", "layers": 3}, {"name": "m", "layers": [3]}, None):
        with pytest.raises(ValueError, match="config: "):
            keras.Sequential.from_config(wrong)
    with pytest.raises(TypeError, match="units"):
        keras.layers.deserialize(entry("keras.layers", "Dense"))
    with pytest.raises(ValueError, match="expected the config of a layer"):
        keras.layers.deserialize(entry("keras.losses", "MeanSquaredError"))


def test_bad_arguments_of_a_clone_are_refused(registered: None) -> None:
    for wrong in (
        {"call_function": print},
        {"clone_function": 3},
        {"input_tensors": 3},
        {"input_tensors": []},
        {"nope": 1},
    ):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            keras.models.clone_model(model(), **wrong)
    with pytest.raises(ValueError, match="model: expected a Sequential"):
        keras.models.clone_model(3)
