"""Networks of every part of the product at once, whole trainings in Lamina and in live Keras, weight by
weight.
"""

from types import ModuleType
from typing import Any

import numpy as np
import product_draws as draws
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from tolerances import adaptive_movement, assert_close, rounding

STEPS = draws.EPOCHS * -(-draws.ROWS // draws.BATCH)
# float64 to spare: an error is carried through eight steps of many layers and grows, but what is wrong is off
# by 1e-4 and more.
BOUND = 1e3 * rounding("float64", 2 * draws.ROWS, STEPS)


@given(product=draws.products())
@settings(
    max_examples=20,
    deadline=None,
    derandomize=True,
    phases=(Phase.generate,),  # a failure is as clear without minutes of shrinking
    database=None,
    suppress_health_check=list(HealthCheck),
)
@pytest.mark.usefixtures("float64")
def test_fit_in_float64(product: dict[str, Any], live_keras: ModuleType, lamina_keras: ModuleType) -> None:
    ours, reported = draws.fitted(lamina_keras, product)
    theirs, expected = draws.fitted(live_keras, product, run_eagerly=True)
    assert list(reported) == list(expected)
    for name, values in expected.items():
        assert_close(reported[name], np.asarray(values), BOUND, name, 1.0)
    movement = adaptive_movement(0.05) if draws.is_adaptive(product) else 1.0
    for mine, live in zip(ours.weights, theirs.weights, strict=True):
        assert_close(mine.numpy(), live.numpy(), BOUND, mine.path, movement)
    for mine, live in zip(ours.optimizer.variables, theirs.optimizer.variables, strict=True):
        assert_close(mine.numpy(), live.numpy(), 4 * BOUND, mine.path, movement)
