"""``linnet info`` and ``linnet models``: what cards say, as pages, tables and JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tiny_caption import tiny_caption_card
from tiny_translate import tiny_translate_card

from linnet import zoo
from linnet.card import Card
from linnet.cli.info import page

Run = Callable[..., tuple[int, str, str]]
ESCAPE = "\033]0;owned\007"


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


def test_bundled_models_by_name_and_keyword(
    run: Run, tiny_captioner: Path, tiny_model: Path, ship: Callable[[dict[str, Path]], Path]
) -> None:
    ship({"painter": tiny_captioner, "ear": tiny_model})
    assert "tiny captioner" in run("info", "painter")[1]
    assert run("info", "ear") == run("info", "hiss")
    status, out, err = run("info", "nosuch")
    assert (status, out) == (2, "")
    assert err.startswith("linnet: there is no model 'nosuch'; give a bundled one's name (ear, painter), a")
