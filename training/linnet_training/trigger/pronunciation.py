"""How English words sound, and how alike they sound.

The dictionary that ships here holds the 44,000 words that are both in the CMU Pronouncing Dictionary and among the
common words and names of SCOWL (see words/NOTICE). Other words are asked of espeak-ng where it is installed, and
otherwise guessed from their letters.
"""

import gzip
import re
import shutil
import subprocess
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

__all__ = ["PHONES", "distances", "heard_in", "nearest", "phones_of", "pronunciations", "vocabulary"]

DICTIONARY = Path(__file__).parent / "words" / "pronunciations.txt.gz"

# Place of vowels: (height 0 open .. 3 close, backness 0 front .. 2 back, rounded), diphthongs by their middle.
_VOWELS = {
    "AA": (0.0, 2.0, 0), "AE": (0.3, 0.0, 0), "AH": (1.0, 1.2, 0), "AO": (0.8, 2.0, 1), "AW": (0.9, 1.3, 1),
    "AY": (1.0, 0.6, 0), "EH": (1.2, 0.2, 0), "ER": (1.5, 1.0, 0.5), "EY": (2.0, 0.0, 0), "IH": (2.3, 0.4, 0),
    "IY": (3.0, 0.0, 0), "OW": (1.9, 1.8, 1), "OY": (1.6, 1.2, 1), "UH": (2.3, 1.7, 1), "UW": (3.0, 1.8, 1),
}  # fmt: skip
# Consonants: (place 0 lips .. 5 throat, manner 0 stop 1 affricate 2 fricative 3 nasal 4 approximant, voiced).
_CONSONANTS = {
    "B": (0, 0, 1), "CH": (2.5, 1, 0), "D": (2, 0, 1), "DH": (1, 2, 1), "F": (0.5, 2, 0), "G": (4, 0, 1), "HH": (5, 2, 0),
    "JH": (2.5, 1, 1), "K": (4, 0, 0), "L": (2, 4, 1), "M": (0, 3, 1), "N": (2, 3, 1), "NG": (4, 3, 1), "P": (0, 0, 0),
    "R": (2.5, 4, 1), "S": (2, 2, 0), "SH": (2.7, 2, 0), "T": (2, 0, 0), "TH": (1, 2, 0), "V": (0.5, 2, 1),
    "W": (0, 4, 1), "Y": (3, 4, 1), "Z": (2, 2, 1), "ZH": (2.7, 2, 1),
}  # fmt: skip
_GLIDES = {("Y", "IY"), ("Y", "IH"), ("W", "UW"), ("W", "UH"), ("R", "ER")}

PHONES = (*_VOWELS, *_CONSONANTS)
"""The 39 phones of the CMU dictionary, stress left off."""

_INDEX = {phone: index for index, phone in enumerate(PHONES)}
INSERTION = 0.9

# espeak-ng's en-us IPA, longest first, onto the same phones.
_IPA = {
    "aɪə": "AY ER", "aɪɚ": "AY ER", "ɪɹ": "IH R", "ʊɹ": "UH R", "ɛɹ": "EH R", "ɔːɹ": "AO R", "oːɹ": "AO R", "ɑːɹ": "AA R",
    "aɪ": "AY", "aʊ": "AW", "eɪ": "EY", "oʊ": "OW", "əʊ": "OW", "ɔɪ": "OY", "tʃ": "CH", "dʒ": "JH", "iə": "IY AH",
    "ɑː": "AA", "ɔː": "AO", "ɜː": "ER", "iː": "IY", "uː": "UW", "əl": "AH L", "n̩": "AH N",
    "æ": "AE", "a": "AE", "ɐ": "AH", "ʌ": "AH", "ə": "AH", "ɚ": "ER", "ɛ": "EH", "e": "EH", "ɪ": "IH", "ᵻ": "IH", "i": "IY",
    "ɒ": "AA", "ɑ": "AA", "ɔ": "AO", "o": "OW", "ʊ": "UH", "u": "UW",
    "b": "B", "d": "D", "ð": "DH", "f": "F", "ɡ": "G", "g": "G", "h": "HH", "k": "K", "l": "L", "m": "M", "n": "N",
    "ŋ": "NG", "p": "P", "ɹ": "R", "r": "R", "s": "S", "ʃ": "SH", "t": "T", "ɾ": "T", "ʔ": "T", "θ": "TH", "v": "V",
    "w": "W", "j": "Y", "z": "Z", "ʒ": "ZH", "x": "K", "ç": "HH", "ɬ": "L",
}  # fmt: skip
_LETTERS = {
    "tch": "CH", "sch": "SH", "igh": "AY", "ch": "CH", "sh": "SH", "th": "TH", "ph": "F", "ck": "K", "qu": "K W", "ng": "NG",
    "ee": "IY", "ea": "IY", "oo": "UW", "ou": "AW", "ow": "OW", "ai": "EY", "ay": "EY", "oy": "OY", "oi": "OY", "au": "AO",
    "er": "ER", "ar": "AA R", "or": "AO R", "ir": "ER", "ur": "ER", "bb": "B", "dd": "D", "ff": "F", "gg": "G", "ll": "L",
    "mm": "M", "nn": "N", "pp": "P", "rr": "R", "ss": "S", "tt": "T", "zz": "Z",
    "a": "AE", "b": "B", "c": "K", "d": "D", "e": "EH", "f": "F", "g": "G", "h": "HH", "i": "IH", "j": "JH", "k": "K",
    "l": "L", "m": "M", "n": "N", "o": "OW", "p": "P", "q": "K", "r": "R", "s": "S", "t": "T", "u": "AH", "v": "V",
    "w": "W", "x": "K S", "y": "IY", "z": "Z",
}  # fmt: skip


