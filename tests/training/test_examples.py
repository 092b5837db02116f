"""Examples: placed where they say, mixed with noise, the same from the same seed."""

import numpy as np
import pytest
import torch

from linnet_training.trigger.bank import UNIT, Bank, Kind
from linnet_training.trigger.examples import FRAMES, STEPS, Examples, Mixture
from linnet_training.trigger.frontend import MELS
from linnet_training.trigger.network import FRAMES_PER_STEP

SILENCE = float(np.log(1e-6))
BANDS = {kind: slice(8 * kind, 8 * kind + 8) for kind in Kind}
"""Each kind of clip sounds in eight mel bands of its own, more than masking takes."""


def bank_of(*kinds, teacher=0):
    """A bank by hand, of clips of 160 frames whose word sounds in frames 40 to 99."""
    count, frames = len(kinds), 160
    mel = np.full((count, frames, MELS), SILENCE, np.float16)
    for index, kind in enumerate(kinds):
        first, last = (0, frames) if kind == Kind.NOISE else (40, 100)
        mel[index, first:last, BANDS[kind]] = 2.0
    said = np.array([kind == Kind.POSITIVE for kind in kinds])
    units = np.arange(count * frames // UNIT)
    return Bank(
        mel=mel.reshape(-1, MELS),
        teacher=np.repeat(units[:, None], teacher, axis=1).astype(np.float16),
        offset=np.arange(count) * frames,
        frames=np.full(count, frames),
        kind=np.array(kinds, np.int8),
        keyword=np.where(said, np.cumsum(said) - 1, -1).astype(np.int16),
        start=np.full(count, 40, np.int32),
        end=np.full(count, 100, np.int32),
        family=np.arange(count),
    )


ALL = (Kind.POSITIVE, Kind.POSITIVE, Kind.SPEECH, Kind.WORD, Kind.NOISE)


def draw(bank, size=64, seed=0, keywords=1, hardness=None, mixture=None):
    examples = Examples(bank, keywords, size, mixture or Mixture())
    return examples.batch([0, 0, seed], np.ones(len(bank)) if hardness is None else hardness)


def sounding(batch, kind):
    """In which frames a kind of clip is what is heard, (size, FRAMES)."""
    mel = batch.mel.numpy()
    return mel[:, :, BANDS[kind]].max(axis=2) > np.median(mel, axis=2) + 3


def test_shapes():
    batch = draw(bank_of(*ALL, teacher=5), size=50, keywords=2)
    assert batch.mel.shape == (50, FRAMES, MELS)
    assert batch.mel.dtype == torch.float32
    assert torch.isfinite(batch.mel).all()
    assert batch.keyword.shape == batch.end.shape == batch.clip.shape == (50,)
    assert batch.embedding.shape == (50, FRAMES // UNIT, 5)
    assert batch.known.shape == (50, FRAMES // UNIT)
    assert set(batch.keyword.tolist()) == {-1, 0, 1}
    assert sum(batch.keyword >= 0) == round(Mixture().positive * 50)


def test_the_same_seed_gives_the_same_batch():
    bank = bank_of(*ALL, teacher=5)
    one, same, other = draw(bank, seed=1), draw(bank, seed=1), draw(bank, seed=2)
    assert all(torch.equal(a, b) for a, b in zip(one, same, strict=True))
    assert not torch.equal(one.mel, other.mel)
    examples = Examples(bank, 1, 64)
    examples.batch([0, 0, 5], np.ones(len(bank)))
    again = examples.batch([0, 0, 1], np.ones(len(bank)))  # what was drawn before does not matter
    assert all(torch.equal(a, b) for a, b in zip(one, again, strict=True))


def test_positives_end_where_they_say():
    quiet = Mixture(positive=0.9, hard=0, speech=0, cut=0, word=0, part=0.1)
    ends, apart = [], []
    for seed in range(4):
        batch = draw(bank_of(Kind.POSITIVE), seed=seed, mixture=quiet)
        heard = sounding(batch, Kind.POSITIVE)
        for example in torch.nonzero(batch.keyword == 0).flatten():
            last = np.flatnonzero(heard[example])
            ends.append(int(batch.end[example]))
            apart.append(last[-1] + 1 - FRAMES_PER_STEP * ends[-1])
    exact = (np.array(apart) >= 0) & (np.array(apart) < FRAMES_PER_STEP)
    assert exact.mean() > 0.95  # masking hides an end now and then
    assert min(ends) >= 20
    assert max(ends) <= STEPS - 10
    assert len(set(ends)) > 20


def test_negatives_hold_no_whole_keyword():
    batch = draw(bank_of(*ALL), size=256)
    heard = sounding(batch, Kind.POSITIVE).sum(axis=1)
    assert (heard[(batch.keyword < 0).numpy()] <= 60).all()
    assert (batch.clip[batch.keyword == 0] == 0).all()
    backwards_or_part = (batch.keyword < 0) & (batch.clip < 2)
    assert 0 < backwards_or_part.sum() < 40


def test_noise_is_mixed_in():
    with_noise = sounding(draw(bank_of(Kind.POSITIVE, Kind.NOISE), size=128), Kind.NOISE).mean(axis=1)
    without = sounding(draw(bank_of(Kind.POSITIVE), size=128), Kind.NOISE).mean(axis=1)
    assert np.mean(with_noise > 0.5) > 0.5
    assert np.mean(without > 0.5) < 0.05


def test_levels_are_those_of_microphones():
    loudest = draw(bank_of(*ALL), size=128).mel.amax(dim=(1, 2))
    assert loudest.max() - loudest.min() > 6
    assert loudest.max() < np.log(2000) + 3


@pytest.mark.parametrize(
    "kinds",
    [
        [Kind.POSITIVE],
        [Kind.POSITIVE, Kind.NOISE],
        [Kind.POSITIVE, Kind.WORD],
        [Kind.POSITIVE, Kind.SPEECH],
        [Kind.POSITIVE, Kind.SPEECH, Kind.NOISE],
    ],
)
@pytest.mark.parametrize("size", [1, 2, 7, 32])
def test_a_bank_that_lacks_some_kinds(kinds, size):
    for seed in range(3):
        batch = draw(bank_of(*kinds), size=size, seed=seed)
        assert len(batch.mel) == len(batch.clip) == size
        assert torch.isfinite(batch.mel).all()


def test_very_short_and_very_long_clips():
    bank = bank_of(*ALL)
    parts = [(0, 160, 5, 155), (160, 16, 0, 12), (176, 8, -1, -1), (184, 16, 0, 16), (200, 600, -1, -1)]
    offset, frames, start, end = (np.array(column) for column in zip(*parts, strict=True))
    odd = Bank(**{**vars(bank), "offset": offset, "frames": frames, "start": start, "end": end})
    for seed in range(20):
        assert torch.isfinite(draw(odd, size=32, seed=seed, keywords=2).mel).all()


def test_hard_negatives_are_drawn_more_often():
    bank = bank_of(Kind.POSITIVE, *[Kind.WORD] * 9)
    hardness = np.full(len(bank), 0.01)
    hardness[7] = 1.0
    hard_only = Mixture(positive=0.36, hard=0.64, speech=0, cut=0, word=0, part=0)
    drawn = draw(bank, size=100, hardness=hardness, mixture=hard_only).clip
    assert (drawn[36:] == 7).float().mean() > 0.75
    even = draw(bank, size=100, mixture=hard_only).clip
    assert (even[36:] == 7).float().mean() < 0.35


def test_embeddings_belong_to_what_is_heard():
    batch = draw(bank_of(*ALL, teacher=2), size=128)
    assert batch.known.any()
    assert not batch.known.all()
    for example in torch.nonzero(batch.keyword == 0).flatten().tolist():
        known = batch.known[example]
        units = batch.embedding[example, :, 0][known]
        of_the_word = units[units < 20]
        # The bank's first clip has the units 0 to 19; on the canvas they keep their order and their distance.
        assert (of_the_word.diff() == 1).all()
