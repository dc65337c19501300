"""What each namespace's `serialize` and `deserialize` share."""

from __future__ import annotations

import types
from collections.abc import Mapping
from typing import Any

from lamina.keras._saving.objects import deserialize_keras_object, found_function, serialize_keras_object
from lamina.keras._saving.registry import CustomObjectScope, custom_objects_now


def serialize_object(obj: Any, module: str) -> dict[str, Any]:
    """{"module", "class_name", "config", "registered_name"} of an object with `get_config`, or of a named
    function.

    Args:
        obj: the object; one of the program's own goes by the name it was registered under.
        module: the namespace that Lamina's own objects are of.
    """
    kind = type(obj)
    if kind.__module__.split(".")[0] == "lamina" and not isinstance(obj, types.FunctionType):
        config = serialize_keras_object(obj.get_config())
        return {"module": module, "class_name": kind.__name__, "config": config, "registered_name": None}
    return serialize_keras_object(obj)  # type: ignore[no-any-return]


def deserialize_object(
    config: Any, known: Mapping[str, Any], kind: str, custom_objects: Mapping[str, Any] | None = None
) -> Any:
    """The object of a dictionary that `serialize_object` made.

    Args:
        config: the dictionary; or a name, for an object with default arguments.
        known: classes and functions by name.
        kind: the word for messages, such as "optimizer".
        custom_objects: further classes and functions by name, beside those in scope and registered.

    Raises:
        ValueError: no such dictionary, or a name that isn't known.
    """
    if isinstance(config, str):
        config = {"class_name": config, "config": {}}
    if not isinstance(config, Mapping) or "class_name" not in config:
        raise ValueError(f"{kind}: expected a dict with 'class_name' and 'config', got {config!r}")
    class_name, arguments = config["class_name"], config.get("config") or {}
    customs = custom_objects_now(custom_objects)
    function = class_name == "function"
    name = arguments if function else class_name
    registered = name if function else config.get("registered_name") or class_name
    found = customs.get(registered) if isinstance(registered, str) else None
    if found is None and isinstance(name, str):
        found = known.get(name)
        if function and (found is None or isinstance(found, type)):  # a class may go by a function's name
            found = found_function(name, config.get("module"), customs)
    if found is None:
        raise unknown_name(kind, name, known)
    if not isinstance(found, type):
        return found
    if not isinstance(arguments, Mapping):
        raise ValueError(f"{kind}: {name}: config: expected a dict of arguments, got {arguments!r}")
    with CustomObjectScope(customs):
        return found.from_config(dict(arguments))  # type: ignore[attr-defined]


def with_function(config: dict[str, Any]) -> dict[str, Any]:
    """A wrapper's config, its "fn" made the function that it describes."""
    fn = config.get("fn")
    return {**config, "fn": deserialize_keras_object(fn)} if isinstance(fn, Mapping) else config


def custom_object(name: str) -> Any:
    """The program's own object of this name, in scope or registered; None if there is none."""
    return custom_objects_now().get(name)


def unknown_name(kind: str, name: object, known: Mapping[str, Any]) -> ValueError:
    """The error for a name that isn't known; it lists those that are."""
    return ValueError(
        f"{kind}: expected one of {', '.join(sorted(known))}, got {name!r}; "
        "what else Keras has is not supported yet"
    )
