"""WAV files are written whole or not at all."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from waves import tone

from linnet import audio
from linnet.errors import AudioError, OutputError


def test_write_wav_refuses_what_is_no_audio(tmp_path: Path) -> None:
    for bad in (np.zeros((2, 5), np.float32), np.zeros(5, np.int32), [0.0, np.nan]):
        with pytest.raises(AudioError):
            audio.write_wav(tmp_path / "a.wav", bad)
    assert list(tmp_path.iterdir()) == []


def test_write_wav_clips_and_rounds(tmp_path: Path) -> None:
    audio.write_wav(tmp_path / "a.wav", [2.0, -2.0, 1.4 / 32768])
    assert (audio.read(tmp_path / "a.wav") * 32768).tolist() == [32767, -32768, 1]


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot write") as caught:
        audio.write_wav(tmp_path / "none" / "a.wav", tone())
    assert isinstance(caught.value, OSError)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="limits on file size are POSIX")
def test_a_full_disk_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    target = tmp_path / "a.wav"
    target.write_bytes(b"old")
    child = """
        import resource, signal, sys
        from linnet import audio, errors
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        try:
            audio.write_wav(sys.argv[1], [0.0] * 100_000)
        except errors.OutputError as error:
            print(error)
    """
    ran = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(child), target], capture_output=True, text=True, check=True
    )
    assert "cannot write" in ran.stdout
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_device_is_written_and_not_replaced() -> None:
    with pytest.raises(OutputError, match="No space left"):
        audio.write_wav("/dev/full", [0.0] * 100_000)
    assert Path("/dev/full").is_char_device()


def test_an_interrupted_write_leaves_nothing(tmp_path: Path) -> None:
    from linnet.files import whole

    def interrupted() -> None:
        with whole(tmp_path / "a") as stream:
            stream.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list(tmp_path.iterdir()) == []
