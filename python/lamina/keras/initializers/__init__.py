"""Initializers: the values that weights start from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from lamina.keras._training.absent import refuse_absent
from lamina.keras.initializers.constant import Constant as Constant
from lamina.keras.initializers.constant import Identity as Identity
from lamina.keras.initializers.constant import Ones as Ones
from lamina.keras.initializers.constant import Values
from lamina.keras.initializers.constant import Zeros as Zeros
from lamina.keras.initializers.drawn import RandomNormal as RandomNormal
from lamina.keras.initializers.drawn import RandomUniform as RandomUniform
from lamina.keras.initializers.drawn import TruncatedNormal as TruncatedNormal
from lamina.keras.initializers.initializer import Initializer as Initializer
from lamina.keras.initializers.orthogonal import Orthogonal as Orthogonal
from lamina.keras.initializers.variance_scaling import GlorotNormal as GlorotNormal
from lamina.keras.initializers.variance_scaling import GlorotUniform as GlorotUniform
from lamina.keras.initializers.variance_scaling import HeNormal as HeNormal
from lamina.keras.initializers.variance_scaling import HeUniform as HeUniform
from lamina.keras.initializers.variance_scaling import LecunNormal as LecunNormal
from lamina.keras.initializers.variance_scaling import LecunUniform as LecunUniform
from lamina.keras.initializers.variance_scaling import VarianceScaling as VarianceScaling
from lamina.keras.utils.serialization import (
    custom_object,
    deserialize_object,
    serialize_object,
    unknown_name,
)

# The names in snake case that Keras exports beside the classes.
constant = Constant
glorot_normal = GlorotNormal
glorot_uniform = GlorotUniform
he_normal = HeNormal
he_uniform = HeUniform
identity = IdentityInitializer = Identity
lecun_normal = LecunNormal
lecun_uniform = LecunUniform
ones = Ones
orthogonal = OrthogonalInitializer = Orthogonal
random_normal = RandomNormal
random_uniform = RandomUniform
truncated_normal = TruncatedNormal
variance_scaling = VarianceScaling
zeros = Zeros

_CLASSES = (
    Constant,
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    Identity,
    LecunNormal,
    LecunUniform,
    Ones,
    Orthogonal,
    RandomNormal,
    RandomUniform,
    TruncatedNormal,
    VarianceScaling,
    Zeros,
)
_KNOWN: dict[str, Any] = {
    **{kind.__name__: kind for kind in _CLASSES},
    "IdentityInitializer": Identity,
    "OrthogonalInitializer": Orthogonal,
    "Values": Values,
    "constant": constant,
    "glorot_normal": glorot_normal,
    "glorot_uniform": glorot_uniform,
    "he_normal": he_normal,
    "he_uniform": he_uniform,
    "identity": identity,
    "lecun_normal": lecun_normal,
    "lecun_uniform": lecun_uniform,
    "ones": ones,
    "orthogonal": orthogonal,
    "random_normal": random_normal,
    "random_uniform": random_uniform,
    "truncated_normal": truncated_normal,
    "variance_scaling": variance_scaling,
    "zeros": zeros,
    "normal": RandomNormal,
    "one": Ones,
    "uniform": RandomUniform,
    "zero": Zeros,
}

__all__ = [
    "Constant",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Identity",
    "IdentityInitializer",
    "Initializer",
    "LecunNormal",
    "LecunUniform",
    "Ones",
    "Orthogonal",
    "OrthogonalInitializer",
    "RandomNormal",
    "RandomUniform",
    "TruncatedNormal",
    "VarianceScaling",
    "Zeros",
    "constant",
    "deserialize",
    "get",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "identity",
    "lecun_normal",
    "lecun_uniform",
    "ones",
    "orthogonal",
    "random_normal",
    "random_uniform",
    "serialize",
    "truncated_normal",
    "variance_scaling",
    "zeros",
]


def get(identifier: Any) -> Any:
    """An initializer from its name, config or class.

    Args:
        identifier: a name ("glorot_uniform", "GlorotUniform", or one in scope or registered, see
            `keras.saving`), a dict {"class_name", "config"}, a class, an initializer or a function
            `f(shape, dtype)` (returned as it is), or an array that becomes the values; None gives None.

    Raises:
        ValueError: a name that isn't known, or no initializer at all.
    """
    if identifier is None:
        return None
    found = identifier
    if isinstance(identifier, Mapping):
        found = deserialize(identifier)
    elif isinstance(identifier, str):
        found = custom_object(identifier) or _KNOWN.get(identifier)
        if found is None:
            raise unknown_name("initializer", identifier, _KNOWN)
    elif isinstance(identifier, (np.ndarray, np.generic)):
        return Values(np.asarray(identifier))
    if isinstance(found, type):
        found = found()
    if not callable(found):
        raise ValueError(f"initializer: expected an initializer, its name or its config, got {identifier!r}")
    return found


def serialize(initializer: Any) -> dict[str, Any]:
    """The config of an initializer."""
    return serialize_object(initializer, "keras.initializers")


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The initializer of a config that `serialize` made."""
    return deserialize_object(config, _KNOWN, "initializer", custom_objects)


refuse_absent(__name__)
