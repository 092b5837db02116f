"""``linnet bench``: what a model costs, measured in a fresh process."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

Run = Callable[..., tuple[int, str, str]]


def test_bench_measures(run: Run, tiny_model: Path) -> None:
    status, out, _ = run("bench", tiny_model, "--rounds", 2)
    assert status == 0
    assert "2 rounds" in out
    assert "CPU per second of audio" in out
    _, out, _ = run("bench", tiny_model, "--rounds", 1, "--json")
    figures = json.loads(out)["rounds"][0]
    assert set(figures) == {"start_s", "load_s", "cpu_per_s", "memory_bytes"}
    assert all(value is None or value > 0 for value in figures.values())


def test_bench_measures_captioners(run: Run, tiny_captioner: Path) -> None:
    status, out, _ = run("bench", tiny_captioner, "--rounds", 1)
    assert status == 0
    assert "from start to the first caption" in out
    assert "JPEG of 640 x 480 to caption, greedy" in out
    _, out, _ = run("bench", tiny_captioner, "--rounds", 1, "--json")
    figures = json.loads(out)["rounds"][0]
    assert set(figures) == {"start_s", "load_s", "greedy_s", "caption_s", "memory_bytes"}
    assert all(value is None or value > 0 for value in figures.values())


def test_bench_measures_translators(run: Run, tiny_translator: Path) -> None:
    status, out, _ = run("bench", tiny_translator, "--rounds", 1)
    assert status == 0
    assert "from start to the first translation" in out
    assert "each of 32 of them" in out
    _, out, _ = run("bench", tiny_translator, "--rounds", 1, "--json")
    figures = json.loads(out)["rounds"][0]
    assert set(figures) == {"start_s", "load_s", "greedy_s", "translation_s", "many_s", "memory_bytes"}
    assert all(value is None or value > 0 for value in figures.values())


def test_bench_of_what_cannot_be_measured(run: Run, tiny_model: Path, tmp_path: Path) -> None:
    assert run("bench", tiny_model, "--rounds", 0)[0] == 2
    assert run("bench", tmp_path / "none.onnx")[0] == 2
