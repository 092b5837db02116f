"""Tiny decoders with sharpened weights, so that their sequences differ."""

import torch

from linnet_training.sequence.decoder import AttentionDecoder

POSITIONS, MEMORY = 5, 6


def sharp(vocabulary=9, layers=1, dropout=0.0, seed=4):
    """A decoder that is sure of what it says."""
    torch.manual_seed(seed)
    made = AttentionDecoder(vocabulary, MEMORY, hidden=8, output=7, layers=layers, dropout=dropout).eval()
    with torch.no_grad():
        for weight in made.parameters():
            weight.mul_(2.5)
        made.bias[2] += 0.5
    return made.requires_grad_(False)


def begun(decoder, batch=1, seed=1, mask=None):
    """Memory and first state of random values."""
    values = torch.randn(batch, POSITIONS, MEMORY, generator=torch.Generator().manual_seed(seed))
    return decoder.begin(values, values.mean(dim=1), mask)
