"""Graphs that search for words: what goes into them, and what their output says.

The whole search, greedy or with a beam, is in the graph. It takes what is to be put into words, the width of
the beam, the most pieces and the length penalty; it gives the hypotheses' ids, their scores, and for each
piece how attention was spread.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from linnet.errors import ModelError
from linnet.model import Model, Port

__all__ = ["Hypothesis", "SearchModel", "text_of"]

_END = 2
_WITHOUT_TEXT = (0, 1)  # padding and the start
_NEVER = -1e20  # scores below belong to rows of the beam that no hypothesis took
_WORD = "\N{LOWER ONE EIGHTH BLOCK}"

_CONTROLS = {
    "beam": Port("tensor(int64)", ()),
    "max_length": Port("tensor(int64)", ()),
    "length_penalty": Port("tensor(float)", ()),
}
_OUTPUTS = {"tokens": "tensor(int64)", "scores": "tensor(float)", "attention": "tensor(float)"}


@dataclass(frozen=True)
class Hypothesis:
    """One way to put something into words."""

    pieces: tuple[str, ...]
    """Of text, from the vocabulary; one that begins with U+2581 starts a new word."""
    score: float
    """Log-probability divided by length to the power of the length penalty; the higher the better."""
    attention: NDArray[np.float32]
    """(pieces, places): how attention was spread when each piece was chosen; each row sums to 1."""


def text_of(pieces: Sequence[str]) -> str:
    """The text that pieces make."""
    return "".join(pieces).replace(_WORD, " ").strip()


class SearchModel(Model):
    """A model whose graph searches for words.

    Inputs: the source, then ``beam`` and ``max_length`` (int64) and ``length_penalty`` (float32), which have
    no dimensions. Outputs: ``tokens``, int64 (batch, beam, length), each hypothesis ended by id 2 and filled
    up with 0; ``scores``, float32 (batch, beam), the best first; ``attention``, float32 (batch, beam, length,
    places).
    """

    def __init__(
        self, path: str | os.PathLike[str], task: str, source: str, *, time_limit_s: float = 60.0
    ) -> None:
        """Open the file at ``path``, for ``task``, whose input ``source`` is what is put into words.

        Raises what `Model` raises, and ModelError where the other inputs or the outputs are not those above.
        """
        super().__init__(path, task, loops=True, time_limit_s=time_limit_s)
        self._source = source
        controls = {name: port for name, port in self.inputs.items() if name != source}
        outputs = {name: self.outputs[name].kind for name in _OUTPUTS if name in self.outputs}
        if source not in self.inputs or controls != _CONTROLS or outputs != _OUTPUTS:
            raise self.unlike("its inputs and outputs are others")
        self.output_names = list(_OUTPUTS)

    def search(
        self,
        source: NDArray[Any],
        places: int,
        *,
        beam: int,
        max_length: int,
        length_penalty: float,
        n_best: int = 1,
    ) -> list[list[Hypothesis]]:
        """Put a batch into words.

        Args:
            source: of a batch; what the graph takes.
            places: that attention is spread over.
            beam: hypotheses to follow at a time.
            max_length: most pieces.
            length_penalty: see `Hypothesis.score`.
            n_best: hypotheses to return of each; fewer where the search found fewer.

        Returns:
            For each of the batch its hypotheses, the best first.

        Raises ModelTimeoutError after the time limit, and ModelError where the graph fails or gives what it
        must not give.
        """
        feeds = {
            self._source: source,
            "beam": np.array(beam, np.int64),
            "max_length": np.array(max_length, np.int64),
            "length_penalty": np.array(length_penalty, np.float32),
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
        vocabulary = self.card.caption.vocabulary
        if tokens.size and not (tokens.min() >= 0 and tokens.max() < len(vocabulary)):
            raise self.unlike(f"it gives ids beyond its vocabulary of {len(vocabulary)} pieces")
        # NaN would pass a comparison that asks whether something is wrong.
        if not (np.isfinite(scores).all() and (scores[:, 0] > _NEVER).all() and np.isfinite(attention).all()):
            raise ModelError(f"{self.name} gives scores that are no numbers; it is damaged or badly trained")
        return [
            [
                _hypothesis(tokens[row, rank], float(scores[row, rank]), attention[row, rank], vocabulary)
                for rank in range(min(n_best, beam))
                if scores[row, rank] > _NEVER
            ]
            for row in range(len(source))
        ]


def _hypothesis(
    ids: NDArray[np.int64], score: float, attention: NDArray[np.float32], vocabulary: Sequence[str]
) -> Hypothesis:
    ends = np.flatnonzero(ids == _END)
    chosen = np.flatnonzero(~np.isin(ids[: ends[0]] if len(ends) else ids, _WITHOUT_TEXT))
    return Hypothesis(tuple(vocabulary[each] for each in ids[chosen]), score, attention[chosen])
