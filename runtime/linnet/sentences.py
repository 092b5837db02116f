"""Where a text can be cut: into lines, sentences, and a sentence that is too long into clauses.

A few rules, since a translator of sentences does well with two short sentences at a time and badly with half
a one. So where it is not plain that a sentence ends, it goes on: after "Dr." and "z. B.", after "am 3." in
German, before a small letter. Everything here gives places in the text, and changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

__all__ = ["middle", "sentences"]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_LINE = re.compile(r"[^\n\r\v\f\x1c-\x1e\x85\u2028\u2029]+")
_OPENING = "\"'“”„‚‘’«»‹›([{¿¡–—-•*"  # noqa: RUF001
_CLOSING = "\"'“”‘’«»‹›)]}"  # noqa: RUF001
# One start per run of marks, so that a line of a million points takes no longer than it should. French puts a
# space before the mark that closes a quotation.
_STOP = re.compile(rf"(?<![.!?…])[.!?…]+[{re.escape(_CLOSING)}]*(?:[ \u00a0\u202f]»)?(?=\s|\Z)")
_NEXT = re.compile(rf"\s*[{re.escape(_OPENING)}\s]*(\S?)(\w*)")
_BEFORE = 24  # characters in which the word before a full stop is looked for

_LETTERS = re.compile(r"(?:[^\W\d_]\.-?)*[^\W\d_]")  # B, z.B, J.-C
_ROMAN = re.compile(r"[IVXLC]+")

# Not the end of a sentence, whatever follows.
_ABBREVIATIONS = {
    "de": _words(
        "abs bd bspw bzgl bzw ca dipl div dr evtl fam fr frl gebr geb gem ggf hl hr hrn inkl ing insb jh jr "
        "kap lt max med min mio mrd nat orig phil prof red rer sog st std str tel tsd uvm verf vgl zzgl"
    ),
    "en": _words(
        "al approx asst capt cf col dept dr ed est gen gov hon jr lt ltd maj messrs mr mrs ms mt mx pres "
        "prof rep rev sen sgt sr st ste supt vs"
    ),
    "fr": _words("apr av bd chap cf dr env ex hab mgr mlle mlles mm mme mmes mr mt prof st ste tél vol"),
}
# Not the end where a number follows: "Nr. 5", but "No. I won't."
_NUMBERED = _words("abb anm art bl fig fol kap no nos nr num para pos pp sec tab vol ziff")
# Words that begin a sentence and no date: "Er ist 12. Sie ist 13.", but "am 3. Mai".
_STARTS = _words(
    "aber als am an auch auf aus bei da damals dann darum das daher dem den denn der deshalb die dies diese "
    "dieser doch du ein eine er es für heute hier ich ihr im in ist jetzt man mit nach nun ob oder sie sind "
    "so und unser vor warum was weil wenn wer wie wir wo zu zum zur"
)

# Where a long sentence is cut: best after a clause, else after a comma, else between words.
_CLAUSE = re.compile(r"[;:]\s+|\s(?=[–—-]\s)")  # noqa: RUF001
_CUTS = (_CLAUSE, re.compile(r",\s+"), re.compile(r"\s+"))


def sentences(text: str, language: str = "") -> Iterator[tuple[int, int]]:
    """The sentences of a text: where each begins and ends, without the blanks around it.

    A line break ends a sentence; between what is given there is nothing but blanks and breaks.

    Args:
        text: of any length; it takes time in proportion.
        language: whose abbreviations and ordinals are known: "de", "en" or "fr"; for another all of them are.
    """
    kinds = [language] if language in _ABBREVIATIONS else list(_ABBREVIATIONS)
    abbreviations = frozenset().union(*(_ABBREVIATIONS[kind] for kind in kinds))
    for line in _LINE.finditer(text):
        start, end = line.span()
        for stop in _STOP.finditer(text, start, end):
            if _is_end(text, start, stop, end, abbreviations, "de" in kinds):
                yield from _trimmed(text, start, stop.end())
                start = stop.end()
        yield from _trimmed(text, start, end)


def middle(text: str) -> int:
    """Where to cut a sentence in two: near its middle, after a clause, else after a comma, else after a word.

    If its middle half has none of these it is cut right in the middle; between 1 and ``len(text) - 1`` in any
    case, so it must have two characters.
    """
    size = len(text)
    low, high = max(1, size // 4), min(size - 1, size - size // 4)
    for cut in _CUTS:
        places = [place.end() for place in cut.finditer(text) if low <= place.end() <= high]
        if places:
            return min(places, key=lambda place: abs(2 * place - size))
    return size // 2


def _trimmed(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The span without blanks at its ends, unless it is nothing but blanks."""
    while start < end and text[start].isspace():
        start += 1
    while start < end and text[end - 1].isspace():
        end -= 1
    if start < end:
        yield start, end


def _is_end(
    text: str, start: int, stop: re.Match[str], end: int, abbreviations: frozenset[str], german: bool
) -> bool:
    """Whether a sentence that begins at ``start``, on a line that goes to ``end``, ends at this stop."""
    after = _NEXT.match(text, stop.end(), end)
    following, rest = after.groups() if after else ("", "")
    if following.islower():
        return False
    if not stop.group().startswith(".") or stop.group().startswith(".."):
        return True
    before = text[max(start, stop.start() - _BEFORE) : stop.start()].split()
    word = before[-1].lstrip(_OPENING) if before and not text[stop.start() - 1].isspace() else ""
    alone = len(before) == 1 and stop.start() - start <= _BEFORE  # nothing else in the sentence so far
    if word.isdecimal():
        ordinal = german and len(word) < 3 and (following + rest).lower() not in _STARTS
        return not (alone or ordinal)
    if _LETTERS.fullmatch(word):
        return word == "I" and not alone and not german
    if german and len(word) > 1 and _ROMAN.fullmatch(word):
        return (following + rest).lower() in _STARTS
    if word.lower() in _NUMBERED:
        return not following.isdecimal()
    return word.lower() not in abbreviations
