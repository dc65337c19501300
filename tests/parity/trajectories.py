"""Train one case in one library, keep everything that can be compared, and compare it."""

from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
from networks import Array, Case
from tolerances import adaptive_movement, assert_close, rounding

EPOCHS = 3
VALIDATION_ROWS = 19
SLOT_NAMES = ("velocity_hat", "average_gradient", "accumulator", "momentum", "velocity")


@dataclass
class Trajectory:
    """What one library made of a case."""

    losses: dict[str, list[float]]
    weights: list[Array]
    slots: dict[str, list[Array]]
    iterations: int
    evaluation: list[float]
    predictions: Array


def slots_of(model: Any) -> dict[str, list[Array]]:
    """The optimizer's slots by Keras's names, each a list in the order of the trainable weights."""
    slots: dict[str, list[Array]] = {}
    if hasattr(model.optimizer, "core"):  # Lamina
        core = model.optimizer.core(str(model.get_weights()[0].dtype))
        for name, _, slot in sorted(core.slots(), key=lambda entry: entry[1]):
            slots.setdefault(name, []).append(np.array(slot))
        return slots
    for variable in model.optimizer.variables[2:]:  # after iterations and learning_rate
        name = next(name for name in SLOT_NAMES if variable.path.endswith("_" + name))
        slots.setdefault(name, []).append(variable.numpy())
    return slots


def fit(keras: ModuleType, case: Case) -> Trajectory:
    """Epochs without shuffling, a short last batch, validation data; then evaluate and predict with other
    batch sizes.
    """
    model = case.build(keras)
    x, y = case.data(case.rows, stream=2)
    validation = case.data(VALIDATION_ROWS, stream=3)
    history = model.fit(
        x,
        y,
        batch_size=case.batch_size,
        epochs=EPOCHS,
        shuffle=False,
        validation_data=validation,
        validation_batch_size=7,
        verbose=0,
        **case.weights_of_rows(case.rows),
    )
    evaluation = model.evaluate(*validation, batch_size=10, verbose=0)
    predictions = model.predict(validation[0], batch_size=6, verbose=0)
    return _collect(model, history.history, evaluation, predictions)


def steps(keras: ModuleType, case: Case, number: int, **compile_options: Any) -> Trajectory:
    """Single steps on one batch each, the last of one row less; then the test of one batch."""
    model = case.build(keras, **compile_options)
    losses: dict[str, list[float]] = {}
    for step in range(number):
        rows = case.batch_size - (step == number - 1)
        x, y = case.data(rows, stream=10 + step)
        for name, value in model.train_on_batch(x, y, return_dict=True, **case.weights_of_rows(rows)).items():
            losses.setdefault(name, []).append(value)
    x, y = case.data(case.batch_size, stream=3)
    evaluation = model.test_on_batch(x, y)
    return _collect(model, losses, evaluation, model.predict_on_batch(x))


def _collect(model: Any, losses: dict[str, list[float]], evaluation: Any, predictions: Any) -> Trajectory:
    return Trajectory(
        losses,
        [np.array(weight) for weight in model.get_weights()],
        slots_of(model),
        int(model.optimizer.iterations),
        list(np.atleast_1d(evaluation)),
        np.asarray(predictions),
    )


def assert_same(lamina: Trajectory, keras: Trajectory, case: Case) -> None:
    """All numbers agree to the rounding of the weights' dtype; names, orders, shapes and dtypes agree
    exactly.
    """
    dtype = keras.weights[0].dtype
    bound = rounding(dtype, case.longest_sum, keras.iterations)
    movement = adaptive_movement(case.learning_rate) if case.is_adaptive else 0.0
    assert lamina.iterations == keras.iterations
    assert list(lamina.losses) == list(keras.losses)
    for name in keras.losses:
        assert_close(lamina.losses[name], keras.losses[name], bound, f"history {name}")
    assert_close(lamina.evaluation, keras.evaluation, bound, "evaluate")
    assert lamina.predictions.dtype == keras.predictions.dtype
    assert_close(lamina.predictions, keras.predictions, bound, "predict")
    assert len(lamina.weights) == len(keras.weights)
    for i, (ours, theirs) in enumerate(zip(lamina.weights, keras.weights, strict=True)):
        assert ours.dtype == theirs.dtype
        assert_close(ours, theirs, bound, f"weight {i} {theirs.shape}", movement)
    assert sorted(lamina.slots) == sorted(keras.slots)
    for name, theirs_of_name in keras.slots.items():
        for i, (ours, theirs) in enumerate(zip(lamina.slots[name], theirs_of_name, strict=True)):
            # Slots are differences and squares of gradients: gradients cancel within the batch, squares
            # double the error.
            assert_close(ours, theirs, 4 * bound, f"slot {name} {i}")
