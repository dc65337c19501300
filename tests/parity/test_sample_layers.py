"""Layers that normalise, rearrange or reshape samples: outputs, trajectories and configs in Lamina and in
live Keras.
"""

from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from networks import initial
from tolerances import assert_close, rounding

ROWS = 6

# Every keyword, and every axis that means something else: (class, arguments, input shape of a sample).
CASES: list[tuple[str, dict[str, Any], tuple[int, ...]]] = [
    ("LayerNormalization", {}, (7,)),
    ("LayerNormalization", {"epsilon": 0.1, "center": False}, (3, 5)),
    ("LayerNormalization", {"axis": 1}, (3, 5)),
    ("LayerNormalization", {"axis": [1, 2], "scale": False}, (3, 5)),
    ("LayerNormalization", {"axis": [-1, 1]}, (3, 4, 5)),
    ("LayerNormalization", {"axis": (2,), "center": False, "scale": False}, (3, 4, 5)),
    ("LayerNormalization", {"gamma_initializer": "zeros", "beta_initializer": "ones"}, (4,)),
    ("LayerNormalization", {"rms_scaling": True}, (7,)),
    ("LayerNormalization", {"rms_scaling": True, "axis": [1, 2], "scale": False, "center": False}, (3, 5)),
    # Three values may lie close to each other, and roundings grow with the ratio of mean and deviation.
    ("LayerNormalization", {"rms_scaling": True, "axis": 1, "epsilon": 0.5}, (3, 5)),
    ("RMSNormalization", {}, (7,)),
    ("RMSNormalization", {"axis": [1, 2], "epsilon": 1e-2}, (3, 5)),
    ("RMSNormalization", {"axis": [-1, -2]}, (2, 3, 5)),
    ("UnitNormalization", {}, (7,)),
    ("UnitNormalization", {"axis": [1, -1]}, (3, 5)),
    ("UnitNormalization", {"axis": 1}, (3, 5)),
    ("GroupNormalization", {"groups": 2}, (8,)),
    ("GroupNormalization", {"groups": -1, "axis": 1}, (3, 5)),
    ("GroupNormalization", {"groups": 3, "epsilon": 0.2, "center": False}, (4, 6)),
    ("GroupNormalization", {"groups": 2, "axis": 1, "scale": False}, (4, 3, 2)),
    ("GroupNormalization", {"groups": 2, "axis": -2}, (3, 4, 2)),
    ("GroupNormalization", {"groups": 1}, (70, 2)),
    ("BatchNormalization", {"axis": 1}, (3, 5)),
    ("BatchNormalization", {"axis": -2, "scale": False, "momentum": 0.5}, (2, 3, 5)),
    ("BatchNormalization", {"renorm": True}, (5,)),
    ("BatchNormalization", {"renorm": True, "renorm_momentum": 0.6, "axis": 1, "center": False}, (3, 5)),
    ("BatchNormalization", {"renorm": True, "scale": False, "renorm_clipping": {"rmin": 0.9}}, (5,)),
    (
        "BatchNormalization",
        {"renorm": True, "momentum": 0.8, "renorm_clipping": {"rmax": 1.1, "dmax": 0.2, "rmin": None}},
        (3, 5),
    ),
    ("Reshape", {"target_shape": (2, -1)}, (3, 4)),
    ("Rescaling", {"scale": np.array([0.5, 2.0, -1.0]), "offset": [1, 0, 3]}, (3,)),
    ("Rescaling", {"scale": 2, "offset": [[[1.0], [-2.0]]]}, (2, 3)),
    ("Rescaling", {"scale": [[1.0, 0.0, 4.0]]}, (2, 3)),
    ("Reshape", {"target_shape": (12,)}, (3, 4)),
    ("Identity", {}, (5,)),
    ("Flatten", {"data_format": "channels_first"}, (2, 3, 4)),
    ("Flatten", {"data_format": "channels_first"}, (5,)),
    ("Normalization", {"mean": 2.0, "variance": 3.0}, (4,)),
    ("Normalization", {"mean": [1.0, 2.0, 3.0], "variance": [0.0, 1.0, 4.0], "invert": True}, (2, 3)),
    ("Normalization", {"axis": (1, 2), "mean": [1.0, 2.0, 3.0], "variance": [0.5, 1.0, 4.0]}, (2, 3)),
    ("Normalization", {"axis": None, "mean": 0.5, "variance": 2.0}, (2, 3)),
]
NAMES = [f"{kind} {kwargs} {shape}" for kind, kwargs, shape in CASES]


