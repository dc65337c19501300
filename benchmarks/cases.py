"""What is measured: one `Case` a row of the result table."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["train", "predict", "import"]


@dataclass(frozen=True)
class Case:
    """A network on a data set, and what is timed of it.

    Attributes:
        name: what `--cases` takes.
        title: what tables show.
        kind: "train" (times a step of `fit`), "predict" (a call with one row) or "import" (the import alone).
        data: a name in `data.SOURCES`.
        units: features, units of the hidden layers, outputs.
        activation: of the hidden layers. The output layer has softmax, or sigmoid where there is one output.
        optimizer: "sgd" (learning rate 0.01) or "adam" (0.001).
        batch_size: rows of a step.
        rows: rows of an epoch.
    """

    name: str
    title: str
    kind: Kind
    data: str = "fashion_mnist"
    units: tuple[int, ...] = (784, 100, 10)
    activation: str = "sigmoid"
    optimizer: str = "sgd"
    batch_size: int = 32
    rows: int = 48000

    @property
    def steps(self) -> int:
        """Steps of an epoch, the short last one included."""
        return -(-self.rows // self.batch_size)

    @property
    def unit(self) -> str:
        return {"train": "µs/step", "predict": "µs/call", "import": "ms"}[self.kind]


CASES = (
    Case("A", "784-100s-10, SGD, batch 32", "train"),
    Case(
        "B",
        "784-300-200-100-10 relu, SGD, batch 32",
        "train",
        units=(784, 300, 200, 100, 10),
        activation="relu",
    ),
    Case("C", "784-50s-10, Adam, batch 32", "train", units=(784, 50, 10), optimizer="adam", rows=60000),
    Case("A256", "784-100s-10, SGD, batch 256", "train", batch_size=256),
    Case(
        "tiny",
        "30-10s-1, SGD, all 364 rows a step",
        "train",
        data="cancer_like",
        units=(30, 10, 1),
        batch_size=364,
        rows=364,
    ),
    Case("predict1", "784-100s-10, predict of one row", "predict"),
    Case("import", "import, NumPy being loaded", "import"),
)
