"""Dense: every output from every input."""

from __future__ import annotations

from typing import Any

import numpy as np

from lamina import _core
from lamina.keras import activations, constraints, regularizers
from lamina.keras._training.unsupported import refuse_unless_default
from lamina.keras.activations.form import Form
from lamina.keras.layers.activation_layer import (
    activated_shape,
    add_activation,
    checked_activation,
    fused_name,
    visible_head,
)
from lamina.keras.layers.layer import Layer
from lamina.keras.layers.shape import Shape, positions_and_features
from lamina.keras.layers.variable import Variable
from lamina.keras.layers.weight_spec import WeightSpec, checked_initializer
from lamina.keras.utils.serialization import serialize_object


class Dense(Layer):
    """A fully connected layer: `y = activation(x · kernel + bias)`, on the last axis of x.

    Args:
        units: number of outputs, an int >= 1.
        activation: name or function of `keras.activations`, or an activation layer without weights; None
            (default) is linear.
        use_bias: whether there is a bias. Default True.
        kernel_initializer: initializer of the kernel (inputs, units). Default "glorot_uniform".
        bias_initializer: initializer of the bias (units,). Default "zeros".
        kernel_regularizer, bias_regularizer: penalties on them that are added to the loss. Default None.
        activity_regularizer: penalty on the output; see `Layer`. Default None.
        kernel_constraint, bias_constraint: what they are brought back to after each step. Default None.
        lora_rank, lora_alpha, quantization_config: not supported, None only.
        **kwargs: `name`, `dtype`, `input_shape` and what else `Layer` takes.

    Input (n, ..., inputs) of rank 2 or more, output (n, ..., units).

    Raises:
        ValueError: an argument is unknown, wrong or not supported.

    Source: Keras 3 `keras.layers.Dense`.
    """

    rounds_input = True
    _none_only = (*Layer._none_only, "lora_rank", "quantization_config")
    lora_rank = quantization_config = None

    def __init__(
        self,
        units: int,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        lora_rank: Any = None,
        lora_alpha: Any = None,
        quantization_config: Any = None,
        **kwargs: Any,
    ) -> None:
        if isinstance(units, bool) or not isinstance(units, (int, np.integer)) or units < 1:
            raise ValueError(f"units: expected an int >= 1, got {units!r}")
        refuse_unless_default(
            "Dense",
            lora_rank=(lora_rank, None),
            lora_alpha=(lora_alpha, None),
            quantization_config=(quantization_config, None),
        )
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.units = int(units)
        self.activation = checked_activation(activations.get(activation), self)
        self.use_bias = bool(use_bias)
        self.kernel_initializer = checked_initializer(kernel_initializer, "kernel_initializer")
        self.bias_initializer = checked_initializer(bias_initializer, "bias_initializer")
        self.kernel_regularizer = regularizers.checked(kernel_regularizer, "kernel_regularizer")
        self.bias_regularizer = regularizers.checked(bias_regularizer, "bias_regularizer")
        self.kernel_constraint = constraints.checked(kernel_constraint, "kernel_constraint")
        self.bias_constraint = constraints.checked(bias_constraint, "bias_constraint")

    @property
    def kernel(self) -> Variable:
        """The weight matrix, shape (inputs, units).

        Raises:
            AttributeError: the layer is not built.
        """
        kernel = self._weight("kernel")
        if kernel is None:
            raise AttributeError(f"layer {self.name!r} has no kernel before it is built")
        return kernel

    @property
    def bias(self) -> Variable | None:
        """The bias, shape (units,); None without one.

        Raises:
            AttributeError: the layer is not built.
        """
        if not self.built:
            raise AttributeError(f"layer {self.name!r} has no bias before it is built")
        return self._weight("bias")

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        if len(input_shape) < 2:
            raise ValueError(
                f"layer {self.name!r}: expected an input of rank 2 or more, got shape {tuple(input_shape)}"
            )
        return activated_shape(self._form, (*input_shape[:-1], self.units), f"layer {self.name!r}")

    @property
    def _form(self) -> Form:
        return activations.form_of(self.activation)

    @property
    def head(self) -> str | None:
        return visible_head(self._form)

    def _weight_specs(self, input_shape: Shape) -> list[WeightSpec]:
        _, inputs = positions_and_features(input_shape, f"layer {self.name!r}: input shape")
        specs = [
            WeightSpec(
                "kernel",
                (inputs, self.units),
                self.kernel_initializer,
                regularizer=self.kernel_regularizer,
                constraint=self.kernel_constraint,
            )
        ]
        if self.use_bias:
            specs.append(
                WeightSpec(
                    "bias",
                    (self.units,),
                    self.bias_initializer,
                    regularizer=self.bias_regularizer,
                    constraint=self.bias_constraint,
                )
            )
        return specs

    def add_to(self, network: _core.Network32 | _core.Network64, input_shape: Shape) -> bool:
        positions, inputs = positions_and_features(input_shape, f"layer {self.name!r}: input shape")
        form = self._form
        fused = fused_name(form, len(input_shape))
        arguments = (positions, inputs, self.units, fused or "linear", self.use_bias)
        if self.compute_dtype == "bfloat16":  # TensorFlow fuses product, bias and activation of matrices only
            network.add_bfloat16_dense(*arguments, fused=len(input_shape) == 2)  # type: ignore[union-attr]
        else:
            network.add_dense(*arguments)
        if fused is None:
            add_activation(self, form, network, (*input_shape[:-1], self.units))
        return True

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "units": self.units,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": serialize_object(self.kernel_initializer, "keras.initializers"),
            "bias_initializer": serialize_object(self.bias_initializer, "keras.initializers"),
            "kernel_regularizer": regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": regularizers.serialize(self.bias_regularizer),
            "kernel_constraint": constraints.serialize(self.kernel_constraint),
            "bias_constraint": constraints.serialize(self.bias_constraint),
            "quantization_config": None,
        }