def samples(shape: tuple[int, ...], stream: int) -> Any:
    return np.random.default_rng(stream).normal(0.3, 1.4, size=(ROWS, *shape))


def trained(
    keras: ModuleType, layers: list[Any], shape: tuple[int, ...], steps: int
) -> tuple[Any, list[float]]:
    """The layers between two dense ones, after some steps."""
    model = keras.Sequential([keras.Input(shape), *layers])
    model.compile(
        keras.optimizers.SGD(0.05, momentum=0.9),
        "mse",
        **({} if "lamina" in keras.__name__ else {"run_eagerly": True}),
    )
    rng = np.random.default_rng(3)
    fixed = ("mean", "variance", "count", "renorm_stddev")
    model.set_weights(
        [
            weight.numpy() if weight.path.split("/")[-1] in fixed else initial(weight.numpy(), rng)
            for weight in model.weights
        ]
    )
    target = np.random.default_rng(4).normal(size=(ROWS, *model.output_shape[1:]))
    losses = [float(model.train_on_batch(samples(shape, 10 + step), target)) for step in range(steps)]
    return model, losses


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize(("kind", "kwargs", "shape"), CASES, ids=NAMES)
def test_layer_in_a_network(
    kind: str,
    kwargs: dict[str, Any],
    shape: tuple[int, ...],
    live_keras: ModuleType,
    lamina_keras: ModuleType,
) -> None:
    """Between two dense layers, so that the gradient goes through it: losses, weights, outputs, shapes."""
    models, losses = [], []
    for keras in (lamina_keras, live_keras):
        layer = getattr(keras.layers, kind)(**kwargs)
        first = keras.layers.Dense(shape[-1], activation="tanh")
        model, loss = trained(keras, [first, layer, keras.layers.Dense(3)], shape, 3)
        models.append(model)
        losses.append(loss)
    ours, theirs = models
    bound = 16 * rounding("float64", ROWS * int(np.prod(shape)), 3)
    assert_close(*losses, bound, "losses")
    assert ours.output_shape == theirs.output_shape
    names = [[weight.path.split("/")[-1] for weight in model.weights] for model in models]
    assert names[0] == names[1]
    assert [weight.shape for weight in ours.weights] == [tuple(weight.shape) for weight in theirs.weights]
    for one, other, name in zip(ours.get_weights(), theirs.get_weights(), names[0], strict=True):
        assert one.dtype == other.dtype, name
        assert_close(one, other, bound, name)
    x = samples(shape, 30)
    assert_close(ours.predict(x, verbose=0), np.asarray(theirs(x)), bound, "predict")
    for training in (False, True):
        assert_close(np.asarray(ours(x, training=training)), theirs(x, training=training), bound, "call")


@pytest.mark.parametrize(("kind", "kwargs", "shape"), CASES, ids=NAMES)
def test_layer_by_itself_in_float32(
    kind: str,
    kwargs: dict[str, Any],
    shape: tuple[int, ...],
    live_keras: ModuleType,
    lamina_keras: ModuleType,
) -> None:
    """Called on an array; and the config before and after the build."""
    ours, theirs = (getattr(keras.layers, kind)(**kwargs, name="it") for keras in (lamina_keras, live_keras))
    assert _config(ours) == _config(theirs)
    x = samples(shape, 31).astype("float32")
    for training in (False, True):
        expected = np.asarray(theirs(x, training=training) if _trains(kind) else theirs(x))
        assert_close(
            np.asarray(ours(x, training=training)), expected, 4 * rounding("float32", x[0].size), "call"
        )
    assert _config(ours) == _config(theirs)
    assert _config(type(ours).from_config(ours.get_config())) == _config(ours)


def _trains(kind: str) -> bool:
    return kind == "BatchNormalization"


def _config(layer: Any) -> dict[str, Any]:
    config = layer.get_config()
    return {key: value for key, value in config.items() if key != "dtype"}


