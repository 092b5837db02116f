"""Batches: all pairs, as often as they weigh, of like lengths, cut anew."""

from collections import Counter
from dataclasses import replace

import pytest
import torch

from linnet_training.sequence.search import END, PAD
from linnet_training.translate.batches import Batches
from linnet_training.translate.recipe import Recipe

RECIPE = Recipe(batch_tokens=200, subword_sampling=0.0)


def rows_of(batches):
    """Every pair of ids in a list, bare of padding."""
    return [
        tuple(tuple(token for token in side[row].tolist() if token != PAD) for side in batch)
        for batch in batches
        for row in range(len(batch.source))
    ]


def test_every_pair_once_with_its_translation(corpus, cutter):
    rows = rows_of(Batches([corpus], cutter, RECIPE, [1]))
    expected = [tuple(tuple(cutter.ids(side)) for side in pair) for pair in corpus.pairs]
    assert Counter(rows) == Counter(expected)
    assert all(row[-1] == END for pair in rows for row in pair)


def test_batches_hold_as_many_tokens_as_they_may_and_little_padding(corpus, cutter):
    batches = Batches([corpus], cutter, RECIPE, [1])
    sizes = [batch.target.numel() for batch in batches]
    assert len(batches) == len(sizes) > 3
    assert max(sizes) <= 200
    assert batches.padding < 0.15
    used = sum(int((side != PAD).sum()) for batch in batches for side in batch)
    taken = sum(side.numel() for batch in batches for side in batch)
    assert batches.padding == pytest.approx(1 - used / taken)


def test_epochs_differ_and_can_be_repeated(corpus, cutter):
    recipe = replace(RECIPE, subword_sampling=0.1)
    one, again, other = (rows_of(Batches([corpus], cutter, recipe, [0, epoch])) for epoch in (1, 1, 2))
    assert one == again
    assert set(one) != set(other)
    words = cutter.pieces.vocabulary
    spelt = {"".join(words[token] for token in source[:-1]) for source, _ in one}
    assert spelt == {"\u2581" + pair.source.replace(" ", "\u2581") for pair in corpus.pairs}


def test_sentences_are_shown_while_they_are_cut(corpus, cutter):
    seen = []

    def shown(sentences):
        for each in sentences:
            seen.append(each)
            yield each

    watched = Batches([corpus], cutter, RECIPE, [1], shown=shown)
    assert rows_of(watched) == rows_of(Batches([corpus], cutter, RECIPE, [1]))
    assert seen == [pair[side] for side in (0, 1) for pair in corpus.pairs]


def test_weights(corpus, cutter):
    half = rows_of(Batches([replace(corpus, weight=0.5)], cutter, RECIPE, [1]))
    assert len(half) == len(set(half)) == round(len(corpus.pairs) / 2)
    more = Counter(rows_of(Batches([replace(corpus, weight=2.25)], cutter, RECIPE, [1])))
    assert set(more.values()) == {2, 3}
    assert sum(more.values()) == 2 * len(corpus.pairs) + round(len(corpus.pairs) / 4)


def test_pairs_that_are_too_long_are_left_out(corpus, cutter):
    rows = rows_of(Batches([corpus], cutter, replace(RECIPE, most_pieces=6), [1]))
    assert 0 < len(rows) < len(corpus.pairs)
    assert max(len(side) for pair in rows for side in pair) == 7


def test_processes_share_an_epoch(corpus, cutter):
    parts = [Batches([corpus], cutter, RECIPE, [1], (rank, 3)) for rank in range(3)]
    assert len({len(part) for part in parts}) == 1
    rows = [row for part in parts for row in rows_of(part)]
    assert len(rows) == len(set(rows))
    assert all(torch.is_tensor(batch.source) for part in parts for batch in part)


def test_a_batch_is_that_of_all_processes_together(corpus, cutter):
    alone = Batches([corpus], cutter, RECIPE, [1])
    parts = [Batches([corpus], cutter, RECIPE, [1], (rank, 4)) for rank in range(4)]
    assert 25 < max(batch.target.numel() for part in parts for batch in part) <= 200 // 4
    assert len(parts[0]) == pytest.approx(len(alone), rel=0.25)
