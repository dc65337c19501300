"""PyDataset: batches made by Python code, by several workers ahead of the training."""

from __future__ import annotations

import itertools
import random
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any


class PyDataset:
    """Base class of data sets in which a program makes its batches itself.

    A subclass has `__getitem__(index)`, which returns a whole batch, (x,), (x, y) or (x, y, sample_weight),
    and `__len__` (or the property `num_batches`, None for an endless one), the number of batches; it may have
    `on_epoch_begin` and `on_epoch_end`. `fit` with shuffle=True takes the batches in another order in every
    epoch, by Python's `random`.

    Args:
        workers: batches are made by so many at once, ahead of the training. Default 1: by `fit` itself, as it
            needs them.
        use_multiprocessing: workers are processes, not threads; the data set must be picklable where they are
            not forked. Default False.
        max_queue_size: how many batches are made ahead at most. Default 10.
    """

    def __init__(self, workers: int = 1, use_multiprocessing: bool = False, max_queue_size: int = 10) -> None:
        self._workers = workers
        self._use_multiprocessing = use_multiprocessing
        self._max_queue_size = max_queue_size

    def _told(self, name: str, default: Any) -> Any:
        if name not in self.__dict__:
            warnings.warn(
                f"{type(self).__name__}: expected a constructor that calls super().__init__(**kwargs); "
                "workers, use_multiprocessing and max_queue_size keep their defaults",
                stacklevel=3,
            )
            PyDataset.__init__(self)
        return self.__dict__.get(name, default)

    @property
    def workers(self) -> int:
        return int(self._told("_workers", 1))

    @workers.setter
    def workers(self, value: int) -> None:
        self._workers = value

    @property
    def use_multiprocessing(self) -> bool:
        return bool(self._told("_use_multiprocessing", False))

    @use_multiprocessing.setter
    def use_multiprocessing(self, value: bool) -> None:
        self._use_multiprocessing = value

    @property
    def max_queue_size(self) -> int:
        return int(self._told("_max_queue_size", 10))

    @max_queue_size.setter
    def max_queue_size(self, value: int) -> None:
        self._max_queue_size = value

    def __getitem__(self, index: int) -> Any:
        """The batch of this index."""
        raise NotImplementedError(f"{type(self).__name__}: __getitem__: expected one that returns a batch")

    def __iter__(self) -> Iterator[Any]:
        """The batches in their order; without an end where their number is None or not told."""
        try:
            number = self.num_batches
        except NotImplementedError:
            number = None
        for index in itertools.count() if number is None else range(number):
            yield self[index]

    @property
    def num_batches(self) -> int | None:
        """How many batches there are; None for an endless data set."""
        if hasattr(self, "__len__"):
            return len(self)
        raise NotImplementedError(f"{type(self).__name__}: num_batches: expected it, or __len__")

    def on_epoch_begin(self) -> None:
        """Called before each epoch."""

    def on_epoch_end(self) -> None:
        """Called after each epoch, and once before the first."""


def shuffled_order(batches: int, shuffle: bool) -> Iterable[int]:
    """The indices of the batches, in another order each time if asked for."""
    if not shuffle:
        return range(batches)
    order = list(range(batches))
    random.shuffle(order)
    return order


def batches_ahead(dataset: PyDataset, order: Iterable[int]) -> Iterator[Any]:
    """The batches in this order, made by the data set's workers while earlier ones are used."""
    workers, processes = dataset.workers, dataset.use_multiprocessing
    if workers <= 1 and not (workers == 1 and processes):
        for index in order:
            yield dataset[index]
        return
    from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor

    pool: Executor
    if processes:
        pool = ProcessPoolExecutor(workers, initializer=_serve, initargs=(dataset,))
        ask: Callable[[int], Any] = _served_batch
    else:
        pool = ThreadPoolExecutor(workers)
        ask = dataset.__getitem__
    waiting: deque[Future[Any]] = deque()
    indices = iter(order)
    try:
        for index in itertools.islice(indices, max(dataset.max_queue_size, 1)):
            waiting.append(pool.submit(ask, index))
        while waiting:
            batch = waiting.popleft().result()
            for index in itertools.islice(indices, 1):
                waiting.append(pool.submit(ask, index))
            yield batch
    finally:  # an epoch may end before its batches do
        pool.shutdown(wait=True, cancel_futures=True)


_served: list[PyDataset] = []  # of a worker's process: the one data set that it serves


def _serve(dataset: PyDataset) -> None:
    _served[:] = [dataset]


def _served_batch(index: int) -> Any:
    return _served[0][index]
