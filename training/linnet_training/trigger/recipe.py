"""The settings of a training run: a small TOML file, kept in the checkpoint and the model's card."""

import sys
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from linnet.errors import RecipeError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # type: ignore[import-not-found, unused-ignore]


_RANGES = {
    "learning_rate": (1e-9, 10.0),
    "seed": (0, 2**32 - 1),
    "positive_weight": (1e-3, 1e3),
    "teacher_weight": (0.0, 1e3),
    "averaging": (0.0, 0.99999),
    "dev_false_alarms_per_hour": (0.0, 1e3),
    "start_from_shipped": (False, True),
}
"""Least and greatest value; settings that are not here count something: from 1 to a million."""


@dataclass(frozen=True)
class Recipe:
    """Settings of a trigger-word run; the defaults are the recipe for one word of one's own."""

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

    def __post_init__(self) -> None:
        for field in fields(self):
            low, high = _RANGES.get(field.name, (1, 1_000_000))
            if not low <= getattr(self, field.name) <= high:
                raise RecipeError(
                    f"{field.name} must be from {low:g} to {high:g}, not {getattr(self, field.name)}."
                )

    @classmethod
    def read(cls, path: Path) -> "Recipe":
        """Read a TOML file; what it does not name keeps its default.

        Raises:
            RecipeError: the file is missing, not TOML, or has an unknown key or a value of the wrong type.
        """
        try:
            values = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise RecipeError(f"Cannot read the recipe {path}: {error}.") from error
        except tomllib.TOMLDecodeError as error:
            raise RecipeError(f"The recipe {path} is not valid TOML: {error}.") from error
        return cls.from_dict(values, str(path))

    @classmethod
    def from_dict(cls, values: dict[str, Any], origin: str = "recipe") -> "Recipe":
        """Check names and types, and build the recipe."""
        defaults = cls()
        known = {field.name for field in fields(cls)}
        for name, value in values.items():
            if name not in known:
                raise RecipeError(
                    f"{origin}: unknown setting '{name}'; known are {', '.join(sorted(known))}."
                )
            wanted = type(getattr(defaults, name))
            if wanted is float and type(value) is int:
                values = {**values, name: float(value)}
            elif type(value) is not wanted:
                raise RecipeError(
                    f"{origin}: '{name}' must be {wanted.__name__}, not {type(value).__name__}."
                )
        return replace(defaults, **values)

    def to_dict(self) -> dict[str, Any]:
        """The settings as plain values, for the checkpoint and the card."""
        return asdict(self)
