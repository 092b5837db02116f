"""The part of a model card that belongs to its task: how a model is fed, and how its output is read."""

from __future__ import annotations

import math
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from typing import Any, ClassVar

from linnet import piecemodel
from linnet.checks import bad, check_integer, check_number, check_text, check_texts, items, parts, read_list
from linnet.errors import KeywordError, UsageError

__all__ = ["CaptionSettings", "OperatingPoint", "SearchSettings", "TranslateSettings", "TriggerSettings"]


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
        check_number(self.false_alarms_per_hour, "false_alarms_per_hour", 0, math.inf)
        check_number(self.threshold, "threshold", 0, 2)
        for name in ("miss_clean", "miss_noise"):
            check_number(getattr(self, name), name, 0, 1)


@dataclass(frozen=True, kw_only=True)
class TriggerSettings:
    """How a trigger model is fed and how its scores become detections."""

    task: ClassVar[str] = "trigger"
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
        check_texts(self.keywords, "keywords")
        if not self.keywords or len(set(self.keywords)) != len(self.keywords):
            raise bad("keywords", "must name at least one keyword, each once")
        check_integer(self.sample_rate, "sample_rate", 16_000, 16_000)
        check_integer(self.step_samples, "step_samples", 1, self.sample_rate)
        check_integer(self.chunk_samples, "chunk_samples", self.step_samples, 10 * self.sample_rate)
        if self.chunk_samples % self.step_samples:
            raise bad("chunk_samples", "must be a multiple of step_samples")
        check_integer(self.smoothing_steps, "smoothing_steps", 1, 1000)
        check_number(self.refractory_s, "refractory_s", 0, 60)
        check_number(self.default_false_alarms_per_hour, "default_false_alarms_per_hour", 0, math.inf)
        if not isinstance(self.curves, Mapping) or set(self.curves) != set(self.keywords):
            raise bad("curves", "must hold one curve for each keyword")
        for keyword, curve in self.curves.items():
            _check_curve(curve, keyword)

    def threshold(self, keyword: str, false_alarms_per_hour: float) -> float:
        """The threshold that gave at most ``false_alarms_per_hour`` on dev data: that of the `point`."""
        return self.point(keyword, false_alarms_per_hour).threshold

    def point(self, keyword: str, false_alarms_per_hour: float) -> OperatingPoint:
        """The point of the keyword's curve with the highest rate not above the one asked for.

        The strictest where none is that low. Raises KeywordError for a keyword the model is deaf to,
        UsageError for a rate below 0.
        """
        if keyword not in self.curves:
            raise KeywordError(f"this model does not hear {keyword!r}; it hears {', '.join(self.keywords)}")
        if not false_alarms_per_hour >= 0:
            raise UsageError(f"false alarms per hour must be 0 or more, not {false_alarms_per_hour}")
        curve = self.curves[keyword]
        allowed = [point for point in curve if point.false_alarms_per_hour <= false_alarms_per_hour]
        return (allowed or curve[:1])[-1]

    def to_parts(self) -> dict[str, Any]:
        """The JSON object that `from_parts` reads."""
        return asdict(self)

    @classmethod
    def from_parts(cls, value: object) -> TriggerSettings:
        """Read the JSON object that stands under the task's name in a card."""
        given = parts(value, cls, cls.task)
        given["keywords"] = tuple(items(given["keywords"], "keywords"))
        if not isinstance(given["curves"], dict):
            raise bad("curves", "must be an object")
        given["curves"] = {
            keyword: read_list(OperatingPoint, curve, "curves") for keyword, curve in given["curves"].items()
        }
        return cls(**given)


@dataclass(frozen=True, kw_only=True)
class SearchSettings:
    """What the settings of all models have in common that put something into words."""

    task: ClassVar[str]
    results: ClassVar[str]
    """What such models make, for sentences about them."""
    longest: ClassVar[int]
    """Pieces after which every graph stops, whatever is asked of it."""
    widest: ClassVar[int] = 32
    """The widest beam that may be asked for."""
    heaviest: ClassVar[float] = 10.0
    """The greatest penalty that may be asked for; the least is 0."""

    max_length: int
    """Most pieces in a result, unless another number is asked for."""
    beam: int
    """Hypotheses that are followed at a time, unless another number is asked for; 1 is greedy."""
    length_penalty: float
    """A hypothesis' score is its log-probability divided by its length to this power."""

    def __post_init__(self) -> None:
        check_integer(self.max_length, "max_length", 1, self.longest)
        check_integer(self.beam, "beam", 1, self.widest)
        check_number(self.length_penalty, "length_penalty", 0, self.heaviest)


