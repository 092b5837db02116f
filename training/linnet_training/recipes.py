"""Recipes: settings of a training run, read from a small TOML file, kept in the checkpoint and the card."""

import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from linnet.errors import RecipeError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # type: ignore[import-not-found, unused-ignore]

Range = tuple[float, float]
Some = TypeVar("Some", bound="BaseRecipe")


@dataclass(frozen=True)
class BaseRecipe:
    """What recipes of all tasks can do; each adds its settings with their defaults."""

    ranges: ClassVar[Mapping[str, Range]] = {}
    """Least and greatest value; settings that are not here count something: from 1 to a million."""

    def __post_init__(self) -> None:
        for field in fields(self):
            low, high = self.ranges.get(field.name, (1, 1_000_000))
            if not low <= getattr(self, field.name) <= high:
                raise RecipeError(
                    f"{field.name} must be from {low:g} to {high:g}, not {getattr(self, field.name)}"
                )

    @classmethod
    def read(cls: type[Some], path: Path) -> Some:
        """Read a TOML file; what it does not name keeps its default.

        Raises:
            RecipeError: the file is missing, not TOML, or has an unknown key or a value of the wrong type.
        """
        try:
            values = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
            raise RecipeError(f"cannot read the recipe {path}: {reason}") from error
        except tomllib.TOMLDecodeError as error:
            raise RecipeError(f"the recipe {path} is not valid TOML: {error}") from error
        return cls.from_dict(values, str(path))

    @classmethod
    def from_dict(cls: type[Some], values: dict[str, Any], origin: str = "recipe") -> Some:
        """Check names and types, and build the recipe."""
        defaults = cls()
        known = {field.name for field in fields(cls)}
        for name, value in values.items():
            if name not in known:
                raise RecipeError(f"{origin}: unknown setting '{name}'; known are {', '.join(sorted(known))}")
            wanted = type(getattr(defaults, name))
            if wanted is float and type(value) is int:
                values = {**values, name: float(value)}
            elif type(value) is not wanted:
                raise RecipeError(f"{origin}: '{name}' must be {wanted.__name__}, not {type(value).__name__}")
        return replace(defaults, **values)

    def to_dict(self) -> dict[str, Any]:
        """The settings as plain values, for the checkpoint and the card."""
        return asdict(self)
