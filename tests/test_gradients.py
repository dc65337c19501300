"""Gradients of whole networks in float64 against central differences of their training loss.

The gradient is read off one step of plain descent with lr = 1: w_before - w_after. The loss of perturbed
weights comes from a training step too, with lr = 0, because batch statistics and dropout belong to it: the
mask is addressed by the number of the step, which is set back each time.

The difference quotient (8 (f(h) - f(-h)) - (f(2h) - f(-2h))) / 12 h is off by h^4/30 of the fifth derivative
and by 1.5 eps/h of the loss: with h = 3e-4, 3e-16 and 1e-12, far below the 1e-7 that is asked for.
"""

from dataclasses import dataclass, field

import numpy as np
import pytest
from numpy_oracle import activation, loss_rows

from lamina import _core

H = 3e-4
TOLERANCE = 1e-7  # relative to the largest component
N = 7  # rows

CROSSENTROPIES = ("binary_crossentropy", "categorical_crossentropy", "sparse_categorical_crossentropy")
BACKENDS = pytest.mark.parametrize("backend", ["cpu", "reference"])


@dataclass
class Net:
    """A network as data: the layers after `inputs` values, each a tuple (method's end, its arguments)."""

    inputs: int
    layers: list
    backend: str = "cpu"
    seed: int = 0
    core: _core.Network64 = field(init=False)

    def __post_init__(self):
        self.core = self.built(self.layers)
        rng = np.random.default_rng(self.seed)
        for _, name, _, view in self.core.parameters():
            if name in ("gamma", "moving_variance"):
                view[...] = rng.uniform(0.5, 1.5, view.shape)
            else:
                view[...] = rng.normal(0, 0.8, view.shape)

    def built(self, layers):
        core = _core.Network64(self.inputs, self.backend)
        for kind, *arguments in layers:
            getattr(core, "add_" + kind)(*arguments)
        core.build()
        return core

    def trainable(self):
        return [view for _, _, trainable, view in self.core.parameters() if trainable]

    def relu_inputs(self, x):
        """What goes into each relu: the outputs of the network cut there, linear in its place."""
        for end, (kind, *arguments) in enumerate(self.layers):
            if "relu" in arguments:
                linear = [*self.layers[:end], (kind, *["linear" if a == "relu" else a for a in arguments])]
                part = self.built(linear)
                for mine, theirs in zip(part.parameters(), self.core.parameters(), strict=False):
                    mine[3][...] = theirs[3]
                yield part.forward(x, True, 0)


class Loss:
    """The training loss of a network on one batch, and the step of descent that shows its gradient."""

    def __init__(
        self, net, x, y, kind, from_logits=False, smoothing=0.0, reduction="sum_over_batch_size", **others
    ):
        self.net, self.data = net, _core.Dataset(x, y, others.pop("weights", None))
        self.optimizer = _core.Optimizer64("sgd", 0.0)
        self.trainer = _core.Trainer64(
            net.core, self.optimizer, kind, from_logits, smoothing, reduction, [], **others
        )
        self.trainer.check(self.data)

    def step(self, lr):
        self.optimizer.learning_rate = lr
        self.optimizer.iterations = 0
        assert self.trainer.begin_epoch(self.data, N, False, 0, 0) == 1
        return self.trainer.train(0, 1)[0]

    def gradient(self):
        parameters = self.net.trainable()
        before = [p.copy() for p in parameters]
        self.step(1.0)
        after = [p.copy() for p in parameters]
        for p, b in zip(parameters, before, strict=True):
            p[...] = b
        return [b - a for b, a in zip(before, after, strict=True)]

    def differences(self):
        result = []
        for p in self.net.trainable():
            g = np.empty(p.shape)
            for at in np.ndindex(p.shape):
                kept, f = p[at], {}
                for k in (-2, -1, 1, 2):
                    p[at] = kept + k * H
                    f[k] = self.step(0.0)
                p[at] = kept
                g[at] = (8 * (f[1] - f[-1]) - (f[2] - f[-2])) / (12 * H)
            result.append(g)
        return result

    def check(self):
        """Subtracting w from w - g loses up to eps |w|, which is negligible here."""
        exact, got = self.differences(), self.gradient()
        scale = max(np.abs(g).max() for g in exact)
        assert scale > 1e-3, "a gradient of zero shows nothing"
        for (layer, name, *_), e, g in zip(
            (p for p in self.net.core.parameters() if p[2]), exact, got, strict=True
        ):
            worst = np.abs(g - e).max()
            assert worst <= TOLERANCE * scale, f"{name} of layer {layer}: off by {worst:.2e} of {scale:.2e}"


