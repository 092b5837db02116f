"""That the benchmark runs, where nothing but Linnet is installed too; its figures are nobody's test."""

import json
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).with_name("trigger.py")


def test_the_benchmark_measures_every_engine_or_says_why_not(tiny_model, tmp_path):
    report = tmp_path / "report.json"
    done = subprocess.run(
        [
            *(sys.executable, str(SCRIPT), "--model", str(tiny_model), "--json", str(report)),
            *("--rounds", "1", "--seconds", "0.5"),
        ],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    rows = json.loads(report.read_text())
    assert rows["Linnet"]["keywords"] == ["loud", "hiss"]
    assert len(rows) == 6
    for name, row in rows.items():
        assert row["skipped"] or (row["start_s"][0] > 0 and row["memory_mb"][0] > 1)
        assert any(line.startswith(f"| {name}") for line in done.stdout.splitlines())
