"""Learning rate schedules: their values, their configs, and their way into a training."""

from types import ModuleType
from typing import Any

import numpy as np
import pytest

from lamina import keras
from lamina.keras.optimizers import schedules

CASES: list[tuple[str, tuple[Any, ...]]] = [
    ("ExponentialDecay", (0.1, 100, 0.9)),
    ("ExponentialDecay", (0.1, 7, 0.5, True)),
    ("ExponentialDecay", (1e-3, 2.5, 1.1)),
    ("InverseTimeDecay", (0.1, 10, 0.5)),
    ("InverseTimeDecay", (0.1, 3, 2.0, True)),
    ("PolynomialDecay", (0.1, 50)),
    ("PolynomialDecay", (0.1, 50, 0.01, 0.5)),
    ("PolynomialDecay", (0.1, 20, 0.0, 2.0, True)),
    ("PiecewiseConstantDecay", ([3, 10, 40], [0.1, 0.05, 0.02, 0.01])),
    ("PiecewiseConstantDecay", ([2.7], [1.0, 0.5])),
    ("CosineDecay", (0.1, 60)),
    ("CosineDecay", (0.1, 60, 0.25)),
    ("CosineDecay", (0.0, 40, 0.0, "warm", 0.1, 13)),
    ("CosineDecayRestarts", (0.1, 10)),
    ("CosineDecayRestarts", (0.1, 10, 1.0, 0.8)),
    ("CosineDecayRestarts", (0.1, 8, 1.5, 0.9, 0.1)),
]
STEPS = np.concatenate([np.arange(130), [500, 999, 1000, 12345, 10**6]])


@pytest.mark.parametrize(("name", "arguments"), CASES, ids=str)
def test_values_and_configs_are_kerass(live_keras: ModuleType, name: str, arguments: Any) -> None:
    """float32, each operation rounded: exp, log, pow and cos are off by an ulp or two in either program."""
    ours = getattr(schedules, name)(*arguments)
    theirs = getattr(live_keras.optimizers.schedules, name)(*arguments)
    assert ours.get_config() == theirs.get_config()
    assert schedules.serialize(ours) == live_keras.optimizers.schedules.serialize(theirs)
    again = schedules.deserialize(schedules.serialize(ours))
    assert type(again) is type(ours)
    assert again.get_config() == ours.get_config()
    largest = max(abs(float(theirs(step))) for step in (0, 1, 50))
    for step in STEPS:
        expected = float(theirs(live_keras.ops.convert_to_tensor(step, dtype="int64")))
        assert ours(step) == pytest.approx(expected, rel=4e-6, abs=4e-7 * largest), step
        assert ours(int(step)).dtype == np.float32


def test_steps_between_whole_ones(live_keras: ModuleType) -> None:
    for step in (2.2, 2.7, 2.9):
        ours, theirs = (
            kind.PiecewiseConstantDecay([2.7], [1.0, 0.5])
            for kind in (schedules, live_keras.optimizers.schedules)
        )
        assert float(ours(step)) == float(theirs(step))


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("ExponentialDecay", (0.1, 0, 0.9)),
        ("PolynomialDecay", (0.1, -1)),
        ("CosineDecay", (0.1, 0)),
        ("CosineDecayRestarts", (0.1, 0)),
        ("PiecewiseConstantDecay", ([1, 2], [0.1, 0.2])),
        ("ExponentialDecay", ("0.1", 1, 0.9)),
    ],
)
def test_bad_arguments(name: str, arguments: Any) -> None:
    with pytest.raises(ValueError, match="expected"):
        getattr(schedules, name)(*arguments)


class Halving(schedules.LearningRateSchedule):
    """One of a user's own."""

    def __init__(self, rate: float) -> None:
        self.rate = rate
        self.asked: list[int] = []

    def __call__(self, step: Any) -> Any:
        self.asked.append(int(step))
        return self.rate * 0.5**step

    def get_config(self) -> dict[str, Any]:
        return {"rate": self.rate}


def trained(rate: Any, **arguments: Any) -> Any:
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.compile(keras.optimizers.SGD(rate, **arguments), "mse")
    rng = np.random.default_rng(0)
    model.fit(rng.normal(size=(20, 3)), rng.normal(size=(20, 2)), batch_size=5, epochs=2, verbose=0)
    return model


def test_one_s_own_is_called_at_every_step() -> None:
    schedule = Halving(0.5)
    model = trained(schedule)
    assert schedule.asked == list(range(8))
    same = trained(schedules.ExponentialDecay(0.5, 1, 0.5))
    for ours, theirs in zip(model.get_weights(), same.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert float(model.optimizer.learning_rate) == 0.5**9
    again = keras.optimizers.deserialize(keras.optimizers.serialize(model.optimizer), {"Halving": Halving})
    assert again.get_config()["learning_rate"]["config"] == {"rate": 0.5}


def test_a_function_is_called_at_every_step() -> None:
    rates = iter(np.linspace(0.1, 0.8, 8))
    model = trained(lambda: next(rates))
    assert next(rates, None) is None
    assert model.optimizer.iterations == 8


def test_what_a_schedule_raises_ends_the_training_after_a_whole_step() -> None:
    class Failing(Halving):
        def __call__(self, step: Any) -> Any:
            if step == 3:
                raise OverflowError("enough")
            return super().__call__(step)

    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.compile(keras.optimizers.SGD(Failing(0.5)), "mse")
    with pytest.raises(OverflowError, match="enough"):
        model.fit(np.ones((20, 3)), np.ones((20, 2)), batch_size=2, verbose=0)
    assert model.optimizer.iterations == 3


def test_the_rate_of_a_schedule_is_fixed(live_keras: ModuleType) -> None:
    for library in (keras, live_keras):
        optimizer = library.optimizers.SGD(library.optimizers.schedules.CosineDecay(0.1, 10))
        with pytest.raises(TypeError, match="learning"):
            optimizer.learning_rate = 0.1
        assert float(optimizer.learning_rate) == pytest.approx(0.1)
        assert [v.path for v in optimizer.variables] == [f"{optimizer.name}/iteration"]
    ours = keras.optimizers.SGD(0.1)
    ours.learning_rate = schedules.PolynomialDecay(0.5, 10)
    assert float(ours.learning_rate) == 0.5
    assert schedules.LearningRateSchedule.__call__ is not None
    with pytest.raises(NotImplementedError):
        schedules.LearningRateSchedule()(1)


def test_schedules_survive_copies() -> None:
    import copy
    import pickle

    model = trained(schedules.ExponentialDecay(0.5, 1, 0.5), momentum=0.5)
    x, y = np.ones((4, 3)), np.ones((4, 2))
    twins = [copy.deepcopy(model), pickle.loads(pickle.dumps(model))]
    model.train_on_batch(x, y)
    for twin in twins:
        twin.train_on_batch(x, y)
        assert int(twin.optimizer.iterations) == 9
        for ours, theirs in zip(twin.get_weights(), model.get_weights(), strict=True):
            np.testing.assert_array_equal(ours, theirs)
