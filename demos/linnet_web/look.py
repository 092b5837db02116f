"""What the tab Look does with a picture."""

from __future__ import annotations

import io
import time
from dataclasses import dataclass

import numpy as np

from linnet.caption import Caption, Captioner
from linnet.image import load
from linnet.plots import lit
from linnet_web.markup import address, fine, said, table, text, title

__all__ = ["WIDEST", "Photo", "captioned", "preview"]

WIDEST = 10
"""The widest beam that the slider offers; wider ones find hardly anything else."""

_SHOWN = 3  # captions, where the beam is that wide
_PREVIEW, _TILE = 800, 320  # pixels of the longer side, twice what a screen of the plain kind shows


class _NamedFile(io.BytesIO):
    name = ""


@dataclass(frozen=True)
class Photo:
    """A picture that was given, kept in memory as long as its page is open."""

    data: bytes
    name: str

    def file(self) -> _NamedFile:
        """As a file that knows its name, for sentences about it."""
        file = _NamedFile(self.data)
        file.name = self.name
        return file


def captioned(captioner: Captioner, photo: Photo, beam: int) -> str:
    """The caption, where the model looked for each word of it, and what else it might have said.

    Raises ImageError where the picture cannot be read, UsageError for a beam out of range.
    """
    began = time.perf_counter()
    best = captioner(photo.file(), beam, min(beam, _SHOWN))
    took = time.perf_counter() - began
    others = [(f"{each.score:.2f}", each.text) for each in best.alternatives]
    return (
        said(best.text or "(no words)")
        + fine(f"beam {beam}", f"score {best.score:.2f}", f"{1000 * took:.0f} ms")
        + _word_by_word(photo, best)
        + table("It might also have said", ("score", "caption"), others)
    )


def preview(photo: Photo) -> str:
    """The picture, upright and small, as a data address. Raises ImageError where it cannot be read."""
    return address(load(photo.file(), _PREVIEW))


def _word_by_word(photo: Photo, caption: Caption) -> str:
    """The picture once for each word, bright where the model looked for it."""
    if not caption.tokens:
        return ""
    seen = np.asarray(load(photo.file(), _TILE), np.float32)
    tiles = ""
    for word, attention in zip(caption.tokens, caption.attention, strict=True):
        image = f'<img alt="" src="{address(lit(seen, attention))}">'
        tiles += f"<figure>{image}<figcaption>{text(word)}</figcaption></figure>"
    return f'{title("Where it looked, word by word")}<div class="linnet-tiles">{tiles}</div>'
