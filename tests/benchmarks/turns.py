"""The side of a benchmark that measures: engines, each in a process of its own, take turns.

What happens in such a process is in serving.py.
"""

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

ONE_THREAD = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}


@dataclass
class Row:
    """What was measured of one engine, whatever it does."""

    start_s: list[float] = field(default_factory=list)
    """From the launch of Python to the end of the first piece of work."""
    start_cpu_s: list[float] = field(default_factory=list)
    """Of that, seconds of the processor."""
    memory_mb: float = 0.0
    """The peak of the whole process, after the last round."""
    skipped: str = ""
    """Why it was not measured, or nothing."""


class Worker:
    """An engine in a process of its own."""

    def __init__(self, command: Sequence[str]) -> None:
        """Start it, and wait until it is ready. Raises RuntimeError with its last word if it fails."""
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 (closed by `_end`)
        began = time.perf_counter()
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            env=os.environ | ONE_THREAD,
        )
        self.start_cpu_s: float = self._answer()
        self.start_s = time.perf_counter() - began

    def ask(self, question: str) -> dict[str, Any]:
        """Let it do a round of what is asked, and tell what it measured."""
        assert self._process.stdin
        print(question, file=self._process.stdin, flush=True)
        answer: dict[str, Any] = self._answer()
        return answer

    def close(self) -> float:
        """End it; MB of memory at its peak."""
        assert self._process.stdin
        self._process.stdin.close()
        memory: float = self._answer()
        self._end()
        return memory

    def _answer(self) -> Any:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if line:
            return json.loads(line)
        self._end()

    def _end(self) -> None:
        with self._process, self._errors:
            if self._process.wait():
                self._errors.seek(0)
                lines = self._errors.read().strip().splitlines()
                raise RuntimeError(lines[-1] if lines else f"status {self._process.returncode}")


AnyRow = TypeVar("AnyRow", bound=Row)


def measure(
    rows: Mapping[str, AnyRow],
    command: Callable[[str], Sequence[str]],
    questions: Sequence[str],
    keep: Callable[[AnyRow, str, dict[str, Any], bool], None],
    *,
    starts: int,
    rounds: int,
) -> None:
    """Time the starts, then the rounds, engines taking turns in both.

    Args:
        rows: of each engine. What it skips already is not run; what fails as it starts is skipped then.
        command: what runs an engine.
        questions: that are asked in every round, one after the other.
        keep: is given row, question, answer, and whether the answer counts: the first round warms up.
        starts: how often each is started.
        rounds: that count.
    """
    workers: dict[str, Worker] = {}
    for turn in range(starts):
        for name, row in rows.items():
            if row.skipped:
                continue
            try:
                worker = Worker(command(name))
            except RuntimeError as error:
                row.skipped = str(error)
                continue
            row.start_s.append(worker.start_s)
            row.start_cpu_s.append(worker.start_cpu_s)
            if turn + 1 < starts:
                worker.close()
            else:
                workers[name] = worker
    names = list(workers)
    for turn in range(-1, rounds):
        first = turn % max(1, len(names))
        for name in names[first:] + names[:first]:
            for question in questions:
                keep(rows[name], question, workers[name].ask(question), turn >= 0)
        if turn >= 0:
            print(f"round {turn + 1} of {rounds}", file=sys.stderr)
    for name, worker in workers.items():
        rows[name].memory_mb = worker.close()


def median_and_least(values: Sequence[float], digits: int) -> str:
    """Both, the least in brackets."""
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f})"


def ratio(mine: Sequence[float], theirs: Sequence[float]) -> str:
    """The median of how many times as much mine is, round by round; nothing where there are no rounds."""
    ratios = [one / other for one, other in zip(mine, theirs, strict=bool(theirs))]
    return f"{statistics.median(ratios):.2f}" if ratios else ""


def processor() -> str:
    """The name of the processor, as far as the system tells it."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return f"{line.partition(':')[2].strip()} x {os.cpu_count()}"
    except OSError:
        pass
    return f"{platform.processor() or platform.machine()} x {os.cpu_count()}"
