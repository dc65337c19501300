"""Runs over many epochs."""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

class Epochs:
    """A run over many epochs, validation included. It ends early by `stop`, after the epoch under way, and by
    an exception of a signal or of `look`, at once but after a whole step.
    """

    def run(self, look: Callable[[], object]) -> None:
        """The whole run, with all threads and without the GIL. look() is called every 20 ms, after signals
        were handled; every 0.1 s outside the main thread.
        """

    def stop(self) -> None:
        """Also before `run`: it then ends after the first epoch."""

    def take(self) -> npt.NDArray[np.float64]:
        """(epochs, values): the epochs finished since the last call, in order. The values are [loss,
        *metrics] and, where there are validation data, as many again, 0 where no validation was due.
        """

    @property
    def passes(self) -> int:
        """How many passes over the rows were begun: as many as epochs, unless these have `steps`."""

    @property
    def done(self) -> int:
        """How many epochs are done: trained, and validated where that was due."""

def run_together(runs: Sequence[Epochs], look: Callable[[], object]) -> None:
    """Run them all, one a thread, each with the bits of its own `run`; look() as there. An exception of a
    signal or of look stops all of them after a whole step. The error of a run leaves the others going; that
    of the first in the list is raised in the end, as "models[i]: ...". RuntimeError, before anything changes,
    for a network that another call trains.
    """