LAYERS = {
    "dense": lambda keras: keras.layers.Dense(6, activation="sigmoid"),
    "layer": lambda keras: keras.layers.LayerNormalization(axis=[1, 2]),
    "last": lambda keras: keras.layers.LayerNormalization(),
    "rms": lambda keras: keras.layers.RMSNormalization(),
    "group": lambda keras: keras.layers.GroupNormalization(groups=2),
    "unit": lambda keras: keras.layers.UnitNormalization(),
    "batch": lambda keras: keras.layers.BatchNormalization(axis=1),
    "relu": lambda keras: keras.layers.Activation("relu"),
    "reshape": lambda keras: keras.layers.Reshape((3, -1)),
    "identity": lambda keras: keras.layers.Identity(),
}


@given(
    order=st.lists(st.sampled_from(sorted(LAYERS)), min_size=1, max_size=5),
    frozen=st.lists(st.booleans(), min_size=5, max_size=5),
)
@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@pytest.mark.usefixtures("float64")
def test_any_order_any_frozen(
    order: list[str], frozen: list[bool], live_keras: ModuleType, lamina_keras: ModuleType
) -> None:
    """Random networks of these layers, some of them frozen."""
    results = []
    for keras in (lamina_keras, live_keras):
        layers = [keras.layers.Dense(6), *(LAYERS[kind](keras) for kind in order), keras.layers.Dense(2)]
        for layer, flag in zip(layers[1:], frozen, strict=False):
            layer.trainable = not flag
        results.append(trained(keras, layers, (3, 4), 3))
    (ours, our_losses), (theirs, their_losses) = results
    bound = 64 * rounding("float64", ROWS * 24, 3)
    assert_close(our_losses, their_losses, bound, "losses")
    for one, other in zip(ours.weights, theirs.weights, strict=True):
        assert one.shape == tuple(other.shape)
        assert one.trainable == other.trainable
        assert_close(one.numpy(), other.numpy(), bound, one.path, 1.0)


@pytest.mark.parametrize(
    ("kind", "kwargs", "message"),
    [
        ("LayerNormalization", {"axis": 3}, "axis: 3 is out of bounds"),
        ("LayerNormalization", {"axis": [0, 1]}, "axis: the batch axis"),
        ("LayerNormalization", {"axis": [1, -2]}, "axis: expected each axis once"),
        ("RMSNormalization", {"axis": 1}, "axis: expected the last one"),
        ("UnitNormalization", {"axis": -4}, "axis: -4 is out of bounds"),
        ("GroupNormalization", {"groups": 4}, "groups: expected a divisor of the 5 channels, got 4"),
        ("GroupNormalization", {"groups": 0}, "groups: expected an int >= 1, or -1, got 0"),
        ("BatchNormalization", {"axis": 0}, "axis: the batch axis"),
        ("BatchNormalization", {"renorm_momentum": "fast"}, "renorm_momentum: expected a number"),
        *(
            ("BatchNormalization", {"renorm": True, "renorm_clipping": clipping}, message)
            for clipping, message in (
                ({"max": 1.0}, "renorm_clipping: expected a dict with keys of rmin, rmax, dmax"),
                (3.0, "renorm_clipping: expected a dict with keys of rmin, rmax, dmax, got 3.0"),
                ({"rmax": "large"}, "renorm_clipping: rmax: expected a number or None, got 'large'"),
                ({"rmax": 1, "rmin": 2}, "renorm_clipping: rmax: expected rmin, 2.0, or more, got 1.0"),
                ({"dmax": -1}, "renorm_clipping: dmax: expected 0 or more, got -1.0"),
            )
        ),
        ("Rescaling", {"scale": [1.0, 2.0]}, r"scale: expected a number, or an array that fits samples"),
        ("Rescaling", {"scale": 1.0, "offset": np.ones((2, 3, 5))}, r"offset: .* got shape \(2, 3, 5\)"),
        ("Rescaling", {"scale": np.ones((1, 1, 1, 5))}, r"scale: .* got shape \(1, 1, 1, 5\)"),
        ("Rescaling", {"scale": [1.0, float("nan")]}, "scale: expected finite numbers"),
        ("Rescaling", {"scale": ["a"]}, "scale: expected finite numbers"),
        ("Reshape", {"target_shape": (4, -1)}, "target_shape: expected one with as many values"),
        ("Reshape", {"target_shape": (-1, -1)}, "target_shape: expected -1 at most once"),
        ("Reshape", {"target_shape": (2.5,)}, "target_shape: expected ints >= 0"),
        ("Flatten", {"data_format": "wrong"}, "data_format: expected None"),
        ("Normalization", {"mean": 1.0}, "mean, variance: expected both or none"),
        ("Normalization", {"mean": [1.0, 2.0], "variance": 1.0}, "mean, variance: expected one shape"),
        ("Normalization", {"mean": [1.0, 2.0], "variance": [1.0, 2.0]}, "expected an array that fits"),
        ("Normalization", {"axis": 0}, "axis: the batch axis|axis: expected axes of known size"),
        ("Normalization", {"axis": 5}, "axis: expected numbers from -3 to 2"),
    ],
)
def test_what_is_refused(kind: str, kwargs: dict[str, Any], message: str, lamina_keras: ModuleType) -> None:
    with pytest.raises(ValueError, match=message):
        getattr(lamina_keras.layers, kind)(**kwargs)(np.ones((2, 3, 5), "float32"))


