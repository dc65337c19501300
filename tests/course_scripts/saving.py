"""Save the best model of a run, stop and go on another day, take weights and architecture apart."""

import csv
import json
from pathlib import Path

import numpy as np
from tensorflow import keras
from tensorflow.keras.layers import BatchNormalization, Dense

rng = np.random.default_rng(11)
x = rng.uniform(-1, 1, (120, 6))
y = np.sin(3 * x[:, :1]) + x[:, 1:2] * x[:, 2:3]
x_valid, y_valid = x[90:], y[90:]

model = keras.Sequential([keras.Input((6,)), Dense(24, "tanh"), BatchNormalization(), Dense(1)], name="net")
model.compile(keras.optimizers.Adam(learning_rate=0.01), loss="mse", metrics=["mae"])

learning_rates = []
history = model.fit(
    x[:90],
    y[:90],
    epochs=6,
    batch_size=30,
    shuffle=False,
    validation_data=(x_valid, y_valid),
    callbacks=[
        keras.callbacks.ModelCheckpoint("best.keras", monitor="val_loss", save_best_only=True),
        keras.callbacks.ModelCheckpoint("epoch-{epoch:02d}.weights.h5", save_weights_only=True),
        keras.callbacks.CSVLogger("log.csv"),
        keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.9 if epoch > 2 else rate),
        keras.callbacks.LambdaCallback(
            on_epoch_end=lambda epoch, logs: learning_rates.append(float(model.optimizer.learning_rate))
        ),
    ],
    verbose=0,
).history
files = sorted(path.name for path in Path().iterdir())

# -- the best one, and the last one going on after it was loaded
best = keras.models.load_model("best.keras")
model.save("last.keras")
last = keras.models.load_model("last.keras")
same = np.array_equal(last.predict(x, verbose=0), model.predict(x, verbose=0))
steps = int(last.optimizer.iterations)
more = last.fit(x[:90], y[:90], epochs=2, batch_size=30, shuffle=False, verbose=0).history

# -- weights and architecture apart
twin = keras.models.model_from_json(model.to_json())
twin.load_weights("epoch-06.weights.h5")
apart = np.array_equal(twin.predict(x, verbose=0), model.predict(x, verbose=0))
again = keras.Sequential.from_config(model.get_config())
again.set_weights(model.get_weights())
with open("log.csv", newline="") as file:
    logged = [float(row["val_loss"]) for row in csv.DictReader(file)]

results = {
    **{f"history {name}": values for name, values in history.items()},
    **{f"more {name}": values for name, values in more.items()},
    "files": files,
    "learning rates": learning_rates,
    "best": best.evaluate(x_valid, y_valid, verbose=0),
    "steps": steps,
    "same": [same, apart],
    "again": again.predict(x[:4], verbose=0),
    "logged": logged,
    "architecture": json.loads(model.to_json())["config"],
}
