"""Graphs that search for words: what goes into them, and what their output says.

The whole search, greedy or with a beam, is in the graph. It takes what is to be put into words, the width of
the beam, the most pieces and what the score is made with; it gives the hypotheses' ids, their scores, and for
each piece how attention was spread.
"""

from __future__ import annotations

import operator
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from linnet.errors import ModelError, UsageError
from linnet.model import Model, Port
from linnet.settings import SearchSettings

__all__ = ["WORD", "Hypothesis", "SearchModel", "asked", "best_of", "text_of"]

WORD = "\N{LOWER ONE EIGHTH BLOCK}"
"""U+2581, with which a piece begins that starts a new word."""

_END = 2
_WITHOUT_TEXT = (0, 1)  # padding and the start
_NEVER = -1e20  # scores below belong to rows of the beam that no hypothesis took
_BYTE = re.compile(r"<0x[0-9A-F]{2}>")
_UNFIT = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")

_COUNT, _PENALTY = Port("tensor(int64)", ()), Port("tensor(float)", ())
_Result = TypeVar("_Result")  # a dataclass with a field "alternatives"
_OUTPUTS = {"tokens": "tensor(int64)", "scores": "tensor(float)", "attention": "tensor(float)"}


@dataclass(frozen=True)
class Hypothesis:
    """One way to put something into words."""

    pieces: tuple[str, ...]
    """Of text, from the vocabulary; one that begins with U+2581 starts a new word."""
    score: float
    """Log-probability divided by length to the power of the length penalty, and what further penalties make
    of it; the higher the better."""
    attention: NDArray[np.float32]
    """(pieces, places): how attention was spread when each piece was chosen; each row sums to 1."""


def text_of(pieces: Sequence[str]) -> str:
    """The text that pieces make, on one line.

    A piece like ``<0xE2>`` stands for a byte. Bytes that make no character become U+FFFD, and control
    characters and line breaks blanks.
    """
    made = b"".join(
        bytes([int(piece[3:5], 16)]) if _BYTE.fullmatch(piece) else piece.encode() for piece in pieces
    )
    return _UNFIT.sub(" ", made.decode(errors="replace").replace(WORD, " ")).strip()


def asked(
    settings: SearchSettings,
    beam: int | None,
    n_best: int,
    max_length: int | None,
    **penalties: float | None,
) -> dict[str, Any]:
    """What is asked of a search, as `SearchModel.search` takes it.

    Where None is given, it is what the ``settings`` say; a beam is then at least as wide as ``n_best``.
    Raises UsageError where a number is out of range.
    """
    n_best = _whole("n_best", n_best, 1, settings.widest)
    beam = _whole("beam", max(settings.beam, n_best) if beam is None else beam, 1, settings.widest)
    if n_best > beam:
        raise UsageError(
            f"a beam of {beam} does not find {n_best} {settings.results}; use a beam of {n_best}"
        )
    longest = settings.max_length if max_length is None else max_length
    search: dict[str, Any] = {
        "beam": beam,
        "n_best": n_best,
        "max_length": _whole("max_length", longest, 1, settings.longest),
    }
    for name, given in penalties.items():
        wanted = getattr(settings, name) if given is None else given
        search[name] = _number(name, wanted, settings.heaviest)
    return search


def best_of(results: Sequence[_Result]) -> _Result:
    """The first of the results, with the others as its ``alternatives``."""
    best: Any = results[0]
    made: _Result = replace(best, alternatives=tuple(results[1:]))
    return made


