"""Files of models: not there yet, said in one place."""

from __future__ import annotations

from typing import Any, NoReturn

_TODAY = (
    "not supported yet. Today a model is kept with pickle: pickle.dump(model, file) writes it, with weights "
    "and optimizer state, pickle.load(file) gives it back; model.get_weights() are numpy arrays."
)


def refuse_file(what: str) -> NoReturn:
    """Raise for a method that would read or write a file.

    Raises:
        NotImplementedError: always.
    """
    raise NotImplementedError(f"{what}: {_TODAY}")


def load_model(filepath: Any, *args: Any, **kwargs: Any) -> NoReturn:
    """Not supported yet: use `pickle.load`.

    Raises:
        NotImplementedError: always.
    """
    refuse_file("load_model")
