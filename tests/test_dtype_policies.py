"""Dtype policies: under every name of Keras's, for all layers or one, and what they say about themselves."""

import copy
import pickle
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from bfloat16_oracle import rounded

from lamina import _core, keras
from lamina.keras import layers

MIXED = "mixed_bfloat16"


@pytest.fixture(autouse=True)
def policy_as_before() -> Iterator[None]:
    yield
    keras.dtype_policies._global = None
    keras.config.set_floatx("float32")


def model(**kwargs: Any) -> Any:
    return keras.Sequential(
        [keras.Input((6,)), layers.Dense(5, "relu"), layers.Dense(4, "softmax", **kwargs)]
    )


def test_the_policy_is_floatx_until_it_is_set() -> None:
    assert keras.config.dtype_policy() == keras.DTypePolicy("float32")
    keras.config.set_floatx("float64")
    assert keras.config.dtype_policy().name == "float64"
    keras.config.set_dtype_policy(MIXED)
    assert keras.config.dtype_policy().name == MIXED
    keras.config.set_dtype_policy(keras.DTypePolicy("float32"))
    assert layers.Dense(2).dtype == "float32"


@pytest.mark.parametrize(
    "set_policy",
    [
        keras.config.set_dtype_policy,
        keras.mixed_precision.set_global_policy,
        keras.mixed_precision.set_dtype_policy,
    ],
)
@pytest.mark.parametrize("kind", [keras.DTypePolicy, keras.mixed_precision.Policy, keras.FloatDTypePolicy])
def test_every_name_sets_it(set_policy: Any, kind: Any) -> None:
    set_policy(kind(MIXED))
    for ask in (
        keras.config.dtype_policy,
        keras.mixed_precision.global_policy,
        keras.mixed_precision.dtype_policy,
    ):
        assert ask() == keras.DTypePolicy(MIXED)
    assert layers.Dense(2).compute_dtype == "bfloat16"


def test_what_layers_and_policies_say(live_keras: ModuleType) -> None:
    for policy in ("float32", "float64", MIXED):
        ours, theirs = keras.DTypePolicy(policy), live_keras.DTypePolicy(policy)
        for name in ("name", "compute_dtype", "variable_dtype", "quantization_mode"):
            assert getattr(ours, name) == getattr(theirs, name)
        assert repr(ours) == repr(theirs)
        assert ours.get_config() == theirs.get_config()
        assert keras.DTypePolicy.from_config(ours.get_config()) == ours
        for dtype in (policy, ours, {"class_name": "DTypePolicy", "config": {"name": policy}}):
            layer = layers.Dense(2, dtype=dtype, name="d")
            expected = live_keras.layers.Dense(2, dtype=policy, name="d")
            for name in ("dtype", "compute_dtype", "variable_dtype"):
                assert getattr(layer, name) == getattr(expected, name)
            assert layer.dtype_policy == ours
            assert layer.get_config()["dtype"] == expected.get_config()["dtype"]
            assert layers.Dense.from_config(layer.get_config()).dtype_policy == ours
    assert layers.Dense(2, dtype=live_keras.DTypePolicy(MIXED)).compute_dtype == "bfloat16"
    assert layers.Dense(2, dtype=np.float64).dtype == "float64"
    assert keras.DTypePolicy(MIXED) != keras.DTypePolicy("float32")
    assert keras.dtype_policies.get(None) == keras.config.dtype_policy()


