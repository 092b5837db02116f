"""CIDEr-D as a reward: by hand, against pycocoevalcap, and at the edges."""

import math

import numpy as np
import pytest

from linnet_training.caption.cider import CiderReward

END = 2


def corpus(random, photographs=60, vocabulary=40):
    """Captions that share many n-grams, one to six of each photograph."""
    common = random.integers(3, vocabulary, (20, 30))
    return [
        [
            [*common[random.integers(20)][start : start + random.integers(1, 14)].tolist(), END]
            for start in random.integers(0, 16, random.integers(1, 7))
        ]
        for _ in range(photographs)
    ]


def official(captions, hypotheses):
    """What pycocoevalcap says, of one hypothesis for each photograph."""
    cider = pytest.importorskip("pycocoevalcap.cider.cider").Cider()
    text = [[" ".join(map(str, caption)) for caption in references] for references in captions]
    of = [[" ".join(map(str, hypothesis))] for hypothesis in hypotheses]
    return cider.compute_score(dict(enumerate(text)), dict(enumerate(of)))[1]


def test_a_tiny_corpus_worked_out_by_hand():
    """Two photographs: every n-gram but (7) is of one of them, so idf = ln 2, and 0 for (7)."""
    reward = CiderReward([[[5, 6, 7]], [[7, 8]]])
    same, shorter, other, longer = reward.scores([0, 0, 0, 0], [[5, 6, 7], [5, 6], [7, 8], [5, 6, 7, 9]])
    # Three of the four n-gram lengths: there are no 4-grams.
    assert same == pytest.approx(10 * 3 / 4)
    # Words: (5, 6) of (5, 6), as 7 counts for nothing. Pairs: one of two, so 1 / sqrt(2). One pair less.
    assert shorter == pytest.approx(10 / 4 * (1 + 1 / math.sqrt(2)) * math.exp(-1 / 72))
    assert other == 0
    # Words: 2 / sqrt(2 * 3). Pairs: 2 / sqrt(2 * 3). Triples: 1 / sqrt(1 * 2).
    assert longer == pytest.approx(10 / 4 * (4 / math.sqrt(6) + 1 / math.sqrt(2)) * math.exp(-1 / 72))


def test_it_is_what_pycocoevalcap_says(random):
    captions = corpus(random)
    hypotheses = [list(captions[random.integers(60)][0]) for _ in captions]
    for hypothesis in hypotheses[::2]:
        hypothesis[random.integers(len(hypothesis))] = int(random.integers(3, 60))  # some are in no caption
    hypotheses[:4] = [[], [END], [3, END], captions[3][0] * 3]
    scores = CiderReward(captions).scores(np.arange(60), hypotheses)
    assert scores == pytest.approx(official(captions, hypotheses), abs=1e-9)
    assert 0.1 < scores.mean() < 5


def test_a_batch_is_each_alone(random):
    captions = corpus(random)
    reward = CiderReward(captions)
    photographs = random.integers(0, 60, 50)
    hypotheses = [captions[random.integers(60)][-1] for _ in photographs]
    together = reward.scores(photographs, hypotheses)
    alone = [
        reward.scores([i], [hypothesis])[0] for i, hypothesis in zip(photographs, hypotheses, strict=True)
    ]
    assert together == pytest.approx(alone, abs=1e-12)


def test_a_caption_that_breaks_off_is_worth_less_with_the_end_token():
    whole = [[5, 6, 7, 8, END]]
    reward = CiderReward([whole, [[9, 10, 11, 12, 13, END]]])
    full, cut = reward.scores([0, 0], [[5, 6, 7, 8, END], [5, 6, 7, 8]])
    assert full > 1.1 * cut


def test_nothing_gives_nothing():
    assert CiderReward([[[5]]]).scores([], []).shape == (0,)
    assert CiderReward([[[5]], [[]]]).scores([0, 1], [[], [5]]).tolist() == [0, 0]


def test_the_largest_token_ids_are_told_apart():
    reward = CiderReward([[[65534, 65533, 65534, 65534]], [[65533]], [[0, 0, 0, 0]]])
    assert reward.scores([0, 2], [[65534, 65533, 65534, 65534], [0, 0, 0, 0]]) == pytest.approx([10, 10])
    assert reward.scores([0, 1], [[0], [65534]]).tolist() == [0, 0]


def test_misuse_is_refused():
    with pytest.raises(ValueError, match="needs a caption"):
        CiderReward([[[5]], []])
    with pytest.raises(ValueError, match="needs a caption"):
        CiderReward([])
    with pytest.raises(ValueError, match="no caption has a token"):
        CiderReward([[[]], [[]]])
    reward = CiderReward([[[5]], [[6]]])
    with pytest.raises(ValueError, match="0 to 65534"):
        reward.scores([0], [[65535]])
    with pytest.raises(ValueError, match="0 to 65534"):
        reward.scores([0], [[-1]])
    with pytest.raises(ValueError, match="1 photographs for 2"):
        reward.scores([0], [[5], [5]])
    with pytest.raises(IndexError, match="0 to 1"):
        reward.scores([2], [[5]])
