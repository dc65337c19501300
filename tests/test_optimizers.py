"""Optimizers: arguments, configs and state. Their steps are compared with Keras's in tests/parity."""

import copy
import pickle
import warnings

import numpy as np
import pytest

from lamina import _core
from lamina.keras import Variable, config, optimizers

NAMES = [
    *("SGD", "RMSprop", "Adagrad", "Adam", "AdamW", "Adadelta", "Adamax", "Nadam", "Ftrl", "Lion", "Lamb"),
    "ScheduleFreeAdamW",
]
OTHER_THAN_DEFAULT = {
    "SGD": {"learning_rate": 0.5, "momentum": 0.9, "nesterov": True},
    "RMSprop": {"learning_rate": 0.5, "rho": 0.8, "momentum": 0.5, "epsilon": 1e-3, "centered": True},
    "Adagrad": {"learning_rate": 0.5, "initial_accumulator_value": 0.3, "epsilon": 1e-3},
    "Adam": {"learning_rate": 0.5, "beta_1": 0.8, "beta_2": 0.99, "epsilon": 1e-3, "amsgrad": True},
    "AdamW": {
        "learning_rate": 0.5,
        "weight_decay": 0.3,
        "beta_1": 0.8,
        "beta_2": 0.99,
        "epsilon": 1e-3,
        "amsgrad": True,
    },
    "Adadelta": {"learning_rate": 0.5, "rho": 0.8, "epsilon": 1e-3},
    "Adamax": {"learning_rate": 0.5, "beta_1": 0.8, "beta_2": 0.99, "epsilon": 1e-3},
    "Nadam": {"learning_rate": 0.5, "beta_1": 0.8, "beta_2": 0.99, "epsilon": 1e-3},
    "Ftrl": {
        "learning_rate": 0.5,
        "learning_rate_power": -0.7,
        "initial_accumulator_value": 0.3,
        "l1_regularization_strength": 0.1,
        "l2_regularization_strength": 0.2,
        "l2_shrinkage_regularization_strength": 0.4,
        "beta": 0.6,
    },
    "Lion": {"learning_rate": 0.5, "beta_1": 0.8, "beta_2": 0.9},
    "Lamb": {"learning_rate": 0.5, "beta_1": 0.8, "beta_2": 0.99, "epsilon": 1e-3},
    "ScheduleFreeAdamW": {
        "learning_rate": 0.5,
        "beta_1": 0.8,
        "beta_2": 0.99,
        "epsilon": 1e-3,
        "warmup_steps": 4,
    },
}
OPTIONS = {
    "weight_decay": 0.01,
    "clipnorm": 1.0,
    "use_ema": True,
    "ema_momentum": 0.9,
    "ema_overwrite_frequency": 3,
    "loss_scale_factor": 2.0,
    "gradient_accumulation_steps": 2,
}


@pytest.fixture
def keras(live_keras):
    return live_keras


@pytest.fixture
def float64():
    config.set_floatx("float64")
    yield
    config.set_floatx("float32")


@pytest.mark.parametrize("arguments", ["default", "other", "options"])
@pytest.mark.parametrize("name", NAMES)
def test_config_is_kerass(keras, name, arguments):
    given = {"default": {}, "other": OTHER_THAN_DEFAULT[name], "options": OPTIONS}[arguments]
    ours, theirs = (
        getattr(optimizers, name)(**given, name="o"),
        getattr(keras.optimizers, name)(**given, name="o"),
    )
    assert ours.get_config() == theirs.get_config()
    assert optimizers.serialize(ours) == keras.optimizers.serialize(theirs)
    assert float(ours.learning_rate) == float(theirs.learning_rate)
    assert ours.iterations == int(theirs.iterations) == 0
    again = optimizers.deserialize(optimizers.serialize(ours))
    assert type(again) is type(ours)
    assert again.get_config() == ours.get_config()
    assert type(ours).from_config(ours.get_config()).get_config() == ours.get_config()


@pytest.mark.parametrize("name", NAMES)
def test_positional_arguments_are_in_kerass_order(keras, name):
    given = list(OTHER_THAN_DEFAULT[name].values())
    ours, theirs = (
        getattr(optimizers, name)(*given, name="o"),
        getattr(keras.optimizers, name)(*given, name="o"),
    )
    assert ours.get_config() == theirs.get_config()


