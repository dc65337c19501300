"""P4, first half: the textbook's networks as classes on `lamina.ops`, from one neuron to many classes.

    PerSampleLayer       one neuron, one sample at a time          (chapter 5)
    SingleLayer          one neuron, all samples at once           (chapter 6)
    DualLayer            and a hidden layer, all weights one
    RandomInitNetwork    and random initial weights
    MinibatchNetwork     and mini-batches
    MultiClassNetwork    and a softmax over several classes        (chapter 7)

All compute in float64, as NumPy does. Every class regularizes: to the summed loss of the samples it adds
l1 sum|w| + l2/2 sum w² (Keras's L2 has no 1/2), and so l1 sign(w) + l2 w to the gradient. The program
`p4_chapters.py` runs them on the book's data.
"""

# ruff: noqa: NPY002 - the book's numbers follow from NumPy's old generator

import numpy as np

from lamina import ops


class SingleLayer:
    """Logistic regression by gradient descent on the whole training set.

    Attributes: w (features, 1) and b (1,); losses and val_losses, one value per epoch; w_history, the weights
    before training and after each step.
    """

    def __init__(self, learning_rate=0.1, l1=0, l2=0):
        self.lr = learning_rate
        self.l1 = l1
        self.l2 = l2
        self.losses = []
        self.val_losses = []
        self.w_history = []

    def init_weights(self, n_features):
        self.w, self.b = np.ones((n_features, 1)), np.zeros(1)
        self.w_history.append(self.w.copy())

    def forpass(self, x):
        """z = x w + b, one row per sample."""
        return ops.dense(x, self.w, self.b)

    def activation(self, z):
        return ops.sigmoid(z)

    def backprop(self, x, err):
        """Mean gradients at w and b; err = -(y - a) is the gradient of each sample's loss at its z."""
        _, w_grad, b_grad = ops.dense_grad(x, self.w, err, input_gradient=False)
        return w_grad / len(x), b_grad / len(x)

    def penalty(self, w):
        """Gradient of the regularization at w."""
        return self.l1 * np.sign(w) + self.l2 * w

    def training(self, x, y, m):
        """One step on x (m, features) and y (m, 1); returns the activations before it."""
        a = self.activation(self.forpass(x))
        w_grad, b_grad = self.backprop(x, -(y - a))
        ops.sgd_step(self.w, w_grad + self.penalty(self.w) / m, self.lr)
        ops.sgd_step(self.b, b_grad, self.lr)
        self.w_history.append(self.w.copy())
        return a

    def fit(self, x, y, epochs=100, x_val=None, y_val=None):
        x, y = as_rows(x, y)
        self.start(x, y)
        for _ in range(epochs):
            self.losses.append(self.mean_loss(self.train_epoch(x, y), len(x)))
            self.update_val_loss(x_val, y_val)

    def start(self, x, y):
        """Initial weights, and the seed from which the epochs' shuffles follow."""
        self.init_weights(x.shape[1])
        np.random.seed(42)

    def train_epoch(self, x, y):
        """The steps of one epoch; returns the sum of the samples' losses, each taken before its step."""
        return self.summed_loss(y, self.training(x, y, len(x)))

    def summed_loss(self, y, a):
        """Binary cross-entropy, summed; a is kept 1e-10 away from 0 and 1."""
        a = np.clip(a, 1e-10, 1 - 1e-10)
        return np.sum(-(y * np.log(a) + (1 - y) * np.log(1 - a)))

    def reg_loss(self):
        return self.l1 * np.sum(np.abs(self.w)) + self.l2 / 2 * np.sum(self.w**2)

    def mean_loss(self, summed, n):
        return (summed + self.reg_loss()) / n

    def update_val_loss(self, x_val, y_val):
        if x_val is None:
            return
        x_val, y_val = as_rows(x_val, y_val)
        summed = self.summed_loss(y_val, self.activation(self.forpass(x_val)))
        self.val_losses.append(self.mean_loss(summed, len(x_val)))

    def predict(self, x):
        return self.forpass(np.asarray(x, dtype=np.float64)) > 0

    def score(self, x, y):
        """Share of right predictions."""
        return np.mean(self.predict(x) == np.reshape(y, (-1, 1)))


class PerSampleLayer(SingleLayer):
    """Logistic regression by stochastic gradient descent: each sample is a step, each epoch a new order.

    The regularization counts in full at every step, and is added to the mean loss, not to the sum.
    """

    def train_epoch(self, x, y):
        loss = 0.0
        for i in np.random.permutation(len(x)):
            rows = slice(i, i + 1)
            loss += self.summed_loss(y[rows], self.training(x[rows], y[rows], 1))
        return loss

    def mean_loss(self, summed, n):
        return summed / n + self.reg_loss()

    def predict(self, x):
        return self.forpass(np.asarray(x, dtype=np.float64)) >= 0


