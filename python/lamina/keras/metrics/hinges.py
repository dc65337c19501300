"""Hinge losses as metrics."""

from __future__ import annotations

from lamina.keras.losses.hinge import categorical_hinge, hinge, squared_hinge
from lamina.keras.metrics.reduction import MeanLoss


class Hinge(MeanLoss):
    """The mean hinge loss; see `hinge`.

    Args:
        name, dtype: as in `Metric`.
    """

    core_kind = "hinge"
    _direction = "down"

    def __init__(self, name: str | None = "hinge", dtype: str | None = None) -> None:
        super().__init__(hinge, name=name, dtype=dtype)


class SquaredHinge(MeanLoss):
    """The mean squared hinge loss; see `squared_hinge`.

    Args:
        name, dtype: as in `Metric`.
    """

    core_kind = "squared_hinge"
    _direction = "down"

    def __init__(self, name: str | None = "squared_hinge", dtype: str | None = None) -> None:
        super().__init__(squared_hinge, name=name, dtype=dtype)


class CategoricalHinge(MeanLoss):
    """The mean categorical hinge loss; see `categorical_hinge`.

    Args:
        name, dtype: as in `Metric`.
    """

    core_kind = "categorical_hinge"
    _direction = "down"

    def __init__(self, name: str | None = "categorical_hinge", dtype: str | None = None) -> None:
        super().__init__(categorical_hinge, name=name, dtype=dtype)
