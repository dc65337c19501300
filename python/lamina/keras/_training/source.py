"""Sources: where batches come from if not from arrays: generators, PyDatasets, loaders and data sets of
others.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from lamina.keras._training.tracebacks import callers_level
from lamina.keras._training.weights import weights_of_classes
from lamina.keras.utils.py_dataset import PyDataset, batches_ahead, shuffled_order

Batch = tuple[Any, ...]


class Source:
    """Batches that can be gone through again and again.

    Attributes:
        kind: what messages call it.
        batches: how many there are; None if that isn't known.
    """

    kind = "data set"
    takes_class_weight = True

    def __init__(self, data: Any, class_weight: Any = None) -> None:
        self._data = data
        self._class_weight = class_weight
        self.batches: int | None = None

    def first(self) -> Batch:
        """A batch to know the shapes by."""
        batch = next(iter(self), None)
        if batch is None:
            raise ValueError(f"x: expected a {self.kind} of at least one batch, got an empty one")
        return batch

    def __iter__(self) -> Iterator[Batch]:
        """The batches: (x,), (x, y) or (x, y, sample_weight)."""
        for batch in self._raw():
            yield self._checked(batch)

    def on_epoch_begin(self) -> None:
        """Called before the batches of an epoch."""

    def on_epoch_end(self) -> None:
        """Called after them, and once before the first epoch, as in Keras."""

    def _raw(self) -> Iterator[Any]:
        return iter(self._data)

    def _checked(self, batch: Any) -> Batch:
        if isinstance(batch, list):
            batch = tuple(batch)
        elif not isinstance(batch, tuple):
            batch = (batch,)
        if not 1 <= len(batch) <= 3:
            raise ValueError(
                f"x: expected a {self.kind} of (x,), (x, y) or (x, y, sample_weight), "
                f"got a batch of {len(batch)} entries"
            )
        found: Batch = batch
        if self._class_weight is None or len(found) == 1:
            return found
        if len(found) == 3:
            raise ValueError("class_weight: expected one of class_weight and sample_weight, got both")
        return (*found, weights_of_classes(np.asarray(found[1]), self._class_weight))


class GeneratorSource(Source):
    """A generator, or any iterator. Keras looks at its first two batches, and goes through them again when it
    begins anew; what comes behind them comes once.
    """

    kind = "generator"
    takes_class_weight = False

    def __init__(self, data: Any, class_weight: Any = None) -> None:
        super().__init__(data, class_weight)
        self._seen = list(itertools.islice(data, 2))
        if self._seen and not isinstance(self._seen[0], tuple):
            raise ValueError(
                "x: expected a generator that yields tuples (x,), (x, y) or (x, y, sample_weight), "
                f"got one that yields {type(self._seen[0]).__name__}"
            )

    def _raw(self) -> Iterator[Any]:
        return itertools.chain(self._seen, self._data)


class LoaderSource(Source):
    """A torch DataLoader."""

    kind = "torch DataLoader"
    takes_class_weight = False

    def __init__(self, data: Any, class_weight: Any = None) -> None:
        super().__init__(data, class_weight)
        self.batches = len(data) if hasattr(data.dataset, "__len__") else None

    def _raw(self) -> Iterator[Any]:
        for batch in self._data:
            parts = batch if isinstance(batch, (list, tuple)) else (batch,)
            yield tuple(np.asarray(part.detach().cpu()) for part in parts)


class TensorSource(Source):
    """A tf.data.Dataset."""

    kind = "tf.data.Dataset"

    def __init__(self, data: Any, class_weight: Any = None) -> None:
        super().__init__(data, class_weight)
        known = int(data.cardinality())  # negative: infinite, or not known
        self.batches = known if known >= 0 else None

    def _raw(self) -> Iterator[Any]:
        return iter(self._data.as_numpy_iterator())


class PyDatasetSource(Source):
    """A `keras.utils.PyDataset`, read ahead by its workers."""

    kind = "PyDataset"

    def __init__(self, data: PyDataset, class_weight: Any = None, shuffle: bool = False) -> None:
        super().__init__(data, class_weight)
        self._shuffle = shuffle
        self.batches = data.num_batches

    def first(self) -> Batch:
        if self.batches == 0:
            raise ValueError("x: expected a PyDataset of at least one batch, got an empty one")
        return self._checked(self._data[0])

    def on_epoch_begin(self) -> None:
        self._data.on_epoch_begin()

    def on_epoch_end(self) -> None:
        self._data.on_epoch_end()

    def _raw(self) -> Iterator[Any]:
        if self.batches is None:
            return batches_ahead(self._data, itertools.count())
        return batches_ahead(self._data, shuffled_order(self.batches, self._shuffle))


def source_of(
    x: Any, y: Any, sample_weight: Any, class_weight: Any, shuffle: bool | str, name: str = "x"
) -> Source | None:
    """The source that x is; None if it is an array.

    Raises:
        ValueError: targets, weights or class weights are given beside it, though they come with its batches.
    """
    make = _kind(x)
    if make is None:
        return None
    kind = make.kind
    for argument, value in (("y", y), ("sample_weight", sample_weight)):
        if value is not None:
            raise ValueError(f"{argument}: expected None beside a {kind}, whose batches bring their own")
    if class_weight is not None and not make.takes_class_weight:
        raise ValueError(f"class_weight: expected None beside a {kind}, whose batches may bring weights")
    if make is PyDatasetSource:
        source: Source = PyDatasetSource(x, class_weight, bool(shuffle))
        ignored = bool(shuffle) and source.batches is None
    else:
        source, ignored = make(x, class_weight), bool(shuffle)
    if ignored:
        warnings.warn(
            f"shuffle: the batches of a {kind} come in its own order, so that shuffle={shuffle!r} is ignored",
            stacklevel=callers_level(),
        )
    return source


def _kind(x: Any) -> type[Source] | None:
    if isinstance(x, PyDataset):
        return PyDatasetSource
    for parent in type(x).__mro__:
        if parent.__name__ == "DataLoader" and parent.__module__.startswith("torch.utils.data"):
            return LoaderSource
        if parent.__name__ == "DatasetV2" and parent.__module__.startswith("tensorflow."):
            return TensorSource
    return GeneratorSource if isinstance(x, Iterator) else None
