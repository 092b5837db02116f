"""``linnet info`` and ``linnet models``: what model files say about themselves."""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from linnet import modelfile, zoo
from linnet.card import CaptionSettings, Card, OperatingPoint, Quality, Settings, TriggerSettings
from linnet.errors import LinnetError, ModelNotFoundError
from linnet.piecemodel import pieces
from linnet.settings import SearchSettings, TranslateSettings
from linnet.terminal import clean, columns

__all__ = ["add_info", "add_models", "page"]

_RATES = (0.0, 0.1, 0.5, 1.0, 2.0)
"""False alarms per hour for which thresholds are shown."""

_NUMBER = re.compile(r"\d+(?:\.\d+)?")


def add_info(subparsers: Any) -> None:
    """Add the command ``info`` to argparse's subparsers."""
    parser = subparsers.add_parser(
        "info",
        help="what a model file does and how well",
        description="Print the card of a model file: what it does, how well, and where it comes from.",
        epilog="examples:\n  linnet info hey_linnet.onnx\n  linnet info captioner\n  linnet info de-en\n"
        "  linnet info --json computer",
    )
    parser.add_argument("file", metavar="FILE", help="a model file, or a bundled one's name or keyword")
    parser.add_argument(
        "--json", action="store_true", help="print the whole card as JSON, the recipe included"
    )
    parser.set_defaults(run=_info)


def add_models(subparsers: Any) -> None:
    """Add the command ``models`` to argparse's subparsers."""
    parser = subparsers.add_parser(
        "models",
        help="list the models that ship with Linnet",
        description="List the models that ship with Linnet: keywords for linnet listen, names of others.",
        epilog="example:\n  linnet models",
    )
    parser.set_defaults(run=_models)


def model_path(name: str) -> Path:
    """The model file that ``name`` means: a path, or the bundled model of that name or keyword.

    Raises KeywordError or ModelNotFoundError where there is none.
    """
    if zoo.is_path(name) or os.path.exists(name):
        return Path(name)
    try:
        return zoo.named(name)
    except ModelNotFoundError:
        return zoo.find(name)


def page(card: Card, file: str, size: int) -> str:
    """The card as a page for people, without anything that a terminal would obey.

    Args:
        card: to show.
        file: name of its file.
        size: of the file, in bytes.
    """
    width = min(shutil.get_terminal_size().columns, 100)
    return "\n".join(clean(line) for line in _lines(card, file, size, width))


def _info(options: argparse.Namespace) -> int:
    path = model_path(options.file)
    card = modelfile.read_card(path)
    if options.json:
        # Written anew with every character beyond ASCII escaped: the file's own text might not be.
        print(json.dumps(json.loads(card.to_json()), indent=2))
    else:
        print(page(card, str(path), path.stat().st_size))
    return 0


def _models(_: argparse.Namespace) -> int:
    found = zoo.models()
    if not found:
        raise LinnetError("no models ship with this installation; give the path of an .onnx file instead")
    cards = [(path, modelfile.read_card(path)) for path in found]
    tables = [_keywords(cards), _others(cards)]
    print("\n\n".join("\n".join(table) for table in tables if table))
    return 0


def _keywords(cards: list[tuple[Path, Card]]) -> list[str]:
    """The table of trigger words."""
    table = [("keyword", "misses, clean", "in noise", "at most", "size", "licence", "model")]
    for path, card in cards:
        if not isinstance(card.settings, TriggerSettings):
            continue
        for keyword in card.settings.keywords:
            rate = card.settings.default_false_alarms_per_hour
            point = _point(card.settings, keyword, rate)
            table.append(
                (
                    keyword,
                    _percent(point.miss_clean),
                    _percent(point.miss_noise),
                    f"{rate:g} false alarms/h",
                    _size(path.stat().st_size),
                    card.licence,
                    path.name,
                )
            )
    return _table(table, right=frozenset({1, 2, 4}))


def _others(cards: list[tuple[Path, Card]]) -> list[str]:
    """The table of models that go by a name, with the measures that their cards name first."""
    table = [("model", "task", "quality", "size", "licence", "file")]
    for path, card in cards:
        if not isinstance(card.settings, TriggerSettings):
            first = [each for each in card.quality if each.condition == card.quality[0].condition][:3]
            quality = ", ".join(f"{each.measure} {each.value:.3g}" for each in first)
            table.append((path.stem, card.task, quality, _size(path.stat().st_size), card.licence, path.name))
    return _table(table, right=frozenset({3}))


def _table(rows: Sequence[tuple[str, ...]], *, right: frozenset[int]) -> list[str]:
    return columns([tuple(map(clean, row)) for row in rows], right=right) if len(rows) > 1 else []


