"""The command ``linnet``.

The runtime has the commands listen, caption, translate, info, models and bench. Others come from the
entry-point group ``linnet.commands``: each entry point is a function that takes argparse's subparsers, adds a
parser of its own and sets its default ``run``, a function from the parsed arguments to an exit status. An
entry point is loaded only when its command, or the list of all, is asked for, so that listening never imports
what training needs.

Exit status: 0 done, 2 something was wrong with what the user gave (one sentence on standard error), 130
interrupted.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points, version
from typing import Any

from linnet.errors import LinnetError, MissingPackageError
from linnet.terminal import clean

__all__ = ["GROUP", "main"]

GROUP = "linnet.commands"
"""The entry-point group that further commands come from."""

_OWN = {
    "listen": "linnet.listen",
    "caption": "linnet.caption_command",
    "translate": "linnet.translate_command",
    "info": "linnet.info",
    "models": "linnet.info",
    "bench": "linnet.bench",
}
"""Command -> the module whose ``add_<command>`` adds its parser."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line ``argv``, by default that of the process; returns the exit status."""
    arguments = sys.argv[1:] if argv is None else list(argv)
    for stream in (sys.stdout, sys.stderr):
        # A name that the terminal's encoding lacks is no reason to fail.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        options = _parse(arguments)
        status: int = options.run(options)
        sys.stdout.flush()
        return status
    except LinnetError as error:
        return _fail(str(error))
    except ModuleNotFoundError as error:
        # Training and export are installed with the runtime; what they need comes with an extra.
        if (error.name or "linnet").startswith("linnet"):
            raise
        return _fail(f"linnet {arguments[0]} needs {error.name}: pip install linnet[training]")
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader of our output has had enough. Python flushes once more at exit, which must not fail
        # again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 0
    except OSError as error:
        return _fail(f"{error.strerror or error}" + (f": {error.filename}" if error.filename else ""))


def _fail(sentence: str) -> int:
    print(f"linnet: {clean(sentence)}", file=sys.stderr)
    return 2


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="linnet",
        description="Small recurrent networks that run from one ONNX file on a CPU.",
        epilog="linnet COMMAND --help says more about each.",
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
        parser.error(f"unrecognized arguments: {' '.join(map(clean, rest))}")
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
            subparsers.add_parser(point.name, help="(not installed: pip install linnet[training])")
        elif isinstance(error, ImportError):
            raise MissingPackageError(
                f"linnet {point.name} cannot be loaded ({error}): pip install linnet[training]"
            ) from error
        else:
            raise
