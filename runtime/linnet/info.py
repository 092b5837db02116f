"""``linnet info`` and ``linnet models``: what model files say about themselves."""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from linnet import modelfile, zoo
from linnet.card import Card, OperatingPoint, Quality
from linnet.errors import LinnetError
from linnet.terminal import clean, columns

__all__ = ["add_info", "add_models", "page"]

_RATES = (0.0, 0.1, 0.5, 1.0, 2.0)
"""False alarms per hour for which thresholds are shown."""

_NUMBER = re.compile(r"\d+(?:\.\d+)?")


def add_info(subparsers: Any) -> None:
    """Add the command ``info`` to argparse's subparsers."""
    parser = subparsers.add_parser(
        "info",
        help="what a model file is, hears and how well",
        description="Print the card of a model file: what it hears, how well, and where it comes from.",
        epilog="examples:\n  linnet info hey_linnet.onnx\n  linnet info --json computer",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", metavar="FILE", help="a model file, or a keyword of a bundled one")
    parser.add_argument(
        "--json", action="store_true", help="print the whole card as JSON, the recipe included"
    )
    parser.set_defaults(run=_info)


def add_models(subparsers: Any) -> None:
    """Add the command ``models`` to argparse's subparsers."""
    parser = subparsers.add_parser(
        "models",
        help="list the models that ship with Linnet",
        description="List the models that ship with Linnet; each keyword is a name for linnet listen.",
        epilog="example:\n  linnet models",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=_models)


def model_path(name: str) -> Path:
    """The model file that ``name`` means: a path, or the bundled model of that keyword.

    Raises KeywordError or ModelNotFoundError where there is none.
    """
    if name.endswith(".onnx") or os.sep in name or os.path.exists(name):
        return Path(name)
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
    table = [("keyword", "misses, clean", "in noise", "at most", "size", "licence", "model")]
    for path in found:
        card = modelfile.read_card(path)
        for keyword in card.trigger.keywords:
            rate = card.trigger.default_false_alarms_per_hour
            point = _point(card, keyword, rate)
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
    print("\n".join(columns([tuple(map(clean, row)) for row in table], right=frozenset({1, 2, 4}))))
    return 0


def _lines(card: Card, file: str, size: int, width: int) -> Iterator[str]:
    settings = card.trigger
    yield card.name
    yield from _wrapped(card.description, width)
    yield ""
    facts = [
        ("hears", ", ".join(settings.keywords)),
        ("file", f"{file}, {_size(size)}"),
        ("task", f"{card.task}, {settings.sample_rate / 1000:g} kHz audio, a score every {_step(card)} ms"),
        ("licence", card.licence),
        ("made", f"{card.created} by {card.author}"),
        ("with", ", ".join(f"{name} {version}" for name, version in card.versions.items())),
        ("recipe", f"SHA-256 {_digest(card)}, in full with --json"),
    ]
    for name, fact in facts:
        yield from _wrapped(fact, width, f"{name:9}", " " * 9)
    yield from _operating_points(card)
    yield from _quality(card.quality, width)
    if card.data:
        yield from ("", "data")
    for source in card.data:
        text = f"{source.name} ({source.licence}), for {source.used_for}"
        if source.source != source.name:
            text += f": {source.source}"
        yield from _wrapped(text, width, "  ", "    ")


def _operating_points(card: Card) -> Iterator[str]:
    """Thresholds and misses of each keyword at the usual rates of false alarms."""
    default = card.trigger.default_false_alarms_per_hour
    yield from ("", "operating points, chosen on dev data (--false-alarms-per-hour)")
    table = [("", "false alarms/h", "threshold", "misses, clean", "in noise", "")]
    for keyword in card.trigger.keywords:
        label, last = keyword, None
        for rate in sorted({*_RATES, default}):
            point = _point(card, keyword, rate)
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
    kinds: dict[str, list[Quality]] = {}
    for each in quality:
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


def _point(card: Card, keyword: str, rate: float) -> OperatingPoint:
    """The point of the keyword's curve that `TriggerSettings.threshold` takes the threshold from."""
    curve = card.trigger.curves[keyword]
    return ([point for point in curve if point.false_alarms_per_hour <= rate] or list(curve[:1]))[-1]


def _step(card: Card) -> str:
    return f"{1000 * card.trigger.step_samples / card.trigger.sample_rate:g}"


def _digest(card: Card) -> str:
    """The first digits of the SHA-256 of the recipe's JSON, keys sorted: equal recipes have equal digests."""
    import hashlib  # loads OpenSSL: 3.5 MB that listening does without

    text = json.dumps(dict(card.recipe), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _size(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{size / 1000:.0f} kB"
