"""Reading parallel text, and what is said of text that is not parallel."""

import gzip
import lzma
from pathlib import Path

import pytest

from linnet.errors import DataError
from linnet_training.translate.data import Pair, languages_of, read_corpora

DE, EN = "Ein Hund.\n Zwei Katzen. \n", "A dog.\nTwo cats.\n"


def write(path, text, opener=open):
    with opener(path, "wb") as file:
        file.write(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize(("end", "opener"), [("", open), (".gz", gzip.open), (".xz", lzma.open)])
def test_two_files_line_by_line(tmp_path, end, opener):
    files = [write(tmp_path / f"a.de{end}", DE, opener), write(tmp_path / f"a.en{end}", EN, opener)]
    (corpus,) = read_corpora(files)
    assert corpus.pairs == (Pair("Ein Hund.", "A dog."), Pair("Zwei Katzen.", "Two cats."))
    assert corpus.weight == 1
    assert languages_of(files) == ("de", "en")


def test_tables_and_several_corpora(tmp_path):
    table = write(tmp_path / "t.tsv.xz", "A dog.\tEin Hund.\tnote\r\nYes.\tJa.\tx\n", lzma.open)
    files = [table, write(tmp_path / "a.de", DE), write(tmp_path / "a.en", EN), table]
    corpora = read_corpora(files, (2, 1), (0.5, 2, 1))
    assert [each.weight for each in corpora] == [0.5, 2, 1]
    assert corpora[0].pairs == (Pair("Ein Hund.", "A dog."), Pair("Ja.", "Yes."))
    assert corpora[1].pairs[0] == Pair("Ein Hund.", "A dog.")


def test_lines_end_at_line_feeds_alone(tmp_path):
    odd = "one\u2028still one\x0b\x85\ntwo\n"
    files = [write(tmp_path / "a.xx", "\ufeff" + odd), write(tmp_path / "a.yy", "1\n2")]
    (corpus,) = read_corpora(files)
    assert corpus.pairs == (Pair("one\u2028still one", "1"), Pair("two", "2"))


def test_empty_sides_are_left_out_and_said(tmp_path):
    said = []
    files = [write(tmp_path / "a.de", "Ein\n\nDrei\n \n"), write(tmp_path / "a.en", "One\nTwo\n\n\n")]
    (corpus,) = read_corpora(files, say=said.append)
    assert corpus.pairs == (Pair("Ein", "One"),)
    assert said == ["a.de and a.en: 3 of 4 pairs have an empty side; left out."]


@pytest.mark.parametrize(
    ("names", "known"),
    [
        (["train.de", "train.en"], ("de", "en")),
        (["train.deu.gz", "train.eng.xz"], ("deu", "eng")),
        (["train.de", "train.de"], None),
        (["de.txt", "en.txt"], None),
        (["a.tsv"], None),
        (["a", "b"], None),
    ],
)
def test_languages_from_names(names, known):
    assert languages_of([Path(name) for name in names]) == known


def test_what_cannot_be_read(tmp_path):
    good = write(tmp_path / "good.en", EN)
    cases = {
        "No such file": [tmp_path / "gone.de", good],
        "has 1 lines and .* has 2": [write(tmp_path / "short.de", "Ein Hund.\n"), good],
        "line 2: it is not UTF-8": [write(tmp_path / "latin.de", "Hund\nläuft\n".encode("latin-1")), good],
        "needs a file with its translations": [good],
        "there is no pair": [write(tmp_path / "empty.de", "\n\n"), good],
        "line 2: it has 1 columns": [write(tmp_path / "t.tsv", "a\tb\nc\n")],
    }
    for number, content in enumerate((b"", b"\x1f\x8b\x08", b"no gzip", gzip.compress(b"a\n" * 999)[:20])):
        path = write(tmp_path / f"{number}.de.gz", content)
        with pytest.raises(DataError, match=r"cannot read|no pair|lines"):
            read_corpora([path, good])
    path = write(tmp_path / "damaged.de.xz", lzma.compress(b"a\n" * 999)[:40])
    with pytest.raises(DataError, match="cannot read"):
        read_corpora([path, good])
    for words, files in cases.items():
        with pytest.raises(DataError, match=words):
            read_corpora(files)
    with pytest.raises(DataError, match="2 weights for 1 corpora"):
        read_corpora([good, good], weights=(1, 2))
