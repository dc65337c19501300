"""Which frames of Lamina's own a program sees: in the tracebacks of its errors, and behind its warnings."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable
from functools import wraps
from types import TracebackType
from typing import Any, TypeVar, cast

_INSIDE = os.path.join(os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..")), "")
_filters = True

Function = TypeVar("Function", bound=Callable[..., Any])


def enable_traceback_filtering() -> None:
    """Leave Lamina's own frames out of the tracebacks of what its methods raise (the default): what remains
    is the program's, its callbacks included.
    """
    global _filters
    _filters = True


def disable_traceback_filtering() -> None:
    """Let tracebacks show every frame."""
    global _filters
    _filters = False


def is_traceback_filtering_enabled() -> bool:
    """Whether Lamina's own frames are left out of tracebacks. Default True."""
    return _filters


def filter_traceback(function: Function) -> Function:
    """A public function whose errors come without the frames that are Lamina's own, but for one."""

    @wraps(function)
    def error_handler(*args: Any, **kwargs: Any) -> Any:
        if not _filters:
            return function(*args, **kwargs)
        filtered: TracebackType | None = None
        try:
            return function(*args, **kwargs)
        except Exception as error:
            filtered = _outside(error.__traceback__)
            # keras.config.disable_traceback_filtering() shows the rest.
            raise error.with_traceback(filtered)  # noqa: B904  # it is the same error
        finally:
            del filtered

    return cast(Function, error_handler)


def _outside(all_of_it: TracebackType | None) -> TracebackType | None:
    frames = list(traceback.walk_tb(all_of_it))
    kept: TracebackType | None = None
    for frame, line in reversed(frames):
        if not frame.f_code.co_filename.startswith(_INSIDE):
            kept = TracebackType(kept, frame, frame.f_lasti, line)
    return kept


def callers_level() -> int:
    """The `stacklevel` at which a warning of the calling function points to the program's own line."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_INSIDE):
        level, frame = level + 1, frame.f_back
    return level
