"""Models: `Sequential`, a stack of layers."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from types import FunctionType
from typing import Any

from lamina.keras._saving.model_file import load_model as load_model
from lamina.keras._saving.model_file import load_weights, save_weights
from lamina.keras._saving.model_file import save_model as save_model
from lamina.keras._training.absent import refuse_absent
from lamina.keras._training.call import refuse_graph
from lamina.keras._training.cloning import cloned
from lamina.keras._training.inputs import fitted_input, real_array, unwrapped
from lamina.keras._training.output import Output
from lamina.keras._training.stored_stack import StoredStack, model_of, parsed
from lamina.keras._training.summary import print_summary
from lamina.keras._training.tracebacks import filter_traceback
from lamina.keras._training.unsupported import refuse_unless_default

__all__ = ["Sequential", "clone_model", "load_model", "model_from_json", "save_model"]


class Sequential(StoredStack):
    """A stack of layers, each taking the result of the one before.

    The model has weights as soon as it knows the shape of its input: from `Input(shape)` or the first layer's
    `input_shape`, from `build`, or from the first data it sees. It can be pickled and deep-copied at any
    time; the copy goes on with the same bits.

    Args:
        layers: list of layers, an `Input` first or not. Default none; see `add`.
        trainable: whether training changes the weights; see the attribute. Default True.
        name: string without "/"; None (default) numbers the models of a process, from "sequential" on.

    Raises:
        ValueError: an entry is no layer, two have one name, shapes or dtypes don't fit.

    Example:
        model = keras.Sequential([keras.Input((784,)), keras.layers.Dense(10, activation="softmax")])
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        model.fit(x, y, epochs=5)
    """

    @filter_traceback
    def summary(
        self,
        line_length: int | None = None,
        positions: Sequence[float] | None = None,
        print_fn: Any = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
        layer_range: Sequence[str] | None = None,
    ) -> None:
        """Print the layers, their output shapes and parameters, as Keras 3 does.

        Args:
            line_length: width of the table. Default 88, or what the terminal leaves.
            positions: where each column ends, as parts of line_length. Default [0.45, 0.8, 1.0].
            print_fn: called once with the whole text, instead of printing it.
            expand_nested: show the layers of models among the layers too.
            show_trainable: add a column.
            layer_range: two names or regular expressions: the first and last layer shown.

        Raises:
            ValueError: the columns get too narrow, or layer_range names no layer.
        """
        print_summary(self, line_length, positions, print_fn, expand_nested, show_trainable, layer_range)

    # -- calling ---------------------------------------------------------------------------------------------
    @filter_traceback
    def __call__(self, inputs: Any, training: bool | None = False, mask: Any = None) -> Output:
        """The model's outputs for one batch.

        Args:
            inputs: array (n, ...) of any real dtype and layout.
            training: True applies dropout and the batch's own statistics; moving ones are left as they are.
                Default False.
            mask: not supported, None only.

        Returns:
            Array (n, ..., outputs) of the model's dtype; its `numpy()` is the plain array.

        Raises:
            ValueError, TypeError: inputs is no array of real numbers of the model's shape.
        """
        if mask is not None:
            refuse_unless_default("call", mask=(mask, None))
        refuse_graph(inputs, "model", self._name)
        rows = real_array(unwrapped(inputs, 2), "inputs")
        network = self._network or self.network_for(rows.shape)
        rows = fitted_input(rows, self.input_shape, "inputs")
        self._calls += 1  # every call draws another dropout pattern
        self.note_call(rows, bool(training), self._calls)
        return self.shaped_output(
            network.forward(rows, bool(training), self._calls, self.frozen_statistics())
        ).view(Output)

    @property
    def input_dtype(self) -> str:
        """What inputs are cast to: the dtype of the first layer's computation."""
        return self.compute_dtype

    # -- copies and files ------------------------------------------------------------------------------------
    def __copy__(self) -> Sequential:
        return copy.deepcopy(self)  # a layer is in one model only

    def __getstate__(self) -> dict[str, Any]:
        self.shuffle_seed()  # drawn now if it wasn't: a copy and its original go on alike
        return {
            **self.__dict__,
            "_network": None,
            "_assembly": None,
            "_outer": None,
            "_in_epoch": False,
            "_call": None,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        if self._shapes:
            self._rebuild()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"

    @filter_traceback
    def save(self, filepath: Any, overwrite: bool = True, zipped: bool | None = None, **kwargs: Any) -> None:
        """Write the model to a `.keras` file; see `keras.saving.save_model`."""
        save_model(self, filepath, overwrite, zipped, **kwargs)

    @filter_traceback
    def save_weights(self, filepath: Any, overwrite: bool = True, max_shard_size: Any = None) -> None:
        """Write the weights to a `.weights.h5` file; see `keras.saving.save_weights`."""
        save_weights(self, filepath, overwrite, max_shard_size)

    @filter_traceback
    def load_weights(self, filepath: Any, skip_mismatch: bool = False, **kwargs: Any) -> None:
        """Read the weights of a `.weights.h5` or `.keras` file; see `keras.saving.load_weights`."""
        load_weights(self, filepath, skip_mismatch, **kwargs)

    @filter_traceback
    def export(
        self,
        filepath: Any,
        format: str = "tf_saved_model",
        verbose: bool | None = None,
        input_signature: Any = None,
        **kwargs: Any,
    ) -> None:
        """Write what `predict` computes to an ONNX file, for ONNX Runtime and other programs.

        Args:
            filepath: string or path, of any ending.
            format: "onnx"; the others of Keras's are refused with the reason.
            verbose: False says nothing. Default: a line that names the file.
            input_signature: None only.
            opset_version: None or 18.

        Raises:
            ValueError: another format, a model that isn't built or is of "mixed_bfloat16", or a layer or
                activation without a form in ONNX.
            ImportError: onnx is not installed (`pip install 'lamina[onnx]'`).
            OSError: the file can't be written; what was there is still there.
        """
        from lamina.keras._export.onnx_file import export_model  # only here: most programs export nothing

        export_model(self, filepath, format, verbose, input_signature, **kwargs)


def clone_model(
    model: Any,
    input_tensors: Any = None,
    clone_function: Any = None,
    call_function: Any = None,
    recursive: bool = False,
    **kwargs: Any,
) -> Sequential:
    """A model of the same layers with weights of its own, drawn anew; neither compiled nor trained.

    Args:
        model: a `Sequential` model.
        input_tensors: a `keras.Input` for the clone, or a list of one; default one like the model's.
        clone_function: called with each layer, gives the clone's. Default:
            `lambda layer: type(layer).from_config(layer.get_config())`.
        call_function: None only: the layers of a `Sequential` are listed, not called.
        recursive: whether models among the layers are cloned layer by layer too. Default False.

    Raises:
        ValueError: an argument is wrong.
    """
    if kwargs:
        raise ValueError(f"clone_model: unknown arguments {', '.join(map(repr, kwargs))}")
    return cloned(Sequential, model, input_tensors, clone_function, call_function, recursive)


def model_from_json(json_string: str, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The model of a string that `to_json` gave, here or in Keras; its weights are initialized anew.

    Args:
        json_string: the string.
        custom_objects: dict from name to class or function, for what the program registered nowhere else.

    Raises:
        ValueError: not such a string, or it names what Lamina doesn't have.
    """
    return model_of(parsed(json_string), custom_objects)


# The rooms it is made of are nobody's business: a wrong call is an error of Sequential's.
for room in StoredStack.__mro__:
    for member in vars(room).values():
        if isinstance(member, FunctionType):
            for function in (member, getattr(member, "__wrapped__", member)):  # what Python's errors name
                function.__qualname__ = f"Sequential.{member.__name__}"
del room, member

refuse_absent(__name__)
