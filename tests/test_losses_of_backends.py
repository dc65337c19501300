"""Every loss and metric of the training loop on the reference backend: the values and steps of the CPU's."""

from typing import Any

import numpy as np
import pytest
from tolerances import rounding

import lamina
from lamina import keras

ROWS, FEATURES, WIDTH = 20, 5, 4
LOSSES = [
    ("MeanAbsoluteError", "values"),
    ("MeanAbsolutePercentageError", "values"),
    ("MeanSquaredLogarithmicError", "values"),
    ("Huber", "values"),
    ("LogCosh", "values"),
    ("Poisson", "values"),
    ("Hinge", "bits"),
    ("SquaredHinge", "bits"),
    ("BinaryFocalCrossentropy", "bits"),
    ("KLDivergence", "values"),
    ("CosineSimilarity", "values"),
    ("CategoricalHinge", "bits"),
    ("CategoricalFocalCrossentropy", "values"),
    ("CategoricalGeneralizedCrossEntropy", "labels"),
    ("Dice", "bits"),
    ("Tversky", "bits"),
    ("Circle", "labels"),
]


def trained(backend: str, loss: str, target: str) -> list[Any]:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(ROWS, FEATURES)).astype("float32")
    y = {
        "values": rng.uniform(0.1, 0.9, (ROWS, WIDTH)),
        "bits": rng.integers(0, 2, (ROWS, WIDTH)),
        "labels": rng.integers(0, WIDTH, ROWS),
    }[target]
    before = lamina.config.get_backend()
    lamina.config.set_backend(backend)
    try:
        model = keras.Sequential([keras.Input((FEATURES,)), keras.layers.Dense(WIDTH, activation="softmax")])
        m = keras.metrics
        measured = (
            [m.SparseTopKCategoricalAccuracy(2)]
            if target == "labels"
            else [
                m.TopKCategoricalAccuracy(2),
                m.PearsonCorrelation(),
                m.ConcordanceCorrelation(),
                m.BinaryAccuracy(threshold=0.2),
                m.AUC(),
            ]
        )
        model.compile("sgd", getattr(keras.losses, loss)(), metrics=measured)
        model.set_weights([rng.normal(size=(FEATURES, WIDTH)), np.zeros(WIDTH)])
        history = model.fit(x, y, batch_size=8, epochs=2, shuffle=False, verbose=0).history
        return [*history.values(), *model.get_weights()]
    finally:
        lamina.config.set_backend(before)


@pytest.mark.parametrize(("loss", "target"), LOSSES)
def test_both_backends_agree(loss: str, target: str) -> None:
    bound = 16 * rounding("float32", ROWS * WIDTH, 6)
    for ours, reference in zip(trained("cpu", loss, target), trained("reference", loss, target), strict=True):
        np.testing.assert_allclose(ours, reference, rtol=bound, atol=bound)
