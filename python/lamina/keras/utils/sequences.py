"""pad_sequences: lists of different lengths as one array."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


def pad_sequences(
    sequences: Any,
    maxlen: int | None = None,
    dtype: Any = "int32",
    padding: str = "pre",
    truncating: str = "pre",
    value: Any = 0.0,
) -> npt.NDArray[Any]:
    """Sequences cut or filled up to one length.

    Args:
        sequences: list of sequences, of numbers or of equally shaped arrays.
        maxlen: that length. Default None: that of the longest.
        dtype: of the result. Default "int32".
        padding, truncating: "pre" (default) or "post": at which end it is filled up or cut.
        value: what it is filled up with. Default 0.0.

    Returns:
        Array (sequences, maxlen, ...).

    Raises:
        ValueError: no list of sequences, arrays of different shapes, or another word for an end.

    Source: Keras 3 `keras.utils.pad_sequences`.
    """
    if not hasattr(sequences, "__len__"):
        raise ValueError(f"sequences: expected a list of sequences, got {sequences!r}")
    for entry in sequences:
        if not hasattr(entry, "__len__"):
            raise ValueError(f"sequences: expected a list of sequences, got the entry {entry!r}")
    for name, end in (("padding", padding), ("truncating", truncating)):
        if end not in ("pre", "post"):
            raise ValueError(f"{name}: expected 'pre' or 'post', got {end!r}")
    words = np.issubdtype(dtype, np.str_) or np.issubdtype(dtype, np.bytes_)
    if isinstance(value, str) and dtype is not object and not words:
        raise ValueError(f"value: expected a number for dtype {dtype}, got {value!r}; object takes strings")
    filled = [entry for entry in sequences if len(entry)]
    inner = np.asarray(filled[0]).shape[1:] if filled else ()
    if maxlen is None:
        maxlen = int(np.max([len(entry) for entry in sequences]))
    out = np.full((len(sequences), maxlen, *inner), value, dtype=dtype)
    for row, entry in enumerate(sequences):
        if not len(entry):
            continue
        part = np.asarray(entry[-maxlen:] if truncating == "pre" else entry[:maxlen], dtype=dtype)
        if part.shape[1:] != inner:
            raise ValueError(
                f"sequences: expected arrays of shape {inner} in all, got {part.shape[1:]} in {row}"
            )
        if padding == "post":
            out[row, : len(part)] = part
        else:
            out[row, -len(part) :] = part
    return out
