"""What the tests of translation share: a made-up language that is English backwards, word by word."""

import pytest

from linnet_training.translate.data import Corpus, Pair
from linnet_training.translate.pieces import Cutter, learn_pieces

WORDS = (
    "the",
    "a",
    "big",
    "small",
    "red",
    "old",
    "dog",
    "cat",
    "man",
    "woman",
    "child",
    "bird",
    "sees",
    "likes",
)
WORDS += ("hears", "runs", "sleeps", "and")


def sentence(number):
    """One of many thousand."""
    chosen = []
    for place in range(3 + number % 5):
        chosen.append(WORDS[(number // (place + 1) + 7 * place) % len(WORDS)])
    return " ".join(chosen).capitalize() + "."


def backwards(text):
    return " ".join(word[::-1] for word in text[:-1].lower().split()).capitalize() + "."


@pytest.fixture(scope="session")
def pairs():
    made = dict.fromkeys(sentence(number) for number in range(400))
    return tuple(Pair(text, backwards(text)) for text in made)


@pytest.fixture(scope="session")
def corpus(pairs):
    return Corpus("backwards", pairs)


@pytest.fixture(scope="session")
def sentencepiece_model(pairs):
    return learn_pieces((side for pair in pairs for side in pair), 400)


@pytest.fixture(scope="session")
def cutter(sentencepiece_model):
    return Cutter(sentencepiece_model)
