"""x, y and sample_weight on their way to the core: converted, of one length, split, shaped."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple, TypeVar

import numpy.typing as npt

from lamina import _core
from lamina.keras._training.inputs import fitted_input, input_rows, real_array, unwrapped
from lamina.keras._training.sparse import SparseRows
from lamina.keras._training.targets import fitted_targets
from lamina.keras._training.tracebacks import callers_level
from lamina.keras._training.weights import check_weight_shape, checked_sample_weight, weights_of_classes
from lamina.keras.layers.shape import Shape

Names = tuple[str, str, str]
NAMES: Names = ("x", "y", "sample_weight")
VALIDATION_NAMES: Names = ("validation_data[0]", "validation_data[1]", "validation_data[2]")


class Data(NamedTuple):
    """Arrays of one length, and what the user calls them."""

    x: npt.NDArray[Any] | SparseRows
    y: npt.NDArray[Any]
    sample_weight: npt.NDArray[Any] | None
    names: Names

    def rows(self, first: int, last: int) -> Data:
        """The rows first..last-1, as views."""
        weights = self.sample_weight
        return Data(
            self.x[first:last],
            self.y[first:last],
            None if weights is None else weights[first:last],
            self.names,
        )

    def with_class_weight(self, class_weight: Any) -> Data:
        """Its samples weighted by their classes; None leaves them as they are.

        Raises:
            ValueError: they have weights already, or a class or its weight is none.
        """
        if class_weight is None:
            return self
        if self.sample_weight is not None:
            raise ValueError("class_weight: expected one of class_weight and sample_weight, got both")
        return self._replace(sample_weight=weights_of_classes(self.y, class_weight))

    def shaped(self, input_shape: Shape, output_shape: Shape, loss: str) -> Data:
        """Views in the shapes that model and loss ask for.

        Raises:
            ValueError: x, y or sample_weight has another shape.
        """
        x = fitted_input(self.x, input_shape, self.names[0])
        y = fitted_targets(self.y, output_shape, loss, self.names[1])
        check_weight_shape(self.sample_weight, output_shape, self.names[2])
        return Data(x, y, self.sample_weight, self.names)

    def dataset(self) -> _core.Dataset:
        """What the core reads."""
        return _core.Dataset(core_source(self.x), self.y, self.sample_weight, self.names[1])


def core_source(x: npt.NDArray[Any] | SparseRows) -> Any:
    """The rows as the core takes them."""
    return x.source if isinstance(x, SparseRows) else x


def batches_of(rows: int, batch_size: int) -> int:
    """How many batches these rows make, the short last one included."""
    return math.ceil(rows / batch_size)


Rows = TypeVar("Rows", bound="npt.NDArray[Any] | SparseRows | Data")


def limited(rows: Rows, batch_size: int, steps: int | None, name: str) -> Rows:
    """The first `steps` batches, as views; all, with a warning, where there are fewer."""
    here = len(rows.x) if isinstance(rows, Data) else len(rows)
    if steps is None or steps * batch_size == here:
        return rows
    if steps > batches_of(here, batch_size):
        warn_of_end(name)
        return rows
    last = min(steps * batch_size, here)
    return rows.rows(0, last) if isinstance(rows, Data) else rows[:last]  # type: ignore[return-value]


def warn_of_end(argument: str) -> None:
    """Say that the data ended before the steps that were asked for."""
    warnings.warn(
        f"{argument}: the data ended before all the steps that were asked for; the epoch ends with them. "
        "A generator must yield at least steps_per_epoch * epochs batches",
        stacklevel=callers_level(),
    )


def converted(x: Any, y: Any, sample_weight: Any, names: Names = NAMES) -> Data:
    """Arrays of real numbers of one length.

    Raises:
        TypeError: one of them is not an array of real numbers.
        ValueError: y is missing, one is empty, or the lengths differ.
    """
    x_array = input_rows(x, names[0])
    if y is None:
        raise ValueError(f"{names[1]}: expected the targets of {names[0]}, got None")
    y_array = real_array(y, names[1])
    if len(y_array) == 1 != len(x_array):
        y_array = real_array(unwrapped(y, 1), names[1])
    weights = checked_sample_weight(sample_weight, names[2])
    for array, name in ((y_array, names[1]), (weights, names[2])):
        if array is not None and len(array) != len(x_array):
            raise ValueError(
                f"{name}: expected {len(x_array)} rows, as many as {names[0]} has, got {len(array)}"
            )
    return Data(x_array, y_array, weights, names)


def converted_validation(validation_data: Any) -> Data:
    """The arrays of (x, y) or (x, y, sample_weight).

    Raises:
        TypeError: no tuple or list, or not arrays of real numbers.
        ValueError: not two or three entries, or lengths that differ.
    """
    expected = "validation_data: expected a tuple (x, y) or (x, y, sample_weight)"
    if not isinstance(validation_data, (tuple, list)):
        raise TypeError(f"{expected}, got {type(validation_data).__name__}")
    if len(validation_data) not in (2, 3):
        raise ValueError(f"{expected}, got {len(validation_data)} entries")
    entries: Sequence[Any] = validation_data
    return converted(entries[0], entries[1], entries[2] if len(entries) == 3 else None, VALIDATION_NAMES)


def split(data: Data, part: float) -> tuple[Data, Data]:
    """(training, validation): the last `part` of the rows, before any shuffling, as Keras; views, no copies.

    Raises:
        ValueError: one of the two would be empty.
    """
    rows = len(data.x)
    at = math.floor(rows * (1.0 - part))
    if at in (0, rows):
        raise ValueError(
            f"validation_split: expected a part that leaves rows on both sides, got {part} of {rows} rows, "
            f"which leaves {at} to train on and {rows - at} to validate"
        )
    return data.rows(0, at), data.rows(at, rows)
