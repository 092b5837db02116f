"""That the benchmark of translators runs, where nothing but a file is at hand too; figures are not tested."""

import gzip
import json
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).with_name("translate.py")
SIZES = dict.fromkeys(("output", "encoder_hidden", "encoder_layers", "hidden", "layers"), 8)
QUESTIONS = ("1 greedy", "1 beam", "32 greedy", "32 beam")


def run(model, *arguments):
    command = (sys.executable, str(SCRIPT), "--model", str(model), *map(str, arguments))
    return subprocess.run(command, capture_output=True, text=True)


def test_the_benchmark_measures_the_file_and_says_why_not_the_rest(save_translator, tmp_path):
    report, text = tmp_path / "report.json", tmp_path / "text.gz"
    with gzip.open(text, "wt", encoding="utf-8") as lines:
        lines.write("Ein Hund läuft.\n\nZwei. Sätze. \nEine Frau liest.\n!\n")
    few = ("--rounds", 1, "--count", 3, "--starts", 1, "--beam", 3)
    given = ("--sentences", text, "--json", report, "--peers-python", tmp_path / "none")
    done = run(save_translator(recipe=SIZES), *few, *given)
    assert done.returncode == 0, done.stderr
    rows = json.loads(report.read_text(encoding="utf-8"))
    assert len(rows) == 6
    for name, row in rows.items():
        assert any(line.startswith(f"| {name} |") for line in done.stdout.splitlines())
        if name == "Linnet":
            assert not row["skipped"]
            assert all(row["seconds"][each][0] > 0 for each in QUESTIONS)
            assert row["start_s"][0] > 0
            assert row["start_cpu_s"][0] > 0
            assert row["memory_mb"] > 1
        elif name in ("JoeyNMT", "OpenNMT-py"):
            assert "cannot be run" in row["skipped"]
        else:
            assert row["skipped"] == "needs --checkpoint"
    ours = rows["Linnet"]
    for each in QUESTIONS:
        assert ours["texts"][each] == ["A dog runs.", "A woman reads.", "A dog runs."]
        assert ours["tokens"][each] == 3 * 5


def test_a_model_that_is_not_there_is_one_sentence(tmp_path):
    done = run(tmp_path / "gone.onnx")
    assert done.returncode == 2
    assert done.stderr.startswith("translate.py: ")
    assert done.stderr.count("\n") == 1
