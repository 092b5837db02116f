"""That the benchmark of captioners runs, where nothing but a file is at hand too; figures are not tested."""

import json
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).with_name("caption.py")


def test_the_benchmark_measures_the_file_and_its_encoder_and_says_why_not_the_rest(tiny_captioner, tmp_path):
    report = tmp_path / "report.json"
    done = subprocess.run(
        [
            *(sys.executable, str(SCRIPT), "--model", str(tiny_captioner), "--json", str(report)),
            *("--rounds", "1", "--pictures", "2", "--starts", "1", "--beam", "3"),
        ],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    rows = json.loads(report.read_text(encoding="utf-8"))
    assert len(rows) == 6
    for name, row in rows.items():
        assert any(line.startswith(f"| {name} |") for line in done.stdout.splitlines())
        if name in ("Linnet", "JPEG and encoder alone"):
            assert not row["skipped"]
            assert all(row[each][0] > 0 for each in ("greedy", "beam", "start_s", "start_cpu_s"))
            assert row["memory_mb"] > 1
        else:
            assert row["skipped"] == "needs --checkpoint"
    assert [caption.split()[-1] for caption in rows["Linnet"]["captions"]["greedy"]] == ["picture"] * 2
