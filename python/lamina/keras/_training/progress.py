"""What moves the progress bar while the core runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from lamina.keras._training.compiled import Compiled

Progress: TypeAlias = Callable[[int, list[float]], None] | None


def progress_for(compiled: Compiled | None, callbacks: Any) -> Progress:
    """What the core calls between batches; None where no bar is shown, so that nothing is called.

    Args:
        compiled: names the running means; None where there are none, in `predict`.
        callbacks: the CallbackList.
    """
    if not callbacks.wants_progress:
        return None
    if compiled is None:
        return lambda done, means: callbacks.on_progress(done)
    return lambda done, means: callbacks.on_progress(done, compiled.logs(means))
