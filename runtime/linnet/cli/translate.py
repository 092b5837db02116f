"""``linnet translate``: translate texts, or lines as they come in, and show which word became which."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from linnet.cli import arriving
from linnet.cli.progress import Progress
from linnet.cli.results import translation_as_json, translation_as_text
from linnet.cli.searching import add_search, search_of
from linnet.errors import UsageError
from linnet.files import FIGURES
from linnet.settings import TranslateSettings

if TYPE_CHECKING:
    from linnet.translate import Translation

__all__ = ["add_translate"]

_STDIN = "-"

_EXAMPLES = """examples:
  linnet translate de-en "Ein Hund läuft am Strand."
  linnet translate de-en < german.txt > english.txt      one line out for each line in
  linnet translate de-en "Hallo!" --beam 5 --n-best 3    the three best translations, with their scores
  linnet translate de-en "Hallo!" --alignment out.png    and which words were looked at for which
  linnet translate mine.onnx --json < german.txt         a model file of your own; JSON lines
"""


def add_translate(subparsers: Any) -> None:
    """Add the command to argparse's subparsers."""
    parser = subparsers.add_parser(
        "translate",
        help="translate sentences and texts",
        description="Translate texts, or lines on standard input: one line out for each line in, as it "
        "comes. Empty lines stay empty.",
        epilog=_EXAMPLES,
    )
    parser.add_argument(
        "words",
        nargs="*",
        metavar="MODEL TEXT",
        help="the name of a bundled translator (de-en), or a model file; then texts, each in quotation "
        "marks; without any, or with -, lines on standard input",
    )
    add_search(parser, TranslateSettings)
    parser.add_argument(
        "--n-best", metavar="N", type=int, default=1, help="translations per text (default: 1)"
    )
    parser.add_argument(
        "--json",
        action="store_true",
        help="print one JSON object per text: source, translation, score",
    )
    parser.add_argument(
        "--alignment",
        metavar="OUT",
        help="draw which words the model looked at as it chose each word of one text: a .png, .jpg or .webp "
        "file",
    )
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    if not options.words:
        raise UsageError("no model is given; name a bundled translator (linnet models lists them) or a file")
    model, *texts = options.words
    for number, text in enumerate(texts, 1):
        if any("\ud800" <= letter <= "\udfff" for letter in text):  # how Python says that it cannot decode
            raise UsageError(f"text {number} is not in the encoding of this terminal; use UTF-8")
    if _STDIN in texts and len(texts) > 1:
        raise UsageError("give either texts or - for standard input")
    if options.alignment and not options.alignment.lower().endswith(tuple(FIGURES)):
        raise UsageError(f"{options.alignment} must end in one of {', '.join(FIGURES)}")
    if options.alignment and len(texts) > 1:
        raise UsageError(f"{options.alignment} can show one text, not {len(texts)}; give them one by one")
    with ExitStack() as stack:
        return _translate(options, model, [] if texts == [_STDIN] else texts, stack)


def _translate(options: argparse.Namespace, model: str, texts: list[str], stack: ExitStack) -> int:
    """Translate the texts, or what comes in; returns the exit status."""
    from linnet.translate import WINDOW, Translator

    translator = Translator(model)
    search = {"n_best": options.n_best, **search_of(options, TranslateSettings)}
    translator.each([], **search)  # checks the numbers
    typed = not texts and sys.stdin.isatty()
    windows = iter([texts]) if texts else arriving.windows(sys.stdin.buffer, WINDOW)
    if options.alignment:
        windows = _only(windows, options.alignment)
    view = Progress(len(texts) or (1 if typed else arriving.count(sys.stdin.buffer)))
    stack.callback(view.clear)
    if typed:
        view.note("type lines to translate; Ctrl-D ends")
    terminal = sys.stdout.isatty()
    done = 0
    try:
        for window in windows:
            results = translator.each(window, **search)
            for text, translation in zip(window, results, strict=True):
                if options.alignment:  # before the line, which says that this text is done
                    _draw(translation, options.alignment)
                view.result(
                    translation_as_json(text, translation)
                    if options.json
                    else translation_as_text(translation, terminal=terminal)
                )
                done += 1
                view.advance()
    except KeyboardInterrupt:
        view.note(f"stopped after {done} {'text' if texts else 'line'}{'' if done == 1 else 's'}")
        return 130
    return 0


def _only(windows: Iterator[list[str]], figure: str) -> Iterator[list[str]]:
    """The windows, of which there must be one, of one text."""
    texts = next(windows, [])
    if len(texts) != 1 or next(windows, []):
        raise UsageError(f"{figure} can show one text, not {'none' if not texts else 'several lines'}")
    yield texts


def _draw(translation: Translation, path: str) -> None:
    from linnet.plots import alignment, save

    save(alignment(translation), path)
