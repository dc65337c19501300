"""Who is measured. One module a peer; each has

- `TITLE`: its name in tables,
- `NEEDS`: the module without which it counts as missing,
- `PACKAGES`: the distributions whose versions are noted,
- `IMPORT`: the statement that the case "import" times, or None where there is nothing to import,
- `start(case, weights, threads)`: a `Program` ready to train from these weights.
"""

from typing import Protocol

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]

# In the order of the table; the first is what the others are compared with.
NAMES = ("lamina", "keras", "numpy")

MODULES = {
    "lamina": "peers.lamina_keras",
    "keras": "peers.keras_default",
    "numpy": "peers.numpy_by_hand",
}


class Program(Protocol):
    """A network of one peer."""

    def reset(self) -> None:
        """Initial weights, optimizer at its start."""

    def train(self, x: Array, y: npt.NDArray[np.int32], epochs: int, shuffle: bool) -> float:
        """Train; returns the mean loss over the last epoch, as it ran."""

    def predict(self, x: Array) -> Array:
        """Outputs for x."""
