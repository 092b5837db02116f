"""The demo that listens: the words said in a recording next to those heard."""

import json
import runpy
from pathlib import Path

import numpy as np
import pytest

from linnet import Detection, audio
from linnet.errors import ModelNotFoundError

SCRIPT = Path(__file__).parents[2] / "demos/sample.py"


@pytest.fixture
def sample():
    """The functions of the script."""
    return runpy.run_path(str(SCRIPT))


def test_what_was_heard_stands_beside_what_was_said(sample):
    said = [
        {"text": "alexa", "start_s": 1.0, "end_s": 1.6},
        {"text": "it rains", "start_s": 3.0, "end_s": 4.0},
        {"text": "jarvis", "start_s": 5.0, "end_s": 5.5},
    ]
    events = [
        Detection("alexa", 2.0, 0.9),
        Detection("jarvis", 3.5, 0.8),
    ]
    assert sample["compare"](said, events, ["alexa", "jarvis"]) == [
        "   time  said      heard",
        "  1.0 s  alexa     alexa at 2.0 s, score 0.90",
        "  3.0 s  it rains",
        "  3.5 s            jarvis at 3.5 s, score 0.80 -- false alarm",
        "  5.0 s  jarvis    -- missed",
        "",
        "keywords heard: 1 of 2; false alarms: 1",
    ]


def test_the_recording_is_listened_to(sample, tiny_model, tmp_path, capsys):
    pcm = np.zeros(4 * 16000, dtype=np.float32)
    pcm[16000:32000] = 0.9 * np.sin(np.arange(16000) / 5)  # "loud" to the tiny model
    audio.write_wav(tmp_path / "s.wav", pcm)
    notes = {"keywords": ["loud"], "said": [{"text": "loud", "start_s": 1.0, "end_s": 2.0}]}
    (tmp_path / "s.json").write_text(json.dumps(notes))
    heard = sample["hear"](tmp_path / "s.wav", str(tiny_model))
    assert heard[0].keyword == "loud"
    printed = capsys.readouterr().out
    assert "loud at 1." in printed
    assert "keywords heard: 1 of 1" in printed


def test_a_model_that_is_not_there_is_said(sample, tmp_path):
    (tmp_path / "s.json").write_text(json.dumps({"keywords": ["x"], "said": []}))
    with pytest.raises(ModelNotFoundError):
        sample["hear"](tmp_path / "s.wav", "missing.onnx")


@pytest.mark.skipif(not SCRIPT.with_name("sample.wav").exists(), reason="there is no demos/sample.wav")
def test_the_shipped_model_finds_what_is_said_in_the_shipped_recording(sample, capsys):
    sample["hear"]()
    printed = capsys.readouterr().out
    assert "missed" not in printed
    assert "false alarms: 0" in printed