class SearchModel(Model):
    """A model whose graph searches for words.

    Inputs: the source, then ``beam`` and ``max_length`` (int64) and the penalties (float32), which have no
    dimensions. Outputs: ``tokens``, int64 (batch, beam, length), each hypothesis ended by id 2 and filled up
    with 0; ``scores``, float32 (batch, beam), the best first; ``attention``, float32 (batch, beam, length,
    places).
    """

    vocabulary: Sequence[str]
    """The piece of text that each id stands for; the class of each task says where it is from."""

    def __init__(
        self,
        path: str | os.PathLike[str],
        task: str,
        source: str,
        *,
        penalties: Sequence[str] = ("length_penalty",),
        time_limit_s: float = 60.0,
    ) -> None:
        """Open a file.

        Args:
            path: of the file.
            task: that the file must be for.
            source: name of the input that is put into words.
            penalties: names of the inputs that decide how hypotheses are ranked.
            time_limit_s: see `Model`.

        Raises what `Model` raises, and ModelError where the inputs or the outputs are not those above.
        """
        super().__init__(path, task, loops=True, time_limit_s=time_limit_s)
        self._source = source
        wanted = {"beam": _COUNT, "max_length": _COUNT} | dict.fromkeys(penalties, _PENALTY)
        controls = {name: port for name, port in self.inputs.items() if name != source}
        outputs = {name: self.outputs[name].kind for name in _OUTPUTS if name in self.outputs}
        if source not in self.inputs or controls != wanted or outputs != _OUTPUTS:
            raise self.unlike("its inputs and outputs are others")
        self.output_names = list(_OUTPUTS)

    def search(
        self,
        source: NDArray[Any],
        places: int,
        *,
        beam: int,
        max_length: int,
        n_best: int = 1,
        **penalties: float,
    ) -> list[list[Hypothesis]]:
        """Put a batch into words.

        Args:
            source: of a batch; what the graph takes.
            places: that attention is spread over.
            beam: hypotheses to follow at a time.
            max_length: most pieces.
            n_best: hypotheses to return of each; fewer where the search found fewer.
            penalties: see `Hypothesis.score`.

        Returns:
            For each of the batch its hypotheses, the best first.

        Raises ModelTimeoutError after the time limit, and ModelError where the graph fails or gives what it
        must not give.
        """
        feeds = {
            self._source: source,
            "beam": np.array(beam, np.int64),
            "max_length": np.array(max_length, np.int64),
            **{name: np.array(value, np.float32) for name, value in penalties.items()},
        }
        tokens, scores, attention = self.run(feeds)
        rows = (len(source), beam)
        if (
            tokens.shape[:2] != rows
            or tokens.ndim != 3
            or tokens.shape[2] > max_length
            or scores.shape != rows
            or attention.shape != (*tokens.shape, places)
        ):
            shapes = f"{tokens.shape}, {scores.shape} and {attention.shape}"
            raise self.unlike(f"a batch of {rows[0]} with a beam of {beam} gave shapes {shapes}")
        known = len(self.vocabulary)
        if tokens.size and not (tokens.min() >= 0 and tokens.max() < known):
            raise self.unlike(f"it gives ids beyond its vocabulary of {known} pieces")
        # NaN would pass a comparison that asks whether something is wrong.
        if not (np.isfinite(scores).all() and (scores[:, 0] > _NEVER).all() and np.isfinite(attention).all()):
            raise ModelError(f"{self.name} gives scores that are no numbers; it is damaged or badly trained")
        return [
            [
                self._hypothesis(tokens[row, rank], float(scores[row, rank]), attention[row, rank])
                for rank in range(min(n_best, beam))
                if scores[row, rank] > _NEVER
            ]
            for row in range(len(source))
        ]

    def _hypothesis(self, ids: NDArray[np.int64], score: float, attention: NDArray[np.float32]) -> Hypothesis:
        ends = np.flatnonzero(ids == _END)
        chosen = np.flatnonzero(~np.isin(ids[: ends[0]] if len(ends) else ids, _WITHOUT_TEXT))
        return Hypothesis(tuple(self.vocabulary[each] for each in ids[chosen]), score, attention[chosen])


def _whole(name: str, value: int, low: int, high: int) -> int:
    try:
        number = operator.index(value)
    except TypeError:
        raise UsageError(f"{name} must be a whole number, not {value!r}") from None
    if not low <= number <= high:
        raise UsageError(f"{name} must be from {low} to {high}, not {number}")
    return number


def _number(name: str, value: float, high: float) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise UsageError(f"{name} must be a number, not {value!r}") from None
    if not 0 <= number <= high:
        raise UsageError(f"{name} must be from 0 to {high:g}, not {number:g}")
    return number
