"""What a weights file holds, entry by entry, under the paths that Keras gives them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from lamina.keras._training.naming import snake_case


class Entry(NamedTuple):
    """One object with variables.

    Attributes:
        path: group in the file, "" for the model itself; its variables are "vars/0", "vars/1" … in it.
        name: the object's own.
        variables: in Keras's order.
        owner: the layer, optimizer or model.
        repeats: whether its variables stand in another entry too.
    """

    path: str
    name: str
    variables: Sequence[Any]
    owner: Any
    repeats: bool = False


def entries_of(model: Any) -> list[Entry]:
    """The model, its layers by class and order (names don't matter), and its optimizer."""
    found = [Entry("", model.name, [], model), *_of_layers(model.layers, "")]
    optimizer = model.optimizer
    variables = getattr(optimizer, "variables", None)
    if variables is not None:
        found.append(Entry("optimizer", optimizer.name, variables, optimizer))
        for name, part in _named(getattr(optimizer, "optimizers", ())):
            path = f"optimizer/optimizers/{name}"
            found.append(Entry(path, part.name, part.variables, part, repeats=True))
    return found


def _of_layers(layers: Iterable[Any], prefix: str) -> list[Entry]:
    found = []
    for name, layer in _named(layers):
        path = f"{prefix}layers/{name}"
        inner = getattr(layer, "layers", None)
        if inner is None:
            found.append(Entry(path, layer.name, layer.weights, layer))
        else:
            found.append(Entry(path, layer.name, [], layer))
            found.extend(_of_layers(inner, f"{path}/"))
    return found


def _named(objects: Iterable[Any]) -> list[tuple[str, Any]]:
    """Each with its class's name, numbered from the second of its kind on."""
    named = []
    counts: dict[str, int] = {}
    for each in objects:
        kind = snake_case(type(each).__name__)
        count = counts.get(kind, 0)
        counts[kind] = count + 1
        named.append((f"{kind}_{count}" if count else kind, each))
    return named
