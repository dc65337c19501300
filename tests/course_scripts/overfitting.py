"""A network that is too large learns its few rows by heart; penalties, stopping and norms hold it back."""

import numpy as np
from tensorflow import keras
from tensorflow.keras import callbacks, layers, regularizers

rng = np.random.default_rng(3)
x = rng.normal(size=(160, 10))
y = (x[:, 0] * x[:, 1] + 0.7 * rng.normal(size=160) > 0).astype(int)
x_train, y_train, x_valid, y_valid = x[:80], y[:80], x[80:], y[80:]


def run(*hidden, callback_list=(), epochs=6):
    model = keras.Sequential([keras.Input((10,)), *hidden, layers.Dense(1, activation="sigmoid")])
    model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
    history = model.fit(
        x_train,
        y_train,
        validation_data=(x_valid, y_valid),
        epochs=epochs,
        batch_size=20,
        shuffle=False,
        callbacks=list(callback_list),
        verbose=0,
    )
    return model, history.history


_, small = run(layers.Dense(4, activation="relu"))
_, large = run(layers.Dense(64, activation="relu"), layers.Dense(64, activation="relu"))

penalty = regularizers.l2(0.01)
held, penalized = run(
    layers.Dense(64, activation="relu", kernel_regularizer=penalty),
    layers.Dense(64, activation="relu", kernel_regularizer=regularizers.L1L2(l1=0.001, l2=0.01)),
)
normed_model, normed = run(
    layers.Dense(32, use_bias=False), layers.BatchNormalization(), layers.Activation("relu")
)

stopper = callbacks.EarlyStopping(monitor="val_loss", patience=2, restore_best_weights=True)
slower = callbacks.ReduceLROnPlateau(monitor="val_loss", factor=0.5, patience=1, min_lr=1e-4)
stopped_model, stopped = run(layers.Dense(64, activation="relu"), callback_list=[stopper, slower], epochs=20)

results = {
    **{f"small {name}": values for name, values in small.items()},
    **{f"large {name}": values for name, values in large.items()},
    **{f"penalized {name}": values for name, values in penalized.items()},
    **{f"normed {name}": values for name, values in normed.items()},
    **{f"stopped {name}": values for name, values in stopped.items()},
    "epochs until stopped": len(stopped["loss"]),
    "restored": stopped_model.evaluate(x_valid, y_valid, verbose=0),
    "moving statistics": normed_model.layers[1].get_weights()[2],
    "largest weight": np.abs(held.layers[0].get_weights()[0]).max(),
}
