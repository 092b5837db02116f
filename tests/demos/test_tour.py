"""What `make demo` shows: all demos, then a summary and what to type next, all of which works."""

import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from linnet import zoo
from linnet.errors import ModelNotFoundError

DEMOS = Path(__file__).parents[2] / "demos"
SCRIPT = DEMOS / "tour.py"


@pytest.fixture
def tour(monkeypatch, capsys):
    """Run the tour with these bundled translators; returns the summary, and the commands to type next."""
    monkeypatch.syspath_prepend(str(DEMOS))

    def tour(**translators):
        bundled = {"captioner": zoo.named("captioner"), **translators}

        def named(name):
            if name not in bundled:
                raise ModelNotFoundError(name)
            return bundled[name]

        monkeypatch.setattr(zoo, "named", named)
        runpy.run_path(str(SCRIPT))["main"]([])
        summary, commands = capsys.readouterr().out.split("\nIn short")[1].split("\nWhat to type next:\n")
        return summary.splitlines(), commands.splitlines()

    return tour


def test_it_ends_with_what_was_heard_seen_and_translated(tour, tiny_translator):
    summary, commands = tour(**{"de-en": tiny_translator})
    assert [line.split()[0] for line in summary[1:4]] == ["heard", "seen", "translated"]
    assert "alexa, jarvis, snowboy, computer" in summary[1]
    assert "a man in a black jacket" in summary[2]
    assert all(line.endswith(" s") for line in summary[1:4])
    assert any("translate de-en" in command for command in commands)


def test_without_a_translator_nothing_is_translated_and_no_command_says_so(tour):
    summary, commands = tour()
    assert summary[3].split() == ["translated", "nothing"]
    assert not any("translate" in command for command in commands)


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
    assert len(commands) >= 3
    for command in commands:
        done = subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert done.stdout
    assert (tmp_path / "heatmap.png").is_file()
    assert microphone.endswith(" listen computer  # the microphone")
