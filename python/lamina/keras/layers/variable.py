"""Variable: an array with a name; a weight of a layer is one, a window on the model's flat block."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.lib.mixins import NDArrayOperatorsMixin

from lamina.keras import initializers
from lamina.keras._training.naming import checked_name
from lamina.keras.config import floatx


class Variable(NDArrayOperatorsMixin):
    """An array with a name. `np.asarray` and indexing give copies, as in Keras: what was read stays as it was
    when a step changes the values. `value` is the live array.

    Args:
        initializer: the values, an array or a number; or an initializer, its name, or another function of
            (shape, dtype=...).
        shape: needed with an initializer, else the values'.
        dtype: default the values' for arrays, `floatx` for Python's floats and initializers, int32 for
            Python's integers.
        trainable: whether an optimizer is to change it. Default True.
        autocast, aggregation, synchronization: accepted without effect.
        name: default "variable", made unique.

    Attributes:
        name: of a layer's weight "kernel", "bias", "gamma" …
        path: of a layer's weight model name / layer name / name.
        trainable: whether an optimizer is to change it; a layer's `trainable` sets that of its weights. One
            weight alone may be frozen too; it takes effect with the model's next `compile`, as in Keras.
        regularizer: what gives the penalty on it that is added to the loss, or None.
        constraint: what it is brought back to after each step, or None.

    Raises:
        ValueError: an initializer without a shape, or a name with a slash.
        TypeError: values that are no real numbers.
    """

    def __init__(
        self,
        initializer: Any,
        shape: Sequence[int] | None = None,
        dtype: str | None = None,
        trainable: bool = True,
        autocast: bool = True,
        aggregation: str = "none",
        synchronization: str = "auto",
        name: str | None = None,
    ) -> None:
        if isinstance(initializer, str):
            initializer = initializers.get(initializer)
        if callable(initializer) and not isinstance(initializer, (Variable, np.ndarray)):
            if shape is None:
                raise ValueError(f"shape: expected one for the initializer {initializer!r}, got None")
            initializer = initializer(tuple(shape), dtype=dtype or floatx())
        if dtype is None and not hasattr(initializer, "dtype"):
            found = np.asarray(initializer).dtype.kind
            dtype = floatx() if found == "f" else "int32" if found == "i" else None
        array = np.array(initializer, dtype=dtype, order="C")
        if array.dtype.kind not in "biuf":
            raise TypeError(f"initializer: expected real numbers, got dtype {array.dtype}")
        self._be(array, checked_name(name, "Variable"), bool(trainable))

    @classmethod
    def over(
        cls,
        array: npt.NDArray[Any],
        name: str,
        trainable: bool,
        path: str | None = None,
        regularizer: Any = None,
        constraint: Any = None,
    ) -> Variable:
        """A variable that lives in this very array."""
        variable = cls.__new__(cls)
        variable._be(array, name, trainable)
        variable.learnable = trainable
        variable.path = path or name
        variable.regularizer, variable.constraint = regularizer, constraint
        return variable

    def _be(self, array: npt.NDArray[Any], name: str, trainable: bool) -> None:
        self._array = array
        self.regularizer: Any = None
        self.constraint: Any = None
        self.name = name
        self.path = name
        self._trainable = trainable
        self.learnable = True  # False of what no gradient is computed of, such as a layer's statistics

    @property
    def trainable(self) -> bool:
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        if value and not self.learnable:
            raise ValueError(
                f"trainable: {self.path!r} has no gradient to learn from: its layer computes it; "
                "expected False, got True"
            )
        self._trainable = bool(value)

    @property
    def value(self) -> npt.NDArray[Any]:
        """The live values: what is written here is what the model computes with."""
        return self._array

    @property
    def shape(self) -> tuple[int, ...]:
        return self._array.shape

    @property
    def ndim(self) -> int:
        return self._array.ndim

    @property
    def size(self) -> int:
        return self._array.size

    @property
    def dtype(self) -> str:
        return str(self._array.dtype.name)

    def numpy(self) -> npt.NDArray[Any]:
        """A copy of the values."""
        return np.array(self._array, order="C")

    def assign(self, value: Any) -> Variable:
        """Write new values.

        Args:
            value: array-like of numbers of exactly this shape; cast to this dtype.

        Returns:
            The variable itself.

        Raises:
            ValueError: another shape.
            TypeError: not real numbers.
        """
        self._array[...] = checked_value(value, self.shape, self.path)
        return self

    def assign_add(self, value: Any) -> Variable:
        """Add to the values; arguments, result and errors as in `assign`."""
        return self.assign(self._array + np.asarray(value))

    def assign_sub(self, value: Any) -> Variable:
        """Subtract from the values; arguments, result and errors as in `assign`."""
        return self.assign(self._array - np.asarray(value))

    def move_to(self, view: npt.NDArray[Any]) -> None:
        """Write the values into `view` and live there from now on."""
        view[...] = self._array
        self._array = view

    def move_out(self) -> None:
        """Live in an array of its own from now on."""
        self._array = self.numpy()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        if copy is False:  # who asks for no copy gets the live values
            return np.array(self._array, dtype=dtype, copy=False)
        return np.array(self._array, dtype=dtype)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        plain = [value._array if isinstance(value, Variable) else value for value in inputs]
        out = kwargs.get("out")
        if out is not None:
            kwargs["out"] = tuple(value._array if isinstance(value, Variable) else value for value in out)
        result = getattr(ufunc, method)(*plain, **kwargs)
        return self if out is not None and out[0] is self else result

    def __getitem__(self, index: Any) -> Any:
        part = self._array[index]
        return part.copy() if isinstance(part, np.ndarray) else part

    def __setitem__(self, index: Any, value: Any) -> None:
        self._array[index] = value

    def __len__(self) -> int:
        return len(self._array)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.numpy())

    def __bool__(self) -> bool:
        raise TypeError(
            "a Variable has no truth value, as in Keras: compare it, or take int() or float() of it"
        )

    def __float__(self) -> float:
        return float(self._array)

    def __int__(self) -> int:
        return int(self._array)

    def __round__(self, ndigits: int | None = None) -> Any:
        return np.round(self._array, ndigits or 0)

    def __repr__(self) -> str:
        return f"<Variable path={self.path}, shape={self.shape}, dtype={self.dtype}, value={self._array}>"

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_array": self.numpy()}  # not a view into the model's block


def checked_value(value: Any, shape: tuple[int, ...], path: str) -> npt.NDArray[Any]:
    """`value` as an array that can be written into a weight of this shape.

    Raises:
        ValueError: another shape.
        TypeError: not real numbers.
    """
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise ValueError(f"weights: expected an array of shape {shape} for {path!r}: {error}") from None
    if array.dtype.kind not in "biuf":
        raise TypeError(f"weights: expected real numbers for {path!r}, got dtype {array.dtype}")
    if array.shape != shape:
        raise ValueError(f"weights: expected shape {shape} for {path!r}, got {array.shape}")
    return array


def write_weights(variables: Sequence[Variable], weights: Sequence[Any], where: str) -> None:
    """Write `weights` into `variables`, all or none."""
    if not isinstance(weights, Iterable):
        raise TypeError(f"weights: expected a list of arrays for {where}, got {weights!r}")
    weights = list(weights)
    if len(weights) != len(variables):
        raise ValueError(f"weights: expected {len(variables)} arrays for {where}, got {len(weights)}")
    arrays = [
        checked_value(value, variable.shape, variable.path)
        for variable, value in zip(variables, weights, strict=True)
    ]
    # An array given may be a view of these very weights (rolled, swapped …): copy what shares memory before
    # writing.
    arrays = [
        array.copy() if any(np.may_share_memory(array, variable.value) for variable in variables) else array
        for array in arrays
    ]
    for variable, array in zip(variables, arrays, strict=True):
        variable.value[...] = array
