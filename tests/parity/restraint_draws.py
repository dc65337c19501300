"""Regularizers and constraints, drawn at random as a class and its arguments; and each library's object."""

from types import ModuleType
from typing import Any

from hypothesis import strategies as st

FACTORS = st.sampled_from([0.0, 0.01, 0.3])
REGULARIZERS = st.one_of(
    st.none(),
    st.builds(lambda a: ("L1", {"l1": a}), FACTORS),
    st.builds(lambda a: ("L2", {"l2": a}), FACTORS),
    st.builds(lambda a, b: ("L1L2", {"l1": a, "l2": b}), FACTORS, FACTORS),
)


def constraints(*axes: Any) -> Any:
    """Constraints whose bounds are near the norms of the weights here, so that some hold and some don't."""
    axis = st.sampled_from(axes)
    return st.one_of(
        st.none(),
        st.just(("NonNeg", {})),
        st.builds(
            lambda a, m: ("MaxNorm", {"max_value": m, "axis": a}), axis, st.sampled_from([0.0, 0.9, 2])
        ),
        st.builds(lambda a: ("UnitNorm", {"axis": a}), axis),
        st.builds(
            lambda a, low, rate: (
                "MinMaxNorm",
                {"min_value": low, "max_value": 1.3, "rate": rate, "axis": a},
            ),
            axis,
            st.sampled_from([0.0, 1.1]),
            st.sampled_from([1.0, 0.3]),
        ),
    )


MATRIX, VECTOR = constraints(0, 1, -1, [0, 1], None), constraints(0)
DENSE = st.fixed_dictionaries(
    {
        "kernel_regularizer": REGULARIZERS,
        "bias_regularizer": REGULARIZERS,
        "activity_regularizer": REGULARIZERS,
        "kernel_constraint": MATRIX,
        "bias_constraint": VECTOR,
    }
)
NORM = st.fixed_dictionaries(
    {
        "gamma_regularizer": REGULARIZERS,
        "beta_regularizer": REGULARIZERS,
        "gamma_constraint": VECTOR,
        "beta_constraint": VECTOR,
        "activity_regularizer": REGULARIZERS,
    }
)


def spoken(keras: ModuleType, argument: str, value: Any) -> Any:
    """An argument of a layer in one library's objects."""
    if value is None or not argument.endswith(("_regularizer", "_constraint")):
        return value
    module = keras.regularizers if argument.endswith("_regularizer") else keras.constraints
    return getattr(module, value[0])(**value[1])
