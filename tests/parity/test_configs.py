"""Configs are Keras's: what either library writes, the other reads, and what it reads it writes again."""

from __future__ import annotations

import json
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from lamina import keras

LAYERS: list[tuple[str, dict[str, Any]]] = [
    ("Dense", {"units": 3}),
    ("Dense", {"units": 2, "activation": "tanh", "use_bias": False, "kernel_initializer": "he_normal"}),
    ("Activation", {"activation": "softmax"}),
    ("Dropout", {"rate": 0.25, "seed": 7}),
    ("Dropout", {"rate": 0.5}),
    ("Flatten", {}),
    ("Rescaling", {"scale": 0.5, "offset": 1.0}),
    ("Rescaling", {"scale": np.array([0.5, 1.0, 2.0, 4.0]), "offset": [1, 2, 3, 4]}),
    ("LayerNormalization", {"rms_scaling": True}),
    ("BatchNormalization", {"momentum": 0.9, "center": False}),
    ("BatchNormalization", {"renorm": True}),
    ("BatchNormalization", {"renorm": True, "renorm_clipping": {"rmax": 3.0}, "renorm_momentum": 0.9}),
    ("BatchNormalization", {"beta_initializer": "random_normal"}),
]


def plain(config: Any) -> Any:
    """As a file holds it: tuples are lists."""
    return json.loads(json.dumps(config))


def network(k: Any) -> Any:
    return k.Sequential(
        [
            k.Input((4,), name="rows"),
            k.layers.Dense(6, "relu", kernel_initializer=k.initializers.HeNormal(seed=3), name="first"),
            k.layers.BatchNormalization(name="norm"),
            k.layers.Dropout(0.5, name="drop"),
            k.layers.Dense(3, activation="softmax", name="last"),
        ],
        name="net",
    )


@pytest.mark.parametrize(("kind", "arguments"), LAYERS, ids=str)
def test_layers_have_keras_s_configs(kind: str, arguments: dict[str, Any], live_keras: ModuleType) -> None:
    live = getattr(live_keras.layers, kind)(**arguments, name="it")
    ours = getattr(keras.layers, kind)(**arguments, name="it")
    assert ours.get_config() == live.get_config()
    assert keras.layers.serialize(ours) == live_keras.layers.serialize(live)
    for k, layer in ((live_keras, live), (keras, ours)):
        k.Sequential([k.Input((4,)), layer])
    config = live_keras.layers.serialize(live)
    assert keras.layers.serialize(ours) == config
    again = keras.layers.deserialize(plain(config))
    assert type(again) is type(ours)
    assert plain(keras.layers.serialize(again)) == plain(config)
    assert plain(live_keras.layers.serialize(live_keras.layers.deserialize(plain(config)))) == plain(config)


@pytest.mark.parametrize("when", ["unbuilt", "built", "compiled"])
def test_models_go_both_ways(when: str, live_keras: ModuleType) -> None:
    def made(k: Any) -> Any:
        if when == "unbuilt":
            return k.Sequential([k.layers.Dense(2, name="first"), k.layers.Flatten(name="flat")], name="net")
        model = network(k)
        if when == "compiled":
            metrics = ["mae", k.metrics.MeanSquaredError(name="it")]
            model.compile(k.optimizers.SGD(0.1, momentum=0.5, name="it"), "mse", metrics=metrics)
        return model

    live, ours = made(live_keras), made(keras)
    assert ours.get_config() == live.get_config()
    for k, config in ((keras, live.get_config()), (live_keras, ours.get_config())):
        assert plain(k.Sequential.from_config(plain(config)).get_config()) == plain(live.get_config())
    assert json.loads(ours.to_json(indent=2)) == json.loads(live.to_json())
    again = keras.models.model_from_json(live.to_json())
    assert (again.compiled, again.built) == (when == "compiled", when != "unbuilt")
    assert json.loads(again.to_json()) == json.loads(live.to_json())
    back = live_keras.models.model_from_json(ours.to_json())
    assert json.loads(back.to_json()) == json.loads(live.to_json())
    if when == "compiled":
        assert again.optimizer.get_config() == live.optimizer.get_config()
        assert ours.get_compile_config().keys() == live.get_compile_config().keys()


def test_models_within_models(live_keras: ModuleType) -> None:
    def made(k: Any) -> Any:
        inner = k.Sequential([k.layers.Dense(3, name="a"), k.layers.Flatten(name="b")], name="inner")
        return k.Sequential([k.Input((4,), name="rows"), inner, k.layers.Dense(2, name="c")], name="net")

    live, ours = made(live_keras), made(keras)
    config = plain(live.get_config())
    again = keras.Sequential.from_config(config)
    assert [layer.name for layer in again.layers] == ["inner", "c"]
    assert [weight.shape for weight in again.weights] == [weight.shape for weight in live.weights]
    back = live_keras.Sequential.from_config(plain(ours.get_config()))
    assert [weight.shape for weight in back.weights] == [weight.shape for weight in live.weights]
    assert without_input(plain(ours.get_config())) == without_input(config)
    clone = keras.models.clone_model(ours, recursive=True)
    assert clone.get_config() == ours.get_config()