def test_automatic_names(keras):
    kinds = [getattr(optimizers, name) for name in NAMES]
    first = [kind().name for kind in kinds]
    live = [getattr(keras.optimizers, name)().name.rstrip("_0123456789") for name in NAMES]
    assert [name.rstrip("_0123456789") for name in first] == live
    assert all(kind().name != name for kind, name in zip(kinds, first, strict=True))


@pytest.mark.parametrize(
    "identifier",
    ["sgd", "SGD", "RMSprop", "ADAM", "adagrad", "AdamW", "nadam", "schedulefreeadamw", "ftrl", "Lion"],
)
def test_get_in_any_case(keras, identifier):
    ours, theirs = optimizers.get(identifier), keras.optimizers.get(identifier)
    assert type(ours).__name__ == type(theirs).__name__
    assert optimizers.get(ours) is ours
    assert optimizers.get({"class_name": identifier, "config": {"learning_rate": 0.25}}).learning_rate == 0.25


@pytest.mark.parametrize(
    "bad", ["adm", "muonn", 3, optimizers.Adam, lambda: 0, {"config": {}}, {"class_name": "nadamm"}]
)
def test_get_refuses(bad):
    with pytest.raises(ValueError, match="optimizer: expected"):
        optimizers.get(bad)
    assert optimizers.get(None) is None


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("learning_rate", 1),
        ("learning_rate", "0.1"),
        ("learning_rate", None),
        ("learning_rate", float("nan")),
        ("learning_rate", float("inf")),
        ("weight_decay", "a"),
        ("clipnorm", float("nan")),
        ("clipvalue", True),
        ("global_clipnorm", [1.0]),
        ("loss_scale_factor", "2"),
        ("gradient_accumulation_steps", 1),
        ("gradient_accumulation_steps", 2.5),
    ],
)
def test_common_arguments_are_refused_by_name(name, argument, value):
    with pytest.raises(ValueError, match=f"^{argument}: expected"):
        getattr(optimizers, name)(**{argument: value})


@pytest.mark.parametrize(
    "arguments",
    [
        {"clipnorm": 1.0, "clipvalue": 1.0},
        {"clipnorm": 1.0, "global_clipnorm": 1.0},
        {"use_ema": True, "ema_momentum": 1.1},
        {"use_ema": True, "ema_overwrite_frequency": 0.5},
        {"gradient_accumulation_steps": 1},
    ],
)
def test_keras_refuses_the_same_options(keras, arguments):
    for library in (optimizers, keras.optimizers):
        with pytest.raises(ValueError, match=r"clip|ema|accum"):
            library.Adam(**arguments)
    assert optimizers.Adam(ema_momentum=1.1).ema_momentum == 1.1  # only looked at with use_ema, as by Keras


@pytest.mark.parametrize(
    ("name", "argument", "values"),
    [
        ("SGD", "momentum", [0, 1, -0.1, 1.1, "0.9", None, float("nan")]),  # an int raises in Keras too
        ("RMSprop", "rho", [-0.1, 1.1, "a", None, True]),
        ("RMSprop", "momentum", [-0.1, 1.1]),
        ("RMSprop", "epsilon", [-1e-7, None, float("inf")]),
        ("Adagrad", "initial_accumulator_value", [-0.1, None]),
        ("Adagrad", "epsilon", [-1e-7]),
        ("Adam", "beta_1", [1.0, -0.1, None]),
        ("Adam", "beta_2", [1.0, 2, float("nan")]),
        ("Adam", "epsilon", [-1e-7]),
        ("AdamW", "weight_decay", [None]),
        ("Ftrl", "learning_rate_power", [0.1]),
        ("Ftrl", "initial_accumulator_value", [-0.1]),
        ("Ftrl", "l1_regularization_strength", [-0.1]),
        ("Ftrl", "l2_regularization_strength", [-0.1]),
        ("Ftrl", "l2_shrinkage_regularization_strength", [-0.1]),
        ("Lion", "beta_1", [0, 1.1]),
    ],
)
def test_ranges(name, argument, values):
    for value in values:
        with pytest.raises(ValueError, match=f"^{argument}: expected .*, got "):
            getattr(optimizers, name)(**{argument: value})


