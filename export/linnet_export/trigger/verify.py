"""No file without proof: the written model must compute what the trained network computes."""

from pathlib import Path

import numpy as np
import torch

from linnet import TriggerWord
from linnet.errors import ExportError
from linnet.stream import STATE, StreamModel
from linnet_export.trigger.pack import round_weights
from linnet_training.trigger.network import STEP_SAMPLES, TriggerModel, TriggerNetwork

TOLERANCE = 1e-4
"""Largest difference of a score or a state between torch and onnxruntime."""
CUT_TOLERANCE = 1e-6
"""Largest difference of a score between two ways to cut the same audio."""

_BATCHES_AND_STEPS = ((1, 1), (1, 2), (3, 7), (8, 2), (2, 50))
_CUTS = (160, 640, 1280, 1281, 4999, 32_000)


def verify(network: TriggerNetwork, path: Path) -> float:
    """Compare a written file with the network it was made from.

    Scores and states at several batch sizes and lengths, from zero and from running states; then the same
    audio cut in several ways through the runtime.

    Args:
        network: the trained network, before rounding.
        path: the model file, card included.

    Returns:
        the largest difference found between torch and onnxruntime.

    Raises:
        ExportError: they differ by more than the tolerance.
    """
    deployed = TriggerModel(round_weights(network)).eval().requires_grad_(False)
    model = StreamModel(path)
    rng = np.random.default_rng(0)
    worst = 0.0
    for batch, steps in _BATCHES_AND_STEPS:
        states = deployed.initial_states(batch)
        for _ in range(3):  # the second and third call start from states that calls made
            audio = _sound(rng, (batch, steps * STEP_SAMPLES))
            expected = deployed(torch.from_numpy(audio), *states)
            names = [name for name in model.input_shapes if name.startswith(STATE)]
            feeds = {"audio": audio, **dict(zip(names, (state.numpy() for state in states), strict=True))}
            got = model.run(feeds)
            worst = max(worst, *(_apart(e.numpy(), g) for e, g in zip(expected, got, strict=True)))
            states = expected[1:]
    if worst > TOLERANCE:
        raise ExportError(
            f"the exported file differs from the trained network by {worst:.1e}; it was not written"
        )
    _verify_cuts(path, rng)
    return worst


def _verify_cuts(path: Path, rng: np.random.Generator) -> None:
    audio = _sound(rng, (1, 6 * 16_000))[0]
    spotter = TriggerWord(path)
    whole = spotter.process(audio)
    for size in _CUTS:
        stream = spotter.stream()
        cut = np.concatenate([stream.process(audio[at : at + size]) for at in range(0, len(audio), size)])
        if _apart(cut, whole) > CUT_TOLERANCE:
            raise ExportError(
                f"cut into {size} samples the audio scores differently; the file was not written"
            )


def _apart(one: np.ndarray, other: np.ndarray) -> float:
    """The largest difference; infinite where shapes differ or something is not a number."""
    if one.shape != other.shape:
        return np.inf
    return float(np.nan_to_num(np.abs(one - other), nan=np.inf).max())


def _sound(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Noise whose level swings from silence to loud, so that every part of the network's range is met."""
    swing = np.repeat(10 ** rng.uniform(-4, -0.5, (shape[0], -(-shape[1] // 160))), 160, axis=1)[
        :, : shape[1]
    ]
    return (rng.standard_normal(shape) * swing).clip(-1, 1).astype(np.float32)
