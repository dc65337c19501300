"""The closed registry: which names a config may use, Lamina's own and those that the program registered.

A config is data, often someone else's. A name in it is looked up here and nowhere else: nothing is imported,
and no function of Lamina's that is not a loss, a metric, an activation and the like can be reached.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from inspect import isclass
from types import FunctionType
from typing import Any, TypeVar

# Each namespace of Keras's, and the base class of what a config may name there (None: functions only).
NAMESPACES: dict[str, str | None] = {
    "keras": None,
    "keras.models": "Sequential",
    "keras.layers": "Layer",
    "keras.activations": None,
    "keras.initializers": "Initializer",
    "keras.regularizers": "Regularizer",
    "keras.constraints": "Constraint",
    "keras.losses": "Loss",
    "keras.metrics": "Metric",
    "keras.optimizers": "Optimizer",
    "keras.optimizers.schedules": "LearningRateSchedule",
    "keras.dtype_policies": "DTypePolicy",
}
# What a config calls "keras." and not by its own namespace.
_AT_THE_TOP = ("Sequential", "DTypePolicy", "FloatDTypePolicy")
_BESIDE = (("keras.optimizers", "OptimizerMap"),)  # no optimizer, but part of one's config
_WITH_FUNCTIONS = ("keras.activations", "keras.losses", "keras.metrics")
_NO_OBJECTS = ("get", "serialize", "deserialize", "resolve")

_registered: dict[str, Any] = {}
_names: dict[Any, str] = {}
_scope = threading.local()

_Object = TypeVar("_Object")


# -- Lamina's own --------------------------------------------------------------------------------------------
def public_object(namespace: str, name: str) -> Any:
    """The class or function that a config may name so; None if there is none.

    Args:
        namespace: one of Keras's, such as "keras.losses".
        name: a class's or function's name.
    """
    module = _module(namespace)
    if module is None or not isinstance(name, str) or name in _NO_OBJECTS:
        return None
    if namespace == "keras":
        return getattr(module, name) if name in _AT_THE_TOP else None
    if name not in getattr(module, "__all__", ()):
        return None
    found = getattr(module, name)
    base = NAMESPACES[namespace]
    if isclass(found):
        if (namespace, name) in _BESIDE:
            return found
        return found if base is not None and issubclass(found, getattr(module, base)) else None
    return found if namespace in _WITH_FUNCTIONS and isinstance(found, FunctionType) else None


def public_name(kind: type) -> tuple[str, str] | None:
    """The (namespace, name) of one of Lamina's own classes; None for any other class."""
    if kind.__module__.split(".")[0] != "lamina":
        return None
    for namespace in NAMESPACES:
        if public_object(namespace, kind.__name__) is kind:
            return namespace, kind.__name__
    return None


def _module(namespace: str) -> Any:
    """The module of a namespace of the table; None for a namespace that isn't in it."""
    if not isinstance(namespace, str) or namespace not in NAMESPACES:
        return None
    from lamina import keras

    module: Any = keras
    for part in namespace.split(".")[1:]:
        module = getattr(module, part, None)
    return module


# -- the program's -------------------------------------------------------------------------------------------
class CustomObjectScope:
    """Within `with CustomObjectScope({"name": object}):` configs may name these classes and functions.

    Args:
        custom_objects: dict from name to class or function. A scope within a scope hides the outer one's, as
            in Keras; other threads see neither.

    Example:
        with keras.saving.custom_object_scope({"MyInitializer": MyInitializer}):
            model = keras.models.load_model("model.keras")
    """

    def __init__(self, custom_objects: Mapping[str, Any] | None) -> None:
        self.custom_objects = dict(custom_objects or {})
        self._before: dict[str, Any] = {}

    def __enter__(self) -> CustomObjectScope:
        self._before = _in_scope()
        _scope.objects = self.custom_objects
        return self

    def __exit__(self, *exception: object) -> None:
        _scope.objects = self._before


custom_object_scope = CustomObjectScope


def get_custom_objects() -> dict[str, Any]:
    """What was registered in this process, by name: the live dict. What a scope adds is not in it."""
    return _registered


def register_keras_serializable(
    package: str = "Custom", name: str | None = None
) -> Callable[[_Object], _Object]:
    """Decorator: configs may name this class or function "package>name", here and wherever it is registered.

    Args:
        package: first part of the name. Default "Custom".
        name: second part. Default: the object's own name.

    Raises:
        ValueError: a class without `get_config`.

    Example:
        @keras.saving.register_keras_serializable(package="mine")
        class Doubled(keras.initializers.Ones): ...
    """

    def register(target: _Object) -> _Object:
        if isclass(target) and not hasattr(target, "get_config"):
            raise ValueError(
                f"register_keras_serializable: expected a class with get_config(), got {target.__name__}"
            )
        full_name = f"{package}>{name if name is not None else getattr(target, '__name__', '')}"
        _registered[full_name] = target
        _names[target] = full_name
        return target

    return register


def get_registered_name(obj: Any) -> str:
    """The name under which a class or function was registered; its own name if it wasn't."""
    return str(_names[obj]) if obj in _names else str(obj.__name__)


def get_registered_object(
    name: Any,
    custom_objects: Mapping[str, Any] | None = None,
    module_objects: Mapping[str, Any] | None = None,
) -> Any:
    """The class or function of a name, or None.

    Args:
        name: looked up in the scope, in what was registered, and then in the two dicts.
        custom_objects, module_objects: dicts from name to object. Default none.
    """
    for known in (_in_scope(), _registered, custom_objects or {}, module_objects or {}):
        if name in known:
            return known[name]
    return None


def custom_objects_now(custom_objects: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """These, those of the scope and the registered ones; the later ones win, as in Keras.

    Raises:
        TypeError: no dict.
    """
    if custom_objects is not None and not isinstance(custom_objects, Mapping):
        raise TypeError(f"custom_objects: expected a dict from name to object, got {custom_objects!r}")
    return {**(custom_objects or {}), **_in_scope(), **_registered}


def _in_scope() -> dict[str, Any]:
    return getattr(_scope, "objects", {})
