"""Bidirectional LSTMs over sequences of different lengths, which torch's exporter has no form for."""

import numpy as np
import onnx
from torch import nn

from linnet_export.graph import FLOAT, INT64, Graph, model_of, value
from linnet_training.sequence.encoder import BidirectionalEncoder
from linnet_training.sequence.search import PAD


def encoder_model(encoder: BidirectionalEncoder, embedding: nn.Embedding, masked: float) -> onnx.ModelProto:
    """``source`` to ``values``, ``summary`` and ``mask``, as `TranslationNetwork.begin` works them out.

    Args:
        encoder: stacked LSTMs.
        embedding: of the tokens.
        masked: what ``mask`` has at padding, where it is 0 elsewhere.
    """
    g = Graph("encoder_")
    weight = g.constant(embedding.weight.numpy(), "embedding")
    present = g.op("Not", g.op("Equal", "source", PAD))
    lengths = g.op("ReduceSum", g.op("Cast", present, to=onnx.TensorProto.INT32), [1], keepdims=0)
    # The operator wants (length, batch, size).
    x = g.op("Gather", weight, g.op("Transpose", "source", perm=[1, 0]))
    last = ""
    for layer, pair in enumerate(zip(encoder.forwards, encoder.backwards, strict=True)):
        w, r, bias = (g.constant(np.stack(each), f"encoder.{layer}.{name}") for name, each in _weights(pair))
        y, last = g.ops(
            "LSTM", 2, x, w, r, bias, lengths, direction="bidirectional", hidden_size=encoder.hidden
        )
        read = g.op("Reshape", g.op("Transpose", y, perm=[0, 2, 1, 3]), [0, 0, -1])
        x = read if layer == 0 else g.op("Add", x, read)
    g.op("Transpose", x, perm=[1, 0, 2], name="values")
    g.op("Reshape", g.op("Transpose", last, perm=[1, 0, 2]), [0, -1], name="summary")
    g.op("Unsqueeze", g.op("Where", present, 0.0, masked), [1], name="mask")
    outputs = [
        value("values", FLOAT, "batch", "source_length", 2 * encoder.hidden),
        value("summary", FLOAT, "batch", 2 * encoder.hidden),
        value("mask", FLOAT, "batch", 1, "source_length"),
    ]
    graph = g.build("encoder", [value("source", INT64, "batch", "source_length")], outputs)
    return model_of(graph)


def _weights(pair: tuple[nn.Module, ...]) -> list[tuple[str, list[np.ndarray]]]:
    """Of both directions, with torch's order of the gates (input, forget, cell, output) turned to ONNX's."""
    made: dict[str, list[np.ndarray]] = {"w": [], "r": [], "b": []}
    for cell in pair:
        assert isinstance(cell, nn.LSTMCell)
        made["w"].append(_gates(cell.weight_ih.numpy()))
        made["r"].append(_gates(cell.weight_hh.numpy()))
        made["b"].append(np.concatenate([_gates(b.numpy()) for b in (cell.bias_ih, cell.bias_hh)]))
    return list(made.items())


def _gates(rows: np.ndarray) -> np.ndarray:
    admit, forget, new, expose = np.split(rows, 4)
    return np.concatenate((admit, expose, forget, new))
