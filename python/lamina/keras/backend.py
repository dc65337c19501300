"""`keras.backend`: the part of it that programs still use."""

from __future__ import annotations

from lamina.keras._training.absent import refuse_absent
from lamina.keras._training.naming import get_uid as get_uid
from lamina.keras._training.naming import reset_names
from lamina.keras.config import backend as backend
from lamina.keras.config import epsilon as epsilon
from lamina.keras.config import floatx as floatx
from lamina.keras.config import image_data_format as image_data_format
from lamina.keras.config import set_floatx as set_floatx

__all__ = [
    "backend",
    "clear_session",
    "epsilon",
    "floatx",
    "get_uid",
    "image_data_format",
    "set_floatx",
]


def clear_session(free_memory: bool = True) -> None:
    """Start the automatic names over: the next layers are `dense`, `dropout` … again.

    Args:
        free_memory: True (default) also collects what is no longer referenced. Lamina keeps no other global
            state: a model's memory goes with its last reference.
    """
    reset_names()
    if free_memory:
        import gc

        gc.collect()


refuse_absent(__name__)
