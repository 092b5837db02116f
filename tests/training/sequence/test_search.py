"""Search: held against loops and lists of all sequences that stand here."""

import math
from itertools import product

import numpy as np
import pytest
import torch
from decoders import POSITIONS, begun, sharp

from linnet_training.sequence.decoder import Memory, State
from linnet_training.sequence.search import END, PAD, START, UNKNOWN, beam_search, sample

NEVER = [PAD, START, UNKNOWN]


def gains_of(decoder, memory, state, ids, banned=NEVER):
    """Log-probability of each token of one sequence, given those before it, and where each looked."""
    gains, looked, last = [], [], START
    for token in ids:
        feed, state, attention = decoder.step(torch.tensor([[last]]), state, memory)
        gains.append(torch.log_softmax(decoder.logits(feed), dim=2)[0, 0, token].item())
        looked.append(attention[0, 0])
        last = token
    return gains, torch.stack(looked)


def row_of(memory, state, row):
    part = slice(row, row + 1)
    return Memory(memory.values[part], memory.keys[part], None), State(*(each[part] for each in state))


def bare(tokens):
    """Tokens up to the end and with it."""
    ids = [int(token) for token in tokens]
    return ids[: ids.index(END) + 1] if END in ids else ids


def all_sequences(vocabulary, longest):
    """Everything that can be said: words and an end, or words up to the greatest length."""
    said = range(END + 2, vocabulary)
    for length in range(longest):
        for ids in product(said, repeat=length):
            yield [*ids, END]
    for ids in product(said, repeat=longest):
        yield list(ids)


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("penalty", [0.0, 1.0])
def test_a_beam_of_one_takes_the_likeliest_each_time(layers, penalty):
    lengths = set()
    for seed in range(4):
        decoder = sharp(vocabulary=30, layers=layers, seed=seed)
        decoder.bias[END] += seed
        memory, state = begun(decoder, batch=4)
        found = beam_search(decoder, memory, state, 1, 12, penalty)
        for row in range(4):
            one, now = row_of(memory, state, row)
            ids, total, last = [], 0.0, START
            for _ in range(12):
                feed, now, _ = decoder.step(torch.tensor([[last]]), now, one)
                gain = torch.log_softmax(decoder.logits(feed), dim=2)[0, 0]
                allowed = gain.clone()
                allowed[NEVER] = -torch.inf
                last = int(allowed.argmax())
                ids.append(last)
                total += gain[last].item()
                if last == END:
                    break
            assert bare(found.tokens[row, 0]) == ids
            assert found.scores[row, 0].item() == pytest.approx(total / len(ids) ** penalty, abs=1e-4)
            lengths.add(len(ids))
    assert len(lengths) > 1  # or little was tried


@pytest.mark.parametrize("penalty", [0.0, 0.7, 1.0, 2.0])
@pytest.mark.parametrize("seed", range(3))
def test_a_wide_beam_finds_the_best_of_all(penalty, seed):
    decoder = sharp(vocabulary=6, seed=seed)
    memory, state = begun(decoder, batch=2, seed=seed)
    ranked = []
    for row in range(2):
        one, now = row_of(memory, state, row)
        scored = [
            (sum(gains_of(decoder, one, now, ids)[0]) / len(ids) ** penalty, ids)
            for ids in all_sequences(6, 4)
        ]
        ranked.append(sorted(scored, reverse=True))
    count = len(ranked[0])
    found = beam_search(decoder, memory, state, count, 4, penalty)
    for row in range(2):
        assert bare(found.tokens[row, 0]) == ranked[row][0][1]
        for rank, (score, ids) in enumerate(ranked[row]):
            assert found.scores[row, rank].item() == pytest.approx(score, abs=1e-4)
            if rank + 1 < count and score - ranked[row][rank + 1][0] > 1e-3:
                others = [other for other, _ in ranked[row][:rank]]
                if not others or others[-1] - score > 1e-3:
                    assert bare(found.tokens[row, rank]) == ids


