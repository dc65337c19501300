"""StackWeights: the weights of a model's layers, and what of them is frozen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy.typing as npt

from lamina.keras._training.assembly import Assembly
from lamina.keras._training.trainer import Trainer
from lamina.keras.layers.layer import Layer
from lamina.keras.layers.variable import Variable, write_weights


class StackWeights(Trainer):
    """What a model of layers, and of models of layers, knows of their weights."""

    _trainable: bool
    _assembly: Assembly | None  # with the network
    _stack: list[Any]  # layers and models

    @property
    def built(self) -> bool:
        """Whether the model has its weights."""
        raise NotImplementedError

    @property
    def leaves(self) -> list[Layer]:
        """The layers, with those of the models among them in these models' place."""
        return list(_leaves_of(self._stack))

    # -- what is frozen --------------------------------------------------------------------------------------
    @property
    def trainable(self) -> bool:
        """Whether training changes the weights. Another value is set for every layer
        too; the same one changes none of them, as in Keras on TensorFlow.

        Set after the model has begun to train, it takes effect with the next `compile`, as in Keras.
        """
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        if value is self._trainable:  # as on TensorFlow, where setting what an attribute is does nothing
            return
        self._trainable = bool(value)
        for layer in self._stack:
            layer.trainable = self._trainable

    def take_trainable(self) -> bool:
        """Freeze in the network what is frozen here now; True if that changes something."""
        leaves = self.leaves
        states = [(self._frozen_of(layer), not layer.trainable) for layer in leaves]
        changed = states != [layer.frozen_in_core for layer in leaves]
        if changed and self._assembly is not None:
            self._assembly.freeze(states)
            for layer, state in zip(leaves, states, strict=True):
                layer.frozen_in_core = state
            for layer, views in zip(leaves, self._assembly.views(leaves), strict=True):
                for weight, view in zip(layer.core_weights, views, strict=True):
                    weight.move_to(view)  # which holds the same values already
        return changed

    def _frozen_of(self, layer: Layer) -> frozenset[int]:
        """The numbers of its weights that could learn and are not to, as they say themselves now."""
        return frozenset(
            number
            for number, weight in enumerate(layer.core_weights)
            if weight.learnable and not (self._trainable and weight.trainable)
        )

    @property
    def core_weights(self) -> list[Variable]:
        """Those that the network's block holds, in its order."""
        return [weight for layer in self.leaves for weight in layer.core_weights]

    @property
    def learning_weights(self) -> list[Variable]:
        """The weights that take steps: as it was when the network was last told."""
        return [
            weight
            for layer in self.leaves
            for number, weight in enumerate(layer.core_weights)
            if weight.learnable and number not in layer.frozen_in_core[0]
        ]

    def frozen_statistics(self) -> list[bool]:
        """For `forward`: what of the network is frozen now, unless it was told so already."""
        leaves = self.leaves
        if self._assembly is None or all(layer.frozen_in_core[1] != layer.trainable for layer in leaves):
            return []
        return self._assembly.of_each([not layer.trainable for layer in leaves])

    # -- weights ---------------------------------------------------------------------------------------------
    @property
    def weights(self) -> list[Variable]:
        """All weights, layer by layer, in Keras's order; [] until built."""
        return [weight for layer in self.leaves for weight in layer.weights] if self.built else []

    @property
    def variables(self) -> list[Variable]:
        return self.weights

    @property
    def trainable_weights(self) -> list[Variable]:
        """The weights that the optimizer changes; none if the model is frozen."""
        return [weight for weight in self.weights if weight.trainable] if self._trainable else []

    @property
    def trainable_variables(self) -> list[Variable]:
        return self.trainable_weights

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """The others: moving means and variances, and what is frozen."""
        return [weight for weight in self.weights if not (self._trainable and weight.trainable)]

    @property
    def non_trainable_variables(self) -> list[Variable]:
        return self.non_trainable_weights

    def get_weights(self) -> list[npt.NDArray[Any]]:
        """Copies of all weights, in the order of `weights`."""
        return [weight.numpy() for weight in self.weights]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Write all weights; every one is checked before the first is written.

        Args:
            weights: arrays in the order and shapes of `weights`.

        Raises:
            ValueError: another number of arrays, or another shape.
            TypeError: not real numbers.
        """
        write_weights(self.weights, weights, f"model {self.name!r}")

    def count_params(self) -> int:
        """How many numbers the weights hold.

        Raises:
            ValueError: the model is not built.
        """
        if not self.built:
            raise ValueError(
                f"count_params: model {self.name!r} has no weights yet; give it an input shape or build it"
            )
        return sum(weight.size for weight in self.weights)


def _leaves_of(stack: Sequence[Any]) -> Iterator[Layer]:
    for entry in stack:
        if isinstance(entry, StackWeights):
            yield from _leaves_of(entry._stack)
        else:
            yield entry
