"""LayerStack: the layers of a model, in their order, and the network of the core that is built from them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy.typing as npt

from lamina.keras import config as keras_config
from lamina.keras._training.assembly import Assembly, assemble, common_dtype, shapes_through
from lamina.keras._training.compiled import Head
from lamina.keras._training.naming import checked_name
from lamina.keras._training.trainer import Trainer
from lamina.keras.dtype_policies import DTypePolicy, dtype_policy
from lamina.keras.layers.flatten import Flatten
from lamina.keras.layers.input_layer import InputLayer
from lamina.keras.layers.layer import Layer
from lamina.keras.layers.shape import Shape, checked_shape
from lamina.keras.layers.variable import Variable, write_weights


class LayerStack(Trainer):
    """What a model knows of its layers: adding, taking off, building, their shapes and weights."""

    def __init__(
        self, layers: Iterable[Any] | None = None, trainable: bool = True, name: str | None = None
    ) -> None:
        super().__init__()
        for method in ("call", "train_step", "test_step", "predict_step", "compute_loss", "compute_metrics"):
            if hasattr(self, method):  # the core would pass over it
                raise TypeError(
                    f"{type(self).__name__}: {method}: expected a Sequential without one of its own: "
                    "the compiled core takes the steps, and calls no Python in them"
                )
        if not isinstance(trainable, bool):
            raise ValueError(f"trainable: expected True or False, got {trainable!r}")
        self._trainable = trainable
        self._name = checked_name(name, type(self).__name__)
        self._policy = dtype_policy()
        self._input: InputLayer | None = None
        self._stack: list[Layer] = []
        self._assembly: Assembly | None = None  # with the network; None until built
        self._shapes: list[Shape] = []  # before the first layer, after it, after the second …; [] until built
        self._calls = 0
        if isinstance(layers, (Layer, str)) or not (layers is None or isinstance(layers, Iterable)):
            raise ValueError(f"layers: expected a list of layers, got {layers!r}")
        for layer in layers or ():
            self.add(layer, rebuild=False)
        self._rebuild()

    # -- layers ----------------------------------------------------------------------------------------------
    @property
    def name(self) -> str:  # type: ignore[override]
        return self._name

    @property
    def layers(self) -> list[Layer]:
        """The layers, without the input layer."""
        return list(self._stack)

    @property
    def input_layer(self) -> InputLayer | None:
        """The layer that says what the model takes; None while that isn't known."""
        return self._input

    def add(self, layer: Any, rebuild: bool = True) -> None:
        """Put a layer on top. What is built keeps its weights.

        Args:
            layer: a layer that is in no other model, or, first of all, an `Input`.
            rebuild: False leaves building to the next use.

        Raises:
            ValueError: no layer, a second `Input`, a name that is taken, a layer of another model, shapes or
                dtypes that don't fit.
        """
        if not isinstance(layer, Layer):
            raise ValueError(f"layer: expected a layer, got {layer!r} (of type {type(layer).__name__})")
        if isinstance(layer, InputLayer):
            self._set_input(layer)
            return
        if any(layer is other for other in self._stack):
            raise ValueError(
                f"layer: {layer.name!r} is in this model already, and a layer can be in it only once"
            )
        if any(layer.name == other.name for other in self._stack):
            raise ValueError(f"layer: expected a name that is new to the model, got {layer.name!r}")
        layer.check_free(self)
        before = self._input
        if not self._stack and before is None and layer.input_shape_argument is not None:
            self._input = InputLayer(shape=layer.input_shape_argument)
        self._stack.append(layer)
        self._unbuild()
        if rebuild:
            try:
                self._rebuild()
            except Exception:
                self._stack.pop()
                self._input = before
                self._rebuild()
                raise

    def _set_input(self, layer: InputLayer) -> None:
        if self._input is not None:
            raise ValueError(
                f"layer: model {self.name!r} takes input of shape {self._input.batch_shape} already; "
                f"it can't have another Input, of shape {layer.batch_shape}"
            )
        if self._stack:
            raise ValueError("layer: expected Input before the first layer, got it after one")
        self._input = layer

    def pop(self, rebuild: bool = True) -> Layer:
        """Take the last layer off; it keeps its weights and may join another model.

        Args:
            rebuild: False leaves building to the next use.

        Returns:
            The layer.

        Raises:
            ValueError: there is none.
        """
        if not self._stack:
            raise ValueError(f"pop: model {self.name!r} has no layers")
        layer = self._stack.pop()
        layer.set_owner(None)
        self._unbuild()
        if rebuild:
            self._rebuild()
        return layer

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """The layer of this name or index.

        Raises:
            ValueError: neither or both are given, or there is no such layer.
        """
        if (name is None) == (index is None):
            raise ValueError(f"get_layer: expected either name or index, got name={name!r}, index={index!r}")
        if index is not None:
            if not -len(self._stack) <= index < len(self._stack):
                raise ValueError(f"get_layer: index: expected one of {len(self._stack)} layers, got {index}")
            return self._stack[index]
        for layer in self._stack:
            if layer.name == name:
                return layer
        raise ValueError(
            f"get_layer: name: expected one of {[layer.name for layer in self._stack]}, got {name!r}"
        )

    # -- building --------------------------------------------------------------------------------------------
    @property
    def built(self) -> bool:
        """Whether the model has its weights."""
        return self._network is not None

    def build(self, input_shape: Any = None) -> None:
        """Make the weights for this input; without a shape nothing happens, as in Keras.

        Args:
            input_shape: sizes with the batch axis, e.g. (None, 784).

        Raises:
            ValueError: there are no layers, the model has another shape, or a layer can't take its input.
        """
        if input_shape is None:
            return
        shape = checked_shape(input_shape, "input_shape")
        if not shape:
            raise ValueError("input_shape: expected at least the batch axis, got ()")
        if not self._stack:
            raise ValueError(f"build: model {self.name!r} has no layers; add some first")
        if self._input is not None and self._input.batch_shape != shape:
            raise ValueError(
                f"input_shape: expected {self._input.batch_shape}, which model {self.name!r} has already, "
                f"got {shape}"
            )
        before = self._input
        self._input = before or InputLayer(batch_shape=shape)
        try:
            self._rebuild()
        except Exception:
            self._input = before
            raise

    def _unbuild(self) -> None:
        self._network = self._assembly = None
        self._shapes = []

    def _rebuild(self) -> None:
        """Make the network for the layers there are, if the input is known; what they learned goes along."""
        if self._input is None or not self._stack or self._network is not None:
            return
        shapes = shapes_through(self._stack, self._input.batch_shape)
        dtype = common_dtype(self._stack, f"model {self.name!r}")
        for layer, shape in zip(self._stack, shapes, strict=False):
            layer.check_free(self)
            layer.build(shape)
        assembly = assemble(self._stack, shapes, dtype)
        # Nothing fails from here on: a model that could not be built has left its layers as they were.
        for layer, layer_views in zip(self._stack, assembly.views(self._stack), strict=True):
            for weight, view in zip(layer.weights, layer_views, strict=True):
                weight.move_to(view)
            layer.set_owner(self)
        self._network, self._assembly = assembly.network, assembly
        self._shapes = shapes

    def rebuild(self) -> None:
        """Make the network anew, from what the layers say now; weights stay as they are."""
        self._unbuild()
        self._rebuild()

    # -- what is frozen --------------------------------------------------------------------------------------
    @property
    def trainable(self) -> bool:
        """Whether training changes the weights. Another value is set for every layer
        too; the same one changes none of them, as in Keras on TensorFlow.

        Set after the model has begun to train, it takes effect with the next `compile`, as in Keras.
        """
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        if value is self._trainable:  # as on TensorFlow, where setting what an attribute is does nothing
            return
        self._trainable = bool(value)
        for layer in self._stack:
            layer.trainable = self._trainable

    def take_trainable(self) -> bool:
        """Freeze in the network what is frozen here now; True if that changes something."""
        states = [(not (self._trainable and layer.trainable), not layer.trainable) for layer in self._stack]
        changed = states != [layer.frozen_in_core for layer in self._stack]
        if changed and self._assembly is not None:
            self._assembly.freeze(states)
            for layer, state in zip(self._stack, states, strict=True):
                layer.frozen_in_core = state
            for layer, views in zip(self._stack, self._assembly.views(self._stack), strict=True):
                for weight, view in zip(layer.weights, views, strict=True):
                    weight.move_to(view)  # which holds the same values already
        return changed

    def frozen_statistics(self) -> list[bool]:
        """For `forward`: what of the network is frozen now, unless it was told so already."""
        if self._assembly is None or all(layer.frozen_in_core[1] != layer.trainable for layer in self._stack):
            return []
        return self._assembly.of_each([not layer.trainable for layer in self._stack])

    def network_for(self, rows_shape: Shape) -> Any:
        if self._network is None:
            if not self._stack:
                raise ValueError(f"model {self.name!r} has no layers; add some first")
            if self._input is None:
                self.build(rows_shape)
            else:
                self._rebuild()
        return self._network

    @property
    def dtype(self) -> str:
        """The dtype of the weights, and of the arrays that are returned."""
        return self._stack[0].dtype if self._stack else keras_config.floatx()

    @property
    def dtype_policy(self) -> DTypePolicy:
        """The policy that was in force when the model was made; each layer has its own."""
        return self._policy

    @property
    def compute_dtype(self) -> str:
        return self._policy.compute_dtype

    @property
    def variable_dtype(self) -> str:
        return self._policy.variable_dtype

    @property
    def input_shape(self) -> Shape:
        """With the batch axis, e.g. (None, 784).

        Raises:
            AttributeError: it is not known yet.
        """
        shapes = self._shapes
        if not shapes:
            raise AttributeError(f"model {self.name!r} has no input shape before it is built")
        return shapes[0]

    @property
    def output_shape(self) -> Shape:
        """With the batch axis, e.g. (None, 10).

        Raises:
            AttributeError: it is not known yet.
        """
        if not self._shapes:
            raise AttributeError(f"model {self.name!r} has no output shape before it is built")
        return self._shapes[-1]

    @property
    def head(self) -> Head:
        flattened = False
        for layer in reversed(self._stack):
            flattened = flattened or isinstance(layer, Flatten)
            if layer.compute_dtype == "bfloat16":
                return Head(None, flattened)  # cast to float32 for the loss, which loses sight of the logits
            if not (layer.passes_on or isinstance(layer, Flatten)):
                return Head(getattr(getattr(layer, "activation", None), "__name__", None), flattened)
        return Head(None, flattened)

    @property
    def shapes(self) -> list[Shape]:
        """The shape before the first layer, after it, after the second …; [] before the model is built."""
        return list(self._shapes)

    def shape_after(self, layer: Layer) -> Shape | None:
        """The shape of this layer's result; None before the model is built."""
        return self._shapes[self._stack.index(layer) + 1] if self._shapes else None

    # -- weights ---------------------------------------------------------------------------------------------
    @property
    def weights(self) -> list[Variable]:
        """All weights, layer by layer, in Keras's order; [] until built."""
        return [weight for layer in self._stack for weight in layer.weights] if self.built else []

    @property
    def variables(self) -> list[Variable]:
        return self.weights

    @property
    def trainable_weights(self) -> list[Variable]:
        """The weights that the optimizer changes; none if the model is frozen."""
        return [weight for weight in self.weights if weight.trainable] if self._trainable else []

    @property
    def trainable_variables(self) -> list[Variable]:
        return self.trainable_weights

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """The others: moving means and variances, and what is frozen."""
        return [weight for weight in self.weights if not (self._trainable and weight.trainable)]

    @property
    def non_trainable_variables(self) -> list[Variable]:
        return self.non_trainable_weights

    def get_weights(self) -> list[npt.NDArray[Any]]:
        """Copies of all weights, in the order of `weights`."""
        return [weight.numpy() for weight in self.weights]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Write all weights; every one is checked before the first is written.

        Args:
            weights: arrays in the order and shapes of `weights`.

        Raises:
            ValueError: another number of arrays, or another shape.
            TypeError: not real numbers.
        """
        write_weights(self.weights, weights, f"model {self.name!r}")

    def count_params(self) -> int:
        """How many numbers the weights hold.

        Raises:
            ValueError: the model is not built.
        """
        if not self.built:
            raise ValueError(
                f"count_params: model {self.name!r} has no weights yet; give it an input shape or build it"
            )
        return sum(weight.size for weight in self.weights)
