"""Building ONNX graphs by hand, for what the exporter cannot do: loops around what it made."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from linnet_export.exporter import OPSET

Array = np.ndarray


class Graph:
    """Nodes and constants in the order they are added; values are known by their names."""

    def __init__(self, prefix: str) -> None:
        """Args: what all names begin with."""
        self.prefix = prefix
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []
        self._count = 0

    def op(
        self, kind: str, *inputs: str | Array | float | int | list[int], name: str = "", **attributes: Any
    ) -> str:
        """Add a node and return its output; arrays and numbers among the inputs become constants."""
        names = [each if isinstance(each, str) else self.constant(each) for each in inputs]
        output = name or self._name(kind)
        self.nodes.append(helper.make_node(kind, names, [output], **attributes))
        return output

    def ops(
        self, kind: str, outputs: int, *inputs: str | Array | float | int | list[int], **attributes: Any
    ) -> list[str]:
        """As `op`, for a node with several outputs."""
        names = [each if isinstance(each, str) else self.constant(each) for each in inputs]
        made = [self._name(kind) for _ in range(outputs)]
        self.nodes.append(helper.make_node(kind, names, made, **attributes))
        return made

    def constant(self, value: Array | float | int | list[int], name: str = "") -> str:
        """Add a constant: floats become float32, whole numbers int64."""
        array = np.asarray(value)
        if array.dtype == np.float64:
            array = array.astype(np.float32)
        name = name or self._name("constant")
        self.initializers.append(numpy_helper.from_array(array, name))
        return name

    def inline(self, model: onnx.ModelProto, inputs: Mapping[str, str]) -> dict[str, str]:
        """Add all of a model, fed with the named values, and return its outputs' new names."""
        graph = model.graph
        renamed = dict(inputs)
        for name in (*(t.name for t in graph.initializer), *(o for node in graph.node for o in node.output)):
            if name:
                renamed.setdefault(name, f"{self.prefix}{name}")
        for tensor in graph.initializer:
            copy = onnx.TensorProto()
            copy.CopyFrom(tensor)
            copy.name = renamed[tensor.name]
            self.initializers.append(copy)
        for node in graph.node:
            added = onnx.NodeProto()
            added.CopyFrom(node)
            added.name = ""
            del added.input[:], added.output[:]
            added.input.extend(renamed.get(name, name) for name in node.input)
            added.output.extend(renamed.get(name, name) for name in node.output)
            self.nodes.append(added)
        return {each.name: renamed[each.name] for each in graph.output}

    def build(
        self, name: str, inputs: Iterable[onnx.ValueInfoProto], outputs: Iterable[onnx.ValueInfoProto]
    ) -> onnx.GraphProto:
        """The graph."""
        return helper.make_graph(self.nodes, name, list(inputs), list(outputs), self.initializers)

    def _name(self, kind: str) -> str:
        self._count += 1
        return f"{self.prefix}{kind}_{self._count}"


FLOAT, INT64, UINT8, BOOL = (
    onnx.TensorProto.FLOAT,
    onnx.TensorProto.INT64,
    onnx.TensorProto.UINT8,
    onnx.TensorProto.BOOL,
)


def value(name: str, kind: int, *shape: int | str | None) -> onnx.ValueInfoProto:
    """An input or output; sizes are numbers or names, and none at all make a scalar."""
    return helper.make_tensor_value_info(name, kind, shape)


def model_of(graph: onnx.GraphProto) -> onnx.ModelProto:
    """A model that every onnxruntime since 1.18 opens."""
    return helper.make_model(graph, ir_version=10, opset_imports=[helper.make_opsetid("", OPSET)])
