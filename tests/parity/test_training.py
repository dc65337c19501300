"""Whole trainings in Lamina and in live Keras: histories, evaluate, predict, every weight and optimizer
slot.
"""

from types import ModuleType

import networks
import pytest
import trajectories
from networks import ACTIVATIONS, BODIES, HEADS, OPTIMIZERS, WEIGHTING, Case

FITS = networks.few_cases(36)
STEPS = networks.all_cases()


def test_the_cases_cover_every_level() -> None:
    """A network, activation, loss or optimizer that no case uses would be proved by nothing."""
    for cases in (FITS, STEPS):
        assert {case.body for case in cases} == set(BODIES)
        assert {case.activation for case in cases} == set(ACTIVATIONS)
        assert {case.head for case in cases} == set(HEADS)
        assert {case.optimizer for case in cases} == set(OPTIMIZERS)
        assert {case.weighting for case in cases} == set(WEIGHTING)
    assert len({(case.body, case.activation) for case in STEPS}) == len(BODIES) * len(ACTIVATIONS)
    assert len({(case.optimizer, case.body) for case in STEPS}) == len(BODIES) * len(OPTIMIZERS)
    assert len({(case.activation, case.head) for case in STEPS}) == len(HEADS) * len(ACTIVATIONS)


@pytest.mark.parametrize("case", FITS, ids=str)
def test_fit_in_float32(case: Case, live_keras: ModuleType, lamina_keras: ModuleType) -> None:
    """Three epochs of five batches and a short one, as `fit` runs them by itself."""
    trajectories.assert_same(trajectories.fit(lamina_keras, case), trajectories.fit(live_keras, case), case)


@pytest.mark.parametrize("case", STEPS, ids=str)
@pytest.mark.usefixtures("float64")
def test_steps_in_float64(case: Case, live_keras: ModuleType, lamina_keras: ModuleType) -> None:
    """Three steps whose rounding is so small (below 1e-14 relative) that any other formula or constant shows.

    Keras runs eagerly: measured to give the same numbers, without tracing a graph for each of the networks.
    """
    theirs = trajectories.steps(live_keras, case, 3, run_eagerly=True)
    assert theirs.weights[0].dtype == "float64"
    trajectories.assert_same(trajectories.steps(lamina_keras, case, 3), theirs, case)
