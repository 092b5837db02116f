"""Batches of like lengths and like numbers of tokens."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import IterableDataset

from linnet_training.sequence.search import PAD
from linnet_training.translate.data import Corpus
from linnet_training.translate.pieces import Cutter
from linnet_training.translate.recipe import Recipe


class Batch(NamedTuple):
    """Sentences with their translations."""

    source: Tensor
    """(batch, length), each with its end, then `PAD`."""
    target: Tensor
    """The same of the translations."""


class Batches(IterableDataset[Batch]):
    """An epoch: every pair as often as its corpus weighs, cut and shuffled anew."""

    def __init__(
        self,
        corpora: Sequence[Corpus],
        cutter: Cutter,
        recipe: Recipe,
        seed: Sequence[int],
        share: tuple[int, int] = (0, 1),
        shown: Callable[[list[str]], Iterable[str]] = iter,
    ) -> None:
        """Cut and shuffle.

        Args:
            corpora: what to learn from.
            cutter: of sentences to ids.
            recipe: size of batches, and more.
            seed: another one, another epoch.
            share: which of how many equal parts to give of every batch, where several processes learn.
            shown: is given the sentences of each language, and tells the user while they are cut.
        """
        rng = np.random.default_rng(list(seed))
        pairs = [pair for corpus in corpora for pair in _as_weighed(corpus, rng)]
        sides = [
            cutter.drawn(shown([pair[side] for pair in pairs]), recipe.subword_sampling, rng)
            for side in (0, 1)
        ]
        most = recipe.most_pieces + 1
        kept = [(s, t) for s, t in zip(*sides, strict=True) if len(s) <= most and len(t) <= most]
        # Which of the pairs of the same lengths come together is another matter each time.
        rank, world = share
        # A batch is that of all processes together, so that a recipe means the same for any number of them.
        batches = _alike(rng.permutation(len(kept)).tolist(), kept, recipe.batch_tokens // world)
        shuffled = [batches[each] for each in rng.permutation(len(batches))]
        # As many for every process, or some would wait for ever for the others.
        mine = (
            shuffled[rank : len(shuffled) // world * world : world]
            if len(shuffled) >= world
            else shuffled[:1]
        )
        self._pairs, self._batches = kept, mine

    def __len__(self) -> int:
        return len(self._batches)

    def __iter__(self) -> Iterator[Batch]:
        for chosen in self._batches:
            yield Batch(*(padded([self._pairs[each][side] for each in chosen]) for side in (0, 1)))

    @property
    def padding(self) -> float:
        """Share of padding on both sides of all batches."""
        used = taken = 0
        for chosen in self._batches:
            for side in (0, 1):
                lengths = [len(self._pairs[each][side]) for each in chosen]
                used += sum(lengths)
                taken += max(lengths) * len(lengths)
        return 1 - used / taken


def padded(sequences: Sequence[Sequence[int]]) -> Tensor:
    """As rows of one tensor, `PAD` after their ends."""
    rows = np.full((len(sequences), max(map(len, sequences))), PAD, np.int64)
    for row, sequence in zip(rows, sequences, strict=True):
        row[: len(sequence)] = sequence
    return torch.from_numpy(rows)


def _as_weighed(corpus: Corpus, rng: np.random.Generator) -> list[tuple[str, str]]:
    """Every pair as many times as the weight's whole part says, and some once more for the rest."""
    whole, rest = divmod(corpus.weight, 1)
    some = rng.permutation(len(corpus.pairs))[: round(rest * len(corpus.pairs))]
    return [*corpus.pairs * int(whole), *(corpus.pairs[each] for each in some)]


def _alike(chosen: list[int], pairs: list[tuple[list[int], list[int]]], tokens: int) -> list[list[int]]:
    """Batches of pairs whose targets, and whose sources next, are of like length."""

    def place(each: int) -> tuple[int, int]:
        source, target = map(len, pairs[each])
        # Sources grow and shrink by turns, so that they are alike where one length of targets meets the next.
        return target, source if target % 2 else -source

    batches: list[list[int]] = []
    for each in sorted(chosen, key=place):
        length = len(pairs[each][1])  # the longest yet
        if not batches or (len(batches[-1]) + 1) * length > tokens:
            batches.append([])
        batches[-1].append(each)
    return batches
