"""Recordings and streams of every kind, good and bad."""

from __future__ import annotations

import io
import struct
import sys
import tracemalloc
import wave
from pathlib import Path

import numpy as np
import pytest
from waves import FLOAT, PCM, encode, save, tone, wav_bytes

from linnet import audio, wav
from linnet.errors import AudioError, AudioFormatError, AudioNotFoundError, MissingPackageError


@pytest.mark.parametrize("extensible", [False, True])
@pytest.mark.parametrize(
    ("bits", "encoding", "error"),
    [(8, PCM, 1 / 128), (16, PCM, 1e-4), (24, PCM, 1e-6), (32, PCM, 1e-7), (32, FLOAT, 0), (64, FLOAT, 0)],
)
def test_wav_of_every_width(tmp_path: Path, bits: int, encoding: int, error: float, extensible: bool) -> None:
    signal = tone()
    content = wav_bytes(encode(signal, bits, encoding), bits=bits, encoding=encoding, extensible=extensible)
    heard = audio.read(save(tmp_path, content))
    assert heard.dtype == np.float32
    assert heard.shape == signal.shape
    np.testing.assert_allclose(heard, signal, atol=error, rtol=0)


def test_reads_what_the_standard_library_writes_and_the_reverse(tmp_path: Path) -> None:
    signal = np.array([0, 1, -1, 32767, -32768, 1234], np.int16)
    with wave.open(str(tmp_path / "a.wav"), "wb") as writer:
        writer.setparams((1, 2, 16_000, 0, "NONE", ""))
        writer.writeframes(signal.tobytes())
    np.testing.assert_array_equal(audio.read(tmp_path / "a.wav") * 32768, signal)
    audio.write_wav(tmp_path / "b.wav", signal)
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()
    audio.write_wav(tmp_path / "c.wav", audio.read(tmp_path / "a.wav"))
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "c.wav").read_bytes()


def test_channels_are_averaged(tmp_path: Path) -> None:
    left, right = tone(), tone(hertz=200)
    content = wav_bytes(encode(np.stack([left, right], 1), 32, FLOAT), channels=2, bits=32, encoding=FLOAT)
    np.testing.assert_allclose(audio.read(save(tmp_path, content)), (left + right) / 2, atol=1e-7)


def test_a_tone_keeps_its_pitch_and_what_would_alias_is_filtered(tmp_path: Path) -> None:
    pytest.importorskip("soxr")
    for rate in (8_000, 44_100, 48_000, 96_000):
        content = wav_bytes(encode(tone(1.0, rate, 1_000), 16), rate=rate)
        heard = audio.read(save(tmp_path, content))
        assert abs(len(heard) - 16_000) <= 1
        np.testing.assert_allclose(heard[1000:15000], tone(1.0, 16_000, 1_000)[1000:15000], atol=2e-3)
    too_high = wav_bytes(encode(tone(1.0, 48_000, 9_000), 16), rate=48_000)
    assert np.abs(audio.read(save(tmp_path, too_high))[1000:15000]).max() < 1e-3


@pytest.mark.parametrize("rate", [16_000, 44_100])
def test_the_chunk_length_changes_nothing(tmp_path: Path, rate: int) -> None:
    if rate != 16_000:
        pytest.importorskip("soxr")
    path = save(tmp_path, wav_bytes(encode(tone(2.0, rate), 16), rate=rate))
    whole = audio.read(path)
    for chunk_s in (0.0, 0.0101, 0.08, 100.0):
        pieces = list(audio.file(path, chunk_s=chunk_s))
        np.testing.assert_allclose(np.concatenate(pieces), whole, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "form"), [("a.flac", "FLAC"), ("a.ogg", "OGG"), ("a.mp3", "MP3"), ("a.aiff", "AIFF")]
)
def test_other_formats_under_any_name(tmp_path: Path, name: str, form: str) -> None:
    soundfile = pytest.importorskip("soundfile")
    if form not in soundfile.available_formats():
        pytest.skip(f"this soundfile writes no {form}")
    soundfile.write(tmp_path / name, tone(1.0), 16_000, format=form)
    renamed = save(tmp_path, (tmp_path / name).read_bytes(), "renamed.wav")
    for path in (tmp_path / name, renamed):
        heard = audio.read(path)
        assert 15_900 < len(heard) < 18_500  # MP3 pads
        assert 0.4 < np.abs(heard).max() < 0.6


def test_wav_with_another_encoding_goes_through_soundfile(tmp_path: Path) -> None:
    soundfile = pytest.importorskip("soundfile")
    soundfile.write(tmp_path / "a.wav", tone(), 16_000, subtype="ULAW")
    np.testing.assert_allclose(audio.read(tmp_path / "a.wav"), tone(), atol=0.02)


