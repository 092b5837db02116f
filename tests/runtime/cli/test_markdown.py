"""Model cards in Markdown: those of the bundled models are current, and a card is text and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from linnet import cli, zoo
from linnet.card import Card
from linnet.cli import markdown
from linnet.modelfile import read_card

DOCS = Path(__file__).parents[3] / "docs/models"


@pytest.mark.parametrize("path", zoo.models(), ids=lambda path: path.stem)
def test_the_pages_of_bundled_models_are_current(path: Path) -> None:
    written = DOCS / f"{path.stem}.md"
    wanted = f"linnet info --markdown {path.stem} > docs/models/{path.stem}.md"
    assert written.exists(), f"there is no page; make it with: {wanted}"
    assert written.read_text("utf-8") == markdown.page(read_card(path), path), f"make it anew with: {wanted}"


def test_there_are_no_pages_of_other_models() -> None:
    assert {path.stem for path in DOCS.glob("*.md")} == {path.stem for path in zoo.models()}


def test_a_page_from_the_command(tiny_model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["info", "--markdown", str(tiny_model)]) == 0
    out = capsys.readouterr().out
    for text in (
        "# tiny\n\nHears loud sound and hissing sound.\n",
        "| hears | loud, hiss |\n",
        "\nlinnet listen tiny.onnx\n",
        'spotter = linnet.TriggerWord("tiny.onnx")\n',
        "**Miss rate**\n\n|  |  |  |\n|---|---|--:|\n| loud | clean | 5.0 % |\n\nMeasured on nothing.\n",
        "|  | 0.5 | 0.750 | 5.0 % | 10.0 % | default |\n",
        "- A keyword is not reported again for 1 s.\n",
        "| none | nothing | none | made by hand |\n",
        '```json\n{\n  "seed": 1\n}\n```\n',
    ):
        assert text in out
    with pytest.raises(SystemExit, match="2"):
        cli.main(["info", "--markdown", "--json", str(tiny_model)])


def test_pages_of_every_task(tiny_captioner: Path, tiny_translator: Path) -> None:
    page = markdown.page(read_card(tiny_captioner), tiny_captioner)
    assert "linnet caption photo.jpg --model captioner.onnx\n" in page
    assert "- It knows 6 words of one language, and says at most 20 at a time.\n" in page
    page = markdown.page(read_card(tiny_translator), tiny_translator)
    assert "linnet translate translator.onnx < text.txt\n" in page
    assert "|  | BLEU |\n|---|--:|\n| beam 3 | 12.3 |\n" in page


def test_measures_that_name_their_data_otherwise_share_a_table(
    tiny_translator: Path, make_card: Callable[..., dict[str, Any]]
) -> None:
    quality = [
        {"measure": measure, "keyword": "", "condition": "beam 5", "value": value, "data": f"40 pairs; {how}"}
        for measure, value, how in (("BLEU", 30.25, "tok:13a"), ("TER", 50, "tok:tercom"))
    ]
    card = Card.from_json(json.dumps(make_card(quality=quality)))
    page = markdown.page(card, tiny_translator)
    assert "|  | BLEU | TER |\n|---|--:|--:|\n| beam 5 | 30.25 | 50 |\n" in page
    assert "\n- BLEU: 40 pairs; tok:13a\n- TER: 40 pairs; tok:tercom\n" in page


def test_a_card_cannot_write_anything_but_text(
    tiny_model: Path, make_card: Callable[..., dict[str, Any]]
) -> None:
    bad = "<script>\n# [x](javascript:1) | ``` $(touch x) `y`"
    card = make_card(
        name=bad,
        description=bad,
        licence=bad,
        keywords=[bad],
        data=[{"name": bad, "source": f"https://a.b/c_d?e={bad}", "licence": bad, "used_for": bad}],
        recipe={bad: bad},
    )
    page = markdown.page(Card.from_json(json.dumps(card)), tiny_model)
    lines = page.splitlines()
    assert "<https://a.b/c_d?e>=\\<script\\>; \\# \\[x\\](javascript:1) \\| " in page
    assert not any(line.lstrip().startswith(("<script", "# [x]", "[x]")) for line in lines)
    assert sum(line.startswith("```") for line in lines) == 6
    assert {line.replace("\\|", "").count("|") for line in lines if line.startswith("| ")} == {3, 5, 4, 7}