def batch(inputs, outputs, kind, positions=1, seed=1):
    rng = np.random.default_rng(seed)
    x = rng.normal(0, 1, (N, inputs))
    if kind == "sparse_categorical_crossentropy":
        return x, rng.integers(0, outputs, (N, positions))
    if kind == "mean_squared_error":
        return x, rng.normal(0, 1, (N, positions * outputs))
    y = rng.random((N, positions, outputs))
    if kind == "categorical_crossentropy":
        y /= y.sum(axis=2, keepdims=True)
    return x, y.reshape(N, positions * outputs)


def away_from_kinks(make, x):
    """The first of the networks make(0), make(1), ... in which no relu's input is within 50 h of 0."""
    for seed in range(200):
        net = make(seed)
        if all(np.abs(z).min() > 50 * H for z in net.relu_inputs(x)):
            return net
    raise AssertionError("no network keeps away from the kinks")


@BACKENDS
@pytest.mark.parametrize("hidden", ["linear", "relu", "sigmoid", "tanh", "softmax"])
@pytest.mark.parametrize("use_bias", [True, False])
def test_dense(hidden, use_bias, backend):
    x, y = batch(4, 3, "mean_squared_error")
    layers = [("dense", 1, 4, 5, hidden, use_bias), ("dense", 1, 5, 3, "linear", use_bias)]
    net = away_from_kinks(lambda seed: Net(4, layers, backend, seed), x)
    Loss(net, x, y, "mean_squared_error").check()


@BACKENDS
@pytest.mark.parametrize("hidden", ["linear", "relu", "sigmoid", "tanh", "softmax"])
def test_dense_on_the_last_of_three_axes(hidden, backend):
    x, y = batch(3 * 4, 2, "mean_squared_error", positions=3)
    layers = [("dense", 3, 4, 5, hidden, True), ("dense", 3, 5, 2, "linear", True)]
    net = away_from_kinks(lambda seed: Net(12, layers, backend, seed), x)
    Loss(net, x, y, "mean_squared_error", positions=3).check()


@BACKENDS
@pytest.mark.parametrize("name", ["linear", "relu", "sigmoid", "tanh", "softmax"])
@pytest.mark.parametrize("positions", [1, 3])
def test_activation(name, positions, backend):
    x, y = batch(positions * 4, 2, "mean_squared_error", positions)
    layers = [
        ("dense", positions, 4, 5, "linear", True),
        ("activation", positions, 5, name),
        ("dense", positions, 5, 2, "linear", True),
    ]
    net = away_from_kinks(lambda seed: Net(positions * 4, layers, backend, seed), x)
    Loss(net, x, y, "mean_squared_error", positions=positions).check()


@BACKENDS
@pytest.mark.parametrize("center", [True, False])
@pytest.mark.parametrize("scale", [True, False])
@pytest.mark.parametrize("positions", [1, 3])
def test_batch_normalization(center, scale, positions, backend):
    x, y = batch(positions * 4, 2, "mean_squared_error", positions)
    layers = [
        ("dense", positions, 4, 5, "linear", True),
        ("batch_normalization", positions, 5, 0.99, 1e-3, center, scale),
        ("activation", positions, 5, "tanh"),
        ("dense", positions, 5, 2, "linear", True),
    ]
    Loss(Net(positions * 4, layers, backend), x, y, "mean_squared_error", positions=positions).check()


@BACKENDS
def test_batch_normalization_as_first_and_last_layer(backend):
    x, y = batch(4, 3, "mean_squared_error")
    layers = [
        ("batch_normalization", 1, 4, 0.9, 1e-2, True, True),
        ("dense", 1, 4, 3, "sigmoid", False),
        ("batch_normalization", 1, 3, 0.9, 1e-3, True, True),
    ]
    Loss(Net(4, layers, backend), x, y, "mean_squared_error").check()


