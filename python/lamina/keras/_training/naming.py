"""Automatic names, counted per process: dense, dense_1, batch_normalization …"""

from __future__ import annotations

import re

_counts: dict[str, int] = {}


def auto_name(class_name: str) -> str:
    """The next free name for an object of this class: snake case, numbered from the second on."""
    name = snake_case(class_name)
    count = _counts.get(name, 0)
    _counts[name] = count + 1
    return f"{name}_{count}" if count else name


def checked_name(name: object, class_name: str) -> str:
    """The name given, or an automatic one for None.

    Raises:
        ValueError: not a string, or one with a slash.
    """
    if name is None:
        return auto_name(class_name)
    if not isinstance(name, str) or "/" in name:
        raise ValueError(f"name: expected a string without '/', got {name!r} (of type {type(name).__name__})")
    return name


def get_uid(prefix: str = "") -> int:
    """The next number of this prefix, from 1: one more at every call."""
    _counts[prefix] = _counts.get(prefix, 0) + 1
    return _counts[prefix]


def reset_names() -> None:
    """Forget every name given so far."""
    _counts.clear()


def snake_case(name: str) -> str:
    """A class's name as in automatic names and in files: BatchNormalization is batch_normalization."""
    name = re.sub(r"\W+", "", name)
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)  # -> Batch_Normalization
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()
