"""Teacher forcing: what the decoder makes of sequences that people wrote."""

import torch
from torch import Tensor
from torch.nn import functional

from linnet_training.sequence.decoder import AttentionDecoder, Memory, State
from linnet_training.sequence.search import START, UNKNOWN


def teacher_forced(
    decoder: AttentionDecoder, memory: Memory, state: State, tokens: Tensor
) -> tuple[Tensor, Tensor]:
    """Step through given sequences.

    Args:
        decoder: of either task.
        memory: what it attends to, a row for each of the batch.
        state: what decoding begins with, for one sequence per row.
        tokens: (batch, sequences, length), each with its end.

    Returns:
        Attentional hidden states, (batch, sequences, length, output), and attention,
        (batch, sequences, length, positions).
    """
    batch, sequences, length = tokens.shape
    state = State(*(value.expand(-1, sequences, -1) for value in state))
    masks = decoder.masks(batch, sequences)
    given = functional.pad(tokens[:, :, :-1], (1, 0), value=START)
    feeds, attentions = [], []
    for place in range(length):
        feed, state, attention = decoder.step(given[:, :, place], state, memory, masks)
        feeds.append(feed)
        attentions.append(attention)
    return torch.stack(feeds, dim=2), torch.stack(attentions, dim=2)


def bag_of_words_loss(decoder: AttentionDecoder, state: State, tokens: Tensor) -> Tensor:
    """Cross-entropy between the tokens of all sequences of a row and what the first state says they will be.

    Args:
        decoder: of either task.
        state: what decoding begins with.
        tokens: (batch, sequences, length), with their ends.
    """
    gain = torch.log_softmax(decoder.logits(state.feed[:, 0]), dim=1)
    present = (tokens > UNKNOWN).flatten(1).to(gain.dtype)
    share = present / present.sum(1, keepdim=True).clamp(min=1)
    return -(gain.gather(1, tokens.flatten(1)) * share).sum(1).mean()
