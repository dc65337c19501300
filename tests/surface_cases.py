"""A small network for each part of the dense surface, compiled: for what holds of a step whatever it does."""

from collections.abc import Callable
from typing import Any

import numpy as np

from lamina import keras

FEATURES, CLASSES = 20, 5


def data(rows: int) -> tuple[Any, Any]:
    """x (rows, FEATURES) and one-hot classes."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(rows, FEATURES)).astype("float32")
    return x, np.eye(CLASSES, dtype="float32")[rng.integers(0, CLASSES, rows)]


def network(
    *between: Any,
    optimizer: Any = "adam",
    metrics: Any = ("accuracy",),
    loss: Any = "categorical_crossentropy",
    **head: Any,
) -> Any:
    """Some layers between a dense layer of 16 units and a softmax, which takes what is left."""
    dense = keras.layers.Dense
    model = keras.Sequential(
        [keras.Input((FEATURES,)), dense(16, "relu"), *between, dense(CLASSES, "softmax", **head)]
    )
    model.compile(optimizer, loss, metrics=list(metrics))
    return model


def regularised(rate: Any = None) -> Any:
    """What a textbook adds to a network so that it does not overfit, all at once."""
    layers = keras.layers
    if rate is None:
        rate = keras.optimizers.schedules.CosineDecay(
            0.001, 5000, alpha=0.1, warmup_target=0.01, warmup_steps=7
        )
    return network(
        layers.Dense(16, "relu", kernel_regularizer=keras.regularizers.L2(1e-3)),
        layers.BatchNormalization(),
        layers.Dropout(0.3),
        optimizer=keras.optimizers.Adam(rate, clipnorm=1.0),
    )


def normalised() -> Any:
    layers = keras.layers
    return network(
        layers.LayerNormalization(),
        layers.RMSNormalization(),
        layers.GroupNormalization(groups=4),
        layers.UnitNormalization(),
        layers.Reshape((4, 4)),
        layers.LayerNormalization(axis=1),
        layers.BatchNormalization(axis=1),
        layers.GroupNormalization(groups=2, axis=1),
        layers.Flatten(),
    )


def noisy() -> Any:
    layers = keras.layers
    return network(
        layers.GaussianNoise(0.1),
        layers.GaussianDropout(0.2),
        layers.AlphaDropout(0.2),
        layers.Dropout(0.2, noise_shape=(None, 1)),
    )


def nonlinear() -> Any:
    """Every way in which an activation is computed: by itself, with numbers, learned, over rows."""
    layers = keras.layers
    activations = ("gelu", "silu", "mish", "selu", "softplus", "log_softmax", "sparsemax", "glu")
    return network(
        layers.PReLU(),
        layers.LeakyReLU(0.1),
        layers.ReLU(6.0, 0.1, 0.2),
        layers.ELU(0.5),
        *(layers.Activation(name) for name in activations),
        layers.Reshape((4, 2)),
        layers.PReLU(shared_axes=[1]),
        layers.Softmax(axis=1),
        layers.Flatten(),
    )


def rounded() -> Any:
    """In bfloat16 what is computed there in ways of its own."""
    layers = keras.layers
    names = ("gelu", "log_softmax", "sparsemax", "glu")
    mixed = {"dtype": "mixed_bfloat16"}
    return network(
        layers.Dense(16, **mixed),
        layers.PReLU(**mixed),
        layers.UnitNormalization(**mixed),
        *(layers.Activation(name, **mixed) for name in names),
        layers.Reshape((4, 2), **mixed),
        layers.PReLU(shared_axes=[1], **mixed),
        layers.Softmax(axis=1, **mixed),
        layers.Flatten(**mixed),
    )


def delegated() -> Any:
    """Each weight's step by another optimizer; one of them has to wait for whole gradients."""
    o = keras.optimizers
    by_path = o.OptimizerMap(o.SGD(0.01, momentum=0.9), {".*kernel": o.Nadam(0.01, clipnorm=0.5)})
    return network(keras.layers.BatchNormalization(), optimizer=o.MultiOptimizer(by_path))


def along(axis: Any) -> Callable[[], Any]:
    """A loss along these axes, with a factor for each class."""
    alphas = [0.1, 0.2, 0.3, 0.4, 0.5]
    return lambda: network(loss=keras.losses.CategoricalFocalCrossentropy(alphas, axis=axis))


def restrained() -> Any:
    """A penalty or constraint of every kind, on weights and on outputs, of a head too."""
    layers, l1l2 = keras.layers, keras.regularizers.L1L2(0.01, 0.01)
    return network(
        layers.Dense(16, kernel_regularizer=l1l2, bias_constraint="non_neg"),
        layers.ActivityRegularization(0.01, 0.01),
        layers.BatchNormalization(gamma_regularizer="l2", beta_constraint="unit_norm"),
        layers.Dense(16, kernel_regularizer="orthogonal_regularizer", kernel_constraint="max_norm"),
        activity_regularizer="l2",
        kernel_constraint=keras.constraints.MinMaxNorm(axis=1),
    )


def measured() -> Any:
    metrics = keras.metrics
    return network(
        metrics=[
            "mae",
            "kl_divergence",
            metrics.AUC(50),
            metrics.AUC(thresholds=[0.1, 0.7], multi_label=True),
            metrics.Precision(),
            metrics.Recall(top_k=2),
            metrics.PrecisionAtRecall(0.5),
            metrics.FalsePositives([0.2, 0.6]),
            metrics.F1Score("macro"),
            metrics.R2Score(),
            metrics.TopKCategoricalAccuracy(2),
            metrics.PearsonCorrelation(),
            metrics.CosineSimilarity(),
        ]
    )


def stepped(name: str, **options: Any) -> Callable[[], Any]:
    """With this optimizer."""
    return lambda: network(optimizer=getattr(keras.optimizers, name)(0.01, **options))


CASES: dict[str, Callable[[], Any]] = {
    "regularised": regularised,
    "normalised": normalised,
    "noisy": noisy,
    "nonlinear": nonlinear,
    "rounded": rounded,
    "restrained": restrained,
    "delegated": delegated,
    "along the batch": along(0),
    "along all axes": along(None),
    "measured": measured,
    "clipped": stepped("SGD", momentum=0.9, global_clipnorm=0.5),
    "bounded": stepped("RMSprop", clipvalue=0.1),
    "averaged": stepped("AdamW", weight_decay=0.1, use_ema=True, ema_overwrite_frequency=3),
    "accumulated": stepped("Nadam", gradient_accumulation_steps=4, clipnorm=0.5),
    "Lamb": stepped("Lamb"),
    "Muon": stepped("Muon"),
    "Adafactor": stepped("Adafactor"),
    "Ftrl": stepped("Ftrl", l1_regularization_strength=0.01),
}
