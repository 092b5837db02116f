"""A trained translator as one ONNX graph: ids of pieces in, ids of pieces out."""

import copy
from collections.abc import Sequence
from dataclasses import replace

import onnx
import torch
from torch import Tensor, nn

from linnet.card import TranslateSettings
from linnet_export.decoder import STATES, greedy_steps, step_model
from linnet_export.encoder import encoder_model
from linnet_export.exporter import exported
from linnet_export.graph import FLOAT, INT64, Graph, model_of, value
from linnet_export.quantise import quantise_lstms, quantise_products
from linnet_export.search import Parts, search_model
from linnet_training.sequence.decoder import AttentionDecoder
from linnet_training.translate.batches import padded
from linnet_training.translate.network import MASKED, TranslationNetwork


class _Begin(nn.Module):
    """From what the encoder read to what decoding starts from."""

    def __init__(self, decoder: AttentionDecoder) -> None:
        super().__init__()
        self.decoder = decoder

    def forward(self, values: Tensor, summary: Tensor) -> tuple[Tensor, ...]:
        """As `AttentionDecoder.begin`."""
        memory, state = self.decoder.begin(values, summary)
        return memory.keys, *state


def to_onnx(network: TranslationNetwork, sentences: Sequence[Sequence[int]] = ()) -> onnx.ModelProto:
    """The whole graph, without a card.

    Args:
        network: the trained translator.
        sentences: some of those it learnt from, as ids with their ends, to quantise to 8 bits by; none leave
            all in float32.
    """
    network = copy.deepcopy(network).eval().requires_grad_(False)
    parts = parts_of(network)
    if sentences:
        source = padded(sentences)
        steps = greedy_steps(network.decoder, *network.begin(source), source.shape[1])
        quantise_products(parts.begin, [{"source": source.numpy()}])
        quantise_products(parts.step, steps)
        parts = replace(parts, begin=quantise_lstms(parts.begin))
    return search_model(parts)


def parts_of(network: TranslationNetwork) -> Parts:
    """What is before the search, and one step of it; the network must be in evaluation mode."""
    source = torch.tensor([[4, 5, 6, 2], [4, 2, 0, 0]])
    memory, state = network.begin(source)
    return Parts(
        begin=_begin_model(network, memory.values),
        step=step_model(network.decoder, memory, state),
        vocabulary=len(network.decoder.bias),
        most_steps=TranslateSettings.longest,
        covers=True,
    )


def _begin_model(network: TranslationNetwork, values: Tensor) -> onnx.ModelProto:
    """The encoder, and the decoder's beginning after it."""
    begin = exported(
        _Begin(network.decoder),
        {"values": values, "summary": values[:, 0].contiguous()},
        {"values": (0, 1), "summary": (0,)},
        ["keys", *STATES],
    )
    encoder = encoder_model(network.encoder, network.decoder.embedding, MASKED)
    g = Graph("begin_")
    source = value("source", INT64, "batch", "source_length")
    read = g.inline(encoder, {"source": "source"})
    made = read | g.inline(begin, {name: read[name] for name in ("values", "summary")})
    outputs = [
        onnx.helper.make_tensor_value_info(g.op("Identity", made[name], name=name), FLOAT, None)
        for name in ("values", "mask", "keys", *STATES)
    ]
    graph = g.build("begin", [source], outputs)
    return model_of(graph)
