"""LayerStack: the layers of a model, in their order, and the network of the core that is built from them."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterable
from typing import Any

from lamina.keras import config as keras_config
from lamina.keras._training.assembly import Assembly, assemble, common_dtype, shapes_through
from lamina.keras._training.compiled import Head
from lamina.keras._training.naming import checked_name
from lamina.keras._training.penalties import CalledStack
from lamina.keras._training.stack_weights import StackWeights
from lamina.keras._training.tensors import ModelTensors
from lamina.keras._training.tracebacks import filter_traceback
from lamina.keras.dtype_policies import DTypePolicy, dtype_policy
from lamina.keras.layers.flatten import Flatten
from lamina.keras.layers.input_layer import InputLayer
from lamina.keras.layers.layer import Layer
from lamina.keras.layers.reshape import Reshape
from lamina.keras.layers.shape import Shape, checked_shape


class LayerStack(StackWeights, ModelTensors, CalledStack):
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
        self._stack: list[Any] = []  # layers, and models of layers
        self._outer: weakref.ref[LayerStack] | None = None  # the model that this one is part of
        self._assembly: Assembly | None = None  # with the network; None until built
        self._shapes: list[Shape] = []  # before the first leaf, after it, after the second …; [] until built
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
    def layers(self) -> list[Any]:
        """The layers, without the input layer."""
        return list(self._stack)

    @property
    def input_layer(self) -> InputLayer | None:
        """The layer that says what the model takes; None while that isn't known."""
        return self._input

    def add(self, layer: Any, rebuild: bool = True) -> None:
        """Put a layer on top. What is built keeps its weights.

        Args:
            layer: a layer that is in no other model, or a model of layers that is part of no other; or, first
                of all, an `Input`. A model that is part of another is trained with that one only.
            rebuild: False leaves building to the next use.

        Raises:
            ValueError: no layer, a second `Input`, a name that is taken, a layer of another model, shapes or
                dtypes that don't fit.
        """
        self.refuse_inner("add")
        if not isinstance(layer, (Layer, LayerStack)):
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
        if not self._stack and before is None and isinstance(layer, LayerStack):
            self._input = None if layer._input is None else InputLayer(batch_shape=layer._input.batch_shape)
        elif not self._stack and before is None and isinstance(layer, Layer):
            shape = layer.input_shape_argument
            self._input = None if shape is None else InputLayer(shape=shape)
        self._stack.append(layer)
        self._unbuild()
        if rebuild:
            try:
                self._rebuild()
            except Exception:
                self._stack.pop().set_owner(None)
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

    def pop(self, rebuild: bool = True) -> Any:
        """Take the last layer off; it keeps its weights and may join another model.

        Args:
            rebuild: False leaves building to the next use.

        Returns:
            The layer.

        Raises:
            ValueError: there is none.
        """
        self.refuse_inner("pop")
        if not self._stack:
            raise ValueError(f"pop: model {self.name!r} has no layers")
        layer = self._stack.pop()
        layer.set_owner(None)
        self._unbuild()
        if rebuild:
            self._rebuild()
        return layer

    @filter_traceback
    def get_layer(self, name: str | None = None, index: int | None = None) -> Any:
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
        outer = self.outer
        return self._network is not None if outer is None else outer.built

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
        self.forget_call()
        self.forget_tensors()
        self._network = self._assembly = None
        self._shapes = []

    def _rebuild(self) -> None:
        """Make the network for the layers there are, if the input is known; what they learned goes along."""
        if self._input is None or not self._stack or self._network is not None:
            return
        leaves = self.leaves
        shapes = shapes_through(leaves, self._input.batch_shape)
        dtype = common_dtype(leaves, f"model {self.name!r}")
        for entry in self._stack:
            entry.check_free(self)
        for layer, shape in zip(leaves, shapes, strict=False):
            layer.build(shape)
        assembly = assemble(leaves, shapes, dtype)
        # Nothing fails from here on: a model that could not be built has left its layers as they were.
        for layer, layer_views in zip(leaves, assembly.views(leaves), strict=True):
            for weight, view in zip(layer.core_weights, layer_views, strict=True):
                weight.move_to(view)
            layer.set_owner(self)
        self._network, self._assembly = assembly.network, assembly
        self._take_in(shapes)

    def _take_in(self, shapes: list[Shape]) -> None:
        """Note these shapes, and that the models among the layers are part of this one."""
        self._shapes = shapes
        first = 0
        for entry in self._stack:
            if isinstance(entry, LayerStack):
                end = first + len(entry.leaves)
                entry._unbuild()
                entry._outer = weakref.ref(self)
                entry._take_in(shapes[first : end + 1])
                for layer in entry.leaves:
                    for weight in layer.weights:
                        weight.path = f"{entry.name}/{layer.name}/{weight.name}"
                first = end
            else:
                first += 1

    # -- models within models --------------------------------------------------------------------------------
    @property
    def outer(self) -> LayerStack | None:
        """The model that this one is part of."""
        return None if self._outer is None else self._outer()

    def check_free(self, model: Any) -> None:
        """Refuse a second model around this one, and one that has no layers.

        Raises:
            ValueError: it is part of another model, or empty.
        """
        if not self.leaves:
            raise ValueError(f"layer: model {self.name!r} has no layers; add some first")
        if model is self or model in _models_of(self._stack):
            raise ValueError(f"layer: model {self.name!r} can't be part of itself")
        if self.outer not in (None, model):
            gc.collect()  # a model that was dropped together with its History is freed only now
        if self.outer not in (None, model):
            assert self.outer is not None
            raise ValueError(
                f"layer: model {self.name!r} is part of model {self.outer.name!r} already, and can be "
                "part of one only"
            )
        own = [self, *_models_of(self._stack)]
        for layer in self.leaves:
            if not any(layer.is_in(one) for one in own):
                layer.check_free(model)

    def set_owner(self, model: LayerStack | None) -> None:
        """Leave the model around this one (None), taking the weights along."""
        assert model is None
        if self._input is None and self._shapes:
            self._input = InputLayer(batch_shape=self._shapes[0])
        for layer in self.leaves:
            layer.set_owner(None)
        self._outer = None
        self._unbuild()
        self._rebuild()

    def refuse_inner(self, what: str) -> None:
        """Refuse what a model that is part of another can't do.

        Raises:
            ValueError: it is part of one.
        """
        if self.outer is not None:
            raise ValueError(
                f"{what}: model {self.name!r} is part of model {self.outer.name!r}; call that one's"
            )

    def _copied_network(self) -> Any:
        """A network of this model's own with the weights as they are now."""
        assembly = assemble(self.leaves, self._shapes, self.dtype)
        for layer, views in zip(self.leaves, assembly.views(self.leaves), strict=True):
            for weight, view in zip(layer.core_weights, views, strict=True):
                view[...] = weight.value
        return assembly.network

    def rebuild(self) -> None:
        """Make the network anew, from what the layers say now; weights stay as they are."""
        self._unbuild()
        self._rebuild()

    def network_for(self, rows_shape: Shape) -> Any:
        if self.outer is not None and self.outer.built:
            return self._copied_network()
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
        leaves = self.leaves
        return leaves[0].dtype if leaves else keras_config.floatx()

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
        for layer in reversed(self.leaves):
            # A reshaping makes another tensor of its input, even where it changes nothing.
            reshapes = isinstance(layer, (Flatten, Reshape))
            flattened = flattened or reshapes
            if layer.compute_dtype == "bfloat16":
                return Head(None, flattened)  # cast to float32 for the loss, which loses sight of the logits
            if not (layer.passes_on or reshapes):
                return Head(layer.head, flattened)
        return Head(None, flattened)

    @property
    def shapes(self) -> list[Shape]:
        """The shape before the first layer, after it, after the second …; [] before the model is built."""
        return list(self._shapes)

    def shape_after(self, layer: Any) -> Shape | None:
        """The shape of this layer's result; None before the model is built."""
        end = 0
        for entry in self._stack:
            end += len(entry.leaves) if isinstance(entry, LayerStack) else 1
            if entry is layer:
                break
        return self._shapes[end] if self._shapes else None


def _models_of(stack: list[Any]) -> list[LayerStack]:
    inner = [entry for entry in stack if isinstance(entry, LayerStack)]
    return inner + [model for entry in inner for model in _models_of(entry._stack)]
