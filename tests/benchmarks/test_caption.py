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


def test_what_cannot_be_measured_is_one_sentence(tmp_path):
    for options, wrong in (
        (["--rounds", "0"], "argument --rounds: must be a whole number from 1, not 0"),
        (["--model", "nosuch"], "caption.py: there is no model 'nosuch'; "),
        (["--images", str(tmp_path)], f"caption.py: there is no JPEG in {tmp_path}"),
    ):
        done = subprocess.run([sys.executable, str(SCRIPT), *options], capture_output=True, text=True)
        assert (done.returncode, done.stdout) == (2, "")
        assert wrong in done.stderr.splitlines()[-1]
        assert "Traceback" not in done.stderr
