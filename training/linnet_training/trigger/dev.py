"""The dev stream: recordings held back from training, mixed as a test would be, scored after every epoch."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from linnet_training.trigger.evaluate import Curve, Interval, detection_curve
from linnet_training.trigger.frontend import HOP, MELS, TAIL, LogMel
from linnet_training.trigger.network import FRAMES_PER_STEP, STEP_S, TriggerNetwork
from linnet_training.trigger.stream import ListeningTest

NOISE_DB = 10.0
"""Signal-to-noise ratio of the noisy condition, as in Picovoice's wake-word-benchmark."""

_ROW_FRAMES = 3000
_WARM_UP_FRAMES = 400
_ROWS_AT_ONCE = 64


@dataclass(frozen=True)
class Condition:
    """One stream: its log-mel frames, and where each keyword is said."""

    mel: np.ndarray
    """float16, shape (frames, MELS)."""
    positives: dict[str, list[Interval]]
    """Start and end of every utterance in seconds, by keyword."""
    hours: dict[str, float]
    """Hours in which each keyword is not said."""

    @classmethod
    def of(cls, test: ListeningTest, snr_db: float | None) -> "Condition":
        """Features of a listening test, computed as its audio comes, so that hours fit in memory."""
        front_end, tail = LogMel(), torch.zeros(1, TAIL)
        rest, parts = np.zeros(0, np.float32), []
        for piece in test.pieces(snr_db):
            audio = np.concatenate([rest, piece])
            whole = len(audio) // HOP * HOP
            rest = audio[whole:]
            if whole:
                frames, tail = front_end(torch.from_numpy(audio[None, :whole]), tail)
                parts.append(frames[0].T.numpy().astype(np.float16))
        return cls(
            np.concatenate(parts), test.intervals, {key: test.hours_without(key) for key in test.intervals}
        )


@dataclass(frozen=True)
class DevStream:
    """The streams of a run, by condition ("clean", "noise")."""

    conditions: dict[str, Condition]
    refractory_s: float

    def __deepcopy__(self, memo: object) -> "DevStream":
        """Itself: averaging weights copies the module that holds it, and hours of features need no copy."""
        return self

    @classmethod
    def of(cls, test: ListeningTest, noisy: bool, refractory_s: float) -> "DevStream":
        """Clean, and with noise at 10 dB where there is noise."""
        conditions = {"clean": Condition.of(test, None)}
        if noisy:
            conditions["noise"] = Condition.of(test, NOISE_DB)
        return cls(conditions, refractory_s)

    @property
    def hardest(self) -> str:
        """The condition training is judged by: noise, where there is any."""
        return list(self.conditions)[-1]

    def curves(self, network: TriggerNetwork) -> dict[str, dict[str, Curve]]:
        """Misses over false alarms, by condition and keyword."""
        curves = {}
        for name, condition in self.conditions.items():
            scores = run(network, condition.mel)
            curves[name] = {
                keyword: detection_curve(
                    scores[:, column],
                    positives,
                    step_s=STEP_S,
                    refractory_s=self.refractory_s,
                    hours=condition.hours[keyword],
                    most_false_alarms_per_hour=10.0,
                )
                for column, (keyword, positives) in enumerate(condition.positives.items())
            }
        return curves

    def miss_rates(self, network: TriggerNetwork, false_alarms_per_hour: float) -> dict[str, float]:
        """Mean miss rate over keywords at a false-alarm rate, by condition."""
        return {
            name: float(np.mean([curve.miss_at(false_alarms_per_hour) for curve in by_keyword.values()]))
            for name, by_keyword in self.curves(network).items()
        }


def run(network: TriggerNetwork, mel: np.ndarray) -> np.ndarray:
    """Scores of a long stream, shape (frames, MELS) -> (steps, keywords).

    The stream is cut into rows of half a minute that run side by side, each warmed up on the four seconds
    before it.
    """
    device = network.mean.device
    frames = len(mel) // FRAMES_PER_STEP * FRAMES_PER_STEP
    starts: Sequence[int] = range(0, frames, _ROW_FRAMES)
    rows = np.full((len(starts), _WARM_UP_FRAMES + _ROW_FRAMES, MELS), np.log(1e-6), np.float32)
    for row, start in zip(rows, starts, strict=True):
        first, last = max(0, start - _WARM_UP_FRAMES), min(frames, start + _ROW_FRAMES)
        at = first - (start - _WARM_UP_FRAMES)
        row[at : at + last - first] = mel[first:last]
    was_training = network.training
    network.eval()
    parts: list[Tensor] = []
    with torch.no_grad():
        for at in range(0, len(rows), _ROWS_AT_ONCE):
            chunk = torch.from_numpy(rows[at : at + _ROWS_AT_ONCE]).to(device)
            logits, _ = network(chunk.transpose(1, 2), network.initial_state(len(chunk)))
            parts.append(torch.sigmoid(logits[:, _WARM_UP_FRAMES // FRAMES_PER_STEP :]).cpu())
    network.train(was_training)
    scores = torch.cat(parts).numpy()
    return scores.reshape(-1, scores.shape[-1])[: frames // FRAMES_PER_STEP]
