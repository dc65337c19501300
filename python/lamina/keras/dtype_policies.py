"""Dtype policies: in which dtype a layer computes, and in which its weights are kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from lamina.keras._training.absent import refuse_absent

__all__ = ["DTypePolicy", "FloatDTypePolicy", "deserialize", "get", "serialize"]

SUPPORTED = ("float32", "float64", "mixed_bfloat16")


class DTypePolicy:
    """What a layer computes in and keeps its weights in.

    "float32" and "float64" are both at once. "mixed_bfloat16" keeps weights, their gradients and the
    optimizer's state in float32; what a layer computes with, and each operation's result, forward and
    backward, is rounded to bfloat16 (8 significant bits, to nearest, ties to even). Products add in float32.
    The processor's AMX or AVX512-BF16 instructions serve where it has them; elsewhere the same rounding is
    emulated, which is slower than float32.

    Args:
        name: "float32", "float64" or "mixed_bfloat16"; None (default) takes `keras.config.dtype_policy()`.

    Raises:
        ValueError: another name; "mixed_float16", "bfloat16", "float16" and quantized policies are not
            supported.

    Source: Keras 3 `keras.DTypePolicy`, on TensorFlow.
    """

    def __init__(self, name: str | None = None) -> None:
        self._name = dtype_policy().name if name is None else _supported(name, "name")

    @property
    def name(self) -> str:
        return self._name

    @property
    def compute_dtype(self) -> str:
        """The dtype of what a layer takes, computes and returns: "bfloat16" for "mixed_bfloat16"."""
        return "bfloat16" if self._name == "mixed_bfloat16" else self._name

    @property
    def variable_dtype(self) -> str:
        """The dtype of the weights."""
        return "float32" if self._name == "mixed_bfloat16" else self._name

    @property
    def quantization_mode(self) -> None:
        """None: quantized policies are not supported."""
        return

    def get_config(self) -> dict[str, Any]:
        return {"name": self._name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> DTypePolicy:
        return cls(**config)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DTypePolicy) and self._name == other._name

    def __hash__(self) -> int:
        return hash(self._name)

    def __repr__(self) -> str:
        return f'<DTypePolicy "{self._name}">'


FloatDTypePolicy = DTypePolicy

_global: DTypePolicy | None = None


def dtype_policy() -> DTypePolicy:
    """See `keras.config.dtype_policy`."""
    from lamina.keras.config import floatx

    return _global or DTypePolicy(floatx())


def set_dtype_policy(policy: Any) -> None:
    """See `keras.config.set_dtype_policy`."""
    global _global
    if not isinstance(policy, (str, DTypePolicy)):
        raise ValueError(_refusal("policy", policy))
    _global = _from(policy, "policy")


def get(identifier: Any) -> DTypePolicy:
    """The policy of a name, a dtype, a config or a policy; None gives `keras.config.dtype_policy()`.

    Raises:
        ValueError: none of these, or a policy that is not supported.
    """
    return dtype_policy() if identifier is None else _from(identifier, "dtype")


def serialize(dtype_policy: DTypePolicy) -> dict[str, Any]:
    """The config of a policy, with its class."""
    from lamina.keras._saving.objects import serialize_keras_object

    return serialize_keras_object(dtype_policy)  # type: ignore[no-any-return]


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> DTypePolicy:
    """The policy of a config that `serialize` made, here or in Keras.

    Raises:
        ValueError: the config of something else, or of a policy that is not supported.
    """
    from lamina.keras._saving.objects import deserialize_keras_object

    policy = deserialize_keras_object(config, custom_objects=custom_objects)
    if not isinstance(policy, DTypePolicy):
        raise ValueError(f"config: expected the config of a dtype policy, got {config!r}")
    return policy


def _from(identifier: Any, argument: str) -> DTypePolicy:
    if isinstance(identifier, DTypePolicy):
        return identifier
    name = identifier
    if isinstance(identifier, Mapping):
        config = identifier.get("config", {})
        name = config.get("name") if isinstance(config, Mapping) else None
    elif hasattr(identifier, "get_config") and not isinstance(identifier, type):  # Keras's own object
        name = identifier.get_config().get("name")
    elif not isinstance(identifier, str):
        try:
            name = np.dtype(identifier).name
        except TypeError:
            name = None
    if name not in SUPPORTED:
        raise ValueError(_refusal(argument, identifier))
    return DTypePolicy(str(name))


def _supported(name: Any, argument: str) -> str:
    if not isinstance(name, str) or name not in SUPPORTED:
        raise ValueError(_refusal(argument, name))
    return name


def _refusal(argument: str, got: Any) -> str:
    return f"{argument}: expected 'float32', 'float64' or 'mixed_bfloat16', got {got!r}"


refuse_absent(__name__)
