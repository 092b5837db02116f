"""Smaller files: weights stored in half precision, the mel filters without their zeros, stale shapes removed.

Both are standard ONNX that onnxruntime turns into plain float arrays once, when it loads the file; speed and
results in use are those of float32 weights rounded to half precision.
"""

import copy
from typing import TypeVar

import numpy as np
import onnx
from onnx import helper, numpy_helper
from torch import nn

_SMALLEST = 1024
"""Arrays of fewer numbers stay as they are."""
_MOSTLY_ZERO = 0.9
_LEARNT = "network."

Network = TypeVar("Network", bound=nn.Module)


def pack_weights(model: onnx.ModelProto) -> None:
    """Store, in place, large float arrays as float16 behind a Cast, and mostly empty ones sparsely."""
    kept: list[onnx.TensorProto] = []
    nodes: list[onnx.NodeProto] = []
    for tensor in model.graph.initializer:
        array = numpy_helper.to_array(tensor)
        if array.size < _SMALLEST:
            kept.append(tensor)
        elif array.dtype == np.int64 and np.abs(array).max() < 2**15:
            nodes.append(_narrowed(tensor.name, array.astype(np.int16), onnx.TensorProto.INT64, kept))
        elif np.mean(array == 0) > _MOSTLY_ZERO:
            nodes.extend(_scattered(tensor.name, array, kept))
        elif not tensor.name.startswith(_LEARNT):
            kept.append(tensor)  # the front end is exact
        else:
            nodes.append(_narrowed(tensor.name, array.astype(np.float16), onnx.TensorProto.FLOAT, kept))
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept)
    body = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend(nodes + body)


def round_weights(network: Network) -> Network:
    """A copy of a network with its weights rounded as they are in the file, for comparing outputs."""
    rounded = copy.deepcopy(network).eval().requires_grad_(False)
    for value in rounded.state_dict().values():
        if value.numel() >= _SMALLEST:
            value.copy_(value.half().float())
    return rounded


def _narrowed(name: str, narrow: np.ndarray, to: int, kept: list[onnx.TensorProto]) -> onnx.NodeProto:
    kept.append(numpy_helper.from_array(narrow, f"{name}.narrow"))
    return helper.make_node("Cast", [f"{name}.narrow"], [name], to=to)


def _scattered(name: str, array: np.ndarray, kept: list[onnx.TensorProto]) -> list[onnx.NodeProto]:
    """Zeros, then the others put in their places: exact, and a tenth of the bytes."""
    places = np.argwhere(array)
    kept.append(numpy_helper.from_array(np.array(array.shape, np.int64), f"{name}.shape"))
    kept.append(numpy_helper.from_array(places.astype(np.int16), f"{name}.places"))
    kept.append(numpy_helper.from_array(array[tuple(places.T)], f"{name}.values"))
    zero = numpy_helper.from_array(np.zeros(1, np.float32))
    return [
        helper.make_node("ConstantOfShape", [f"{name}.shape"], [f"{name}.zeros"], value=zero),
        helper.make_node("Cast", [f"{name}.places"], [f"{name}.index"], to=onnx.TensorProto.INT64),
        helper.make_node("ScatterND", [f"{name}.zeros", f"{name}.index", f"{name}.values"], [name]),
    ]


def tidy(model: onnx.ModelProto, names: dict[str, tuple[str, ...]]) -> None:
    """Readable dimension names, and none of the exporter's inferred shapes and notes. In place.

    Args:
        model: what the exporter made.
        names: the leading dimension names of some inputs and outputs; all others only get "batch" as their
            first.
    """
    del model.graph.value_info[:]
    model.doc_string = ""
    model.graph.name = "linnet"
    for node in model.graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
    for tensor in model.graph.initializer:
        del tensor.metadata_props[:]
    for value in (*model.graph.input, *model.graph.output):
        del value.metadata_props[:]
        for dimension, name in zip(
            value.type.tensor_type.shape.dim, names.get(value.name, ("batch",)), strict=False
        ):
            dimension.dim_param = name
    del model.metadata_props[:]
    del model.graph.metadata_props[:]
