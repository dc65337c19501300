"""PyTorch with a whole step in one CUDA graph: rows taken on the device, both passes, the optimizer."""

from typing import Any

import torch
from cases import Case

from lamina._bench.network import BETA1, BETA2, EPSILON, Array, MissingError, Rows
from peers.torch_eager import TorchProgram, require

__all__ = ["require", "start"]

_WARM_UPS = 3  # as PyTorch's notes on CUDA graphs advise
# Adam's own bias correction is 1 after so many steps: Keras's is in the rates here, since Keras adds epsilon
# before it, and a graph cannot change epsilon.
_LATE_STEP = 1e6


def start(case: Case, weights: list[Array], threads: int) -> "GraphProgram":
    if case.device != "cuda":
        raise MissingError("CUDA graphs, on the CPU")
    torch.set_num_threads(threads)
    require(case.device)
    return GraphProgram(case, weights)


class GraphProgram(TorchProgram):
    """A step costs the host one launch: where its batch begins is a number on the device too."""

    def reset(self) -> None:
        super().reset()
        self.graphs: dict[int, Any] = {}  # by rows of a batch
        self.place, self.count = self.number(torch.int64), self.number(torch.int64)
        self.total, self.rate = self.number(torch.float32), self.number(torch.float32)
        if self.network.optimizer == "adam":
            self.optimizer = torch.optim.Adam(
                self.model.parameters(),
                lr=self.rate,
                betas=(BETA1, BETA2),
                eps=EPSILON,
                fused=True,
                capturable=True,
            )
            for parameter in self.model.parameters():
                self.optimizer.state[parameter] = {
                    "step": torch.full((), _LATE_STEP, device=self.device),
                    "exp_avg": torch.zeros_like(parameter),
                    "exp_avg_sq": torch.zeros_like(parameter),
                }

    def number(self, dtype: Any) -> Any:
        return torch.zeros(1 if dtype is torch.int64 else (), dtype=dtype, device=self.device)

    def train(
        self, x: Array, y: Array, epochs: int, shuffle: bool, validation: Rows | None = None
    ) -> dict[str, float]:
        n, size = len(x), self.network.batch_size
        if not self.graphs or self.batches is not x:
            self.batches, self.graphs = x, {}
            self.inputs, self.labels = self.tensors(x, y)
            self.order = torch.arange(n, device=self.device)
            self.rates = torch.empty(-(-n // size), device=self.device)
            for rows in {min(size, n), n % size or size}:
                self.graphs[rows] = self.captured(rows)
        whole, short = divmod(n, size)
        for _ in range(epochs):
            if shuffle and n > size:
                torch.randperm(n, out=self.order)
            self.begin_epoch()
            for _ in range(whole):
                self.graphs[size].replay()
            if short:
                self.graphs[short].replay()
            total = self.total.clone()  # read at the end: the host goes on to the next epoch
            logs: dict[str, float] = {}
            if validation is not None:
                logs["val_loss"] = self.evaluate(*validation)
        torch.cuda.synchronize()
        return {"loss": float(total) / n, **logs}

    def begin_epoch(self) -> None:
        for number in (self.place, self.count, self.total):
            number.zero_()
        if self.network.optimizer == "sgd":
            return
        steps = torch.arange(self.steps + 1, self.steps + 1 + len(self.rates), dtype=torch.float64)
        corrected = self.network.rate * torch.sqrt(1 - BETA2**steps) / (1 - BETA1**steps)
        self.rates.copy_(corrected)
        self.steps += len(self.rates)

    def captured(self, rows: int) -> Any:
        """The graph of a step on so many rows. What the warm-up changes is put back."""
        changed = [*self.model.parameters(), self.place, self.count, self.total]
        for state in self.optimizer.state.values():
            changed += [value for value in state.values() if torch.is_tensor(value)]
        kept = [value.detach().clone() for value in changed]
        steps = torch.arange(rows, device=self.device)
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(_WARM_UPS):
                self.place.zero_()
                self.count.zero_()
                self.whole_step(steps)
        torch.cuda.current_stream().wait_stream(stream)
        self.optimizer.zero_grad(set_to_none=True)  # so that the graph makes them in memory of its own
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self.whole_step(steps, capturing=True)
        with torch.no_grad():
            for value, before in zip(changed, kept, strict=True):
                value.copy_(before)
        return graph

    def whole_step(self, steps: Any, capturing: bool = False) -> None:
        rows = self.order.index_select(0, steps + self.place)
        loss = self.loss(self.read(self.inputs.index_select(0, rows)), self.labels.index_select(0, rows))
        loss.backward()
        if self.network.optimizer == "adam":
            self.rate.copy_(self.rates.index_select(0, self.count)[0])
            self.count += 1
        self.optimizer.step()
        if not capturing:
            self.optimizer.zero_grad(set_to_none=True)
        self.total += loss.detach() * len(steps)
        self.place += len(steps)
