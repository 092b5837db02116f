"""Translates sentences, and texts of any length sentence by sentence.

    translator = Translator("de-en")
    print(translator("Ein Hund läuft am Strand."))
    best = translator("Ein Hund läuft.", beam=5, n_best=3)
    for translation in (best, *best.alternatives):
        print(translation.score, translation.text)
    for translation in translator.each(open("book.txt")):
        print(translation)

From the ids of a sentence's pieces to those of its translation is one call of the graph: encoder, attention,
decoder and search are in the file, and so is the SentencePiece model.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from linnet import zoo
from linnet.card import Card
from linnet.errors import UsageError
from linnet.search import Hypothesis, SearchModel, asked, best_of, text_of
from linnet.sentences import sentences
from linnet.text import Pieces

__all__ = ["BUNDLED", "WINDOW", "Translation", "Translator"]

BUNDLED = "de-en"
"""Name of the translator that is opened where none is named."""

WINDOW = 512
"""Texts that `Translator.each` looks at together. In batches of 16 that are sorted by length 4 % is padding
with the captions of Multi30k and 6 % with the sentences of Tatoeba; unsorted it is 43 and 50 %."""

_CHARACTERS = 100_000  # a window ends with the text that brings it here, whatever the number of texts
_END = 2

# What goes through the graph in one call. On one thread a sentence of 14 pieces takes 4.6 ms greedily, and of
# 2, 4, 8, 16, 32 and 64 each takes 3.0, 2.4, 2.2, 1.8, 1.9 and 2.0; with a beam of five 9.4, 8.3, 7.9, 7.9,
# 7.3, 7.5 and 8.3 (8,000 pieces, 384 units). Memory is 89 MB before and 112 after 16 of these, or 8 of 100
# pieces.
_SENTENCES, _HYPOTHESES, _PLACES = 16, 80, 1000


@dataclass(frozen=True)
class Translation:
    """What a translator makes of a text. As text it is its `text`."""

    text: str
    """On as many lines as the source. What stands between sentences, and what holds neither letters nor
    digits, is as it was there."""
    score: float
    """Of a sentence: log-probability divided by length to the power of the length penalty, plus the coverage
    penalty times the logarithms of the attention that source pieces lack; at most 0, the higher the better.
    Of several: the mean, each counted by its length. So with a length penalty of 1 and no coverage penalty it
    is always the log-probability of the text, per piece. 0 where there was nothing to translate. Comparable
    between translations by one model that were made with the same penalties."""
    tokens: tuple[str, ...]
    """The pieces of what was translated; one that begins with U+2581 starts a new word."""
    source_tokens: tuple[str, ...]
    """The pieces of the source, likewise."""
    blocks: tuple[NDArray[np.float32], ...] = field(compare=False, repr=False)
    """The `attention` of each sentence, or part of one that was too long."""
    alternatives: tuple[Translation, ...] = ()
    """Further translations, the best first, where more than one was asked for; they have no alternatives. The
    second holds the second best of each sentence, and so on; where fewer were found, the last of them."""

    @property
    def attention(self) -> NDArray[np.float32]:
        """(tokens, source tokens): where the model looked as it chose each piece.

        Each row sums to 1, less what went to the end of the sentence, which is no piece. What lies between
        one sentence and another's translation is 0. It is put together whenever it is asked for, since it
        grows with the square of the text's length.
        """
        return self.beginning(len(self.tokens), len(self.source_tokens))

    def beginning(self, tokens: int, source_tokens: int) -> NDArray[np.float32]:
        """`attention` between the first pieces only, as many of the translation and of the source."""
        whole = np.zeros((tokens, source_tokens), np.float32)
        row = column = 0
        for block in self.blocks:
            place = whole[row : row + len(block), column : column + block.shape[1]]
            place[:] = block[: place.shape[0], : place.shape[1]]
            row, column = row + block.shape[0], column + block.shape[1]
            if row >= tokens or column >= source_tokens:
                break
        return whole

    def __str__(self) -> str:
        return self.text


class TranslateModel(SearchModel):
    """A translator's file: ``source``, int64 (batch, length), is what is put into words.

    It holds the ids of a sentence's pieces, then the end (2), then padding (0).
    """

    def __init__(self, path: str | os.PathLike[str], *, time_limit_s: float = 60.0) -> None:
        """Open the file at ``path``. Raises what `Model` does."""
        penalties = ("length_penalty", "coverage_penalty")
        super().__init__(path, "translate", "source", penalties=penalties, time_limit_s=time_limit_s)
        self.settings = self.card.translate
        self.pieces = Pieces(self.settings.sentencepiece, self.name)
        self.vocabulary = self.pieces.vocabulary
        if self.inputs["source"] != ("tensor(int64)", (None, None)):
            raise self.unlike("its inputs and outputs are others")
        # A file may promise shapes and then give others, or no numbers; or its graph may know fewer pieces.
        last = len(self.vocabulary) - 1
        search = {"beam": 2, "max_length": 2, "length_penalty": 1.0, "coverage_penalty": 0.0}
        self.translations([[last, last], [last]], **search)

    def translations(self, sources: Sequence[Sequence[int]], **search: Any) -> list[list[Hypothesis]]:
        """The hypotheses of each sentence, given as ids; ``search`` is what `SearchModel.search` takes."""
        longest = max(map(len, sources))
        padded = np.zeros((len(sources), longest + 1), np.int64)
        for row, ids in zip(padded, sources, strict=True):
            row[: len(ids) + 1] = (*ids, _END)
        return [
            [replace(each, attention=each.attention[:, : len(ids)]) for each in found]
            for ids, found in zip(sources, self.search(padded, longest + 1, **search), strict=True)
        ]


@dataclass(frozen=True)
class _Plan:
    """A text, in what is translated and what is kept."""

    parts: list[tuple[str, list[int]]]
    """What is kept before each sentence, and the sentence's ids."""
    after: str
    """What is kept at the end."""


