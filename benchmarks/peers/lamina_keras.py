"""Lamina through its Keras face, as a user writes it."""

from cases import Case

from peers import Array
from peers.keras_program import KerasProgram

TITLE = "Lamina"
NEEDS = "lamina"
PACKAGES = ("numpy",)
IMPORT = "from lamina import keras"


def start(case: Case, weights: list[Array], threads: int) -> KerasProgram:
    import lamina

    lamina.config.set_num_threads(threads)
    return KerasProgram(lamina.keras, case, weights)
