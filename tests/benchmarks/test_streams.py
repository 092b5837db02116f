"""That the benchmark runs; its figures are nobody's test."""

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).with_name("streams.py")


def test_the_benchmark_measures_threads_and_batches(tiny_model):
    options = ["--model", str(tiny_model), "--streams", "1", "3", "--seconds", "0.5"]
    done = subprocess.run([sys.executable, str(SCRIPT), *options], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    rows = [line.strip("| ").split(" | ") for line in done.stdout.splitlines()[2:]]
    assert [row[0] for row in rows] == ["1", "3"]
    assert all(float(value) > 0 for row in rows for value in row)
