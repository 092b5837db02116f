"""Speech for a run from text alone, with a synthesiser that only chirps."""

import pytest
from words import chirp

from linnet.errors import SynthesisError
from linnet_training.speech.synthesis import Clip, Voice
from linnet_training.trigger import spoken
from linnet_training.trigger.data import Corpus
from linnet_training.trigger.recipe import Recipe

RECIPE = Recipe(spoken_positives=14, spoken_near=7, spoken_words=7, spoken_sentences=7)
VOICES = [Voice("chirper", f"voice{i}", "en", "CC0") for i in range(9)]


@pytest.fixture
def asked(monkeypatch):
    """What the synthesiser was asked for: (texts, clips, voices) of each call."""
    calls = []

    def synthesise(texts, *, clips, seed, voices, progress):
        calls.append((list(texts), clips, list(voices)))
        return [
            Clip(chirp(True, i), texts[i % len(texts)], voices[i % len(voices)], 1.0, 0.0)
            for i in range(clips)
        ]

    monkeypatch.setattr(spoken, "find_voices", lambda: VOICES)
    monkeypatch.setattr(spoken, "synthesise", synthesise)
    return calls


def test_a_phrase_alone(asked, tmp_path):
    corpus = Corpus.empty(["hey linnet"])
    said = spoken.add_spoken(corpus, RECIPE, tmp_path)
    corpus.check(text_only=False)
    positives = corpus.positives["hey linnet"]
    assert (len(positives.spoken), len(positives.dev), len(positives.train)) == (12, 2, 0)
    assert corpus.words.spoken
    assert corpus.words.dev
    assert corpus.speech.spoken
    assert corpus.speech.dev
    assert any("'hey linnet' has no recordings" in message for message in said)
    assert any("chirper" in origin for origin in corpus.origins)
    assert not any("hey linnet" in text for texts, *_ in asked for text in texts if texts != ["hey linnet"])


def test_dev_voices_are_strangers_to_training(asked, tmp_path):
    spoken.add_spoken(Corpus.empty(["hey linnet"]), RECIPE, tmp_path)
    voices = {tuple(voices): clips for _, clips, voices in asked}
    (train, train_clips), (dev, dev_clips) = sorted(voices.items(), key=lambda item: -len(item[0]))
    assert train_clips > dev_clips
    assert not set(train) & set(dev)


def test_what_sounds_like_the_phrase_is_for_training_only(asked, tmp_path):
    corpus = Corpus.empty(["hey linnet"])
    spoken.add_spoken(corpus, RECIPE, tmp_path)
    assert any("near-0" in str(path) for path in corpus.words.spoken)
    assert not any("near-0" in str(path) for path in corpus.words.dev)


def test_recordings_beside_a_phrase(asked, tmp_path):
    corpus = Corpus.empty(["few", "many"])
    corpus.positives["few"].train = [tmp_path / "few.wav"] * 5
    corpus.positives["many"].train = [tmp_path / "many.wav"] * spoken.ENOUGH
    said = spoken.add_spoken(corpus, RECIPE, tmp_path)
    assert corpus.positives["few"].spoken
    assert not corpus.positives["many"].spoken
    assert not any("no recordings" in message for message in said)


def test_clips_are_used_again_but_not_for_another_phrase(asked, tmp_path):
    spoken.add_spoken(Corpus.empty(["hey linnet"]), RECIPE, tmp_path)
    calls = len(asked)
    again = Corpus.empty(["hey linnet"])
    spoken.add_spoken(again, RECIPE, tmp_path)
    assert len(asked) == calls
    other = Corpus.empty(["computer"])
    spoken.add_spoken(other, RECIPE, tmp_path)
    assert ["computer"] in [texts for texts, *_ in asked[calls:]]
    assert not set(other.positives["computer"].spoken) & set(again.positives["hey linnet"].spoken)


def test_one_voice_must_do(asked, monkeypatch, tmp_path):
    monkeypatch.setattr(spoken, "find_voices", lambda: VOICES[:1])
    corpus = Corpus.empty(["hey linnet"])
    spoken.add_spoken(corpus, RECIPE, tmp_path)
    corpus.check(text_only=False)


def test_no_engine(monkeypatch, tmp_path):
    def none_found():
        raise SynthesisError("no text-to-speech engine was found")

    monkeypatch.setattr(spoken, "find_voices", none_found)
    with pytest.raises(SynthesisError):
        spoken.add_spoken(Corpus.empty(["hey linnet"]), RECIPE, tmp_path)
