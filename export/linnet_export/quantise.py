"""Weights in 8 bits: files of a quarter of the size, and decoding that waits less for memory.

Products with constant matrices become integer products with a scale per column. What they are multiplied with
is quantised by ranges measured beforehand, so that no sequence changes another's result in a batch, as ranges
measured while running would. A matrix that is both embedding and output layer is kept once. Weights take 7 of
their 8 bits: without VNNI instructions two products of an unsigned and a signed byte may overflow the 16 bits
they are added in (onnxruntime's "reduce range").

Convolutions keep their weights in 8 bits and compute in floats; LSTMs are left to onnxruntime.
"""

import logging
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
from onnx import helper, numpy_helper
from onnxruntime import quantization

Feeds = Mapping[str, np.ndarray]

_SMALLEST = 4096
"""Matrices of fewer numbers stay as they are."""
_LARGEST = 63


def quantise_products(model: onnx.ModelProto, examples: Iterable[Feeds]) -> None:
    """Quantise, in place, a model's constant matrices: those of products, and embeddings.

    Args:
        model: without loops.
        examples: inputs like those it will get, to measure ranges with.
    """
    graph = model.graph
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    flipped = {
        node.output[0]: node.input[0]
        for node in graph.node
        if node.op_type == "Transpose" and node.input[0] in constants
    }

    def matrix_of(node: onnx.NodeProto) -> str:
        return flipped.get(node.input[1], node.input[1]) if node.op_type == "MatMul" else ""

    chosen = [node for node in graph.node if constants.get(matrix_of(node), np.empty(0)).size >= _SMALLEST]
    ranges = _ranges(model, {node.input[0] for node in chosen}, examples)
    shared = {matrix_of(node) for node in chosen if node.input[1] in flipped}
    stored: dict[str, np.ndarray] = {}
    nodes: list[onnx.NodeProto] = []
    for node in graph.node:
        if node in chosen:
            name = matrix_of(node)
            nodes += _product(node, name, constants[name], ranges[node.input[0]], name in shared, stored)
        elif node.op_type == "Gather" and _is_embedding(constants.get(node.input[0])):
            nodes += _rows(node, constants[node.input[0]], stored)
        else:
            nodes.append(node)
    _replace(graph, nodes, stored)


def quantise_convolutions(model: onnx.ModelProto, examples: Iterable[Feeds]) -> None:
    """Keep, in place, the weights of convolutions in 8 bits, a scale for each channel that they make.

    Only the file gets smaller: onnxruntime makes floats of them again as it opens it. Convolutions in
    integers cost a MobileNetV2 that learns captions 7 points of CIDEr, and without VNNI instructions save no
    time. What rounding shifts a channel by on average is taken from its bias (Nagel et al. 2019,
    https://arxiv.org/abs/1906.04721): after a ReLU, which leaves nothing below 0, that is most of the error.

    Args:
        model: without loops; its convolutions have biases.
        examples: inputs like those it will get, to measure averages with.
    """
    graph = model.graph
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    chosen = [
        node
        for node in graph.node
        if node.op_type == "Conv"
        and node.input[1] in constants
        and constants[node.input[1]].size >= _SMALLEST
    ]
    means = _means(model, {node.input[0] for node in chosen}, examples)
    stored: dict[str, np.ndarray] = {}
    nodes: list[onnx.NodeProto] = []
    for node in graph.node:
        if node in chosen:
            x, name, bias = node.input
            weight = constants[name]
            rows, scale = quantised(weight.reshape(len(weight), -1), 127)
            changed = (rows * scale[:, None]).reshape(weight.shape) - weight
            stored[f"{name}.int8"] = rows.reshape(weight.shape)
            stored[f"{name}.scale"] = scale.reshape(-1, *[1] * (weight.ndim - 1))
            stored[f"{name}.bias"] = constants[bias] - _shift(changed, means[x])
            nodes += [
                helper.make_node("Cast", [f"{name}.int8"], [f"{name}.float"], to=onnx.TensorProto.FLOAT),
                helper.make_node("Mul", [f"{name}.float", f"{name}.scale"], [f"{name}.whole"]),
            ]
            node.input[1:] = [f"{name}.whole", f"{name}.bias"]
        nodes.append(node)
    _replace(graph, nodes, stored)


