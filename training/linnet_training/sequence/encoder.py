"""Reading a sequence from both ends: stacked bidirectional LSTMs (Schuster and Paliwal 1997; Graves 2013).

Written out step by step, as the decoder is, so that dropout can stay the same through a sequence (Gal and
Ghahramani 2016, https://arxiv.org/abs/1512.05287) and padding changes nothing.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from linnet_training.sequence.decoder import lstm, remembering, variational_mask


class BidirectionalEncoder(nn.Module):
    """Embedded tokens to what a decoder attends to."""

    def __init__(
        self, size: int, hidden: int, layers: int, dropout: float = 0.0, recurrent_dropout: float = 0.0
    ) -> None:
        """Args: sizes of an embedding and of each direction's LSTM; how many are stacked."""
        super().__init__()
        self.hidden, self.dropout, self.recurrent_dropout = hidden, dropout, recurrent_dropout
        sizes = [size] + [2 * hidden] * (layers - 1)
        self.forwards = nn.ModuleList(remembering(nn.LSTMCell(each, hidden)) for each in sizes)
        self.backwards = nn.ModuleList(remembering(nn.LSTMCell(each, hidden)) for each in sizes)

    def forward(self, x: Tensor, present: Tensor) -> tuple[Tensor, Tensor]:
        """Read sequences.

        Args:
            x: embedded tokens, (batch, length, size).
            present: False at padding, (batch, length).

        Returns:
            What stands at each place, (batch, length, 2 * hidden), 0 at padding; and the last state of either
            direction in the uppermost layer, (batch, 2 * hidden).
        """
        for layer, (ahead, back) in enumerate(zip(self.forwards, self.backwards, strict=True)):
            given = x * self._mask(x, self.dropout, x.shape[2])
            y, last = self._read(ahead, given, present)
            reverse, first = self._read(back, given.flip(1), present.flip(1))
            read = torch.cat((y, reverse.flip(1)), dim=2)
            x = read if layer == 0 else x + read
        return x, torch.cat((last, first), dim=1)

    def _read(self, cell: nn.Module, x: Tensor, present: Tensor) -> tuple[Tensor, Tensor]:
        """One direction of one layer, from the first place to the last."""
        assert isinstance(cell, nn.LSTMCell)
        gates = linear(x, cell.weight_ih, cell.bias_ih).unbind(1)
        there = present[:, :, None].to(x.dtype).unbind(1)
        mask = self._mask(x, self.recurrent_dropout, self.hidden)[:, 0]
        h = c = x.new_zeros(x.shape[0], self.hidden)
        read = []
        for gate, here in zip(gates, there, strict=True):
            new, cell_state = lstm(gate + linear(h * mask, cell.weight_hh, cell.bias_hh), c)
            # At padding nothing changes, so the last state is that of the last token.
            h, c = here * new + (1 - here) * h, here * cell_state + (1 - here) * c
            read.append(here * new)
        return torch.stack(read, dim=1), h

    def _mask(self, like: Tensor, dropout: float, size: int) -> Tensor:
        return variational_mask(like, dropout if self.training else 0.0, like.shape[0], 1, size)
