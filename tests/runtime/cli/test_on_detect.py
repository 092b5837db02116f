"""``linnet listen --on-detect``: commands run while listening goes on."""

from __future__ import annotations

import os
import shlex
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from linnet.cli.on_detect import Commands
from linnet.decider import Detection

Run = Callable[..., tuple[int, str, str]]


def script(tmp_path: Path, code: str) -> str:
    """A command that runs Python code, on every system."""
    path = tmp_path / "script.py"
    path.write_text(code)
    return f"{shlex.quote(sys.executable)} {shlex.quote(str(path))}"


def ended(commands: Commands) -> list[tuple[str, bool]]:
    assert commands.close(60) == 0
    return list(commands.said())


def test_commands_know_what_was_detected(listen: Run, tiny_model: Path, day: Path, tmp_path: Path) -> None:
    command = script(
        tmp_path,
        "import os, sys\n"
        "assert not sys.stdin.read()\n"
        "print(*(os.environ['LINNET_' + name] for name in ('KEYWORD', 'TIME', 'SCORE')))",
    )
    status, out, err = listen(tiny_model, "--wav", day, "--on-detect", command)
    assert status == 0
    assert out.count("\n") == 3  # what commands print is no detection
    said = sorted(line for line in err.splitlines() if line.startswith("loud "))
    assert [line.split()[1][:2] for line in said] == ["2.", "5.", "9."]


@pytest.mark.skipif(os.name != "posix", reason="a POSIX shell")
def test_a_keyword_never_reaches_the_shell_as_text(tmp_path: Path) -> None:
    trap = f"$(touch {tmp_path}/trap); touch {tmp_path}/trap #"
    commands = Commands('printf "%s\\n" "$LINNET_KEYWORD"; : $LINNET_KEYWORD')
    commands.start(Detection(trap, 1.0, 0.5))
    assert ended(commands) == [(trap, False)]
    assert list(tmp_path.iterdir()) == []


def test_commands_do_not_keep_the_listener_waiting(tmp_path: Path) -> None:
    """They wait for a file that the listener makes after it has started them all."""
    command = script(
        tmp_path,
        "import os, pathlib, time\n"
        "here = pathlib.Path(__file__).parent\n"
        "(here / ('ran' + os.environ['LINNET_TIME'])).touch()\n"
        "while not (here / 'go').exists(): time.sleep(0.01)",
    )
    commands = Commands(command)
    for number in range(50):
        commands.start(Detection("a", float(number), 0.5))
    while len(list(tmp_path.glob("ran*"))) < 4:
        time.sleep(0.01)
    assert commands.close(0.1) > 4
    assert len(list(tmp_path.glob("ran*"))) == 4  # at once
    (tmp_path / "go").touch()
    said = ended(commands)
    skipped = [text for text, bad in said if bad]
    assert len(list(tmp_path.glob("ran*"))) + len(skipped) == 50
    assert skipped
    assert all("too slow" in text for text in skipped)


def test_failures_of_commands_are_told(tmp_path: Path, tiny_model: Path, day: Path, listen: Run) -> None:
    command = script(tmp_path, "import sys; print('\\033[31mlast words'); sys.exit(3)")
    _, _, err = listen(tiny_model, "--wav", day, "--on-detect", command)
    assert err.count("\ufffd[31mlast words") == 3
    assert err.count("--on-detect ended with status 3 for loud") == 3
    _, _, err = listen(tiny_model, "--wav", day, "--on-detect", command, "--quiet")
    assert "last words" not in err
    assert err.count("ended with status 3") == 3


def test_a_command_that_says_too_much(tmp_path: Path) -> None:
    commands = Commands(script(tmp_path, "print('x' * 100_000); print('y\\n' * 100_000)"))
    commands.start(Detection("a", 1.0, 0.5))
    said = ended(commands)
    assert len(said) == 20
    assert max(len(text) for text, _ in said) == 1_000
