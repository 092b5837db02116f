"""One step of the decoder that captions and translations share, as an ONNX graph."""

import numpy as np
import onnx
import torch
from torch import Tensor, nn

from linnet_export.exporter import exported
from linnet_training.sequence.decoder import AttentionDecoder, Memory, State
from linnet_training.sequence.search import START, beam_search

STATES = State._fields


class _Step(nn.Module):
    """Of tensors alone, as the exporter wants it, and with log-probabilities."""

    def __init__(self, decoder: AttentionDecoder) -> None:
        super().__init__()
        self.decoder = decoder

    def forward(
        self,
        tokens: Tensor,
        feed: Tensor,
        hidden: Tensor,
        cell: Tensor,
        values: Tensor,
        keys: Tensor,
        mask: Tensor | None = None,
    ) -> tuple[Tensor, ...]:
        """As `AttentionDecoder.step`."""
        feed, state, attention = self.decoder.step(
            tokens, State(feed, hidden, cell), Memory(values, keys, mask)
        )
        return torch.log_softmax(self.decoder.logits(feed), dim=2), *state, attention


def step_model(decoder: AttentionDecoder, memory: Memory, state: State) -> onnx.ModelProto:
    """The step that `linnet_export.search.Parts` wants.

    Args:
        decoder: the trained one.
        memory: an example of two rows and more than one place.
        state: what decoding of it begins with.
    """
    several = [value.expand(-1, 3, -1).contiguous() for value in state]
    given = {
        "tokens": torch.ones(*several[0].shape[:2], dtype=torch.long),
        **dict(zip(STATES, several, strict=True)),
        **{name: each for name, each in memory._asdict().items() if each is not None},
    }
    free: dict[str, tuple[int, ...]] = {name: (0, 1) for name in ("tokens", *STATES)}
    if memory.mask is None:  # as many places for all inputs there will be
        free |= {"values": (0,), "keys": (0,)}
    else:
        free |= {"values": (0, 1), "keys": (0, 2), "mask": (0, 2)}
    outputs = ["gain", *(f"next_{name}" for name in STATES), "attention"]
    return exported(_Step(decoder), given, free, outputs)


def greedy_steps(
    decoder: AttentionDecoder, memory: Memory, state: State, longest: int
) -> list[dict[str, np.ndarray]]:
    """What the step is fed with in greedy search, step by step."""
    found = beam_search(decoder, memory, state, beam=1, max_length=longest, length_penalty=0.0)
    tokens = torch.full_like(found.tokens[:, :, 0], START)
    fed = []
    for place in range(found.tokens.shape[2]):
        given = {"tokens": tokens, **state._asdict(), **memory._asdict()}
        fed.append({name: each.numpy() for name, each in given.items() if each is not None})
        _, state, _ = decoder.step(tokens, state, memory)
        tokens = found.tokens[:, :, place]
    return fed
