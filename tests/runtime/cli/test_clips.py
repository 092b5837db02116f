"""``linnet listen --save``: the audio around each detection."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from linnet import audio
from linnet.cli.clips import Clips
from linnet.decider import Detection

Run = Callable[..., tuple[int, str, str]]


def test_clips_hold_what_surrounds_a_detection(
    listen: Run, tiny_model: Path, day: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "new" / "clips"
    status, _, err = listen(tiny_model, "--wav", day, "--save", folder)
    assert status == 0, err
    files = sorted(folder.iterdir())
    assert len(files) == 3
    assert re.fullmatch(r"loud_day_0-00-02\.\d{3}_[01]\.\d\d\.wav", files[0].name)
    whole = audio.read(day)
    for path, length in zip(files, (2.5, 2.5, 2.2), strict=True):
        at = float(path.name.split("-")[-1].split("_")[0])
        first = max(0, round((at - 2) * 16_000))
        clip = audio.read(path)
        np.testing.assert_array_equal(clip, whole[first : first + len(clip)])
        # The last word comes so late that the recording ends before its clip would.
        assert abs(len(clip) / 16_000 - length) < 0.3


@pytest.mark.parametrize("size", [160, 1280, 16_000, 200_000])
def test_clips_are_the_same_in_chunks_of_any_size(tmp_path: Path, size: int) -> None:
    samples = np.linspace(0, 0.8, 160_000, endpoint=False, dtype=np.float32)
    found = [
        Detection("a", 1.0, 0.9),
        Detection("b", 6.04, 0.8),
        Detection("a", 6.4, 0.7),
        Detection("a", 9.96, 1),
    ]
    clips = Clips(tmp_path, lambda each: f"{each.time_s}", pytest.fail)
    for at in range(0, len(samples), size):
        last = min(at + size, len(samples)) / 16_000
        clips.add(samples[at : at + size], [each for each in found if at / 16_000 < each.time_s <= last])
    clips.close()
    for each in found:
        clip = audio.read(tmp_path / f"{each.keyword}_{each.time_s}_{each.score:.2f}.wav")
        first, end = (
            max(0, round((each.time_s - 2) * 16_000)),
            min(160_000, round((each.time_s + 0.5) * 16_000)),
        )
        np.testing.assert_allclose(clip, samples[first:end], atol=1e-4)


def test_clips_keep_little_in_memory(tmp_path: Path) -> None:
    clips = Clips(tmp_path, str, pytest.fail)
    for _ in range(1_000):
        clips.add(np.zeros(1_280, np.float32), [])
    assert sum(map(len, clips._chunks)) <= 3.1 * 16_000


def test_a_keyword_cannot_lead_out_of_the_folder(tmp_path: Path) -> None:
    clips = Clips(tmp_path / "in", lambda _: "../..", pytest.fail)
    clips.add(
        np.zeros(16_000, np.float32), [Detection("../../etc/pass wd", 0.1, 0.5), Detection("/", 0.2, 0.5)]
    )
    clips.close()
    assert sorted(path.name for path in (tmp_path / "in").iterdir()) == [
        "etc-pass-wd_x_0.50.wav",
        "x_x_0.50.wav",
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_clips_that_cannot_be_written_are_reported(
    listen: Run, tiny_model: Path, day: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    status, out, err = listen(tiny_model, "--wav", day, "--save", tmp_path / "clips", "--quiet")
    assert status == 1
    assert len(out.splitlines()) == 3  # listening went on
    assert err.count("No space left on device") == 3
    assert list((tmp_path / "clips").iterdir()) == []


def test_a_folder_that_cannot_be_made(listen: Run, tiny_model: Path, day: Path) -> None:
    status, out, err = listen(tiny_model, "--wav", day, "--save", day / "clips")
    assert (status, out) == (2, "")
    assert "cannot make the folder" in err
