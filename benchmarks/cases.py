"""What is measured: one `Case` a row of the result table. A group of cases makes a table of its own."""

from dataclasses import dataclass, replace
from typing import Literal

from lamina._bench.network import Network

Kind = Literal["train", "many", "predict", "call", "kernel", "import", "start", "size", "memory"]

UNITS = {
    "train": "µs/step",
    "many": "µs/step",
    "predict": "µs/call",
    "call": "µs/call",
    "kernel": "µs/call",
    "import": "ms",
    "start": "ms",
    "size": "MB",
    "memory": "MB",
}

LAMINA = ("lamina", "lamina_1")
TORCH = ("torch", "torch_1")
TRAINERS = (
    *("lamina", "lamina_1", "keras", "keras_tuned", "keras_jax", "keras_torch"),
    *("torch", "torch_1", "torch_compiled", "torch_compiled_1", "jax_scan", "sklearn", "numpy"),
)
# Without those that take the longest to measure; the case A has them all.
MOST = tuple(name for name in TRAINERS if name not in ("keras_torch", "torch_compiled_1"))
# The libraries that compute products of bfloat16 from weights of float32.
MIXED = ("lamina", "keras", "keras_tuned", "torch", "torch_compiled", "jax_scan")
DEVICES = ("cpu", "cuda")
ON_CUDA = ("lamina", "torch", "torch_compiled", "torch_graph", "jax_scan")


@dataclass(frozen=True, kw_only=True)
class Case(Network):
    """A network on a data set, and what is timed of it. For a kernel: its name and sizes.

    Attributes:
        name: what `--cases` takes.
        group: so too; the table that it stands in.
        title: what tables show.
        kind: what is timed: a step of `fit` ("train") or of the fits of several models ("many"), a call of
            `predict`, of the model itself ("call") or of a kernel, the import alone, the import with the
            first epoch ("start"). Or what is weighed: the packages ("size"), the process ("memory").
        peers: names in `peers.PEERS`, who has it; the first is what the others are compared with.
        device: a name in `DEVICES`, where it is computed.
        cuda_peers: who has it there; () for a case of the CPU alone.
        data: a name in `data.SOURCES`.
        rows: rows of an epoch, or of a call.
        validation_rows: rows to validate with after each epoch; they follow the others in the data set.
        draws: batches are drawn with replacement.
        threads: None for as many as `--threads` says.
        busy: other processes that keep a CPU busy meanwhile.
        pause: seconds that the process sleeps before each call.
        models: how many are trained.
        kernel: a name in `kernels.KERNELS`.
        shape: the kernel's sizes.
    """

    name: str
    group: str
    title: str
    kind: Kind = "train"
    peers: tuple[str, ...] = MOST
    device: str = "cpu"
    cuda_peers: tuple[str, ...] = ()
    data: str = "fashion_mnist"
    rows: int = 48000
    validation_rows: int = 0
    draws: bool = False
    threads: int | None = None
    busy: int = 0
    pause: float = 0.0
    models: int = 1
    kernel: str = ""
    shape: tuple[int, ...] = ()

    @property
    def steps(self) -> int:
        """Steps of an epoch, the short last one included."""
        return -(-self.rows // self.batch_size)

    @property
    def tolerance(self) -> float:
        return max(self.shape) * 2.0**-24 if self.kernel else super().tolerance

    @property
    def product_type(self) -> str:
        return self.dtype.removeprefix("mixed_")

    @property
    def unit(self) -> str:
        return UNITS[self.kind]


A = {"units": (784, 100, 10)}
B = {"units": (784, 300, 200, 100, 10), "activation": "relu"}
C = {"units": (784, 50, 10), "optimizer": "adam", "rows": 60000}
XL = {"units": (784, 2048, 2048, 10), "activation": "relu", "batch_size": 256, "rows": 5120}
TINY = {"data": "cancer_like", "units": (30, 10, 1), "rows": 364}

TRAINING = (
    Case(
        name="A",
        group="training",
        title="784-100s-10, SGD, batch 32",
        peers=TRAINERS,
        cuda_peers=ON_CUDA,
        **A,
    ),
    Case(name="B", group="training", title="784-300-200-100-10 relu, SGD, batch 32", cuda_peers=ON_CUDA, **B),
    Case(name="C", group="training", title="784-50s-10, Adam, batch 32", cuda_peers=ON_CUDA, **C),
    Case(
        name="A256",
        group="training",
        title="784-100s-10, SGD, batch 256",
        batch_size=256,
        cuda_peers=ON_CUDA,
        **A,
    ),
    Case(
        name="XL", group="training", title="784-2048-2048-10 relu, SGD, batch 256", cuda_peers=ON_CUDA, **XL
    ),
    Case(
        name="XL16",
        group="training",
        title="XL in mixed_bfloat16",
        dtype="mixed_bfloat16",
        peers=MIXED,
        cuda_peers=ON_CUDA,
        **XL,
    ),
    Case(
        name="tiny",
        group="training",
        title="30-10s-1, SGD, all 364 rows a step",
        batch_size=364,
        cuda_peers=ON_CUDA,
        **TINY,
    ),
    Case(
        name="validated",
        group="training",
        title="A, validated with 12,000 rows each epoch",
        validation_rows=12000,
        peers=tuple(name for name in MOST if name != "sklearn"),  # it validates with rows it takes itself
        cuda_peers=ON_CUDA,
        **A,
    ),
    Case(
        name="regularised",
        group="training",
        title="784-300-100-10 relu, l2, batch norm, dropout, clipping, schedule, validated",
        units=(784, 300, 100, 10),
        activation="relu",
        optimizer="adam",
        regularised=True,
        validation_rows=12000,
        peers=("lamina", "lamina_1", "keras", "keras_tuned", "keras_jax", "keras_torch"),
    ),
)

SWEPT_WIDTHS = (8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096)
SWEPT_BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)

