"""What a model card says, as facts and tables: ``info`` prints them, ``markdown`` writes a page."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from linnet.card import CaptionSettings, Card, Quality, Settings, TriggerSettings
from linnet.piecemodel import pieces
from linnet.settings import SearchSettings, TranslateSettings

__all__ = ["Table", "digest", "facts", "megabytes", "operating_points", "percent", "quality"]

_RATES = (0.0, 0.1, 0.5, 1.0, 2.0)
"""False alarms per hour for which thresholds are shown."""

_NUMBER = re.compile(r"\d+(?:\.\d+)?")


@dataclass(frozen=True)
class Table:
    """Figures to show side by side."""

    title: str
    rows: Sequence[tuple[str, ...]]
    """The first one is the head. What would stand there as in the row above may be empty."""
    right: frozenset[int]
    """Columns of numbers, which are flush right."""
    notes: tuple[str, ...] = ()
    """What was measured on."""


def facts(card: Card, file: str) -> list[tuple[str, str]]:
    """Name and text of what can be said of a model in a line each; ``file`` is what to say of its file."""
    settings = card.settings
    return [
        *([("hears", ", ".join(settings.keywords))] if isinstance(settings, TriggerSettings) else []),
        ("file", file),
        ("task", f"{card.task}, {_task(settings)}"),
        *([("search", _search(settings))] if isinstance(settings, SearchSettings) else []),
        ("licence", card.licence),
        ("made", f"{card.created} by {card.author}"),
        ("with", ", ".join(f"{name} {version}" for name, version in card.versions.items())),
    ]


def operating_points(settings: TriggerSettings) -> Table:
    """Thresholds and misses of each keyword at the usual rates of false alarms."""
    default = settings.default_false_alarms_per_hour
    table = [("", "false alarms/h", "threshold", "misses, clean", "in noise", "")]
    for keyword in settings.keywords:
        label, last = keyword, None
        for rate in sorted({*_RATES, default}):
            found = settings.point(keyword, rate)
            if found == last and rate != default:
                continue  # the curve has nothing between
            table.append(
                (
                    label,
                    f"{max(rate, found.false_alarms_per_hour):g}",
                    f"{found.threshold:.3f}",
                    percent(found.miss_clean),
                    percent(found.miss_noise),
                    "default" if rate == default else "",
                )
            )
            label, last = "", found
    title = "operating points, chosen on dev data (--false-alarms-per-hour)"
    return Table(title, table, frozenset({1, 2, 3, 4}))


def quality(card: Card) -> list[Table]:
    """What was measured."""
    return [
        *_figures([each for each in card.quality if not each.keyword]),
        *_by_keyword([each for each in card.quality if each.keyword]),
    ]


def digest(card: Card) -> str:
    """The first digits of the SHA-256 of the recipe's JSON, keys sorted: equal recipes have equal digests."""
    import hashlib  # loads OpenSSL: 3.5 MB that listening does without

    text = json.dumps(dict(card.recipe), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def percent(share: float) -> str:
    """A share of 1, to read."""
    return f"{100 * share:.1f} %"


def megabytes(size: int) -> str:
    """A number of bytes, to read."""
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{size / 1000:.0f} kB"


def _task(settings: Settings) -> str:
    """What goes in and what comes out."""
    if isinstance(settings, TriggerSettings):
        step = 1000 * settings.step_samples / settings.sample_rate
        return f"{settings.sample_rate / 1000:g} kHz audio, a score every {step:g} ms"
    if isinstance(settings, CaptionSettings):
        side, (rows, across) = settings.image_size, settings.grid
        words = len(settings.vocabulary) - 4
        return f"{side} x {side} pixels to {words} words, attention on {rows} x {across} places"
    known = len(pieces(settings.sentencepiece)) - 4
    return (
        f"{settings.source_language} to {settings.target_language}, {known} pieces of words, "
        f"at most {settings.max_source} in a sentence"
    )


def _search(settings: SearchSettings) -> str:
    beam = "greedy" if settings.beam == 1 else f"beam {settings.beam}"
    captions = isinstance(settings, CaptionSettings)
    text = f"{beam}, at most {settings.max_length} {'words' if captions else 'pieces'}"
    text += f", length penalty {settings.length_penalty:g}"
    if isinstance(settings, TranslateSettings):
        text += f", coverage penalty {settings.coverage_penalty:g}"
    return text


def _by_keyword(rows: Sequence[Quality]) -> Iterator[Table]:
    """Measures that differ only in their numbers as one table: a column for each number.

    "miss rate at 0.5 false alarms/h" and "miss rate at 1 false alarms/h" are "miss rate at ... false
    alarms/h" with the columns 0.5 and 1.
    """
    kinds: dict[str, list[Quality]] = {}
    for each in rows:
        kinds.setdefault(_NUMBER.sub("...", each.measure), []).append(each)
    for measure, of_kind in kinds.items():
        share = "miss" in measure and all(0 <= each.value <= 1 for each in of_kind)
        values = {(each.keyword, each.condition, _numbers(each)): each.value for each in of_kind}
        numbers = list(dict.fromkeys(number for _, _, number in values))
        table = [("", "", *numbers)]
        last = ""
        for keyword, condition in dict.fromkeys((each.keyword, each.condition) for each in of_kind):
            cells = (values.get((keyword, condition, number)) for number in numbers)
            shown = ("-" if v is None else percent(v) if share else f"{v:.3g}" for v in cells)
            table.append(("" if keyword == last else keyword, condition, *shown))
            last = keyword
        notes = _notes([(each.keyword, each.data) for each in of_kind])
        yield Table(measure, table, frozenset(range(2, len(numbers) + 2)), notes)


def _figures(rows: Sequence[Quality]) -> Iterator[Table]:
    """Measures of a model without keywords: a column for each, and a table more for other data."""
    tables: list[list[Quality]] = []
    for data in dict.fromkeys(each.data for each in rows):
        found = [each for each in rows if each.data == data]
        measures = {each.measure for each in found}
        # What names its data otherwise and was measured by something else goes into the same table: the
        # measures of translations say how words were counted.
        for table in tables:
            if measures.isdisjoint(each.measure for each in table):
                table += found
                break
        else:
            tables.append(found)
    for table in tables:
        values = {(each.condition, each.measure): each.value for each in table}
        names = list(dict.fromkeys(measure for _, measure in values))
        lines = [("", *names)]
        for condition in dict.fromkeys(condition for condition, _ in values):
            cells = (values.get((condition, name)) for name in names)
            lines.append((condition, *("-" if value is None else f"{value:.4g}" for value in cells)))
        notes = _notes([(each.measure, each.data) for each in table])
        yield Table("quality", lines, frozenset(range(1, len(names) + 1)), notes)


def _notes(places: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """What was measured on; and what on which, where it was not all on the same."""
    named: dict[str, list[str]] = {}
    for name, data in dict.fromkeys(places):
        named.setdefault(data, []).append(name)
    return tuple(f"{', '.join(names)}: {data}" if len(named) > 1 else data for data, names in named.items())


def _numbers(measured: Quality) -> str:
    return ", ".join(_NUMBER.findall(measured.measure))
