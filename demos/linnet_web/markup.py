"""Results as HTML. Whatever comes from a file, a model or a user is escaped here, and only here."""

from __future__ import annotations

import io
import logging
from base64 import b64encode
from collections.abc import Callable, Sequence
from html import escape
from typing import ParamSpec

from PIL import Image

from linnet.cli.terminal import clean
from linnet.errors import LinnetError

__all__ = ["address", "attempt", "empty", "fine", "note", "problem", "said", "table", "text", "title"]

_Given = ParamSpec("_Given")


def text(words: str) -> str:
    """``words`` as text of a page, on one line."""
    return escape(clean(words))


def empty(sentence: str) -> str:
    """What to do, where there is nothing to show yet."""
    return f'<p class="linnet-empty">{text(sentence)}</p>'


def note(sentence: str) -> str:
    """A hint."""
    return f'<p class="linnet-note">{text(sentence)}</p>'


def problem(sentence: str) -> str:
    """What went wrong and what to do about it."""
    return f'<p class="linnet-problem" role="alert">{text(sentence)}</p>'


def said(words: str) -> str:
    """A result, large; line breaks stay."""
    return f'<p class="linnet-said">{"<br>".join(map(text, words.splitlines()))}</p>'


def fine(*facts: str) -> str:
    """Facts about a result, in small print."""
    return f'<p class="linnet-fine">{" · ".join(map(text, facts))}</p>'


def title(words: str) -> str:
    """The name of what follows."""
    return f'<h4 class="linnet-title">{text(words)}</h4>'


def table(name: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table under its name; nothing where it has no rows."""
    if not rows:
        return ""
    lines = "".join(f"<tr>{''.join(f'<td>{text(cell)}</td>' for cell in row)}</tr>" for row in rows)
    names = "".join(f"<th>{text(cell)}</th>" for cell in head)
    return (
        f'{title(name)}<table class="linnet-table"><thead><tr>{names}</tr></thead>'
        f"<tbody>{lines}</tbody></table>"
    )


def address(image: Image.Image) -> str:
    """A picture as a data address, so that no file of it is ever written."""
    file = io.BytesIO()
    image.save(file, "JPEG", quality=90)
    return f"data:image/jpeg;base64,{b64encode(file.getvalue()).decode()}"


def attempt(make: Callable[_Given, str], *arguments: _Given.args, **options: _Given.kwargs) -> str:
    """What ``make`` makes, or one sentence about what went wrong."""
    try:
        return make(*arguments, **options)
    except LinnetError as error:
        return problem(str(error))
    except Exception as error:  # a fault of ours; whoever looks at the page can do nothing with a traceback
        logging.getLogger(__name__).debug("not expected", exc_info=True)
        return problem(f"something went wrong inside Linnet ({type(error).__name__}); please report it")
