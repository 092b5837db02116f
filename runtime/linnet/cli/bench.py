"""``linnet bench``: what a model costs on this machine."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from linnet import zoo
from linnet.cli.progress import watched
from linnet.cli.terminal import columns
from linnet.errors import ModelError, UsageError
from linnet.modelfile import read_card

__all__ = ["add_bench", "measure"]

# Run by a fresh interpreter, so that starting is measured too and memory is this model's alone.
_CHILD = "import sys; sys.path[:] = {path!r}; from linnet import cost; cost.{task}(*{arguments!r})"

_Row = tuple[str, str, float, str]
_LOAD: _Row = ("load_s", "of that, loading the model", 1000, "ms")
_MEMORY: _Row = ("memory_bytes", "peak memory", 1e-6, "MB")
_ROWS: dict[str, tuple[_Row, ...]] = {
    "trigger": (
        ("start_s", "from start to the first score", 1000, "ms"),
        _LOAD,
        ("cpu_per_s", "CPU per second of audio, 80 ms at a time", 1000, "ms"),
        _MEMORY,
    ),
    "caption": (
        ("start_s", "from start to the first caption", 1000, "ms"),
        _LOAD,
        ("greedy_s", "JPEG of 640 x 480 to caption, greedy", 1000, "ms"),
        ("caption_s", "the same with the model's own beam", 1000, "ms"),
        _MEMORY,
    ),
    "translate": (
        ("start_s", "from start to the first translation", 1000, "ms"),
        _LOAD,
        ("greedy_s", "a sentence of ten words, greedy", 1000, "ms"),
        ("translation_s", "the same with the model's own beam", 1000, "ms"),
        ("many_s", "each of 32 of them", 1000, "ms"),
        _MEMORY,
    ),
}
_PICTURE = (640, 480)


def add_bench(subparsers: Any) -> None:
    """Add the command ``bench`` to argparse's subparsers."""
    parser = subparsers.add_parser(
        "bench",
        help="measure what a model costs on this machine",
        description="Measure a model on this machine: time to start, CPU time and memory; each round in a "
        "fresh process, on one thread.",
        epilog="examples:\n  linnet bench computer\n  linnet bench captioner\n  linnet bench de-en\n"
        "  linnet bench hey_linnet.onnx --rounds 20",
    )
    parser.add_argument("file", metavar="FILE", help="a bundled model's name or keyword, or a model file")
    parser.add_argument(
        "--rounds", metavar="N", type=int, default=5, help="how often to measure (default: 5)"
    )
    parser.add_argument("--json", action="store_true", help="print the figures of all rounds as JSON")
    parser.set_defaults(run=_run)


def measure(model: str | Path, *, picture: str | Path | None = None) -> dict[str, float | None]:
    """One round in a fresh interpreter: times in seconds, memory in bytes (None where the system is mute).

    Args:
        model: the file.
        picture: that a captioner is to caption; by default one of 640 x 480 pixels is made.

    Raises ModelError where the model cannot be run.
    """
    task = read_card(model).task
    with tempfile.TemporaryDirectory() as folder:
        pictures = []
        if task == "caption":
            pictures = [str(picture or _picture(Path(folder, "picture.jpg")))]
        code = _CHILD.format(path=sys.path, task=task, arguments=(str(model), time.time(), *pictures))
        child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    if child.returncode:
        reason = (child.stderr.strip().splitlines() or [f"status {child.returncode}"])[-1]
        raise ModelError(f"{model} could not be measured: {reason}")
    figures: dict[str, float | None] = json.loads(child.stdout)
    return figures


def _picture(path: Path) -> Path:
    """A JPEG with about as many details as a photograph has."""
    import numpy as np
    from PIL import Image

    random = np.random.default_rng(0)
    picture = Image.new("RGB", _PICTURE)
    for side in (4, 16, 64, 256):
        noise = random.integers(0, 256, (side * 3 // 4, side, 3), np.uint8)
        layer = Image.fromarray(noise).resize(_PICTURE, Image.Resampling.BICUBIC)
        picture = Image.blend(picture, layer, 0.4)
    picture.save(path, "JPEG", quality=90)
    return path


def _run(options: argparse.Namespace) -> int:
    if options.rounds < 1:
        raise UsageError("there must be at least one round")
    path = zoo.find(options.file).path
    card = read_card(path)  # so that a wrong file is named as such
    rounds = [measure(path) for _ in watched(range(options.rounds))]
    if options.json:
        print(json.dumps({"model": str(path), "rounds": rounds}))
        return 0
    print(f"{card.name}, {os.path.getsize(path) / 1000:.0f} kB; {options.rounds} rounds on one thread")
    table = [("", "median", "least", "")]
    for name, text, scale, unit in _ROWS[card.task]:
        values = [value * scale for each in rounds if (value := each[name]) is not None]
        shown = (
            (f"{statistics.median(values):.2f}", f"{min(values):.2f}") if values else ("unknown", "unknown")
        )
        table.append((text, *shown, unit))
    print("\n".join(columns(table, right=frozenset({1, 2}))))
    return 0
