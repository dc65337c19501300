"""The whole state of a training in one file: what a run needs to go on with the bits of one that never
stopped.
"""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lamina.keras._saving.whole_file import write_whole

if TYPE_CHECKING:
    from lamina.keras._training.stack import LayerStack


class TrainingState(NamedTuple):
    """What changes while a model trains, and the seeds that say how.

    Attributes:
        weights: in the model's order.
        slots: the optimizer's, flat, and those of the optimizers within it.
        iterations, learning_rates: of the same.
        seed: of the shuffles.
        layer_seeds: of the layers that draw random numbers, None for the others.
        epochs_trained: epochs begun, in all calls together.
        epoch: the one to go on with, from 0.
        scaling: a LossScaleOptimizer's scale, and the steps since it changed; None without one.
    """

    weights: Sequence[npt.NDArray[Any]]
    slots: Sequence[Sequence[npt.NDArray[Any]]]
    iterations: list[int]
    learning_rates: list[float | None]
    seed: int
    layer_seeds: list[int | None]
    epochs_trained: int
    epoch: int
    scaling: list[float] | None = None


def write_state(path: str, model: LayerStack, epoch: int, within_epoch: bool) -> None:
    """Write the model's state to a file; the one that was there is replaced once the new one is whole.

    Args:
        path: of the file.
        model: it has been compiled and built.
        epoch: the one to go on with.
        within_epoch: whether that epoch is under way; it is then begun again.
    """
    optimizers = _optimizers(model)
    states = [optimizer.core(model.dtype).get_state() for optimizer in optimizers]
    told = {
        "iterations": [int(iterations) for iterations, _ in states],
        "learning_rates": [_rate(optimizer) for optimizer in optimizers],
        "seed": model.shuffle_seed(),
        "layer_seeds": _layer_seeds(model),
        "epochs_trained": model.epochs_trained - within_epoch,
        "epoch": epoch,
        "scaling": [float(variable) for variable in _scaling(model)] or None,
    }
    arrays: dict[str, Any] = {f"weight{i}": weight for i, weight in enumerate(model.get_weights())}
    for k, (_, slots) in enumerate(states):
        arrays.update({f"slot{k}_{i}": slot for i, slot in enumerate(slots)})
    memory = io.BytesIO()
    np.savez(memory, told=np.array(json.dumps(told)), **arrays)
    write_whole(path, memory.getbuffer())


def read_state(path: str) -> TrainingState:
    """The state in a file.

    Raises:
        OSError: there is none, or it is damaged.
    """
    from zipfile import BadZipFile  # only here: it is slow to import

    try:
        with open(path, "rb") as opened, np.load(opened, allow_pickle=False) as file:
            told = json.loads(str(file["told"]))
            names = set(file.files)
            return TrainingState(
                weights=[file[f"weight{i}"] for i in range(_count(names, "weight"))],
                slots=[
                    [file[f"slot{k}_{i}"] for i in range(_count(names, f"slot{k}_"))]
                    for k in range(len(told["iterations"]))
                ],
                **told,
            )
    except (ValueError, KeyError, TypeError, EOFError, BadZipFile) as error:
        raise OSError(f"{path}: expected a whole backup, got a file that can't be read: {error}") from None


def restore_state(model: LayerStack, state: TrainingState) -> None:
    """Give the model this state; its next `fit` goes on with `state.epoch`.

    Raises:
        ValueError: it is the state of another model.
    """
    seeds = _layer_seeds(model)
    if len(seeds) != len(state.layer_seeds):
        raise ValueError(
            f"backup: expected the state of a model of {len(seeds)} layers, as {model.name!r} has, "
            f"got one of {len(state.layer_seeds)}"
        )
    optimizers = _optimizers(model)
    if len(optimizers) != len(state.iterations):
        raise ValueError(
            f"backup: expected the state of {len(optimizers)} optimizers, got one of {len(state.iterations)}"
        )
    scaling = _scaling(model)
    if len(scaling) != len(state.scaling or ()):
        raise ValueError(f"backup: expected {len(scaling)} numbers of a loss scale, got {state.scaling}")
    model.set_weights(state.weights)
    for layer, seed in zip(model.leaves, state.layer_seeds, strict=True):
        if seed is not None:
            layer.__dict__["_seed"] = seed  # past the door that is shut while the layer is in a model
    if seeds != state.layer_seeds:
        model.rebuild()
    for k, optimizer in enumerate(optimizers):
        optimizer.core(model.dtype).set_state(state.iterations[k], state.slots[k])
        if _rate(optimizer) != state.learning_rates[k]:
            optimizer.learning_rate = state.learning_rates[k]
    for variable, value in zip(scaling, state.scaling or (), strict=True):
        variable.assign(value)
    model.resume(state.seed, state.epochs_trained, state.epoch)


def _optimizers(model: LayerStack) -> list[Any]:
    """Those that keep slots: of a LossScaleOptimizer the one within it, of several all."""
    optimizer: Any = getattr(model.optimizer, "inner_optimizer", model.optimizer)
    return [optimizer, *getattr(optimizer, "optimizers", ())]


def _scaling(model: LayerStack) -> list[Any]:
    found = [getattr(model.optimizer, name, None) for name in ("dynamic_scale", "step_counter")]
    return [variable for variable in found if variable is not None]


def _rate(optimizer: Any) -> float | None:
    rate = getattr(optimizer, "learning_rate", None)  # a MultiOptimizer has none
    return None if rate is None else float(rate)


def _layer_seeds(model: LayerStack) -> list[int | None]:
    return [getattr(layer, "_seed", None) for layer in model.leaves]


def _count(names: set[str], kind: str) -> int:
    return sum(name.startswith(kind) for name in names)
