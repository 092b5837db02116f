"""The command ``linnet``.

The runtime has the commands listen, caption, translate, info, models and bench. Others come from the
entry-point group ``linnet.commands``: each entry point is a function that takes argparse's subparsers, adds a
parser of its own and sets its default ``run``, a function from the parsed arguments to an exit status. An
entry point is loaded only when its command, or the list of all, is asked for, so that listening never imports
what training needs.

Exit status: 0 done; 1 done, but for some of it (one picture of many is damaged), or with nothing to show (no
microphone); 2 something was wrong with what the user gave, and one sentence on standard error says what; 130
interrupted, by Ctrl-C or SIGTERM.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points, version
from types import FrameType
from typing import Any, NoReturn

from linnet.cli.terminal import clean
from linnet.errors import LinnetError, MissingPackageError
from linnet.extras import install

__all__ = ["GROUP", "main", "status_of"]

GROUP = "linnet.commands"
"""The entry-point group that further commands come from."""

_OWN = {
    "listen": "linnet.cli.listen",
    "caption": "linnet.cli.caption",
    "translate": "linnet.cli.translate",
    "info": "linnet.cli.info",
    "models": "linnet.cli.info",
    "bench": "linnet.cli.bench",
}
"""Command -> the module whose ``add_<command>`` adds its parser."""

_EXTRAS = {
    **dict.fromkeys(_OWN, ""),
    **dict.fromkeys(("train", "evaluate", "export"), "training"),
    "web": "demos",
}
"""Command -> the extra that brings all it needs."""

_EXAMPLES = """examples:
  linnet listen computer
  linnet caption photo.jpg
  linnet translate de-en "Ein Hund läuft am Strand."
linnet COMMAND --help says more about each.
exit status: 0 done; 1 done, but for some of it; 2 something given is wrong, and one sentence says what
"""


class _Parser(argparse.ArgumentParser):
    """A parser whose help ends with examples, and which says in one sentence what is wrong.

    An epilog that begins with "example" keeps its lines; what describes a command is filled. argparse makes
    the parsers of commands, and of their tasks, of the same class.
    """

    def __init__(self, **options: Any) -> None:
        options.setdefault("formatter_class", _Formatter)
        super().__init__(**options)

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {clean(message)}; {self.prog} --help says more\n")


class _Formatter(argparse.HelpFormatter):
    def _fill_text(self, text: str, width: int, indent: str) -> str:
        if text.startswith("example"):
            return text
        return super()._fill_text(text, width, indent)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line ``argv``, by default that of the process; returns the exit status."""
    return status_of("linnet", lambda: _run(sys.argv[1:] if argv is None else list(argv)))


def _run(arguments: list[str]) -> int:
    try:
        options = _parse(arguments)
        status: int = options.run(options)
        return status
    except ModuleNotFoundError as error:
        # Training and export are installed with the runtime; what they need comes with an extra.
        if (error.name or "linnet").startswith("linnet"):
            raise
        raise MissingPackageError(
            f"linnet {arguments[0]} needs {error.name}{_remedy(arguments[0])}"
        ) from error


def _remedy(command: str) -> str:
    """What would bring what a command lacks; nothing is known of those that are not Linnet's."""
    return f": {install(_EXTRAS[command])}" if command in _EXTRAS else ""


def status_of(program: str, run: Callable[[], int | None]) -> int:
    """Run a program to its end, whichever that is; returns its exit status, which is 0 if ``run`` has none.

    What is wrong with what the user gave, or with the disk, is one sentence on standard error that begins
    with the name of the ``program``. SIGTERM ends it as Ctrl-C does, so that whoever ends it, nothing is left
    half done.
    """
    with _interrupted_by_sigterm():
        return _status_of(program, run)


def _status_of(program: str, run: Callable[[], int | None]) -> int:
    for stream in (sys.stdout, sys.stderr):
        # A name that the terminal's encoding lacks is no reason to fail.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        status = run()
        sys.stdout.flush()
        return status or 0
    except LinnetError as error:
        return _fail(program, str(error))
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader of our output has had enough. Python flushes once more at exit, which must not fail
        # again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 0
    except ImportError as error:
        if not isinstance(error.__cause__ or error.__context__, KeyboardInterrupt):
            raise
        return 130  # Ctrl-C while onnxruntime or another extension was being loaded
    except OSError as error:
        of = f": {error.filename}" if error.filename else ""
        return _fail(program, f"{error.strerror or error}{of}")


@contextmanager
def _interrupted_by_sigterm() -> Iterator[None]:
    """SIGTERM raises KeyboardInterrupt in this process, and stays what it is to those that it forks."""
    if threading.current_thread() is not threading.main_thread():  # which alone may choose
        yield
        return
    process = os.getpid()

    def interrupt(number: int, _: FrameType | None) -> None:
        if os.getpid() == process:
            raise KeyboardInterrupt
        signal.signal(number, signal.SIG_DFL)  # a worker: whoever forked it tidies up
        os.kill(os.getpid(), number)

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL if before is None else before)


def _fail(program: str, sentence: str) -> int:
    print(f"{program}: {clean(sentence)}", file=sys.stderr)
    return 2


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = _Parser(
        prog="linnet",
        description="Small recurrent networks that run from one ONNX file on a CPU.",
        epilog=_EXAMPLES,
    )
    parser.add_argument("--version", action="store_true", help="print the version and end")
    subparsers = parser.add_subparsers(metavar="COMMAND")
    asked = arguments[0] if arguments else ""
    others = {point.name: point for point in entry_points(group=GROUP)}
    names = [*_OWN, *others]
    for name in [] if asked == "--version" else [asked] if asked in names else names:
        if name in _OWN:
            getattr(import_module(_OWN[name]), f"add_{name}")(subparsers)
        else:
            _add_other(others[name], subparsers, needed=name == asked)
    options, rest = parser.parse_known_args(arguments)
    # argparse takes words from one place only; here they may also stand after options: listen computer --json
    # -
    if rest and hasattr(options, "words") and all(word == "-" or word[:1] != "-" for word in rest):
        options.words += rest
    elif rest:
        subparsers.choices.get(asked, parser).error(f"unrecognized arguments: {' '.join(rest)}")
    if options.version:
        options.run = _version
    elif not hasattr(options, "run"):
        parser.print_help(sys.stderr)
        parser.exit(2)
    return options


def _version(_: argparse.Namespace) -> int:
    print(f"linnet {version('linnet')}")
    return 0


def _add_other(point: EntryPoint, subparsers: Any, *, needed: bool) -> None:
    """Let another package add its command; in a mere listing, one that cannot be loaded is said to be so."""
    try:
        point.load()(subparsers)
    except Exception as error:
        if not needed:
            subparsers.add_parser(point.name, help=f"(not installed{_remedy(point.name)})")
        elif isinstance(error, ImportError):
            raise MissingPackageError(
                f"linnet {point.name} cannot be loaded ({error}){_remedy(point.name)}"
            ) from error
        else:
            raise
