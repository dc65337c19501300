"""What a trainer reports, by name: the loss and the metrics of `compile`, as logs and as series of epochs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lamina.keras import config as keras_config


class Place(NamedTuple):
    """A metric, its name in the logs, and where in a report its values stand."""

    name: str
    metric: Any
    first: int
    last: int


class Reports:
    """Reads the core's reports.

    Args:
        metrics: the metrics in the order of the report.
        forms: what the core was told of each.
        names: of each in the logs.
        outputs: values per row of the output.
    """

    def __init__(
        self,
        metrics: Sequence[Any] = (),
        forms: Sequence[dict[str, Any]] = (),
        names: Sequence[str] = (),
        outputs: int = 1,
    ) -> None:
        self.places: list[Place] = []
        at = 1
        for metric, form, name in zip(metrics, forms, names, strict=True):
            width = _width(form, outputs)
            self.places.append(Place(name, metric, at, at + width))
            at += width

    def logs(self, values: Sequence[float], rows: int | None = None) -> dict[str, Any]:
        """The loss and the metrics in Keras's (alphabetical) order and precision.

        Given the number of rows that they are of, the metric objects hold them too, as Keras's do.
        """
        if rows is not None:
            for place in self.places:
                place.metric.hold(values[place.first : place.last], rows)
        found: dict[str, Any] = {"loss": _reported(values[0])}
        for place in self.places:
            result = place.metric.core_result(values[place.first : place.last])
            if isinstance(result, Mapping):
                found.update({name: _reported(value) for name, value in result.items()})
            else:
                found[place.name] = _reported(result)
        return dict(sorted(found.items()))

    def series(self, values: npt.NDArray[np.float64]) -> dict[str, list[Any]]:
        """The `logs` of many epochs, a row each, as a list by name."""
        if all(place.last - place.first == 1 and _is_plain(place.metric) for place in self.places):
            if keras_config.floatx() == "float32":
                with np.errstate(over="ignore"):
                    values = values.astype(np.float32).astype(np.float64)
            names = ["loss", *(place.name for place in self.places)]
            return dict(sorted(zip(names, values.T.tolist(), strict=True)))
        rows = [self.logs(row.tolist()) for row in values]
        return {name: [row[name] for row in rows] for name in (rows[0] if rows else {})}


def _width(form: dict[str, Any], outputs: int) -> int:
    if "own" in form:
        return 1
    kind = form.get("tally")
    if kind is None:
        return 2 if any(map(form.get, ("weighted", "whole_batch", "axes_batch"))) else 1
    if kind == "classes":
        return 4 * outputs
    if kind == "moments":
        return 4 * outputs + 1
    levels = form["buckets"] if kind == "buckets" else len(form["thresholds"])
    return (2 * levels + 2) * (outputs if form.get("by_label") else 1)


def _is_plain(metric: Any) -> bool:
    """Whether what the core reports is the metric's value."""
    from lamina.keras.metrics.reduction import Mean

    return type(metric).core_result is Mean.core_result


def _reported(value: Any) -> Any:
    """A float in floatx's precision; arrays stay arrays."""
    if np.ndim(value):
        return np.asarray(value)
    try:
        number = float(value)
    except (TypeError, ValueError):
        return value
    if keras_config.floatx() == "float32":
        with np.errstate(over="ignore"):
            return float(np.float32(number))
    return number


def unique_names(metrics: Sequence[str], weighted: Sequence[str]) -> list[str]:
    """Keras's names in the logs: _1, _2 … on the second, third … of equals; a weighted metric whose name is
    taken is called weighted_…
    """
    counts: dict[str, int] = {}

    def numbered(name: str) -> str:
        count = counts.get(name, 0)
        counts[name] = count + 1
        return f"{name}_{count}" if count else name

    names = [numbered(name) for name in metrics]
    return names + [numbered(f"weighted_{name}" if name in counts else name) for name in weighted]