@pytest.mark.parametrize("beam", [1, 2, 5])
@pytest.mark.parametrize("longest", [1, 3, 12])
def test_scores_and_attention_are_those_of_the_sequence(beam, longest):
    decoder = sharp(vocabulary=20)
    memory, state = begun(decoder, batch=3)
    found = beam_search(decoder, memory, state, beam, longest, 0.7)
    assert found.tokens.shape[2] <= longest
    assert found.attention.shape == (*found.tokens.shape, POSITIONS)
    for row in range(3):
        one, now = row_of(memory, state, row)
        for rank in range(beam):
            ids = bare(found.tokens[row, rank])
            gains, looked = gains_of(decoder, one, now, ids)
            assert found.scores[row, rank].item() == pytest.approx(sum(gains) / len(ids) ** 0.7, abs=1e-4)
            torch.testing.assert_close(found.attention[row, rank, : len(ids)], looked)
        assert len({tuple(ids) for ids in found.tokens[row].tolist()}) == beam
        scores = found.scores[row].tolist()
        assert scores == sorted(scores, reverse=True)


def test_what_is_never_said_and_what_comes_after_the_end():
    decoder = sharp(vocabulary=12)
    decoder.bias[NEVER] += 20.0  # it would very much like to
    memory, state = begun(decoder, batch=8)
    for beam in (1, 4):
        found = beam_search(decoder, memory, state, beam, 15, 1.0)
        finished = 0
        for ids in found.tokens.flatten(0, 1).tolist():
            said = bare(ids)
            assert not set(said) & set(NEVER)
            assert set(ids[len(said) :]) <= {PAD}
            finished += said[-1] == END
        assert finished
    decoder.bias[NEVER] -= 20.0
    tokens, _ = sample(decoder, memory, state, 50, 15)
    for ids in tokens.flatten(0, 1).tolist():
        assert not set(bare(ids)) & set(NEVER)
        assert set(ids[len(bare(ids)) :]) <= {PAD}


@pytest.mark.parametrize("beam", [1, 3])
def test_rows_of_a_batch_are_searched_as_if_alone(beam):
    decoder = sharp(vocabulary=20)
    memory, state = begun(decoder, batch=6)
    found = beam_search(decoder, memory, state, beam, 15, 1.0)
    said = set()
    for row in range(6):
        alone = beam_search(decoder, *row_of(memory, state, row), beam, 15, 1.0)
        length = alone.tokens.shape[2]
        for rank in range(beam):
            ids = bare(alone.tokens[0, rank])
            assert bare(found.tokens[row, rank]) == ids
            looked = found.attention[row, rank, : min(len(ids), length)]
            torch.testing.assert_close(looked, alone.attention[0, rank, : len(ids)])
        torch.testing.assert_close(found.scores[row], alone.scores[0])
        said.add(tuple(bare(alone.tokens[0, 0])))
    assert len(said) > 2


def test_a_finished_sequence_keeps_its_place():
    """All but certain to end at once, and going on is dear: the end stays the best, at its score."""
    decoder = sharp(vocabulary=12)
    decoder.bias[END] += 12.0
    memory, state = begun(decoder)
    first, _ = gains_of(decoder, memory, state, [END])
    for longest in (1, 2, 10):
        found = beam_search(decoder, memory, state, 3, longest, 0.0)
        assert bare(found.tokens[0, 0]) == [END]
        assert found.scores[0, 0].item() == pytest.approx(first[0], abs=1e-6)
    assert (found.tokens[0, 0, 1:] == PAD).all()


def test_search_ends_when_all_have_ended():
    decoder = sharp(vocabulary=12)
    decoder.bias[END] += 30.0
    memory, state = begun(decoder, batch=4)
    assert beam_search(decoder, memory, state, 1, 40, 1.0).tokens.shape == (4, 1, 1)
    decoder.bias[END] = -100.0
    assert beam_search(decoder, memory, state, 2, 7, 1.0).tokens.shape == (4, 2, 7)


