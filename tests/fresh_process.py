"""Small programs in a fresh interpreter, without TensorFlow's threads and signal handlers beside Lamina."""

import json
import os
import subprocess
import sys
import textwrap
from typing import Any

PREAMBLE = """
import json, os, signal, sys, threading, time
import numpy as np
import lamina
from lamina import config, keras

def model(optimizer="adam", inputs=20, seed=1):
    keras.utils.set_random_seed(seed)
    layers = keras.layers
    network = keras.Sequential([keras.Input((inputs,)), layers.Dense(64, "relu")])
    network.add(layers.BatchNormalization())
    network.add(layers.Dropout(0.2))
    network.add(layers.Dense(5, "softmax"))
    network.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return network

def data(rows, inputs=20):
    rng = np.random.default_rng(0)
    return rng.normal(size=(rows, inputs)).astype("float32"), rng.integers(0, 5, rows)

def bits(network):
    return b"".join(weight.tobytes() for weight in network.get_weights()).hex()
"""


def program(body: str) -> list[str]:
    return [sys.executable, "-c", PREAMBLE + textwrap.dedent(body)]


def run(body: str, timeout: float = 60, **environment: str) -> Any:
    """The JSON that the program prints last."""
    done = subprocess.run(
        program(body),
        capture_output=True,
        text=True,
        timeout=timeout,
        env={**os.environ, **environment},
        check=False,
    )
    assert done.returncode == 0, f"exit status {done.returncode}\n{done.stdout}\n{done.stderr}"
    return json.loads(done.stdout.splitlines()[-1])
