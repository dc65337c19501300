"""Data sets as NumPy arrays: `mnist`, `fashion_mnist` and `digits`, each with `load_data()`.

`mnist` and `fashion_mnist` share Keras's cache (`~/.keras/datasets`, or `$KERAS_HOME/datasets`), so what one
of the two libraries downloaded the other finds. `digits` travels inside the package and needs no network.
"""

from lamina.keras._training.absent import refuse_absent
from lamina.keras.datasets import digits, fashion_mnist, mnist
from lamina.keras.datasets._download import DatasetUnavailableError

__all__ = ["DatasetUnavailableError", "digits", "fashion_mnist", "mnist"]

refuse_absent(__name__)