def test_lambda_is_refused_with_its_reason(lamina_keras: ModuleType) -> None:
    with pytest.raises(AttributeError, match="needs automatic differentiation"):
        _ = lamina_keras.layers.Lambda


@pytest.mark.usefixtures("float64")
def test_length_one_of_zeros(live_keras: ModuleType, lamina_keras: ModuleType) -> None:
    """Zeros stay zeros, tiny numbers are scaled by 1e12 at most."""
    x = np.array([[0.0, 0.0, 0.0], [1e-13, 0.0, -1e-13], [3.0, 4.0, 0.0]])
    ours, theirs = (keras.layers.UnitNormalization()(x) for keras in (lamina_keras, live_keras))
    assert_close(np.asarray(ours), np.asarray(theirs), rounding("float64", 3), "call")


@pytest.mark.parametrize(
    "arguments", [{}, {"axis": None}, {"axis": 1}, {"axis": (1, 2)}, {"invert": True}], ids=str
)
@pytest.mark.parametrize("form", ["array", "batches", "generator of pairs"])
def test_adapt(
    arguments: dict[str, Any], form: str, live_keras: ModuleType, lamina_keras: ModuleType
) -> None:
    """Statistics of arrays and of batches; then the weights, what is computed, and a second `adapt`."""
    for shape, seed in (((2, 3), 0), ((2, 3), 1)):
        x = np.random.default_rng(seed).normal(5.0, 2.0, size=(300, *shape)).astype("float32")
        forms = {
            "array": lambda x=x: x,
            "batches": lambda x=x: [x[:130], x[130:131], x[131:]],
            "generator of pairs": lambda x=x: ((part, None) for part in np.split(x, 3)),
        }
        if seed == 0:
            layers = [keras.layers.Normalization(**arguments) for keras in (lamina_keras, live_keras)]
        for layer in layers:
            layer.adapt(forms[form]())
        ours, theirs = layers
        bound = 8 * rounding("float32", 300)
        assert [weight.name for weight in ours.weights] == ["mean", "variance", "count"]
        for one, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
            assert one.dtype == other.dtype
            assert_close(one, other, bound, "weight")
        assert_close(ours.mean, np.asarray(theirs.mean), bound, "mean")
        assert_close(np.asarray(ours(x)), np.asarray(theirs(x)), bound, "call")


def test_adapt_in_a_model(lamina_keras: ModuleType) -> None:
    """The statistics of a layer that a built model holds already."""
    layer = lamina_keras.layers.Normalization()
    model = lamina_keras.Sequential([lamina_keras.Input((3,)), layer])
    x = np.random.default_rng(0).normal(7.0, 3.0, size=(500, 3)).astype("float32")
    assert_close(model.predict(x, verbose=0), x, rounding("float32", 3), "before")
    layer.adapt(x)
    y = model.predict(x, verbose=0)
    assert_close(y.mean(axis=0) + 1, np.ones(3), rounding("float32", 500), "mean")
    assert_close(y.std(axis=0), np.ones(3), rounding("float32", 500), "deviation")
    assert model.count_params() == 7
    assert model.trainable_weights == []
