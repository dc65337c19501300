"""clear_session: automatic names from the start."""

from __future__ import annotations

from lamina.keras._training.naming import reset_names


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
