"""Keras on JAX at its best: many steps a call."""

import os

from cases import Case

from lamina._bench.by_keras import KerasProgram
from lamina._bench.network import Array

STEPS_PER_CALL = 100


def start(case: Case, weights: list[Array], threads: int) -> KerasProgram:
    os.environ["KERAS_BACKEND"] = "jax"  # JAX takes as many threads as the process has CPUs
    import keras

    options = {"steps_per_execution": min(STEPS_PER_CALL, case.steps), "jit_compile": True}
    return KerasProgram(keras, case, weights, options)
