"""What a SentencePiece model says before the library loads it.

A SentencePiece model is a protobuf message, and a model file may come from anywhere. The library is written
in C++, and its versions before 0.2.1 read memory that is not theirs where a model is made to mislead them. So
the pieces are read here first, with a few lines of Python, and what is wrong with them can be said in words.

Field numbers are those of https://github.com/google/sentencepiece/blob/master/src/sentencepiece_model.proto.
"""

from __future__ import annotations

from linnet.protobuf import LENGTH, VARINT, fields

__all__ = ["MAX_BYTES", "MAX_PIECES", "pieces"]

MAX_BYTES = 10_000_000
"""Larger models are refused; one of 8,000 pieces has 130 kB, and up to 240 kB of rules for letters."""

MAX_PIECES = 100_000

_PIECES, _TEXT, _KIND = 1, 1, 3
_SCORE_TAG = 2 << 3 | 5
_UNKNOWN, _CONTROL = 2, 3
_SPECIAL = (_CONTROL, _CONTROL, _CONTROL, _UNKNOWN)


def pieces(data: bytes) -> tuple[str, ...]:
    """The pieces of a SentencePiece model, by their ids.

    Raises ValueError, with what the model is or lacks, where it is damaged, too large, or does not begin with
    padding, start, end and unknown.
    """
    if not isinstance(data, bytes) or not 0 < len(data) <= MAX_BYTES:
        raise ValueError(f"must be of 1 to {MAX_BYTES} bytes")
    texts: list[str] = []
    kinds: list[int] = []
    try:
        for number, wire, first, last in fields(data, 0, len(data)):
            if number == _PIECES and wire == LENGTH:
                text, kind = _piece(data, first, last)
                texts.append(text)
                kinds.append(kind)
                if len(texts) > MAX_PIECES:
                    raise ValueError
    except (ValueError, IndexError):
        raise ValueError("is not a SentencePiece model, or is damaged") from None
    if tuple(kinds[:4]) != _SPECIAL or not set(_SPECIAL).isdisjoint(kinds[4:]):
        raise ValueError("must begin with padding, start, end and unknown, and hold no other such pieces")
    if len(texts) < 5 or not all(texts) or len(set(texts)) != len(texts):
        raise ValueError("must hold at least one piece of text, and each but once")
    return tuple(texts)


def _piece(data: bytes, at: int, end: int) -> tuple[str, int]:
    """Text and kind of a piece."""
    text, kind = "", 1  # of kind 1 are those that do not say it
    # All are written as text, score (5 bytes) and perhaps kind (2 bytes). Read so, they take a third of the
    # time, which everybody waits for who opens a translator.
    size = data[at + 1]
    after = at + 2 + size + 5
    if data[at] == _TEXT << 3 | LENGTH and size < 128 and data[after - 5] == _SCORE_TAG:
        if after == end:
            return data[at + 2 : after - 5].decode(), kind
        if after == end - 2 and data[after] == _KIND << 3 | VARINT and data[after + 1] < 128:
            return data[at + 2 : after - 5].decode(), data[after + 1]
    for number, wire, first, last in fields(data, at, end):
        if number == _TEXT and wire == LENGTH:
            text = data[first:last].decode()
        elif number == _KIND and wire == VARINT:
            kind = first
    return text, kind
