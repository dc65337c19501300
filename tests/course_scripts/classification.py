"""Three sorts of wine from thirteen measurements: prepare, train, look at the curves, evaluate, predict."""

import numpy as np
from sklearn.datasets import load_wine
from tensorflow import keras
from tensorflow.keras import layers
from tensorflow.keras.utils import to_categorical

keras.utils.set_random_seed(7)

# -- data: shuffled once, standardized with the training rows' own mean and deviation
x, labels = load_wine(return_X_y=True)
order = np.random.default_rng(0).permutation(len(x))
x, labels = x[order], labels[order]
x_train, x_test = x[:130], x[130:]
mean, deviation = x_train.mean(axis=0), x_train.std(axis=0)
x_train, x_test = (x_train - mean) / deviation, (x_test - mean) / deviation
y_train, y_test = to_categorical(labels[:130], 3), to_categorical(labels[130:], 3)

# -- model
model = keras.Sequential()
model.add(keras.Input(shape=(13,)))
model.add(layers.Dense(16, activation="relu"))
model.add(layers.Dense(16, activation="relu"))
model.add(layers.Dense(3, activation="softmax"))
model.compile(optimizer="rmsprop", loss="categorical_crossentropy", metrics=["accuracy"])
model.summary()

history = model.fit(
    x_train, y_train, epochs=8, batch_size=26, validation_split=0.2, shuffle=False, verbose=2
).history

# -- results
loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
probabilities = model.predict(x_test, verbose=0)
predicted = np.argmax(probabilities, axis=1)
confusion = np.zeros((3, 3), dtype=int)
for truth, guess in zip(labels[130:], predicted, strict=True):
    confusion[truth, guess] += 1
print(confusion, f"accuracy {accuracy:.3f}")

# The same with class numbers for targets, and the rare classes weighing more.
sparse = keras.models.clone_model(model)
sparse.set_weights(model.get_weights())
sparse.compile(keras.optimizers.Adam(0.01), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
weighted = sparse.fit(
    x_train, labels[:130], epochs=2, class_weight={0: 1.0, 1: 0.5, 2: 2.0}, shuffle=False, verbose=0
).history

results = {
    **{f"history {name}": values for name, values in history.items()},
    **{f"weighted {name}": values for name, values in weighted.items()},
    "test": [loss, accuracy],
    "probabilities": probabilities,
    "confusion": confusion,
    "rows": [len(layer.get_weights()[0]) for layer in model.layers],
    "parameters": model.count_params(),
}
