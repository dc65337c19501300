"""Lamina through its Keras face, as a user writes it."""

from cases import Case

from lamina._bench.by_keras import KerasProgram
from lamina._bench.network import Array, MissingError, Rows


def require(device: str) -> str:
    import lamina

    try:
        lamina.config.set_device(device)
    except RuntimeError as reason:
        raise MissingError(str(reason)) from reason
    names, _ = lamina._core.device_names()
    return str(names[0]) if device != "cpu" else device


def start(case: Case, weights: list[Array], threads: int) -> KerasProgram:
    import lamina

    lamina.config.set_num_threads(threads)
    lamina.random.set_seed(3)  # so that any number of threads shuffles alike
    require(case.device)
    return KerasProgram(lamina.keras, case, weights)


def start_together(case: Case, weights: list[Array], threads: int) -> "TogetherProgram":
    return TogetherProgram([start(case, weights, threads) for _ in range(case.models)])


class TogetherProgram:
    """Several models at once, by `lamina.train_many`."""

    def __init__(self, programs: list[KerasProgram]) -> None:
        import lamina

        if not hasattr(lamina, "train_many"):
            raise MissingError("lamina.train_many")
        self.train_many = lamina.train_many
        self.programs = programs

    def reset(self) -> None:
        for program in self.programs:
            program.reset()

    def train(
        self, x: Array, y: Array, epochs: int, shuffle: bool, validation: Rows | None = None
    ) -> dict[str, float]:
        models = [program.model for program in self.programs]
        size = self.programs[0].network.batch_size
        histories = self.train_many(models, x, y, epochs=epochs, batch_size=size, shuffle=shuffle)
        return {"loss": sum(history.history["loss"][-1] for history in histories) / len(histories)}

    def predict(self, x: Array) -> Array:
        return self.programs[0].predict(x)
