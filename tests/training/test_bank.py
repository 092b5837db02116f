"""The feature bank: what becomes of recordings, kept and read again."""

from dataclasses import fields, replace

import numpy as np
import pytest
import torch
from words import LevelTeacher, babble, chirp, damaged

from linnet.errors import OutputError
from linnet_training.trigger import augment
from linnet_training.trigger.bank import UNIT, Bank, Kind, Source, build
from linnet_training.trigger.endpoint import speech_bounds
from linnet_training.trigger.frontend import HOP, log_mel

RATE = 16_000


def clip(bank, index):
    """Log-mel frames of a clip, as float32."""
    first = bank.offset[index]
    return bank.mel[first : first + bank.frames[index]].astype(np.float32)


def assert_equal(one, other):
    for field in fields(Bank):
        np.testing.assert_array_equal(getattr(one, field.name), getattr(other, field.name), field.name)


def a_few():
    """Sources of every kind."""
    return [
        Source(chirp(True, 1), Kind.POSITIVE, keyword=0, variants=4),
        Source(chirp(False, 2), Kind.POSITIVE, keyword=1, variants=2),
        Source(babble(5.0, 1), Kind.SPEECH, variants=2),
        Source(chirp(False, 3), Kind.WORD, variants=2),
        Source(babble(9.0, 2), Kind.NOISE),
    ]


@pytest.fixture(scope="module")
def bank():
    return build(a_few(), teacher=LevelTeacher, workers=0)


def test_the_first_variant_is_the_recording_itself(bank):
    audio = chirp(True, 1)
    start, end = speech_bounds(audio)
    first = max(0, start - int(0.3 * RATE))
    audio = augment.level(audio[first : end + RATE // 2])
    expected = log_mel(torch.from_numpy(np.pad(audio, (0, -len(audio) % (UNIT * HOP))))[None])[0]
    np.testing.assert_allclose(clip(bank, 0), expected, rtol=0, atol=0.01)
    assert (bank.start[0], bank.end[0]) == ((start - first) // HOP, (end - first) // HOP)


def test_variants_differ_and_share_a_family(bank):
    assert bank.family.tolist() == sorted(bank.family.tolist())
    assert np.bincount(bank.family)[[0, 1, 3]].tolist() == [4, 2, 2]
    positives = [clip(bank, i) for i in range(4)]
    for i, one in enumerate(positives):
        for other in positives[:i]:
            assert one.shape != other.shape or np.abs(one - other).mean() > 0.1


def test_kinds_and_keywords(bank):
    assert bank.keyword[bank.of(Kind.POSITIVE)].tolist() == [0, 0, 0, 0, 1, 1]
    assert set(bank.keyword[bank.kind != Kind.POSITIVE]) == {-1}
    assert set(bank.kind) == set(Kind)


def test_clips_lie_one_after_the_other_on_the_grid_of_units(bank):
    assert (bank.frames % UNIT == 0).all()
    np.testing.assert_array_equal(bank.offset, np.cumsum(bank.frames) - bank.frames)
    assert bank.frames.sum() == len(bank.mel) == UNIT * len(bank.teacher)


def test_long_recordings_become_segments(bank):
    speech, noise = bank.of(Kind.SPEECH), bank.of(Kind.NOISE)
    assert bank.frames[speech[:2]].tolist() == [
        400,
        104,
    ]  # five seconds, the second one filled up with silence
    assert bank.frames[noise].tolist() == [400, 400, 104]
    rest = build([Source(babble(4.3, 1), Kind.SPEECH)], workers=0)
    assert rest.frames.tolist() == [400]  # 0.3 s are not worth a clip


def test_variants_know_where_their_word_ends(bank):
    for index in range(4):
        level = clip(bank, index).max(axis=1)
        after = level[bank.end[index] + 25 :]  # a quarter of a second for the room
        within = level[bank.start[index] + 5 : bank.end[index] - 5]
        assert np.median(within) > np.median(after) + 2 if len(after) else len(within)
        assert 0 <= bank.start[index] < bank.end[index] <= bank.frames[index]


def test_the_teacher_hears_the_undisturbed_audio(bank):
    plain = build([replace(source, variants=1) for source in a_few()], teacher=LevelTeacher, workers=0)
    assert bank.teacher.shape == (len(bank.mel) // UNIT, 3)
    units = plain.frames[0] // UNIT
    np.testing.assert_array_equal(bank.teacher[:units], plain.teacher[:units])
    assert build(a_few()[:1], workers=0).teacher.shape[1] == 0


def test_saved_and_read_again(bank, tmp_path):
    bank.save(tmp_path / "bank.npz")
    assert_equal(Bank.load(tmp_path / "bank.npz"), bank)
    assert [path.name for path in tmp_path.iterdir()] == ["bank.npz"]


def test_a_full_disk_leaves_nothing_behind(bank, tmp_path):
    resource = pytest.importorskip("resource", reason="there is no limit on file sizes to set")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
    try:
        with pytest.raises(OutputError, match=r"bank\.npz"):
            bank.save(tmp_path / "bank.npz")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert not list(tmp_path.iterdir())


def test_joined(bank):
    other = build([Source(chirp(True, 9), Kind.WORD)], teacher=LevelTeacher, workers=0)
    joined = Bank.join([bank, other])
    assert len(joined) == len(bank) + 1
    np.testing.assert_array_equal(clip(joined, 2), clip(bank, 2))
    np.testing.assert_array_equal(clip(joined, len(bank)), clip(other, 0))
    assert joined.family[-1] not in bank.family
    np.testing.assert_array_equal(joined.teacher[-len(other.teacher) :], other.teacher)


def test_joined_with_nothing(bank, tmp_path):
    nothing = build([Source(path, Kind.WORD) for path in damaged(tmp_path)], workers=0)
    assert len(nothing) == 0
    assert_equal(Bank.join([bank, nothing]), bank)


def test_what_cannot_be_learnt_from_is_left_out(tmp_path):
    sources = [Source(path, Kind.POSITIVE, 0, variants=2) for path in damaged(tmp_path)]
    bank = build([*sources, Source(chirp(True, 1), Kind.POSITIVE, 0)], workers=0)
    assert bank.family.tolist() == [len(sources)]


def test_int16_is_the_same_as_float():
    audio = chirp(True, 1)
    whole = np.rint(audio * 32768).astype(np.int16)
    one, other = (build([Source(pcm, Kind.WORD)], workers=0) for pcm in (whole, whole / np.float32(32768)))
    assert_equal(one, other)


def test_workers_change_nothing_but_the_time(bank):
    said = []
    sources = a_few() * 4
    two = build(sources, teacher=LevelTeacher, workers=2, progress=lambda *progress: said.append(progress))
    assert_equal(build(sources, teacher=LevelTeacher, workers=0), two)
    assert said == [(16, 20), (20, 20)]


def test_rooms_are_heard():
    rng = np.random.default_rng(1)
    echo = np.zeros(8000, np.float32)
    echo[[100, 7000]] = 1.0, 0.8
    wet = augment.reverberate(chirp(True, 1), echo)
    dry = chirp(True, 1)
    np.testing.assert_allclose(wet[:6900], dry[:6900], atol=1e-5)  # the direct sound stays in place
    np.testing.assert_allclose(wet[6900:], dry[6900:] + 0.8 * dry[:-6900], atol=1e-5)
    drawn = [augment.draw_room(rng, [echo]) for _ in range(40)]
    assert 5 < sum(room is echo for room in drawn) < 35
    assert all(np.isfinite(room).all() and np.abs(room).argmax() < 100 for room in drawn if room is not echo)
