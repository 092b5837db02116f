"""Text as translators take it and give it: pieces of words, by SentencePiece.

The library is imported when the first translator is opened, and not before.
"""

from __future__ import annotations

import re

from linnet.errors import ModelError
from linnet.sentences import middle

__all__ = ["Pieces"]

_SPECIAL = (0, 1, 2, 3)  # padding, start, end, unknown
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_HALF = re.compile(r"[\ud800-\udfff]")
_SILENT = 2  # the library's level "error": it would write to stderr what is raised anyway


class Pieces:
    """A SentencePiece model: from text to ids. `linnet.search.text_of` makes text of pieces again."""

    vocabulary: tuple[str, ...]
    """The piece that each id stands for: padding, start, end, unknown, then pieces of text. A piece that
    begins with U+2581 starts a new word; one like ``<0xE2>`` is a byte of a character without a piece."""

    def __init__(self, model: bytes, name: str) -> None:
        """Load a model.

        Args:
            model: a SentencePiece model's bytes, as `linnet.piecemodel.pieces` found them right.
            name: of the file it is from, for sentences about it.

        Raises ModelError where it cannot be loaded.
        """
        import sentencepiece

        self._name = name
        sentencepiece.set_min_log_level(_SILENT)
        self._processor = sentencepiece.SentencePieceProcessor()
        try:
            self._processor.LoadFromSerializedProto(model)
            size = self._processor.GetPieceSize()
            self.vocabulary = tuple(self._processor.IdToPiece(each) for each in range(size))
            special = tuple(getattr(self._processor, f"{each}_id")() for each in ("pad", "bos", "eos", "unk"))
        except Exception as error:  # plain RuntimeErrors, and some that are not meant to be raised
            raise self._failed(error) from error
        if special != _SPECIAL:
            raise ModelError(
                f"{name} numbers padding, start, end and unknown {special}, not {_SPECIAL}; export it again"
            )

    def ids(self, text: str) -> list[int]:
        """The ids of a sentence's pieces; none where it is empty.

        Control characters count as blanks, halves of surrogate pairs as U+FFFD. Raises ModelError where the
        model fails.
        """
        text = _HALF.sub("\N{REPLACEMENT CHARACTER}", _CONTROL.sub(" ", text))
        try:
            ids: list[int] = self._processor.EncodeAsIds(text)
        except Exception as error:
            raise self._failed(error) from error
        if ids and not (min(ids) >= 0 and max(ids) < len(self.vocabulary)):
            raise self._failed("it gives ids beyond its own pieces")
        return ids

    def fitting(self, text: str, most: int) -> list[tuple[int, int, list[int]]]:
        """A sentence as parts of at most ``most`` pieces: where each begins and ends in it, and its ids.

        A sentence that is longer is cut in halves, and these again, at `linnet.sentences.middle`; there is
        nothing but blanks between parts.
        """
        done: list[tuple[int, int, list[int]]] = []
        todo = [(0, len(text))]
        while todo:
            start, end = todo.pop()
            part = text[start:end]
            start += len(part) - len(part.lstrip())
            part = part.strip()
            end = start + len(part)
            ids = self.ids(part)
            if len(ids) <= most or len(part) < 2:
                done.append((start, end, ids))
            else:
                cut = start + middle(part)
                todo += [(cut, end), (start, cut)]
        return done

    def _failed(self, reason: object) -> ModelError:
        words = " ".join(str(reason).split())[:300] or type(reason).__name__
        return ModelError(
            f"{self._name} has a SentencePiece model that cannot be used ({words}); export it again"
        )
