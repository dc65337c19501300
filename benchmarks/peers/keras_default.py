"""Keras on TensorFlow, as it comes."""

import os

from cases import Case

from peers import Array
from peers.keras_program import KerasProgram

TITLE = "Keras"
NEEDS = "tensorflow"
PACKAGES = ("keras", "tensorflow", "tensorflow-cpu")
IMPORT = "from tensorflow import keras"


def start(case: Case, weights: list[Array], threads: int) -> KerasProgram:
    os.environ["KERAS_BACKEND"] = "tensorflow"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    tf.config.set_visible_devices([], "GPU")
    return KerasProgram(tf.keras, case, weights)
