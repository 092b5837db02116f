"""Linnet beside other trigger-word engines: processor time, start-up and memory.

    python tests/benchmarks/trigger.py                        # the bundled model
    python tests/benchmarks/trigger.py --model my_word.onnx   # one of your own

The others come with `pip install '.[benchmarks]'`; a row of an engine that is not installed says so.

Every figure comes from a process of its own, one engine in each. The engines take turns, round by round, so
that whatever else the machine does meets all of them. In its process an engine is started, timed from the
launch of Python to the first score; then it listens to a few seconds to warm up, and to the measured ones
without a pause, in chunks of 80 ms or in frames of its own where it wants those. Processor time is of all
threads together. Memory is the peak of the whole process, so the last row is what to subtract.

How well the same engines hear is measured by trigger_accuracy.py beside this file.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

import engines
import numpy as np
import serving
import turns

_SAMPLE = Path(__file__).parents[2] / "demos/sample.wav"
_WARM_UP_S = 3.0


@dataclass
class Row:
    """What was measured of one engine, a value per round."""

    keywords: list[str] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)  # processor seconds per second of audio
    start_s: list[float] = field(default_factory=list)
    memory_mb: list[float] = field(default_factory=list)
    skipped: str = ""


def main() -> int:
    """Measure, and print a table in Markdown."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--model", default="alexa", help="what Linnet runs: a keyword or a file (default: alexa)"
    )
    parser.add_argument("--audio", type=Path, help="a recording to listen to (default: the demo's)")
    parser.add_argument("--seconds", type=float, default=30.0, help="audio per round (default: 30)")
    parser.add_argument("--rounds", type=int, default=7, help="rounds (default: 7)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every value of every round too")
    parser.add_argument("--child", nargs=2, metavar=("ENGINE", "AUDIO"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        name, audio = args.child
        return _child(name, audio, args.model)

    names = ["Linnet", *engines.ENGINES]
    rows = {name: Row() for name in names}
    with tempfile.TemporaryDirectory() as folder:
        samples = Path(folder) / "audio.npy"
        np.save(samples, _audio(args.audio, args.seconds + _WARM_UP_S))
        for turn in range(args.rounds):
            for name in names[turn % len(names) :] + names[: turn % len(names)]:
                if not rows[name].skipped:
                    _measure(rows[name], name, samples, args.model)
            print(f"round {turn + 1} of {args.rounds}", file=sys.stderr)
    print(_table(rows, args))
    if args.json:
        args.json.write_text(json.dumps({name: vars(row) for name, row in rows.items()}, indent=2) + "\n")
    return 0


def _audio(path: Path | None, seconds: float) -> np.ndarray:
    """The recording, again and again until it is long enough, int16; hiss where there is no recording."""
    path = path or (_SAMPLE if _SAMPLE.exists() else None)
    if path is None:
        return np.random.default_rng(0).normal(0, 2000, round(seconds * engines.RATE)).astype(np.int16)
    from linnet import audio

    pcm = (audio.read(path) * 32767).astype(np.int16)
    return np.resize(pcm, round(seconds * engines.RATE))


def _measure(row: Row, name: str, audio: Path, model: str) -> None:
    """Run one engine in a process of its own and add what it measured to its row."""
    command = [sys.executable, __file__, "--child", name, str(audio), "--model", model]
    began = time.perf_counter()
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=errors, text=True, env=os.environ | turns.ONE_THREAD
        )
        with process:
            assert process.stdout
            first = process.stdout.readline()
            start_s = time.perf_counter() - began
            rest = process.stdout.read()
        if process.returncode:
            errors.seek(0)
            row.skipped = (errors.read().strip().splitlines() or [f"status {process.returncode}"])[-1]
            return
    answer = json.loads(rest)
    row.keywords = json.loads(first)
    row.start_s.append(start_s)
    row.cpu.append(answer["cpu"])
    row.memory_mb.append(answer["memory_mb"])


def _child(name: str, audio: str, model: str) -> int:
    """In a process of its own: load, first score, warm up, measure."""
    pcm = np.load(audio)
    try:
        engine = engines.linnet(model) if name == "Linnet" else engines.ENGINES[name][1]()
    except ImportError as error:
        print(f"{error.name or error} is not installed: pip install '.[benchmarks]'", file=sys.stderr)
        return 1
    frames = [pcm[i : i + engine.frame] for i in range(0, len(pcm) - engine.frame + 1, engine.frame)]
    position = 0
    while not len(engine.feed(frames[position])):
        position += 1
    print(json.dumps(list(engine.keywords)), flush=True)

    warm = round(_WARM_UP_S * engines.RATE / engine.frame)
    for frame in frames[position + 1 : warm]:
        engine.feed(frame)
    began = time.process_time()
    for frame in frames[warm:]:
        engine.feed(frame)
    spent = time.process_time() - began
    seconds = (len(frames) - warm) * engine.frame / engines.RATE
    print(json.dumps({"cpu": spent / seconds, "memory_mb": serving.peak_memory_mb()}))
    return 0


def _table(rows: dict[str, Row], args: argparse.Namespace) -> str:
    """All rows in Markdown: median, and the least in brackets."""
    ours = statistics.median(rows["Linnet"].cpu) if rows["Linnet"].cpu else None
    lines = [
        f"{platform.platform()}, Python {platform.python_version()}, {turns.processor()}; "
        f"{args.rounds} rounds of {args.seconds:g} s: median (least)",
        "",
        "| engine | keywords | CPU s per s of audio | x Linnet | start to first score, s | peak memory, MB |",
        "|---|---|---|---|---|---|",
    ]
    for name, row in rows.items():
        package = "linnet" if name == "Linnet" else engines.ENGINES[name][0]
        if row.skipped:
            lines.append(f"| {name} | | skipped: {row.skipped} | | | |")
            continue
        cpu, start = statistics.median(row.cpu), statistics.median(row.start_s)
        ratio = f"{cpu / ours:.1f}" if ours and row.keywords else ""
        lines.append(
            f"| {name} {metadata.version(package)} | {len(row.keywords)} | {cpu:.5f} ({min(row.cpu):.5f}) "
            f"| {ratio} | {start:.2f} ({min(row.start_s):.2f}) | {statistics.median(row.memory_mb):.0f} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
