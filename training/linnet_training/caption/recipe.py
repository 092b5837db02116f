"""The settings of a captioning run."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from linnet.card import CaptionSettings
from linnet_training.recipes import BaseRecipe, Range


@dataclass(frozen=True)
class Recipe(BaseRecipe):
    """Settings of a captioning run; training/recipes/captioner.toml has those of the bundled captioner."""

    ranges: ClassVar[Mapping[str, Range]] = {
        "cached_layers": (0, 18),
        "frozen_epochs": (0, 1e6),
        "tuned_epochs": (0, 1e6),
        "self_critical_epochs": (0, 1e6),
        "learning_rate": (1e-9, 10.0),
        "encoder_learning_rate": (1e-9, 10.0),
        "self_critical_learning_rate": (1e-9, 10.0),
        "self_critical_share": (0.0, 1.0),
        "samples": (2, 1000),
        "rare_words": (0.0, 2.0),
        "supervised_weight": (0.0, 1e3),
        "dropout": (0.0, 0.95),
        "label_smoothing": (0.0, 0.9),
        "attention_penalty": (0.0, 1e3),
        "bag_of_words": (0.0, 1e3),
        "max_words": (1, CaptionSettings.longest),
        "beam": (1, CaptionSettings.widest),
        "length_penalty": (0.0, 10.0),
        "averaging": (0.0, 0.99999),
        "seed": (0, 2**32 - 1),
    }

    frozen_epochs: int = 5
    """Epochs of learning from people's captions with the encoder as it is."""
    tuned_epochs: int = 5
    """Further ones, in which the encoder's last layers learn too."""
    self_critical_epochs: int = 10
    """Epochs of learning from the CIDEr of its own captions (Rennie et al. 2017, arXiv:1612.00563)."""
    batch_size: int = 32
    """Pictures, of all processes together; each comes with all its captions."""
    learning_rate: float = 1.5e-3
    encoder_learning_rate: float = 1.5e-4
    self_critical_learning_rate: float = 1.5e-4
    self_critical_share: float = 0.5
    """Of the weights after self-critical training in what is exported; the rest are those before it. 1 scores
    no better, in fewer words."""
    samples: int = 5
    """Captions drawn for each picture in self-critical training."""
    rare_words: float = 0.0
    """Share of the logarithm of its frequency that a word's logit loses before self-critical training."""
    supervised_weight: float = 0.0
    """Of people's captions in self-critical training."""
    hidden: int = 512
    memory: int = 512
    output: int = 300
    dropout: float = 0.35
    label_smoothing: float = 0.0
    attention_penalty: float = 0.02
    """Weight of the doubly stochastic penalty: all places of the grid should be attended to alike."""
    bag_of_words: float = 0.0
    """Weight of foretelling, in no order, the words of a picture's captions (Ma et al. 2018)."""
    least_count: int = 4
    """Words that are rarer in training are unknown."""
    max_words: int = 20
    cached_layers: int = 14
    """First layers of the encoder that never change; what they give is kept on disk. Those after them,
    a quarter of the work, learn in the tuned epochs. With 0 all do, which wants a GPU."""
    views: int = 4
    """Of each picture: itself, its mirror image, and crops."""
    beam: int = 5
    """Of the search that the exported file does unless asked otherwise."""
    length_penalty: float = 1.0
    averaging: float = 0.998
    patience: int = 4
    seed: int = 0
