"""Objects to and from the dictionaries that Keras keeps them in."""

from __future__ import annotations

import types
from collections.abc import Mapping
from typing import Any

import numpy as np

from lamina.keras._saving.registry import (
    NAMESPACES,
    CustomObjectScope,
    custom_objects_now,
    get_registered_name,
    public_name,
    public_object,
)

_PLAIN = (str, int, float, bool)
_DEEPEST = 64  # no config is so deep; one that is would otherwise end in a RecursionError


# -- to dictionaries -----------------------------------------------------------------------------------------
def serialize_keras_object(obj: Any) -> Any:
    """What JSON can hold of an object: {"module", "class_name", "config", "registered_name"}.

    Numbers, strings, None, lists, tuples and dicts stay what they are, with their contents serialized.

    Args:
        obj: such a value; an array; a function with a name; or an object with `get_config()`.

    Returns:
        What `deserialize_keras_object` makes the object of again, here and, for Keras's own classes, in
        Keras.

    Raises:
        TypeError: an object without `get_config`, or whose `get_config` gives no dict.
        ValueError: a lambda: it has no name to be found by again.
    """
    if obj is None or isinstance(obj, _PLAIN):
        return obj
    if isinstance(obj, (list, tuple)):
        entries = [serialize_keras_object(entry) for entry in obj]
        return tuple(entries) if isinstance(obj, tuple) else entries
    if isinstance(obj, Mapping) and not hasattr(obj, "get_config"):
        return {key: serialize_keras_object(value) for key, value in obj.items()}
    if isinstance(obj, bytes):
        return {"class_name": "__bytes__", "config": {"value": obj.decode("utf-8")}}
    if isinstance(obj, slice):
        parts = {"start": obj.start, "stop": obj.stop, "step": obj.step}
        return {"class_name": "__slice__", "config": serialize_keras_object(parts)}
    if obj is Ellipsis:
        return {"class_name": "__ellipsis__", "config": {}}
    if isinstance(obj, np.generic) or (isinstance(obj, np.ndarray) and obj.ndim == 0):
        return obj.item()
    if isinstance(obj, np.ndarray):
        return {"class_name": "__numpy__", "config": {"value": obj.tolist(), "dtype": obj.dtype.name}}
    if isinstance(obj, types.FunctionType):
        return _function_config(obj)
    return _object_config(obj)


def _function_config(function: types.FunctionType) -> dict[str, Any]:
    if function.__name__ == "<lambda>":
        raise ValueError(
            "serialize_keras_object: expected a function with a name, got a lambda; "
            "code is never written into a config: define it with def, and register it"
        )
    return {
        "module": "builtins",
        "class_name": "function",
        "config": get_registered_name(function),
        "registered_name": "function",
    }


def _object_config(obj: Any) -> dict[str, Any]:
    kind = type(obj)
    if isinstance(obj, type) or not hasattr(obj, "get_config"):
        raise TypeError(f"serialize_keras_object: expected an object with get_config(), got {obj!r}")
    inner = obj.get_config()
    if not isinstance(inner, dict):
        raise TypeError(f"{kind.__name__}.get_config: expected it to give a dict, got {inner!r}")
    public = public_name(kind)
    config: dict[str, Any] = {
        "module": public[0] if public else None if kind.__module__ == "__main__" else kind.__module__,
        "class_name": kind.__name__,
        "config": serialize_keras_object(inner),
        "registered_name": None if public else get_registered_name(kind),
    }
    for part in ("build_config", "compile_config"):
        method = getattr(obj, f"get_{part}", None)
        value = None if method is None else method()
        if value is not None:
            config[part] = serialize_keras_object(value)
    return config


# -- and back ------------------------------------------------------------------------------------------------
def deserialize_keras_object(
    config: Any, custom_objects: Mapping[str, Any] | None = None, safe_mode: bool = True, **kwargs: Any
) -> Any:
    """The object of a config that `serialize_keras_object` made, here or in Keras.

    A name is looked up among Lamina's layers, losses, metrics … and what the program registered, nowhere
    else: a module that a config names is never imported, code in it never run.

    Args:
        config: what `serialize_keras_object` gave.
        custom_objects: dict from name to class or function, beside those in scope and registered.
        safe_mode: accepted; code in a config (a lambda) is refused with False as well.
        module_objects: dict of classes and functions by name, tried before anything else.

    Raises:
        ValueError: a name that is not known, a lambda, or a config that is none.
        TypeError: a wrong argument, or one that the class doesn't take.
    """
    module_objects = kwargs.pop("module_objects", None)
    if kwargs:
        raise TypeError(f"deserialize_keras_object: unknown arguments {', '.join(map(repr, kwargs))}")
    customs = custom_objects_now(custom_objects)
    if module_objects is not None:
        return _of_module(config, module_objects, customs)
    return _made(config, customs, 0)


