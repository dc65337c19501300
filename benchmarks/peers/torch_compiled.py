"""PyTorch with forward pass, loss and gradients compiled; the optimizer is fused as it comes."""

import torch
from cases import Case

from lamina._bench.network import Array
from peers.torch_eager import TorchProgram, require

__all__ = ["require", "start"]


def start(case: Case, weights: list[Array], threads: int) -> TorchProgram:
    torch.set_num_threads(threads)
    require(case.device)
    program = TorchProgram(case, weights)
    program.loss = torch.compile(program.loss_of_batch, dynamic=False)
    return program
