"""Who is measured. The module of a peer has

- `start(case, weights, threads)`: a `lamina._bench.network.Program` ready to train from these weights,
- for the kind "call" the program's `caller(x)`: a function of no arguments that computes `model(x)`,
- for kernels `kernel(case, arrays, threads)`: a function of no arguments that gives the result,
- for cases of a GPU `require(device)`: makes the library compute there, and returns the device's name.

`MissingError` is for what an installed version does not have, the device included.
"""

from dataclasses import dataclass
from importlib.util import find_spec


@dataclass(frozen=True)
class Peer:
    """Attributes:
    title: its name in tables.
    module: where it is programmed.
    needs: modules without which it counts as missing.
    packages: the distributions whose versions are noted, those of `pip install` first.
    imports: the statement that the case "import" times.
    threads: None for as many as the others.
    """

    title: str
    module: str
    needs: tuple[str, ...]
    packages: tuple[str, ...]
    imports: str = ""
    threads: int | None = None

    def is_installed(self) -> bool:
        return all(find_spec(name) is not None for name in self.needs)


_TENSORFLOW = ("tensorflow", "keras")
_TORCH = ("torch",)

PEERS = {
    "lamina": Peer(
        "Lamina", "peers.lamina_keras", ("lamina",), ("lamina", "numpy"), "from lamina import keras"
    ),
    "lamina_1": Peer("Lamina, one thread", "peers.lamina_keras", ("lamina",), ("lamina", "numpy"), threads=1),
    "lamina_many": Peer("lamina.train_many", "peers.lamina_keras", ("lamina",), ("lamina", "numpy")),
    "ops": Peer("lamina.ops", "peers.lamina_ops", ("lamina",), ("lamina", "numpy")),
    "keras": Peer(
        "Keras",
        "peers.keras_default",
        _TENSORFLOW,
        ("tensorflow-cpu", "tensorflow", "keras"),
        "from tensorflow import keras",
    ),
    "keras_tuned": Peer(
        "Keras, tuned", "peers.keras_tuned", _TENSORFLOW, ("tensorflow-cpu", "tensorflow", "keras")
    ),
    "keras_jax": Peer("Keras on JAX, tuned", "peers.keras_jax", ("keras", "jax"), ("jax", "jaxlib", "keras")),
    "keras_torch": Peer("Keras on PyTorch", "peers.keras_torch", ("keras", "torch"), ("torch", "keras")),
    "torch": Peer("PyTorch", "peers.torch_eager", _TORCH, _TORCH, "import torch"),
    "torch_1": Peer("PyTorch, one thread", "peers.torch_eager", _TORCH, _TORCH, threads=1),
    "torch_compiled": Peer("PyTorch, compiled", "peers.torch_compiled", _TORCH, _TORCH),
    "torch_graph": Peer("PyTorch, a step in one CUDA graph", "peers.torch_graph", _TORCH, _TORCH),
    "torch_compiled_1": Peer(
        "PyTorch, compiled, one thread", "peers.torch_compiled", _TORCH, _TORCH, threads=1
    ),
    "jax_scan": Peer(
        "JAX, an epoch in one scan", "peers.jax_scan", ("jax",), ("jax", "jaxlib"), "import jax"
    ),
    "sklearn": Peer(
        "scikit-learn",
        "peers.sklearn_mlp",
        ("sklearn",),
        ("scikit-learn",),
        "from sklearn.neural_network import MLPClassifier",
    ),
    "numpy": Peer("NumPy by hand", "peers.numpy_by_hand", ("numpy",), ("numpy",)),
    "numpy64": Peer("NumPy by hand, float64", "peers.numpy_float64", ("numpy",), ("numpy",)),
}
