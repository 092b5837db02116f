"""Where texts are cut: after sentences, not after abbreviations; and nothing is lost."""

from __future__ import annotations

import pytest

from linnet.sentences import middle, sentences


def split(text, language=""):
    return [text[start:end] for start, end in sentences(text, language)]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("de", "Ein Hund läuft.|Eine Frau liest!|Warum?|Ja …|Nein... |Gut."),
        ("de", "„Komm!“ rief er.|»Nein.«|Dann ging sie.|(Wirklich.)|Er sagte: „Ja.“|Sie lachte."),
        ("de", "Das ist z. B. Herr Dr. Müller, geb. am 3. Mai 1990, bzw. d. h. Prof. Meier.|Ende."),
        ("de", "Am 3. Oktober kam der 2. Zug.|Er ist 12.|Sie ist 13.|Das war 1990.|Danach nichts."),
        ("de", "Nr. 5 lebt.|Sie kostet 3.50 Euro, 1.000.000 Yen.|Das 19. Jahrhundert.|Auf www.a.de."),
        ("de", "Papst Johannes XXIII. starb.|Ihm folgte Paul VI.|Er war alt.|1. Öl erhitzen.|2. Salzen."),
        ("en", "Mr. Smith lives in the U.S. with J. R. R. Tolkien.|So do I.|He left at 5 p.m. yesterday."),
        ("en", '"Really?" she asked.|"Yes."|No. 5 is alive.|No.|It costs $3.50, i.e. nothing.|He is 12.|Oh!'),
        ("en", "What?!|Wait...|“Stop!”|But it went on... and on.|St. Paul vs. Dr. No.|The end"),
        ("fr", "« Viens ! » dit-il.|« Viens ! »|Puis il est parti.|M. Dupont et Mme. Curie.|Quoi ?|Rien !"),
        ("fr", "En 50 av. J.-C. toute la Gaule.|Il a 12 ans.|¿Qué?|Fin"),
        ("es", "Dr. Mai kam am 3. Mai, Mr. Smith.|Hola."),
        ("", "Привет.|Как дела?|שלום.|Ωραία."),
    ],
)
def test_sentences(language, text):
    wanted = [each.strip() for each in text.split("|")]
    assert split(" ".join(wanted), language) == wanted
    assert split("\n".join(wanted), language) == wanted


def test_line_breaks_end_sentences():
    text = "eins\nzwei\r\n\r\n drei \x85vier\u2028fünf\vsechs"
    assert split(text) == text.split() == ["eins", "zwei", "drei", "vier", "fünf", "sechs"]
    assert split("") == split(" \n\t ") == []


def test_nothing_is_lost(random):
    letters = list("aB1.!?…,; \n\t\"'“»«()-\u00a0\u202fäÄ😀\0")
    for _ in range(2000):
        text = "".join(random.choice(letters, random.integers(1, 60)))
        last = 0
        for start, end in sentences(text, str(random.choice(["de", "en", "fr", ""]))):
            assert start < end
            assert text[last:start].isspace() or not text[last:start]
            assert text[start:end] == text[start:end].strip()
            last = end
        assert not text[last:].strip()


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("Er kam, sah und siegte; dann ging er, und sie blieb.", "Er kam, sah und siegte; |"),
        ("Er kam spät in der Nacht, sie blieb noch lange, wach", "Er kam spät in der Nacht, |"),
        ("Er kam \u2013 und das war gut", "Er kam |"),
        ("Er kostet 1,000 Euro mehr", "Er kostet |"),
        ("ab cd ef gh", "ab cd |"),
        ("Ja, aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", None),
        ("aaaaaaaa", "aaaa|"),
        ("aa", "a|"),
        ("abc", "a|"),
    ],
)
def test_the_middle_of_a_sentence(text, cut):
    place = middle(text)
    assert 1 <= place <= len(text) - 1
    assert text[:place] == (cut.rstrip("|") if cut else text[: len(text) // 2])


@pytest.mark.parametrize(
    "piece",
    ["a", ".", ". ", ".)", "Er. ", " ", "(", ". (", ".\u00a0»", " \u2013 ", ", ", "z. B. ", "\n"],
)
def test_long_texts_take_time_in_proportion(piece):
    # Where it would grow with the square, this would take minutes.
    text = piece * 30_000 + "x"
    places = list(sentences(text, "de"))
    assert 1 <= len(places) <= 30_001
    assert 1 <= middle(text) < len(text)
