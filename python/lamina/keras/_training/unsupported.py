"""Arguments that Keras has and Lamina doesn't yet: refused by name, unless they are left at their default."""

from __future__ import annotations

from typing import Any


def refuse_unless_default(where: str, **arguments: tuple[Any, Any]) -> None:
    """Check (value, default) pairs by argument name.

    Raises:
        ValueError: the first value that is not its default.
    """
    for name, (value, default) in arguments.items():
        if value is default or (isinstance(value, type(default)) and value == default):
            continue
        raise ValueError(f"{where}: {name}: not supported yet, expected {default!r}, got {value!r}")
