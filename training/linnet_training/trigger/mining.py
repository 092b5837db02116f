"""False alarms in audio without the keyword: the best negatives there are."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch

import linnet.audio
from linnet.errors import AudioError
from linnet_training.trigger.bank import Kind, Source
from linnet_training.trigger.dev import run
from linnet_training.trigger.frontend import SAMPLE_RATE, log_mel
from linnet_training.trigger.network import FRAMES_PER_STEP, STEP_SAMPLES, TriggerNetwork

SUSPICIOUS = 0.2
_BEFORE = int(1.2 * SAMPLE_RATE)
_AFTER = int(0.4 * SAMPLE_RATE)
_VARIANTS = 4


def false_alarms(
    network: TriggerNetwork, paths: Sequence[Path], progress: Callable[[int, int], None] | None = None
) -> list[Source]:
    """Every stretch of 1.6 s around a score above 0.2, as sources for the bank.

    Args:
        network: the detector so far.
        paths: recordings in which the keyword is not said; clips kept by `linnet listen --save` are fine.
            Those that cannot be read are left out.
        progress: called with (recordings heard, all).
    """
    found = []
    for done, path in enumerate(paths, 1):
        if progress:
            progress(done, len(paths))
        try:
            audio = linnet.audio.read(path)
        except AudioError:
            continue
        mel = log_mel(torch.from_numpy(audio[None]))[0].numpy()
        if len(mel) < FRAMES_PER_STEP:
            continue
        worst = run(network, mel).max(axis=1)
        for step in _peaks(worst):
            at = (step + 1) * STEP_SAMPLES
            found.append(Source(audio[max(0, at - _BEFORE) : at + _AFTER], Kind.WORD, variants=_VARIANTS))
    return found


def _peaks(scores: np.ndarray) -> list[int]:
    """The highest step of each second that holds a suspicious score."""
    steps_per_second = SAMPLE_RATE // STEP_SAMPLES
    peaks = []
    for first in range(0, len(scores), steps_per_second):
        step = first + int(scores[first : first + steps_per_second].argmax())
        if scores[step] >= SUSPICIOUS:
            peaks.append(step)
    return peaks
