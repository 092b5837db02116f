"""The command itself: what it finds, what it says, how it ends; and the commands info, models and bench."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
from tiny_caption import tiny_caption_card
from tiny_translate import tiny_translate_card

from linnet import cli, zoo
from linnet.card import Card
from linnet.cli import terminal
from linnet.cli.info import page
from linnet.errors import LinnetError

Run = Callable[..., tuple[int, str, str]]
ESCAPE = "\033]0;owned\007"


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Run:
    """Run the command in this process; returns exit status, standard output, standard error."""

    def run(*arguments: object) -> tuple[int, str, str]:
        try:
            status = cli.main([str(argument) for argument in arguments])
        except SystemExit as end:
            status = int(end.code or 0)
        return status, *capfd.readouterr()

    return run


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


def test_info_is_a_page(run: Run, tiny_model: Path) -> None:
    status, out, err = run("info", tiny_model)
    assert (status, err) == (0, "")
    for text in (
        "tiny\nHears loud sound",
        "hears    loud, hiss",
        "a score every 40 ms",
        "licence  Apache-2.0",
        "loud               0      0.950         10.0 %    20.0 %",
        "0.5      0.750          5.0 %    10.0 %  default",
        "miss rate\n  loud  clean  5.0 %\n  nothing\n",
        "none (none), for nothing: made by hand",
    ):
        assert text in out
    assert "recipe   SHA-256 " in out


def test_info_as_json_is_the_card(
    run: Run, tiny_model: Path, make_card: Callable[..., dict[str, Any]]
) -> None:
    status, out, _ = run("info", "--json", tiny_model)
    assert status == 0
    assert json.loads(out) == make_card()


def test_equal_recipes_have_equal_digests(make_card: Callable[..., dict[str, Any]]) -> None:
    def digest(recipe: dict[str, Any]) -> str:
        text = page(Card.from_json(json.dumps(make_card(recipe=recipe))), "a.onnx", 1)
        return text.split("SHA-256 ")[1].split(",")[0]

    assert digest({"a": 1, "b": {"c": 2}}) == digest({"b": {"c": 2}, "a": 1})
    assert digest({"a": 1}) != digest({"a": 2})


def test_info_fits_a_narrow_terminal(
    run: Run, save_model: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "50")
    _, out, _ = run("info", save_model(description="word " * 100))
    assert max(len(line) for line in out.splitlines() if "word" in line) <= 50


def test_info_puts_measures_that_differ_in_numbers_side_by_side(
    run: Run, save_model: Callable[..., Path]
) -> None:
    quality = [
        {
            "measure": f"miss rate at {rate} false alarms/h",
            "keyword": keyword,
            "condition": condition,
            "value": value,
            "data": f"words of {keyword}",
        }
        for keyword in ("loud", "hiss")
        for condition, value in (("clean", 0.01), ("10 dB", 0.125))
        for rate in ("0.5", "2")
    ]
    _, out, _ = run("info", save_model(quality=quality[:-1]))
    table = out.split("miss rate at ... false alarms/h\n")[1].splitlines()[:7]
    assert table == [
        "                  0.5       2",
        "  loud  clean   1.0 %   1.0 %",
        "        10 dB  12.5 %  12.5 %",
        "  hiss  clean   1.0 %   1.0 %",
        "        10 dB  12.5 %       -",
        "  loud: words of loud",
        "  hiss: words of hiss",
    ]


def test_info_of_what_is_no_model(run: Run, tmp_path: Path) -> None:
    path = tmp_path / f"x{ESCAPE}.onnx"
    path.write_bytes(b"hello")
    for wrong in (path, tmp_path / "none.onnx", tmp_path, "computer!"):
        status, out, err = run("info", wrong)
        assert (status, out) == (2, "")
        assert err.startswith("linnet: ")
        assert err.count("\n") == 1
        assert "\033" not in err


def test_models_lists_what_ships(
    run: Run, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zoo, "models", lambda: [tiny_model])
    status, out, _ = run("models")
    assert status == 0
    assert out.splitlines()[1].split()[:5] == ["loud", "5.0", "%", "10.0", "%"]
    assert "0.5 false alarms/h" in out
    monkeypatch.setattr(zoo, "models", lambda: [])
    assert run("models")[0] == 2


def test_bench_measures(run: Run, tiny_model: Path) -> None:
    status, out, _ = run("bench", tiny_model, "--rounds", 2)
    assert status == 0
    assert "2 rounds" in out
    assert "CPU per second of audio" in out
    _, out, _ = run("bench", tiny_model, "--rounds", 1, "--json")
    figures = json.loads(out)["rounds"][0]
    assert set(figures) == {"start_s", "load_s", "cpu_per_s", "memory_bytes"}
    assert all(value is None or value > 0 for value in figures.values())


def test_info_of_a_captioner(run: Run, tiny_captioner: Path, save_captioner: Callable[..., Path]) -> None:
    status, out, err = run("info", tiny_captioner)
    assert (status, err) == (0, "")
    for text in (
        "tiny captioner\nTells which colour",
        "task     caption, 224 x 224 pixels to 6 words, attention on 7 x 7 places",
        "search   beam 3, at most 20 words, length penalty 1\n",
        "\nquality\n          CIDEr\n  beam 3   12.3\n  nothing\n",
    ):
        assert text in out
    assert "hears" not in out
    _, out, _ = run("info", tiny_captioner, "--json")
    assert json.loads(out) == tiny_caption_card()
    quality = [
        {"measure": measure, "keyword": "", "condition": condition, "value": value, "data": data}
        for data in ("val", "test")
        for condition, measure, value in (
            ("greedy", "CIDEr", 55.55),
            ("beam 5", "CIDEr", 61),
            ("beam 5", "BLEU-4", 22.1),
        )
    ]
    _, out, _ = run("info", save_captioner(quality=quality, beam=1))
    assert "search   greedy, at most 20 words" in out
    table = "\nquality\n          CIDEr  BLEU-4\n  greedy  55.55       -\n  beam 5     61    22.1\n"
    assert f"{table}  val\n{table}  test\n" in out


def test_models_lists_captioners_by_name(
    run: Run, tiny_model: Path, tiny_captioner: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zoo, "models", lambda: [tiny_captioner, tiny_model])
    _, out, _ = run("models")
    keywords, others = out.split("\n\n")
    assert keywords.splitlines()[1].startswith("loud")
    assert others.splitlines()[0].split() == ["model", "task", "quality", "size", "licence", "file"]
    assert others.splitlines()[1].startswith("captioner  caption  CIDEr 12.3  ")
    monkeypatch.setattr(zoo, "models", lambda: [tiny_captioner])
    assert "keyword" not in run("models")[1]


def test_bench_measures_captioners(run: Run, tiny_captioner: Path) -> None:
    status, out, _ = run("bench", tiny_captioner, "--rounds", 1)
    assert status == 0
    assert "from start to the first caption" in out
    assert "JPEG of 640 x 480 to caption, greedy" in out
    _, out, _ = run("bench", tiny_captioner, "--rounds", 1, "--json")
    figures = json.loads(out)["rounds"][0]
    assert set(figures) == {"start_s", "load_s", "greedy_s", "caption_s", "memory_bytes"}
    assert all(value is None or value > 0 for value in figures.values())


def test_info_of_a_translator(run: Run, tiny_translator: Path) -> None:
    status, out, err = run("info", tiny_translator)
    assert (status, err) == (0, "")
    for text in (
        "tiny translator\nKnows eleven words.",
        "task     translate, de to en, 396 pieces of words, at most 20 in a sentence",
        "search   beam 3, at most 100 pieces, length penalty 1, coverage penalty 0\n",
        "\nquality\n          BLEU\n  beam 3  12.3\n  nothing\n",
    ):
        assert text in out
    _, out, _ = run("info", tiny_translator, "--json")
    assert json.loads(out) == tiny_translate_card()


def test_models_lists_translators_by_name(
    run: Run, tiny_captioner: Path, tiny_translator: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zoo, "models", lambda: [tiny_captioner, tiny_translator])
    lines = run("models")[1].splitlines()
    assert [line.split()[:4] for line in lines[1:]] == [
        ["captioner", "caption", "CIDEr", "12.3"],
        ["translator", "translate", "BLEU", "12.3"],
    ]


def test_bench_measures_translators(run: Run, tiny_translator: Path) -> None:
    status, out, _ = run("bench", tiny_translator, "--rounds", 1)
    assert status == 0
    assert "from start to the first translation" in out
    assert "each of 32 of them" in out
    _, out, _ = run("bench", tiny_translator, "--rounds", 1, "--json")
    figures = json.loads(out)["rounds"][0]
    assert set(figures) == {"start_s", "load_s", "greedy_s", "translation_s", "many_s", "memory_bytes"}
    assert all(value is None or value > 0 for value in figures.values())


def test_bundled_models_by_name_and_keyword(
    run: Run, tiny_captioner: Path, tiny_model: Path, ship: Callable[[dict[str, Path]], Path]
) -> None:
    ship({"painter": tiny_captioner, "ear": tiny_model})
    assert "tiny captioner" in run("info", "painter")[1]
    assert run("info", "ear") == run("info", "hiss")
    status, out, err = run("info", "nosuch")
    assert (status, out) == (2, "")
    assert err.startswith("linnet: there is no model 'nosuch'; give a bundled one's name (ear, painter), a")


def test_bench_of_what_cannot_be_measured(run: Run, tiny_model: Path, tmp_path: Path) -> None:
    assert run("bench", tiny_model, "--rounds", 0)[0] == 2
    assert run("bench", tmp_path / "none.onnx")[0] == 2


def test_clean_leaves_nothing_that_a_terminal_obeys() -> None:
    assert terminal.clean("Grüße, 世界 ✓") == "Grüße, 世界 ✓"
    for code in [*range(0x20), 0x7F, *range(0x80, 0xA0), 0x202E, 0x2066, 0x200B, 0x2028, 0xFEFF]:
        assert terminal.clean(f"a{chr(code)}b") == "a\ufffdb"


def test_width_in_a_terminal() -> None:
    assert terminal.cells("e\u0301a世") == 4
    assert terminal.fit("世界", 3) == "世 "
    assert terminal.fit("ab", 4) == "ab  "
    assert terminal.clock(3725.999, 2) == "1:02:05.99"


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
