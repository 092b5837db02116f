"""The trigger-word network: two strided convolutions and two GRU layers, with explicit state.

One call serves training (whole clips) and live audio (40 ms at a time): what came before is in the state, and
what comes after is in the state it returns.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from linnet_training.trigger.frontend import HOP, MELS, TAIL, LogMel

FRAMES_PER_STEP = 4
STEP_SAMPLES = FRAMES_PER_STEP * HOP
STEP_S = STEP_SAMPLES / 16_000

_KERNEL = 5
_STRIDE = 2
_CARRY = _KERNEL - _STRIDE


class State(NamedTuple):
    """What the network remembers between calls; zeros mean that nothing was heard yet."""

    mel: Tensor
    """Last normalised log-mel frames, shape (batch, MELS, 3)."""
    conv: Tensor
    """Last outputs of the first convolution, shape (batch, channels, 3)."""
    low: Tensor
    """First GRU's hidden state, shape (batch, hidden)."""
    high: Tensor
    """Second GRU's hidden state, shape (batch, hidden)."""


class TriggerNetwork(nn.Module):
    """Log-mel frames to one logit per keyword every 40 ms."""

    mean: Tensor
    scale: Tensor

    def __init__(
        self, keywords: int, channels: tuple[int, int] = (64, 80), hidden: int = 112, dropout: float = 0.1
    ):
        super().__init__()
        self.hidden = hidden
        self.channels = channels
        self.register_buffer("mean", torch.full((MELS, 1), -7.0))
        self.register_buffer("scale", torch.full((MELS, 1), 0.3))
        self.scale_folded = False
        self.conv1 = nn.Conv1d(MELS, channels[0], _KERNEL, _STRIDE)
        self.conv2 = nn.Conv1d(channels[0], channels[1], _KERNEL, _STRIDE)
        self.gru1 = nn.GRU(channels[1], hidden)
        self.gru2 = nn.GRU(hidden, hidden)
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(hidden, keywords)
        nn.init.constant_(self.output.bias, -3.0)  # keywords are rare

    def normalise_to(self, frames: Tensor) -> None:
        """Set the input's mean and scale per band from typical log-mel frames, (batch, MELS, frames)."""
        self.mean.copy_(frames.mean(dim=(0, 2))[:, None])
        self.scale.copy_(1 / frames.std(dim=(0, 2))[:, None].clamp(min=0.1))

    def fold_scale(self) -> None:
        """Make the input's scale part of the first convolution: the same outputs with one operator less."""
        with torch.no_grad():
            self.conv1.weight *= self.scale
        self.scale_folded = True

    def freeze_hearing(self) -> None:
        """Keep the convolutions and the first GRU as they are, and learn only what comes after."""
        for layer in (self.conv1, self.conv2, self.gru1):
            layer.requires_grad_(False)

    def initial_state(self, batch: int) -> State:
        """The state after a reset, for `batch` streams."""
        zeros = self.mean.new_zeros
        return State(
            zeros(batch, MELS, _CARRY),
            zeros(batch, self.channels[0], _CARRY),
            zeros(batch, self.hidden),
            zeros(batch, self.hidden),
        )

    def features(self, frames: Tensor, state: State) -> tuple[Tensor, State]:
        """The second GRU's outputs.

        Args:
            frames: log-mel frames, shape (batch, MELS, 4 x steps).
            state: what the previous call returned, or `initial_state`.

        Returns:
            features of shape (batch, steps, hidden), and the next state.
        """
        centred = frames - self.mean
        normal = torch.cat([state.mel, centred if self.scale_folded else centred * self.scale], dim=2)
        conv = torch.cat([state.conv, functional.relu(self.conv1(normal))], dim=2)
        low_in = functional.relu(self.conv2(conv)).permute(2, 0, 1)
        low, low_state = self.gru1(low_in, state.low.unsqueeze(0))
        high, high_state = self.gru2(self.dropout(low), state.high.unsqueeze(0))
        after = State(
            normal[:, :, -_CARRY:], conv[:, :, -_CARRY:], low_state.squeeze(0), high_state.squeeze(0)
        )
        return high.transpose(0, 1), after

    def forward(self, frames: Tensor, state: State) -> tuple[Tensor, State]:
        """Logits of shape (batch, steps, keywords) and the next state; arguments as in `features`."""
        high, after = self.features(frames, state)
        return self.output(self.dropout(high)), after


class TriggerModel(nn.Module):
    """What is deployed: audio samples and states in, scores and states out."""

    def __init__(self, network: TriggerNetwork):
        super().__init__()
        self.front_end = LogMel()
        self.network = network

    def forward(
        self, audio: Tensor, tail: Tensor, mel: Tensor, conv: Tensor, low: Tensor, high: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
        """Scores in 0..1, shape (batch, samples / 640, keywords), then the next value of each state.

        Args:
            audio: float samples in [-1, 1], shape (batch, samples), samples a multiple of STEP_SAMPLES.
            tail: earlier samples, shape (batch, TAIL); with the other states as in `State`.
        """
        frames, tail = self.front_end(audio, tail)
        logits, state = self.network(frames, State(mel, conv, low, high))
        return torch.sigmoid(logits), tail, *state

    def initial_states(self, batch: int) -> tuple[Tensor, ...]:
        """Zero states in the order `forward` takes them."""
        return self.network.mean.new_zeros(batch, TAIL), *self.network.initial_state(batch)
