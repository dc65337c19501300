"""Keras on TensorFlow, as it comes."""

import os
from typing import Any

from cases import Case

from lamina._bench.by_keras import KerasProgram
from lamina._bench.network import Array


def start(case: Case, weights: list[Array], threads: int) -> KerasProgram:
    return KerasProgram(tensorflow(threads).keras, case, weights)


def tensorflow(threads: int) -> Any:
    """TensorFlow with so many threads, on the CPU."""
    os.environ["KERAS_BACKEND"] = "tensorflow"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    tf.config.set_visible_devices([], "GPU")
    return tf