def test_unknown_arguments():
    with pytest.raises(ValueError, match="unknown arguments lr"):
        optimizers.Adam(lr=0.1)
    with pytest.warns(UserWarning, match="decay"):
        optimizers.SGD(decay=1e-6)
    with pytest.raises(TypeError, match="base class"):
        optimizers.Optimizer(0.1)


def test_learning_rate_is_rounded_to_floatx(keras):
    ours, theirs = optimizers.SGD(), keras.optimizers.SGD()
    for rate in (0.3, np.float32(0.7), np.float64(0.1), 1):
        ours.learning_rate = theirs.learning_rate = rate
        assert ours.learning_rate == float(theirs.learning_rate)
        assert (ours.learning_rate.dtype, ours.learning_rate.path) == (
            "float32",
            f"{ours.name}/learning_rate",
        )
    for bad in (None, "0.1", float("nan"), True):
        with pytest.raises(ValueError, match="learning_rate: expected"):
            ours.learning_rate = bad
    assert ours.learning_rate == 1.0
    ours.learning_rate.assign(0.25)
    assert ours.get_config()["learning_rate"] == 0.25


def test_learning_rate_in_float64(float64):
    assert optimizers.SGD(0.3).learning_rate == 0.3


@pytest.mark.parametrize("name", NAMES)
def test_core_is_made_once_with_every_hyper_parameter(monkeypatch, name):
    made = []

    class Recorder:
        def __init__(self, kind, learning_rate, **hyper):
            made.append((kind, hyper))

        def share(self, iterations, learning_rate):
            self.iterations, self.learning_rate = iterations, learning_rate

    monkeypatch.setattr(_core, "Optimizer32", Recorder)
    given = OTHER_THAN_DEFAULT[name]
    optimizer = getattr(optimizers, name)(**given)
    optimizer.learning_rate = 0.25
    core = optimizer.core("float32")
    assert optimizer.core("float32") is core
    kind = {"AdamW": "adam", "ScheduleFreeAdamW": "schedule_free_adamw"}.get(name, name.lower())
    assert [found for found, _ in made] == [kind]
    assert made[0][1] == {key: value for key, value in given.items() if key != "learning_rate"}
    assert (core.learning_rate, core.iterations) == (0.25, 0)
    optimizer.learning_rate = 0.125
    assert core.learning_rate == 0.125
    with pytest.raises(ValueError, match="served no float32 model"):
        optimizer.core("float64")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("made", [False, True])
def test_copies_keep_everything(name, dtype, made):
    optimizer = getattr(optimizers, name)(**OTHER_THAN_DEFAULT[name])
    if made:
        optimizer.core(dtype)
    optimizer.learning_rate = 0.0625
    for again in (copy.deepcopy(optimizer), pickle.loads(pickle.dumps(optimizer))):
        assert again.get_config() == optimizer.get_config()
        assert again.core(dtype) is not optimizer.core(dtype)
        assert again.learning_rate == 0.0625
        again.learning_rate = 0.5
        assert optimizer.learning_rate == 0.0625


def test_state_survives_copies_of_copies():
    """Slots reach the core only when a model is trained; until then they are carried along."""
    optimizer = optimizers.Adam()
    network = _core.Network32(3)
    network.add_dense(1, 3, 2, "linear", True)
    network.build()
    make = (network, optimizer.core("float32"), "mean_squared_error", False, 0.0, "sum_over_batch_size", [])
    trainer = _core.Trainer32(*make)
    data = _core.Dataset(np.ones((8, 3), "float32"), np.ones((8, 2), "float32"))
    trainer.begin_epoch(data, 4, False, 0, 0)
    trainer.train(0, 2)
    trained = optimizer.core("float32").get_state()
    assert trained[0] == optimizer.iterations == 2
    assert all(np.abs(slot).max() > 0 for slot in trained[1])
    assert len(trained[1]) == 2

    untouched = pickle.loads(pickle.dumps(copy.deepcopy(optimizer)))
    asked = copy.deepcopy(optimizer)
    asked.core("float32")  # a core that no model has bound yet
    for again in (untouched, asked):
        again = copy.deepcopy(again)
        assert again.iterations == 2
        _core.Trainer32(network, again.core("float32"), *make[2:])
        iterations, slots = again.core("float32").get_state()
        assert iterations == 2
        for slot, expected in zip(slots, trained[1], strict=True):
            np.testing.assert_array_equal(slot, expected)


