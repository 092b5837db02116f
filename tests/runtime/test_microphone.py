"""The microphone, on a sound card that is made of Python."""

from __future__ import annotations

import sys
import threading
import types
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from linnet import audio, microphone
from linnet.errors import DeviceError, MissingPackageError

Flags = types.SimpleNamespace
FINE, OVERFLOWN = Flags(input_overflow=False), Flags(input_overflow=True)


class PortAudioError(Exception):
    pass


class Card(types.ModuleType):
    """Stands in for the package sounddevice: what is plugged in, what it can do, and what was asked of it."""

    PortAudioError = PortAudioError

    def __init__(self) -> None:
        super().__init__("sounddevice")
        self.plugged = [
            self.device("Speaker", channels=0),
            self.device("Built-in Audio"),
            self.device("USB Microphone"),
        ]
        self.seen = list(self.plugged)  # PortAudio sees what was plugged in when it started
        self.default: int | None = 1
        self.takes: Callable[[dict[str, Any]], bool] = lambda _: True
        self.streams: list[Stream] = []
        self.starts = 0
        self.on_open: Callable[[Stream], None] = lambda _: None

    @staticmethod
    def device(name: str, channels: int = 1, rate: float = 44_100.0) -> dict[str, Any]:
        return {"name": name, "max_input_channels": channels, "default_samplerate": rate}

    def query_devices(self, kind: str | None = None) -> Any:
        if kind is None:
            return self.seen
        if self.default is None or self.default >= len(self.seen):
            raise PortAudioError("Error querying device -1")
        return {**self.seen[self.default], "index": self.default}

    def InputStream(self, **asked: Any) -> Stream:  # noqa: N802 (sounddevice's name)
        if not self.takes(asked) or self.seen[asked["device"]] not in self.plugged:
            raise PortAudioError("Invalid sample rate [PaErrorCode -9997]")
        self.streams.append(Stream(self, asked))
        return self.streams[-1]

    def _terminate(self) -> None:
        self.seen = []

    def _initialize(self) -> None:
        self.starts += 1
        self.seen = list(self.plugged)


class Stream:
    def __init__(self, card: Card, asked: dict[str, Any]) -> None:
        self.card, self.asked, self.closed = card, asked, False

    def start(self) -> None:
        self.card.on_open(self)

    def send(self, value: int, flags: Any = FINE) -> None:
        buffer = np.full((self.asked["blocksize"], self.asked["channels"]), value, np.int16)
        self.asked["callback"](buffer, len(buffer), None, flags)
        buffer[:] = -1  # PortAudio uses its memory again

    def end(self) -> None:
        self.asked["finished_callback"]()

    def close(self, ignore_errors: bool) -> None:
        assert ignore_errors
        self.closed = True
        raise PortAudioError("the device is gone")


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> Card:
    made = Card()
    monkeypatch.setitem(sys.modules, "sounddevice", made)
    monkeypatch.setattr(microphone, "PATIENCE_S", 0.02)
    monkeypatch.setattr(microphone, "FIRST_PAUSE_S", 0.001)
    monkeypatch.setattr(microphone, "LONGEST_PAUSE_S", 0.004)
    return made


def test_chunks_arrive_as_they_were_sent(card: Card) -> None:
    with audio.microphone() as source:
        asked = card.streams[0].asked
        assert (asked["samplerate"], asked["channels"], asked["dtype"], asked["device"]) == (
            16_000,
            1,
            "int16",
            1,
        )
        for value in (1, 2, 3):
            card.streams[0].send(value * 1024)
        for value in (1, 2, 3):
            chunk = next(source)
            assert chunk.dtype == np.float32
            assert chunk.tolist() == [value / 32] * 1280
        assert (source.name, source.dropped) == ("Built-in Audio", 0)
    assert card.streams[0].closed
    assert list(source) == []


def test_overrun_buffers_are_counted(card: Card) -> None:
    with audio.microphone() as source:
        card.streams[0].send(1)
        card.streams[0].send(2, OVERFLOWN)
        card.streams[0].send(3)
        assert [round(float(next(source)[0] * 32768)) for _ in range(3)] == [1, 2, 3]
        assert source.dropped == 1


def test_a_slow_listener_loses_the_newest_and_memory_stays_bounded(card: Card) -> None:
    with audio.microphone() as source:
        for value in range(100):
            card.streams[0].send(value)
        kept = [round(float(next(source)[0] * 32768)) for _ in range(64)]
        assert kept == list(range(64))
        assert source.dropped == 36


@pytest.mark.parametrize(
    ("wanted", "index"), [(None, 1), (2, 2), ("usb", 2), ("USB Microphone", 2), ("built-in", 1)]
)
def test_devices_by_number_and_name(card: Card, wanted: int | str | None, index: int) -> None:
    with audio.microphone(wanted):
        assert card.streams[0].asked["device"] == index


