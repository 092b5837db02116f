"""Pieces of words: from text to ids and back, and what is refused as a SentencePiece model."""

from __future__ import annotations

import subprocess
import sys

import pytest
from tiny_translate import tiny_pieces

from linnet import piecemodel
from linnet.errors import ModelError
from linnet.search import text_of
from linnet.text import Pieces


@pytest.fixture(scope="module")
def pieces():
    return Pieces(tiny_pieces(), "tiny.onnx")


def test_there_and_back(pieces):
    ids = pieces.ids("Ein Hund läuft.")
    assert [pieces.vocabulary[each] for each in ids] == ["\u2581Ein", "\u2581Hund", "\u2581läuft", "."]
    for text in ("Ein Hund läuft.", "x-y?", "😀 世界", "שלום", "<0x41> <s> </s> <pad>", "a" * 500, ""):
        assert text_of([pieces.vocabulary[each] for each in pieces.ids(text)]) == text


def test_odd_characters(pieces):
    for code in (*range(32), 127, *range(128, 160)):
        assert pieces.ids(f"Hund{chr(code)}Frau") == pieces.ids("Hund Frau")
    assert pieces.ids("a\ud800b\udfff") == pieces.ids("a\ufffdb\ufffd")
    assert pieces.ids(" \0\t ") == []


def test_bytes_become_text_on_one_line():
    assert text_of(["\u2581", "<0xF0>", "<0x9F>", "<0x98>", "<0x80>", "!"]) == "😀!"
    assert text_of(["a", "<0xC3>", "b"]) == "a\ufffdb"
    assert text_of(["<0x41>", "<0x4g>", "\u2581<0x42>"]) == "A<0x4g> <0x42>"
    assert text_of(["a", "<0x0A>", "<0x0D>", "<0x00>", "b", "<0xE2>", "<0x80>", "<0xA8>", "c"]) == "a   b c"


@pytest.mark.parametrize("most", [1, 2, 5, 20])
def test_a_long_sentence_in_parts(pieces, most):
    for text in (
        "Ein Hund läuft, eine Frau liest; dann am Strand und dann ein Hund.",
        "  a b  c d, e;   " * 20,
        "a" * 300,
        "😀" * 50,
        "x",
        "",
    ):
        parts = pieces.fitting(text, most)
        last = 0
        for start, end, ids in parts:
            assert not text[last:start].strip()
            assert ids == pieces.ids(text[start:end])
            assert len(ids) <= most or end - start == 1
            last = end
        assert not text[last:].strip()


def test_a_sentence_is_cut_at_clauses(pieces):
    text = "Ein Hund läuft am Strand, und eine Frau liest; dann liest ein Hund und läuft am Strand."
    parts = [text[start:end] for start, end, _ in pieces.fitting(text, 20)]
    assert parts[0].endswith(";")
    assert " ".join(parts) == text


# What is refused


def piece(text=b"a", kind=None):
    inner = (
        b"\x0a" + bytes([len(text)]) + text + b"\x15\0\0\0\0" + (b"" if kind is None else bytes([24, kind]))
    )
    return b"\x0a" + bytes([len(inner)]) + inner


SPECIAL = piece(b"<pad>", 3) + piece(b"<s>", 3) + piece(b"</s>", 3) + piece(b"<unk>", 2)


def test_what_is_read_before_the_library_reads_it():
    assert piecemodel.pieces(SPECIAL + piece()) == ("<pad>", "<s>", "</s>", "<unk>", "a")
    assert piecemodel.pieces(SPECIAL + b"\x0a\x05\x18\x01\x0a\x01b" + piece())[4:] == ("b", "a")
    assert piecemodel.pieces(tiny_pieces())[:4] == ("<pad>", "<s>", "</s>", "<unk>")


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "must be of 1 to 10000000 bytes"),
        (b"a" * (piecemodel.MAX_BYTES + 1), "must be of 1 to"),
        (b"nonsense", "is not a SentencePiece model, or is damaged"),
        (tiny_pieces()[:-3], "is not a SentencePiece model"),
        (b"\x0a", "is not a SentencePiece model"),
        (b"\x0a\x00", "is not a SentencePiece model"),
        (b"\x10\x01", "must begin with padding"),
        (SPECIAL, "at least one piece of text"),
        (SPECIAL + piece() + piece(), "each but once"),
        (SPECIAL + piece(b""), "at least one piece of text"),
        (SPECIAL + piece(b"\xff"), "is not a SentencePiece model"),
        (SPECIAL + piece(b"b", 3), "hold no other such pieces"),
        (SPECIAL + piece(b"b", 2), "hold no other such pieces"),
        (piece(b"<unk>", 2) + piece(b"<s>", 3) + piece(b"</s>", 3) + piece(), "must begin with padding"),
        (SPECIAL + b"\x0a\x00" * (piecemodel.MAX_PIECES + 1), "is not a SentencePiece model"),
    ],
)
def test_what_is_no_model(data, sentence):
    with pytest.raises(ValueError, match=sentence):
        piecemodel.pieces(data)


@pytest.mark.parametrize(
    "data",
    [
        SPECIAL.replace(b"<pad>", b"<end>") + piece(),  # what is not said to be padding
        SPECIAL + piece(b"<0x00>", 6),  # one byte of 256
        tiny_pieces() + b"\x1a\x06\x12\x04\xff\xff\xff\xff",  # rules for letters that are no rules
    ],
)
def test_what_the_library_refuses_or_takes_for_another(data, capfd):
    piecemodel.pieces(data)
    with pytest.raises(ModelError, match=r"^x\.onnx .*export it again$") as raised:
        Pieces(data, "x.onnx")
    assert "\n" not in str(raised.value)
    assert capfd.readouterr() == ("", "")


def test_hostile_models_are_refused_or_work():
    script = f"""
import sys
sys.path[:] = {sys.path!r}
import numpy as np
from tiny_translate import tiny_pieces
from linnet import piecemodel
from linnet.errors import ModelError
from linnet.text import Pieces

data, refused = tiny_pieces(), 0
for number in range(1500):
    random = np.random.default_rng(number)
    damaged = bytearray(data)
    # Half of them behind the pieces, where it says how to cut.
    first = 0 if number % 2 else len(data) - 700
    for _ in range(random.choice([1, 2, 5, 50])):
        damaged[random.integers(first, len(data))] = random.integers(256)
    if number % 7 == 0:
        start = random.integers(len(data))
        del damaged[start : start + random.integers(1, 300)]
    try:
        piecemodel.pieces(bytes(damaged))
        pieces = Pieces(bytes(damaged), "x.onnx")
        for text in ("Ein Hund läuft am Strand. ﬁ ½ 한글", "", "x" * 200, "\\0\\ud800"):
            pieces.fitting(text, 5)
    except (ModelError, ValueError):
        refused += 1
print(refused)
"""
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", script], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert 500 < int(done.stdout) < 1500
    assert done.stderr == ""
