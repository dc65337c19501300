"""scikit-learn's MLPClassifier."""

import warnings
from typing import Any

import numpy as np
from cases import Case
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from lamina._bench.network import BETA1, BETA2, EPSILON, Array, Rows

ACTIVATIONS = {"sigmoid": "logistic", "relu": "relu"}


def start(case: Case, weights: list[Array], threads: int) -> "SklearnProgram":
    return SklearnProgram(case, weights)  # its BLAS takes the number of threads from the environment


class SklearnProgram:
    """The classifier, made to go on from given weights."""

    def __init__(self, case: Case, weights: list[Array]) -> None:
        self.case = case
        self.weights = weights
        self.reset()

    def reset(self) -> None:
        case = self.case
        self.model: Any = MLPClassifier(
            case.units[1:-1],
            activation=ACTIVATIONS[case.activation],
            solver=case.optimizer,
            alpha=0.0,
            batch_size=case.batch_size,
            learning_rate_init=case.rate,
            momentum=0.0,
            nesterovs_momentum=False,
            beta_1=BETA1,
            beta_2=BETA2,
            epsilon=EPSILON,
            tol=0.0,
            n_iter_no_change=10**9,
            warm_start=True,  # `fit` goes on from the weights that are there
        )
        # One step makes all that `fit` goes on from; then the weights are put in their place.
        x = np.zeros((case.batch_size, case.units[0]), np.float32)
        classes = np.arange(max(2, case.units[-1]))
        self.model.partial_fit(x, np.resize(classes, len(x)), classes=classes)
        self.model.coefs_ = [w.copy() for w in self.weights[::2]]
        self.model.intercepts_ = [b.copy() for b in self.weights[1::2]]

    def train(
        self, x: Array, y: Array, epochs: int, shuffle: bool, validation: Rows | None = None
    ) -> dict[str, float]:
        self.model.set_params(max_iter=epochs, shuffle=shuffle)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            self.model.fit(x, y)
        return {"loss": float(self.model.loss_)}

    def predict(self, x: Array) -> Array:
        outputs: Array = self.model.predict_proba(x)
        return outputs if self.case.units[-1] > 1 else outputs[:, 1:]