@lru_cache(maxsize=1)
def pronunciations() -> dict[str, list[tuple[str, ...]]]:
    """Return the dictionary: lower-case word -> its pronunciations as tuples of PHONES."""
    return {word: [phones for phones, _ in ways] for word, ways in _entries().items()}


def vocabulary(kinds: str) -> list[str]:
    """Return the dictionary's words of some kinds: "a" the 5,000 commonest, "b" and "c" rarer ones, "n" names."""
    return [word for word, ways in _entries().items() if ways[0][1] in kinds]


@lru_cache(maxsize=1)
def _entries() -> dict[str, list[tuple[tuple[str, ...], str]]]:
    entries: dict[str, list[tuple[tuple[str, ...], str]]] = {}
    with gzip.open(DICTIONARY, "rt", encoding="ascii") as lines:
        for line in lines:
            word, kind, phones = line.split(maxsplit=2)
            entries.setdefault(word, []).append((tuple(phones.split()), kind))
    return entries


def phones_of(text: str) -> list[tuple[str, ...]]:
    """Return how a phrase may sound, as tuples of PHONES: at most eight ways, from the ways its words may sound."""
    ways: list[tuple[str, ...]] = [()]
    for word in re.findall(r"[a-z0-9']+", text.lower()):
        ways = [way + more for way in ways for more in _word(word)][:8]
    return ways


@lru_cache(maxsize=4096)
def _word(word: str) -> list[tuple[str, ...]]:
    word = word if word in pronunciations() else word.replace("'", "")
    return pronunciations().get(word) or [_from_espeak(word) or _translate(word, _LETTERS)]


def _from_espeak(word: str) -> tuple[str, ...]:
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
    return _translate(done.stdout, _IPA)


def _translate(text: str, table: dict[str, str]) -> tuple[str, ...]:
    """Read text from the left, always taking the longest piece in the table; what is not in it says nothing."""
    phones: list[str] = []
    while text:
        piece = next((text[:size] for size in (3, 2, 1) if text[:size] in table), "")
        phones += table.get(piece, "").split()
        text = text[len(piece) or 1 :]
    return tuple(phones)


@lru_cache(maxsize=1)
def _costs() -> NDArray[np.float32]:
    """Return what it costs to hear one phone for another, shape (39, 39): 0 the same, about 0.3 alike, 1.5 vowel for
    consonant."""
    costs = np.full((len(PHONES), len(PHONES)), 1.5, dtype=np.float32)
    for family, scale, least in ((_VOWELS, (3.0, 2.0, 2.0), 0.2), (_CONSONANTS, (3.5, 2.5, 3.5), 0.25)):
        for one, here in family.items():
            for other, there in family.items():
                apart = sum(abs(a - b) / size for a, b, size in zip(here, there, scale, strict=True))
                costs[_INDEX[one], _INDEX[other]] = 0.0 if one == other else min(1.2, least + 0.8 * apart)
    for glide, vowel in _GLIDES:
        costs[_INDEX[glide], _INDEX[vowel]] = costs[_INDEX[vowel], _INDEX[glide]] = 0.5
    # An unstressed vowel may be either of these, whatever a dictionary says.
    costs[_INDEX["AH"], _INDEX["IH"]] = costs[_INDEX["IH"], _INDEX["AH"]] = 0.1
    return costs


@lru_cache(maxsize=1)
def _cost_lists() -> list[list[float]]:
    return _costs().tolist()  # type: ignore[no-any-return]


def distances(phones: tuple[str, ...], others: list[tuple[str, ...]]) -> NDArray[np.float32]:
    """Return how different each of the others sounds from phones, shape (len(others),): 0 the same, about 1 per phone
    that is missing, added or quite another. An edit distance (Levenshtein), computed for all of them at once."""
    longest = max((len(other) for other in others), default=0)
    table = np.zeros((len(others), longest), dtype=np.intp)
    for row, other in enumerate(others):
        table[row, : len(other)] = [_INDEX[phone] for phone in other]
    costs = _costs()
    last = np.tile(INSERTION * np.arange(longest + 1, dtype=np.float32), (len(others), 1))
    for phone in phones:
        swap = costs[_INDEX[phone]][table]
        row = last + INSERTION
        row[:, 1:] = np.minimum(row[:, 1:], last[:, :-1] + swap)
        for column in range(1, longest + 1):
            row[:, column] = np.minimum(row[:, column], row[:, column - 1] + INSERTION)
        last = row
    return last[np.arange(len(others)), [len(other) for other in others]]


def heard_in(phones: tuple[str, ...], text: tuple[str, ...]) -> float:
    """Return how different phones sound from the stretch of text that is most like them: 0 if text contains them."""
    costs = _cost_lists()
    heard = [_INDEX[phone] for phone in text]
    last = [0.0] * (len(text) + 1)
    for phone in phones:
        swaps = costs[_INDEX[phone]]
        row = [last[0] + INSERTION]
        for column, other in enumerate(heard):
            row.append(min(last[column] + swaps[other], last[column + 1] + INSERTION, row[-1] + INSERTION))
        last = row
    return min(last)


def nearest(phones: tuple[str, ...], count: int, *, at_least: float = 0.0) -> list[str]:
    """Return the dictionary's words that sound most like phones but differ by `at_least`, most alike first."""
    words = [(word, way) for word, ways in pronunciations().items() for way in ways if abs(len(way) - len(phones)) <= 3]
    if not words or not phones:
        return []
    apart = distances(phones, [way for _, way in words])
    found: dict[str, float] = {}
    for (word, _), distance in zip(words, apart.tolist(), strict=True):
        found[word] = min(distance, found.get(word, distance))
    return [word for word in sorted(found, key=lambda word: (found[word], word)) if found[word] >= at_least][:count]
