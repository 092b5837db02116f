"""The command itself: what it finds, what it says, how it ends."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from linnet import cli
from linnet.errors import LinnetError

Run = Callable[..., tuple[int, str, str]]


ESCAPE = "\033]0;owned\007"


def python(code: str, *arguments: object, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        **options,
    )


def entry(name: str, value: str) -> EntryPoint:
    return EntryPoint(name, value, cli.GROUP)


def add_hello(subparsers: Any) -> None:
    """A command that another package might bring."""
    parser = subparsers.add_parser("hello", help="greet")
    parser.add_argument("who")
    parser.set_defaults(run=lambda options: print(f"hello {options.who}") or 7)


def add_trouble(subparsers: Any) -> None:
    def trouble(options: Any) -> int:
        error: BaseException = {
            "ours": LinnetError(f"wrong{ESCAPE} thing; do another"),
            "interrupt": KeyboardInterrupt(),
            "pipe": BrokenPipeError(),
            "disk": OSError(28, "No space left on device", "out.txt"),
        }[options.kind]
        raise error

    parser = subparsers.add_parser("trouble")
    parser.add_argument("kind")
    parser.set_defaults(run=trouble)


@pytest.fixture
def others(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [
        entry("hello", f"{__name__}:add_hello"),
        entry("trouble", f"{__name__}:add_trouble"),
        entry("absent", "no_such_package.cli:absent"),
    ]
    monkeypatch.setattr(cli, "entry_points", lambda group: found)


def test_version(run: Run) -> None:
    status, out, _ = run("--version")
    assert status == 0
    assert out.startswith("linnet 0")


def test_nothing_asked_prints_help(run: Run) -> None:
    status, out, err = run()
    assert (status, out) == (2, "")
    assert "COMMAND" in err


@pytest.mark.usefixtures("others")
def test_help_lists_every_command_and_what_is_missing(run: Run) -> None:
    status, out, _ = run("--help")
    assert status == 0
    for word in ("listen", "caption", "translate", "info", "models", "bench", "hello", "greet"):
        assert word in out
    assert re.search(r"absent +\(not installed\)", out)


@pytest.mark.usefixtures("others")
def test_commands_of_other_packages(run: Run) -> None:
    assert run("hello", "bird") == (7, "hello bird\n", "")


@pytest.mark.usefixtures("others")
def test_a_command_whose_package_is_missing(run: Run) -> None:
    status, _, err = run("absent")
    assert status == 2
    assert err == "linnet: linnet absent cannot be loaded (No module named 'no_such_package')\n"


@pytest.mark.parametrize(("command", "extra"), [("train", "training"), ("web", "demos")])
def test_what_a_command_lacks_comes_with_its_own_extra(
    run: Run, monkeypatch: pytest.MonkeyPatch, command: str, extra: str
) -> None:
    hint = f"pip install '.[{extra}]' in Linnet's folder"
    monkeypatch.setattr(cli, "entry_points", lambda group: [entry(command, "no_such_package.cli:absent")])
    assert f"(not installed: {hint})" in " ".join(run("--help")[1].split())
    assert run(command)[2].endswith(f"cannot be loaded (No module named 'no_such_package'): {hint}\n")

    def add_needy(subparsers: Any) -> None:
        parser = subparsers.add_parser(command)
        parser.set_defaults(run=lambda _: __import__("no_such_package"))

    monkeypatch.setattr(EntryPoint, "load", lambda self: add_needy)
    assert run(command) == (2, "", f"linnet: linnet {command} needs no_such_package: {hint}\n")


def test_only_the_command_asked_for_is_loaded(monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
    monkeypatch.setattr(cli, "entry_points", lambda group: [entry("bomb", "antigravity_bomb:explode")])
    monkeypatch.setattr(EntryPoint, "load", lambda self: pytest.fail("loaded"))
    assert run("models", "--help")[0] == 0


@pytest.mark.usefixtures("others")
def test_errors_are_one_sentence_without_traceback(run: Run) -> None:
    assert run("trouble", "ours") == (2, "", "linnet: wrong\ufffd]0;owned\ufffd thing; do another\n")
    assert run("trouble", "disk") == (2, "", "linnet: No space left on device: out.txt\n")
    assert run("trouble", "interrupt")[0] == 130


def test_unknown_commands_and_options(run: Run) -> None:
    assert run("sing")[0] == 2
    status, _, err = run("models", "--loud")
    assert status == 2
    assert "unrecognized arguments: --loud" in err


def test_the_edge_imports_nothing_heavy() -> None:
    code = (
        "import sys; from linnet.cli import main\n"
        "try: main(sys.argv[1:])\n"
        "except SystemExit: pass\n"
        "print(sorted({'torch', 'librosa', 'numpy', 'onnxruntime', 'linnet_training'} & set(sys.modules)))"
    )
    for arguments in (["--version"], ["listen", "--help"], ["caption", "--help"], ["info", "--help"]):
        assert python(code, *arguments).stdout.endswith("[]\n")


def test_python_m_linnet() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "linnet", "--version"], capture_output=True, text=True, check=True
    )
    assert ran.stdout.startswith("linnet 0")


@pytest.mark.skipif(os.name != "posix", reason="pipes as on POSIX")
def test_a_reader_that_leaves_is_no_error(tiny_model: Path) -> None:
    code = f"{sys.executable} -m linnet info {tiny_model} --json | true"
    for _ in range(3):
        ran = subprocess.run(code, shell=True, capture_output=True, text=True, check=True)
        assert ran.stderr == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_one_sentence(tiny_model: Path) -> None:
    ran = subprocess.run(
        f"{sys.executable} -m linnet info {tiny_model} > /dev/full",
        shell=True,
        capture_output=True,
        text=True,
    )
    assert ran.stderr.strip().splitlines()[0] == "linnet: No space left on device"
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize(
    "command",
    [
        "train trigger word -o word.onnx",
        "export best.ckpt -o word.onnx",
        "evaluate trigger word.onnx --positives a --negatives b",
    ],
)
def test_commands_of_the_training_extra_say_what_is_missing(command, monkeypatch, capsys):
    for package in ("torch", "lightning", "librosa", "matplotlib.axes"):
        monkeypatch.setitem(sys.modules, package, None)
    for module in [name for name in sys.modules if name.startswith(("linnet_training", "linnet_export"))]:
        monkeypatch.delitem(sys.modules, module)
    assert cli.main(command.split()) == 2
    assert "pip install '.[training]'" in capsys.readouterr().err