WIDTHS = tuple(
    Case(
        name=f"width{width}",
        group="width",
        title=f"784-{width}-10 relu, SGD, batch 32",
        units=(784, width, 10),
        activation="relu",
        rows=9600,
        peers=(*LAMINA, "keras", *TORCH),
    )
    for width in SWEPT_WIDTHS
)

BATCHES = tuple(
    Case(
        name=f"batch{size}",
        group="batch",
        title=f"784-100s-10, SGD, batch {size}",
        batch_size=size,
        rows=min(48000, 1000 * size),
        peers=(*LAMINA, "keras", *TORCH),
        **A,
    )
    for size in SWEPT_BATCHES
)

# Both at once, Lamina alone: what a second thread is worth, and what is reached of the machine.
GRID = tuple(
    Case(
        name=f"grid{width}x{size}",
        group="grid",
        title=f"784-{width}-10 relu, SGD, batch {size}",
        units=(784, width, 10),
        activation="relu",
        batch_size=size,
        rows=min(9600, max(2400, 300 * size)) // size * size,
        peers=LAMINA,
    )
    for width in SWEPT_WIDTHS
    for size in SWEPT_BATCHES
)

KERNELS = tuple(
    Case(
        name=name,
        group="kernels",
        title=title,
        kind="kernel",
        kernel=kernel,
        shape=shape,
        peers=("ops", "numpy", "torch"),
    )
    for name, title, kernel, shape in (
        ("matmul", "32×784 · 784×100", "matmul", (32, 784, 100)),
        ("matmul1k", "1024×1024 · 1024×1024", "matmul", (1024, 1024, 1024)),
        ("sigmoid", "sigmoid of 32×100", "sigmoid", (32, 100)),
        ("sigmoid1M", "sigmoid of 1024×1024", "sigmoid", (1024, 1024)),
        ("softmax", "softmax of 256×10", "softmax", (256, 10)),
        ("softmax1M", "softmax of 1024×1024", "softmax", (1024, 1024)),
        ("softmax_grad", "gradient of softmax, 256×10", "softmax_grad", (256, 10)),
        ("crossentropy", "cross-entropy of 256×10 logits", "crossentropy", (256, 10)),
        ("sgd", "SGD, 784×100 weights", "sgd", (784, 100)),
        ("adam", "Adam, 784×100 weights", "adam", (784, 100)),
        ("adam1M", "Adam, 1024×1024 weights", "adam", (1024, 1024)),
    )
)