@BACKENDS
@pytest.mark.parametrize("rate", [0.0, 0.3, 0.5, 0.9])
def test_dropout(rate, backend):
    x, y = batch(4, 3, "mean_squared_error")
    layers = [
        ("dense", 1, 4, 8, "tanh", True),
        ("dropout", 8, rate, 12345),
        ("dense", 1, 8, 3, "linear", True),
    ]
    loss = Loss(Net(4, layers, backend), x, y, "mean_squared_error")
    assert loss.step(0.0) == loss.step(0.0)  # one mask for one step
    loss.check()


@BACKENDS
def test_two_dropouts_have_masks_of_their_own(backend):
    x, y = batch(6, 3, "mean_squared_error")
    layers = [
        ("dropout", 6, 0.4, 7),
        ("dense", 1, 6, 6, "sigmoid", True),
        ("dropout", 6, 0.4, 7),
        ("dense", 1, 6, 3, "linear", True),
    ]
    Loss(Net(6, layers, backend), x, y, "mean_squared_error").check()


@BACKENDS
@pytest.mark.parametrize("kind", CROSSENTROPIES)
@pytest.mark.parametrize("head", ["linear", "sigmoid", "softmax"])
@pytest.mark.parametrize("from_logits", [False, True])
@pytest.mark.parametrize("positions", [1, 2])
def test_crossentropies_of_every_head(kind, head, from_logits, positions, backend):
    x, y = batch(positions * 4, 3, kind, positions)
    net = Net(
        positions * 4,
        [("dense", positions, 4, 5, "tanh", True), ("dense", positions, 5, 3, head, True)],
        backend,
    )
    if head == "linear" and not from_logits:  # probabilities away from the clip: 0.5 +- 0.3
        w, b = net.trainable()[-2:]
        w *= 0.06 / np.abs(w).max()
        b[...] = 0.5
    Loss(net, x, y, kind, from_logits, positions=positions).check()


@BACKENDS
@pytest.mark.parametrize("kind", CROSSENTROPIES)
@pytest.mark.parametrize("head", ["sigmoid", "softmax"])
def test_crossentropies_of_probabilities(kind, head, backend):
    """The path that clips, which is taken where the head is hidden from the loss."""
    x, y = batch(4, 3, kind)
    net = Net(4, [("dense", 1, 4, 5, "tanh", True), ("dense", 1, 5, 3, head, True)], backend)
    Loss(net, x, y, kind, head_logits=False).check()
    dropped = Net(4, [*net.layers, ("dropout", 3, 0.2, 3)], backend)
    if kind == "binary_crossentropy":
        return  # a dropped probability is 0 and below the clip
    Loss(dropped, x, y, kind).check()


@BACKENDS
@pytest.mark.parametrize("head", ["linear", "sigmoid", "tanh", "softmax"])
def test_squared_error_of_every_head(head, backend):
    x, y = batch(4, 3, "mean_squared_error")
    net = Net(4, [("dense", 1, 4, 5, "tanh", True), ("dense", 1, 5, 3, head, True)], backend)
    Loss(net, x, y, "mean_squared_error").check()


@BACKENDS
@pytest.mark.parametrize("kind", ["mean_squared_error", *CROSSENTROPIES])
@pytest.mark.parametrize("head", ["linear", "sigmoid", "softmax"])
@pytest.mark.parametrize("positions", [1, 2])
def test_value_of_the_loss_of_every_head(kind, head, positions, backend):
    """A gradient can be that of the wrong loss."""
    x, y = batch(positions * 4, 3, kind, positions)
    net = Net(positions * 4, [("dense", positions, 4, 3, head, True)], backend)
    w, b = net.trainable()
    if head == "linear" and kind != "mean_squared_error":
        w *= 0.06 / np.abs(w).max()
        b[...] = 0.5
    z = x.reshape(-1, 4) @ w + b
    target = y.reshape(-1) if kind.startswith("sparse") else y.reshape(-1, 3)
    at_logits = head != "linear" and kind in CROSSENTROPIES
    prediction = z if at_logits else activation(head, z).astype(float)
    expected = float(loss_rows(kind, target, prediction, at_logits).mean())
    assert Loss(net, x, y, kind, positions=positions).step(0.0) == pytest.approx(expected, rel=1e-13)


@BACKENDS
@pytest.mark.parametrize("kind", ["binary_crossentropy", "categorical_crossentropy"])
@pytest.mark.parametrize("head_logits", [True, False])
def test_label_smoothing(kind, head_logits, backend):
    x, y = batch(4, 3, kind)
    head = "sigmoid" if kind == "binary_crossentropy" else "softmax"
    net = Net(4, [("dense", 1, 4, 3, head, True)], backend)
    Loss(net, x, y, kind, smoothing=0.2, head_logits=head_logits).check()


