"""Graph: the nodes and constants of an ONNX model, as they are added."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

OPSET = 18  # the first whose ReduceMean takes its axes as an input


class Graph:
    """Collects nodes.

    Args:
        onnx: the module.
        dtype: "float32" or "float64", of all numbers in the model.
    """

    def __init__(self, onnx: Any, dtype: str) -> None:
        self._onnx = onnx
        self._dtype = dtype
        self._nodes: list[Any] = []
        self._constants: list[Any] = []

    def add(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """Add a node of one output; the output's name."""
        output = f"{kind.lower()}_{len(self._nodes)}"
        self._nodes.append(self._onnx.helper.make_node(kind, list(inputs), [output], **attributes))
        return output

    def numbers(self, values: npt.ArrayLike) -> str:
        """Add a constant of the model's dtype; its name."""
        return self._constant(np.ascontiguousarray(values, dtype=self._dtype).reshape(np.shape(values)))

    def integers(self, values: Sequence[int]) -> str:
        """Add a constant vector of integers, such as a shape; its name."""
        return self._constant(np.array(values, dtype=np.int64))

    def _constant(self, array: npt.NDArray[Any]) -> str:
        name = f"constant_{len(self._constants)}"
        self._constants.append(self._onnx.numpy_helper.from_array(array, name))
        return name

    def finished(
        self, name: str, x: str, input_shape: Sequence[Any], y: str, output_shape: Sequence[Any]
    ) -> bytes:
        """The file's contents.

        Args:
            name: the model's.
            x, y: names of the input and of the last node's output.
            input_shape, output_shape: with the batch axis, None where any number of rows goes.

        Raises:
            ValueError: the model is larger than ONNX files can be.
        """
        from lamina._core import __version__

        helper, onnx = self._onnx.helper, self._onnx
        kind = onnx.TensorProto.DOUBLE if self._dtype == "float64" else onnx.TensorProto.FLOAT
        self._nodes.append(helper.make_node("Identity", [y], ["output_0"]))

        def told(tensor: str, shape: Sequence[Any]) -> Any:
            return helper.make_tensor_value_info(
                tensor, kind, ["batch" if size is None else size for size in shape]
            )

        graph = helper.make_graph(
            self._nodes, name, [told(x, input_shape)], [told("output_0", output_shape)], self._constants
        )
        model = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=8,
            producer_name="lamina",
            producer_version=__version__,
        )
        if model.ByteSize() >= 2**31:
            raise ValueError(f"export: expected a model of less than 2 GiB, got {model.ByteSize()} bytes")
        onnx.checker.check_model(model)
        return bytes(model.SerializeToString())
