"""What the tab Models shows: the card of every model, as ``linnet info`` prints it."""

from __future__ import annotations

from collections.abc import Sequence

from linnet.cli.about import megabytes
from linnet.cli.info import page
from linnet_web.markup import text
from linnet_web.shelf import Entry

__all__ = ["cards"]

_COLUMNS = 92  # of a card's tables and paragraphs

_DOES = {"trigger": "listens", "caption": "looks", "translate": "translates"}


def cards(entries: Sequence[Entry]) -> str:
    """The cards, one below the other."""
    return "".join(map(_card, entries))


def _card(entry: Entry) -> str:
    card = entry.card
    facts = [_DOES[card.task], megabytes(entry.size), card.licence]
    chips = "".join(f"<span>{text(fact)}</span>" for fact in facts)
    own = '<span class="own">your own</span>' if entry.own else ""
    # The name and the description stand above; what is left comes after the first empty line.
    printed = page(card, entry.name, entry.size, _COLUMNS).partition("\n\n")[2]
    lines = "\n".join(map(text, printed.split("\n")))
    return (
        f'<article class="linnet-card"><h3>{text(card.name)}</h3><p class="linnet-chips">{chips}{own}</p>'
        f"<p>{text(card.description)}</p><pre>{lines}</pre></article>"
    )
