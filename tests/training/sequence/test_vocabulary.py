"""Words and their ids."""

from linnet_training.sequence.search import END, UNKNOWN
from linnet_training.sequence.vocabulary import Vocabulary

SAID = [["a", "dog", "runs"], ["a", "dog"], ["a", "cat", "runs"], ["a", "bird"]]


def test_frequent_words_come_first_and_rare_ones_are_left_out():
    vocabulary = Vocabulary.of(SAID, 2)
    assert vocabulary.pieces[:4] == ("", "<start>", "<end>", "<unknown>")
    assert vocabulary.pieces[4:] == ("\u2581a", "\u2581dog", "\u2581runs")
    assert len(vocabulary) == 7
    assert "dog" in vocabulary
    assert "cat" not in vocabulary
    assert Vocabulary.of(reversed(SAID), 2).pieces == vocabulary.pieces
    assert len(Vocabulary.of(SAID, 1)) == 9
    assert len(Vocabulary.of(SAID, 5)) == 4


def test_there_and_back():
    vocabulary = Vocabulary.of(SAID, 2)
    assert vocabulary.encode(["a", "dog", "runs"]) == [4, 5, 6, END]
    assert vocabulary.encode(["a", "cat"]) == [4, UNKNOWN, END]
    assert vocabulary.decode([4, 5, 6, END, 0, 0, 4]) == "a dog runs"
    assert vocabulary.decode([4, 5]) == "a dog"
    assert vocabulary.decode([END]) == ""


def test_words_that_look_like_special_pieces_are_words():
    vocabulary = Vocabulary.of([["<end>", "<unknown>"]], 1)
    assert min(vocabulary.encode(["<end>", "<unknown>"])[:2]) >= 4


def test_pieces_of_words_are_joined():
    vocabulary = Vocabulary(["", "<start>", "<end>", "<unknown>", "\u2581un", "known", "\u2581dog"])
    assert vocabulary.decode([4, 5, 6]) == "unknown dog"