def without_input(config: Any) -> Any:
    """The config without the input layer of the model within, whose name is numbered."""
    inner = next(entry for entry in config["layers"] if entry["class_name"] == "Sequential")
    inner["config"]["layers"] = [e for e in inner["config"]["layers"] if e["class_name"] != "InputLayer"]
    return config


def test_a_model_that_was_built_later_is_configured_as_keras_s(live_keras: ModuleType) -> None:
    configs = []
    for k in (live_keras, keras):
        model = k.Sequential([k.layers.Dense(2, name="first")], name="net")
        model.build((5, 3))
        config = model.get_config()
        assert config["layers"][0]["config"].pop("name").startswith("input_layer")
        configs.append(config)
    assert configs[1] == configs[0]


def test_objects_of_every_kind_are_serialized_as_keras_does(live_keras: ModuleType) -> None:
    values = [
        None,
        True,
        1.5,
        "text",
        (1, [2.0, None]),
        {"a": (1, 2)},
        b"bytes",
        slice(1, None, 2),
        Ellipsis,
        np.float32(2),
        np.arange(3, dtype=np.int64),
    ]
    for value in values:
        config = live_keras.saving.serialize_keras_object(value)
        assert keras.saving.serialize_keras_object(value) == config
        want, got = (k.saving.deserialize_keras_object(plain(config)) for k in (live_keras, keras))
        assert type(got) is type(want)
        assert str(got) == str(want)
    for make in (
        lambda k: k.initializers.HeNormal(seed=2),
        lambda k: k.losses.MeanSquaredError(reduction="sum", name="it"),
        lambda k: k.metrics.MeanSquaredError(name="it"),
        lambda k: k.optimizers.RMSprop(0.25, name="it"),
        lambda k: k.DTypePolicy("float64"),
        lambda k: k.dtype_policies.deserialize(k.dtype_policies.serialize(k.DTypePolicy("float64"))),
        lambda k: k.losses.mean_squared_error,
        lambda k: k.activations.tanh,
    ):
        config = live_keras.saving.serialize_keras_object(make(live_keras))
        assert keras.saving.serialize_keras_object(make(keras)) == config
        again = keras.saving.deserialize_keras_object(plain(config))
        assert keras.saving.serialize_keras_object(again) == config


NEEDED = {
    "BinaryIoU": {"target_class_ids": [1]},
    "FBetaScore": {},
    "IoU": {"num_classes": 3, "target_class_ids": [0, 2]},
    "MeanIoU": {"num_classes": 3},
    "MeanMetricWrapper": None,  # takes a function
    "OneHotIoU": {"num_classes": 3, "target_class_ids": [1]},
    "OneHotMeanIoU": {"num_classes": 3},
    "PrecisionAtRecall": {"recall": 0.5},
    "RecallAtPrecision": {"precision": 0.5},
    "SensitivityAtSpecificity": {"specificity": 0.5},
    "SpecificityAtSensitivity": {"sensitivity": 0.5},
}


@pytest.mark.parametrize("namespace", ["losses", "metrics"])
def test_losses_and_metrics_are_serialized_as_keras_does(namespace: str, live_keras: ModuleType) -> None:
    ours, live = getattr(keras, namespace), getattr(live_keras, namespace)
    names = {name for name in ours.__all__ if hasattr(live, name)}
    for name in sorted(names - {"get", "serialize", "deserialize", "Loss", "Metric"}):
        arguments = NEEDED.get(name, {})
        if arguments is None:
            continue
        one, other = getattr(ours, name), getattr(live, name)
        assert type(one) is type(other), name
        if isinstance(one, type):
            one, other = one(**arguments, name="it"), other(**arguments, name="it")
        config = plain(live.serialize(other))
        assert plain(ours.serialize(one)) == config, name
        again = ours.deserialize(config)
        assert plain(ours.serialize(again)) == config, name
        assert isinstance(one, type(again)), name


def test_clones_are_keras_s(live_keras: ModuleType) -> None:
    def seeded(layer: Any) -> Any:
        config = layer.get_config()
        if "seed" in config:
            config["seed"] = 11
        return type(layer).from_config(config)

    for clone_function in (None, seeded):
        live, ours = (
            k.models.clone_model(network(k), clone_function=clone_function) for k in (live_keras, keras)
        )
        assert ours.get_config() == live.get_config()
    wider = keras.models.clone_model(network(keras), input_tensors=keras.Input((7,)))
    assert wider.input_shape == (None, 7)
    assert wider.get_config()["layers"][0]["config"]["name"] == "rows"
