"""TensorBoard: the course of a training in event files."""

from __future__ import annotations

import importlib
import os
import time
from typing import Any

import numpy as np

from lamina.keras.callbacks.callback import Callback, Logs, overrides

_BATCH_HOOKS = ("on_train_batch_begin", "on_train_batch_end", "on_test_batch_begin")


class TensorBoard(Callback):
    """Writes logs, weights and the model's configuration into event files that TensorBoard shows, under the
    tags of Keras: `epoch_loss` … in the folders train and validation, `evaluation_loss_vs_iterations` …, with
    `update_freq` also `batch_loss` ….

    Args:
        log_dir: folder. Default "logs".
        histogram_freq: epochs from one histogram of each weight to the next. Default 0: none.
        write_graph: write the model's configuration. Default True.
        write_images: with the histograms, each weight as a picture. Default False.
        write_steps_per_second: log the speed. Default False.
        update_freq: "epoch" (default), "batch", or a number of batches after which the logs are written; the
            latter two make the batches run one by one.
        profile_batch: 0 only: there is no TensorFlow to profile; see `lamina.config` for the core's profile.
        embeddings_freq, embeddings_metadata: 0 and None only: there are no embeddings.

    Raises:
        ValueError: an argument that isn't supported.
        ImportError: when the callback meets its model and the package tensorboardX is missing.
    """

    def __init__(
        self,
        log_dir: Any = "logs",
        histogram_freq: int = 0,
        write_graph: bool = True,
        write_images: bool = False,
        write_steps_per_second: bool = False,
        update_freq: str | int = "epoch",
        profile_batch: Any = 0,
        embeddings_freq: int = 0,
        embeddings_metadata: Any = None,
    ) -> None:
        super().__init__()
        if profile_batch not in (0, "0", None):
            raise ValueError(
                "TensorBoard: profile_batch: expected 0, as there is no TensorFlow to profile, "
                f"got {profile_batch!r}"
            )
        if embeddings_freq or embeddings_metadata:
            raise ValueError(
                "TensorBoard: embeddings_metadata, embeddings_freq: expected None and 0, "
                f"as there are no embeddings, got {embeddings_metadata!r} and {embeddings_freq!r}"
            )
        self.log_dir = str(log_dir)
        self.histogram_freq = histogram_freq
        self.write_graph = write_graph
        self.write_images = write_images
        self.write_steps_per_second = write_steps_per_second
        self.update_freq: Any = 1 if update_freq == "batch" else update_freq
        self._writers: dict[str, Any] = {}
        self._train_batches = self._test_batches = 0
        self._batch_start = self._epoch_start = 0.0
        self._epoch_iterations = 0

    def _calls_for(self, hooks: tuple[str, ...]) -> bool:
        counts = self.update_freq != "epoch" and any(hook in _BATCH_HOOKS for hook in hooks)
        own = tuple(hook for hook in hooks if hook in _BATCH_HOOKS)
        others = tuple(hook for hook in hooks if hook not in _BATCH_HOOKS)
        return counts or overrides(self, own, TensorBoard) or overrides(self, others)

    def set_model(self, model: Any) -> None:
        super().set_model(model)
        self._writers = {}
        writer = self._writer("train")
        if self.write_graph:
            proto = importlib.import_module("tensorboardX.proto.summary_pb2")
            tensor = importlib.import_module("tensorboardX.proto.tensor_pb2").TensorProto(
                dtype=7,  # of strings
                string_val=[model.to_json().encode()],
            )
            plugin = proto.SummaryMetadata.PluginData(plugin_name="graph_keras_model", content=b"1")
            value = proto.Summary.Value(
                tag="keras", tensor=tensor, metadata=proto.SummaryMetadata(plugin_data=plugin)
            )
            writer.file_writer.add_summary(proto.Summary(value=[value]), 0)

    # -- hooks -----------------------------------------------------------------------------------------------
    def on_train_begin(self, logs: Logs = None) -> None:
        self._train_batches = self._epoch_iterations = 0

    def on_train_end(self, logs: Logs = None) -> None:
        for writer in self._writers.values():
            writer.close()
        self._writers = {}

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self._epoch_iterations = int(self.model.optimizer.iterations)
        self._epoch_start = time.time()

    def on_train_batch_begin(self, batch: int, logs: Logs = None) -> None:
        self._train_batches += 1
        self._batch_start = time.time()

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        if self.update_freq == "epoch" or self._train_batches % self.update_freq:
            return
        values = {f"batch_{name}": value for name, value in (logs or {}).items()}
        if self.write_steps_per_second:
            values["batch_steps_per_second"] = 1.0 / max(time.time() - self._batch_start, 1e-9)
        self._write("train", values, self._train_batches)

    def on_test_batch_begin(self, batch: int, logs: Logs = None) -> None:
        self._test_batches += 1

    def on_test_end(self, logs: Logs = None) -> None:
        values = {f"evaluation_{name}_vs_iterations": value for name, value in (logs or {}).items()}
        self._write("validation", values, int(self.model.optimizer.iterations))

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if not logs:
            return
        train = {name: value for name, value in logs.items() if not name.startswith("val_")}
        if hasattr(self.model.optimizer, "learning_rate"):  # a MultiOptimizer has none
            train["learning_rate"] = float(self.model.optimizer.learning_rate)
        if self.write_steps_per_second:
            steps = int(self.model.optimizer.iterations) - self._epoch_iterations
            train["steps_per_second"] = steps / max(time.time() - self._epoch_start, 1e-9)
        self._write("train", {f"epoch_{name}": value for name, value in train.items()}, epoch)
        found = {f"epoch_{name[4:]}": value for name, value in logs.items() if name.startswith("val_")}
        if found:
            self._write("validation", found, epoch)
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            self._write_weights(epoch)

    # -- files -----------------------------------------------------------------------------------------------
    def _writer(self, folder: str) -> Any:
        if folder not in self._writers:
            try:
                package = importlib.import_module("tensorboardX")
            except ImportError:
                raise ImportError(
                    "TensorBoard: its files are written by tensorboardX, which is not installed: "
                    "pip install 'lamina[tensorboard]'"
                ) from None
            self._writers[folder] = package.SummaryWriter(os.path.join(self.log_dir, folder))
        return self._writers[folder]

    def _write(self, folder: str, values: dict[str, Any], step: int) -> None:
        writer = self._writer(folder)
        for tag, value in values.items():
            writer.add_scalar(tag, float(value), step)
        writer.flush()

    def _write_weights(self, epoch: int) -> None:
        writer = self._writer("train")
        for weight in self.model.weights:
            values = np.asarray(weight.value)
            writer.add_histogram(f"{weight.path}/histogram", values, epoch)
            if not self.write_images:
                continue
            picture = np.atleast_2d(np.squeeze(values))
            if values.ndim > 1 and picture.shape[0] > picture.shape[1]:
                picture = picture.T
            if picture.ndim == 2:
                writer.add_image(f"{weight.path}/image", picture, epoch, dataformats="HW")
        writer.flush()
