"""A real model file, made in a moment: it hears tones of 500 Hz ("low") and 2 kHz ("high")."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from linnet.card import METADATA_KEY, Card, DataSource, OperatingPoint, Quality, TriggerSettings

STEP = 640
TONES = {"low": 500, "high": 2000}


def card(**changes: object) -> Card:
    """Its card, with fields changed as a test wants."""
    curve = (OperatingPoint(0.0, 0.9, 0.05, 0.2), OperatingPoint(0.5, 0.6, 0.01, 0.12), OperatingPoint(2.0, 0.3, 0, 0))
    settings = TriggerSettings(
        keywords=tuple(TONES),
        sample_rate=16_000,
        step_samples=STEP,
        chunk_samples=2 * STEP,
        smoothing_steps=1,
        refractory_s=0.5,
        default_false_alarms_per_hour=0.5,
        curves={keyword: curve for keyword in TONES},
    )
    fields: dict[str, object] = {
        "name": "tones",
        "description": "Hears two tones.",
        "licence": "Apache-2.0",
        "created": "2026-11-21T04:00:00Z",
        "author": "the tests",
        "versions": {"linnet": "0.1.0", "onnx": onnx.__version__},
        "data": (DataSource(name="tones", source="made here", licence="CC0", used_for="everything"),),
        "recipe": {"network": {"layers": 1}, "epochs": 0},
        "quality": tuple(
            Quality(
                measure="miss rate at 0.5 false alarms/h", keyword=keyword, condition=condition, value=value, data="dev"
            )
            for keyword in TONES
            for condition, value in (("clean", 0.01), ("10 dB noise", 0.125))
        ),
        "trigger": settings,
    }
    return Card(**{**fields, **changes})  # type: ignore[arg-type]


def save(path: Path, metadata: str | None = None) -> Path:
    """Write the model; ``metadata`` replaces the card's JSON."""
    time = np.arange(STEP) / 16_000
    waves = [wave(2 * np.pi * hertz * time) for hertz in TONES.values() for wave in (np.cos, np.sin)]
    weights = {
        "basis": np.stack(waves, 1).astype(np.float32) * np.float32(2 / STEP),
        # Full score from an amplitude of 0.25 on.
        "pairs": np.kron(np.eye(2), np.ones((2, 1))).astype(np.float32) * np.float32(16),
        "frames": np.array([0, -1, STEP], np.int64),
        "least": np.float32(0),
        "most": np.float32(1),
    }
    nodes = [
        helper.make_node("Reshape", ["audio", "frames"], ["framed"]),
        helper.make_node("MatMul", ["framed", "basis"], ["parts"]),
        helper.make_node("Mul", ["parts", "parts"], ["squares"]),
        helper.make_node("MatMul", ["squares", "pairs"], ["power"]),
        helper.make_node("Clip", ["power", "least", "most"], ["scores"]),
    ]
    graph = helper.make_graph(
        nodes,
        "tones",
        [helper.make_tensor_value_info("audio", TensorProto.FLOAT, ["batch", "samples"])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["batch", "steps", len(TONES)])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, {METADATA_KEY: card().to_json() if metadata is None else metadata})
    onnx.save(model, str(path))
    return path


def recording(*spoken: tuple[float, str], seconds: float) -> NDArray[np.float32]:
    """Silence with a tone of 0.2 s at each (time, keyword)."""
    samples = np.zeros(round(seconds * 16_000), np.float32)
    for start, keyword in spoken:
        first = round(start * 16_000)
        span = np.arange(3200)
        samples[first : first + 3200] = 0.3 * np.sin(2 * np.pi * TONES[keyword] * span / 16_000)
    return samples
