"""The settings of a translation run."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from linnet.card import TranslateSettings
from linnet_training.recipes import BaseRecipe, Range


@dataclass(frozen=True)
class Recipe(BaseRecipe):
    """Settings of a translation run."""

    ranges: ClassVar[Mapping[str, Range]] = {
        "vocabulary": (300, 60_000),
        "encoder_layers": (1, 8),
        "layers": (1, 8),
        "epochs": (1, 1e6),
        "batch_tokens": (16, 1e7),
        "learning_rate": (1e-9, 10.0),
        "dropout": (0.0, 0.95),
        "recurrent_dropout": (0.0, 0.95),
        "label_smoothing": (0.0, 0.9),
        "subword_sampling": (0.0, 10.0),
        "most_pieces": (4, TranslateSettings.longest),
        "beam": (1, TranslateSettings.widest),
        "length_penalty": (0.0, 10.0),
        "coverage_penalty": (0.0, 10.0),
        "averaging": (0.0, 0.99999),
        "seed": (0, 2**32 - 1),
    }

    vocabulary: int = 6000
    """Pieces of both languages together."""
    output: int = 256
    """Size of an embedding, which is the output layer too."""
    encoder_hidden: int = 192
    """Of each direction."""
    encoder_layers: int = 2
    hidden: int = 384
    """Of the decoder."""
    layers: int = 1
    epochs: int = 20
    batch_tokens: int = 512
    """Pieces on the target side of a batch, of all processes together, padding included. Small batches learn
    more from as much text; on a GPU larger ones are worth their speed."""
    learning_rate: float = 2e-3
    dropout: float = 0.3
    recurrent_dropout: float = 0.2
    """Of what an LSTM gives to its own next step (Gal and Ghahramani 2016)."""
    label_smoothing: float = 0.1
    subword_sampling: float = 0.5
    """Each epoch cuts sentences anew, with probabilities to this power (Kudo 2018); 0 for always alike."""
    most_pieces: int = 100
    """Of a sentence; longer pairs are left out in training and cut at clauses in use."""
    beam: int = 5
    length_penalty: float = 1.0
    coverage_penalty: float = 0.0
    averaging: float = 0.999
    patience: int = 5
    seed: int = 0
