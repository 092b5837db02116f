"""The encoder that reads from both ends: held against torch's own LSTM."""

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from linnet_training.sequence.encoder import BidirectionalEncoder

LENGTHS = torch.tensor([7, 4, 1])


@pytest.fixture
def given():
    """Three sequences of different lengths, with whatever stands at padding."""
    torch.manual_seed(2)
    return torch.randn(3, 7, 5), torch.arange(7)[None] < LENGTHS[:, None]


def torch_s_own(encoder, layer, x):
    """What `nn.LSTM` with the weights of one layer makes of sequences, and its last states."""
    theirs = nn.LSTM(x.shape[2], encoder.hidden, bidirectional=True, batch_first=True)
    with torch.no_grad():
        for end, cells in (("", encoder.forwards), ("_reverse", encoder.backwards)):
            for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
                getattr(theirs, f"{name}_l0{end}").copy_(getattr(cells[layer], name))
    packed = pack_padded_sequence(x, LENGTHS, batch_first=True, enforce_sorted=False)
    read, (last, _) = theirs(packed)
    return pad_packed_sequence(read, batch_first=True)[0], torch.cat((last[0], last[1]), dim=1)


def test_each_layer_is_torch_s_lstm_and_adds_to_the_one_below(given):
    x, present = given
    encoder = BidirectionalEncoder(5, hidden=6, layers=2).eval()
    values, summary = encoder(x, present)
    below, _ = torch_s_own(encoder, 0, x)
    above, last = torch_s_own(encoder, 1, below)
    torch.testing.assert_close(values, below + above)
    torch.testing.assert_close(summary, last)
    assert (values[~present] == 0).all()


def test_what_stands_at_padding_changes_nothing(given):
    x, present = given
    encoder = BidirectionalEncoder(5, hidden=6, layers=2).eval()
    values, summary = encoder(x, present)
    other = torch.where(present[:, :, None], x, 100.0)
    for one, two in zip((values, summary), encoder(other, present), strict=True):
        torch.testing.assert_close(one, two)
    alone, end = encoder(x[1:2, :4], present[1:2, :4])
    torch.testing.assert_close(alone[0], values[1, :4])
    torch.testing.assert_close(end[0], summary[1])


def test_dropout_is_the_same_at_every_place(given):
    x = torch.ones(3, 7, 5)
    encoder = BidirectionalEncoder(5, hidden=6, layers=1, dropout=0.5)
    torch.manual_seed(4)
    masks = encoder._mask(x, 0.5, 5)
    assert masks.shape == (3, 1, 5)
    assert set(masks.unique().tolist()) == {0.0, 2.0}
    present = given[1]
    assert not torch.equal(encoder(x, present)[0], encoder(x, present)[0])
    encoder.eval()
    assert torch.equal(encoder(x, present)[0], encoder(x, present)[0])
