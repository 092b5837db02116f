"""Parallel text: pairs of files or tab-separated ones, plain, gzip or xz, all as lists of `Pair`."""

import gzip
import lzma
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from linnet.errors import DataError

_PACKED: dict[str, Callable[..., Any]] = {".gz": gzip.open, ".xz": lzma.open}


class Pair(NamedTuple):
    """A sentence and its translation, neither of them empty."""

    source: str
    target: str


@dataclass(frozen=True)
class Corpus:
    """Sentences from one place."""

    name: str
    pairs: tuple[Pair, ...]
    weight: float = 1.0
    """How often an epoch holds each of them."""


def read_corpora(
    files: Sequence[Path],
    columns: tuple[int, int] = (1, 2),
    weights: Sequence[float] = (),
    say: Callable[[str], None] = lambda message: None,
) -> list[Corpus]:
    """Read any number of corpora.

    Args:
        files: for each corpus either a .tsv file, or a file of sentences and one of their translations, line
            by line; any of them may end in .gz or .xz.
        columns: of the source and the target in .tsv files, from 1.
        weights: of the corpora; all 1 if empty.
        say: is told of what is left out.

    Raises:
        DataError: a file is missing, damaged or not UTF-8, two files do not belong together, there is no file
            for the other language, or weights are not as many as corpora.
    """
    corpora: list[Corpus] = []
    left = list(files)
    while left:
        path = left.pop(0)
        if _is_table(path):
            pairs, name = _table(path, columns), path.name
        elif left and not _is_table(left[0]):
            other = left.pop(0)
            pairs, name = _two(path, other), f"{path.name} and {other.name}"
        else:
            raise DataError(
                f"{path} needs a file with its translations after it; only .tsv files hold both languages"
            )
        kept = tuple(pair for pair in pairs if pair.source and pair.target)
        if len(kept) < len(pairs):
            say(f"{name}: {len(pairs) - len(kept)} of {len(pairs)} pairs have an empty side; left out.")
        if not kept:
            raise DataError(f"{name}: there is no pair of sentences in it")
        corpora.append(Corpus(name, kept))
    if not weights:
        return corpora
    if len(weights) != len(corpora):
        raise DataError(f"there are {len(weights)} weights for {len(corpora)} corpora; give one for each")
    return [Corpus(each.name, each.pairs, weight) for each, weight in zip(corpora, weights, strict=True)]


def languages_of(files: Sequence[Path]) -> tuple[str, str] | None:
    """Source and target language, as in ``train.de.gz train.en.gz``; None where names do not tell."""
    ends = [_plain(path).suffix.removeprefix(".") for path in files[:2]]
    if len(ends) == 2 and all(2 <= len(end) <= 3 and end.isalpha() for end in ends) and ends[0] != ends[1]:
        return ends[0], ends[1]
    return None


def lines(path: Path) -> list[str]:
    """The lines of a UTF-8 file, which may be packed, without blanks around them.

    Raises:
        DataError: it is missing, damaged or not UTF-8.
    """
    opener = _PACKED.get(path.suffix, open)
    try:
        with opener(path, "rb") as file:
            content: bytes = file.read()
    except (OSError, EOFError, lzma.LZMAError, zlib.error) as error:
        raise DataError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from error
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        number = content[: error.start].count(b"\n") + 1
        raise DataError(f"{path}, line {number}: it is not UTF-8; convert it, with iconv for one") from error
    found = text.split("\n")  # and nowhere else, or lines of two files would no longer belong together
    if found[-1] == "":
        found.pop()
    return [line.strip() for line in found]


def _plain(path: Path) -> Path:
    return path.with_suffix("") if path.suffix in _PACKED else path


def _is_table(path: Path) -> bool:
    return _plain(path).suffix == ".tsv"


def _two(source: Path, target: Path) -> list[Pair]:
    ours, theirs = lines(source), lines(target)
    if len(ours) != len(theirs):
        raise DataError(
            f"{source} has {len(ours)} lines and {target} has {len(theirs)}; each line must have its "
            "translation in the same place"
        )
    return list(map(Pair, ours, theirs))


def _table(path: Path, columns: tuple[int, int]) -> list[Pair]:
    return list(_cells(path, lines(path), columns))


def _cells(path: Path, rows: Iterable[str], columns: tuple[int, int]) -> Iterable[Pair]:
    for number, row in enumerate(rows, 1):
        cells = row.split("\t")
        if not row:
            yield Pair("", "")
        elif len(cells) < max(columns):
            raise DataError(
                f"{path}, line {number}: it has {len(cells)} columns between tabs, but column {max(columns)} "
                "is asked for"
            )
        else:
            yield Pair(*(cells[column - 1].strip() for column in columns))