def test_keras_refuses_the_same_momentum(keras):
    for value in (0, 1, -0.1, 1.1):
        with pytest.raises(ValueError, match="momentum"):
            keras.optimizers.SGD(momentum=value)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert optimizers.SGD(momentum=1.0).momentum == 1.0


def test_settings_are_fixed_once_training_has_begun():
    optimizer = optimizers.SGD(momentum=0.9)
    optimizer.momentum = 0.5
    optimizer.core("float32")
    with pytest.raises(AttributeError, match="momentum: can't change once training has begun"):
        optimizer.momentum = 0.1
    assert optimizer.get_config()["momentum"] == 0.5
    assert optimizer.clipnorm is None
    with pytest.raises(AttributeError, match="clipnorm: can't change once training has begun"):
        optimizer.clipnorm = 1.0
    with pytest.warns(UserWarning, match="lr: .* set learning_rate"):
        optimizer.lr = 0.5
    assert optimizer.learning_rate == np.float32(0.01)
    optimizer.learning_rate = np.int64(1)
    assert optimizer.learning_rate == 1.0


@pytest.mark.parametrize("name", ["add_variable", "stateless_apply", "update_step"])
def test_rules_of_one_s_own_are_refused(name):
    with pytest.raises(AttributeError, match=f"keras.Optimizer.{name}: Keras's, but not supported"):
        getattr(optimizers.Adam(), name)

    class Own(optimizers.Adam):
        def update_step(self, gradient, variable, learning_rate):
            """Not what the core would do."""

    with pytest.raises(TypeError, match="update_step"):
        Own()


def test_options_can_change_before_training():
    optimizer = optimizers.SGD()
    optimizer.clipnorm = 1.0
    with pytest.raises(ValueError, match="clipnorm: expected one of"):
        optimizer.clipvalue = 1.0
    optimizer.clipnorm, optimizer.clipvalue = None, 0.5
    w = Variable(np.zeros(2, "float32"))
    optimizer.apply([np.array([3.0, -0.1], "float32")], [w])
    np.testing.assert_allclose(w, [-0.005, 0.001], rtol=1e-6)


def test_applying_to_the_wrong_variables():
    optimizer, known = optimizers.SGD(), Variable(np.zeros(2, "float32"), name="known")
    with pytest.raises(ValueError, match="expected variables, or an optimizer that is built"):
        optimizer.apply([np.ones(2)])
    assert optimizer.apply([]) is None
    optimizer.build([known])
    for grads, variables in (
        ([np.ones(2)], [Variable(np.zeros(2, "float32"))]),
        ([np.ones(3)], [known]),
        ([np.ones(2), np.ones(2)], [known]),
        ([None], [known]),
        ([["a", "b"]], [known]),
    ):
        with pytest.raises(ValueError, match=r"grads|variables"):
            optimizer.apply(grads, variables)
    np.testing.assert_array_equal(known, 0)
    assert optimizer.iterations == 0
    optimizer.apply([np.ones(2)])
    np.testing.assert_allclose(known, -0.01)
    with pytest.raises(ValueError, match="float32 or all float64"):
        optimizers.SGD().build([known, Variable(np.zeros(2))])
    with pytest.raises(ValueError, match="not built yet"):
        optimizer.exclude_from_weight_decay(var_names=["bias"])


def test_own_variables_go_round():
    first, second = optimizers.Adam(0.5, use_ema=True), optimizers.Adam(0.1, use_ema=True)
    v = [Variable(np.ones((3, 2), "float32"), name="w"), Variable(np.ones(2, "float32"), name="b")]
    first.apply([np.ones((3, 2)), np.ones(2)], v)
    store = {}
    first.save_own_variables(store)
    assert list(store) == [str(i) for i in range(2 + 3 * 2)]
    with pytest.warns(UserWarning, match="not built yet"):
        second.load_own_variables(store)
    second.build(v)
    second.load_own_variables(store)
    for ours, theirs in zip(second.variables, first.variables, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert second.learning_rate == 0.5
    second.set_weights([variable.numpy() * 0 for variable in second.variables])
    assert all(np.all(variable.numpy() == 0) for variable in second.variables)
    with pytest.raises(ValueError, match="not built"):
        optimizers.SGD().set_weights([])