@dataclass(frozen=True, kw_only=True)
class CaptionSettings(SearchSettings):
    """How a captioner is fed, and how the ids that it gives become words."""

    task: ClassVar[str] = "caption"
    results: ClassVar[str] = "captions"
    longest: ClassVar[int] = 40

    image_size: int
    """Height and width in pixels of the picture it takes."""
    grid: tuple[int, int]
    """Rows and columns of the places that attention is spread over."""
    vocabulary: tuple[str, ...]
    """What each id stands for: padding, start, end, unknown, then pieces of text. A piece that begins with
    U+2581 starts a new word."""
    language: str = "en"
    """What it writes, as in ISO 639. A card without it is of a captioner that writes English."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_integer(self.image_size, "image_size", 1, 4096)
        if not isinstance(self.grid, tuple) or len(self.grid) != 2:
            raise bad("grid", "must be a number of rows and of columns")
        for size in self.grid:
            check_integer(size, "grid", 1, 256)
        if not isinstance(self.vocabulary, tuple) or len(self.vocabulary) < 5:
            raise bad("vocabulary", "must hold padding, start, end, unknown, and at least one piece")
        for special in self.vocabulary[:4]:
            check_text(special, "vocabulary")
        check_texts(self.vocabulary[4:], "vocabulary")
        if len(set(self.vocabulary[4:])) != len(self.vocabulary) - 4:
            raise bad("vocabulary", "must hold each piece once")
        check_texts((self.language,), "language")

    def to_parts(self) -> dict[str, Any]:
        """The JSON object that `from_parts` reads."""
        return asdict(self)

    @classmethod
    def from_parts(cls, value: object) -> CaptionSettings:
        """Read the JSON object that stands under the task's name in a card."""
        if isinstance(value, dict):
            value = {"language": cls.language, **value}
        given = parts(value, cls, cls.task)
        for name in ("grid", "vocabulary"):
            given[name] = tuple(items(given[name], name))
        return cls(**given)


@dataclass(frozen=True, kw_only=True)
class TranslateSettings(SearchSettings):
    """How a translator is fed, and how the ids that it gives become text."""

    task: ClassVar[str] = "translate"
    results: ClassVar[str] = "translations"
    longest: ClassVar[int] = 128

    source_language: str
    """What it reads, as in ISO 639: "de"."""
    target_language: str
    """What it writes."""
    sentencepiece: bytes = field(repr=False)
    """The SentencePiece model of both languages, whose first ids are padding, start, end and unknown. In JSON
    it is base64."""
    max_source: int
    """Most pieces of a sentence, without its end; a longer one is cut at its clauses."""
    coverage_penalty: float
    """How much the score suffers from source pieces that got little attention (Wu et al. 2016,
    https://arxiv.org/abs/1609.08144)."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_texts((self.source_language, self.target_language), "source_language and target_language")
        check_integer(self.max_source, "max_source", 1, 1000)
        check_number(self.coverage_penalty, "coverage_penalty", 0, self.heaviest)
        try:
            piecemodel.pieces(self.sentencepiece)
        except ValueError as error:
            raise bad("sentencepiece", str(error)) from None

    def to_parts(self) -> dict[str, Any]:
        """The JSON object that `from_parts` reads."""
        return asdict(self) | {"sentencepiece": b64encode(self.sentencepiece).decode()}

    @classmethod
    def from_parts(cls, value: object) -> TranslateSettings:
        """Read the JSON object that stands under the task's name in a card."""
        given = parts(value, cls, cls.task)
        try:
            given["sentencepiece"] = b64decode(given["sentencepiece"], validate=True)
        except (TypeError, ValueError):
            raise bad("sentencepiece", "must be base64") from None
        return cls(**given)


def _check_curve(curve: object, keyword: str) -> None:
    if not isinstance(curve, tuple) or not curve or not all(isinstance(p, OperatingPoint) for p in curve):
        raise bad(f"the curve of {keyword!r}", "must hold at least one operating point")
    for lower, higher in pairwise(curve):
        if higher.false_alarms_per_hour <= lower.false_alarms_per_hour or higher.threshold > lower.threshold:
            raise bad(f"the curve of {keyword!r}", "must have rising false alarms and falling thresholds")
