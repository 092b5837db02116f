"""The decoder's step: what it computes, and what dropout does to it."""

import pytest
import torch
from decoders import MEMORY, POSITIONS, begun, sharp
from torch import nn

from linnet_training.sequence.decoder import AttentionDecoder, State

TOKENS = torch.tensor([[1, 4, 5, 6], [1, 7, 4, 4], [1, 8, 8, 5]])


def widened(state, count):
    return State(*(value.expand(-1, count, -1) for value in state))


@pytest.mark.parametrize("layers", [1, 2])
def test_a_step_is_the_published_one(layers):
    """LSTM cells of torch's own, then Luong's general score, context, and attentional hidden state."""
    decoder = sharp(layers=layers)
    memory, state = begun(decoder, batch=2)
    feed, after, attention = decoder.step(torch.tensor([[4], [5]]), state, memory)
    for row, token in enumerate((4, 5)):
        x = torch.cat((decoder.embedding.weight[token], state.feed[row, 0]))[None]
        hiddens = state.hidden[row, 0].split(8)
        cells = state.cell[row, 0].split(8)
        below = None
        for layer, cell in enumerate(decoder.cells):
            h, c = nn.LSTMCell.forward(cell, x, (hiddens[layer][None], cells[layer][None]))
            torch.testing.assert_close(after.hidden[row, 0].split(8)[layer], h[0])
            torch.testing.assert_close(after.cell[row, 0].split(8)[layer], c[0])
            x = h if below is None else below + h
            below = x
        values = memory.values[row]
        score = decoder.key(values) @ x[0] / 8**0.5
        weight = torch.softmax(score, dim=0)
        torch.testing.assert_close(attention[row, 0], weight)
        context = weight @ values
        torch.testing.assert_close(feed[row, 0], torch.tanh(decoder.combine(torch.cat((x[0], context)))))
        torch.testing.assert_close(after.feed, feed)
        logits = decoder.embedding.weight @ feed[row, 0] + decoder.bias
        torch.testing.assert_close(decoder.logits(feed)[row, 0], logits)


def test_attention_sums_to_one_and_differs():
    decoder = sharp()
    memory, state = begun(decoder, batch=2)
    _, _, attention = decoder.step(torch.tensor([[1, 4], [5, 6]]), widened(state, 2), memory)
    assert attention.shape == (2, 2, POSITIONS)
    torch.testing.assert_close(attention.sum(dim=2), torch.ones(2, 2))
    assert attention.std(dim=2).min() > 0.01


@pytest.mark.parametrize("layers", [1, 2])
def test_sequences_and_rows_do_not_touch_each_other(layers):
    decoder = sharp(layers=layers)
    memory, state = begun(decoder, batch=3)
    feed, after, attention = decoder.step(TOKENS, widened(state, 4), memory)
    for row in range(3):
        for column in range(4):
            one = type(memory)(memory.values[row : row + 1], memory.keys[row : row + 1], None)
            alone = decoder.step(
                TOKENS[row : row + 1, column : column + 1], State(*(s[row : row + 1] for s in state)), one
            )
            torch.testing.assert_close(feed[row, column], alone[0][0, 0])
            torch.testing.assert_close(after.hidden[row, column], alone[1].hidden[0, 0])
            torch.testing.assert_close(attention[row, column], alone[2][0, 0])


def test_padding_of_the_memory_is_not_looked_at():
    decoder = sharp()
    mask = torch.zeros(1, 1, POSITIONS)
    mask[:, :, 3:] = -1e9
    memory, state = begun(decoder, mask=mask)
    values = memory.values.clone()
    values[:, 3:] = 100.0
    other, _ = decoder.begin(values, torch.zeros(1, MEMORY), mask)
    token = torch.tensor([[4]])
    feed, _, attention = decoder.step(token, state, memory)
    torch.testing.assert_close(decoder.step(token, state, other)[0], feed)
    assert attention[0, 0, 3:].max() == 0


def test_dropout_only_in_training():
    decoder = sharp(layers=2, dropout=0.5)
    assert decoder.masks(2, 3) is None
    decoder.train()
    masks = decoder.masks(2, 3)
    assert masks.inputs.shape == (2, 3, 14)
    assert masks.hidden.shape == (2, 3, 16)
    assert set(masks.inputs.unique().tolist()) == {0.0, 2.0}
    assert not torch.equal(masks.inputs[0, 0], masks.inputs[0, 1])  # each sequence has its own
    decoder.dropout = 0.0
    assert decoder.masks(2, 3) is None


def test_dropout_leaves_the_mean_as_it_was():
    torch.manual_seed(1)
    masks = sharp(dropout=0.3).train().masks(50, 50)
    assert masks.inputs.mean() == pytest.approx(1, abs=0.02)
    assert masks.hidden.mean() == pytest.approx(1, abs=0.02)


def test_masks_silence_what_they_cover():
    """The same at every step: an input that is covered never counts, nor does a covered output."""
    decoder = sharp(dropout=0.5).train()
    memory, state = begun(decoder)
    masks = decoder.masks(1, 1)
    dropped = (masks.inputs[0, 0, :7] == 0).nonzero()[:, 0]
    assert 0 < len(dropped) < 7
    feed, _, _ = decoder.step(torch.tensor([[4]]), state, memory, masks)
    decoder.embedding.weight[4, dropped] += 5.0
    torch.testing.assert_close(decoder.step(torch.tensor([[4]]), state, memory, masks)[0], feed)
    plain, _, _ = decoder.step(torch.tensor([[4]]), state, memory)
    assert not torch.allclose(plain, feed)
    covered = masks._replace(hidden=torch.zeros_like(masks.hidden))
    _, after, attention = decoder.step(torch.tensor([[4]]), state, memory, covered)
    torch.testing.assert_close(attention, torch.full_like(attention, 1 / POSITIONS))
    assert after.hidden.abs().max() > 0  # it goes on remembering


def test_gradients_reach_all_that_learns():
    torch.manual_seed(3)
    decoder = AttentionDecoder(9, MEMORY, hidden=8, output=7, layers=2, dropout=0.2).train()
    values = torch.randn(3, POSITIONS, MEMORY, requires_grad=True)
    memory, state = decoder.begin(values, values.mean(dim=1))
    state, masks, total = widened(state, 1), decoder.masks(3, 1), 0
    for place in range(4):
        feed, state, _ = decoder.step(TOKENS[:, place : place + 1], state, memory, masks)
        total = total + torch.log_softmax(decoder.logits(feed), dim=2)[:, :, 2].sum()
    total.backward()
    for name, parameter in decoder.named_parameters():
        assert parameter.grad.abs().sum() > 0, name
    assert (values.grad.abs().sum(dim=2) > 0).all()


def test_it_remembers_at_first():
    cell = AttentionDecoder(9, MEMORY, hidden=8, output=7).cells[0]
    assert (cell.bias_ih[8:16] == 1).all()
    assert cell.bias_ih[:8].max() < 1
