"""Over a thousand damaged recordings: each is read or refused with a LinnetError; none crashes or hangs."""

from __future__ import annotations

import io
import random
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

PER_SEED = 150

# Reads every file of a folder and says what became of it; ends itself with a traceback where one takes 10
# seconds.
READER = """
    import faulthandler, os, sys
    from linnet import audio, errors

    for name in sorted(os.listdir(sys.argv[1])):
        print(name, end=" ", flush=True)
        faulthandler.dump_traceback_later(10, exit=True)
        try:
            for chunk in audio.file(os.path.join(sys.argv[1], name)):
                assert chunk.dtype == "float32" and chunk.ndim == 1 and abs(chunk).max() <= 1
        except errors.LinnetError as error:
            assert 20 < len(str(error)) < 400 and "\\n" not in str(error), error
            print("refused")
        else:
            print("read")
"""


def seeds() -> dict[str, bytes]:
    """A short recording in each container and encoding."""
    soundfile = pytest.importorskip("soundfile")
    noise = np.random.default_rng(1).normal(0, 0.1, (4_000, 2)).clip(-1, 1).astype(np.float32)
    made = {}
    for name, form, subtype, rate, channels in (
        ("wav8", "WAV", "PCM_U8", 16_000, 1),
        ("wav16", "WAV", "PCM_16", 16_000, 2),
        ("wav24", "WAVEX", "PCM_24", 44_100, 2),
        ("float", "WAV", "FLOAT", 16_000, 1),
        ("adpcm", "WAV", "IMA_ADPCM", 16_000, 1),
        ("rf64", "RF64", "PCM_16", 16_000, 1),
        ("flac", "FLAC", "PCM_16", 16_000, 1),
        ("ogg", "OGG", "VORBIS", 16_000, 1),
        ("opus", "OGG", "OPUS", 48_000, 1),
        ("mp3", "MP3", "MPEG_LAYER_III", 16_000, 1),
        ("aiff", "AIFF", "PCM_16", 22_050, 2),
    ):
        if form in soundfile.available_formats() and subtype in soundfile.available_subtypes(form):
            file = io.BytesIO()
            soundfile.write(file, noise[:, :channels], rate, subtype, format=form)
            made[name] = file.getvalue()
    return made


def damaged(content: bytes, dice: random.Random) -> Iterator[bytes]:
    """Endless variants: cut short, bytes changed anywhere or in the header, numbers in the header made
    absurd.
    """
    while True:
        yield content[: dice.randrange(len(content))]
        yield content[: dice.randrange(min(200, len(content)))]
        for span in (len(content), 64, 400):
            broken = bytearray(content)
            for _ in range(dice.choice((1, 3, 20))):
                broken[dice.randrange(min(span, len(broken)))] = dice.randrange(256)
            yield bytes(broken)
        broken = bytearray(content)
        absurd = dice.choice(
            (b"\0\0\0\0", b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", b"\1\0\0\0", b"\0\0\0\x80")
        )
        at = dice.randrange(0, 64, 2)
        size = dice.choice((2, 4))
        broken[at : at + size] = absurd[:size]
        yield bytes(broken)
        start, length = dice.randrange(len(content)), dice.randrange(1, 500)
        yield content[:start] + content[start + length :]
        yield content[:start] + dice.randbytes(length) + content[start:]


def test_damaged_recordings_are_read_or_refused(tmp_path: Path) -> None:
    dice = random.Random(20_000)
    count = 0
    for name, content in seeds().items():
        for number, broken in zip(range(PER_SEED), damaged(content, dice), strict=False):
            # Under a false name, so that content alone decides.
            (tmp_path / f"{name}-{number:03}{dice.choice(('.wav', '.flac', '.mp3', ''))}").write_bytes(broken)
            count += 1
    assert count >= 1_000
    ran = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(READER), tmp_path], capture_output=True, text=True, timeout=300
    )
    assert ran.returncode == 0, f"{ran.stdout[-100:]}\n{ran.stderr[-2000:]}"
    results = [line.split()[-1] for line in ran.stdout.splitlines()]
    assert len(results) == count
    assert min(results.count("read"), results.count("refused")) > 100
