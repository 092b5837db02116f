"""What is played to the tiny detector, and what it makes of it."""

import numpy as np

STEP = 640


def reference(pcm):
    """The tiny model's scores, reckoned in NumPy."""
    steps = len(pcm) // STEP
    heard = np.concatenate([np.zeros(160), pcm]).astype(np.float64)
    state, scores = np.zeros(2), []
    for step in range(steps):
        window = heard[step * STEP : step * STEP + STEP + 160]
        state = state / 2 + np.tanh(6 * np.array([np.abs(window).mean(), np.abs(np.diff(window)).mean()])) / 2
        scores.append(1 / (1 + np.exp(-16 * (state - 0.4))))
    return np.array(scores).reshape(steps, 2)


def tone(seconds, level=0.4):
    return (level * np.sin(2 * np.pi * 200 * np.arange(round(16000 * seconds)) / 16000)).astype(np.float32)


def silence(seconds):
    return np.zeros(round(16000 * seconds), np.float32)


def sound(random, seconds=3.0):
    """Bursts of noise and tone of many levels, so that scores move over the whole range."""
    pieces = []
    while sum(map(len, pieces)) < 16000 * seconds:
        level, length = random.uniform(0, 0.4), random.uniform(0.02, 0.3)
        pieces.append(tone(length, level))
        pieces.append((level * random.standard_normal(round(16000 * length))).astype(np.float32))
    return np.clip(np.concatenate(pieces), -1, 1)[: round(16000 * seconds)]


def cuts(random, length, longest):
    """Random pieces of a range: slices of 0 to ``longest`` samples that follow each other."""
    start = 0
    while start < length:
        end = min(length, start + int(random.integers(0, longest + 1)))
        yield slice(start, end)
        start = end