def quantise_lstms(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy of a model whose LSTMs keep their weights in 8 bits, by onnxruntime's own means.

    Ranges of what the weights are multiplied with are measured as the model runs.
    """
    with tempfile.TemporaryDirectory() as folder:
        plain, made = Path(folder) / "plain.onnx", Path(folder) / "made.onnx"
        onnx.save(model, plain)
        logging.disable(logging.WARNING)  # advice on models of another kind
        try:
            quantization.quantize_dynamic(
                plain,
                made,
                op_types_to_quantize=["LSTM"],
                per_channel=True,
                reduce_range=True,
                weight_type=quantization.QuantType.QInt8,
            )
        finally:
            logging.disable(logging.NOTSET)
        return onnx.load(made)


def _replace(graph: onnx.GraphProto, nodes: list[onnx.NodeProto], stored: dict[str, np.ndarray]) -> None:
    """Give a graph other nodes and further constants; what nothing uses any more goes."""
    outputs = {each.name for each in graph.output}
    used = {name for node in nodes for name in node.input} | outputs
    nodes = [node for node in nodes if used & set(node.output)]
    used = {name for node in nodes for name in node.input} | outputs
    kept = [tensor for tensor in graph.initializer if tensor.name in used]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(nodes)
    graph.initializer.extend(kept)
    graph.initializer.extend(numpy_helper.from_array(array, name) for name, array in stored.items())


def _ranges(
    model: onnx.ModelProto, names: set[str], examples: Iterable[Feeds]
) -> dict[str, tuple[float, float]]:
    """Least and greatest value of each named tensor, and 0."""
    ranges = dict.fromkeys(names, (0.0, 0.0))
    for seen in _watched(model, names, examples):
        for name, array in seen.items():
            low, high = ranges[name]
            ranges[name] = min(low, float(array.min())), max(high, float(array.max()))
    return ranges


def _means(model: onnx.ModelProto, names: set[str], examples: Iterable[Feeds]) -> dict[str, np.ndarray]:
    """Mean of each channel of named tensors, (batch, channels, ...)."""
    sums: dict[str, list[np.ndarray]] = {name: [] for name in names}
    for seen in _watched(model, names, examples):
        for name, array in seen.items():
            sums[name].append(array.mean(axis=(0, *range(2, array.ndim))))
    return {name: np.mean(each, axis=0) for name, each in sums.items()}


def _watched(
    model: onnx.ModelProto, names: set[str], examples: Iterable[Feeds]
) -> Iterator[dict[str, np.ndarray]]:
    """The named tensors, for one example after another."""
    if not names:
        return
    inputs = {each.name for each in model.graph.input}
    outputs = {each.name for each in model.graph.output}
    watched = onnx.ModelProto()
    watched.CopyFrom(model)
    for name in sorted(names - outputs - inputs):
        watched.graph.output.add(name=name)
    session = ort.InferenceSession(watched.SerializeToString(), providers=["CPUExecutionProvider"])
    wanted = sorted(names - inputs)
    for feeds in examples:
        # Asked for nothing, a session gives everything.
        seen = dict(zip(wanted, session.run(wanted, dict(feeds)), strict=True)) if wanted else {}
        yield seen | {name: feeds[name] for name in names & inputs}


def _shift(changed: np.ndarray, means: np.ndarray) -> np.ndarray:
    """What a change of a convolution's weights adds to its channels on average.

    Args:
        changed: (channels, inputs of a group, ...).
        means: of all inputs.
    """
    channels, inputs = changed.shape[:2]
    groups = len(means) // inputs
    per_channel = means.reshape(groups, inputs).repeat(channels // groups, axis=0)
    added: np.ndarray = (changed.reshape(channels, inputs, -1).sum(axis=2) * per_channel).sum(axis=1)
    return added.astype(np.float32)


def _product(
    node: onnx.NodeProto,
    name: str,
    matrix: np.ndarray,
    span: tuple[float, float],
    by_rows: bool,
    stored: dict[str, np.ndarray],
) -> list[onnx.NodeProto]:
    """``x @ matrix``, or its transpose where it is stored by rows, in integers."""
    rows, scale = quantised(matrix if by_rows else matrix.T)
    x, y = node.input[0], node.output[0]
    step = max(span[1] - span[0], 1e-6) / 255
    weight = f"{name}.int8"
    stored[weight] = rows if by_rows else np.ascontiguousarray(rows.T)
    stored[f"{y}.x_scale"] = np.array(step, np.float32)
    stored[f"{y}.x_zero"] = np.array(round(-span[0] / step), np.uint8)
    stored[f"{y}.scale"] = (scale * step).astype(np.float32)
    if by_rows:
        stored[f"{name}.scale"] = scale
    nodes = []
    if by_rows:
        nodes.append(helper.make_node("Transpose", [weight], [f"{weight}.T"], perm=[1, 0]))
        weight = f"{weight}.T"
    return [
        *nodes,
        helper.make_node("QuantizeLinear", [x, f"{y}.x_scale", f"{y}.x_zero"], [f"{y}.x"]),
        helper.make_node("MatMulInteger", [f"{y}.x", weight, f"{y}.x_zero"], [f"{y}.sum"]),
        helper.make_node("Cast", [f"{y}.sum"], [f"{y}.float"], to=onnx.TensorProto.FLOAT),
        helper.make_node("Mul", [f"{y}.float", f"{y}.scale"], [y]),
    ]


def _is_embedding(matrix: np.ndarray | None) -> bool:
    return matrix is not None and matrix.ndim == 2 and matrix.dtype == np.float32 and matrix.size >= _SMALLEST


def _rows(node: onnx.NodeProto, matrix: np.ndarray, stored: dict[str, np.ndarray]) -> list[onnx.NodeProto]:
    """Rows of a matrix by number."""
    name, index, y = node.input[0], node.input[1], node.output[0]
    stored[f"{name}.int8"], stored[f"{name}.scale"] = quantised(matrix)
    stored[f"{y}.axis"] = np.array([-1])
    return [
        helper.make_node("Gather", [f"{name}.int8", index], [f"{y}.int8"]),
        helper.make_node("Cast", [f"{y}.int8"], [f"{y}.float"], to=onnx.TensorProto.FLOAT),
        helper.make_node("Gather", [f"{name}.scale", index], [f"{y}.scales"]),
        helper.make_node("Unsqueeze", [f"{y}.scales", f"{y}.axis"], [f"{y}.column"]),
        helper.make_node("Mul", [f"{y}.float", f"{y}.column"], [y]),
    ]


def quantised(rows: np.ndarray, largest: int = _LARGEST) -> tuple[np.ndarray, np.ndarray]:
    """Rows as whole numbers of at most so much, and what each row's are to be multiplied with."""
    scale = np.maximum(np.abs(rows).max(axis=1), 1e-12) / largest
    return np.rint(rows / scale[:, None]).astype(np.int8), scale.astype(np.float32)