def _made(config: Any, customs: dict[str, Any], depth: int) -> Any:
    if depth > _DEEPEST:
        raise ValueError(f"config: expected at most {_DEEPEST} levels, got more")
    if isinstance(config, str) and customs.get(config) is not None:
        return customs[config]
    if config is None or isinstance(config, _PLAIN):
        return config
    if isinstance(config, (list, tuple)):
        return [_made(entry, customs, depth + 1) for entry in config]
    if not isinstance(config, Mapping):
        raise TypeError(f"config: expected what JSON can hold, got {config!r}")
    if "class_name" not in config or "config" not in config:
        return {key: _made(value, customs, depth + 1) for key, value in config.items()}
    class_name, inner = config["class_name"], config["config"]
    if not isinstance(class_name, str):
        raise ValueError(f"config: class_name: expected a string, got {class_name!r}")
    if class_name.startswith("__") and class_name.endswith("__"):
        return _special(class_name, inner, customs, depth)
    if class_name == "function":
        if not isinstance(inner, str):
            raise ValueError(f"config: expected the name of a function, got {inner!r}")
        return found_function(inner, config.get("module"), customs)
    if not isinstance(inner, Mapping) and inner is not None:
        raise ValueError(f"{class_name}: config: expected a dict of arguments, got {inner!r}")
    found = found_class(class_name, config, customs)
    if isinstance(found, types.FunctionType):
        return found
    return _instance(found, config, customs)


def _instance(kind: Any, config: Mapping[str, Any], customs: dict[str, Any]) -> Any:
    if not hasattr(kind, "from_config"):
        raise ValueError(f"{config['class_name']}: expected a class with from_config(), got {kind!r}")
    inner = dict(config["config"] or {})
    with CustomObjectScope(customs):
        try:
            instance = kind.from_config(inner)
        except TypeError as error:
            raise TypeError(f"{config['class_name']}: config {inner!r}: {error}") from error
        build = config.get("build_config")
        if build and hasattr(instance, "build_from_config") and not instance.built:
            instance.build_from_config(build)
        compiling = config.get("compile_config")
        if compiling and hasattr(instance, "compile_from_config"):
            instance.compile_from_config(compiling)
    return instance


def _special(class_name: str, inner: Any, customs: dict[str, Any], depth: int) -> Any:
    if class_name == "__lambda__":
        raise ValueError(
            "config: a lambda is stored in it as code, and Lamina runs no code of a file, whatever safe_mode "
            "says; write it as a function with a name and register it"
        )
    inner = inner or {}
    try:
        if class_name in ("__numpy__", "__tensor__"):
            kind = np.dtype(inner["dtype"])
            if kind.kind not in "biuf":
                raise ValueError(f"expected a dtype of numbers, got {kind}")
            return np.array(inner["value"], dtype=kind)
        if class_name == "__bytes__":
            return inner["value"].encode("utf-8")
        if class_name == "__ellipsis__":
            return Ellipsis
        if class_name == "__slice__":
            return slice(*(_made(inner[key], customs, depth + 1) for key in ("start", "stop", "step")))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"config: {class_name}: expected its value, got {inner!r} ({error})") from None
    raise unknown_object(class_name, None)


def found_function(name: str, module: Any, customs: Mapping[str, Any]) -> Any:
    """The function (or class) that a config of class "function" names.

    Raises:
        ValueError: there is none.
    """
    if name in customs:
        return customs[name]
    namespaces = NAMESPACES if module in (None, "builtins") else (module,)
    for namespace in namespaces:
        found = public_object(namespace, name)
        if found is not None and namespace != "keras":
            return found
    for (
        custom,
        found,
    ) in customs.items():  # Keras up to 3.6 wrote "name" for what is registered as "package>name"
        if custom.endswith(f">{name}"):
            return found
    raise unknown_object(name, None if module == "builtins" else module)


def found_class(name: str, config: Mapping[str, Any], customs: Mapping[str, Any]) -> Any:
    """The class that a config names.

    Raises:
        ValueError: there is none.
    """
    registered, module = config.get("registered_name", name), config.get("module")
    if isinstance(registered, str) and registered in customs:
        return customs[registered]
    found = public_object(module, name) if module else None
    if found is None and "module" not in config:  # as older files name a layer
        found = public_object("keras", name) or public_object("keras.layers", name)
    if found is None:
        raise unknown_object(name, module)
    return found


def unknown_object(name: str, module: Any) -> ValueError:
    """The error for a name in a config that the closed registry doesn't hold."""
    if isinstance(module, str) and (module == "keras" or module.startswith("keras.")):
        reason = "Keras's, perhaps, but not supported by Lamina"
        if name in ("Lambda", "TorchModuleWrapper", "JaxLayer", "FlaxLayer", "TFSMLayer"):
            reason = "a computation of one's own needs automatic differentiation, which Lamina does not have"
        return ValueError(f"config: {module}.{name}: {reason}")
    return ValueError(
        f"config: expected names that are Keras's or registered, got {name!r}; give it in custom_objects, or "
        "decorate it with keras.saving.register_keras_serializable()"
    )


def _of_module(config: Any, known: Mapping[str, Any], customs: dict[str, Any]) -> Any:
    if isinstance(config, Mapping):
        name, inner = config.get("class_name"), config.get("config")
        if isinstance(inner, str) and inner in known:
            return known[inner]
        if name not in known:
            return _made(config, customs, 0)
        found = known[str(name)]
        return found if isinstance(found, types.FunctionType) else _instance(found, config, customs)
    if isinstance(config, str) and config in known and config not in customs:
        found = known[config]
        return found.from_config({}) if isinstance(found, type) and hasattr(found, "from_config") else found
    return _made(config, customs, 0)
