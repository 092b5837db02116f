"""The translator: an encoder that reads a sentence from both ends and a decoder that attends to it.

Bahdanau et al. 2015, "Neural Machine Translation by Jointly Learning to Align and Translate",
https://arxiv.org/abs/1409.0473, with the attention of Luong et al. 2015. Both languages share one embedding,
which is the output layer too (Press and Wolf 2017, https://arxiv.org/abs/1608.05859).
"""

import torch
from torch import Tensor, nn

from linnet_training.sequence.decoder import AttentionDecoder, Memory, State
from linnet_training.sequence.encoder import BidirectionalEncoder
from linnet_training.sequence.search import PAD

MASKED = -1e4
"""Added to the score of padding: nothing is left of it, in half precision too."""
_EMBEDDED = 0.25
"""Standard deviation of what pieces are embedded as, at first."""


class TranslationNetwork(nn.Module):
    """Sentences, as ids of pieces, to what decoding starts from."""

    def __init__(
        self,
        vocabulary: int,
        output: int,
        encoder_hidden: int,
        encoder_layers: int,
        hidden: int,
        layers: int,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
    ) -> None:
        """Args: as of `AttentionDecoder` and `BidirectionalEncoder`."""
        super().__init__()
        self.encoder = BidirectionalEncoder(
            output, encoder_hidden, encoder_layers, dropout, recurrent_dropout
        )
        self.dropout = nn.Dropout(dropout)
        self.decoder = AttentionDecoder(
            vocabulary, 2 * encoder_hidden, hidden, output, layers, dropout, recurrent_dropout
        )
        # So that pieces can be told apart from the first step on: 3.2 in place of 4.1 nats a piece on dev
        # sentences after 300,000 pieces.
        nn.init.normal_(self.decoder.embedding.weight, std=_EMBEDDED)

    def begin(self, source: Tensor) -> tuple[Memory, State]:
        """Args: ids, (batch, length), each sentence with its end, then `PAD`."""
        present = source != PAD
        values, summary = self.encoder(self.decoder.embedding(source), present)
        mask = torch.where(present, 0.0, MASKED).to(values.dtype)[:, None]
        return self.decoder.begin(values, summary, mask)
