"""Batches of pictures and captions, of like lengths."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import IterableDataset

from linnet_training.caption.features import Features
from linnet_training.caption.recipe import Recipe
from linnet_training.sequence.search import PAD


class Batch(NamedTuple):
    """Pictures with their captions."""

    trunk: Tensor
    """What the first layers of the encoder made of them, (batch, channels, rows, columns)."""
    tokens: Tensor
    """(batch, captions, length), each with its end, then `PAD`."""
    picture: Tensor
    """Which pictures these are, (batch,)."""


@dataclass(frozen=True)
class Pictures:
    """A part of the data, ready to learn from."""

    features: Features
    captions: list[list[list[int]]]
    """Ids of each picture's captions, ends included."""
    references: list[list[list[int]]]
    """The same for CIDEr: rare words have ids of their own."""


class Batches(IterableDataset[Batch]):
    """Pictures in batches of like lengths, a random view of each."""

    def __init__(
        self, part: Pictures, recipe: Recipe, seed: Sequence[int], share: tuple[int, int] = (0, 1)
    ) -> None:
        """Args:
        part: what to learn from.
        recipe: size of batches, and more.
        seed: another one, another epoch.
        share: which of how many equal parts to give of every batch, where several processes learn.
        """
        self._part, self._recipe, self._seed = part, recipe, list(seed)
        self._rank, self._world = share
        # A batch is that of all processes together, so that a recipe means the same for any number of them.
        self._size = min(max(1, recipe.batch_size // self._world), len(part.captions))
        self._count = len(part.captions) // self._size

    def __len__(self) -> int:
        # As many for every process, or some would wait for ever for the others.
        return max(1, self._count // self._world)

    def __iter__(self) -> Iterator[Batch]:
        rng = np.random.default_rng(self._seed)
        size = self._size
        longest = np.array([max(map(len, captions)) for captions in self._part.captions])
        # Little padding, and never the same batches.
        order = np.argsort(longest + rng.uniform(0, 3, len(longest)), kind="stable")
        batches = (
            order[: self._count * size].reshape(-1, size)
            if rng.random() < 0.5
            else order[-self._count * size :].reshape(-1, size)
        )
        shuffled = rng.permutation(batches)
        for place in range(len(self)):
            pictures = shuffled[(place * self._world + self._rank) % self._count]
            yield self._batch(pictures, rng)

    def _batch(self, pictures: np.ndarray, rng: np.random.Generator) -> Batch:
        chosen = [self._part.captions[picture] for picture in pictures]
        most = max(map(len, chosen))
        length = min(
            self._recipe.max_words + 1, max(len(caption) for captions in chosen for caption in captions)
        )
        tokens = np.full((len(pictures), most, length), PAD, np.int64)
        for row, captions in enumerate(chosen):
            for column in range(most):
                caption = (
                    captions[column] if column < len(captions) else captions[rng.integers(len(captions))]
                )
                tokens[row, column, : len(caption)] = caption[:length]
        view = rng.integers(self._part.features.shape[1], size=len(pictures))
        trunk = as_tensor(self._part.features[pictures, view])
        return Batch(trunk, torch.from_numpy(tokens), torch.from_numpy(pictures))


def as_tensor(features: Features) -> Tensor:
    """Pictures as they are, features in full precision."""
    return torch.from_numpy(features if features.dtype == np.uint8 else features.astype(np.float32))
