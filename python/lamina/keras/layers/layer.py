"""Layer: what all layers share: a name, a dtype, weights."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy.typing as npt

from lamina import _core
from lamina.keras import dtype_policies, regularizers
from lamina.keras._saving.size_limit import check_size
from lamina.keras._training.absent import KerasAttributes
from lamina.keras._training.naming import checked_name
from lamina.keras._training.owned import OwnedLayer
from lamina.keras._training.penalised import PenalisedLayer
from lamina.keras._training.tensors import LayerTensors
from lamina.keras._training.tracebacks import filter_traceback
from lamina.keras._training.unsupported import refuse_unless_default
from lamina.keras.layers.shape import Shape, checked_shape, input_shape_argument
from lamina.keras.layers.variable import Variable, write_weights
from lamina.keras.layers.weight_spec import WeightSpec


class Layer(OwnedLayer, PenalisedLayer, LayerTensors, KerasAttributes):
    """Base class of all layers.

    Args:
        activity_regularizer: regularizer of the output: its penalty, divided by the number of samples, is
            added to the loss, in evaluation too. Default None. Of a layer that computes in bfloat16 it is in
            `losses` only: like Keras, such a model is neither trained nor evaluated.
        trainable: whether training changes the weights; see the attribute. Default True.
        dtype: "float32", "float64", "mixed_bfloat16" or a `keras.DTypePolicy`; None (default) takes
            `keras.config.dtype_policy()`.
        autocast: accepted; inputs are always cast to the layer's compute dtype.
        name: string without "/"; None (default) numbers the layers of a class per process.
        input_shape, input_dim: on a model's first layer, the shape of one sample; `keras.Input` says it
            better.

    Raises:
        ValueError: an argument is unknown, wrong or not supported.
    """

    # Layers that have nothing to learn from a shape count as built from the start, in summary() too.
    _built_at_start = False
    # Whether the layer's computation in bfloat16 rounds its input by itself, and whether it rounds it at all.
    rounds_input, casts_input = False, True
    # Whether the layer hands on the same numbers and adds nothing to a network.
    only_reshapes = False
    # Arguments that are None until they are supported, and read so in Keras.
    _none_only: tuple[str, ...] = ()

    def __init__(
        self,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        kind = type(self).__name__
        if hasattr(self, "call"):  # Keras's hook for a computation of one's own: the core would pass over it
            raise TypeError(
                f"{kind}: call: expected a layer of Lamina's without one, got {kind}.call; "
                "layers of one's own are not supported"
            )
        self._name = checked_name(name, kind)
        if not isinstance(trainable, bool):
            raise ValueError(f"trainable: expected True or False, got {trainable!r}")
        self._trainable = trainable
        # Which of its core_weights are frozen, and whether its statistics are, as the network was last told.
        self.frozen_in_core: tuple[frozenset[int], bool] = (frozenset(), False)
        self._policy = dtype_policies.get(dtype)
        self.activity_regularizer = regularizers.checked_of_output(
            activity_regularizer, "activity_regularizer"
        )
        self.autocast = autocast
        self.input_shape_argument = input_shape_argument(kwargs)
        if kwargs:
            raise ValueError(f"{kind}: unknown arguments {', '.join(map(repr, kwargs))}")
        self.built = self._built_at_start
        self._weights: list[Variable] = []
        self._build_shape: Shape | None = None
        self.calls = 0  # outside of any model

    def __setattr__(self, name: str, value: Any) -> None:
        if name in self._none_only:
            refuse_unless_default(type(self).__name__, **{name: (value, None)})
        if (
            self.__dict__.get("_owner") is not None
            and (name == "activity_regularizer" or name in self.get_config())
            and not isinstance(getattr(type(self), name, None), property)
        ):
            raise AttributeError(
                f"layer {self.name!r}: {name}: can't change while the layer is in a model that is built; "
                "make another layer"
            )
        super().__setattr__(name, value)

    # -- what a layer says about itself ----------------------------------------------------------------------
    @property
    def name(self) -> str:
        return self._name

    @property
    def dtype(self) -> str:
        """The dtype of the weights."""
        return self._policy.variable_dtype

    variable_dtype = dtype

    @property
    def compute_dtype(self) -> str:
        """The dtype of inputs and results: "bfloat16" under "mixed_bfloat16".

        NumPy has no bfloat16 of its own: results come as float32 arrays that hold the bfloat16 numbers
        exactly.
        """
        return self._policy.compute_dtype

    @property
    def input_dtype(self) -> str:
        """What inputs are cast to: the dtype of the computation."""
        return self.compute_dtype

    @property
    def dtype_policy(self) -> dtype_policies.DTypePolicy:
        """The policy that the layer was made with."""
        return self._policy

    @property
    def trainable(self) -> bool:
        """Whether the optimizer changes the weights. False also keeps the statistics of a
        `BatchNormalization` as they are, and uses them in training too.

        Set after a model has begun to train, it takes effect for that model with the next `compile`, as in
        Keras.
        """
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = bool(value)
        for weight in self._weights:
            weight.trainable = self._trainable and weight.learnable

    @property
    def weights(self) -> list[Variable]:
        """All weights, in Keras's order; empty until the layer is built."""
        return list(self._weights)

    variables = weights

    @property
    def core_weights(self) -> list[Variable]:
        """Those that the network's block holds, in its order."""
        return self._weights

    @property
    def trainable_weights(self) -> list[Variable]:
        """The weights that the optimizer changes; none if the layer is frozen."""
        return [weight for weight in self._weights if weight.trainable] if self._trainable else []

    trainable_variables = trainable_weights

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """The others: moving means and variances, and all weights of a frozen layer."""
        return [weight for weight in self._weights if not (self._trainable and weight.trainable)]

    non_trainable_variables = non_trainable_weights

    def get_weights(self) -> list[npt.NDArray[Any]]:
        """Copies of the weights, in the order of `weights`."""
        return [weight.numpy() for weight in self._weights]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Write all weights; every one is checked before the first is written.

        Args:
            weights: arrays in the order and shapes of `weights`.

        Raises:
            ValueError: another number of arrays, or another shape.
            TypeError: not real numbers.
        """
        write_weights(self._weights, weights, f"layer {self.name!r}")

    def save_own_variables(self, store: Any) -> None:
        """Write the weights into a dict, under "0", "1" …"""
        for i, weight in enumerate(self._weights):
            store[str(i)] = weight.numpy()

    def load_own_variables(self, store: Any) -> None:
        """Write all weights with what `save_own_variables` wrote.

        Raises:
            ValueError: another number of arrays, or another shape.
        """
        self.set_weights([store[str(i)] for i in range(len(store.keys()))])

    @property
    def metrics_variables(self) -> list[Variable]:
        """None: layers have no metrics."""
        return []

    def count_params(self) -> int:
        """How many numbers the weights hold.

        Raises:
            ValueError: the layer is not built.
        """
        if not self.built:
            raise ValueError(
                f"count_params: layer {self.name!r} has no weights yet; give its model an input shape "
                "or call build(input_shape)"
            )
        return sum(weight.size for weight in self._weights)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make this layer again, under Keras's keys."""
        policy = {
            "module": "keras",
            "class_name": "DTypePolicy",
            "config": self._policy.get_config(),
            "registered_name": None,
        }
        config = {"name": self.name, "trainable": self.trainable, "dtype": policy}
        if self.activity_regularizer is not None:
            config["activity_regularizer"] = regularizers.serialize(self.activity_regularizer)
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Layer:
        """A new layer from what `get_config` gave."""
        return cls(**config)

    def get_build_config(self) -> dict[str, Any] | None:
        """{"input_shape": what the layer was built for}; None before, and where there is nothing to build."""
        return None if self._build_shape is None else {"input_shape": self._build_shape}

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Build for the input shape that `get_build_config` gave."""
        if config.get("input_shape") is not None:
            shape = checked_shape(config["input_shape"], "input_shape")
            check_size([self], [shape], f"layer {self.name!r}")
            self.build(shape)

    # -- shapes and weights ----------------------------------------------------------------------------------
    def build(self, input_shape: Any) -> None:
        """Make the weights for this input.

        Args:
            input_shape: sizes, the batch axis first, e.g. (None, 784).

        Raises:
            ValueError: the layer can't take such an input, or was built for another one.
        """
        shape = checked_shape(input_shape, "input_shape")
        self.compute_output_shape(shape)  # refuses a rank or size the layer can't take
        specs = self._weight_specs(shape)
        if self.built and self._weights:
            for spec, weight in zip(specs, self._weights, strict=True):
                if spec.shape != weight.shape:
                    raise ValueError(
                        f"layer {self.name!r}: expected an input that fits its {weight.name} of shape "
                        f"{weight.shape}, got input shape {shape}"
                    )
            return
        self._weights = [spec.variable(self.name, self.dtype) for spec in specs]
        self.trainable = self._trainable
        for weight in self._weights:
            weight.path = f"{self.name}/{weight.name}"
        self._build_shape = None if self._built_at_start else shape
        self.built = True

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """The shape of the result, given the input's.

        Raises:
            ValueError: the layer can't take such an input.
        """
        return tuple(input_shape)

    @property
    def passes_on(self) -> bool:
        """Whether the layer hands its input on as it is, outside of training."""
        return False

    @property
    def head(self) -> str | None:
        """The softmax or sigmoid that its result comes out of, if a loss can see what went into it."""
        return None

    def _weight_specs(self, input_shape: Shape) -> list[WeightSpec]:
        return []

    def add_to(self, network: _core.Network32 | _core.Network64, input_shape: Shape) -> bool:
        """Add what this layer computes to a network of the core; False if there is nothing to compute."""
        raise TypeError(
            f"layer: expected one of Lamina's layers, got {type(self).__name__}; "
            "layers of one's own are not supported"
        )

    def _adder(self, network: _core.Network32 | _core.Network64, kind: str) -> Any:
        """The network's method that adds such a layer in the compute dtype."""
        rounding = "bfloat16_" if self.compute_dtype == "bfloat16" else ""
        adder = getattr(network, f"add_{rounding}{kind}", None)
        if adder is None:
            raise self._no_bfloat16()
        return adder

    def _no_bfloat16(self) -> ValueError:
        return ValueError(
            f"layer {self.name!r}: dtype: {type(self).__name__} computes in float32 or float64, not in "
            "bfloat16; give it dtype='float32'"
        )

    @filter_traceback
    def __call__(self, inputs: Any, training: bool = False) -> npt.NDArray[Any]:
        """The layer's result on an array; builds the layer first if need be.

        Args:
            inputs: array of real numbers, the batch axis first.
            training: True applies dropout and the batch's own statistics (moving ones are left as they are).

        Returns:
            Array of the layer's dtype; its `numpy()` is the plain array. Under "mixed_bfloat16" it is float32
            and holds bfloat16 numbers.

        Raises:
            TypeError: inputs is a layer or an `Input`; graphs of layers (the functional API) are not
                supported yet.
            ValueError: an input of this shape doesn't fit.
        """
        from lamina.keras._training.call import call_layer

        return call_layer(self, inputs, training)

    def _weight(self, name: str) -> Variable | None:
        return next((weight for weight in self._weights if weight.name == name), None)

    def __copy__(self) -> Layer:
        return copy.deepcopy(self)  # two layers with one list of weights would tear each other's model

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_owner": None}  # the model that is restored with it joins it again

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"
