"""Keras on PyTorch."""

import os

from cases import Case

from lamina._bench.by_keras import KerasProgram
from lamina._bench.network import Array


def start(case: Case, weights: list[Array], threads: int) -> KerasProgram:
    os.environ["KERAS_BACKEND"] = "torch"
    import keras
    import torch

    torch.set_num_threads(threads)
    return KerasProgram(keras, case, weights)