class DualLayer(SingleLayer):
    """A hidden layer of sigmoid units before the neuron; all weights start at one.

    Attributes: w1 (features, units), b1 (units,), w2 (units, 1), b2 (1,).
    """

    def __init__(self, units=10, learning_rate=0.1, l1=0, l2=0):
        super().__init__(learning_rate, l1, l2)
        self.units = units

    def init_weights(self, n_features):
        self.w1, self.b1 = np.ones((n_features, self.units)), np.zeros(self.units)
        self.w2, self.b2 = np.ones((self.units, 1)), np.zeros(1)

    def forpass(self, x):
        self.a1 = ops.dense(x, self.w1, self.b1, "sigmoid")
        return ops.dense(self.a1, self.w2, self.b2)

    def backprop(self, x, err):
        """Mean gradients at w1, b1, w2, b2: through the output layer first, then through the hidden one."""
        err_to_hidden, w2_grad, b2_grad = ops.dense_grad(self.a1, self.w2, err)
        err_to_hidden = ops.sigmoid_grad(self.a1, err_to_hidden)
        _, w1_grad, b1_grad = ops.dense_grad(x, self.w1, err_to_hidden, input_gradient=False)
        return [grad / len(x) for grad in (w1_grad, b1_grad, w2_grad, b2_grad)]

    def training(self, x, y, m):
        a = self.activation(self.forpass(x))
        w1_grad, b1_grad, w2_grad, b2_grad = self.backprop(x, -(y - a))
        ops.sgd_step(self.w1, w1_grad + self.penalty(self.w1) / m, self.lr)
        ops.sgd_step(self.b1, b1_grad, self.lr)
        ops.sgd_step(self.w2, w2_grad + self.penalty(self.w2) / m, self.lr)
        ops.sgd_step(self.b2, b2_grad, self.lr)
        return a

    def reg_loss(self):
        weights = (self.w1, self.w2)
        return sum(self.l1 * np.sum(np.abs(w)) + self.l2 / 2 * np.sum(w**2) for w in weights)


class RandomInitNetwork(DualLayer):
    """Weights start normally distributed, so that the hidden units learn different things."""

    def init_weights(self, n_features, n_outputs=1):
        np.random.seed(42)
        self.w1, self.b1 = np.random.normal(0, 1, (n_features, self.units)), np.zeros(self.units)
        self.w2, self.b2 = np.random.normal(0, 1, (self.units, n_outputs)), np.zeros(n_outputs)


class MinibatchNetwork(RandomInitNetwork):
    """A step for each batch of the shuffled samples, the short last one included."""

    def __init__(self, units=10, batch_size=32, learning_rate=0.1, l1=0, l2=0):
        super().__init__(units, learning_rate, l1, l2)
        self.batch_size = batch_size

    def gen_batch(self, x, y):
        order = np.random.permutation(len(x))
        for first in range(0, len(x), self.batch_size):
            rows = order[first : first + self.batch_size]
            yield x[rows], y[rows]

    def train_epoch(self, x, y):
        return sum(
            self.summed_loss(y_batch, self.training(x_batch, y_batch, len(x_batch)))
            for x_batch, y_batch in self.gen_batch(x, y)
        )


class MultiClassNetwork(MinibatchNetwork):
    """Softmax over several classes; y is one-hot.

    With `scalar_output_bias=True` the gradient at the output bias is a single number, the sum over all
    classes, as the book computes it. The rows of -(y - a) sum to zero, so the output bias then stays zero.
    """

    def __init__(self, units=10, batch_size=32, learning_rate=0.1, l1=0, l2=0, scalar_output_bias=False):
        super().__init__(units, batch_size, learning_rate, l1, l2)
        self.scalar_output_bias = scalar_output_bias

    def fit(self, x, y, epochs=40, x_val=None, y_val=None):
        super().fit(x, y, epochs, x_val, y_val)
        print()  # ends the line of dots

    def start(self, x, y):
        self.init_weights(x.shape[1], y.shape[1])  # its seed is the only one: the shuffles go on from there

    def activation(self, z):
        return ops.softmax(z)

    def backprop(self, x, err):
        w1_grad, b1_grad, w2_grad, b2_grad = super().backprop(x, err)
        if self.scalar_output_bias:
            b2_grad = np.full_like(b2_grad, np.sum(err) / len(x))
        return w1_grad, b1_grad, w2_grad, b2_grad

    def train_epoch(self, x, y):
        print(".", end="", flush=True)
        return super().train_epoch(x, y)

    def summed_loss(self, y, a):
        """Cross-entropy, summed; a is kept 1e-10 away from 0 and 1."""
        return np.sum(-y * np.log(np.clip(a, 1e-10, 1 - 1e-10)))

    def predict(self, x):
        return np.argmax(self.forpass(np.asarray(x, dtype=np.float64)), axis=1)

    def score(self, x, y):
        return np.mean(self.predict(x) == np.argmax(y, axis=1))


def as_rows(x, y):
    """x and y as float64, y with one row per sample: a column where it was a vector."""
    y = np.asarray(y, dtype=np.float64)
    return np.asarray(x, dtype=np.float64), y if y.ndim == 2 else y.reshape(-1, 1)
