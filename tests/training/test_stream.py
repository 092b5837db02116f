"""The test stream: what is in it, where, how loud, and that it is the same every time."""

from itertools import pairwise

import numpy as np
import pytest

from linnet import audio
from linnet.errors import DataError
from linnet_training.trigger import stream
from linnet_training.trigger.stream import RATE, ListeningTest, recordings


def tone(path, seconds, hertz, level=0.3):
    """Write a steady tone; its pitch tells later which recording a stretch of the stream came from."""
    path.parent.mkdir(parents=True, exist_ok=True)
    time = np.arange(round(seconds * RATE)) / RATE
    audio.write_wav(path, (level * np.sin(2 * np.pi * hertz * time)).astype(np.float32))
    return path


def pitch(samples):
    """The strongest frequency, in hertz."""
    return np.fft.rfftfreq(len(samples), 1 / RATE)[np.abs(np.fft.rfft(samples)).argmax()]


@pytest.fixture
def folders(tmp_path):
    """Positives of two keywords, at 1000 and 2000 Hz, negatives below 400 Hz, noise that is a hiss."""
    for i in range(4):
        tone(tmp_path / f"yes/{i}.wav", 0.5 + i / 10, 1000, level=0.1 * (i + 1))
        tone(tmp_path / f"no/{i}.wav", 0.7, 2000)
    for i in range(10):
        tone(tmp_path / f"speech/{i % 3}/{i}.wav", 1.0 + i / 5, 200 + 20 * i, level=0.05 * (i + 1))
    hiss = np.random.default_rng(3).normal(0, 0.1, 3 * RATE).clip(-1, 1).astype(np.float32)
    (tmp_path / "noise").mkdir()
    audio.write_wav(tmp_path / "noise/hiss.wav", hiss)
    return tmp_path


def make(folders, **more):
    return ListeningTest(
        {"yes": recordings(folders / "yes"), "no": recordings(folders / "no")},
        recordings(folders / "speech"),
        recordings(folders / "noise"),
        **more,
    )


def test_every_keyword_is_where_the_intervals_say(folders):
    test = make(folders)
    whole = np.concatenate(list(test.pieces()))
    assert len(whole) / RATE == pytest.approx(test.seconds)
    for keyword, hertz in (("yes", 1000), ("no", 2000)):
        assert len(test.intervals[keyword]) == 4
        assert test.intervals[keyword] == sorted(test.intervals[keyword])
        for start, end in test.intervals[keyword]:
            said = whole[round(start * RATE) : round(end * RATE)]
            assert pitch(said) == pytest.approx(hertz, abs=3)
            assert np.abs(said).max() == pytest.approx(1.0, abs=1e-3)  # whatever its level was
    said = sum(end - start for start, end in test.intervals["yes"])
    assert test.hours_without("yes") * 3600 == pytest.approx(test.seconds - said)


def test_each_negative_is_used_once_and_keywords_have_speech_around_them(folders):
    test = make(folders)
    background = [piece for piece in test.layout if piece.keyword is None]
    for path in recordings(folders / "speech"):
        parts = sorted((piece.offset, piece.length) for piece in background if piece.path == path)
        ends = [offset + length for offset, length in parts]
        assert [offset for offset, _ in parts] == [0, *ends[:-1]]
        assert ends[-1] == len(audio.read(path))
    assert test.repeats == pytest.approx(1.0)
    kinds = [piece.keyword for piece in test.layout]
    assert kinds[0] is None
    assert kinds[-1] is None
    assert all(a is None or b is None for a, b in pairwise(kinds))


def test_hours_repeat_the_negatives_evenly(folders):
    test = make(folders, hours=100 / 3600)
    assert 100 <= test.background_hours * 3600 < 104
    counts = np.unique([str(p.path) for p in test.layout if p.keyword is None], return_counts=True)[1]
    assert counts.max() - counts.min() <= 1
    assert test.repeats == pytest.approx(100 / 19, rel=0.1)


def test_long_negatives_are_cut_so_that_keywords_come_between(folders):
    long = tone(folders / "long/talk.wav", 90, 300)
    test = ListeningTest({"yes": recordings(folders / "yes")}, [long])
    assert max(piece.length for piece in test.layout) <= stream.LONGEST
    assert sum(piece.length for piece in test.layout if piece.keyword is None) == 90 * RATE
    kinds = [piece.keyword for piece in test.layout]
    assert all(a is None or b is None for a, b in pairwise(kinds))


def test_a_share_of_the_background_may_be_silent(folders):
    test = make(folders, speech_share=0.0)
    for piece, samples in zip(test.layout, test.pieces(), strict=True):
        assert samples.any() == (piece.keyword is not None)


@pytest.mark.parametrize("snr_db", [0, 10])
def test_noise_lies_so_far_below_the_loudest_part(folders, snr_db):
    test = make(folders)
    mixed, clean = list(test.pieces(snr_db)), list(test.pieces())
    assert np.abs(np.concatenate(mixed)).max() == pytest.approx(1.0)
    for loud, quiet in zip(mixed, clean, strict=True):
        share = float(loud @ quiet / (quiet @ quiet))  # how much of the speech is in the mixture
        noise = loud - share * quiet
        power = [
            max(np.square(x[: len(x) // 512 * 512]).reshape(-1, 512).mean(1)) for x in (share * quiet, noise)
        ]
        assert 10 * np.log10(power[0] / power[1]) == pytest.approx(snr_db, abs=0.5)


def test_a_pause_in_the_speech_is_not_made_loud(folders):
    pcm = np.zeros(60 * RATE, dtype=np.float32)
    pcm[:RATE] = 0.5
    pcm[RATE:] = 0.0005 * (-1) ** np.arange(59 * RATE)
    audio.write_wav(folders / "p.wav", pcm)
    test = ListeningTest(
        {"yes": recordings(folders / "yes")}, [folders / "p.wav"], recordings(folders / "noise")
    )
    mixed, clean = list(test.pieces(10)), list(test.pieces())
    shares = [
        float(loud @ quiet / (quiet @ quiet))
        for piece, loud, quiet in zip(test.layout, mixed, clean, strict=True)
        if piece.keyword is None
    ]
    assert max(shares) < 3 * min(shares)


def test_a_pause_in_the_noise_does_not_silence_the_speech(folders):
    pause = np.zeros(60 * RATE, dtype=np.float32)
    pause[-100:] = 0.5
    audio.write_wav(folders / "noise/hiss.wav", pause)
    quietest = min(float(np.abs(piece).max()) for piece in make(folders).pieces(10))
    assert quietest > 0.01


def test_the_seed_decides_everything(folders):
    first, second, other = make(folders, seed=5), make(folders, seed=5), make(folders, seed=6)
    assert first.layout == second.layout
    assert first.layout != other.layout
    for a, b in zip(first.pieces(10), second.pieces(10), strict=True):
        assert np.array_equal(a, b)


def test_what_is_missing_is_said(folders, tmp_path):
    yes, speech = recordings(folders / "yes"), recordings(folders / "speech")
    with pytest.raises(DataError, match="no recordings of 'maybe'"):
        ListeningTest({"yes": yes, "maybe": []}, speech)
    with pytest.raises(DataError, match="other speech"):
        ListeningTest({"yes": yes}, [])
    with pytest.raises(DataError, match="give a folder of noise"):
        list(ListeningTest({"yes": yes}, speech).pieces(10))
    with pytest.raises(DataError, match="is not a folder"):
        recordings(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty/readme.txt").write_text("no audio")
    with pytest.raises(DataError, match="there is no audio in"):
        recordings(tmp_path / "empty")
