"""Pieces of words."""

import subprocess
import sys
from collections import Counter

import numpy as np
import pytest

from linnet.errors import DataError
from linnet.search import text_of
from linnet_training.sequence.search import END
from linnet_training.translate.pieces import learn_pieces


def test_the_same_text_gives_the_same_model_which_the_runtime_reads(pairs, sentencepiece_model, cutter):
    again = learn_pieces((side for pair in pairs for side in pair), 400)
    assert again == sentencepiece_model
    assert len(cutter) <= 400
    for pair in pairs[:20]:
        ids = cutter.ids(pair.source)
        assert ids[-1] == END
        assert text_of([cutter.pieces.vocabulary[token] for token in ids[:-1]]) == pair.source


def test_any_character_can_be_written(cutter):
    for text in ("Ölçü", "中文", "\U0001f600!"):
        ids = cutter.ids(text)
        assert text_of([cutter.pieces.vocabulary[token] for token in ids[:-1]]) == text


DRAW = """
import sys, numpy
from pathlib import Path
from linnet_training.translate.pieces import Cutter
print(Cutter(Path(sys.argv[1]).read_bytes()).drawn(sys.argv[2:], 0.1, numpy.random.default_rng(1)))
"""


def test_other_cuts_of_the_same_words(cutter, pairs, sentencepiece_model, tmp_path):
    texts = [pair.source for pair in pairs[:30]]
    surest = [cutter.ids(text) for text in texts]
    assert cutter.drawn(texts, 0.0, np.random.default_rng(1)) == surest
    drawn = cutter.drawn(texts, 0.1, np.random.default_rng(1))
    assert drawn != surest
    assert drawn != cutter.drawn(texts, 0.1, np.random.default_rng(2))
    for ids, text in zip(drawn, texts, strict=True):
        assert text_of([cutter.pieces.vocabulary[token] for token in ids[:-1]]) == text
    (tmp_path / "pieces.model").write_bytes(sentencepiece_model)
    command = [sys.executable, "-c", DRAW, tmp_path / "pieces.model", *texts]
    another = subprocess.run(command, check=True, capture_output=True, text=True)
    assert another.stdout.strip() == str(drawn)


def test_likelier_cuts_are_drawn_more_often(cutter, pairs):
    texts = [pairs[0].source] * 300
    shares = [
        Counter(map(tuple, cutter.drawn(texts, alpha, np.random.default_rng(1)))).most_common(1)[0]
        for alpha in (0.1, 1.0)
    ]
    assert [list(cut) for cut, _ in shares][1] == cutter.ids(texts[0])
    assert shares[0][1] < shares[1][1]


def test_no_text():
    with pytest.raises(DataError, match="so little text"):
        learn_pieces([""], 300)