def test_a_greater_penalty_makes_longer_sequences():
    """Log-probabilities are negative, so dividing by more favours what is long."""
    lengths = []
    for penalty in (0.0, 1.0, 3.0):
        total = 0
        for seed in range(6):
            decoder = sharp(vocabulary=12, seed=seed)
            found = beam_search(decoder, *begun(decoder, batch=4), 5, 15, penalty)
            total += sum(len(bare(ids)) for ids in found.tokens[:, 0].tolist())
        lengths.append(total)
    assert lengths == sorted(lengths)
    assert lengths[0] < lengths[2]


def test_a_beam_wider_than_the_vocabulary():
    decoder = sharp(vocabulary=6)
    memory, state = begun(decoder, batch=2)
    found = beam_search(decoder, memory, state, 32, 3, 1.0)
    # Three things can be said first (the end or a word), and 1 + 2 * (1 + 2 * 3) in all.
    assert torch.isfinite(found.scores).sum(dim=1).tolist() == [15, 15]
    assert not torch.isnan(found.scores).any()


def test_samples_tell_their_probabilities():
    torch.manual_seed(1)
    decoder = sharp(vocabulary=12)
    memory, state = begun(decoder, batch=2)
    tokens, gains = sample(decoder, memory, state, 6, 10)
    assert tokens.shape == gains.shape
    assert len({tuple(ids) for ids in tokens.flatten(0, 1).tolist()}) > 4
    for row in range(2):
        one, now = row_of(memory, state, row)
        for column in range(6):
            ids = bare(tokens[row, column])
            expected, last, here = [], START, now
            for token in ids:
                feed, here, _ = decoder.step(torch.tensor([[last]]), here, one)
                logits = decoder.logits(feed)[0, 0]
                logits[NEVER] = -torch.inf
                expected.append(torch.log_softmax(logits, dim=0)[token])
                last = token
            torch.testing.assert_close(gains[row, column, : len(ids)], torch.stack(expected))
            assert (gains[row, column, len(ids) :] == 0).all()


def test_samples_come_as_often_as_they_are_likely():
    torch.manual_seed(2)
    decoder = sharp(vocabulary=7)
    memory, state = begun(decoder)
    tokens, _ = sample(decoder, memory, state, 4000, 1)
    feed, _, _ = decoder.step(torch.tensor([[START]]), state, memory)
    logits = decoder.logits(feed)[0, 0]
    logits[NEVER] = -torch.inf
    share = torch.bincount(tokens.flatten(), minlength=7) / 4000
    torch.testing.assert_close(share, torch.softmax(logits, dim=0), rtol=0, atol=0.04)


def test_gradients_flow_through_samples():
    torch.manual_seed(3)
    decoder = sharp(vocabulary=12, layers=2, dropout=0.3).train().requires_grad_(True)
    memory, state = begun(decoder, batch=2)
    _, gains = sample(decoder, memory, state, 4, 8)
    gains.sum().backward()
    for name, parameter in decoder.named_parameters():
        assert torch.isfinite(parameter.grad).all(), name
        assert parameter.grad.abs().sum() > 0, name


@pytest.mark.parametrize("masked", [False, True])
def test_what_is_left_out_of_the_memory_costs_the_finished(masked):
    decoder = sharp(vocabulary=6, seed=2)
    mask = torch.tensor([[[0.0, 0.0, 0.0, -1e4, -1e4]]]) if masked else None
    memory, state = begun(decoder, mask=mask)
    scored = []
    for ids in all_sequences(6, 4):
        gains, looked = gains_of(decoder, memory, state, ids)
        score = sum(gains) / len(ids)
        if ids[-1] == END:
            places = looked[:, :3] if masked else looked
            score += 0.3 * sum(math.log(min(max(each, 1e-3), 1)) for each in places.sum(0).tolist())
        scored.append((score, ids))
    scored.sort(reverse=True)
    found = beam_search(decoder, memory, state, len(scored), 4, 1.0, coverage_penalty=0.3)
    assert bare(found.tokens[0, 0]) == scored[0][1]
    np.testing.assert_allclose(found.scores[0], [score for score, _ in scored], atol=1e-4)
    assert scored[0][1] != bare(beam_search(decoder, memory, state, len(scored), 4, 1.0).tokens[0, 0])