@BACKENDS
@pytest.mark.parametrize("kind", ["mean_squared_error", *CROSSENTROPIES])
@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum"])
def test_sample_weights_and_reductions(kind, reduction, backend):
    x, y = batch(4, 3, kind)
    weights = np.random.default_rng(5).uniform(0, 2, N)
    net = Net(4, [("dense", 1, 4, 3, "softmax", True)], backend)
    Loss(net, x, y, kind, reduction=reduction, weights=weights).check()


@BACKENDS
@pytest.mark.parametrize("kind", ["mean_squared_error", *CROSSENTROPIES])
def test_everything_at_once(kind, backend):
    x, y = batch(6, 3, kind)
    layers = [
        ("dense", 1, 6, 8, "relu", True),
        ("batch_normalization", 1, 8, 0.99, 1e-3, True, True),
        ("dropout", 8, 0.3, 1),
        ("dense", 1, 8, 7, "tanh", True),
        ("dense", 1, 7, 6, "sigmoid", False),
        ("activation", 1, 6, "softmax"),
        ("dense", 1, 6, 3, "softmax", True),
    ]
    net = away_from_kinks(lambda seed: Net(6, layers, backend, seed), x)
    Loss(net, x, y, kind).check()


@BACKENDS
def test_penalties(backend):
    """On every parameter, and on the outputs of a hidden layer and of a head whose logits the loss takes."""
    x, y = batch(5, 3, "sparse_categorical_crossentropy")
    layers = [
        ("dense", 1, 5, 4, "tanh", True),
        ("output_penalty", 0.1, 0.2),
        ("batch_normalization", 1, 4, 0.99, 1e-3, True, True),
        ("dropout", 4, 0.5, 3),
        ("dense", 1, 4, 3, "softmax", True),
        ("output_penalty", 0.3, 0.4),
    ]
    net = Net(5, layers, backend)
    for layer, parameter in ((0, 0), (0, 1), (2, 0), (2, 1), (4, 0), (4, 1)):
        net.core.penalise(layer, parameter, 0.05 + 0.01 * layer, 0.02 + 0.1 * parameter)
    assert min(np.abs(view).min() for view in net.trainable()) > 4 * H  # no |w| is near its kink
    Loss(net, x, y, "sparse_categorical_crossentropy").check()


def test_the_backends_agree():
    x, y = batch(6, 3, "categorical_crossentropy")
    layers = [
        ("dense", 1, 6, 8, "relu", True),
        ("batch_normalization", 1, 8, 0.99, 1e-3, True, True),
        ("dropout", 8, 0.3, 1),
        ("dense", 1, 8, 3, "softmax", True),
    ]
    cpu, reference = (
        Loss(Net(6, layers, backend), x, y, "categorical_crossentropy").gradient()
        for backend in ("cpu", "reference")
    )
    for a, b in zip(cpu, reference, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-13)


@pytest.mark.parametrize("backend", ["cpu", "reference"])
@pytest.mark.parametrize("shared", [False, True])
def test_activations_that_need_their_input(shared, backend):
    """PReLU, one slope for each value or one for two, behind and before others; no number meets a bend."""
    shape, places = ((3, 1), [0, 0, 1, 1, 2, 2]) if shared else ((6,), [])
    layers = [
        ("dense", 1, 4, 6, "linear", True),
        ("prelu", 6, shape, places),
        ("dense", 1, 6, 6, "linear", True),
        ("nonlinearity", 1, 6, "gelu", ()),
        ("nonlinearity", 1, 6, "softmax", (), 2),
        ("dense", 1, 6, 8, "linear", True),
        ("nonlinearity", 1, 8, "glu", ()),
        ("nonlinearity", 2, 2, "log_softmax", ()),
    ]
    x, y = batch(4, 4, "mean_squared_error")
    for seed in range(200):
        net = Net(4, layers, backend, seed)
        bent = net.built(layers[:1])
        for mine, theirs in zip(bent.parameters(), net.core.parameters(), strict=False):
            mine[3][...] = theirs[3]
        if np.abs(bent.forward(x, True, 0)).min() > 50 * H:
            break
    Loss(net, x, y, "mean_squared_error").check()