CALLERS = ("lamina", "keras", "torch", "jax_scan", "sklearn", "numpy")
LATENCY = (
    Case(
        name="predict1",
        group="calls",
        title="784-100s-10, predict of one row",
        kind="predict",
        rows=1,
        peers=CALLERS,
    ),
    Case(
        name="call1",
        group="calls",
        title="784-100s-10, model(x) of one row",
        kind="call",
        rows=1,
        peers=tuple(name for name in CALLERS if name != "sklearn"),
    ),
    Case(
        name="predict60k",
        group="calls",
        title="784-100s-10, predict of 60,000 rows",
        kind="predict",
        rows=60000,
        peers=CALLERS,
        cuda_peers=("lamina", "torch", "jax_scan"),
    ),
    Case(
        name="paused",
        group="calls",
        title="784-100s-10, predict of 1,000 rows after 2 ms of sleep",
        kind="predict",
        rows=1000,
        pause=0.002,
        peers=CALLERS,
    ),
)

BY_HAND = (
    Case(
        name="by_hand",
        group="by hand",
        title="784-50s-10 by hand, batches of 100 drawn",
        units=(784, 50, 10),
        learning_rate=0.1,
        batch_size=100,
        rows=60000,
        draws=True,
        peers=("ops", "numpy", "numpy64"),
    ),
)

INSTALLED = ("lamina", "keras", "torch", "jax_scan", "sklearn")
START = (
    Case(name="import", group="start", title="import, NumPy being loaded", kind="import", peers=INSTALLED),
    Case(name="start", group="start", title="import and first epoch of A", kind="start", peers=INSTALLED),
    Case(
        name="size",
        group="start",
        title="installed, with all that it needs but Python",
        kind="size",
        peers=INSTALLED,
    ),
    Case(
        name="memory",
        group="start",
        title="peak memory of A on 60,000 uint8 pictures (47 MB)",
        kind="memory",
        rows=60000,
        from_bytes=True,
        peers=("lamina", "keras", "torch", "numpy"),
    ),
)

THREADS = (
    Case(name="A_alone", group="threads", title="A with one thread", threads=1, **A),
    Case(
        name="A_busy",
        group="threads",
        title="A beside a busy process",
        busy=1,
        peers=(*LAMINA, "keras", *TORCH),
        **A,
    ),
    Case(
        name="B_busy",
        group="threads",
        title="B beside a busy process",
        busy=1,
        peers=(*LAMINA, "keras", *TORCH),
        **B,
    ),
)

MANY = (
    Case(
        name="many4",
        group="many models",
        title="4 models of A, on 9,600 rows",
        kind="many",
        models=4,
        rows=9600,
        peers=("lamina_many", "lamina", "keras"),
        **A,
    ),
    Case(
        name="many16",
        group="many models",
        title="16 models 30-10s-1, batch 32",
        kind="many",
        models=16,
        peers=("lamina_many", "lamina", "torch"),
        cuda_peers=("lamina_many", "lamina", "torch", "torch_graph", "jax_scan"),
        **TINY,
    ),
)

CASES = (*TRAINING, *LATENCY, *BY_HAND, *START, *KERNELS, *THREADS, *MANY, *WIDTHS, *BATCHES, *GRID)
GROUPS = tuple(dict.fromkeys(case.group.replace(" ", "_") for case in CASES))


def chosen(words: list[str], device: str = "cpu") -> list[Case]:
    """The cases of these names and groups on a device, in their order; all that it has for no words.

    Raises:
        ValueError: a word is neither, or names what that device has nothing of.
    """
    known = CASES if device == "cpu" else tuple(_on_cuda(case) for case in CASES if case.cuda_peers)
    names = {word for case in known for word in (case.name, case.group.replace(" ", "_"))}
    unknown = [word for word in words if word not in names]
    if unknown:
        groups = ", ".join(group for group in GROUPS if group in names)
        where = "" if device == "cpu" else f" that runs on the device {device!r}"
        raise ValueError(f"{', '.join(unknown)}: neither a group ({groups}) nor a case{where}")
    wanted = set(words)
    return [case for case in known if not words or wanted & {case.name, case.group.replace(" ", "_")}]


def _on_cuda(case: Case) -> Case:
    return replace(case, device="cuda", peers=case.cuda_peers)
