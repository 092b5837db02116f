"""A model that hears tones, and recordings of tones: the smallest real model there can be to measure.

Its score for a keyword is the share of the power of each 40 ms that lies at the keyword's pitch.
"""

import json

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from linnet import audio

PITCHES = {"yes": 1000.0, "hey there": 2000.0}
STEP = 640
RATE = 16_000


def write_model(path):
    """Write the model; its threshold is 0.5, and 0.9 for no false alarms at all."""
    time = np.arange(STEP) / RATE
    waves = [wave(2 * np.pi * hertz * time) for hertz in PITCHES.values() for wave in (np.sin, np.cos)]
    constants = {
        "waves": (np.stack(waves, axis=1) * np.sqrt(2 / STEP)).astype(np.float32),
        "split": np.array([0, -1, STEP]),
        "pairs": np.array([0, 0, len(PITCHES), 2]),
        "last": np.array([-1]),
        "tiny": np.array(1e-6, dtype=np.float32),
    }
    nodes = [
        helper.make_node("Reshape", ["audio", "split"], ["steps"]),
        helper.make_node("MatMul", ["steps", "waves"], ["parts"]),
        helper.make_node("Reshape", ["parts", "pairs"], ["paired"]),
        helper.make_node("ReduceSumSquare", ["paired", "last"], ["at_pitch"], keepdims=0),
        helper.make_node("ReduceSumSquare", ["steps", "last"], ["all"], keepdims=1),
        helper.make_node("Add", ["all", "tiny"], ["power"]),
        helper.make_node("Div", ["at_pitch", "power"], ["scores"]),
        helper.make_node("Identity", ["state_nothing"], ["next_nothing"]),
    ]
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "tones",
        [
            value("audio", TensorProto.FLOAT, ["batch", "samples"]),
            value("state_nothing", TensorProto.FLOAT, ["batch", 1]),
        ],
        [
            value("scores", TensorProto.FLOAT, ["batch", "steps", len(PITCHES)]),
            value("next_nothing", TensorProto.FLOAT, ["batch", 1]),
        ],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    helper.set_model_props(model, {"linnet": json.dumps(_card())})
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
    return path


def write_tone(path, seconds, hertz, level=0.3):
    """Write a steady tone with a little hiss as a WAV file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    time = np.arange(round(seconds * RATE)) / RATE
    hiss = np.random.default_rng(round(hertz)).normal(0, 0.01, len(time))
    audio.write_wav(path, (level * np.sin(2 * np.pi * hertz * time) + hiss).clip(-1, 1).astype(np.float32))
    return path


def write_hiss(path, seconds):
    """Write white noise as a WAV file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    hiss = np.random.default_rng(5).normal(0, 0.1, round(seconds * RATE))
    audio.write_wav(path, hiss.clip(-1, 1).astype(np.float32))
    return path


def _card():
    """The card."""
    points = [
        {
            "false_alarms_per_hour": 0.0,
            "threshold": 0.9,
            "miss_clean": 0.1,
            "miss_noise": 0.2,
        },
        {"false_alarms_per_hour": 0.5, "threshold": 0.5, "miss_clean": 0.0, "miss_noise": 0.1},
    ]
    return {
        "version": 1,
        "task": "trigger",
        "name": "tones",
        "description": "hears two tones",
        "licence": "Apache-2.0",
        "created": "2026-01-01T00:00:00Z",
        "author": "the tests",
        "versions": {},
        "data": [],
        "recipe": {},
        "quality": [],
        "trigger": {
            "keywords": list(PITCHES),
            "sample_rate": RATE,
            "step_samples": STEP,
            "chunk_samples": 2 * STEP,
            "smoothing_steps": 1,
            "refractory_s": 1.0,
            "default_false_alarms_per_hour": 0.5,
            "curves": {keyword: points for keyword in PITCHES},
        },
    }
