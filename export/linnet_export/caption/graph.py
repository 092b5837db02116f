"""A trained captioner as one ONNX graph: pixels in, token ids out."""

import copy
import logging
import warnings
from dataclasses import replace

import numpy as np
import onnx
import torch
from torch import Tensor, nn
from torch.export import Dim

from linnet_export.quantise import quantise_convolutions, quantise_products
from linnet_export.search import OPSET, Parts, search_model
from linnet_training.caption.encoder import IMAGE_SIZE
from linnet_training.caption.network import CaptionNetwork
from linnet_training.sequence.decoder import AttentionDecoder, Memory, State
from linnet_training.sequence.search import START, beam_search

_STATES = ("feed", "hidden", "cell")
MOST_WORDS = 20


class Begin(nn.Module):
    """From pictures to what decoding starts from."""

    def __init__(self, network: CaptionNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Args: uint8 (batch, height, width, 3)."""
        memory, state = self.network.begin(self.network.encoder(image))
        return memory.values, memory.keys, *state


class Step(nn.Module):
    """One step of the decoder, with log-probabilities."""

    def __init__(self, decoder: AttentionDecoder) -> None:
        super().__init__()
        self.decoder = decoder

    def forward(
        self, tokens: Tensor, feed: Tensor, hidden: Tensor, cell: Tensor, values: Tensor, keys: Tensor
    ) -> tuple[Tensor, ...]:
        """As `AttentionDecoder.step`."""
        feed, state, attention = self.decoder.step(
            tokens, State(feed, hidden, cell), Memory(values, keys, None)
        )
        return torch.log_softmax(self.decoder.logits(feed), dim=2), *state, attention


def to_onnx(network: CaptionNetwork, pictures: np.ndarray | None = None) -> onnx.ModelProto:
    """The whole graph, without a card.

    Args:
        network: the trained captioner.
        pictures: some of those it learnt from, uint8 (pictures, 224, 224, 3), to quantise to 8 bits by; None
            leaves all in float32.
    """
    network = copy.deepcopy(network).eval().requires_grad_(False)
    parts = _parts(network)
    if pictures is not None:
        examples = [{"image": picture[None]} for picture in pictures]
        steps = _steps(network, pictures)
        quantise_products(parts.begin, examples)
        parts = replace(parts, begin=quantise_convolutions(parts.begin, examples))
        quantise_products(parts.step, steps)
    return search_model(parts)


def _parts(network: CaptionNetwork) -> Parts:
    begin, step = Begin(network).eval(), Step(network.decoder).eval()
    image = torch.zeros(2, IMAGE_SIZE, IMAGE_SIZE, 3, dtype=torch.uint8)
    values, keys, *state = begin(image)
    tokens = torch.ones(2, 3, dtype=torch.long)
    state = [value.expand(-1, 3, -1).contiguous() for value in state]
    batch = {0: Dim.AUTO}
    both = {0: Dim.AUTO, 1: Dim.AUTO}
    return Parts(
        begin=_export(begin, (image,), (batch,), ["image"], ["values", "keys", *_STATES]),
        step=_export(
            step,
            (tokens, *state, values, keys),
            (both, both, both, both, batch, batch),
            ["tokens", *_STATES, "values", "keys"],
            ["gain", *(f"next_{name}" for name in _STATES), "attention"],
        ),
        vocabulary=len(network.decoder.bias),
    )


def _steps(network: CaptionNetwork, pictures: np.ndarray) -> list[dict[str, np.ndarray]]:
    """What the step is fed with while pictures are captioned greedily."""
    features = torch.cat([network.encoder(part) for part in torch.from_numpy(pictures).split(16)])
    memory, state = network.begin(features)
    found = beam_search(network.decoder, memory, state, beam=1, max_length=MOST_WORDS, length_penalty=0.0)
    tokens = torch.full_like(found.tokens[:, :, 0], START)
    fed = []
    for place in range(found.tokens.shape[2]):
        names = ("tokens", *_STATES, "values", "keys")
        fed.append(dict(zip(names, (t.numpy() for t in (tokens, *state, *memory[:2])), strict=True)))
        _, state, _ = network.decoder.step(tokens, state, memory)
        tokens = found.tokens[:, :, place]
    return fed


def _export(
    module: nn.Module,
    given: tuple[Tensor, ...],
    shapes: tuple[dict, ...],
    inputs: list[str],
    outputs: list[str],
) -> onnx.ModelProto:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
        program = torch.onnx.export(
            module,
            given,
            dynamo=True,
            dynamic_shapes=shapes,
            input_names=inputs,
            output_names=outputs,
            opset_version=OPSET,
            verbose=False,
        )
    assert program is not None  # it is without the argument f
    model = program.model_proto
    del model.graph.value_info[:]
    return model
