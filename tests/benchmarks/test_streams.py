"""That the benchmark runs; its figures are nobody's test."""

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).with_name("streams.py")


def test_what_cannot_be_measured_is_one_sentence():
    for options, wrong in (
        (["--streams", "0"], "argument --streams: must be a whole number from 1, not 0"),
        (["--seconds", "nan"], "argument --seconds: must be a number from 0.1 to 86400, not nan"),
        (["--model", "nosuch"], "streams.py: there is no model 'nosuch'; "),
    ):
        done = subprocess.run([sys.executable, str(SCRIPT), *options], capture_output=True, text=True)
        assert (done.returncode, done.stdout) == (2, "")
        assert wrong in done.stderr.splitlines()[-1]
        assert "Traceback" not in done.stderr


def test_the_benchmark_measures_threads_and_batches(tiny_model):
    options = ["--model", str(tiny_model), "--streams", "1", "3", "--seconds", "0.5"]
    done = subprocess.run([sys.executable, str(SCRIPT), *options], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    rows = [line.strip("| ").split(" | ") for line in done.stdout.splitlines()[2:]]
    assert [row[0] for row in rows] == ["1", "3"]
    assert all(float(value) > 0 for row in rows for value in row)
