"""A model card as a page in Markdown, made from the file alone: ``linnet info --markdown``.

The order is that of Mitchell et al. 2019, "Model Cards for Model Reporting",
https://arxiv.org/abs/1810.03993: what it is, how it is used, how well it does and under which conditions,
where that ends, what it learnt from.
"""

from __future__ import annotations

import hashlib
import json
import re
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from linnet import zoo
from linnet.card import CaptionSettings, Card, DataSource, Settings, TriggerSettings
from linnet.cli import about
from linnet.cli.terminal import clean

__all__ = ["page"]

_ADDRESS = re.compile(r"https?://[^\s<>|]*[\w/]")
_SPECIAL = re.compile(r"([\\`*_\[\]<>|#~&$])")


def page(card: Card, path: Path) -> str:
    """The page for the file at ``path``, whose card is ``card``; texts from the card stay texts."""
    return "\n".join(_lines(card, path)) + "\n"


def _lines(card: Card, path: Path) -> Iterator[str]:
    bundled = path.parent == zoo.FOLDER
    data = path.read_bytes()
    yield from (f"# {_text(card.name)}", "", _text(card.description), "")
    file = f"{path.name}, {about.megabytes(len(data))}, SHA-256 {hashlib.sha256(data).hexdigest()}"
    yield from _table([("", ""), *about.facts(card, file)])
    yield from ("", "## Use", "")
    yield from ("```sh", *_commands(card, path.stem if bundled else path.name, bundled), "```", "")
    yield from (
        "```python",
        "import linnet",
        "",
        *_python(card, path.stem if bundled else path.name, bundled),
    )
    yield from ("```", "", "## Quality", "")
    if not card.quality:
        yield from ("Nothing was measured.", "")
    for table in about.quality(card):
        yield from _titled(table)
    if isinstance(card.settings, TriggerSettings):
        yield from _titled(about.operating_points(card.settings))
    yield from ("## Limits", "", *(f"- {_text(limit)}" for limit in _limits(card)))
    yield from ("", "## Data and licences", "")
    rows = [(each.name, each.used_for, each.licence, _source(each)) for each in card.data]
    yield from _table([("data", "used for", "licence", "source"), *rows] if rows else [("none is named",)])
    yield from ("", "## Recipe", "", f"SHA-256 {about.digest(card)} (equal recipes have equal sums).", "")
    recipe = json.dumps(dict(card.recipe), indent=2)
    yield from ("```json", *recipe.splitlines(), "```", "")
    yield f"This page was made from the file: `linnet info --markdown {path.stem if bundled else path.name}`."


def _commands(card: Card, name: str, bundled: bool) -> list[str]:
    settings = card.settings
    if isinstance(settings, TriggerSettings):
        words = " ".join(map(_quoted, settings.keywords)) if bundled else _quoted(name)
        return [f"linnet listen {words}", f"linnet listen {words} --wav day.wav"]
    if isinstance(settings, CaptionSettings):
        model = "" if name == "captioner" and bundled else f" --model {_quoted(name)}"
        return [f"linnet caption photo.jpg{model}", f"linnet caption photo.jpg --heatmap out.png{model}"]
    return [f"linnet translate {_quoted(name)} < text.txt"]


def _python(card: Card, name: str, bundled: bool) -> list[str]:
    settings = card.settings
    if isinstance(settings, TriggerSettings):
        words = list(settings.keywords)
        model = json.dumps(name if not bundled else words if len(words) > 1 else words[0])
        return [
            f"spotter = linnet.TriggerWord({model})",
            "for event in spotter.listen(linnet.audio.microphone()):",
            "    print(event.keyword, event.time_s, event.score)",
        ]
    model = json.dumps(name)
    if isinstance(settings, CaptionSettings):
        return [f"captioner = linnet.Captioner({model})", 'print(captioner("photo.jpg").text)']
    return [f"translator = linnet.Translator({model})", "print(translator(text).text)"]


def _limits(card: Card) -> Iterator[str]:
    """Where the card says that it ends. What nobody measured cannot stand here."""
    settings: Settings = card.settings
    if isinstance(settings, TriggerSettings):
        yield f"It hears {', '.join(settings.keywords)}, and nothing else."
        yield f"A keyword is not reported again for {settings.refractory_s:g} s."
        yield "Thresholds were chosen on the recordings that misses were counted on: expect more elsewhere."
    elif isinstance(settings, CaptionSettings):
        known = len(settings.vocabulary) - 4
        yield f"It knows {known} words of one language, and says at most {settings.max_length} at a time."
        for each in card.quality:
            if each.measure == "distinct words":
                yield f"Of these it used {each.value:g} for {each.data} ({each.condition})."
        side = settings.image_size
        yield f"Pictures are squeezed to {side} x {side} pixels; what is lost in that is not seen."
    else:
        yield f"It translates from {settings.source_language} to {settings.target_language}, and not back."
        yield "Each sentence is translated without a look at those around it."
        yield f"A sentence of more than {settings.max_source} pieces is cut at its clauses."
    yield "It was measured on what is named above. Nothing is known of how it does on anything else."
    yield f"Its licence: {card.licence}. Those of the data are below."


def _titled(table: about.Table) -> Iterator[str]:
    """A table under its title, and below it what was measured on."""
    if table.title != "quality":
        yield from (f"**{_text(table.title[:1].upper() + table.title[1:])}**", "")
    yield from _table(table.rows, right=table.right)
    yield ""
    for note in table.notes:
        yield f"Measured on {_text(note)}." if len(table.notes) == 1 else f"- {_text(note)}"
    if table.notes:
        yield ""


def _table(rows: Sequence[tuple[str, ...]], *, right: frozenset[int] = frozenset()) -> Iterator[str]:
    head, *others = rows
    yield _row(head)
    yield "|" + "|".join("--:" if column in right else "---" for column in range(len(head))) + "|"
    yield from map(_row, others)


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(map(_text, cells)) + " |"


def _source(data: DataSource) -> str:
    return "" if data.source == data.name else data.source.removeprefix(f"{data.name}: ")


def _text(text: str) -> str:
    """Text of a card that is to be read and not obeyed; addresses become links."""
    shown, at = "", 0
    text = clean("; ".join(text.splitlines()))
    for address in _ADDRESS.finditer(text):
        shown += _SPECIAL.sub(r"\\\1", text[at : address.start()]) + f"<{address.group()}>"
        at = address.end()
    return shown + _SPECIAL.sub(r"\\\1", text[at:])


def _quoted(word: str) -> str:
    """A word as the shell takes it."""
    return shlex.quote(clean(word))