class Translator:
    """A model that translates from one language into another. Several threads may use it at once."""

    card: Card
    """The card of the model file."""

    def __init__(self, model: str | os.PathLike[str] = BUNDLED, *, time_limit_s: float = 60.0) -> None:
        """Load a model.

        Args:
            model: the name of a bundled translator, or a file (`linnet.zoo.find`).
            time_limit_s: no call of the graph may take longer; one is made for up to 16 sentences at a time.

        Raises what `linnet.zoo.find` does, and ModelError where the file cannot be used.
        """
        self.model = TranslateModel(zoo.find(model).path, time_limit_s=time_limit_s)
        self.card = self.model.card

    @overload
    def __call__(
        self,
        text: str,
        beam: int | None = None,
        n_best: int = 1,
        *,
        max_length: int | None = None,
        length_penalty: float | None = None,
        coverage_penalty: float | None = None,
    ) -> Translation: ...

    @overload
    def __call__(
        self,
        text: list[str] | tuple[str, ...],
        beam: int | None = None,
        n_best: int = 1,
        *,
        max_length: int | None = None,
        length_penalty: float | None = None,
        coverage_penalty: float | None = None,
    ) -> list[Translation]: ...

    def __call__(
        self,
        text: str | list[str] | tuple[str, ...],
        beam: int | None = None,
        n_best: int = 1,
        *,
        max_length: int | None = None,
        length_penalty: float | None = None,
        coverage_penalty: float | None = None,
    ) -> Translation | list[Translation]:
        """Translate a text, or a list of texts, whose sentences go through the graph together.

        Args:
            text: of any length. It is translated sentence by sentence, and a sentence longer than the model
                takes part by part; line breaks end a sentence. What holds neither letters nor digits is kept
                as it is.
            beam: hypotheses that the search follows at a time, 1 to 32; 1 is greedy. By default what the card
                says, or ``n_best`` if that is more.
            n_best: translations wanted of each text, at most ``beam``; all but the best are in the best one's
                ``alternatives``.
            max_length: most pieces of a sentence's translation, 1 to 128; by default what the card says.
            length_penalty: see `Translation.score`; by default what the card says.
            coverage_penalty: likewise.

        Returns:
            The best translation of the text, or a list of them for a list.

        Raises UsageError where a number is out of range or something is no text, and ModelError where the
        model fails.
        """
        many = isinstance(text, (list, tuple))
        texts: Sequence[str] = text if isinstance(text, (list, tuple)) else [text]
        translations = list(
            self.each(
                texts,
                beam,
                n_best,
                max_length=max_length,
                length_penalty=length_penalty,
                coverage_penalty=coverage_penalty,
            )
        )
        return translations if many else translations[0]

    def each(
        self,
        texts: Iterable[str],
        beam: int | None = None,
        n_best: int = 1,
        *,
        max_length: int | None = None,
        length_penalty: float | None = None,
        coverage_penalty: float | None = None,
    ) -> Iterator[Translation]:
        """Translate any number of texts: `WINDOW` are read at a time, and given in their order before more
        are read. Arguments and errors are those of a call.
        """
        search = asked(
            self.card.translate,
            beam,
            n_best,
            max_length,
            length_penalty=length_penalty,
            coverage_penalty=coverage_penalty,
        )
        return self._each(texts, search)

    def _each(self, texts: Iterable[str], search: dict[str, Any]) -> Iterator[Translation]:
        for window in _windows(texts):
            plans = [self._plan(text) for text in window]
            found = iter(self._found([ids for plan in plans for _, ids in plan.parts], search))
            for plan in plans:
                yield self._translation(plan, [next(found) for _ in plan.parts])

    def _plan(self, text: str) -> _Plan:
        if not _has_words(text):
            return _Plan([], text)
        settings = self.card.translate
        parts: list[tuple[str, list[int]]] = []
        done = 0
        for begin, end in sentences(text, settings.source_language):
            if not _has_words(text[begin:end]):
                continue
            for first, last, ids in self.model.pieces.fitting(text[begin:end], settings.max_source):
                first, last = begin + first, begin + last
                if ids and _has_words(text[first:last]):
                    parts.append((text[done:first], ids))
                    done = last
        return _Plan(parts, text[done:])

    def _found(self, sources: list[list[int]], search: dict[str, Any]) -> list[list[Hypothesis]]:
        """The hypotheses of each sentence; those of like length go through the graph together."""
        most = max(1, min(_SENTENCES, _HYPOTHESES // search["beam"]))
        found: list[list[Hypothesis]] = [[] for _ in sources]
        for batch in _batches(list(map(len, sources)), most):
            results = self.model.translations([sources[place] for place in batch], **search)
            for place, hypotheses in zip(batch, results, strict=True):
                found[place] = hypotheses
        return found

    def _translation(self, plan: _Plan, found: Sequence[Sequence[Hypothesis]]) -> Translation:
        """The best translation of a text, from the hypotheses of its sentences, with its alternatives."""
        if not found:
            return Translation(plan.after, 0.0, (), (), ())
        kept = [before for before, _ in plan.parts]
        source = tuple(self.model.vocabulary[each] for _, ids in plan.parts for each in ids)
        made = []
        for rank in range(max(map(len, found))):
            chosen = [ranked[min(rank, len(ranked) - 1)] for ranked in found]
            texts = [before + text_of(each.pieces) for before, each in zip(kept, chosen, strict=True)]
            lengths = [len(each.pieces) + 1 for each in chosen]  # the end is chosen, too
            total = sum(each.score * length for each, length in zip(chosen, lengths, strict=True))
            made.append(
                Translation(
                    "".join(texts) + plan.after,
                    total / sum(lengths),
                    tuple(piece for each in chosen for piece in each.pieces),
                    source,
                    tuple(each.attention for each in chosen),
                )
            )
        return best_of(made)


def _batches(lengths: Sequence[int], most: int) -> Iterator[list[int]]:
    """Places in ``lengths``, the shortest first, at most so many at a time, fewer where they are long."""
    batch: list[int] = []
    for place in sorted(range(len(lengths)), key=lengths.__getitem__):
        if batch and (len(batch) == most or (len(batch) + 1) * lengths[place] > _PLACES):
            yield batch
            batch = []
        batch.append(place)
    if batch:
        yield batch


def _has_words(text: str) -> bool:
    return any(map(str.isalnum, text))


def _windows(texts: Iterable[str]) -> Iterator[list[str]]:
    """A few texts at a time: `WINDOW`, or fewer where they are long."""
    window: list[str] = []
    size = 0
    for text in texts:
        if not isinstance(text, str):
            raise UsageError(f"a translator takes text, not {type(text).__name__}; decode bytes first")
        window.append(text)
        size += len(text)
        if len(window) == WINDOW or size >= _CHARACTERS:
            yield window
            window, size = [], 0
    if window:
        yield window
