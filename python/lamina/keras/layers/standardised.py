"""Standardised: what layers share that compute `(x - mean) scale + shift` with constants for each number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from lamina.keras.layers.layer import Layer
from lamina.keras.layers.variable import Variable


class Standardised(Layer):
    """Base class of layers whose constants stand in the network's block, but are none of their weights."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._in_core: list[Variable] = []
        self._sizes: tuple[int, ...] = ()  # of a sample in the network

    @property
    def core_weights(self) -> list[Variable]:
        return self._in_core

    def _add_standardisation(
        self, network: Any, constants: Sequence[npt.NDArray[Any]], sizes: tuple[int, ...]
    ) -> None:
        """Add it to the core's network.

        Args:
            network: the one to add to.
            constants: mean, scale and shift, arrays that fit a batch of one sample.
            sizes: of a sample.
        """
        self._sizes = sizes
        values = self._each(constants)
        self._adder(network, "standardisation")(values[0].size)
        self._in_core = [
            Variable.over(one, name, False)
            for one, name in zip(values, ("mean", "scale", "shift"), strict=True)
        ]

    def _set_standardisation(self, constants: Sequence[npt.NDArray[Any]]) -> None:
        """Give it other constants, if it is in a network."""
        if self._in_core:
            for variable, values in zip(self._in_core, self._each(constants), strict=True):
                variable.assign(values)

    def _each(self, constants: Sequence[npt.NDArray[Any]]) -> list[npt.NDArray[Any]]:
        return [np.broadcast_to(values, (1, *self._sizes)).flatten() for values in constants]
