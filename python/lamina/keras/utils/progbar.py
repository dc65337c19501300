"""Progbar: the bar that Keras 3 draws, byte for byte."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from lamina.keras.utils.console import print_msg

_BOLD, _GREEN, _WHITE, _RESET = "\x1b[1m", "\x1b[32m", "\x1b[37m", "\x1b[0m"


class Progbar:
    """Shows how far a loop is, with the values it reports.

    Args:
        target: number of steps in all; None when it isn't known.
        width: characters of the bar.
        verbose: 0 nothing; 1 a bar redrawn in place; 2 one line when the loop ends.
        interval: least time between two drawings, in seconds.
        stateful_metrics: names shown as they were last given; every other value is averaged over the steps.
        stateless_metrics: names averaged over the steps; every other value is shown as last given. Give one
            of the two at most.
        unit_name: the word for a step.

    Raises:
        ValueError: both `stateful_metrics` and `stateless_metrics` are given.
    """

    def __init__(
        self,
        target: int | None,
        width: int = 20,
        verbose: int = 1,
        interval: float = 0.05,
        stateful_metrics: Iterable[str] | None = None,
        stateless_metrics: Iterable[str] | None = None,
        unit_name: str = "step",
    ) -> None:
        if stateful_metrics is not None and stateless_metrics is not None:
            raise ValueError(
                "stateful_metrics, stateless_metrics: expected at most one of the two, "
                f"got {stateful_metrics!r} and {stateless_metrics!r}"
            )
        self.target = target
        self.width = width
        self.verbose = verbose
        self.interval = interval
        self.unit_name = unit_name
        self.stateless_metrics = None if stateless_metrics is None else set(stateless_metrics)
        self.stateful_metrics = None if stateless_metrics is not None else set(stateful_metrics or ())
        self._redraws = _can_redraw()
        self._seen = 0
        self._values: dict[str, tuple[Any, int]] = {}  # name -> sum, weight
        self._start = time.time()
        self._first_step_end: float | None = None
        self._last_drawn = 0.0
        self._last_length = 0

    def update(
        self, current: int, values: Sequence[tuple[str, Any]] | None = None, finalize: bool | None = None
    ) -> None:
        """Report that `current` steps are done.

        Args:
            current: steps done so far.
            values: pairs (name, value at the last step).
            finalize: True ends the display; None (the default) means `current >= target`.
        """
        if finalize is None:
            finalize = self.target is not None and current >= self.target
        steps = 1 if finalize else max(current - self._seen, 1)
        for name, value in values or ():
            total, weight = value, 1
            if self._averages(name) and not finalize:
                before, weight_before = self._values.get(name, (0, 0))
                total, weight = before + value * steps, weight_before + steps
            self._values[name] = (total, weight)
        self._seen = current

        now = time.time()
        step_time = self._step_time(current, now)
        if self.verbose == 1:
            if now - self._last_drawn < self.interval and not finalize:
                return
            print_msg(self._bar_line(current, now, step_time, finalize), line_break=False)
        elif self.verbose == 2 and finalize and self.target:
            print_msg(self._plain_line(current, now, step_time), line_break=False)
        self._last_drawn = now

    def add(self, n: int, values: Sequence[tuple[str, Any]] | None = None) -> None:
        """Report `n` more steps."""
        self.update(self._seen + n, values)

    def _averages(self, name: str) -> bool:
        if self.stateless_metrics is not None:
            return name in self.stateless_metrics
        return name not in (self.stateful_metrics or ())

    def _step_time(self, current: int, now: float) -> float:
        """Seconds per step, without the first one (often slower) once its end has been seen."""
        if not current:
            return 0.0
        if self._first_step_end is not None and current > 1:
            return (now - self._first_step_end) / (current - 1)
        if current == 1:
            self._first_step_end = now
        return (now - self._start) / current

    def _bar_line(self, current: int, now: float, step_time: float, finalize: bool) -> str:
        if self.target:
            done = int(self.width * (float(current) / self.target))
            count = f"{self._count(current)} "
            bar = f"{_BOLD}{count[:-1]}{_RESET} "
            if done > 0:
                bar += f"{_GREEN}{'━' * done}{_RESET}"
            bar += f"{_WHITE}{'━' * (self.width - done)}{_RESET}"
            length = len(count) + max(done, 0) + max(self.width - done, 0)
        else:
            bar = f"{int(current):7d}/Unknown"
            length = len(bar)
        if self.target and not finalize:
            clock = _clock(step_time * (self.target - current))
        else:
            clock = f"{now - self._start:.0f}s"
        tail = f"{_per_step(step_time, self.unit_name)}{self._metrics(abs)}"
        length += 1 + len(clock) + len(tail)

        start = "\b" * self._last_length + "\r" if self._redraws else "\n"
        blanks = " " * (self._last_length - length)  # what is left of a longer line before
        self._last_length = length
        return f"{start}{bar} {_BOLD}{clock}{_RESET}{tail}{blanks}" + ("\n" if finalize else "")

    def _plain_line(self, current: int, now: float, step_time: float) -> str:
        elapsed = f"{now - self._start:.0f}s"
        per_step = _per_step(step_time, self.unit_name)
        return f"{self._count(current)} - {elapsed} -{per_step}{self._metrics(float)}\n"

    def _count(self, current: int) -> str:
        target = int(self.target or 0)
        return f"{int(current):{len(str(target))}d}/{target}"

    def _metrics(self, size: Any) -> str:
        """` - name: value` of each; fixed point where size(value) > 1e-3, else scientific notation."""
        text = ""
        for name, (total, weight) in self._values.items():
            mean = (total if isinstance(total, float) else np.mean(total)) / max(1, weight)
            text += f" - {name}: {mean:.4f}" if size(mean) > 1e-3 else f" - {name}: {mean:.4e}"
        return text


def _can_redraw() -> bool:
    """Keras's rule: lines are drawn over on a terminal, in a notebook, and on every POSIX system."""
    isatty = getattr(sys.stdout, "isatty", None)
    return (
        bool(isatty and isatty())
        or "ipykernel" in sys.modules
        or "posix" in sys.modules
        or "PYCHARM_HOSTED" in os.environ
    )


def _clock(seconds: float) -> str:
    if seconds > 3600:
        return f"{int(seconds // 3600)}:{int(seconds % 3600 // 60):02d}:{int(seconds % 60):02d}"
    if seconds > 60:
        return f"{int(seconds // 60)}:{int(seconds % 60):02d}"
    return f"{int(seconds)}s"


def _per_step(seconds: float, unit: str) -> str:
    if seconds >= 1 or seconds == 0:
        return f" {seconds:.0f}s/{unit}"
    if seconds >= 1e-3:
        return f" {seconds * 1e3:.0f}ms/{unit}"
    return f" {seconds * 1e6:.0f}us/{unit}"
