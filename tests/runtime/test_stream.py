"""Streams: the same scores however audio is cut, and none hears another."""

import threading

import numpy as np
import pytest
from sounds import STEP, cuts, reference, silence, sound, tone

from linnet.errors import AudioError, ModelError, UsageError
from linnet.trigger import TriggerWord


@pytest.fixture
def spotter(tiny_model):
    return TriggerWord(tiny_model)


# Scores


def test_scores_are_those_of_the_network(spotter, random):
    pcm = sound(random)
    scores = spotter.process(pcm)
    assert scores.dtype == np.float32
    assert scores.shape == (len(pcm) // STEP, 2)
    assert scores.min() < 0.1 < 0.9 < scores.max()
    np.testing.assert_allclose(scores, reference(pcm), atol=1e-5)


@pytest.mark.parametrize("smoothing_steps", [1, 5])
@pytest.mark.parametrize("longest", [50, 700, 1280, 9000])
def test_scores_are_the_same_however_audio_is_cut(save_model, random, smoothing_steps, longest):
    spotter = TriggerWord(save_model(smoothing_steps=smoothing_steps))
    pcm = sound(random, 3.01)
    whole = spotter.process(pcm)
    for audio in (pcm, (pcm * 32767).astype(np.int16)):
        expected = spotter.stream().process(audio)
        np.testing.assert_allclose(expected, whole, atol=1e-2)
        stream = spotter.stream()
        pieces = [stream.process(audio[piece]) for piece in cuts(random, len(audio), longest)]
        assert all(piece.ndim == 2 for piece in pieces)
        np.testing.assert_allclose(np.concatenate(pieces), expected, rtol=0, atol=1e-6)


def test_one_sample_at_a_time(spotter, random):
    pcm = sound(random, 0.2)
    scores = np.concatenate([spotter.process(pcm[i : i + 1]) for i in range(len(pcm))])
    np.testing.assert_allclose(scores, reference(pcm), atol=1e-5)


def test_long_audio_goes_through_the_graph_in_parts_and_gives_the_same(spotter, random, monkeypatch):
    pcm = np.tile(sound(random, 5), 5)[: 16000 * 25 - 100]
    longest = []
    run = spotter.model.run

    def note(feeds):
        longest.append(feeds["audio"].size)
        return run(feeds)

    monkeypatch.setattr(spotter.model, "run", note)
    scores = spotter.process(pcm)
    assert len(longest) > 2
    assert max(longest) <= 160_000
    np.testing.assert_allclose(scores, reference(pcm), atol=1e-5)
    longest.clear()
    spotter.stream(batch=50).process(np.zeros((50, 16000), np.float32))
    assert max(longest) <= 160_000


def test_int16_is_float_times_32768(spotter, random):
    integers = random.integers(-32768, 32768, 16000).astype(np.int16)
    floats = integers / 32768
    scores = spotter.process(integers)
    np.testing.assert_array_equal(spotter.stream().process(floats.astype(np.float32)), scores)
    np.testing.assert_array_equal(spotter.stream().process(floats), scores)  # float64
    np.testing.assert_array_equal(spotter.stream().process(floats.tolist()), scores)


def test_arrays_that_lie_oddly_in_memory(spotter, random):
    stereo = random.uniform(-0.3, 0.3, (16000, 2)).astype(np.float32)
    expected = spotter.process(stereo[:, 1].copy())
    for audio in (
        stereo[:, 1],
        stereo[::-1, 1][::-1],
        stereo[:, 1].astype(">f4"),
        np.asfortranarray(stereo)[:, 1],
    ):
        np.testing.assert_array_equal(spotter.stream().process(audio), expected)


def test_what_waits_is_a_copy(spotter, random):
    pcm = sound(random, 0.5)
    buffer = pcm[:1000].copy()
    first = spotter.process(buffer)
    buffer[:] = 0.9
    rest = spotter.process(pcm[1000:])
    np.testing.assert_allclose(np.concatenate([first, rest]), reference(pcm), atol=1e-5)


def test_smoothing_is_the_mean_of_the_last_steps(save_model, random):
    pcm = sound(random)
    scores = TriggerWord(save_model(smoothing_steps=4)).process(pcm)
    raw = np.concatenate([np.zeros((3, 2)), reference(pcm)])
    expected = np.mean([raw[i : len(raw) - 3 + i] for i in range(4)], axis=0)
    np.testing.assert_allclose(scores, expected, atol=1e-5)


# Streams


@pytest.mark.parametrize("smoothing_steps", [1, 3])
def test_reset_forgets_everything(save_model, random, smoothing_steps):
    spotter = TriggerWord(save_model(smoothing_steps=smoothing_steps))
    pcm = sound(random, 0.51)  # not whole steps, so that samples wait
    first, events = spotter.process(pcm), spotter.stream().detect(tone(1))
    assert not np.allclose(spotter.process(pcm)[: len(first)], first)
    spotter.reset()
    np.testing.assert_array_equal(spotter.process(pcm), first)
    spotter.reset()
    assert spotter.detect(tone(1)) == events
    spotter.reset()
    assert spotter.detect(tone(1)) == events


def test_streams_of_one_model_do_not_hear_each_other(spotter, random):
    sounds = [sound(random, 1) for _ in range(3)]
    streams = [spotter.stream() for _ in sounds]
    pieces = [[] for _ in sounds]
    for start in range(0, 16000, 1000):
        for stream, pcm, out in zip(streams, sounds, pieces, strict=True):
            out.append(stream.process(pcm[start : start + 1000]))
    for pcm, out in zip(sounds, pieces, strict=True):
        np.testing.assert_allclose(np.concatenate(out), reference(pcm), atol=1e-5)


@pytest.mark.parametrize("smoothing_steps", [1, 3])
def test_a_batch_is_as_many_single_streams(save_model, random, smoothing_steps):
    spotter = TriggerWord(save_model(smoothing_steps=smoothing_steps))
    sounds = np.stack([sound(random, 1) for _ in range(5)])
    batch = spotter.stream(batch=5)
    scores = [batch.process(sounds[:, piece]) for piece in cuts(random, 16000, 1500)]
    assert all(part.shape[0] == 5 and part.shape[2] == 2 for part in scores)
    scores = np.concatenate(scores, axis=1)
    for pcm, row in zip(sounds, scores, strict=True):
        np.testing.assert_allclose(row, spotter.stream().process(pcm), rtol=0, atol=1e-6)


@pytest.mark.parametrize("smoothing_steps", [1, 3])
def test_one_stream_of_a_batch_can_be_reset(save_model, random, smoothing_steps):
    spotter = TriggerWord(save_model(smoothing_steps=smoothing_steps))
    before, after = (np.stack([sound(random, 0.8) for _ in range(3)]) for _ in range(2))
    batch = spotter.stream(batch=3)
    batch.process(before)
    batch.reset(1)
    scores = batch.process(after)
    for row in (0, 2):
        stream = spotter.stream()
        stream.process(before[row])
        np.testing.assert_allclose(scores[row], stream.process(after[row]), rtol=0, atol=1e-6)
    np.testing.assert_allclose(scores[1], spotter.stream().process(after[1]), rtol=0, atol=1e-6)
    batch.process(before[:, :100])  # samples that wait are forgotten as well
    batch.reset(1)
    late = batch.process(after[:, 100:])[1]
    quiet = np.concatenate([np.zeros(100, np.float32), after[1, 100:]])
    np.testing.assert_allclose(late, spotter.stream().process(quiet), rtol=0, atol=1e-6)
    batch.reset()
    np.testing.assert_array_equal(batch.process(before), spotter.stream(batch=3).process(before))


def test_streams_run_in_threads(spotter, random):
    sounds = [sound(random, 1) for _ in range(4)]
    results = [None] * 4

    def work(index):
        stream = spotter.stream()
        pieces = np.array_split(sounds[index], 50)
        results[index] = np.concatenate([stream.process(piece) for piece in pieces])

    threads = [threading.Thread(target=work, args=(index,)) for index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for pcm, scores in zip(sounds, results, strict=True):
        np.testing.assert_allclose(scores, reference(pcm), atol=1e-5)


@pytest.mark.parametrize("batch", [0, -1, 1.5])
def test_a_batch_of_nothing_is_refused(spotter, batch):
    with pytest.raises(UsageError, match="at least one stream"):
        spotter.stream(batch=batch)


def test_a_stream_that_is_not_in_the_batch_is_refused(spotter):
    for index in (-1, 2):
        with pytest.raises(UsageError, match=r"no stream -?[12] in a batch of 2"):
            spotter.stream(batch=2).reset(index)


# Audio that cannot be used


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("waiting", [0, 100])
def test_samples_that_are_not_finite_are_refused_and_leave_no_trace(spotter, random, bad, kind, waiting):
    pcm = sound(random, 0.5)
    broken = pcm.astype(kind)
    broken[700] = bad
    start = spotter.process(pcm[: 1280 + waiting])
    for audio in (broken, broken[700:701], np.tile(broken, 50)):
        with pytest.raises(AudioError, match="NaN or infinite"):
            spotter.process(audio)
    rest = spotter.process(pcm[1280 + waiting :])
    np.testing.assert_allclose(np.concatenate([start, rest]), reference(pcm), atol=1e-5)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("level", [101, 20_000, 1e30, -1e38, 1e300])
def test_floats_that_nobody_scaled_are_refused(spotter, level):
    with pytest.raises(AudioError, match="within -1 to 1; divide 16-bit integers by 32768"):
        spotter.process(np.full(2000, float(level)))


def test_clipped_audio_is_heard(spotter):
    loudest = np.where(np.arange(16000) // 40 % 2, 32767, -32768).astype(np.int16)
    assert spotter.process(loudest)[-1, 0] > 0.99
    assert np.isfinite(spotter.stream().process(np.float32(1.5) * np.sign(loudest).astype(np.float32))).all()


@pytest.mark.parametrize(
    ("audio", "words"),
    [
        (np.zeros((2, 800), np.float32), r"must be mono, \(samples,\), and is \(2, 800\)"),
        (np.float32(0.5), r"must be mono"),
        (np.zeros(800, np.uint8), "int16 or float32 samples, not uint8"),
        (np.zeros(800, np.int32), "not int32"),
        (np.zeros(800, np.complex64), "not complex64"),
        (np.zeros(800, bool), "not bool"),
        (np.zeros(800, np.float16), "not float16"),
        (b"\x00\x01" * 400, "must be mono"),
        (None, "must be mono"),
        ("computer", "must be mono"),
        ([[1.0], [1.0, 2.0]], "must be an array"),
    ],
)
def test_what_is_no_audio_is_refused(spotter, audio, words):
    with pytest.raises(AudioError, match=words):
        spotter.process(audio)


def test_audio_of_another_batch_is_refused(spotter):
    with pytest.raises(AudioError, match=r"must be \(3, samples\) for this batch, and is \(2, 800\)"):
        spotter.stream(batch=3).process(np.zeros((2, 800), np.float32))


@pytest.mark.parametrize("kind", [np.int16, np.float32, np.float64])
def test_no_samples_give_no_scores(spotter, kind):
    assert spotter.process(np.zeros(0, kind)).shape == (0, 2)
    assert spotter.process(np.zeros(1, kind)).shape == (0, 2)
    assert spotter.stream(batch=2).process(np.zeros((2, 0), kind)).shape == (2, 0, 2)
    assert spotter.detect(np.zeros(0, kind)) == []


def test_a_model_that_stops_giving_numbers(save_model, make_onnx, random):
    model = make_onnx()  # sqrt(0.4 - loudness) is a number in silence only
    model.graph.node[-3].input[:] = ["middle", "by_stream"]
    model.graph.node[-2].input[:] = ["above", "one_half"]
    model.graph.initializer.add(name="one_half", data_type=1, float_data=[0.5])
    model.graph.node[-1].op_type = "Sqrt"
    spotter = TriggerWord(save_model(model))
    quiet = spotter.process(silence(0.48))
    with pytest.raises(ModelError, match="not within 0 to 1"):
        spotter.process(np.concatenate([tone(0.1, level=0.1), silence(10.5), tone(1)]))
    np.testing.assert_array_equal(spotter.process(silence(0.48)), quiet)  # as if there had been no such call
