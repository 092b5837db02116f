"""The model card: what a model file says about itself.

A card is JSON text under the key ``linnet`` of the file's ONNX metadata. It holds all that decides besides
the network (keywords and thresholds, or vocabulary and beam: see `linnet.settings`) and all that a user
should know (data, licences, measured quality, recipe). Training writes it with these classes and the runtime
reads it with them: no drift.

Reading is strict: a field that is missing, unknown, of the wrong type or out of range is a CardError.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, TypeAlias

from linnet.checks import bad, check_number, check_text, check_texts, parts_named, read_list
from linnet.errors import CardError, ModelError
from linnet.settings import CaptionSettings, OperatingPoint, TranslateSettings, TriggerSettings

__all__ = [
    "CARD_VERSION",
    "METADATA_KEY",
    "TASKS",
    "CaptionSettings",
    "Card",
    "DataSource",
    "OperatingPoint",
    "Quality",
    "Settings",
    "TranslateSettings",
    "TriggerSettings",
]

METADATA_KEY = "linnet"
"""Key of the ONNX metadata under which the card's JSON stands."""

CARD_VERSION = 1
"""The card version that this Linnet writes, and the only one it reads."""

Settings: TypeAlias = TriggerSettings | CaptionSettings | TranslateSettings
"""What belongs to a task, and says which it is."""

_SETTINGS: dict[str, type[Settings]] = {
    kind.task: kind for kind in (TriggerSettings, CaptionSettings, TranslateSettings)
}

TASKS = tuple(_SETTINGS)
"""Tasks known here; the settings of each stand in the card's field of the same name."""


@dataclass(frozen=True, kw_only=True)
class DataSource:
    """One set of data that the model was trained or measured with."""

    name: str
    source: str
    """Where it can be had: an address, or who made it and how."""
    licence: str
    used_for: str

    def __post_init__(self) -> None:
        for name in ("name", "source", "licence", "used_for"):
            check_text(getattr(self, name), f"data.{name}")


@dataclass(frozen=True, kw_only=True)
class Quality:
    """One figure measured on the exported file."""

    measure: str
    """What was measured, unit included."""
    keyword: str
    """The trigger word that it is about; empty where a model has none."""
    condition: str
    value: float
    data: str
    """What it was measured on."""

    def __post_init__(self) -> None:
        for name in ("measure", "keyword", "condition", "data"):
            check_text(getattr(self, name), f"quality.{name}")
        check_number(self.value, "quality.value", -math.inf, math.inf)


@dataclass(frozen=True, kw_only=True)
class Card:
    """The whole card. Made by training, or read with `from_json`; every field is checked either way."""

    name: str
    description: str
    licence: str
    created: str
    """Time of export, ISO 8601 in UTC."""
    author: str
    versions: Mapping[str, str]
    """Version of each package that made the file."""
    data: tuple[DataSource, ...]
    recipe: Mapping[str, Any]
    """The training recipe; any JSON object."""
    quality: tuple[Quality, ...]
    settings: Settings
    """Of the task; in the JSON they stand under the task's name."""
    version: int = CARD_VERSION

    def __post_init__(self) -> None:
        for name in ("name", "description", "licence", "created", "author"):
            check_text(getattr(self, name), name)
        if not isinstance(self.versions, Mapping):
            raise bad("versions", "must be an object of texts")
        check_texts((*self.versions, *self.versions.values()), "versions")
        if not isinstance(self.recipe, Mapping):
            raise bad("recipe", "must be an object")

    @property
    def task(self) -> str:
        """What the model does: one of TASKS."""
        return self.settings.task

    @property
    def trigger(self) -> TriggerSettings:
        """The settings of a trigger model; ModelError where it is of another task."""
        if isinstance(self.settings, TriggerSettings):
            return self.settings
        raise ModelError(f"{self.name} is a {self.task} model, not a trigger model")

    @property
    def caption(self) -> CaptionSettings:
        """The settings of a captioner; ModelError where it is of another task."""
        if isinstance(self.settings, CaptionSettings):
            return self.settings
        raise ModelError(f"{self.name} is a {self.task} model, not a caption model")

    @property
    def translate(self) -> TranslateSettings:
        """The settings of a translator; ModelError where it is of another task."""
        if isinstance(self.settings, TranslateSettings):
            return self.settings
        raise ModelError(f"{self.name} is a {self.task} model, not a translate model")

    @classmethod
    def from_json(cls, text: str) -> Card:
        """Read a card. Raises CardError where it is malformed, or of a version or task unknown here."""
        try:
            raw = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise CardError(f"the model card is not valid JSON ({error}); export the model again") from None
        if not isinstance(raw, dict):
            raise bad("card", "must be a JSON object")
        # Version and task first: a card of a later Linnet has other fields, and the advice then is to update.
        for key, known in (("version", (CARD_VERSION,)), ("task", TASKS)):
            value = raw.get(key)
            if type(value) is not type(known[0]):
                raise bad(key, "is missing or of the wrong type")
            if value not in known:
                raise CardError(
                    f"the model card has {key} {value!r}, and this Linnet knows only "
                    f"{', '.join(map(repr, known))}; update Linnet or use another model"
                )
        task = raw["task"]
        names = {each.name for each in fields(cls)} - {"settings"}
        given = parts_named(raw, names | {"task", task}, "card")
        del given["task"]
        given["data"] = read_list(DataSource, given["data"], "data")
        given["quality"] = read_list(Quality, given["quality"], "quality")
        return cls(settings=_SETTINGS[task].from_parts(given.pop(task)), **given)

    def to_json(self) -> str:
        """The card as JSON text, for the file's metadata; `from_json` gives an equal card back."""
        try:
            # ASCII only, so that the text survives whatever other tools do to metadata.
            raw = asdict(self)
            del raw["settings"]
            raw |= {"task": self.task, self.task: self.settings.to_parts()}
            return json.dumps(raw, allow_nan=False)
        except (TypeError, ValueError, RecursionError) as error:
            raise CardError(f"the model card cannot be written as JSON: {error}") from None
