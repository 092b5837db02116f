"""Where a word starts and ends."""

import numpy as np
import pytest

from linnet_training.trigger.endpoint import speech_bounds

RATE = 16_000


def recording(seconds, *bursts, noise=0.0):
    """Tones of 800 Hz among silence or white noise; each burst is (start, end, level) in seconds."""
    audio = np.random.default_rng(2).normal(0, 1, round(seconds * RATE)) * noise
    time = np.arange(len(audio)) / RATE
    for start, end, level in bursts:
        audio += level * np.sin(2 * np.pi * 800 * time) * ((time >= start) & (time < end))
    return audio.astype(np.float32)


@pytest.mark.parametrize("noise", [0.0, 0.001, 0.01])
@pytest.mark.parametrize(("start", "end"), [(0.5, 1.1), (0.0, 0.7), (1.6, 2.0)])
def test_a_burst(noise, start, end):
    found = np.array(speech_bounds(recording(2.0, (start, end, 0.3), noise=noise))) / RATE
    np.testing.assert_allclose(found, (start, end), rtol=0, atol=0.06)


@pytest.mark.parametrize("noise", [0.0, 0.003])
def test_a_short_pause_is_within_the_word(noise):
    audio = recording(2.0, (0.4, 0.8, 0.3), (1.0, 1.3, 0.1), noise=noise)
    np.testing.assert_allclose(np.array(speech_bounds(audio)) / RATE, (0.4, 1.3), rtol=0, atol=0.06)


def test_a_long_pause_ends_the_word():
    audio = recording(3.0, (0.4, 0.8, 0.1), (1.6, 2.0, 0.3))
    np.testing.assert_allclose(np.array(speech_bounds(audio)) / RATE, (1.6, 2.0), rtol=0, atol=0.06)


def test_hum_is_not_speech():
    time = np.arange(2 * RATE) / RATE
    audio = recording(2.0, (0.5, 1.0, 0.2)) + 0.3 * np.sin(2 * np.pi * 50 * time).astype(np.float32)
    np.testing.assert_allclose(np.array(speech_bounds(audio)) / RATE, (0.5, 1.0), rtol=0, atol=0.06)


@pytest.mark.parametrize("samples", [0, 1, 159, 160, 799, 800, 16_000])
@pytest.mark.parametrize("value", [0.0, 0.5])
def test_audio_without_any_word(samples, value):
    start, end = speech_bounds(np.full(samples, value, np.float32))
    assert 0 <= start <= end <= samples
