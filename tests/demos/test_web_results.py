"""What the page shows: cards, and what is heard, seen and translated. It needs no browser and no Gradio."""

from __future__ import annotations

import html
import io
import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import linnet
from linnet import audio, zoo
from linnet.errors import AudioError, ImageError, UsageError
from linnet_web.cards import cards
from linnet_web.listen import LONGEST_S, Hearing, heard
from linnet_web.look import Photo, captioned, preview
from linnet_web.markup import attempt, problem, said, table, text
from linnet_web.scoreplot import plot
from linnet_web.shelf import Shelf
from linnet_web.translate import LONGEST, translated

RATE = 16_000
ATTACK = "<script>alert('&')</script>"


def loud(seconds: float, rate: int = RATE) -> np.ndarray:
    """A tone that the tiny model calls loud."""
    return (0.9 * np.sin(np.arange(int(seconds * rate)) * 2000 / rate)).astype(np.float32)


def quiet(seconds: float, rate: int = RATE) -> np.ndarray:
    return np.zeros(int(seconds * rate), np.float32)


def words(page: str) -> str:
    """What a reader sees of HTML."""
    return " ".join(html.unescape(re.sub("<[^>]+>", " ", page)).split())


def picture(colour: str = "red", size: tuple[int, int] = (90, 60)) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def spotter(tiny_model: Path) -> linnet.TriggerWord:
    return linnet.TriggerWord(tiny_model)


# Markup


def test_whatever_is_shown_is_text() -> None:
    shown = "<script>alert(&#x27;&amp;&#x27;)</script>".replace("<", "&lt;").replace(">", "&gt;")
    for page in (text(ATTACK), problem(ATTACK), said(ATTACK), table(ATTACK, [ATTACK], [[ATTACK]])):
        assert shown in page
        assert "<script" not in page
    assert text("a\x1b[31m\nb\u202e") == "a\ufffd[31m\ufffdb\ufffd"
    assert "one<br>two" in said("one\ntwo")
    assert table("nothing", ["a"], []) == ""


def test_what_goes_wrong_is_one_sentence() -> None:
    def fail(error: Exception) -> str:
        raise error

    assert words(attempt(fail, UsageError("type a <sentence>"))) == "type a <sentence>"
    unexpected = words(attempt(fail, KeyError("secret")))
    assert unexpected == "something went wrong inside Linnet (KeyError); please report it"
    assert attempt(text, "fine") == "fine"


# Cards


def test_every_card_is_shown(tiny_model: Path, tiny_captioner: Path, tiny_translator: Path) -> None:
    shelf = Shelf([tiny_model, tiny_captioner])
    own = shelf.take(tiny_translator, "mine.onnx")
    page = words(cards(shelf.entries(own=[own.key])))
    for part in ("tiny translator", "your own", "Hears loud sound and hissing sound.", "miss rate", "CIDEr"):
        assert part in page
    for entry in Shelf(zoo.models()).entries():
        shown = words(cards([entry]))
        for part in (entry.name, entry.card.licence, *(data.name for data in entry.card.data)):
            assert " ".join(part.split()) in shown


def test_a_card_cannot_write_the_page(save_model: Callable[..., Path]) -> None:
    page = cards(Shelf([save_model(name=ATTACK, description=ATTACK, keywords=[ATTACK, "b"])]).entries())
    assert "<script" not in page
    assert ATTACK in words(page)


# Listening


@pytest.mark.parametrize("rate", [16_000, 44_100, 48_000])
@pytest.mark.parametrize("piece_s", [0.02, 0.08, 3.0])
def test_a_microphone_is_heard_in_any_pieces(spotter: linnet.TriggerWord, rate: int, piece_s: float) -> None:
    if rate != RATE:
        pytest.importorskip("soxr")
    sound = np.concatenate([quiet(1, rate), loud(1, rate), quiet(1, rate)])
    pcm = (sound * 32767).astype("<i2")
    hearing = Hearing(spotter, rate)
    step = round(piece_s * rate)
    answers = [hearing.hear(pcm[at : at + step].tobytes()) for at in range(0, len(pcm), step)]
    json.dumps([hearing.about, *answers])  # it can be sent
    found = [each for answer in answers for each in answer["heard"]]
    assert [each["keyword"] for each in found] == ["loud"]
    assert found[0]["time_s"] == pytest.approx(1.2, abs=0.25)
    scores = [row for answer in answers for row in answer["scores"]]
    assert len(scores) * hearing.about["step_s"] == pytest.approx(3, abs=0.1)
    assert hearing.about["keywords"] == ("loud", "hiss")
    assert len(hearing.about["thresholds"]) == 2


