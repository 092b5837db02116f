"""How English words sound, and how alike they sound.

The dictionary that ships here holds the 39,000 words that are both in the CMU Pronouncing Dictionary and
among the common words and names of SCOWL (see words/NOTICE). Other words are asked of espeak-ng where it is
installed, and otherwise guessed from their letters.
"""

import gzip
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

__all__ = ["PHONES", "Phones", "distances", "heard_in", "nearest", "phones_of", "vocabulary"]

Phones = tuple[str, ...]
"""How something sounds, as names from PHONES."""

WORDS = Path(__file__).parent / "words"

# Vowels: height (0 open .. 3 close), backness (0 front .. 2 back), rounding; diphthongs by their middle.
_VOWELS = {
    "AA": (0.0, 2.0, 0), "AE": (0.3, 0.0, 0), "AH": (1.0, 1.2, 0), "AO": (0.8, 2.0, 1), "AW": (0.9, 1.3, 1),
    "AY": (1.0, 0.6, 0), "EH": (1.2, 0.2, 0), "ER": (1.5, 1.0, 0.5), "EY": (2.0, 0.0, 0), "IH": (2.3, 0.4, 0),
    "IY": (3.0, 0.0, 0), "OW": (1.9, 1.8, 1), "OY": (1.6, 1.2, 1), "UH": (2.3, 1.7, 1), "UW": (3.0, 1.8, 1),
}  # fmt: skip
# Consonants: place (0 lips .. 5 throat), manner (0 stop .. 2 fricative, 3 nasal, 4 approximant), voice.
_CONSONANTS = {
    "B": (0, 0, 1), "CH": (2.5, 1, 0), "D": (2, 0, 1), "DH": (1, 2, 1), "F": (0.5, 2, 0), "G": (4, 0, 1),
    "HH": (5, 2, 0), "JH": (2.5, 1, 1), "K": (4, 0, 0), "L": (2, 4, 1), "M": (0, 3, 1), "N": (2, 3, 1),
    "NG": (4, 3, 1), "P": (0, 0, 0), "R": (2.5, 4, 1), "S": (2, 2, 0), "SH": (2.7, 2, 0), "T": (2, 0, 0),
    "TH": (1, 2, 0), "V": (0.5, 2, 1), "W": (0, 4, 1), "Y": (3, 4, 1), "Z": (2, 2, 1), "ZH": (2.7, 2, 1),
}  # fmt: skip
_GLIDES = {("Y", "IY"), ("Y", "IH"), ("W", "UW"), ("W", "UH"), ("R", "ER")}

PHONES = (*_VOWELS, *_CONSONANTS)
"""The 39 phones of the CMU dictionary, stress left off."""