def _lines(card: Card, file: str, size: int, width: int) -> Iterator[str]:
    yield card.name
    yield from _wrapped(card.description, width)
    yield ""
    settings = card.settings
    facts = [
        *([("hears", ", ".join(settings.keywords))] if isinstance(settings, TriggerSettings) else []),
        ("file", f"{file}, {_size(size)}"),
        ("task", f"{card.task}, {_task(settings)}"),
        *([("search", _search(settings))] if isinstance(settings, SearchSettings) else []),
        ("licence", card.licence),
        ("made", f"{card.created} by {card.author}"),
        ("with", ", ".join(f"{name} {version}" for name, version in card.versions.items())),
        ("recipe", f"SHA-256 {_digest(card)}, in full with --json"),
    ]
    for name, fact in facts:
        yield from _wrapped(fact, width, f"{name:9}", " " * 9)
    if isinstance(settings, TriggerSettings):
        yield from _operating_points(settings)
    yield from _quality(card.quality, width)
    if card.data:
        yield from ("", "data")
    for source in card.data:
        text = f"{source.name} ({source.licence}), for {source.used_for}"
        if source.source != source.name:
            text += f": {source.source}"
        yield from _wrapped(text, width, "  ", "    ")


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


def _operating_points(settings: TriggerSettings) -> Iterator[str]:
    """Thresholds and misses of each keyword at the usual rates of false alarms."""
    default = settings.default_false_alarms_per_hour
    yield from ("", "operating points, chosen on dev data (--false-alarms-per-hour)")
    table = [("", "false alarms/h", "threshold", "misses, clean", "in noise", "")]
    for keyword in settings.keywords:
        label, last = keyword, None
        for rate in sorted({*_RATES, default}):
            point = _point(settings, keyword, rate)
            if point == last and rate != default:
                continue  # the curve has nothing between
            table.append(
                (
                    label,
                    f"{max(rate, point.false_alarms_per_hour):g}",
                    f"{point.threshold:.3f}",
                    _percent(point.miss_clean),
                    _percent(point.miss_noise),
                    "default" if rate == default else "",
                )
            )
            label, last = "", point
    yield from (f"  {line}" for line in columns(table, right=frozenset({1, 2, 3, 4})))


def _quality(quality: tuple[Quality, ...], width: int) -> Iterator[str]:
    """Measures that differ only in their numbers as one table: a column for each number.

    "miss rate at 0.5 false alarms/h" and "miss rate at 1 false alarms/h" are "miss rate at ... false
    alarms/h" with the columns 0.5 and 1. Below each table stands what was measured on.
    """
    yield from _figures([each for each in quality if not each.keyword], width)
    kinds: dict[str, list[Quality]] = {}
    for each in quality:
        if not each.keyword:
            continue
        kinds.setdefault(_NUMBER.sub("...", each.measure), []).append(each)
    for measure, rows in kinds.items():
        share = "miss" in measure and all(0 <= each.value <= 1 for each in rows)
        values = {(each.keyword, each.condition, _numbers(each)): each.value for each in rows}
        numbers = list(dict.fromkeys(number for _, _, number in values))
        table = [("", "", *numbers)]
        last = ""
        for keyword, condition in dict.fromkeys((each.keyword, each.condition) for each in rows):
            cells = (values.get((keyword, condition, number)) for number in numbers)
            shown = ("-" if v is None else _percent(v) if share else f"{v:.3g}" for v in cells)
            table.append(("" if keyword == last else keyword, condition, *shown))
            last = keyword
        yield ""
        yield from _wrapped(measure, width)
        lines = columns(table, right=frozenset(range(2, len(numbers) + 2)))
        yield from (f"  {line}" for line in lines if line)
        places: dict[str, list[str]] = {}
        for keyword, data in dict.fromkeys((each.keyword, each.data) for each in rows):
            places.setdefault(data, []).append(keyword)
        for data, keywords in places.items():
            text = f"{', '.join(keywords)}: {data}" if len(places) > 1 else data
            yield from _wrapped(text, width, "  ", "    ")


def _figures(quality: list[Quality], width: int) -> Iterator[str]:
    """Measures of a model without keywords: for each set of data a table with a column for each measure."""
    for data in dict.fromkeys(each.data for each in quality):
        values = {(each.condition, each.measure): each.value for each in quality if each.data == data}
        measures = list(dict.fromkeys(measure for _, measure in values))
        table = [("", *measures)]
        for condition in dict.fromkeys(condition for condition, _ in values):
            cells = (values.get((condition, measure)) for measure in measures)
            table.append((condition, *("-" if value is None else f"{value:.4g}" for value in cells)))
        yield from ("", "quality")
        yield from (f"  {line}" for line in columns(table, right=frozenset(range(1, len(table[0])))))
        yield from _wrapped(data, width, "  ", "    ")


def _numbers(quality: Quality) -> str:
    return ", ".join(_NUMBER.findall(quality.measure))


def _wrapped(text: str, width: int, first: str = "", later: str = "") -> list[str]:
    return textwrap.wrap(
        text,
        width,
        initial_indent=first,
        subsequent_indent=later,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _point(settings: TriggerSettings, keyword: str, rate: float) -> OperatingPoint:
    """The point of the keyword's curve that `TriggerSettings.threshold` takes the threshold from."""
    curve = settings.curves[keyword]
    return ([point for point in curve if point.false_alarms_per_hour <= rate] or list(curve[:1]))[-1]


def _digest(card: Card) -> str:
    """The first digits of the SHA-256 of the recipe's JSON, keys sorted: equal recipes have equal digests."""
    import hashlib  # loads OpenSSL: 3.5 MB that listening does without

    text = json.dumps(dict(card.recipe), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _size(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{size / 1000:.0f} kB"
