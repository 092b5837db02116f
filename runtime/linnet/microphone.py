"""The microphone, through sounddevice and PortAudio, which are loaded when it is first used.

PortAudio calls back with each buffer; the callback only copies it into a bounded queue, from which the
listener takes it. Buffers that the system overran, or that found the queue full, are counted. When buffers
stop coming the device is taken for gone: PortAudio keeps the list of devices that it made at its start, so it
is started anew, ever more rarely, until the device is back.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from linnet.errors import DeviceError, MissingPackageError
from linnet.extras import install
from linnet.resample import RATE, Resampler

__all__ = ["Device", "Microphone", "devices"]

CHUNK_S = 0.08
"""Length of a buffer."""

PATIENCE_S = 2.0
"""A device that sends nothing for this long is gone."""

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 10.0
"""Waits between attempts to find it again: the first, and what doubling stops at."""

_QUEUE_BUFFERS = 64  # 5 s: what a listener may fall behind before buffers are dropped


@dataclass(frozen=True)
class Device:
    """A device that can record."""

    index: int
    name: str
    channels: int
    rate: int
    """The samples per second that it prefers."""
    default: bool
    """Whether the system uses it where none is named."""


def devices() -> list[Device]:
    """The devices that can record now.

    Raises MissingPackageError without the ``audio`` extra, DeviceError where PortAudio is missing or mute.
    """
    sounddevice = _sounddevice()
    try:
        listed = list(sounddevice.query_devices())
    except sounddevice.PortAudioError as error:
        raise DeviceError(f"the sound system does not answer ({error}); check that it runs") from None
    try:
        default = sounddevice.query_devices(kind="input")["index"]
    except (sounddevice.PortAudioError, ValueError):
        default = -1  # there may be devices and no default one
    return [
        Device(i, str(d["name"]), d["max_input_channels"], round(d["default_samplerate"]), i == default)
        for i, d in enumerate(listed)
        if d["max_input_channels"] > 0
    ]


class Microphone:
    """A microphone as a source: an endless iterator of float32 chunks (samples,), 16 kHz, mono, 80 ms each.

    A device that cannot record at 16 kHz is recorded at its own rate and resampled. One that is unplugged is
    waited for; where the system's default was asked for, whatever is the default by then takes over. Use it
    in a ``with`` block, or call `close`.
    """

    dropped: int
    """Buffers lost so far because this program or the system did not keep up."""
    name: str
    """The device listened to."""
    status: str
    """The last thing that happened to it, as a sentence."""

    def __init__(
        self, device: int | str | None = None, *, on_status: Callable[[str], None] | None = None
    ) -> None:
        """Start to record.

        Args:
            device: its number or a part of its name; None is the system's default.
            on_status: called with each new `status`, from the thread that iterates.

        Raises DeviceError where there is no such device or it cannot be opened, MissingPackageError without
        sounddevice.
        """
        self.dropped = 0
        self.name = self.status = ""
        self._wanted = device
        self._on_status = on_status
        self._closed = threading.Event()
        self._stream: Any = None
        self._open()
        if isinstance(device, int):
            self._wanted = self.name  # numbers change when devices come and go

    def __iter__(self) -> Iterator[NDArray[np.float32]]:
        return self

    def __next__(self) -> NDArray[np.float32]:
        """The next chunk. Waits for it, and for the device where that is gone; ends with `close`."""
        while not self._closed.is_set():
            try:
                buffer = self._queue.get(timeout=PATIENCE_S)
            except queue.Empty:
                buffer = None
            if buffer is None:
                if not self._closed.is_set():
                    self._wait_for_device()
                continue
            chunk = self._resampler(buffer.mean(axis=1, dtype=np.float32) / 32768)
            if len(chunk):
                return chunk
        raise StopIteration

    def __enter__(self) -> Microphone:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop recording and give the device back; may be called twice, and from another thread."""
        self._closed.set()
        with suppress(queue.Full):
            self._queue.put_nowait(None)
        self._stop()

    def _open(self) -> None:
        """Open the wanted device at the first rate and number of channels that it takes."""
        sounddevice = _sounddevice()
        found = _find(self._wanted)
        # A new queue each time, so that what an old stream still sends goes nowhere.
        self._queue: queue.Queue[NDArray[np.int16] | None] = queue.Queue(_QUEUE_BUFFERS)
        heard, finished = self._callbacks(self._queue)
        refusal: Exception | None = None
        for rate, channels in ((RATE, 1), (found.rate, 1), (found.rate, found.channels)):
            try:
                self._stream = sounddevice.InputStream(
                    samplerate=rate,
                    blocksize=round(rate * CHUNK_S),
                    device=found.index,
                    channels=channels,
                    dtype="int16",
                    callback=heard,
                    finished_callback=finished,
                )
                self._stream.start()
            except (sounddevice.PortAudioError, ValueError) as error:
                self._stop()
                refusal = error
            else:
                self.name = found.name
                self._resampler = Resampler(rate, found.name)
                return
        raise DeviceError(f"cannot record from {found.name} ({refusal}); another program may be using it")

    def _callbacks(
        self, buffers: queue.Queue[NDArray[np.int16] | None]
    ) -> tuple[Callable[..., None], Callable[[], None]]:
        """What PortAudio's thread calls with each buffer, and when the stream ends. Neither may wait."""

        def heard(buffer: NDArray[np.int16], _frames: int, _time: object, flags: Any) -> None:
            self.dropped += bool(flags.input_overflow)  # something before this buffer was lost
            try:
                buffers.put_nowait(buffer.copy())
            except queue.Full:
                self.dropped += 1

        def finished() -> None:
            with suppress(queue.Full):
                buffers.put_nowait(None)

        return heard, finished

    def _wait_for_device(self) -> None:
        """Let go of the device and try to open it again until that works, or until `close`."""
        self._tell(f"{self.name} sends nothing any more; waiting for it")
        pause = FIRST_PAUSE_S
        while not self._closed.is_set():
            self._stop()
            try:
                _rescan()
                self._open()
            except DeviceError:
                self._closed.wait(pause)
                pause = min(2 * pause, LONGEST_PAUSE_S)
            else:
                self._tell(f"listening to {self.name} again")
                return

    def _stop(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            # PortAudio reports all sorts of things of a device that is no longer there; there is nothing left
            # to lose.
            with suppress(Exception):
                stream.close(ignore_errors=True)

    def _tell(self, status: str) -> None:
        self.status = status
        if self._on_status is not None:
            self._on_status(status)


def _sounddevice() -> Any:
    try:
        return import_module("sounddevice")
    except ImportError:
        raise MissingPackageError(f"the microphone needs sounddevice: {install('audio')}") from None
    except OSError:  # from the package itself, on systems for which it brings no PortAudio
        raise DeviceError("the microphone needs the PortAudio library: apt install libportaudio2") from None


def _find(wanted: int | str | None) -> Device:
    """The device of that number, or the first whose name is or else contains that text, or the default."""
    known = devices()
    if not known:
        raise DeviceError("no microphone was found; connect one, or give a recording with --wav")
    if wanted is None:
        matching = [each for each in known if each.default] or known
    elif isinstance(wanted, int):
        matching = [each for each in known if each.index == wanted]
    else:
        text = wanted.casefold()
        matching = [each for each in known if each.name.casefold() == text]
        matching += [each for each in known if text in each.name.casefold()]
    if not matching:
        raise DeviceError(f"no microphone is called {wanted!r}; linnet listen --devices lists them")
    return matching[0]


def _rescan() -> None:
    """Make PortAudio look for devices anew, for which it must be started anew."""
    sounddevice = _sounddevice()
    # The only way to it is through these two; they are what sounddevice's author names for the purpose.
    for step in (sounddevice._terminate, sounddevice._initialize):
        try:
            step()
        except sounddevice.PortAudioError as error:
            raise DeviceError(f"the sound system does not answer ({error}); check that it runs") from None
