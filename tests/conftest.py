"""What the tests share: tiny real models, made by scripts in a moment, as files."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_caption import tiny_caption_card, tiny_caption_onnx
from tiny_translate import tiny_translate_card, tiny_translate_onnx
from tiny_trigger import tiny_card, tiny_onnx


def pytest_configure() -> None:
    """Ctrl+C means to programs that tests start what it means on a terminal, in the background too."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


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
