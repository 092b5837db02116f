"""Changes to a tiny model's graph, as functions of the graph: such files are to be refused."""

from __future__ import annotations

from collections.abc import Callable

from onnx import GraphProto

Change = Callable[[GraphProto], None]


def rename(ports: str, old: str, new: str) -> Change:
    """Another name for one of the graph's ``input`` or ``output``."""

    def change(graph: GraphProto) -> None:
        for node in graph.node:
            for names in (node.input, node.output):
                names[:] = [new if name == old else name for name in names]
        next(port for port in getattr(graph, ports) if port.name == old).name = new

    return change


def set_size(ports: str, number: int, dimension: int, size: int) -> Change:
    """Another size of one of the graph's ``input`` or ``output``."""

    def change(graph: GraphProto) -> None:
        getattr(graph, ports)[number].type.tensor_type.shape.dim[dimension].dim_value = size

    return change
