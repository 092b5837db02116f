"""What the tests share: tiny real models, made by scripts in a moment.

The captioner stands in runtime/tiny_caption.py, the translator in runtime/tiny_translate.py. The trigger
model below obeys the contract of trigger models and can be reckoned by hand. Each step looks at the mean of
|x| over the last 800 samples, and at the mean of |x[t] - x[t - 1]|; a GRU with constant gates takes the mean
of each and its own past; a logistic function makes them the scores of "loud" and "hiss". A loud tone is
"loud", noise is both, silence is neither.
"""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_caption import tiny_caption_card, tiny_caption_onnx
from tiny_translate import tiny_translate_card, tiny_translate_onnx

STEP = 640
TAIL = 160  # samples that a step's window reaches back into the step before


def pytest_configure() -> None:
    """Ctrl+C means to programs that tests start what it means on a terminal, in the background too."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def tiny_card(**changes: Any) -> dict[str, Any]:
    """The tiny model's card as plain JSON; ``changes`` replace its fields or those of its settings."""
    keywords = changes.get("keywords", ["loud", "hiss"])
    curve = [
        {"false_alarms_per_hour": 0.0, "threshold": 0.95, "miss_clean": 0.1, "miss_noise": 0.2},
        {"false_alarms_per_hour": 0.5, "threshold": 0.75, "miss_clean": 0.05, "miss_noise": 0.1},
        {"false_alarms_per_hour": 2.0, "threshold": 0.5, "miss_clean": 0.0, "miss_noise": 0.05},
    ]
    trigger = {
        "keywords": keywords,
        "sample_rate": 16000,
        "step_samples": STEP,
        "chunk_samples": 2 * STEP,
        "smoothing_steps": 1,
        "refractory_s": 1.0,
        "default_false_alarms_per_hour": 0.5,
        "curves": {keyword: curve for keyword in keywords},
    }
    card = {
        "version": 1,
        "task": "trigger",
        "name": "tiny",
        "description": "Hears loud sound and hissing sound.",
        "licence": "Apache-2.0",
        "created": "2026-01-02T03:04:05Z",
        "author": "the tests",
        "versions": {"linnet": "0.1.0"},
        "data": [{"name": "none", "source": "made by hand", "licence": "none", "used_for": "nothing"}],
        "recipe": {"seed": 1},
        "quality": [
            {"measure": "miss rate", "keyword": "loud", "condition": "clean", "value": 0.05, "data": "none"}
        ],
        "trigger": trigger,
    }
    for name, value in changes.items():
        (trigger if name in trigger else card)[name] = value
    return card


def tiny_onnx(card: dict[str, Any] | str | None = None) -> Any:
    """The tiny model as a ModelProto; ``card`` is JSON, or a text to write as it is (empty: no card)."""
    import onnx
    from onnx import TensorProto, numpy_helper
    from onnx.helper import (
        make_graph,
        make_model,
        make_node,
        make_opsetid,
        make_tensor_value_info,
        set_model_props,
    )

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
    node = make_node
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

    def value(name: str, *shape: int | str) -> Any:
        return make_tensor_value_info(name, TensorProto.FLOAT, shape)

    graph = make_graph(
        nodes,
        "tiny",
        [
            value("audio", "batch", "samples"),
            value("state_tail", "batch", TAIL),
            value("state_gru", "batch", hidden),
        ],
        [
            value("scores", "batch", "steps", hidden),
            value("next_tail", "batch", TAIL),
            value("next_gru", "batch", hidden),
        ],
        [numpy_helper.from_array(np.asarray(array), name) for name, array in constants.items()],
    )
    model = make_model(graph, opset_imports=[make_opsetid("", 18)], ir_version=9)
    text = card if isinstance(card, str) else json.dumps(tiny_card() if card is None else card)
    if text:
        set_model_props(model, {"linnet": text})
    onnx.checker.check_model(model, full_check=True)
    return model


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Path of the tiny model; do not change the file."""
    path = tmp_path_factory.mktemp("tiny") / "tiny.onnx"
    path.write_bytes(tiny_onnx().SerializeToString())
    return path


@pytest.fixture(scope="session")
def tiny_captioner(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Path of the tiny captioner; do not change the file."""
    path = tmp_path_factory.mktemp("tiny") / "captioner.onnx"
    path.write_bytes(tiny_caption_onnx().SerializeToString())
    return path


@pytest.fixture
def save_captioner(tmp_path: Path) -> Callable[..., Path]:
    """Write a ModelProto, or the tiny captioner with changed card fields; returns the path."""

    def save(model: Any = None, **changes: Any) -> Path:
        path = tmp_path / "model.onnx"
        model = tiny_caption_onnx(tiny_caption_card(**changes)) if model is None else model
        path.write_bytes(model.SerializeToString())
        return path

    return save


@pytest.fixture(scope="session")
def tiny_translator(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Path of the tiny translator; do not change the file."""
    path = tmp_path_factory.mktemp("tiny") / "translator.onnx"
    path.write_bytes(tiny_translate_onnx().SerializeToString())
    return path


@pytest.fixture
def save_translator(tmp_path: Path) -> Callable[..., Path]:
    """Write a ModelProto, or the tiny translator with changed card fields; returns the path."""

    def save(model: Any = None, **changes: Any) -> Path:
        path = tmp_path / "model.onnx"
        model = tiny_translate_onnx(tiny_translate_card(**changes)) if model is None else model
        path.write_bytes(model.SerializeToString())
        return path

    return save


@pytest.fixture
def make_card() -> Callable[..., dict[str, Any]]:
    """`tiny_card`: the tiny model's card as plain JSON, with changed fields."""
    return tiny_card


@pytest.fixture
def make_onnx() -> Callable[..., Any]:
    """`tiny_onnx`: the tiny model as an onnx.ModelProto, with another card if one is given."""
    return tiny_onnx


@pytest.fixture
def save_model(tmp_path: Path) -> Callable[..., Path]:
    """Write a ModelProto, or bytes, or the tiny model with changed card fields; returns the path."""

    def save(model: Any = None, **changes: Any) -> Path:
        if model is None:
            model = tiny_onnx(tiny_card(**changes))
        path = tmp_path / "model.onnx"
        path.write_bytes(model if isinstance(model, bytes) else model.SerializeToString())
        return path

    return save


@pytest.fixture
def random() -> np.random.Generator:
    """A generator of the same random numbers in every run."""
    return np.random.default_rng(20260102)
