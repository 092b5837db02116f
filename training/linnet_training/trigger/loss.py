"""What the network is rewarded for: one detection soon after the word ends, silence everywhere else.

Max-pooling over the time in which a detection is welcome (M. Sun et al., "Max-pooling loss training of LSTM
networks for small-footprint keyword spotting", 2016, arXiv:1705.02411), so that the network finds for itself
the best moment.
"""

import torch
from torch import Tensor
from torch.nn import functional

EARLY_STEPS = 4
LATE_STEPS = 11
"""A detection from 160 ms before to 440 ms after the word's end is right."""
_IGNORED_BEFORE = 8
_IGNORED_AFTER = 14
_SHARPNESS = 1.0


def keyword_loss(logits: Tensor, keyword: Tensor, end: Tensor, positive_weight: float = 1.6) -> Tensor:
    """Binary cross-entropy per keyword: the pooled best step for positives, mean and worst for the rest.

    Args:
        logits: shape (batch, steps, keywords).
        keyword: index of the keyword said, -1 for none, shape (batch,).
        end: step at which it ends, shape (batch,).
        positive_weight: how much a positive counts against a negative.

    Returns:
        the mean loss, a scalar.
    """
    steps = torch.arange(logits.shape[1], device=logits.device)
    after_end = steps[None, :] - end[:, None]
    said = functional.one_hot(keyword + 1, logits.shape[2] + 1)[:, 1:].bool()

    welcome = (after_end >= -EARLY_STEPS) & (after_end <= LATE_STEPS)
    window = logits.masked_fill(~welcome[:, :, None], -30.0)
    pooled = (torch.softmax(window * _SHARPNESS, dim=1) * window).sum(dim=1)
    positive = (functional.softplus(-pooled) * said).sum() * positive_weight

    near_end = (after_end >= -EARLY_STEPS - _IGNORED_BEFORE) & (after_end <= LATE_STEPS + _IGNORED_AFTER)
    counted = ~(near_end[:, :, None] & said[:, None, :])
    silence = functional.softplus(logits) * counted
    mean = silence.sum(dim=1) / counted.sum(dim=1).clamp(min=1)
    worst = silence.topk(2, dim=1).values.mean(dim=1)
    negative = (4 * mean + worst).sum()
    return (positive + negative) / logits.shape[0]


def worst_score(logits: Tensor, keyword: Tensor) -> Tensor:
    """The highest logit of each example in the columns that should stay silent, shape (batch,)."""
    said = functional.one_hot(keyword + 1, logits.shape[2] + 1)[:, 1:].bool()
    return logits.detach().amax(dim=1).masked_fill(said, -30.0).amax(dim=1)


def embedding_loss(predicted: Tensor, embedding: Tensor, known: Tensor) -> Tensor:
    """Mean squared error of standardised embeddings where they are known.

    Args:
        predicted: shape (batch, units, size).
        embedding: shape (batch, units, size).
        known: shape (batch, units).
    """
    error = (predicted - embedding).square().mean(dim=2)
    return (error * known).sum() / known.sum().clamp(min=1)
