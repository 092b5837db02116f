"""A tiny real trigger model, made by a script in a moment, which obeys the contract of trigger models.

It can be reckoned by hand. Each step looks at the mean of |x| over the last 800 samples, and at the mean of
|x[t] - x[t - 1]|; a GRU with constant gates takes the mean of each and its own past; a logistic function
makes them the scores of "loud" and "hiss". A loud tone is "loud", noise is both, silence is neither.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from tiny import FLOAT, card_of, model_of, node, value

STEP = 640
TAIL = 160  # samples that a step's window reaches back into the step before


def tiny_card(**changes: Any) -> dict[str, Any]:
    """The tiny model's card as plain JSON; ``changes`` replace its fields or those of its settings."""
    keywords = changes.get("keywords", ["loud", "hiss"])
    curve = [
        {"false_alarms_per_hour": 0.0, "threshold": 0.95, "miss_clean": 0.1, "miss_noise": 0.2},
        {"false_alarms_per_hour": 0.5, "threshold": 0.75, "miss_clean": 0.05, "miss_noise": 0.1},
        {"false_alarms_per_hour": 2.0, "threshold": 0.5, "miss_clean": 0.0, "miss_noise": 0.05},
    ]
    settings = {
        "keywords": keywords,
        "sample_rate": 16000,
        "step_samples": STEP,
        "chunk_samples": 2 * STEP,
        "smoothing_steps": 1,
        "refractory_s": 1.0,
        "default_false_alarms_per_hour": 0.5,
        "curves": {keyword: curve for keyword in keywords},
    }
    return card_of(
        "trigger",
        "tiny",
        "Hears loud sound and hissing sound.",
        {"measure": "miss rate", "keyword": "loud", "condition": "clean", "value": 0.05},
        settings,
        changes,
    )


def tiny_onnx(card: dict[str, Any] | str | None = None) -> Any:
    """The tiny model as a ModelProto; ``card`` is JSON, or a text to write as it is (empty: no card)."""
    hidden = 2
    # Candidate = tanh(features), both gates sigmoid(0) = 1/2, in ONNX's order: update, reset, hidden.
    feature_weights = np.concatenate([np.zeros((2 * hidden, 2)), np.diag([6.0, 6.0])]).astype(np.float32)[
        None
    ]
    constants = {
        "W": feature_weights,
        "R": np.zeros((1, 3 * hidden, hidden), np.float32),
        "B": np.zeros((1, 6 * hidden), np.float32),
        "mean": np.full((1, 1, STEP + TAIL), 1 / (STEP + TAIL), np.float32),
        "mean_change": np.full((1, 1, STEP + TAIL - 1), 1 / (STEP + TAIL - 1), np.float32),
        "slope": np.float32(16),
        "middle": np.float32(0.4),
        "zero": np.array([0]),
        "one": np.array([1]),
        "two": np.array([2]),
        "minus_one": np.array([-1]),
        "minus_tail": np.array([-TAIL]),
        "end": np.array([np.iinfo(np.int64).max]),
    }
    nodes = [
        node("Concat", ["state_tail", "audio"], ["heard"], axis=1),
        node("Slice", ["heard", "minus_tail", "end", "one"], ["next_tail"]),
        node("Unsqueeze", ["heard", "one"], ["x"]),
        node("Abs", ["x"], ["level"]),
        node("Conv", ["level", "mean"], ["loudness"], strides=[STEP]),
        node("Slice", ["x", "one", "end", "two"], ["later"]),
        node("Slice", ["x", "zero", "minus_one", "two"], ["earlier"]),
        node("Sub", ["later", "earlier"], ["change"]),
        node("Abs", ["change"], ["changes"]),
        node("Conv", ["changes", "mean_change"], ["sharpness"], strides=[STEP]),
        node("Concat", ["loudness", "sharpness"], ["pair"], axis=1),
        node("Transpose", ["pair"], ["features"], perm=[2, 0, 1]),
        node("Unsqueeze", ["state_gru", "zero"], ["before"]),
        node("GRU", ["features", "W", "R", "B", "", "before"], ["all", "after"], hidden_size=hidden),
        node("Squeeze", ["after", "zero"], ["next_gru"]),
        node("Squeeze", ["all", "one"], ["by_step"]),
        node("Transpose", ["by_step"], ["by_stream"], perm=[1, 0, 2]),
        node("Sub", ["by_stream", "middle"], ["above"]),
        node("Mul", ["above", "slope"], ["logits"]),
        node("Sigmoid", ["logits"], ["scores"]),
    ]

    inputs = [
        value("audio", FLOAT, "batch", "samples"),
        value("state_tail", FLOAT, "batch", TAIL),
        value("state_gru", FLOAT, "batch", hidden),
    ]
    outputs = [
        value("scores", FLOAT, "batch", "steps", hidden),
        value("next_tail", FLOAT, "batch", TAIL),
        value("next_gru", FLOAT, "batch", hidden),
    ]
    return model_of(nodes, inputs, outputs, constants, tiny_card() if card is None else card)
