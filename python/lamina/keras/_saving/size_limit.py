"""How many weights a config may ask for while a file is loaded: no more than the file can hold."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

_limit = threading.local()


@contextmanager
def at_most(size: int) -> Iterator[None]:
    """Models that are made of configs within may have weights of this many bytes."""
    _limit.size = size
    try:
        yield
    finally:
        _limit.size = None


def check_size(layers: Sequence[Any], shapes: Sequence[Any], where: str) -> None:
    """Refuse layers whose weights are larger than the limit, before any of them is made.

    Args:
        layers: the chain.
        shapes: what each of them takes.
        where: the model, for the message.

    Raises:
        ValueError: they are.
    """
    limit = getattr(_limit, "size", None)
    if limit is None:
        return
    total = 0
    for layer, shape in zip(layers, shapes, strict=False):
        item = 8 if layer.dtype == "float64" else 4
        total += item * sum(math.prod(spec.shape) for spec in layer._weight_specs(shape))
    if total > limit:
        raise ValueError(
            f"{where}: expected a config whose weights the file can hold, in at most {limit} bytes, "
            f"got one of {total} bytes"
        )
