"""How a disease goes on after a year, in four folds: few rows, so every row is once for validation."""

import numpy as np
import tensorflow as tf
from sklearn.datasets import load_diabetes

layers = tf.keras.layers

x, y = load_diabetes(return_X_y=True)
x, y = x[:200] / x[:200].std(axis=0), y[:200] / 100


def build_model():
    model = tf.keras.models.Sequential(
        [
            tf.keras.Input((x.shape[1],)),
            layers.Dense(12, activation="tanh"),
            layers.Dense(12, activation="tanh"),
            layers.Dense(1),
        ]
    )
    model.compile(optimizer=tf.keras.optimizers.SGD(0.01, momentum=0.9), loss="mse", metrics=["mae"])
    return model


folds, size, epochs = 4, len(x) // 4, 4
courses, scores = [], []
for fold in range(folds):
    held_out = slice(fold * size, (fold + 1) * size)
    x_rest, y_rest = np.delete(x, held_out, axis=0), np.delete(y, held_out, axis=0)
    model = build_model()
    history = model.fit(
        x_rest,
        y_rest,
        validation_data=(x[held_out], y[held_out]),
        epochs=epochs,
        batch_size=16,
        shuffle=False,
        verbose=0,
    )
    courses.append(history.history["val_mae"])
    scores.append(model.evaluate(x[held_out], y[held_out], verbose=0)[1])
    print(f"fold {fold}: mean absolute error {scores[-1]:.3f}")

average = np.mean(courses, axis=0)
best = int(np.argmin(average)) + 1
final = build_model()
final.fit(x, y, epochs=best, batch_size=16, shuffle=False, verbose=0)

results = {
    "courses": courses,
    "scores": scores,
    "average": average,
    "best": best,
    "predicted": final.predict(x[:5], verbose=0),
}
