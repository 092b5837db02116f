"""The settings of a trigger-word run."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from linnet_training.recipes import BaseRecipe, Range


@dataclass(frozen=True)
class Recipe(BaseRecipe):
    """Settings of a trigger-word run; the defaults are the recipe for one word of one's own."""

    ranges: ClassVar[Mapping[str, Range]] = {
        "learning_rate": (1e-9, 10.0),
        "seed": (0, 2**32 - 1),
        "positive_weight": (1e-3, 1e3),
        "teacher_weight": (0.0, 1e3),
        "averaging": (0.0, 0.99999),
        "dev_false_alarms_per_hour": (0.0, 1e3),
        "start_from_shipped": (False, True),
    }

    epochs: int = 24
    steps_per_epoch: int = 80
    batch_size: int = 128
    learning_rate: float = 1.5e-3
    seed: int = 0
    positive_weight: float = 1.6
    """How much a missed word costs against a false alarm."""
    teacher_weight: float = 0.0
    """Weight of predicting the teacher's speech embeddings; 0 trains without a teacher."""
    averaging: float = 0.998
    """Decay of the moving average of the weights, which is what is exported."""
    patience: int = 12
    """Epochs without a better dev miss rate before training stops."""
    dev_false_alarms_per_hour: float = 0.5
    """The rate at which the dev miss rate is read."""
    variants: int = 9
    """Variants of each recording of the word: the recording itself, then other speeds, pitches and rooms."""
    negative_variants: int = 3
    spoken_positives: int = 450
    """Synthesised clips of a keyword that has few or no recordings."""
    spoken_near: int = 300
    """Synthesised clips of what sounds like a keyword, for each."""
    spoken_words: int = 900
    """Synthesised clips of isolated other words."""
    spoken_sentences: int = 300
    """Synthesised sentences."""
    mining_epochs: int = 6
    """Epochs of the second round, on false alarms found in the audio given to mine."""
    start_from_shipped: bool = True
    """Begin with the weights of the bundled model, which have heard far more speech than one word brings."""