_INDEX = {phone: index for index, phone in enumerate(PHONES)}
INSERTION = 0.9
DIGITS = dict(enumerate(["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]))


@dataclass(frozen=True)
class _Dictionary:
    """Every pronunciation in the dictionary, as a table: words with several have several rows."""

    words: list[str]
    kinds: list[str]
    ways: list[Phones]
    rows: dict[str, list[int]]
    codes: NDArray[np.intp]
    """The phones of every row as places in PHONES, shape (rows, longest), filled up with zeros."""
    lengths: NDArray[np.intp]
    """How many phones every row has, shape (rows,)."""


@lru_cache(maxsize=1)
def _dictionary() -> _Dictionary:
    with gzip.open(WORDS / "pronunciations.txt.gz", "rt", encoding="ascii") as file:
        lines = [line.split() for line in file]
    rows: dict[str, list[int]] = {}
    for row, (word, *_) in enumerate(lines):
        rows.setdefault(word, []).append(row)
    ways = [tuple(phones) for _, _, *phones in lines]
    codes, lengths = _encode(ways)
    return _Dictionary([line[0] for line in lines], [line[1] for line in lines], ways, rows, codes, lengths)


def vocabulary(kind: str) -> list[str]:
    """Return the dictionary's words of a kind.

    "a" is the 4,000 commonest, "b" 7,000 less common, "c" 22,000 rarer ones, "n" 7,000 names.
    """
    known = _dictionary()
    return [word for word, rows in known.rows.items() if known.kinds[rows[0]] == kind]


def phones_of(text: str) -> list[Phones]:
    """Return how a phrase may sound: one to eight ways (one, empty, if it has no word)."""
    ways: list[Phones] = [()]
    for word in re.findall(r"[a-z']+|[0-9]", text.lower()):
        spelled = DIGITS[int(word)] if word.isdigit() else word
        ways = [way + more for way in ways for more in _word(spelled)][:8]
    return ways


@lru_cache(maxsize=4096)
def _word(word: str) -> list[Phones]:
    known = _dictionary()
    for spelling in (word, word.replace("'", "")):
        if spelling in known.rows:
            return [known.ways[row] for row in known.rows[spelling]]
    return [_from_espeak(word) or _translate(word, "letters.txt")]


def _from_espeak(word: str) -> Phones:
    program = shutil.which("espeak-ng")
    if program is None:
        return ()
    try:
        done = subprocess.run(
            [program, "-q", "--ipa", "-v", "en-us", "--stdin"], input=word, capture_output=True, text=True,
            encoding="utf-8", errors="replace", timeout=10,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return ()
    return _translate(done.stdout, "ipa.txt")


def _translate(text: str, name: str) -> Phones:
    """Read text from the left, always taking the longest piece in a table; what is not in it says nothing."""
    table = _table(name)
    phones: Phones = ()
    while text:
        piece = next((text[:size] for size in (3, 2, 1) if text[:size] in table), text[0])
        phones += table.get(piece, ())
        text = text[len(piece) :]
    return phones


@lru_cache(maxsize=2)
def _table(name: str) -> dict[str, Phones]:
    """Return a table of spellings: on each line letters or IPA (espeak-ng's for en-us), then phones."""
    lines = (WORDS / name).read_text(encoding="utf-8").splitlines()
    return {piece: tuple(phones) for piece, *phones in map(str.split, lines)}


@lru_cache(maxsize=1)
def _costs() -> NDArray[np.float32]:
    """Return what it costs to take one phone for another, from 0 to 1.5, shape (39, 39)."""
    costs = np.full((len(PHONES), len(PHONES)), 1.5, dtype=np.float32)
    for family, scale, least in ((_VOWELS, (3.0, 2.0, 2.0), 0.2), (_CONSONANTS, (3.5, 2.5, 3.5), 0.25)):
        for one, here in family.items():
            for other, there in family.items():
                apart = sum(abs(a - b) / size for a, b, size in zip(here, there, scale, strict=True))
                costs[_INDEX[one], _INDEX[other]] = 0.0 if one == other else min(1.2, least + 0.8 * apart)
    for glide, vowel in _GLIDES:
        costs[_INDEX[glide], _INDEX[vowel]] = costs[_INDEX[vowel], _INDEX[glide]] = 0.5
    # Unstressed, the first two are one vowel; the other two are one vowel for about half of all Americans.
    for one, other in (("AH", "IH"), ("AA", "AO")):
        costs[_INDEX[one], _INDEX[other]] = costs[_INDEX[other], _INDEX[one]] = 0.1
    return costs


def distances(phones: Phones, others: Sequence[Phones]) -> NDArray[np.float32]:
    """Return how different each of the others sounds from phones, shape (len(others),).

    0 is the same; each phone that is missing, added or quite another makes it about 1 more. (Levenshtein's
    distance, with lower costs for phones that are alike.)
    """
    return _align(phones, *_encode(others), anywhere=False)


def heard_in(phones: Phones, texts: Sequence[Phones]) -> NDArray[np.float32]:
    """Return how different phones sound from the likest stretch of each text, shape (len(texts),).

    0 means that the text contains them, whatever comes before and after. (Sellers' approximate search.)
    """
    return _align(phones, *_encode(texts), anywhere=True)


def nearest(phones: Phones, count: int) -> list[str]:
    """Return the words in the dictionary that sound most like phones, the most alike first."""
    known = _dictionary()
    rows = np.flatnonzero(abs(known.lengths - len(phones)) <= 3)
    apart = _align(phones, known.codes[rows], known.lengths[rows], anywhere=False)
    order = rows[np.argsort(apart, kind="stable")]
    return list(islice(dict.fromkeys(known.words[row] for row in order.tolist()), count))


def _encode(ways: Sequence[Phones]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the phones of every way as places in PHONES, (ways, longest), and their numbers, (ways,)."""
    lengths = np.array([len(way) for way in ways], dtype=np.intp)
    codes = np.zeros((len(ways), int(lengths.max(initial=0))), dtype=np.intp)
    for row, way in enumerate(ways):
        codes[row, : len(way)] = [_INDEX[phone] for phone in way]
    return codes, lengths


def _align(
    phones: Phones, codes: NDArray[np.intp], lengths: NDArray[np.intp], *, anywhere: bool
) -> NDArray[np.float32]:
    """Return the cheapest way to turn phones into each row of codes (or any stretch of it), shape (rows,)."""
    columns = max(int(lengths.max(initial=0)), 0) + 1
    # Column-major, so that each step below works on consecutive numbers.
    last = np.zeros((columns, len(codes)), dtype=np.float32)
    if not anywhere:
        last += INSERTION * np.arange(columns, dtype=np.float32)[:, None]
    for phone in phones:
        swapped = last[:-1] + _costs()[_INDEX[phone]][codes.T[: columns - 1]]
        row = last + np.float32(INSERTION)
        np.minimum(row[1:], swapped, out=row[1:])
        for column in range(1, columns):
            np.minimum(row[column], row[column - 1] + np.float32(INSERTION), out=row[column])
        last = row
    if not anywhere:
        return np.asarray(last[lengths, np.arange(len(codes))])
    beyond = np.arange(columns)[:, None] > lengths
    return np.asarray(np.where(beyond, np.float32(np.inf), last).min(axis=0))
