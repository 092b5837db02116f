"""``linnet info`` and ``linnet models``: what model files say about themselves."""

from __future__ import annotations

import argparse
import json
import shutil
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from linnet import modelfile, zoo
from linnet.card import Card, TriggerSettings
from linnet.cli import about
from linnet.cli.terminal import clean, columns
from linnet.errors import LinnetError

__all__ = ["add_info", "add_models", "page"]


def add_info(subparsers: Any) -> None:
    """Add the command ``info`` to argparse's subparsers."""
    parser = subparsers.add_parser(
        "info",
        help="what a model file does and how well",
        description="Print the card of a model file: what it does, how well, and where it comes from.",
        epilog="examples:\n  linnet info hey_linnet.onnx\n  linnet info captioner\n  linnet info de-en\n"
        "  linnet info --json computer\n  linnet info --markdown captioner > captioner.md",
    )
    parser.add_argument("file", metavar="FILE", help="a bundled model's name or keyword, or a model file")
    kinds = parser.add_mutually_exclusive_group()
    kinds.add_argument(
        "--json", action="store_true", help="print the whole card as JSON, the recipe included"
    )
    kinds.add_argument(
        "--markdown", action="store_true", help="print a page in Markdown, with how the model is used"
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


def page(card: Card, file: str, size: int, width: int | None = None) -> str:
    """The card as a page for people, without anything that a terminal would obey.

    Args:
        card: to show.
        file: name of its file.
        size: of the file, in bytes.
        width: columns of its paragraphs; by default the terminal's, at most 100.
    """
    width = width or min(shutil.get_terminal_size().columns, 100)
    return "\n".join(clean(line) for line in _lines(card, file, size, width))


def _info(options: argparse.Namespace) -> int:
    path = zoo.find(options.file).path
    card = modelfile.read_card(path)
    if options.json:
        # Written anew with every character beyond ASCII escaped: the file's own text might not be.
        print(json.dumps(json.loads(card.to_json()), indent=2))
    elif options.markdown:
        from linnet.cli import markdown

        print(markdown.page(card, path), end="")
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
            point = card.settings.point(keyword, rate)
            table.append(
                (
                    keyword,
                    about.percent(point.miss_clean),
                    about.percent(point.miss_noise),
                    f"{rate:g} false alarms/h",
                    about.megabytes(path.stat().st_size),
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
            table.append(
                (path.stem, card.task, quality, about.megabytes(path.stat().st_size), card.licence, path.name)
            )
    return _table(table, right=frozenset({3}))


def _table(rows: Sequence[tuple[str, ...]], *, right: frozenset[int]) -> list[str]:
    return columns([tuple(map(clean, row)) for row in rows], right=right) if len(rows) > 1 else []


def _lines(card: Card, file: str, size: int, width: int) -> Iterator[str]:
    yield card.name
    yield from _wrapped(card.description, width)
    yield ""
    recipe = ("recipe", f"SHA-256 {about.digest(card)}, in full with --json")
    for name, fact in (*about.facts(card, f"{file}, {about.megabytes(size)}"), recipe):
        yield from _wrapped(fact, width, f"{name:9}", " " * 9)
    tables = about.quality(card)
    if isinstance(card.settings, TriggerSettings):
        tables.insert(0, about.operating_points(card.settings))
    for table in tables:
        yield ""
        yield from _wrapped(table.title, width)
        yield from (f"  {line}" for line in columns(table.rows, right=table.right) if line)
        for note in table.notes:
            yield from _wrapped(note, width, "  ", "    ")
    if card.data:
        yield from ("", "data")
    for source in card.data:
        text = f"{source.name} ({source.licence}), for {source.used_for}"
        if source.source != source.name:
            text += f": {source.source}"
        yield from _wrapped(text, width, "  ", "    ")


def _wrapped(text: str, width: int, first: str = "", later: str = "") -> list[str]:
    return textwrap.wrap(
        text,
        width,
        initial_indent=first,
        subsequent_indent=later,
        break_long_words=False,
        break_on_hyphens=False,
    )
