"""The settings of a captioning run: a small TOML file, kept in the checkpoint and the model's card."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Recipe:
    """Settings of a captioning run; the defaults are the recipe of the bundled captioner."""

    frozen_epochs: int = 5
    """Epochs of learning from people's captions with the encoder as it is."""
    tuned_epochs: int = 5
    """Further ones, in which the encoder's last layers learn too."""
    self_critical_epochs: int = 10
    """Epochs of learning from the CIDEr of its own captions (Rennie et al. 2017, arXiv:1612.00563)."""
    batch_size: int = 64
    """Pictures; each comes with all its captions."""
    learning_rate: float = 2e-3
    encoder_learning_rate: float = 1e-4
    self_critical_learning_rate: float = 1e-4
    samples: int = 5
    """Captions drawn for each picture in self-critical training."""
    hidden: int = 512
    memory: int = 512
    output: int = 300
    dropout: float = 0.3
    label_smoothing: float = 0.1
    attention_penalty: float = 0.5
    """Weight of the doubly stochastic penalty: all places of the grid should be attended to alike."""
    least_count: int = 4
    """Words that are rarer in training are unknown."""
    max_words: int = 20
    views: int = 4
    """Of each picture: itself, its mirror image, and crops."""
    beam: int = 5
    """Of the search that the exported file does unless asked otherwise."""
    length_penalty: float = 1.0
    averaging: float = 0.995
    patience: int = 4
    seed: int = 0
