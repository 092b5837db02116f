"""A trained captioner as one ONNX graph: pixels in, token ids out."""

import copy

import numpy as np
import onnx
import torch
from torch import Tensor, nn

from linnet.card import CaptionSettings
from linnet_export.decoder import STATES, greedy_steps, step_model
from linnet_export.exporter import exported
from linnet_export.quantise import quantise_convolutions, quantise_products
from linnet_export.search import Parts, search_model
from linnet_training.caption.encoder import IMAGE_SIZE
from linnet_training.caption.network import CaptionNetwork
from linnet_training.sequence.decoder import Memory, State

_WORDS = 20  # of a caption that ranges are measured with


class _Begin(nn.Module):
    """From pictures to what decoding starts from."""

    def __init__(self, network: CaptionNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Args: uint8 (batch, height, width, 3)."""
        memory, state = self.network.begin(self.network.encoder(image))
        return memory.values, memory.keys, *state


def to_onnx(network: CaptionNetwork, pictures: np.ndarray | None = None) -> onnx.ModelProto:
    """The whole graph, without a card.

    Args:
        network: the trained captioner.
        pictures: some of those it learnt from, uint8 (pictures, 224, 224, 3), to quantise to 8 bits by; None
            leaves all in float32.
    """
    network = copy.deepcopy(network).eval().requires_grad_(False)
    parts = parts_of(network)
    if pictures is not None:
        examples = [{"image": picture[None]} for picture in pictures]
        steps = greedy_steps(network.decoder, *_begun(network, pictures), _WORDS)
        quantise_products(parts.begin, examples)
        quantise_convolutions(parts.begin, examples)
        quantise_products(parts.step, steps)
    return search_model(parts)


def parts_of(network: CaptionNetwork) -> Parts:
    """What is before the search, and one step of it; the network must be in evaluation mode."""
    image = torch.zeros(2, IMAGE_SIZE, IMAGE_SIZE, 3, dtype=torch.uint8)
    return Parts(
        begin=exported(_Begin(network), {"image": image}, {"image": (0,)}, ["values", "keys", *STATES]),
        step=step_model(network.decoder, *network.begin(network.encoder(image))),
        vocabulary=len(network.decoder.bias),
        most_steps=CaptionSettings.longest,
    )


def _begun(network: CaptionNetwork, pictures: np.ndarray) -> tuple[Memory, State]:
    features = torch.cat([network.encoder(part) for part in torch.from_numpy(pictures).split(16)])
    return network.begin(features)
