"""What all commands have in common: help with examples, one sentence where something is wrong, and 130."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import entry_points

import pytest

from linnet import cli

COMMANDS = [
    "",
    *cli._OWN,
    *(point.name for point in entry_points(group=cli.GROUP)),
    *(
        f"{command} {task}"
        for command in ("train", "evaluate")
        for task in ("trigger", "caption", "translate")
    ),
]
HEAVY = {"torch", "lightning", "librosa", "onnx", "matplotlib", "numpy", "onnxruntime", "PIL"}

Run = Callable[[str], tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a line of the shell in this process; returns exit status, standard output, standard error."""

    def run(line: str) -> tuple[int, str, str]:
        try:
            status = cli.main(shlex.split(line))
        except SystemExit as end:
            status = int(end.code or 0)
        return status, *capsys.readouterr()

    return run


def examples(text: str) -> Iterator[list[str]]:
    """The arguments of each example in a help text, without what the shell makes of the line."""
    text = text[re.search("^examples?:\n", text, re.MULTILINE).end() :].replace("\\\n", " ")
    for line in re.findall(r"^  .*?\blinnet (\S.*)", text, re.MULTILINE):
        command = re.split(r" {2,}(?![ \-\"])|(?: [<>] \S+)", line)[0]
        yield shlex.split(command)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_ends_with_examples_that_can_be_parsed(run: Run, command: str) -> None:
    status, out, err = run(f"{command} --help")
    assert (status, err) == (0, "")
    found = list(examples(out))
    assert found
    for arguments in found:
        assert " ".join(arguments).startswith(command)
        assert callable(cli._parse(arguments).run)


WRONG = [f"{command} --nonsense" for command in COMMANDS]
WRONG += [f"{command} --json=maybe" for command in COMMANDS]
WRONG += [command for command in COMMANDS if command not in ("", "models", "web")]  # these do something
WRONG += [f"{command} a b c d e" for command in COMMANDS if command not in ("listen", "caption", "translate")]


@pytest.mark.parametrize("line", WRONG)
def test_wrong_usage_is_one_sentence(run: Run, line: str) -> None:
    status, out, err = run(line)
    assert (status, out) == (2, "")
    assert re.fullmatch(r"linnet[a-z ]*: [^\n]+\n", err)


@pytest.mark.parametrize(
    ("option", "says"),
    [
        ("--beam 0", "argument --beam: must be a whole number from 1 to 32, not 0"),
        ("--beam 33", "argument --beam: must be a whole number from 1 to 32, not 33"),
        ("--beam 1.5", "argument --beam: must be a whole number from 1 to 32, not 1.5"),
        ("--length-penalty=-1", "argument --length-penalty: must be a number from 0 to 10, not -1"),
        ("--length-penalty 10.1", "argument --length-penalty: must be a number from 0 to 10, not 10.1"),
        ("--length-penalty nan", "argument --length-penalty: must be a number from 0 to 10, not nan"),
        ("--coverage-penalty 11", "argument --coverage-penalty: must be a number from 0 to 10, not 11"),
    ],
)
def test_a_search_is_asked_for_alike(run: Run, option: str, says: str) -> None:
    lines = {
        "translate": "de-en text",
        "evaluate translate": "de-en source reference",
        "caption": "photo",
        "evaluate caption": "captioner captions --images photos",
    }
    for command, arguments in lines.items():
        if command in COMMANDS and ("translate" in command or "coverage" not in option):
            wrong = f"linnet {command}: {says}; linnet {command} --help says more\n"
            assert run(f"{command} {arguments} {option}") == (2, "", wrong)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("info models --loud", "linnet info: unrecognized arguments: --loud; linnet info --help says more"),
        ("bench x --rounds few", "argument --rounds: invalid int value: 'few'"),
        ("evaluate trigger x --positives a --negatives b --hours few", "must be a number from 0.0001 to"),
        ("evaluate trigger x --positives a --negatives b --seed -1", "must be a whole number from 0, not -1"),
        ("evaluate caption x y --images z --limit 0", "must be a whole number from 1, not 0"),
        ("train caption", "linnet train caption: the following arguments are required: CAPTIONS, --images"),
        ("export '\033[31m' x -o y.onnx", "unrecognized arguments: x"),
        ("sing '\033[31m'", "linnet: argument COMMAND: invalid choice: 'sing'"),
        ("models '\033[31m'", "unrecognized arguments: \ufffd[31m;"),
    ],
)
def test_what_is_wrong_is_named(run: Run, line: str, says: str) -> None:
    status, _, err = run(line)
    assert status == 2
    assert says in err
    assert "\033" not in err


def test_no_help_loads_what_only_work_needs() -> None:
    code = f"""
import contextlib, io, sys
from linnet import cli
for command in {COMMANDS!r}:
    with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
        cli.main([*command.split(), "--help"])
print(*{HEAVY!r} & set(sys.modules))
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == []


@pytest.mark.parametrize("command", ["train trigger", "train caption", "train translate", "export"])
@pytest.mark.parametrize("option", ["--name", "--author", "--licence"])
def test_what_no_card_takes_is_refused_before_the_work(run: Run, command: str, option: str) -> None:
    pytest.importorskip("torch")
    status, out, err = run(f"{command} x -o x.onnx {option} 'a\x1bb'")
    assert (status, out) == (2, "")
    assert f"argument {option}: must be printable text on one line, not 'a\\x1bb'" in err
