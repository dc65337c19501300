"""BackupAndRestore: a run that was interrupted and resumed has the bits of the run that never stopped."""

import os

import numpy as np
import pytest

from lamina import keras

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(37, 5)).astype("float32"), RNG.integers(0, 3, 37)
EPOCHS, CRASH = 6, 3


def make(seed, units=6, optimizer="adam"):
    """A model in which everything that training draws or counts matters; its seeds are of this process."""
    keras.utils.set_random_seed(seed)
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((5,)),
            layers.Dense(units, "tanh"),
            layers.BatchNormalization(),
            layers.Dropout(0.3),
            layers.Dense(3, "softmax"),
        ]
    )
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def fit(model, *callbacks, epochs=EPOCHS):
    return model.fit(X, Y, batch_size=8, epochs=epochs, verbose=0, callbacks=list(callbacks))


class Crash(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        if epoch == CRASH:
            raise RuntimeError("the power went")


def interrupted(folder, **arguments):
    with pytest.raises(RuntimeError, match="the power went"):
        fit(make(1), keras.callbacks.BackupAndRestore(folder, **arguments), Crash())


def bits(model):
    return [weight.tobytes() for weight in model.get_weights()]


@pytest.mark.parametrize("seed", [1, 9])
def test_the_resumed_run_has_the_bits_of_the_whole_one(tmp_path, seed):
    """Also where the new process has drawn other seeds for weights, shuffles and dropout."""

    def slower():
        return keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.5 if epoch else rate)

    whole = make(1)
    expected = fit(whole, slower()).history
    with pytest.raises(RuntimeError):
        fit(make(1), keras.callbacks.BackupAndRestore(tmp_path / "backup"), slower(), Crash())
    resumed = make(seed)
    history = fit(resumed, keras.callbacks.BackupAndRestore(tmp_path / "backup"), slower())
    assert history.epoch == list(range(CRASH, EPOCHS))
    assert history.history == {name: values[CRASH:] for name, values in expected.items()}
    assert bits(resumed) == bits(whole)
    assert int(resumed.optimizer.iterations) == int(whole.optimizer.iterations)
    assert not (tmp_path / "backup").exists()
    # It is over: the next fit begins at its own beginning, and both still go on alike.
    assert fit(resumed, epochs=2).epoch == fit(whole, epochs=2).epoch == [0, 1]
    assert bits(resumed) == bits(whole)


def test_what_is_kept_and_removed(tmp_path):
    folder = tmp_path / "backup"
    interrupted(folder, double_checkpoint=True)
    assert sorted(os.listdir(folder)) == ["latest.npz", "latest.npz.bkp"]
    (folder / "mine.txt").write_text("mine")
    keeping = keras.callbacks.BackupAndRestore(folder, double_checkpoint=True, delete_checkpoint=False)
    assert fit(make(1), keeping).epoch == list(range(CRASH, EPOCHS))
    assert fit(make(1), keeping).epoch == []
    fit(make(1), keras.callbacks.BackupAndRestore(folder))
    assert os.listdir(folder) == ["mine.txt"]


@pytest.mark.parametrize("damage", [b"", b"no archive", None])
def test_a_damaged_backup(tmp_path, damage):
    """The one before it serves if it was kept; else one clear error, and the model stays as it is."""
    folder, latest = tmp_path / "backup", tmp_path / "backup" / "latest.npz"

    def destroy():
        content = latest.read_bytes()
        latest.write_bytes(content[: len(content) // 2] if damage is None else damage)

    interrupted(folder, double_checkpoint=True)
    destroy()
    whole, resumed = make(1), make(1)
    fit(whole)
    assert fit(resumed, keras.callbacks.BackupAndRestore(folder)).epoch == list(range(CRASH - 1, EPOCHS))
    assert bits(resumed) == bits(whole)
    interrupted(folder)
    destroy()
    model = make(1)
    before = bits(model)
    with pytest.raises(OSError, match=r"latest\.npz: expected a whole backup"):
        fit(model, keras.callbacks.BackupAndRestore(folder))
    assert bits(model) == before
    assert latest.exists()


def test_another_model_s_backup(tmp_path):
    interrupted(tmp_path / "backup")
    model = make(1, units=7)
    before = bits(model)
    with pytest.raises(ValueError, match="weights: expected shape"):
        fit(model, keras.callbacks.BackupAndRestore(tmp_path / "backup"))
    assert bits(model) == before


def test_backups_within_an_epoch(tmp_path):
    """The epoch is begun anew with the weights that were reached, as in Keras."""

    class CrashAtBatch(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if int(self.model.optimizer.iterations) == 8:  # the third batch of five of the second epoch
                raise RuntimeError("the power went")

    model = make(1)
    backup = keras.callbacks.BackupAndRestore(tmp_path / "backup", save_freq=7)
    with pytest.raises(RuntimeError):
        fit(model, backup, CrashAtBatch())
    seen = []

    class Note(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            seen.append(int(self.model.optimizer.iterations))

    resumed = make(1)
    again = keras.callbacks.BackupAndRestore(tmp_path / "backup", save_freq=7)
    assert fit(resumed, again, Note()).epoch == list(range(1, EPOCHS))
    assert seen == [7]
    assert int(resumed.optimizer.iterations) == 7 + 5 * 5


@pytest.mark.parametrize("arguments", [{"backup_dir": ""}, {"backup_dir": "a", "save_freq": "batch"}])
def test_wrong_arguments(live_keras, arguments):
    for module in (keras, live_keras):
        with pytest.raises(ValueError, match=r"backup_dir|save_freq"):
            module.callbacks.BackupAndRestore(**arguments)


@pytest.mark.parametrize("scaled", [False, True])
def test_each_of_several_optimizers_goes_on(tmp_path, scaled):
    """Within a LossScaleOptimizer too, whose scale has grown by then."""

    def several():
        o = keras.optimizers
        both = o.MultiOptimizer(o.OptimizerMap(o.SGD(0.1, momentum=0.9), {".*kernel": o.Adam(0.01)}))
        return o.LossScaleOptimizer(both, initial_scale=4.0, dynamic_growth_steps=4) if scaled else both

    whole = make(1, optimizer=several())
    expected = fit(whole).history
    with pytest.raises(RuntimeError):
        fit(make(1, optimizer=several()), keras.callbacks.BackupAndRestore(str(tmp_path)), Crash())
    resumed = make(9, optimizer=several())
    found = fit(resumed, keras.callbacks.BackupAndRestore(str(tmp_path))).history
    assert found["loss"] == expected["loss"][CRASH:]
    assert bits(resumed) == bits(whole)
    if scaled:
        scales = [float(model.optimizer.dynamic_scale) for model in (resumed, whole)]
        assert scales[0] == scales[1] > 4.0
        assert int(resumed.optimizer.step_counter) == int(whole.optimizer.step_counter)
