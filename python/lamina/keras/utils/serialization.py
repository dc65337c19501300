"""Objects to and from the dictionaries that Keras stores them in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def serialize_object(obj: Any, module: str) -> dict[str, Any]:
    """{"module", "class_name", "config", "registered_name"} of an object with `get_config`, or of a named
    function.
    """
    if hasattr(obj, "get_config"):
        name = type(obj).__name__
        return {"module": module, "class_name": name, "config": obj.get_config(), "registered_name": None}
    return {
        "module": "builtins",
        "class_name": "function",
        "config": obj.__name__,
        "registered_name": "function",
    }


def deserialize_object(
    config: Any, known: Mapping[str, Any], kind: str, custom_objects: Mapping[str, Any] | None = None
) -> Any:
    """The object of a dictionary that `serialize_object` made.

    Args:
        config: the dictionary; or a name, for an object with default arguments.
        known: classes and functions by name.
        kind: the word for messages, such as "optimizer".
        custom_objects: further classes and functions by name.

    Raises:
        ValueError: no such dictionary, or a name that isn't known.
    """
    if isinstance(config, str):
        config = {"class_name": config, "config": {}}
    if not isinstance(config, Mapping) or "class_name" not in config:
        raise ValueError(f"{kind}: expected a dict with 'class_name' and 'config', got {config!r}")
    class_name, arguments = config["class_name"], config.get("config", {})
    name = arguments if class_name == "function" else class_name
    found = {**known, **(custom_objects or {})}.get(name)
    if found is None:
        raise unknown_name(kind, name, known)
    if not isinstance(found, type):
        return found
    return found.from_config(dict(arguments))  # type: ignore[attr-defined]


def unknown_name(kind: str, name: object, known: Mapping[str, Any]) -> ValueError:
    """The error for a name that isn't known; it lists those that are."""
    return ValueError(
        f"{kind}: expected one of {', '.join(sorted(known))}, got {name!r}; "
        "what else Keras has is not supported yet"
    )
