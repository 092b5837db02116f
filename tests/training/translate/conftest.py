"""What the tests of translation share: pairs of sentences, and pieces learnt from them."""

import pytest
from sentences import backwards, sentence

from linnet_training.translate.data import Corpus, Pair
from linnet_training.translate.pieces import Cutter, learn_pieces


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