def test_an_exact_name_goes_before_one_that_contains_it(card: Card) -> None:
    card.seen.append(card.device("USB"))
    card.plugged = list(card.seen)
    with audio.microphone("usb") as source:
        assert source.name == "USB"


@pytest.mark.parametrize("wanted", [0, 17, "webcam"])
def test_a_device_that_is_not_there(card: Card, wanted: int | str) -> None:
    with pytest.raises(DeviceError, match="listen --devices"):
        audio.microphone(wanted)


def test_no_device_at_all(card: Card) -> None:
    card.seen = card.seen[:1]  # a loudspeaker
    with pytest.raises(DeviceError, match="no microphone was found"):
        audio.microphone()


def test_devices_without_a_default(card: Card) -> None:
    card.default = None
    assert [device.default for device in microphone.devices()] == [False, False]
    with audio.microphone() as source:
        assert source.name == "Built-in Audio"


def test_devices_are_listed(card: Card) -> None:
    assert microphone.devices() == [
        microphone.Device(1, "Built-in Audio", 1, 44_100, True),
        microphone.Device(2, "USB Microphone", 1, 44_100, False),
    ]


def test_a_sound_system_that_does_not_answer(card: Card, monkeypatch: pytest.MonkeyPatch) -> None:
    def silence(kind: str | None = None) -> Any:
        raise PortAudioError("not initialized")

    monkeypatch.setattr(card, "query_devices", silence)
    with pytest.raises(DeviceError, match="does not answer"):
        microphone.devices()


def test_a_device_that_refuses_16_khz_is_resampled(card: Card) -> None:
    pytest.importorskip("soxr")
    card.takes = lambda asked: asked["samplerate"] == 44_100 and asked["channels"] == 2
    card.seen[1]["max_input_channels"] = 2
    with audio.microphone() as source:
        stream = card.streams[0]
        assert stream.asked["blocksize"] == 3528
        time = np.arange(20 * 3528) / 44_100
        wave = np.rint(8192 * np.sin(2 * np.pi * 1000 * time)).astype(np.int16)
        for at in range(0, len(wave), 3528):
            stream.asked["callback"](np.stack([wave[at : at + 3528]] * 2, 1), 3528, None, FINE)
        heard = np.concatenate([next(source) for _ in range(15)])
        expected = 0.25 * np.sin(2 * np.pi * 1000 * np.arange(len(heard)) / 16_000)
        np.testing.assert_allclose(heard[500:], expected[500:], atol=2e-3)


def test_a_device_that_refuses_everything(card: Card) -> None:
    card.takes = lambda _: False
    with pytest.raises(DeviceError, match=r"cannot record from Built-in Audio \(Invalid sample rate"):
        audio.microphone()


def test_a_device_that_is_unplugged_is_waited_for(card: Card, monkeypatch: pytest.MonkeyPatch) -> None:
    """It falls silent, is away for a few attempts, comes back under another number, and goes on."""
    said: list[str] = []
    with audio.microphone(2, on_status=said.append) as source:
        card.streams[0].send(100)
        assert round(float(next(source)[0] * 32768)) == 100
        usb = card.plugged.pop()

        def replug(_: float | None = None) -> bool:
            if card.starts == 3:
                card.plugged.insert(0, usb)
            return False

        monkeypatch.setattr(source._closed, "wait", replug)  # instead of waiting
        card.on_open = lambda stream: stream.send(200)
        assert round(float(next(source)[0] * 32768)) == 200
        card.streams[0].send(300)  # what the old stream still says goes nowhere
        card.streams[1].send(400)
        assert round(float(next(source)[0] * 32768)) == 400
        assert card.streams[0].closed
        assert card.streams[1].asked["device"] == 0
    assert card.starts == 4
    assert said == [
        "USB Microphone sends nothing any more; waiting for it",
        "listening to USB Microphone again",
    ]
    assert source.status == said[-1]


def test_a_stream_that_ends_is_noticed_at_once(card: Card, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(microphone, "PATIENCE_S", 600)
    with audio.microphone() as source:
        card.on_open = lambda stream: stream.send(5)
        card.streams[0].end()
        assert round(float(next(source)[0] * 32768)) == 5


def test_the_default_may_be_another_device_by_then(card: Card) -> None:
    with audio.microphone() as source:
        card.plugged = [card.device("Headset")]
        card.default = 0
        card.on_open = lambda stream: stream.send(5)
        next(source)
        assert source.name == "Headset"


def test_close_ends_the_wait(card: Card) -> None:
    source = audio.microphone()
    card.plugged = []
    thread = threading.Timer(0.1, source.close)
    thread.start()
    assert list(source) == []
    thread.join()


def test_missing_packages_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(MissingPackageError, match=r"pip install '\.\[audio\]'"):
        audio.microphone()


def test_a_missing_portaudio_is_named(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sounddevice.py").write_text("raise OSError('PortAudio library not found')")
    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(DeviceError, match="apt install libportaudio2"):
        audio.microphone()
