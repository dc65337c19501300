"""Penalised: what layers and models add to the loss, as they show it."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, NoReturn

from lamina.keras.layers.variable import Variable


class Penalised:
    """`losses` and `add_loss`."""

    @property
    @abstractmethod
    def trainable_weights(self) -> list[Variable]: ...

    @abstractmethod
    def penalties_of_last_call(self) -> list[Any]:
        """The penalties on outputs in the last call on an array."""

    @property
    def losses(self) -> list[Any]:
        """What is added to the loss, each a number: the penalties on outputs in the last call on an array
        (`fit` and its like leave none), and those on the trainable weights as they are now.
        """
        weights = [weight for weight in self.trainable_weights if weight.regularizer is not None]
        return [*self.penalties_of_last_call(), *(weight.regularizer(weight.value) for weight in weights)]

    def add_loss(self, loss: Any) -> NoReturn:
        """Refused: a loss of one's own needs automatic differentiation. Raises NotImplementedError."""
        raise NotImplementedError(
            f"{type(self).__name__}: add_loss: not supported: a loss made of arrays has no gradient without "
            "automatic differentiation, which Lamina does not have; use activity_regularizer and its like"
        )


class PenalisedLayer(Penalised):
    """The same of a layer, by itself or in a model."""

    call_penalties: tuple[Any, ...] = ()  # on its output, when it was last called outside of any model

    def penalties_of_last_call(self) -> list[Any]:
        owner = self._owner_now()  # type: ignore[attr-defined]
        return list(self.call_penalties if owner is None else owner.call_penalties([self]))
