"""The model card: what a model file says about itself.

A card is JSON text under the key ``linnet`` of the file's ONNX metadata. It holds all that decides besides
the network (keywords, thresholds, refractory time) and all that a user should know (data, licences, measured
quality, recipe). Training writes it with these classes and the runtime reads it with them: no drift.

Reading is strict: a field that is missing, unknown, of the wrong type or out of range is a CardError.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from itertools import pairwise
from typing import Any

from linnet.errors import CardError, KeywordError, UsageError

__all__ = [
    "CARD_VERSION",
    "METADATA_KEY",
    "TASKS",
    "Card",
    "DataSource",
    "OperatingPoint",
    "Quality",
    "TriggerSettings",
]

METADATA_KEY = "linnet"
"""Key of the ONNX metadata under which the card's JSON stands."""

CARD_VERSION = 1
"""The card version that this Linnet writes, and the only one it reads."""

TASKS = ("trigger",)
"""Tasks known here; the settings of each stand in the card's field of the same name."""


@dataclass(frozen=True)
class OperatingPoint:
    """One point of a keyword's trade-off between false alarms and misses, measured on dev data."""

    false_alarms_per_hour: float
    """False alarms in an hour of other sound, >= 0."""
    threshold: float
    """The score, or a higher one, is a detection. Scores end at 1, so a threshold above 1 is never."""
    miss_clean: float
    """Share of clean utterances missed at this threshold, 0..1."""
    miss_noise: float
    """Share of utterances in noise missed at this threshold, 0..1."""

    def __post_init__(self) -> None:
        _check_number(self.false_alarms_per_hour, "false_alarms_per_hour", 0, math.inf)
        _check_number(self.threshold, "threshold", 0, 2)
        for name in ("miss_clean", "miss_noise"):
            _check_number(getattr(self, name), name, 0, 1)


@dataclass(frozen=True, kw_only=True)
class TriggerSettings:
    """How a trigger model is fed and how its scores become detections."""

    keywords: tuple[str, ...]
    """What the model hears, in the order of its score columns."""
    sample_rate: int
    """Samples per second of the audio it takes; 16000 in this version."""
    step_samples: int
    """Samples per network step: each call takes a multiple, and gives one row of scores per step."""
    chunk_samples: int
    """Samples per call that suit live listening; a multiple of ``step_samples``."""
    smoothing_steps: int
    """Scores are means over this many steps when they are compared with a threshold; 1 is no averaging."""
    refractory_s: float
    """Seconds after a detection during which the keyword is not reported again, 0..60."""
    default_false_alarms_per_hour: float
    """The rate whose threshold is used when the user asks for none."""
    curves: Mapping[str, tuple[OperatingPoint, ...]]
    """For each keyword its operating points, false alarms rising and thresholds falling."""

    def __post_init__(self) -> None:
        _check_texts(self.keywords, "keywords")
        if not self.keywords or len(set(self.keywords)) != len(self.keywords):
            raise _bad("keywords", "must name at least one keyword, each once")
        _check_integer(self.sample_rate, "sample_rate", 16_000, 16_000)
        _check_integer(self.step_samples, "step_samples", 1, self.sample_rate)
        _check_integer(self.chunk_samples, "chunk_samples", self.step_samples, 10 * self.sample_rate)
        if self.chunk_samples % self.step_samples:
            raise _bad("chunk_samples", "must be a multiple of step_samples")
        _check_integer(self.smoothing_steps, "smoothing_steps", 1, 1000)
        _check_number(self.refractory_s, "refractory_s", 0, 60)
        _check_number(self.default_false_alarms_per_hour, "default_false_alarms_per_hour", 0, math.inf)
        if not isinstance(self.curves, Mapping) or set(self.curves) != set(self.keywords):
            raise _bad("curves", "must hold one curve for each keyword")
        for keyword, curve in self.curves.items():
            _check_curve(curve, keyword)

    def threshold(self, keyword: str, false_alarms_per_hour: float) -> float:
        """The threshold for ``keyword`` that gave at most ``false_alarms_per_hour`` on dev data.

        That of the point with the highest rate not above the one asked for; the strictest point's where none
        is that low. Raises KeywordError for a keyword the model is deaf to, UsageError for a rate below 0.
        """
        if keyword not in self.curves:
            raise KeywordError(f"this model does not hear {keyword!r}; it hears {', '.join(self.keywords)}")
        if not false_alarms_per_hour >= 0:
            raise UsageError(f"false alarms per hour must be 0 or more, not {false_alarms_per_hour}")
        curve = self.curves[keyword]
        allowed = [point for point in curve if point.false_alarms_per_hour <= false_alarms_per_hour]
        return (allowed or curve[:1])[-1].threshold


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
            _check_text(getattr(self, name), f"data.{name}")


