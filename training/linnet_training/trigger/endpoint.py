"""Where a spoken word starts and ends in a recording, found from its loudness."""

import numpy as np

from linnet_training.trigger.frontend import HOP

_BELOW_PEAK_DB = 26.0
_ABOVE_FLOOR_DB = 8.0
_GAP_FRAMES = 30


def speech_bounds(audio: np.ndarray) -> tuple[int, int]:
    """First and last sample of the loudest utterance in a recording.

    A frame of 10 ms counts as speech when its smoothed level is within 26 dB of the loudest and 8 dB above
    the noise floor (the 10th percentile). The utterance grows from the loudest frame across gaps of up to 0.3
    s, so that the closure of a stop consonant or the pause inside a phrase does not end it.

    Args:
        audio: float samples at 16 kHz, shape (samples,).

    Returns:
        (start, end) in samples; the whole recording if it is shorter than a few frames.
    """
    frames = len(audio) // HOP
    if frames < 5:
        return 0, len(audio)
    # Speech carries little below 100 Hz, hum and handling noise much: the difference is a cheap high-pass.
    energy = np.square(np.diff(audio[: frames * HOP], prepend=audio[0])).reshape(frames, HOP).mean(axis=1)
    level = 10 * np.log10(np.convolve(energy, np.ones(5) / 5, mode="same") + 1e-12)
    peak = int(level.argmax())
    threshold = max(
        level[peak] - _BELOW_PEAK_DB, min(np.percentile(level, 10) + _ABOVE_FLOOR_DB, level[peak] - 6)
    )
    active = np.flatnonzero(level >= threshold)
    runs = np.split(active, np.flatnonzero(np.diff(active) > _GAP_FRAMES) + 1)
    run = next(run for run in runs if run[0] <= peak <= run[-1])
    return int(run[0]) * HOP, min((int(run[-1]) + 1) * HOP, len(audio))
