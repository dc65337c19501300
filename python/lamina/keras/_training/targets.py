"""The door for y: targets in the one shape that loss and output ask for."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from lamina.keras._training.inputs import written
from lamina.keras.layers.shape import Shape

SPARSE = "sparse_categorical_crossentropy"
# Losses whose targets are class numbers, one a position.
OF_CLASSES = (SPARSE, "categorical_generalized_cross_entropy", "circle")
OWN = "own"  # a loss of the user's, which takes any targets
# Losses that see a row of outputs as a whole, so that its length counts.
OF_ROWS = (
    "kl_divergence",
    "cosine_similarity",
    "categorical_hinge",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "dice",
    "tversky",
)


def fitted_targets(y: npt.NDArray[Any], output_shape: Shape, loss: str, name: str) -> npt.NDArray[Any]:
    """`y` in the shape the loss asks for: class numbers (n, ...) for the sparse loss, else the output's own.

    An axis of length 1 at the end is added or dropped, as in Keras; nothing is ever broadcast.

    Args:
        y: what the user passed, as an array.
        output_shape: the model's, with the batch axis, e.g. (None, 10).
        loss: the core's name of the loss.
        name: the argument's name, for messages.

    Raises:
        ValueError: y has another shape.
    """
    wanted = output_shape[:-1] if loss in OF_CLASSES else output_shape
    fitted = y
    if y.ndim == len(wanted) + 1 and y.shape[-1] == 1:
        fitted = y[..., 0]
    elif y.ndim == len(wanted) - 1 and wanted[-1] == 1:
        fitted = y[..., np.newaxis]
    if loss == OWN:
        return fitted if fitted.shape[1:] == tuple(wanted[1:]) else y
    if fitted.shape[1:] != tuple(wanted[1:]):
        raise ValueError(
            f"{name}: expected shape {written(wanted)} for loss {loss!r} and an output of shape "
            f"{written(output_shape)}, got {y.shape}{_hint(y, output_shape, loss)}"
        )
    return fitted


def _hint(y: npt.NDArray[Any], output_shape: Shape, loss: str) -> str:
    if loss in OF_CLASSES and y.shape[1:] == tuple(output_shape[1:]):
        return "; one-hot rows go with loss 'categorical_crossentropy'"
    if loss == "categorical_crossentropy" and y.shape[1:] in (
        tuple(output_shape[1:-1]),
        (*output_shape[1:-1], 1),
    ):
        return f"; class numbers go with loss {SPARSE!r}"
    return ""
