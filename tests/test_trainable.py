"""Frozen layers and models: what they say, what stays, copies, threads, and trainings that overlap."""

import copy
import pickle

import numpy as np
import pytest

from lamina import config, keras
from lamina.keras import layers

X = np.random.default_rng(0).normal(size=(40, 6)).astype("float32")
Y = np.random.default_rng(1).integers(0, 3, 40)


def network(**options: object) -> keras.Sequential:
    keras.utils.set_random_seed(5)
    return keras.Sequential(
        [
            keras.Input((6,)),
            layers.Dense(8, activation="tanh"),
            layers.BatchNormalization(),
            layers.Dropout(0.3, seed=2),
            layers.Dense(3, activation="softmax"),
        ],
        **options,  # type: ignore[arg-type]
    )


def compiled(model: keras.Sequential, optimizer: object = "adam") -> keras.Sequential:
    model.compile(optimizer, "sparse_categorical_crossentropy")
    return model


def test_attribute_of_layer_and_model() -> None:
    model = network()
    dense, norm, _, last = model.layers
    assert model.trainable
    assert len(model.trainable_weights) == 6
    dense.trainable = 0  # type: ignore[assignment]
    assert dense.trainable is False
    assert dense.trainable_weights == []
    assert dense.non_trainable_weights == dense.weights
    assert not any(weight.trainable for weight in dense.weights)
    assert [weight.path for weight in model.trainable_weights] == [
        weight.path for weight in (*norm.trainable_weights, *last.weights)
    ]
    model.trainable = False
    assert model.trainable_weights == []
    assert model.non_trainable_weights == model.weights
    assert not any(layer.trainable for layer in model.layers)
    model.trainable = True
    assert [weight.name for weight in norm.trainable_weights] == ["gamma", "beta"]
    assert dense.get_config()["trainable"] is True
    dense.trainable = False
    model.trainable = True  # which it was
    assert not dense.trainable
    frozen = layers.Dense(2, trainable=False)
    frozen.build((None, 3))
    assert frozen.trainable_weights == []
    assert layers.Dense.from_config(frozen.get_config()).trainable is False


def test_a_weight_frozen_by_itself() -> None:
    model = network()
    dense, norm, *_ = model.layers
    dense.kernel.trainable = False
    assert [weight.name for weight in dense.trainable_weights] == ["bias"]
    assert [weight.name for weight in dense.non_trainable_weights] == ["kernel"]
    dense.trainable = True  # of all its weights
    assert dense.trainable_weights == dense.weights
    norm.moving_mean.trainable = False  # as it is
    with pytest.raises(ValueError, match=r"moving_mean' has no gradient.*expected False, got True"):
        norm.moving_mean.trainable = True
    assert keras.Variable(1.0, trainable=False).trainable is False


def test_summary_counts(capsys: pytest.CaptureFixture[str]) -> None:
    model = network()
    model.layers[0].trainable = False
    model.summary(show_trainable=True)
    text = capsys.readouterr().out
    assert "Trainable params: 43 (172.00 B)" in text  # 16 of the normalization, 24 + 3 of the last layer
    assert "Non-trainable params: 72 (288.00 B)" in text


def test_old_views_stay_readable() -> None:
    """The parameters move to another block when something is frozen; who holds the old one may look on."""
    model = compiled(network())
    model.fit(X, Y, verbose=0)
    kernel = model.layers[0].kernel
    view, values = kernel.value, kernel.numpy()
    model.layers[0].trainable = False
    compiled(model).fit(X, Y, verbose=0)
    np.testing.assert_array_equal(view, values)
    np.testing.assert_array_equal(kernel, values)
    kernel.assign(np.zeros(kernel.shape))  # the model computes with it
    alike = model.predict(X, verbose=0)
    np.testing.assert_allclose(alike, np.broadcast_to(alike[0], alike.shape), rtol=1e-6)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_copies_go_on_with_the_same_bits(copied: object) -> None:
    model = network()
    model.layers[0].trainable = False
    compiled(model).fit(X, Y, verbose=0)
    model.layers[0].trainable = True  # takes no effect yet, in the copy neither
    twin = copied(model)  # type: ignore[operator]
    for each in (model, twin):
        each.fit(X, Y, epochs=2, verbose=0)
    for ours, theirs in zip(model.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_same_bits_with_any_number_of_threads() -> None:
    results = []
    before = config.get_num_threads()
    try:
        for threads in (1, 3):
            config.set_num_threads(threads)
            model = network()
            model.layers[1].trainable = False
            compiled(model).fit(X, Y, epochs=3, verbose=0)
            results.append(model.get_weights())
    finally:
        config.set_num_threads(before)
    for ours, theirs in zip(*results, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_optimizer_that_knows_other_weights_is_refused() -> None:
    optimizer = keras.optimizers.Adam()
    model = network()
    model.layers[0].trainable = False
    compiled(model, optimizer).fit(X, Y, verbose=0)
    model.layers[0].trainable = True
    compiled(model, optimizer)
    before = model.get_weights()
    with pytest.raises(ValueError, match=r"optimizer: expected one that was built for all .*dense.*kernel'"):
        model.fit(X, Y, verbose=0)
    for ours, same in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(ours, same)


def test_a_training_within_a_training_may_not_move_the_weights() -> None:
    """A trainer whose gradients belong to another layout stops with an error."""

    class Inner(keras.callbacks.Callback):  # type: ignore[misc]
        def on_epoch_end(self, epoch: int, logs: object = None) -> None:
            model.layers[0].trainable = False
            compiled(model).fit(X, Y, verbose=0)

    model = compiled(network())
    with pytest.raises((ValueError, RuntimeError), match=r"trainable|model"):
        model.fit(X, Y, epochs=2, verbose=0, callbacks=[Inner()])


def test_nothing_to_learn_warns_and_takes_no_step() -> None:
    model = network(trainable=False)
    with pytest.warns(UserWarning, match="no trainable weights"):
        compiled(model).fit(X, Y, epochs=2, verbose=0)
    assert int(model.optimizer.iterations) == 0


def test_frozen_dense_layer_in_bfloat16() -> None:
    """Its kernel stays, the layer below it learns as if nothing was frozen."""
    models = []
    for frozen in (False, True):
        keras.utils.set_random_seed(7)
        model = keras.Sequential(
            [
                keras.Input((6,)),
                layers.Dense(8, dtype="mixed_bfloat16"),
                layers.BatchNormalization(dtype="mixed_bfloat16"),
                layers.Dense(3, dtype="mixed_bfloat16", trainable=not frozen),
            ]
        )
        model.compile("sgd", "mse")
        before = model.layers[2].get_weights()
        model.train_on_batch(X, np.eye(3)[Y])
        same = [(a == b).all() for a, b in zip(before, model.layers[2].get_weights(), strict=True)]
        assert same == [frozen, frozen]
        models.append(model)
    for ours, theirs in zip(*(model.layers[0].get_weights() for model in models), strict=True):
        np.testing.assert_array_equal(ours, theirs)
