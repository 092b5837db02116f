"""Negatives sound like the phrase but are not it; ordinary speech is varied and free of it."""

import pytest

pytest.importorskip("soxr", reason="needs the training extra")
pytest.importorskip("soundfile", reason="needs the training extra")

from linnet.errors import SynthesisError
from linnet_training.speech import pronunciation
from linnet_training.speech.phrases import isolated_words, near_phrases, ordinary_sentences
from linnet_training.speech.pronunciation import PHONES, distances, heard_in, nearest, phones_of


@pytest.fixture
def no_engine(monkeypatch):
    monkeypatch.setenv("PATH", "")
    pronunciation._word.cache_clear()
    yield
    pronunciation._word.cache_clear()


def sounds(text):
    return phones_of(text)[0]


def test_the_dictionary_is_whole():
    known = pronunciation._dictionary()
    assert len(known.rows) > 30000
    assert {phone for way in known.ways for phone in way} <= set(PHONES)
    assert all(known.ways)
    assert {kind: len(pronunciation.vocabulary(kind)) > 3000 for kind in "abcn"} == dict.fromkeys(
        "abcn", True
    )


def test_words_have_their_pronunciations():
    assert ("JH", "AA", "R", "V", "IH", "S") in phones_of("Jarvis")
    assert phones_of("hey see") == [("HH", "EY", "S", "IY")]
    assert len(phones_of("either")) == 2
    assert len(phones_of("the the the the the the the")) == 8
    assert phones_of("a 2") == [(*way, "T", "UW") for way in phones_of("a")]
    assert phones_of("...") == [()]


def test_unknown_words_are_guessed_from_their_letters(no_engine):
    assert phones_of("linnet") == [("L", "IH", "N", "EH", "T")]
    assert phones_of("shexquob") == [("SH", "EH", "K", "S", "K", "W", "OW", "B")]


def test_espeak_output_is_read_phone_by_phone():
    assert pronunciation._translate("dʒˈɑːɹvɪs", "ipa.txt") == ("JH", "AA", "R", "V", "IH", "S")  # noqa: RUF001
    assert pronunciation._translate("tʃˈæɾɚbˌɑːks", "ipa.txt") == ("CH", "AE", "T", "ER", "B", "AA", "K", "S")  # noqa: RUF001
    for name in ("ipa.txt", "letters.txt"):
        assert {phone for way in pronunciation._table(name).values() for phone in way} <= set(PHONES)


def test_distances_grow_with_difference():
    apart = distances(
        sounds("snow"), [sounds(word) for word in ("snow", "slow", "know", "stone", "elephant")]
    )
    assert apart[0] == 0
    assert list(apart) == sorted(apart)
    assert distances(sounds("bat"), [sounds("pat")])[0] < distances(sounds("bat"), [sounds("hat")])[0]


def test_distances_are_symmetric():
    for one, other in (("alexa", "lexus"), ("computer", "commuter"), ("a", "astonishing")):
        assert distances(sounds(one), [sounds(other)])[0] == pytest.approx(
            distances(sounds(other), [sounds(one)])[0]
        )


def test_a_phrase_is_heard_wherever_it_is():
    apart = heard_in(
        sounds("see"), [sounds(text) for text in ("the sea", "I see you", "seem", "tattoo", "saw")]
    )
    assert list(apart[:3]) == [0, 0, 0]
    assert min(apart[3:]) > 0.6


def test_the_nearest_word_is_itself_or_its_homophone():
    assert set(nearest(sounds("see"), 2)) == {"see", "sea"}
    assert nearest(sounds("computer"), 1) == ["computer"]
    assert "commuter" in nearest(sounds("computer"), 8)
    assert len(nearest((), 5)) == 5


@pytest.mark.parametrize(
    "phrase", ["computer", "jarvis", "hey linnet", "smart speaker", "okay google play music", "r2d2"]
)
def test_near_phrases_are_many_and_never_the_phrase(phrase):
    found = near_phrases(phrase, 150, seed=1)
    assert len(found) == len(set(found)) == 150
    ways = [way for text in found for way in phones_of(text)]
    assert all(heard_in(way, ways).min() > 0.5 for way in phones_of(phrase))
    assert found == near_phrases(phrase, 150, seed=1)
    assert found != near_phrases(phrase, 150, seed=2)


def test_near_phrases_hold_parts_likenesses_pairs_and_swaps():
    assert {"commuter", "compute", "comp", "uter", "comp comp"} <= set(near_phrases("computer", 300, seed=0))
    assert {"snow", "snowball", "no boy", "snow toy"} <= set(near_phrases("snowboy", 300, seed=0))
    two = set(near_phrases("hey linnet", 400, seed=0))
    assert {"hey", "linnet", "linnet hey", "hey limit", "hey hey", "hi linnet"} <= two
    assert sum(text.startswith("hey ") for text in two) > 40
    assert sum(text.endswith(" linnet") for text in two) > 40


@pytest.mark.parametrize(
    ("phrase", "same"),
    [
        ("see", {"sea", "see", "seas"}),
        ("hey linnet", {"hay linnet", "hey linnets"}),
        ("snowboy", {"snow boy", "sno boy"}),
        ("hey chatterbox", {"hey chatter box", "hay chatterbox"}),
        ("computer", {"computers", "the computer"}),
        ("Dawn", {"don", "dawn"}),
    ],
)
def test_homophones_and_phrases_with_it_inside_are_left_out(phrase, same):
    assert not same & set(near_phrases(phrase, 1000, seed=0))


@pytest.mark.parametrize("phrase", ["", "  ", "😀", "...", "привет"])
def test_a_phrase_without_words_is_an_error(phrase):
    with pytest.raises(SynthesisError):
        near_phrases(phrase, 10, seed=0)


def test_near_phrases_need_no_engine(no_engine):
    assert len(near_phrases("hey quibblezorp", 100, seed=0)) == 100


def test_sentences_are_many_varied_and_of_3_to_12_words():
    found = ordinary_sentences(5000, seed=4)
    assert len(found) == len(set(found)) == 5000
    sizes = [len(text.split()) for text in found]
    assert min(sizes) == 3
    assert max(sizes) == 12
    assert len({text.split()[0] for text in found}) > 50
    assert len({word for text in found for word in text.lower().split()}) > 500
    assert not any("{" in text for text in found)
    assert found[:100] == ordinary_sentences(100, seed=4)
    assert found[:100] != ordinary_sentences(100, seed=5)


@pytest.mark.parametrize("phrase", ["kitchen", "the red car", "Emma"])
def test_sentences_are_free_of_the_phrase(phrase):
    assert any(phrase.lower() in text.lower() for text in ordinary_sentences(3000, seed=4))
    found = ordinary_sentences(3000, seed=4, without=phrase)
    assert len(found) == 3000
    assert not any(phrase.lower() in text.lower() for text in found)


def test_isolated_words_are_short_and_free_of_the_phrase():
    found = isolated_words(3000, seed=2, without="see")
    assert len(found) == len(set(found)) == 3000
    sizes = [len(text.split()) for text in found]
    assert set(sizes) == {1, 2, 3}
    assert sizes.count(1) > sizes.count(2) > sizes.count(3)
    assert not {"see", "sea", "seen", "season"} & {word for text in found for word in text.split()}
    assert found == isolated_words(3000, seed=2, without="see")


def test_a_few_can_be_asked_for():
    assert (
        isolated_words(0, seed=0) == ordinary_sentences(0, seed=0) == near_phrases("jarvis", 0, seed=0) == []
    )
    assert len(isolated_words(1, seed=0, without="")) == 1