def test_half_a_sample_is_refused(spotter: linnet.TriggerWord) -> None:
    with pytest.raises(AudioError, match="half a sample"):
        Hearing(spotter, RATE).hear(b"abc")


def test_a_recording_is_drawn_and_listed(spotter: linnet.TriggerWord, tmp_path: Path) -> None:
    path = tmp_path / "day.wav"
    audio.write_wav(path, np.concatenate([quiet(1), loud(1), quiet(3), loud(1)]))
    page = heard(spotter, path, "day.wav")
    assert "Heard 2 times" in words(page)
    assert "day.wav · 6.0 s of audio" in words(page)
    assert "<svg" in page
    assert re.findall(r"(\d\.\d\d) s loud 0\.\d\d", words(page))[0].startswith("1.")


def test_a_word_at_the_end_and_none_at_all(spotter: linnet.TriggerWord, tmp_path: Path) -> None:
    path = tmp_path / "day.wav"
    audio.write_wav(path, np.concatenate([quiet(1), loud(0.2)]))
    assert "Heard once" in words(heard(spotter, path, "day.wav"))
    audio.write_wav(path, quiet(0.01))
    page = words(heard(spotter, path, "day.wav"))
    assert "Nothing heard" in page
    assert "This model listens for loud, hiss." in page


def test_a_recording_that_lasts_too_long(
    spotter: linnet.TriggerWord, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert LONGEST_S == 3600
    monkeypatch.setattr("linnet_web.listen.LONGEST_S", 60)
    path = tmp_path / "x.wav"
    audio.write_wav(path, quiet(61))
    with pytest.raises(AudioError, match=r"^day\.wav lasts longer than 1 minutes; give a part of it$"):
        heard(spotter, path, "day.wav")


def test_no_peak_is_lost_in_a_long_plot(random: np.random.Generator) -> None:
    scores = (0.1 * random.random((90_000, 1))).astype(np.float32)  # an hour
    scores[61_234] = 1
    page = plot(scores, ["word"], np.array([0.5], np.float32), [linnet.Detection("word", 2449.4, 1.0)], 0.04)
    points = re.search(r'points="([^"]+)"', page)
    assert points
    ys = [float(point.split(",")[1]) for point in points[1].split()]
    assert len(ys) <= 600
    assert min(ys) == 38  # the top
    assert "1:00:00" in page


# Looking


def test_a_picture_is_captioned_word_by_word(tiny_captioner: Path) -> None:
    photo = Photo(picture("red"), "photo.png")
    page = captioned(linnet.Captioner(tiny_captioner), photo, 3)
    assert words(page).startswith("a red picture beam 3 · score -")
    assert re.findall("<figcaption>([^<]+)<", page) == ["a", "red", "picture"]
    assert page.count('src="data:image/jpeg;base64,') == 3
    assert "a very red picture" in words(page)
    assert preview(photo).startswith("data:image/jpeg;base64,")


def test_one_hypothesis_has_no_alternatives(tiny_captioner: Path) -> None:
    page = captioned(linnet.Captioner(tiny_captioner), Photo(picture("blue"), "photo.png"), 1)
    assert "a blue picture" in page
    assert "might also" not in page


def test_what_is_no_picture_is_said_by_its_name(tiny_captioner: Path) -> None:
    with pytest.raises(ImageError, match=r"holiday\.png"):
        captioned(linnet.Captioner(tiny_captioner), Photo(b"hello", "holiday.png"), 3)


# Translating


def test_a_sentence_is_translated_and_aligned(tiny_translator: Path) -> None:
    page = translated(linnet.Translator(tiny_translator), "Ein Hund läuft.", 3)
    assert words(page).startswith("A dog runs. beam 3 · score -")
    assert re.findall("<th><span>([^<]+)<", page) == ["Ein", "Hund", "läuft."]
    assert re.findall("<tr><th>([^<]+)</th><td", page) == ["A", "dog", "runs."]
    assert re.findall("--share:([0-9.]+)", page) == [f"{x:.2f}" for x in np.eye(3).flatten()]
    assert "very A dog runs." in words(page)


@pytest.mark.parametrize(
    ("source", "sentence"),
    [(" \n", "nothing to translate yet"), ("a" * (LONGEST + 1), "a text of 5,001 characters is too long")],
)
def test_texts_that_are_not_translated(tiny_translator: Path, source: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        translated(linnet.Translator(tiny_translator), source, 3)


def test_what_holds_no_words_stays(tiny_translator: Path) -> None:
    page = translated(linnet.Translator(tiny_translator), "...", 3)
    assert words(page).startswith("...")
    assert "linnet-matrix" not in page
