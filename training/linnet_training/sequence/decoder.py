"""The decoder that captioning and translation share: LSTMs that attend to a memory, one token at a time.

Attention comes after the recurrence and its result is fed to the next step: Luong et al. 2015, "Effective
Approaches to Attention-based Neural Machine Translation", https://arxiv.org/abs/1508.04025, with the general
score. Over a grid of picture features it is the soft attention of Xu et al. 2015, "Show, Attend and Tell",
https://arxiv.org/abs/1502.03044.

Several sequences are decoded from each memory at once (captions of one picture, beams, samples), so all
that belongs to a sequence is (batch, sequences, ...), while keys and memory are held once per batch row.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn


class State(NamedTuple):
    """What a sequence takes from one step to the next."""

    feed: Tensor
    """The attentional hidden state, (batch, sequences, output)."""
    hidden: Tensor
    """(batch, sequences, layers * hidden)."""
    cell: Tensor
    """(batch, sequences, layers * hidden)."""


class Memory(NamedTuple):
    """What is attended to."""

    values: Tensor
    """(batch, positions, memory)."""
    keys: Tensor
    """(batch, hidden, positions), as the product with it wants them."""
    mask: Tensor | None
    """(batch, 1, positions): 0 where there is something, a large negative number at padding."""


class Masks(NamedTuple):
    """Dropout that stays the same through a sequence (Gal and Ghahramani 2016, arXiv:1512.05287)."""

    inputs: Tensor
    """(batch, sequences, embedding + output)."""
    hidden: Tensor
    """(batch, sequences, layers * hidden)."""


class AttentionDecoder(nn.Module):
    """One step function for teacher forcing, sampling, greedy and beam search."""

    def __init__(
        self, vocabulary: int, memory: int, hidden: int, output: int, layers: int = 1, dropout: float = 0.0
    ) -> None:
        """Args: sizes of vocabulary, memory position, each LSTM, and of the embedding, tied to the output."""
        super().__init__()
        self.hidden, self.output, self.layers, self.dropout = hidden, output, layers, dropout
        self.embedding = nn.Embedding(vocabulary, output)
        self.cells = nn.ModuleList(
            nn.LSTMCell(2 * output if layer == 0 else hidden, hidden) for layer in range(layers)
        )
        self.begin_hidden = nn.Linear(memory, layers * hidden)
        self.begin_cell = nn.Linear(memory, layers * hidden)
        self.key = nn.Linear(memory, hidden, bias=False)
        self.combine = nn.Linear(hidden + memory, output)
        self.bias = nn.Parameter(torch.zeros(vocabulary))
        nn.init.normal_(self.embedding.weight, std=output**-0.5)
        for cell in self.cells:
            assert isinstance(cell, nn.LSTMCell)
            with torch.no_grad():
                cell.bias_ih[hidden : 2 * hidden] = 1.0  # remember at first

    def begin(self, values: Tensor, summary: Tensor, mask: Tensor | None = None) -> tuple[Memory, State]:
        """What decoding starts from, for one sequence per memory.

        Args:
            values: (batch, positions, memory).
            summary: (batch, memory), what the first state is made of.
            mask: as in `Memory`.
        """
        summary = summary[:, None]
        state = State(
            feed=values.new_zeros(values.shape[0], 1, self.output),
            hidden=torch.tanh(self.begin_hidden(summary)),
            cell=self.begin_cell(summary),
        )
        return Memory(values, self.key(values).transpose(1, 2), mask), state

    def masks(self, batch: int, sequences: int) -> Masks | None:
        """Dropout masks for whole sequences; None when not training."""
        if not self.training or self.dropout == 0:
            return None
        keep = 1 - self.dropout
        ones = self.bias.new_ones(batch, sequences, 2 * self.output + self.layers * self.hidden)
        drawn = torch.bernoulli(ones * keep) / keep
        return Masks(*drawn.split([2 * self.output, self.layers * self.hidden], dim=2))

    def step(
        self, tokens: Tensor, state: State, memory: Memory, masks: Masks | None = None
    ) -> tuple[Tensor, State, Tensor]:
        """Advance every sequence by one token.

        Args:
            tokens: the last token of each, (batch, sequences).
            state: before it.
            memory: what is attended to.
            masks: dropout, in training.

        Returns:
            The attentional hidden state of `logits`, (batch, sequences, output); the next state; attention,
            (batch, sequences, positions), each row of which sums to 1.
        """
        x = torch.cat((self.embedding(tokens), state.feed), dim=2)
        if masks is not None:
            x = x * masks.inputs
        hiddens, cells = [], []
        for layer, cell in enumerate(self.cells):
            assert isinstance(cell, nn.LSTMCell)
            part = slice(layer * self.hidden, (layer + 1) * self.hidden)
            h, c = _lstm(cell, x, state.hidden[:, :, part], state.cell[:, :, part])
            hiddens.append(h)
            cells.append(c)
            y = h if masks is None else h * masks.hidden[:, :, part]
            x = y if layer == 0 else x + y
        score = torch.matmul(x, memory.keys) * self.hidden**-0.5
        if memory.mask is not None:
            score = score + memory.mask
        attention = torch.softmax(score, dim=2)
        context = torch.matmul(attention, memory.values)
        feed = torch.tanh(self.combine(torch.cat((x, context), dim=2)))
        return feed, State(feed, torch.cat(hiddens, dim=2), torch.cat(cells, dim=2)), attention

    def logits(self, feed: Tensor) -> Tensor:
        """Scores of every token, before softmax: (..., vocabulary)."""
        return nn.functional.linear(feed, self.embedding.weight, self.bias)


def _lstm(cell: nn.LSTMCell, x: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
    """`cell` over sequences; written out because this is what is exported."""
    gates = nn.functional.linear(x, cell.weight_ih, cell.bias_ih) + nn.functional.linear(
        h, cell.weight_hh, cell.bias_hh
    )
    admit, forget, new, expose = gates.chunk(4, dim=2)
    c = torch.sigmoid(forget) * c + torch.sigmoid(admit) * torch.tanh(new)
    return torch.sigmoid(expose) * torch.tanh(c), c
