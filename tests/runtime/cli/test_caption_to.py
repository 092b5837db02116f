"""``linnet caption --to``: captions translated."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from linnet import cli

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    Image.new("RGB", (60, 40), (200, 0, 0)).save(path)
    return path


@pytest.fixture
def caption(
    capfd: pytest.CaptureFixture[str],
    tiny_captioner: Path,
    save_translator: Callable[..., Path],
    photo: Path,
    ship: Callable[[dict[str, Path]], Path],
) -> Run:
    """Run ``linnet caption`` on a red picture, with a translator from English that knows no English."""
    translator = save_translator(source_language="en", target_language="de")
    ship({"en-de": translator})

    def run(*arguments: object) -> tuple[int, str, str]:
        status = cli.main(["caption", str(photo), "--model", str(tiny_captioner), *map(str, arguments)])
        return status, *capfd.readouterr()

    return run


def test_a_caption_in_another_language(caption: Run, photo: Path, tmp_path: Path) -> None:
    assert caption("--to", "de") == (0, "A red picture.\n", "")
    assert (
        caption("--to", "de", "--n-best", 2)[1] == " -0.125  A red picture.\n -0.200  A very red picture.\n"
    )
    found = json.loads(caption("--to", "de", "--json", "--n-best", 2)[1])
    assert found == {
        "image": str(photo),
        "caption": "a red picture",
        "score": -0.125,
        "translation": "A red picture.",
        "alternatives": [
            {"caption": "a very red picture", "score": -0.2, "translation": "A very red picture."}
        ],
    }
    output = tmp_path / "out.jsonl"
    caption("--to", "de", "-o", output)
    assert "1 were there already" in caption("--to", "de", "-o", output, "--resume")[2]


def test_a_translator_of_ones_own(caption: Run, tmp_path: Path) -> None:
    mine = tmp_path / "model.onnx"
    for more in ([], ["--to", "de"]):
        assert caption("--translator", mine, *more)[1] == "A red picture.\n"


def test_captions_in_another_language_than_english(
    caption: Run,
    save_captioner: Callable[..., Path],
    save_translator: Callable[..., Path],
    tiny_translator: Path,
    tmp_path: Path,
) -> None:
    german = ["--model", save_captioner(language="de").rename(tmp_path / "german.onnx")]
    from_english = save_translator(source_language="en", target_language="de")
    assert caption("--translator", tiny_translator, *german)[1] == "A red picture.\n"
    assert "'de-tlh'" in caption("--to", "tlh", *german)[2]
    _, _, err = caption("--translator", from_english, *german)
    assert "translates from en into de, not from de into another language" in err


def test_translators_that_do_not_fit(
    caption: Run, tiny_translator: Path, tiny_captioner: Path, tmp_path: Path
) -> None:
    for arguments, sentence in (
        (["--to", "tlh"], "there is no model 'en-tlh'; give a bundled one's name (en-de)"),
        (["--translator", tiny_translator], f"{tiny_translator} translates from de into en, not from en"),
        (
            ["--to", "fr", "--translator", tmp_path / "model.onnx"],
            "translates from en into de, not from en into",
        ),
        (["--translator", tiny_captioner], "is a caption model, not a translate model"),
    ):
        status, out, err = caption(*arguments)
        assert (status, out) == (2, "")
        assert sentence in err
        assert err.count("\n") == 1
