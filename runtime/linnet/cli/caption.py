"""``linnet caption``: say what is in pictures, and show where the model looked."""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from linnet.cli.pictures import STDIN, Found, find
from linnet.cli.progress import Progress
from linnet.cli.results import LineFile, as_json, as_text, failure, unfinished
from linnet.cli.searching import add_search, search_of
from linnet.errors import LinnetError, OutputError, UsageError
from linnet.files import FIGURES
from linnet.settings import CaptionSettings

if TYPE_CHECKING:
    from linnet.caption import Caption
    from linnet.translate import Translator

__all__ = ["add_caption"]

_MOST_BYTES = 500_000_000  # on standard input
_OTHER_FIGURES = (".gif", ".bmp", ".tif", ".tiff", ".svg", ".pdf")  # nobody means a folder by such a name

_EXAMPLES = """examples:
  linnet caption photo.jpg                            one line: what is in the picture
  linnet caption photo.jpg --beam 5 --n-best 3        the three best captions, with their scores
  linnet caption photo.jpg --heatmap out.png          and where the model looked for each word
  linnet caption photo.jpg --to de                    in German
  linnet caption holidays/ -o captions.jsonl          a folder; one JSON object per line
  linnet caption holidays/ -o captions.jsonl --resume the same again after it was stopped
  curl -s https://example.org/photo.jpg | linnet caption - --json
"""


def add_caption(subparsers: Any) -> None:
    """Add the command to argparse's subparsers."""
    parser = subparsers.add_parser(
        "caption",
        help="say what is in pictures",
        description="Say what is in pictures: files, folders of them, or a picture on standard input (-).",
        epilog=_EXAMPLES,
    )
    parser.add_argument(
        "words",
        nargs="*",
        metavar="PHOTO",
        help="a picture, a folder of pictures (searched to its depths), or - for standard input",
    )
    parser.add_argument(
        "--model",
        metavar="FILE",
        help="a model file, or the name of a bundled captioner (default: captioner)",
    )
    add_search(parser, CaptionSettings)
    parser.add_argument(
        "--n-best", metavar="N", type=int, default=1, help="captions per picture (default: 1)"
    )
    parser.add_argument(
        "--json",
        action="store_true",
        help="print one JSON object per picture: image, caption, score; so does a folder",
    )
    parser.add_argument(
        "--heatmap",
        metavar="OUT",
        help="draw where the model looked, word by word: a .png, .jpg or .webp file for one picture, "
        "a folder for several",
    )
    parser.add_argument(
        "--to",
        metavar="LANGUAGE",
        help="translate the captions, by the bundled translator from their language (de); JSON has both",
    )
    parser.add_argument(
        "--translator", metavar="FILE", help="translate the captions by this translator from their language"
    )
    parser.add_argument(
        "-o", "--output", metavar="FILE", help="write JSON lines to FILE instead of standard output"
    )
    parser.add_argument(
        "--resume",
        action="store_true",
        help="go on with the FILE of -o: leave out the pictures that it holds captions of",
    )
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    pictures, complaints = _pictures(options)
    warnings.filterwarnings("ignore", module=r"PIL\.")  # remarks on odd metadata; errors are said in full
    with ExitStack() as stack:
        return _caption(options, pictures, complaints, stack)


def _pictures(options: argparse.Namespace) -> tuple[list[Found], list[str]]:
    """What is to be captioned, and what is wrong with some of the folders."""
    words: list[str] = options.words
    if not words:
        raise UsageError("no picture is given; name a file, a folder, or - for standard input")
    if words.count(STDIN) > 1:
        raise UsageError("standard input holds one picture; give - once")
    if STDIN in words and sys.stdin.isatty():
        raise UsageError("standard input is the terminal; pipe a picture into it, or name a file")
    if options.resume and not options.output:
        raise UsageError("--resume goes on with a file; name it with -o")
    complaints: list[str] = []
    found = find(words, complaints.append, leave_out=options.heatmap)
    if not found:
        raise UsageError(complaints[0])
    if options.heatmap and options.heatmap.lower().endswith(_OTHER_FIGURES):
        raise UsageError(f"{options.heatmap} must end in one of {', '.join(FIGURES)}, or be a folder")
    if options.heatmap and _is_figure(options.heatmap) and len(found) > 1:
        raise UsageError(f"{options.heatmap} can show one picture, not {len(found)}; name a folder instead")
    return found, complaints


