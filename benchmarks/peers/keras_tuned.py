"""Keras on TensorFlow at its best: many steps a call, compiled by XLA."""

from typing import Any

from cases import Case

from lamina._bench.by_keras import KerasProgram
from lamina._bench.network import Array, Rows
from peers.keras_default import tensorflow

STEPS_PER_CALL = 100


def start(case: Case, weights: list[Array], threads: int) -> "TunedProgram":
    tf = tensorflow(threads)
    options = {"steps_per_execution": min(STEPS_PER_CALL, case.steps), "jit_compile": True}
    if case.steps == 1:
        options["steps_per_execution"] = STEPS_PER_CALL
    return TunedProgram(tf.keras, case, weights, options, tf)


class TunedProgram(KerasProgram):
    """Where an epoch is one step, Keras gets many epochs as one, to have steps that it can put together."""

    def __init__(self, keras: Any, case: Case, weights: list[Array], options: Any, tf: Any) -> None:
        self.tf = tf
        super().__init__(keras, case, weights, options)

    def train(
        self, x: Array, y: Array, epochs: int, shuffle: bool, validation: Rows | None = None
    ) -> dict[str, float]:
        if len(x) > self.network.batch_size or epochs == 1:
            return super().train(x, y, epochs, shuffle, validation)
        steps = self.tf.data.Dataset.from_tensors((x, y)).repeat(epochs - 1)
        self.model.fit(steps, verbose=0)
        return super().train(x, y, 1, shuffle, validation)  # its loss is that of the last epoch alone
