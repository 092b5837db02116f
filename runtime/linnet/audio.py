"""Where audio comes from. A source is an iterator of float32 chunks (samples,), 16 kHz, mono, within -1 to 1.

    file("day.flac")           a recording, a chunk at a time
    pcm(sys.stdin.buffer)      what another program sends: raw 16-bit PCM, or WAV
    microphone()               the sound card
    read("word.wav")           a whole recording as one array

WAV needs nothing more. Other formats (FLAC, Ogg, MP3), other rates and the microphone need the extra
``audio``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import ArrayLike, NDArray

from linnet import wav
from linnet.errors import AudioError, AudioFormatError, AudioNotFoundError, MissingPackageError
from linnet.extras import install
from linnet.files import whole
from linnet.resample import RATE, Resampler

if TYPE_CHECKING:
    from linnet.microphone import Microphone

__all__ = ["RATE", "file", "microphone", "pcm", "read", "write_wav"]

# A float file may go a little over full scale; one that goes this far holds integers that nobody scaled.
_LOUDEST = 100.0
_MOST_SAMPLES = 1 << 20  # read at once, all channels together

_COMPRESSED = {b"fLaC": "FLAC", b"OggS": "Ogg", b"ID3\x02": "MP3", b"ID3\x03": "MP3", b"ID3\x04": "MP3"}


def read(path: str | Path) -> NDArray[np.float32]:
    """A whole recording as one array, float32 (samples,), 16 kHz, mono. Raises what `file` raises."""
    chunks = list(file(path))
    return np.concatenate(chunks) if chunks else np.zeros(0, np.float32)


def file(path: str | Path, *, chunk_s: float = 1.0) -> Iterator[NDArray[np.float32]]:
    """A recording, about ``chunk_s`` seconds at a time, so that its length costs no memory.

    The format is told by the content, not by the name. Channels are averaged, other rates are resampled. The
    file is opened at once, read as the iterator is.

    Raises AudioNotFoundError where there is no such file, AudioFormatError where it holds no audio that can
    be read, or samples that are not finite, MissingPackageError where the format or the rate needs the
    ``audio`` extra.
    """
    name = str(path)
    if os.path.isdir(path):
        raise AudioFormatError(f"{name} is a folder; give an audio file")
    try:
        stream = open(path, "rb")  # noqa: SIM115 (the iterator closes it)
    except FileNotFoundError:
        raise AudioNotFoundError(f"there is no audio file {name}") from None
    except (OSError, ValueError) as error:
        raise AudioError(f"cannot open {name}: {getattr(error, 'strerror', None) or error}") from None
    try:
        blocks, rate = _decoder(stream, name, chunk_s)
        return _closing(stream, _conditioned(blocks, Resampler(rate, name), name))
    except BaseException:
        stream.close()
        raise


def pcm(stream: BinaryIO, *, chunk_s: float = 0.08) -> Iterator[NDArray[np.float32]]:
    """Audio that another program sends, as it comes: raw 16-bit little-endian PCM, 16 kHz, mono; or WAV.

        arecord -f S16_LE -r 16000 -c 1 -t raw | linnet listen computer -

    A stream that begins with a WAV header is read as that header says. Waits for the first four bytes.

    Raises AudioFormatError where nothing comes, or something that is neither.
    """
    name = "standard input"
    magic = stream.read(4) or b""
    if magic in _COMPRESSED:
        raise AudioFormatError(
            f"{name} carries {_COMPRESSED[magic]}, and only raw PCM and WAV can be read from there; "
            "give it as a file"
        )
    if magic in wav.CONTAINERS:
        layout, first = wav.parse(stream, magic, name), b""
    else:
        layout, first = wav.WavFormat(), magic
    blocks = wav.samples(stream, layout, _block(chunk_s, layout.rate, layout.channels), first)
    return _conditioned(blocks, Resampler(layout.rate, name), name)


def microphone(
    device: int | str | None = None, *, on_status: Callable[[str], None] | None = None
) -> Microphone:
    """The microphone: endless, in chunks of 80 ms. See `linnet.microphone.Microphone`.

    Args:
        device: its number or a part of its name, as ``linnet listen --devices`` prints them; None is the
            system's default.
        on_status: called with a sentence when the device goes away and when it is back.

    Raises DeviceError where there is none, MissingPackageError without the ``audio`` extra.
    """
    from linnet.microphone import Microphone

    return Microphone(device, on_status=on_status)


def write_wav(path: str | Path, pcm: ArrayLike, *, rate: int = RATE) -> None:
    """Write mono samples, int16 or float within -1 to 1 (samples,), as 16-bit WAV, whole or not at all.

    Raises AudioError for anything but one dimension of finite samples, OutputError where the file cannot be
    written.
    """
    array = np.asarray(pcm)
    if array.ndim != 1 or not (array.dtype == np.int16 or np.issubdtype(array.dtype, np.floating)):
        raise AudioError(
            f"a WAV file is written from one dimension of int16 or float, not {array.dtype} {array.shape}"
        )
    if array.dtype != np.int16:
        if not np.isfinite(array).all():
            raise AudioError("a WAV file cannot hold samples that are not finite")
        array = np.clip(np.rint(array * 32768.0), -32768, 32767)
    data = array.astype("<i2").tobytes()
    if len(data) >= 1 << 32:
        raise AudioError("a WAV file holds at most 4 GB; write several")
    with whole(path) as stream:
        stream.write(wav.header(len(data), rate))
        stream.write(data)


def _block(chunk_s: float, rate: int, channels: int) -> int:
    """Frames to read at once."""
    return max(4, min(round(chunk_s * rate), _MOST_SAMPLES // channels))


def _decoder(stream: BinaryIO, name: str, chunk_s: float) -> tuple[Iterator[NDArray[np.float32]], int]:
    """The samples of the open file ``name`` as blocks (frames, channels), and their rate."""
    magic = stream.read(4)
    if not magic:
        raise AudioFormatError(f"{name} is empty; give a recording")
    if magic in wav.CONTAINERS:
        with suppress(wav.OtherEncodingError):  # which soundfile may know
            layout = wav.parse(stream, magic, name)
            return wav.samples(stream, layout, _block(chunk_s, layout.rate, layout.channels)), layout.rate
    try:
        soundfile = import_module("soundfile")
    except (ImportError, OSError):
        raise MissingPackageError(
            f"{name} is not a plain WAV file, and other formats need soundfile: {install('audio')}"
        ) from None
    try:
        sound = soundfile.SoundFile(name)
    except Exception as error:  # it raises types of its own, TypeError and UnicodeDecodeError among others
        raise _undecodable(name, error) from None
    if not 1 <= sound.channels <= wav.MAX_CHANNELS:
        sound.close()
        raise AudioFormatError(
            f"{name} claims {sound.channels} channels; 1 to {wav.MAX_CHANNELS} can be read"
        )
    return _decoded(sound, _block(chunk_s, sound.samplerate, sound.channels), name), int(sound.samplerate)


def _decoded(sound: Any, frames: int, name: str) -> Iterator[NDArray[np.float32]]:
    with sound:
        while True:
            try:
                block = sound.read(frames, dtype="float32", always_2d=True)
            except Exception as error:
                raise _undecodable(name, error) from None
            if not len(block):
                return
            yield block


def _undecodable(name: str, error: Exception) -> AudioFormatError:
    reason = str(getattr(error, "error_string", None) or error).rstrip(". ")
    return AudioFormatError(f"{name} is not audio that can be read ({reason}); give WAV, FLAC, Ogg or MP3")


def _closing(stream: BinaryIO, chunks: Iterator[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
    with stream:
        yield from chunks


def _conditioned(
    blocks: Iterator[NDArray[np.float32]], resampler: Resampler, name: str
) -> Iterator[NDArray[np.float32]]:
    """Check blocks (frames, channels), average their channels and bring them to 16 kHz."""
    empty = True
    try:
        for block in blocks:
            empty = False
            # False for NaN too.
            if not np.abs(block).max() <= _LOUDEST:
                raise AudioFormatError(
                    f"{name} holds samples that are not finite or far above full scale; "
                    "save it with samples from -1 to 1"
                )
            chunk = resampler(block.clip(-1, 1).mean(axis=1))
            if len(chunk):
                yield chunk
    except OSError as error:
        raise AudioError(f"{name} cannot be read to its end: {error.strerror or error}") from None
    if empty:
        raise AudioFormatError(f"{name} holds no samples; give a recording")
    tail = resampler(np.zeros(0, np.float32), last=True)
    if len(tail):
        yield tail
