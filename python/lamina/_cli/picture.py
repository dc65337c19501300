"""The picture of `lamina demo`: curves above, predictions below."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

_ROWS, _COLUMNS = 2, 8


def formats() -> list[str]:
    """Endings of file names that can be drawn to."""
    return sorted(FigureCanvasAgg.get_supported_filetypes())


def draw(
    path: Path,
    history: Mapping[str, Sequence[float]],
    images: npt.NDArray[Any],
    labels: npt.NDArray[Any],
    guesses: npt.NDArray[Any],
    names: Sequence[str],
) -> None:
    """Draw the loss and accuracy curves and a few test images with what the network takes them for.

    Args:
        path: the file to write; its ending says the format.
        history: "loss", "accuracy", "val_loss", "val_accuracy", a value per epoch.
        images: (n, height, width).
        labels: (n,), the true classes.
        guesses: (n,), the predicted ones.
        names: the classes' names.

    Raises:
        OSError: the file cannot be written.
    """
    figure = Figure(
        figsize=(10, 7.5)
    )  # margins by hand: the layout engines of matplotlib draw everything twice
    curves = figure.add_gridspec(1, 2, left=0.06, right=0.98, top=0.95, bottom=0.57, wspace=0.15)
    axes: Any = curves.subplots()
    for axis, name in zip(axes, ("loss", "accuracy"), strict=True):
        epochs = range(1, len(history[name]) + 1)
        marker = "o" if len(epochs) == 1 else ""
        axis.plot(epochs, history[name], marker=marker, label="training")
        axis.plot(epochs, history[f"val_{name}"], marker=marker, label="validation")
        axis.set_title(name)
        axis.set_xlabel("epoch")
        axis.xaxis.get_major_locator().set_params(integer=True)
        axis.legend()

    pictures = figure.add_gridspec(_ROWS, _COLUMNS, left=0.02, right=0.98, top=0.4, bottom=0.02, hspace=0.35)
    shown = _chosen(labels, guesses, _ROWS * _COLUMNS)
    axes = pictures.subplots()
    for axis, i in zip(axes.flat, shown, strict=False):
        right = guesses[i] == labels[i]
        title = names[guesses[i]] if right else f"{names[guesses[i]]}\nnot {names[labels[i]]}"
        axis.imshow(images[i], cmap="gray_r")
        axis.set_title(title, fontsize=9, color="black" if right else "crimson")
        axis.set_xticks([])
        axis.set_yticks([])
    figure.text(0.5, 0.47, "predictions on test images, mistakes in red", ha="center", fontsize=12)
    figure.savefig(path, dpi=100)


def _chosen(labels: npt.NDArray[Any], guesses: npt.NDArray[Any], count: int) -> npt.NDArray[np.intp]:
    """The first images that are right, then up to a quarter of mistakes, so that both are to be seen."""
    wrong = np.flatnonzero(guesses != labels)[: count // 4]
    right = np.flatnonzero(guesses == labels)[: count - len(wrong)]
    return np.concatenate([right, wrong])
