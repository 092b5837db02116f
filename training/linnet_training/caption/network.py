"""The captioner: a picture encoder and a decoder that attends to its grid."""

import torch
from torch import Tensor, nn

from linnet_training.caption.encoder import CHANNELS, MobileNetV2
from linnet_training.sequence.decoder import AttentionDecoder, Memory, State


class CaptionNetwork(nn.Module):
    """Pictures to what decoding starts from."""

    def __init__(
        self, vocabulary: int, memory: int = 512, hidden: int = 512, output: int = 300, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.encoder = MobileNetV2()
        self.project = nn.Linear(CHANNELS, memory)
        self.dropout = nn.Dropout(dropout)
        self.decoder = AttentionDecoder(vocabulary, memory, hidden, output, dropout=dropout)

    def begin(self, features: Tensor) -> tuple[Memory, State]:
        """Args: features of the encoder, (batch, positions, 1280)."""
        values = torch.relu(self.project(self.dropout(features)))
        return self.decoder.begin(values, values.mean(dim=1))
