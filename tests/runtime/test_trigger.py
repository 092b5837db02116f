"""Listening: for which keywords, from which thresholds on, and one event per utterance."""

import numpy as np
import pytest
from sounds import cuts, reference, silence, sound, tone

import linnet
from linnet.errors import AudioError, KeywordError, LinnetError, ModelNotFoundError, UsageError
from linnet.trigger import TriggerWord


@pytest.fixture
def spotter(tiny_model):
    return TriggerWord(tiny_model)


# Thresholds and keywords


def test_the_card_names_the_thresholds(tiny_model):
    np.testing.assert_allclose(TriggerWord(tiny_model).thresholds, [0.75, 0.75])
    np.testing.assert_allclose(TriggerWord(tiny_model, false_alarms_per_hour=0.1).thresholds, [0.95, 0.95])
    np.testing.assert_allclose(TriggerWord(tiny_model, false_alarms_per_hour=5).thresholds, [0.5, 0.5])
    np.testing.assert_allclose(TriggerWord(tiny_model, threshold=0.3).thresholds, [0.3, 0.3])


def test_thresholds_that_make_no_sense_are_refused(tiny_model):
    with pytest.raises(UsageError, match="not both"):
        TriggerWord(tiny_model, threshold=0.5, false_alarms_per_hour=1)
    for threshold in (-0.1, 1.1, float("nan")):
        with pytest.raises(UsageError, match="from 0 to 1"):
            TriggerWord(tiny_model, threshold=threshold)
    with pytest.raises(UsageError, match="0 or more"):
        TriggerWord(tiny_model, false_alarms_per_hour=-1)


def test_a_file_is_named_by_path_or_text(tiny_model):
    assert TriggerWord(str(tiny_model)).keywords == ("loud", "hiss")
    assert linnet.load(tiny_model).keywords == ("loud", "hiss")
    assert linnet.load(str(tiny_model)).sample_rate == 16000
    with pytest.raises(ModelNotFoundError):
        TriggerWord("gone.onnx")
    with pytest.raises(ModelNotFoundError):
        linnet.load("gone")


@pytest.fixture
def bundled(tiny_model, ship):
    """A zoo that holds the tiny model alone."""
    ship({"tiny": tiny_model})


@pytest.mark.usefixtures("bundled")
def test_of_a_bundled_model_all_keywords_are_heard():
    for spotter in (TriggerWord("tiny"), linnet.load("tiny")):
        assert spotter.keywords == ("loud", "hiss")
    assert linnet.load("hiss").keywords == ("hiss",)


@pytest.mark.usefixtures("bundled")
def test_keywords_choose_their_columns(random):
    pcm = sound(random)
    expected = reference(pcm)
    for names, columns in (
        ("hiss", [1]),
        ("loud", [0]),
        (["hiss", "loud"], [1, 0]),
        (("loud", "hiss"), [0, 1]),
    ):
        spotter = TriggerWord(names)
        assert spotter.keywords == tuple(["loud", "hiss"][column] for column in columns)
        assert spotter.thresholds.shape == (len(columns),)
        np.testing.assert_allclose(spotter.process(pcm), expected[:, columns], atol=1e-5)
    assert [event.keyword for event in TriggerWord("loud").detect(tone(1))] == ["loud"]
    assert TriggerWord("hiss").detect(tone(1)) == []
    assert TriggerWord("hiss").stream(batch=2).process(np.zeros((2, 1280), np.int16)).shape == (2, 2, 1)


@pytest.mark.usefixtures("bundled")
def test_a_keyword_that_nothing_hears():
    with pytest.raises(ModelNotFoundError, match=r"no model 'quiet'; .* a keyword \(loud, hiss\), or"):
        TriggerWord("quiet")
    with pytest.raises(KeywordError, match="'loud' and 'quiet'"):
        TriggerWord(["loud", "quiet"])
    with pytest.raises(KeywordError, match="at least one"):
        TriggerWord([])


# Decisions


def test_one_utterance_is_one_event(spotter):
    assert spotter.card.trigger.refractory_s == 1.0
    pcm = np.concatenate([silence(1), tone(3), silence(1), tone(0.5), silence(1)])
    events = spotter.detect(pcm)
    assert [event.keyword for event in events] == ["loud", "loud"]
    assert events[0].time_s == pytest.approx(1.08)
    assert events[1].time_s == pytest.approx(5.08)
    scores = spotter.stream().process(pcm)
    for event in events:
        step = round(event.time_s / 0.04) - 1
        assert event.score == scores[step, 0] >= 0.75 > scores[step - 1, 0]


def test_events_are_the_same_however_audio_is_cut(spotter, random):
    pcm = sound(random, 20)
    expected = spotter.detect(pcm)
    assert len(expected) > 10
    assert [event.time_s for event in expected] == sorted(event.time_s for event in expected)
    for longest in (400, 1280, 20_000):
        stream = spotter.stream()
        events = [event for piece in cuts(random, len(pcm), longest) for event in stream.detect(pcm[piece])]
        # The score may differ in its last bit.
        assert [(event.keyword, event.time_s) for event in events] == [
            (e.keyword, e.time_s) for e in expected
        ]


def test_time_goes_on_while_only_scores_are_asked_for(spotter):
    spotter.process(silence(2))
    assert spotter.detect(tone(1))[0].time_s == pytest.approx(2.08)


def test_listen_follows_a_source_and_reports_at_once(spotter):
    asked = []

    def source():
        for chunk in np.array_split(np.concatenate([silence(1), tone(1)]), 25):
            asked.append(len(chunk))
            yield (chunk * 32767).astype(np.int16)

    spotter.detect(tone(5))  # what the object itself has heard plays no part
    event = next(spotter.listen(source()))
    assert event.time_s == pytest.approx(1.08)
    assert len(asked) == 14  # chunks of 80 ms up to 1.12 s


def test_a_batch_decides_by_rows(spotter, random):
    sounds = np.stack([sound(random, 5) for _ in range(2)])
    batch = spotter.stream(batch=2)
    with pytest.raises(UsageError, match="decider of its own"):
        batch.detect(sounds)
    for pcm, scores in zip(sounds, batch.process(sounds), strict=True):
        events = spotter.decider().decide(scores)
        assert [(e.keyword, e.time_s) for e in events] == [
            (e.keyword, e.time_s) for e in spotter.stream().detect(pcm)
        ]


def test_all_errors_are_linnet_errors():
    assert issubclass(AudioError, LinnetError)
    assert issubclass(KeywordError, ValueError)
