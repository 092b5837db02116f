"""CIDEr-D, fast enough to be a reward: NumPy over whole batches of token ids.

R. Vedantam, C. L. Zitnick, D. Parikh, "CIDEr: Consensus-based Image Description Evaluation", 2015,
arXiv:1411.5726; as a reward: S. J. Rennie et al., "Self-critical Sequence Training for Image Captioning",
2017, arXiv:1612.00563.

An n-gram of up to four token ids is packed into one 64-bit number, 16 bits per token. What concerns the
references is worked out once: a row for every pair of a photograph and an n-gram of its captions. A batch of
hypotheses is then a few sorts and look-ups.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

ORDER = 4
"""The longest n-grams that count."""

_SIGMA = 6.0  # tokens: how much shorter or longer than a reference a caption may well be
_BITS = 16
_HIGHEST = 2**_BITS - 2  # of token ids: 0 stands for no token


class CiderReward:
    """CIDEr-D against the captions of photographs, which also tell how rare n-grams are.

    With all photographs for training, this is the reward of self-critical training. Put the end token at the
    end of references and hypotheses alike: without it, captions that break off are as good as whole ones.
    With the photographs of a split and one hypothesis for each, the mean of the scores is what
    pycocoevalcap's Cider makes of the same tokens.

    Args:
        captions: token ids by photograph and caption: `captions[photograph][caption]`.

    Raises:
        ValueError: there is a photograph without captions, no token at all, or an id that is negative or
            above 65534.
    """

    def __init__(self, captions: Sequence[Sequence[Sequence[int]]]) -> None:
        counts = np.array([len(references) for references in captions], np.int64)
        if not counts.size or not counts.all():
            raise ValueError("every photograph needs a caption")
        self._counts = counts
        tokens, lengths = _padded([caption for references in captions for caption in references])
        photograph = np.repeat(np.arange(len(counts)), counts)
        place = np.arange(len(photograph)) - np.repeat(np.cumsum(counts) - counts, counts)
        owner, key = _ngrams(tokens, lengths)
        if not key.size:
            raise ValueError("no caption has a token")

        # How rare an n-gram is: in the captions of how many photographs it occurs.
        self._keys, ngram = np.unique(key, return_inverse=True)
        pairs, pair = np.unique(photograph[owner] * len(self._keys) + ngram, return_inverse=True)
        self._pairs = pairs
        pair_photograph, pair_ngram = np.divmod(pairs, len(self._keys))
        occurs = np.bincount(pair_ngram, minlength=len(self._keys))
        self._unseen_idf = np.log(len(counts))
        self._idf = self._unseen_idf - np.log(occurs)

        # How often each caption has it: (pairs, captions of a photograph), and what follows from that.
        self._has = np.zeros((len(pairs), counts.max()), np.uint16)
        np.add.at(self._has, (pair, place[owner]), 1)
        order = _order(self._keys)[pair_ngram]
        self._norms = np.zeros((len(counts) * ORDER, counts.max()))
        """(photographs x ORDER, captions of a photograph)"""
        for column in range(counts.max()):
            squares = (self._has[:, column] * self._idf[pair_ngram]) ** 2
            sums = np.bincount(pair_photograph * ORDER + order, squares, minlength=len(self._norms))
            self._norms[:, column] = np.sqrt(sums)
        self._norms[self._norms == 0] = np.inf
        self._lengths = np.zeros((len(counts), counts.max()))
        self._lengths[photograph, place] = np.maximum(lengths - 1, 0)

    def scores(self, image_indices: ArrayLike, hypotheses: Sequence[Sequence[int]]) -> NDArray[np.float64]:
        """CIDEr-D of each hypothesis, (hypotheses,): 0 to 10, where published figures are 0 to 1,000.

        Args:
            image_indices: which of the photographs each hypothesis is of; the same one may come any number
                of times.
            hypotheses: token ids of any length, without padding.

        Raises:
            ValueError: the two are not equally many, or a token id is out of range.
            IndexError: there is no such photograph.
        """
        images = np.asarray(image_indices, np.int64).reshape(-1)
        if len(images) != len(hypotheses):
            raise ValueError(f"{len(images)} photographs for {len(hypotheses)} hypotheses")
        if images.size and not 0 <= images.min() <= images.max() < len(self._counts):
            raise IndexError(f"photographs are numbered 0 to {len(self._counts) - 1}")
        tokens, lengths = _padded(hypotheses)
        owner, key = _ngrams(tokens, lengths)

        # Numbers for n-grams, those unseen after those seen; then how often each hypothesis has each.
        ngram = np.minimum(np.searchsorted(self._keys, key), len(self._keys) - 1)
        unseen = self._keys[ngram] != key
        new, number = np.unique(key[unseen], return_inverse=True)
        ngram[unseen] = len(self._keys) + number
        all_keys = len(self._keys) + len(new)
        found, times = np.unique(owner * all_keys + ngram, return_counts=True)
        owner, ngram = np.divmod(found, all_keys)
        seen = ngram < len(self._keys)
        idf = np.full(len(found), self._unseen_idf)
        idf[seen] = self._idf[ngram[seen]]
        order = np.empty(len(found), np.int64)
        order[seen] = _order(self._keys[ngram[seen]])
        order[~seen] = _order(new[ngram[~seen] - len(self._keys)])
        group = owner * ORDER + order
        norms = np.sqrt(np.bincount(group, (times * idf) ** 2, minlength=len(images) * ORDER))
        norms[norms == 0] = np.inf

        # What hypotheses share with captions of their photographs.
        wanted = images[owner] * len(self._keys) + ngram
        pair = np.minimum(np.searchsorted(self._pairs, wanted), len(self._pairs) - 1)
        shared = np.nonzero(seen & (self._pairs[pair] == wanted))[0]
        has = self._has[pair[shared]].astype(np.float64)
        group = group[shared]
        products = np.minimum(has, times[shared, None]) * has * (idf[shared] ** 2 / norms[group])[:, None]
        products /= self._norms[images[owner[shared]] * ORDER + order[shared]]
        columns = has.shape[1]
        sums = np.bincount(
            (owner[shared, None] * columns + np.arange(columns)).reshape(-1),
            products.reshape(-1),
            minlength=len(images) * columns,
        ).reshape(-1, columns)
        difference = np.maximum(lengths - 1, 0)[:, None] - self._lengths[images]
        similarity = (sums * np.exp(-(difference**2) / (2 * _SIGMA**2))).sum(axis=1)
        return np.asarray(10 / ORDER * similarity / self._counts[images])


def _padded(captions: Sequence[Sequence[int]]) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Token ids plus one, (captions, ORDER at least), padded with 0; how many there are, (captions,)."""
    lengths = np.array([len(caption) for caption in captions], np.int64)
    flat = np.array([token for caption in captions for token in caption], np.int64)
    if flat.size and not 0 <= flat.min() <= flat.max() <= _HIGHEST:
        raise ValueError(f"token ids must be from 0 to {_HIGHEST}")
    width = max(ORDER, lengths.max(initial=0))
    tokens = np.zeros((len(lengths), width), np.uint64)
    tokens[np.arange(width) < lengths[:, None]] = flat + 1
    return tokens, lengths


def _ngrams(
    tokens: NDArray[np.uint64], lengths: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
    """Number of the caption and key of every n-gram, both (n-grams,); longer n-grams have larger keys."""
    owners, keys = [], []
    packed = np.zeros_like(tokens)
    for n in range(1, ORDER + 1):
        end = tokens.shape[1] - n + 1
        packed = (packed[:, :end] << np.uint64(_BITS)) | tokens[:, n - 1 :]
        there = np.arange(end) <= lengths[:, None] - n
        owners.append(np.nonzero(there)[0])
        keys.append(packed[there])
    return np.concatenate(owners), np.concatenate(keys)


def _order(keys: NDArray[np.uint64]) -> NDArray[np.int64]:
    """How many tokens n-grams have, less one."""
    bounds = np.array([2 ** (_BITS * n) for n in range(1, ORDER)], np.uint64)
    return np.searchsorted(bounds, keys, side="right")
