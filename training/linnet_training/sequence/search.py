"""Turning a memory into tokens, in torch: what training judges by and export is compared with."""

from typing import NamedTuple

import torch
from torch import Tensor

from linnet_training.sequence.decoder import AttentionDecoder, Memory, State

PAD, START, END, UNKNOWN = range(4)
"""Ids that every vocabulary begins with."""
LEAST_COVERED = 1e-3
"""Attention that a place counts as having had, even if it had less."""


class Found(NamedTuple):
    """Sequences without their start; after the end all is `PAD`."""

    tokens: Tensor
    """(batch, sequences, length), the best sequence first."""
    scores: Tensor
    """(batch, sequences): sum of log-probabilities / length ** penalty, and of a finished one what it lost by
    what it left out."""
    attention: Tensor
    """(batch, sequences, length, positions)."""


def sentence(tokens: list[int], with_end: bool = False) -> list[int]:
    """Tokens before the end, or with it."""
    return tokens[: tokens.index(END) + with_end] if END in tokens else tokens


def beam_search(
    decoder: AttentionDecoder,
    memory: Memory,
    state: State,
    beam: int,
    max_length: int,
    length_penalty: float,
    coverage_penalty: float = 0.0,
) -> Found:
    """The best sequences that a beam finds; a beam of 1 is greedy search.

    Finished sequences keep their place in the beam for as long as their score, which is divided by their
    length to the power of the penalty, is among the best. To it comes, once a sequence is finished, the
    coverage penalty times the sum over places of log(min(attention that the place got in all, 1)): both are
    relatives of those of Wu et al. 2016, https://arxiv.org/abs/1609.08144. Search ends when all are finished,
    or at the greatest length. Unknown words are never chosen.
    """
    batch, device = memory.values.shape[0], memory.values.device
    state = State(*(value.expand(-1, beam, -1) for value in state))
    tokens = torch.full((batch, beam), START, device=device)
    # All beams begin alike, so only the first may be continued.
    total = torch.full((batch, beam), -torch.inf, device=device)
    total[:, 0] = 0
    lengths = torch.zeros(batch, beam, device=device)
    done = torch.zeros(batch, beam, dtype=torch.bool, device=device)
    written = torch.zeros(batch, beam, 0, dtype=torch.long, device=device)
    looked = memory.values.new_zeros(batch, beam, 0, memory.values.shape[1])
    covered = memory.values.new_zeros(batch, beam, memory.values.shape[1])
    for _ in range(max_length):
        feed, state, attention = decoder.step(tokens, state, memory)
        gain = torch.log_softmax(decoder.logits(feed), dim=2)
        gain[:, :, [PAD, START, UNKNOWN]] = -torch.inf
        gain[done] = -torch.inf
        gain[:, :, PAD] = torch.where(done, 0.0, gain[:, :, PAD])
        lengths = lengths + ~done
        sums = total[:, :, None] + gain
        ranked = sums / lengths[:, :, None] ** length_penalty
        covered = covered + torch.where(done[:, :, None], 0.0, attention)
        if coverage_penalty:
            ranked[:, :, [PAD, END]] += coverage_penalty * _coverage(covered, memory)[:, :, None]
        score, best = ranked.flatten(1).topk(beam, dim=1)
        parent, tokens = best // gain.shape[2], best % gain.shape[2]

        def follow(value: Tensor, parent: Tensor = parent) -> Tensor:
            return value[torch.arange(batch, device=device)[:, None], parent]

        state = State(*map(follow, state))
        total = sums.flatten(1).gather(1, best)
        lengths, covered, done = follow(lengths), follow(covered), follow(done) | (tokens == END)
        written = torch.cat((follow(written), tokens[:, :, None]), dim=2)
        looked = torch.cat((follow(looked), follow(attention)[:, :, None]), dim=2)
        if done.all():
            break
    return Found(written, score, looked)


def _coverage(covered: Tensor, memory: Memory) -> Tensor:
    """Of each sequence, at most 0: how much of the memory it left out."""
    # Not minus infinity for what had no attention at all.
    logs = covered.clamp(LEAST_COVERED, 1).log()
    return logs.sum(2) if memory.mask is None else torch.where(memory.mask < 0, 0.0, logs).sum(2)


def sample(
    decoder: AttentionDecoder, memory: Memory, state: State, count: int, max_length: int
) -> tuple[Tensor, Tensor]:
    """Sequences drawn from the model, and the log-probability of each of their tokens.

    Returns:
        Tokens and log-probabilities, (batch, count, length); after the end tokens are `PAD` and
        log-probabilities 0. Gradients flow through the latter, and dropout stays as it is.
    """
    batch = memory.values.shape[0]
    state = State(*(value.expand(-1, count, -1) for value in state))
    masks = decoder.masks(batch, count)
    tokens = torch.full((batch, count), START, device=memory.values.device)
    done = torch.zeros_like(tokens, dtype=torch.bool)
    drawn, gains = [], []
    for _ in range(max_length):
        feed, state, _ = decoder.step(tokens, state, memory, masks)
        logits = decoder.logits(feed)
        logits[:, :, [PAD, START, UNKNOWN]] = -torch.inf
        gain = torch.log_softmax(logits, dim=2)
        tokens = torch.multinomial(gain.detach().exp().flatten(0, 1), 1).view(batch, count)
        tokens = torch.where(done, PAD, tokens)
        gains.append(torch.where(done, 0.0, gain.gather(2, tokens.clamp(min=END)[:, :, None])[:, :, 0]))
        drawn.append(tokens)
        done = done | (tokens == END)
        if done.all():
            break
    return torch.stack(drawn, dim=2), torch.stack(gains, dim=2)
