"""PyTorch as it is written, with the options that make it fastest on small networks."""

import math
from collections.abc import Callable
from typing import Any

import torch
from cases import Case
from kernels import LEARNING_RATE
from torch.nn import functional

from lamina._bench.network import BETA1, BETA2, EPSILON, Array, MissingError, Rows

# Rows of a batch to validate with: the fewer calls the better, as long as they fit a cache.
_VALIDATION_ROWS = {"cpu": 2000, "cuda": 60000}


def require(device: str) -> str:
    """The name of the device; float32 stays float32 on it."""
    torch.set_float32_matmul_precision("highest")
    if device != "cpu" and not torch.cuda.is_available():
        why = f"is built for CUDA {torch.version.cuda}" if torch.version.cuda else "is built without CUDA"
        raise MissingError(f"PyTorch finds no GPU; it {why}")
    return torch.cuda.get_device_name() if device != "cpu" else device


def start(case: Case, weights: list[Array], threads: int) -> "TorchProgram":
    torch.set_num_threads(threads)
    require(case.device)
    return TorchProgram(case, weights)


class TorchProgram:
    """A `Sequential` whose last layer gives logits, as PyTorch's losses take them."""

    def __init__(self, network: Case, weights: list[Array]) -> None:
        self.network = network
        self.device = network.device
        self.initial = [torch.from_numpy(w.T.copy() if w.ndim == 2 else w) for w in weights]
        layers: list[Any] = []
        for i in range(len(network.units) - 1):
            activation = torch.nn.Sigmoid() if network.activation == "sigmoid" else torch.nn.ReLU()
            layers += [torch.nn.Linear(network.units[i], network.units[i + 1]), activation]
        self.model = torch.nn.Sequential(*layers[:-1]).to(self.device)
        self.mixed = network.dtype == "mixed_bfloat16"
        self.loss: Callable[[Any, Any], Any] = self.loss_of_batch
        self.data: dict[int, tuple[Any, ...]] = {}
        self.reset()

    def reset(self) -> None:
        with torch.no_grad():
            for parameter, value in zip(self.model.parameters(), self.initial, strict=True):
                parameter.copy_(value)
        rate, self.steps = self.network.rate, 0
        if self.network.optimizer == "sgd":
            self.optimizer: Any = torch.optim.SGD(self.model.parameters(), lr=rate, fused=True)
        else:
            self.optimizer = torch.optim.Adam(
                self.model.parameters(), lr=rate, betas=(BETA1, BETA2), eps=EPSILON, fused=True
            )

    def loss_of_batch(self, x: Any, y: Any) -> Any:
        """The mean over the rows."""
        with torch.autocast(self.device, torch.bfloat16, enabled=self.mixed):
            z = self.model(x)
        if self.network.units[-1] == 1:
            return functional.binary_cross_entropy_with_logits(z.float()[:, 0], y)
        return functional.cross_entropy(z.float(), y)

    def tensors(self, x: Array, y: Array) -> tuple[Any, Any]:
        """x and y on the device, made once for the same arrays, which are kept: so ids stay theirs."""
        known = self.data.get(id(x))
        if known is None or known[1] is not y:
            labels = torch.from_numpy(y)
            labels = labels.float() if self.network.units[-1] == 1 else labels.long()
            known = x, y, torch.from_numpy(x).to(self.device), labels.to(self.device)
            self.data[id(x)] = known
        return known[2:]

    def read(self, x: Any) -> Any:
        return x.float() / 255 if self.network.from_bytes else x

    def train(
        self, x: Array, y: Array, epochs: int, shuffle: bool, validation: Rows | None = None
    ) -> dict[str, float]:
        inputs, labels = self.tensors(x, y)
        n, size = len(x), self.network.batch_size
        for _ in range(epochs):
            order = torch.randperm(n, device=self.device) if shuffle and n > size else None
            losses = []
            for first in range(0, n, size):
                if order is None:
                    batch, target = inputs[first : first + size], labels[first : first + size]
                else:
                    rows = order[first : first + size]
                    batch, target = inputs.index_select(0, rows), labels.index_select(0, rows)
                loss = self.loss(self.read(batch), target)
                loss.backward()
                self.step()
                self.optimizer.zero_grad(set_to_none=True)
                losses.append(loss.detach())
            logs = {"loss": self.mean(losses, n)}
            if validation is not None:
                logs["val_loss"] = self.evaluate(*validation)
        if self.device == "cuda":
            torch.cuda.synchronize()
        return logs

    def step(self) -> None:
        self.steps += 1
        if self.network.optimizer == "adam":
            # PyTorch adds epsilon after the bias correction, Keras before it: so it is the same number.
            self.optimizer.param_groups[0]["eps"] = EPSILON / math.sqrt(1 - BETA2**self.steps)
        self.optimizer.step()

    def mean(self, losses: list[Any], n: int) -> float:
        """The mean over the rows of an epoch's batches, the last of which may be short."""
        counts = torch.full((len(losses),), float(self.network.batch_size))
        counts[-1] = n - (len(losses) - 1) * self.network.batch_size
        return float(torch.stack(losses).cpu() @ counts / n)

    def evaluate(self, x: Array, y: Array) -> float:
        """The mean loss, and the accuracy, as Keras and Lamina compute both."""
        inputs, labels = self.tensors(x, y)
        size = _VALIDATION_ROWS[self.device]
        total, right = 0.0, 0
        with torch.inference_mode():
            for first in range(0, len(x), size):
                z, target = self.model(inputs[first : first + size]), labels[first : first + size]
                total += float(functional.cross_entropy(z, target, reduction="sum"))
                right += int((z.argmax(dim=1) == target).sum())
        return total / len(x)

    def predict(self, x: Array) -> Array:
        return self.caller(x)().float().cpu().numpy()

    def caller(self, x: Array) -> Callable[[], Any]:
        inputs = self.read(torch.from_numpy(x).to(self.device))
        several = self.network.units[-1] > 1

        def call() -> Any:
            with torch.inference_mode(), torch.autocast(self.device, torch.bfloat16, enabled=self.mixed):
                z = self.model(inputs)
                return torch.softmax(z, dim=1) if several else torch.sigmoid(z)

        return call


def kernel(case: Case, arrays: dict[str, Array], threads: int) -> Callable[[], Any]:
    torch.set_num_threads(threads)
    torch.set_grad_enabled(False)
    given: dict[str, Any] = {name: torch.from_numpy(array) for name, array in arrays.items()}
    if case.kernel == "matmul":
        out = torch.empty(case.shape[0], case.shape[2])
        return lambda: torch.mm(given["a"], given["b"], out=out)
    if case.kernel == "sigmoid":
        out = torch.empty_like(given["x"])
        return lambda: torch.sigmoid(given["x"], out=out)
    if case.kernel == "softmax":
        out = torch.empty_like(given["x"])
        return lambda: torch.softmax(given["x"], 1, out=out)
    if case.kernel == "softmax_grad":
        gradient = torch.ops.aten._softmax_backward_data
        return lambda: gradient(given["dy"], given["y"], 1, torch.float32)
    if case.kernel == "crossentropy":
        return lambda: functional.cross_entropy(given["logits"], given["labels"])
    w = torch.nn.Parameter(given["w"])
    w.grad = given["dw"]
    optimizer: Any = torch.optim.SGD([w], lr=LEARNING_RATE, fused=True)
    if case.kernel == "adam":
        optimizer = torch.optim.Adam([w], lr=LEARNING_RATE, eps=EPSILON, fused=True)
    return lambda: (optimizer.step(), w.data)[1]
