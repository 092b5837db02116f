"""What `make demo` shows: all demos, then a summary and what to type next, all of which works."""

import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

DEMOS = Path(__file__).parents[2] / "demos"
SCRIPT = DEMOS / "tour.py"


def test_it_ends_with_what_was_heard_seen_and_translated(monkeypatch, capsys):
    monkeypatch.syspath_prepend(str(DEMOS))
    runpy.run_path(str(SCRIPT))["main"]([])
    summary, commands = capsys.readouterr().out.split("\nIn short")[1].split("\nWhat to type next:\n")
    summary = summary.splitlines()
    assert [line.split()[0] for line in summary[1:4]] == ["heard", "seen", "translated"]
    assert "alexa, jarvis, snowboy, computer" in summary[1]
    assert "a man in a black jacket" in summary[2]
    assert "children" in summary[3]
    assert all(line.endswith(" s") for line in summary[1:4])
    for command in ("listen", "caption", "translate de-en"):
        assert f" {command} " in commands


@pytest.mark.skipif(os.name != "posix", reason="commands for a POSIX shell")
def test_what_it_says_to_type_works(tmp_path, monkeypatch):
    silent = tmp_path / "bin/espeak-ng"  # nobody wants to hear the tests
    silent.parent.mkdir()
    silent.write_text("#!/bin/sh\n")
    silent.chmod(0o755)
    monkeypatch.setenv("PATH", f"{silent.parent}{os.pathsep}{os.environ['PATH']}")
    ran = subprocess.run([sys.executable, str(SCRIPT)], cwd=tmp_path, capture_output=True, text=True)
    assert (ran.returncode, ran.stderr) == (0, "")
    *commands, microphone = ran.stdout.split("What to type next:\n")[1].splitlines()
    assert len(commands) >= 4
    for command in commands:
        done = subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert done.stdout
    assert (tmp_path / "heatmap.png").is_file()
    assert microphone.endswith(" listen computer  # the microphone")