@pytest.mark.parametrize(
    "name", ["mixed_float16", "bfloat16", "float16", "int8", "int8_from_float32", "foo", "", 3]
)
def test_other_policies_are_refused_by_one_error(name: Any) -> None:
    for argument, call in (
        ("name", keras.DTypePolicy),
        ("policy", keras.config.set_dtype_policy),
        ("policy", keras.mixed_precision.set_global_policy),
        ("dtype", lambda dtype: layers.Dense(2, dtype=dtype)),
        ("dtype", keras.dtype_policies.get),
    ):
        with pytest.raises(
            ValueError, match=rf"^{argument}: expected 'float32', 'float64' or 'mixed_bfloat16', got"
        ):
            call(name)
    with pytest.raises(ValueError, match=r"^policy: expected"):
        keras.config.set_dtype_policy(None)
    assert keras.config.dtype_policy().name == "float32"
    with pytest.raises(AttributeError, match=r"keras.dtype_policies.QuantizedDTypePolicy: Keras's, but not"):
        _ = keras.dtype_policies.QuantizedDTypePolicy


def test_weights_are_float32_and_results_hold_bfloat16(live_keras: ModuleType) -> None:
    keras.config.set_dtype_policy(MIXED)
    network = model()
    network.compile("adam", "sparse_categorical_crossentropy")
    assert (network.dtype, network.compute_dtype, network.variable_dtype) == (
        "float32",
        "bfloat16",
        "float32",
    )
    assert network.dtype_policy == keras.DTypePolicy(MIXED)
    x = np.random.default_rng(0).normal(size=(50, 6))
    network.fit(x, np.arange(50) % 4, verbose=0)
    assert {weight.dtype for weight in network.weights} == {"float32"}
    assert not np.array_equal(rounded(network.layers[0].kernel), network.layers[0].kernel)
    for out in (
        network.predict(x, verbose=0),
        network(x).numpy(),
        network.predict_on_batch(x),
        network.layers[0](x),
    ):
        assert out.dtype == np.float32
        np.testing.assert_array_equal(rounded(out), out)
    # Keras gives the same numbers in a dtype that NumPy doesn't know by itself.
    live_keras.config.set_dtype_policy(MIXED)
    theirs = live_keras.Sequential([live_keras.Input((6,)), live_keras.layers.Dense(4)])
    live_keras.config.set_dtype_policy("float32")
    assert theirs.predict(x, verbose=0).dtype.name == "bfloat16"


def test_a_float32_head_is_exact() -> None:
    keras.config.set_dtype_policy(MIXED)
    network = model(dtype="float32")
    x = np.random.default_rng(0).normal(size=(50, 6))
    out = network.predict(x, verbose=0)
    assert not np.array_equal(rounded(out), out)
    hidden = np.asarray(network.layers[0](x)).astype(np.float64)
    logits = hidden @ np.asarray(network.layers[1].kernel) + np.asarray(network.layers[1].bias)
    exact = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    np.testing.assert_allclose(out, exact, rtol=1e-5)


@pytest.mark.parametrize(
    ("stack", "casts"),
    [
        (lambda: [layers.Dense(3)], set()),
        (lambda: [layers.Flatten(), layers.Dense(3)], set()),
        (lambda: [layers.BatchNormalization(), layers.Dense(3)], {0}),
        (lambda: [layers.Dropout(0.5), layers.Dense(3)], {0}),
        (lambda: [layers.LayerNormalization(), layers.Dense(3)], set()),
        (lambda: [layers.Identity(), layers.LayerNormalization()], {1}),
        (lambda: [layers.Dense(3, dtype="float32"), layers.LayerNormalization(), layers.Dense(2)], set()),
        (lambda: [layers.Flatten(), layers.Dense(3, dtype="float32")], {1}),
        (lambda: [layers.Flatten()], {1}),
        (lambda: [layers.Dense(3, dtype="float32"), layers.Activation("relu"), layers.Dense(2)], {1}),
        (lambda: [layers.Dense(3, dtype="float32"), layers.Flatten()], {2}),
        (lambda: [layers.Dense(3), layers.Dense(3, dtype="float32"), layers.Dense(2)], set()),
    ],
)
def test_casts_stand_where_float32_meets_bfloat16(stack: Any, casts: set[int]) -> None:
    from lamina.keras._training.assembly import casts_before

    keras.config.set_dtype_policy(MIXED)
    assert casts_before(stack()) == casts
    network = keras.Sequential([keras.Input((4, 2)), *stack()])
    x = np.random.default_rng(0).normal(size=(3, 4, 2)).astype(np.float32)
    alone = x
    for layer in network.layers:
        alone = np.asarray(layer(alone))
    assert np.abs(network.predict(x, verbose=0) - alone).max() <= 2.0**-7 * np.abs(alone).max()