def test_chunks_before_the_samples_are_passed_over(tmp_path: Path) -> None:
    notes = b"LIST" + struct.pack("<I", 5) + b"hello" + b"\0"  # odd sizes are padded
    path = save(tmp_path, wav_bytes(encode(tone(), 16), before=notes))
    assert len(audio.read(path)) == 8_000


def test_what_follows_the_samples_is_not_heard(tmp_path: Path) -> None:
    path = save(tmp_path, wav_bytes(encode(tone(), 16)) + b"LIST" + struct.pack("<I", 400) + b"\x55" * 400)
    assert len(audio.read(path)) == 8_000


@pytest.mark.parametrize("claimed", [0, 0x7FFF_FFFF, 0xFFFF_FFFF, 4_000_000_000, 1_000_000_000])
def test_sizes_that_lie_cost_no_memory(tmp_path: Path, claimed: int) -> None:
    path = save(tmp_path, wav_bytes(encode(tone(), 16), claimed=claimed))
    tracemalloc.start()
    heard = audio.read(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(heard) == 8_000
    assert peak < 5e6


def test_rf64_has_its_size_elsewhere(tmp_path: Path) -> None:
    data = encode(tone(), 16)
    ds64 = b"ds64" + struct.pack("<IQQQI", 28, 0, len(data), 8_000, 0)
    content = wav_bytes(data, claimed=0xFFFF_FFFF, before=ds64) + b"LIST\x04\0\0\0abcd"
    assert len(audio.read(save(tmp_path, b"RF64" + content[4:]))) == 8_000


def test_a_long_file_needs_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    seconds = 3_600
    with open(path, "wb") as stream:
        stream.write(wav.header(32_000 * seconds))
        stream.truncate(44 + 32_000 * seconds)  # a hole, which reads as zeros and takes no disk
    tracemalloc.start()
    heard = sum(len(chunk) for chunk in audio.file(path))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert heard == 16_000 * seconds
    assert peak < 2e6


def test_one_sample_is_audio(tmp_path: Path) -> None:
    assert audio.read(save(tmp_path, wav_bytes(b"\0\x40"))).tolist() == [0.5]


def test_float_a_little_over_full_scale_is_clipped(tmp_path: Path) -> None:
    content = wav_bytes(encode(tone() * 4, 32, FLOAT), bits=32, encoding=FLOAT)
    assert np.abs(audio.read(save(tmp_path, content))).max() == 1.0


GOOD = wav_bytes(encode(tone(), 16))


BAD_FILES = {
    "empty": (b"", "empty"),
    "three bytes": (b"RIF", None),
    "no samples": (wav_bytes(b""), "no samples"),
    "half a sample": (wav_bytes(b"\1"), "no samples"),
    "cut in the header": (GOOD[:30], "ends inside its WAV header"),
    "cut before the samples": (GOOD[:36], "ends inside its WAV header"),
    "only RIFF": (b"RIFF", "ends inside its WAV header"),
    "another RIFF": (b"RIFF\x10\0\0\0AVI LIST", "no WAV audio"),
    "short layout": (GOOD[:16] + b"\x08\0\0\0" + GOOD[20:], None),
    "samples first": (GOOD[:12] + b"data\x04\0\0\0abcd" + GOOD[12:], "before the header"),
    "rate 0": (wav_bytes(b"\0" * 99, rate=0), "0 samples per second"),
    "rate 1": (wav_bytes(b"\0" * 99, rate=1), "1 samples per second"),
    "rate 10 MHz": (wav_bytes(b"\0" * 99, rate=10_000_000), "10000000 samples per second"),
    "rate 4 GHz": (wav_bytes(b"\0" * 99, rate=4_294_967_295), "samples per second"),
    "0 channels": (wav_bytes(b"\0" * 99, channels=0), "0 channels"),
    "200 channels": (wav_bytes(b"\0" * 999, channels=200), "200 channels"),
    "65535 channels": (wav_bytes(b"\0" * 999, channels=65535), "65535 channels"),
    "contradictory": (GOOD[:32] + b"\x07\0" + GOOD[34:], "contradicts itself"),
    "NaN": (
        wav_bytes(encode(np.array([0, np.nan], np.float32), 32, FLOAT), bits=32, encoding=FLOAT),
        "not finite",
    ),
    "infinity": (
        wav_bytes(encode(np.array([0, -np.inf], np.float32), 32, FLOAT), bits=32, encoding=FLOAT),
        "not finite",
    ),
    "beyond float32": (wav_bytes(np.array([1e300]).tobytes(), bits=64, encoding=FLOAT), "not finite"),
    "unscaled": (
        wav_bytes(encode(np.array([3e4], np.float32), 32, FLOAT), bits=32, encoding=FLOAT),
        "full scale",
    ),
    "endless notes": (GOOD[:12] + b"LIST\xff\xff\xff\xff" + GOOD[12:], "ends inside its WAV header"),
    "text": (b"Dear diary, today I recorded nothing.\n" * 9, None),
    "zeros": (b"\0" * 4096, None),
    "cut mp3": (b"ID3\x03\0\0\0\0\0\x21TSSE", None),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_bad_files_say_what_is_wrong(tmp_path: Path, case: str) -> None:
    content, sentence = BAD_FILES[case]
    if sentence is None:
        pytest.importorskip("soundfile")
    with pytest.raises(AudioFormatError, match=sentence) as caught:
        audio.read(save(tmp_path, content))
    assert "it.wav" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(AudioNotFoundError, match="no audio file") as caught:
        audio.read(tmp_path / "missing.wav")
    assert isinstance(caught.value, FileNotFoundError)
    with pytest.raises(AudioFormatError, match="is a folder"):
        audio.read(tmp_path)
    with pytest.raises(AudioError, match="cannot open"):
        audio.read("a\0b.wav")


def test_a_name_that_means_raw_to_soundfile(tmp_path: Path) -> None:
    pytest.importorskip("soundfile")
    with pytest.raises(AudioFormatError, match="is not audio that can be read"):
        audio.read(save(tmp_path, b"\1\2\3\4" * 100, "it.raw"))


def test_errors_come_when_the_file_is_named_not_later(tmp_path: Path) -> None:
    with pytest.raises(AudioFormatError):
        audio.file(save(tmp_path, wav_bytes(b"\0" * 99, rate=1)))


@pytest.mark.parametrize(
    ("package", "content"),
    [("soxr", wav_bytes(encode(tone(), 16), rate=8_000)), ("soundfile", b"fLaC" + b"\0" * 99)],
)
def test_missing_packages_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: str, content: bytes
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingPackageError, match=rf"{package}.*pip install '\.\[audio\]'"):
        audio.read(save(tmp_path, content))


def test_float_and_24_bit_need_no_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for package in ("soxr", "soundfile"):
        monkeypatch.setitem(sys.modules, package, None)
    content = wav_bytes(encode(tone(), 24), bits=24, extensible=True)
    assert len(audio.read(save(tmp_path, content))) == 8_000


class Trickle(io.RawIOBase):
    """A pipe that hands over a few bytes at a time, and cannot seek."""

    def __init__(self, content: bytes) -> None:
        self._rest = io.BytesIO(content)

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        return self._rest.read(min(size, 7) if size >= 0 else 7)


def test_raw_pcm_from_a_stream() -> None:
    signal = np.arange(-5_000, 5_000, dtype=np.int16)
    for content in (signal.tobytes(), signal.tobytes() + b"\x55"):  # a byte cut off is not half a sample
        chunks = list(audio.pcm(io.BytesIO(content)))
        assert [len(chunk) for chunk in chunks] == [1280] * 7 + [1040]
        np.testing.assert_array_equal(np.concatenate(chunks) * 32768, signal)


def test_a_trickling_stream_loses_nothing() -> None:
    signal = np.arange(-5_000, 5_000, dtype=np.int16)
    for content in (signal.tobytes(), wav_bytes(signal.tobytes())):
        np.testing.assert_array_equal(np.concatenate(list(audio.pcm(Trickle(content)))) * 32768, signal)  # type: ignore[arg-type]


def test_a_wav_header_on_a_stream_is_believed() -> None:
    pytest.importorskip("soxr")
    # What `arecord` sends when told nothing: 8 kHz, 8 bits, a size as large as may be.
    content = wav_bytes(encode(tone(1.0, 8_000), 8), rate=8_000, bits=8, claimed=0x7FFF_FF00)
    heard = np.concatenate(list(audio.pcm(Trickle(content))))  # type: ignore[arg-type]
    assert abs(len(heard) - 16_000) <= 1
    np.testing.assert_allclose(heard[1000:15000], tone(1.0)[1000:15000], atol=0.02)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "no samples"),
        (b"\1", "no samples"),
        (b"fLaC1234", "carries FLAC"),
        (b"OggS1234", "carries Ogg"),
        (b"ID3\x031234", "carries MP3"),
        (GOOD[:20], "ends inside its WAV header"),
        (wav_bytes(b"\0" * 99, encoding=0x55, bits=16), "not plain PCM"),
    ],
)
def test_bad_streams_say_what_is_wrong(content: bytes, sentence: str) -> None:
    with pytest.raises(AudioFormatError, match=sentence):
        list(audio.pcm(io.BytesIO(content)))
