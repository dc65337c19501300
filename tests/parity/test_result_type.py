"""`keras.backend.result_type` on all pairs and many triples of dtypes, as live Keras on TensorFlow."""

import itertools
from types import ModuleType
from typing import Any

import pytest

DTYPES: tuple[Any, ...] = (
    *("bool", "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64"),
    *("float16", "bfloat16", "float32", "float64", "complex64", "complex128"),
    *(int, float, bool, None, "float8_e4m3fn", "string", "int", "nonesuch"),
)


def outcome(keras: ModuleType, dtypes: tuple[Any, ...]) -> str:
    try:
        return str(keras.backend.result_type(*dtypes))
    except ValueError:
        return "refused"


@pytest.mark.parametrize("floatx", ["float32", "float64"])
def test_all_pairs(floatx: str, live_keras: ModuleType, lamina_keras: ModuleType) -> None:
    cases = [(), *itertools.product(DTYPES), *itertools.product(DTYPES, repeat=2)]
    cases += itertools.combinations(DTYPES, 3)
    found = []
    for keras in (lamina_keras, live_keras):
        before = keras.config.floatx()
        keras.config.set_floatx(floatx)
        try:
            found.append({case: outcome(keras, case) for case in cases})
        finally:
            keras.config.set_floatx(before)
    differ = {case: (ours, found[1][case]) for case, ours in found[0].items() if ours != found[1][case]}
    assert not differ