def test_float64_and_bfloat16_do_not_meet_in_one_model() -> None:
    with pytest.raises(
        ValueError, match=r"dtype: expected one for all layers, got float64 for .* and float32"
    ):
        keras.Sequential([keras.Input((3,)), layers.Dense(2, dtype="float64"), layers.Dense(2, dtype=MIXED)])


def test_copies_go_on_alike() -> None:
    keras.config.set_dtype_policy(MIXED)
    network = keras.Sequential(
        [
            keras.Input((6,)),
            layers.BatchNormalization(),
            layers.Dense(9, "tanh"),
            layers.Dropout(0.3),
            layers.Dense(4, "softmax"),
        ]
    )
    network.compile("adam", "sparse_categorical_crossentropy")
    x, y = np.random.default_rng(0).normal(size=(90, 6)), np.arange(90) % 4
    network.fit(x, y, verbose=0)
    keras.config.set_dtype_policy("float32")
    copies = [copy.deepcopy(network), pickle.loads(pickle.dumps(network))]
    network.fit(x, y, verbose=0)
    for other in copies:
        other.fit(x, y, verbose=0)
        for ours, theirs in zip(network.get_weights(), other.get_weights(), strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_threads_do_not_change_a_training() -> None:
    from lamina import config

    before, results = config.get_num_threads(), []
    x, y = np.random.default_rng(0).normal(size=(300, 70)), np.arange(300) % 4
    try:
        for threads in (1, 2, 3):
            config.set_num_threads(threads)
            keras.utils.set_random_seed(1)
            keras.config.set_dtype_policy(MIXED)
            network = keras.Sequential(
                [
                    keras.Input((70,)),
                    layers.Dense(300, "relu"),
                    layers.Dropout(0.2),
                    layers.Dense(4, "softmax"),
                ]
            )
            network.compile("sgd", "sparse_categorical_crossentropy")
            network.fit(x, y, batch_size=128, epochs=2, verbose=0)
            results.append(b"".join(weight.tobytes() for weight in network.get_weights()))
    finally:
        config.set_num_threads(before)
    assert len(set(results)) == 1


def test_the_reference_backend_trains_alike() -> None:
    from lamina import config

    trained = []
    for backend in ("cpu", "reference"):
        config.set_backend(backend)
        try:
            keras.utils.set_random_seed(1)
            keras.config.set_dtype_policy(MIXED)
            network = keras.Sequential(
                [
                    keras.Input((20,)),
                    layers.Dense(30, "tanh"),
                    layers.BatchNormalization(),
                    layers.Rescaling(np.linspace(0.5, 2, 30), np.linspace(-1, 1, 30)),
                    layers.Normalization(mean=0.3, variance=0.5),
                    layers.RMSNormalization(),
                    layers.GaussianDropout(0.2, seed=3),
                    layers.Dense(4, "softmax"),
                ]
            )
        finally:
            config.set_backend("cpu")
        network.compile("sgd", "sparse_categorical_crossentropy")
        rng = np.random.default_rng(0)
        network.fit(rng.normal(size=(100, 20)), np.arange(100) % 4, shuffle=False, verbose=0)
        trained.append(network.get_weights())
    for ours, theirs in zip(*trained, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=2.0**-8 * np.abs(theirs).max())


def test_the_order_of_the_instruction_sets() -> None:
    """The sets with instructions for bfloat16 stand behind those without."""
    names = _core.build_info()["isa_available"]
    known = ["baseline", "avx2", "avx512", "avx512_bf16", "amx"]
    assert names == known[: len(names)]
