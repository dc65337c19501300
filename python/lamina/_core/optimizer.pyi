"""Learning rates and optimizers."""

from collections.abc import Callable, Sequence
from typing import Any

from lamina._core.arrays import Array
from lamina._core.network import _Network

class Schedule:
    """A learning rate by the number of steps, in float32; whole: the step is a whole number."""

    def __init__(self, kind: str, **numbers: Any) -> None: ...
    def rate_at(self, step: float, whole: bool) -> float: ...

class _Optimizer:
    def __init__(
        self,
        kind: str,  # "sgd" "rmsprop" "adagrad" "adam" "adadelta" "adamax" "nadam" "ftrl" "lion" "lamb" …
        learning_rate: float,
        **numbers: Any,  # those of the Python classes, by the same names; 0 or None where None stands there
    ) -> None: ...

    learning_rate: float
    iterations: int  # calls

    def share(self, iterations: Array, learning_rate: Array | None) -> None: ...
    def scale_dynamically(self, growth_steps: int, steps: Array, scale: Array) -> None: ...
    def set_schedule(self, schedule: Schedule | Callable[[int], float]) -> None: ...
    def build(self, variables: Sequence[Array]) -> None:
        """Makes the slots for variables of these shapes and values."""

    def bind(self, network: _Network, known: list[int]) -> None:
        """Step for this network, whose `parameters()` of these numbers it was built for."""

    def apply(self, grads: Sequence[Array | None], variables: Sequence[Array]) -> None:
        """One step of the variables that it was built for; those without a gradient stay as they are."""

    def exclude_from_decay(self, excluded: Sequence[bool]) -> None: ...
    def delegate(self, parts: tuple[_Optimizer, ...]) -> None:
        """Each of these takes the step of what it was built for; this one only counts."""

    def leave_to_adam(self, left: Sequence[bool]) -> None: ...
    @property
    def bound(self) -> bool: ...
    def slots(self) -> list[tuple[str, int, Array]]:
        """(name, number of the parameter or -1, view in Keras's shape) in Keras's order, once it is bound."""

    def get_state(self) -> tuple[int, list[Array]]:
        """(iterations, the flat slots, copied)"""

    def set_state(self, iterations: int, slots: Sequence[Array]) -> None:
        """What get_state gave; before a Trainer binds it the slots are kept until then."""

class Optimizer32(_Optimizer): ...
class Optimizer64(_Optimizer): ...