def _caption(
    options: argparse.Namespace, pictures: list[Found], complaints: list[str], stack: ExitStack
) -> int:
    """Caption the pictures; returns the exit status."""
    from linnet.caption import BUNDLED, Captioner

    captioner = Captioner(options.model or BUNDLED)
    translator = _translator(options, captioner.card.caption.language)
    done = unfinished(options.output) if options.resume else set()
    todo = [each for each in pictures if each.name not in done]
    sources = [sys.stdin.buffer.read(_MOST_BYTES) if each.name == STDIN else each.name for each in todo]
    results = captioner.each(  # checks the numbers, and begins later
        sources, n_best=options.n_best, **search_of(options, CaptionSettings)
    )
    file = LineFile(options.output, go_on=options.resume) if options.output else None
    if file is not None:
        stack.callback(file.close)
    lines = options.json or file is not None or any(map(os.path.isdir, options.words))
    figures = _figures(options.heatmap, pictures)
    view = Progress(len(todo))
    stack.callback(view.clear)
    for sentence in complaints:
        view.complain(sentence)
    made = failed = 0
    try:
        for each, source, result in zip(todo, sources, results, strict=True):
            if isinstance(result, LinnetError):
                failed += 1
                view.complain(str(result))
                line = failure(each.name, str(result)) if lines else None
            else:
                made += 1
                if figures:  # before the line, which says that this picture is done
                    _draw(source, result, figures[each])
                translated = _translated(result, translator)
                line = (
                    as_json(each.name, result, translated)
                    if lines
                    else as_text(each.name, result, len(pictures) == 1, translated)
                )
            if line is not None:
                (file.write if file is not None else view.result)(line)
            view.advance()
    except KeyboardInterrupt:
        hint = "; the same command with --resume goes on" if file is not None else ""
        view.note(f"stopped after {made} of {len(todo)} pictures{hint}")
        return 130
    if file is not None:
        left_out = f", {len(pictures) - len(todo)} were there already" if options.resume else ""
        counted = "1 picture" if made == 1 else f"{made} pictures"
        view.note(f"{counted} captioned, {failed} failed{left_out}: {options.output}")
    if failed or complaints:
        return 1 if made or len(todo) < len(pictures) else 2
    return 0


def _translator(options: argparse.Namespace, language: str) -> Translator | None:
    """What is to translate the captions, which are in this language."""
    if not (options.to or options.translator):
        return None
    from linnet.translate import Translator

    translator = Translator(options.translator or f"{language}-{options.to}")
    settings = translator.card.translate
    source, target = settings.source_language, settings.target_language
    if source != language or options.to not in (None, target):
        raise UsageError(
            f"{translator.model.name} translates from {source} into {target}, not from {language} into "
            f"{options.to or 'another language'}"
        )
    return translator


def _translated(caption: Caption, translator: Translator | None) -> dict[str, str] | None:
    """For each caption, as a sentence, its translation."""
    if translator is None:
        return None
    texts = [each.text for each in (caption, *caption.alternatives)]
    made = translator([f"{text[:1].upper()}{text[1:]}." if text else "" for text in texts])
    return {text: translation.text for text, translation in zip(texts, made, strict=True)}


def _is_figure(path: str) -> bool:
    return path.lower().endswith(tuple(FIGURES))


def _figures(path: str | None, pictures: list[Found]) -> dict[Found, Path]:
    """Where the figure of each picture goes; nothing where none are wanted."""
    if path is None:
        return {}
    if _is_figure(path):
        return {each: Path(path) for each in pictures}
    figures: dict[Found, Path] = {}
    taken: set[Path] = set()
    for each in dict.fromkeys(pictures):
        target = Path(path, f"{each.place}.png")
        number = 1
        while target in taken:
            number += 1
            target = Path(path, f"{each.place}-{number}.png")
        taken.add(target)
        figures[each] = target
    return figures


def _draw(source: str | bytes, caption: Caption, path: Path) -> None:
    from linnet.plots import heatmap, save

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot make the folder {path.parent}: {error.strerror or error}") from error
    save(heatmap(source, caption), path)
