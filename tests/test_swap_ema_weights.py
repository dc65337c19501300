"""SwapEMAWeights: when the averages stand in the model, with an optimizer that only keeps them."""

import numpy as np
import pytest

from lamina.keras import callbacks
from lamina.keras.layers.variable import Variable


class Optimizer:
    """Averages as the core holds them: views of another shape, writable."""

    def __init__(self, use_ema=True):
        self.use_ema = use_ema
        self.average = np.array([10.0, 20.0, 30.0, 40.0])

    def core(self, dtype):
        return self

    def slots(self):
        other = ("momentum", 0, np.zeros(4))
        return [other, ("average", 0, self.average)] if self.use_ema else [other]


class Model:
    dtype = "float32"

    def __init__(self, optimizer):
        self.optimizer = optimizer
        self.trainable_weights = [Variable.over(np.array([[1.0, 2.0], [3.0, 4.0]]), "kernel", True)]

    @property
    def first(self):
        return float(self.trainable_weights[0].value[0, 0])


def made(swap_on_epoch=False, **arguments):
    model = Model(Optimizer(**arguments))
    swapper = callbacks.SwapEMAWeights(swap_on_epoch)
    swapper.set_model(model)
    swapper.set_params({"epochs": 2})
    return model, swapper


def test_evaluations_and_predictions_see_the_averages():
    model, swapper = made()
    for kind in ("test", "predict", "test"):
        getattr(swapper, f"on_{kind}_begin")()
        assert (model.first, model.optimizer.average[0]) == (10.0, 1.0)
        getattr(swapper, f"on_{kind}_end")()
        assert (model.first, model.optimizer.average[0]) == (1.0, 10.0)
    swapper.on_epoch_begin(0)
    swapper.on_epoch_end(0)
    assert model.first == 1.0


def test_what_comes_behind_it_at_an_epoch_s_end_sees_them_too():
    model, swapper = made(swap_on_epoch=True)
    for epoch, average in ((0, 1.0), (1, 10.0)):  # the last epoch leaves the averages in both places
        swapper.on_epoch_begin(epoch)
        assert model.first == 1.0
        swapper.on_test_begin()
        swapper.on_test_end()
        assert model.first == 1.0
        swapper.on_epoch_end(epoch)
        assert (model.first, model.optimizer.average[0]) == (10.0, average)


def test_without_averages():
    _, swapper = made(use_ema=False)
    with pytest.raises(ValueError, match="use_ema=True, got use_ema=False"):
        swapper.on_test_begin()
