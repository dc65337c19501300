"""Several models, trained one after another."""

import math
from typing import Any

from lamina._bench.network import Array, Rows


class OneAfterAnother:
    """Programs as one."""

    def __init__(self, programs: list[Any]) -> None:
        self.programs = programs

    def reset(self) -> None:
        for program in self.programs:
            program.reset()

    def train(
        self, x: Array, y: Array, epochs: int, shuffle: bool, validation: Rows | None = None
    ) -> dict[str, float]:
        losses = [program.train(x, y, epochs, shuffle)["loss"] for program in self.programs]
        return {"loss": math.fsum(losses) / len(losses)}

    def predict(self, x: Array) -> Array:
        outputs: Array = self.programs[0].predict(x)
        return outputs
