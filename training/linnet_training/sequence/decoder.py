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
from torch.nn.functional import linear


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
    """Of what the LSTMs give to what is above them, (batch, sequences, layers * hidden)."""
    recurrent: Tensor
    """Of what they give to their next step, alike."""


class AttentionDecoder(nn.Module):
    """One step function for teacher forcing, sampling, greedy and beam search."""

    def __init__(
        self,
        vocabulary: int,
        memory: int,
        hidden: int,
        output: int,
        layers: int = 1,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
    ) -> None:
        """Args: sizes of vocabulary, memory position, each LSTM, and of the embedding, tied to the output."""
        super().__init__()
        self.hidden, self.output, self.layers = hidden, output, layers
        self.dropout, self.recurrent_dropout = dropout, recurrent_dropout
        self.embedding = nn.Embedding(vocabulary, output)
        self.cells = nn.ModuleList(
            remembering(nn.LSTMCell(2 * output if layer == 0 else hidden, hidden)) for layer in range(layers)
        )
        self.begin_hidden = nn.Linear(memory, layers * hidden)
        self.begin_cell = nn.Linear(memory, layers * hidden)
        self.begin_feed = nn.Linear(memory, output)
        self.key = nn.Linear(memory, hidden, bias=False)
        self.combine = nn.Linear(hidden + memory, output)
        self.bias = nn.Parameter(torch.zeros(vocabulary))
        nn.init.normal_(self.embedding.weight, std=output**-0.5)

    def begin(self, values: Tensor, summary: Tensor, mask: Tensor | None = None) -> tuple[Memory, State]:
        """What decoding starts from, for one sequence per memory.

        Args:
            values: (batch, positions, memory).
            summary: (batch, memory), what the first state is made of. The `logits` of its ``feed`` can be
                taught to say which tokens there will be (Ma et al. 2018, https://arxiv.org/abs/1805.04871).
            mask: as in `Memory`.
        """
        summary = summary[:, None]
        state = State(
            feed=torch.tanh(self.begin_feed(summary)),
            hidden=torch.tanh(self.begin_hidden(summary)),
            cell=self.begin_cell(summary),
        )
        return Memory(values, self.key(values).transpose(1, 2), mask), state

    def masks(self, batch: int, sequences: int) -> Masks | None:
        """Dropout masks for whole sequences; None when not training."""
        if not (self.training and (self.dropout or self.recurrent_dropout)):
            return None
        hidden = self.layers * self.hidden
        like = self.bias
        return Masks(
            variational_mask(like, self.dropout, batch, sequences, 2 * self.output),
            variational_mask(like, self.dropout, batch, sequences, hidden),
            variational_mask(like, self.recurrent_dropout, batch, sequences, hidden),
        )

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
            before = state.hidden[:, :, part]
            if masks is not None:
                before = before * masks.recurrent[:, :, part]
            gates = linear(x, cell.weight_ih, cell.bias_ih) + linear(before, cell.weight_hh, cell.bias_hh)
            h, c = lstm(gates, state.cell[:, :, part])
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
        return linear(feed, self.embedding.weight, self.bias)


def variational_mask(like: Tensor, dropout: float, *shape: int) -> Tensor:
    """Ones, of which a share is 0 and the others are larger by as much; a single 1 where none is dropped."""
    if dropout == 0:
        return like.new_ones([1] * len(shape)).expand(*shape)
    return torch.bernoulli(like.new_full(shape, 1 - dropout)) / (1 - dropout)


def remembering(cell: nn.LSTMCell) -> nn.LSTMCell:
    """The cell, with a forget gate that is open at first (Jozefowicz et al. 2015)."""
    with torch.no_grad():
        cell.bias_ih[cell.hidden_size : 2 * cell.hidden_size] = 1.0
    return cell


def lstm(gates: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
    """From what goes into the gates, (..., 4 * hidden), and the cell to the next hidden state and cell."""
    admit, forget, new, expose = gates.chunk(4, dim=-1)
    c = torch.sigmoid(forget) * c + torch.sigmoid(admit) * torch.tanh(new)
    return torch.sigmoid(expose) * torch.tanh(c), c
