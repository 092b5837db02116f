"""Pieces of words."""

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


def test_other_cuts_of_the_same_words(cutter, pairs):
    texts = [pair.source for pair in pairs[:30]]
    assert cutter.drawn(texts, 0.0, 1) == [cutter.ids(text) for text in texts]
    drawn = cutter.drawn(texts, 0.1, 1)
    assert drawn != cutter.drawn(texts, 0.0, 1)
    assert drawn == cutter.drawn(texts, 0.1, 1)
    for ids, text in zip(drawn, texts, strict=True):
        assert text_of([cutter.pieces.vocabulary[token] for token in ids[:-1]]) == text


def test_no_text():
    with pytest.raises(DataError, match="so little text"):
        learn_pieces([""], 300)
