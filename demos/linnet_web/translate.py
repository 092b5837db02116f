"""What the tab Translate does with a text."""

from __future__ import annotations

import time

from linnet.errors import UsageError
from linnet.plots import by_words
from linnet.translate import Translation, Translator
from linnet_web.markup import fine, said, table, text, title

__all__ = ["EXAMPLES", "LONGEST", "translated"]

LONGEST = 5000
"""Characters of the longest text that is taken."""

EXAMPLES = {
    "de": (
        "Ein Hund läuft am Strand entlang.",
        "Zwei Kinder spielen Fußball, während ihre Mutter ein Buch liest.",
    ),
    "en": ("A dog runs along the beach.", "Two children play football while their mother reads a book."),
}
"""Language -> sentences to try a translator with."""

_SHOWN = 3  # translations, where the beam is that wide


def translated(translator: Translator, source: str, beam: int) -> str:
    """The translation, which words became which, and what else it might be.

    Raises UsageError where the text is empty or too long, or the beam out of range.
    """
    if not source.strip():
        raise UsageError("there is nothing to translate yet; type a sentence")
    if len(source) > LONGEST:
        raise UsageError(f"a text of {len(source):,} characters is too long here; the most is {LONGEST:,}")
    began = time.perf_counter()
    best = translator(source, beam, min(beam, _SHOWN))
    took = time.perf_counter() - began
    others = [(f"{each.score:.2f}", each.text) for each in best.alternatives if each.text != best.text]
    return (
        said(best.text)
        + fine(f"beam {beam}", f"score {best.score:.2f}", f"{1000 * took:.0f} ms")
        + _matrix(best)
        + table("It might also be", ("score", "translation"), others)
    )


def _matrix(translation: Translation) -> str:
    """A square for each word of the source, above, and of the translation, beside: the stronger, the more the
    model looked at the one as it chose the other.
    """
    shares, source, target = by_words(translation)
    if not shares.size:
        return ""
    above = "".join(f"<th><span>{text(word)}</span></th>" for word in source)
    rows = ""
    for word, row in zip(target, shares.clip(0, 1).tolist(), strict=True):
        squares = "".join(f'<td style="--share:{share:.2f}"></td>' for share in row)
        rows += f"<tr><th>{text(word)}</th>{squares}</tr>"
    return (
        f'{title("Which words it looked at for which")}<div class="linnet-matrix linnet-scroll"><table>'
        f"<thead><tr><th></th>{above}</tr></thead><tbody>{rows}</tbody></table></div>"
    )