@dataclass(frozen=True, kw_only=True)
class Quality:
    """One figure measured on the exported file."""

    measure: str
    """What was measured, unit included."""
    keyword: str
    condition: str
    value: float
    data: str
    """What it was measured on."""

    def __post_init__(self) -> None:
        for name in ("measure", "keyword", "condition", "data"):
            _check_text(getattr(self, name), f"quality.{name}")
        _check_number(self.value, "quality.value", -math.inf, math.inf)


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
    trigger: TriggerSettings
    task: str = "trigger"
    version: int = CARD_VERSION

    def __post_init__(self) -> None:
        for name in ("name", "description", "licence", "created", "author"):
            _check_text(getattr(self, name), name)
        if not isinstance(self.versions, Mapping):
            raise _bad("versions", "must be an object of texts")
        _check_texts((*self.versions, *self.versions.values()), "versions")
        if not isinstance(self.recipe, Mapping):
            raise _bad("recipe", "must be an object")

    @classmethod
    def from_json(cls, text: str) -> Card:
        """Read a card. Raises CardError where it is malformed, or of a version or task unknown here."""
        try:
            raw = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise CardError(f"the model card is not valid JSON ({error}); export the model again") from None
        if not isinstance(raw, dict):
            raise _bad("card", "must be a JSON object")
        # Version and task first: a card of a later Linnet has other fields, and the advice then is to update.
        for key, known in (("version", (CARD_VERSION,)), ("task", TASKS)):
            value = raw.get(key)
            if type(value) is not type(known[0]):
                raise _bad(key, "is missing or of the wrong type")
            if value not in known:
                raise CardError(
                    f"the model card has {key} {value!r}, and this Linnet knows only "
                    f"{', '.join(map(repr, known))}; update Linnet or use another model"
                )
        settings = _parts(raw.get("trigger"), TriggerSettings, "trigger")
        settings["keywords"] = tuple(_items(settings["keywords"], "keywords"))
        if not isinstance(settings["curves"], dict):
            raise _bad("curves", "must be an object")
        settings["curves"] = {
            keyword: _read_list(OperatingPoint, curve, "curves")
            for keyword, curve in settings["curves"].items()
        }
        parts = _parts(raw, Card, "card")
        parts["data"] = _read_list(DataSource, raw["data"], "data")
        parts["quality"] = _read_list(Quality, raw["quality"], "quality")
        parts["trigger"] = TriggerSettings(**settings)
        return cls(**parts)

    def to_json(self) -> str:
        """The card as JSON text, for the file's metadata; `from_json` gives an equal card back."""
        try:
            # ASCII only, so that the text survives whatever other tools do to metadata.
            return json.dumps(asdict(self), allow_nan=False)
        except (TypeError, ValueError, RecursionError) as error:
            raise CardError(f"the model card cannot be written as JSON: {error}") from None


def _bad(where: str, what: str) -> CardError:
    return CardError(f"the model card is unusable: {where} {what}; export the model again")


def _parts(value: object, made: type, where: str) -> dict[str, Any]:
    """A copy of the JSON object ``value``, which must have exactly the fields of the dataclass ``made``."""
    if not isinstance(value, dict):
        raise _bad(where, "is missing or is not an object")
    wanted = {each.name for each in fields(made)}
    for name in sorted(wanted ^ set(value)):
        if name in wanted:
            raise _bad(where, f"lacks the field {name!r}")
        raise _bad(where, f"has the unknown field {name!r}")
    return dict(value)


def _items(value: object, where: str) -> list[Any]:
    if not isinstance(value, list):
        raise _bad(where, "must be a list")
    return value


def _read_list(made: type, value: object, where: str) -> tuple[Any, ...]:
    return tuple(made(**_parts(item, made, where)) for item in _items(value, where))


def _check_text(value: object, where: str) -> None:
    # Cards are shown in terminals, so control characters and lone surrogates stay out; lines may be broken.
    if not isinstance(value, str) or not value.replace("\n", "").isprintable():
        raise _bad(where, "must be a printable text")


def _check_texts(values: tuple[object, ...], where: str) -> None:
    if not isinstance(values, tuple):
        raise _bad(where, "must be a tuple of texts")
    for value in values:
        _check_text(value, where)
        if not value:
            raise _bad(where, "must not hold an empty text")


def _check_integer(value: object, where: str, low: int, high: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise _bad(where, f"must be {low}" if low == high else f"must be an integer from {low} to {high}")


def _check_number(value: object, where: str, low: float, high: float) -> None:
    # `-max <= value <= max` is false for NaN and infinities, and for integers too large for a float.
    if (
        not isinstance(value, (int, float))
        or isinstance(value, bool)
        or not -1e300 <= value <= 1e300
        or not low <= value <= high
    ):
        raise _bad(where, f"must be a finite number from {low:g} to {high:g}")


def _check_curve(curve: object, keyword: str) -> None:
    if not isinstance(curve, tuple) or not curve or not all(isinstance(p, OperatingPoint) for p in curve):
        raise _bad(f"the curve of {keyword!r}", "must hold at least one operating point")
    for lower, higher in pairwise(curve):
        if higher.false_alarms_per_hour <= lower.false_alarms_per_hour or higher.threshold > lower.threshold:
            raise _bad(f"the curve of {keyword!r}", "must have rising false alarms and falling thresholds")
