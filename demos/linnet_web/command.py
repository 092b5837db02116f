"""``linnet web``: serve the page."""

from __future__ import annotations

import argparse
from importlib.util import find_spec
from typing import Any

from linnet.cli.numbers import at_least
from linnet.errors import MissingPackageError
from linnet.extras import install

__all__ = ["register"]

_NEEDED = ("gradio", "uvicorn", "websockets", "soxr")

_EXAMPLES = """examples:
  linnet web                                          http://127.0.0.1:7860, for this machine only
  linnet web --port 8000                              another port
  linnet web --host 0.0.0.0                           for the whole network, without a password

A browser gives a page its microphone and camera on 127.0.0.1; from another machine only over https.
"""


def register(subparsers: Any) -> None:
    """Add the command to argparse's subparsers."""
    parser = subparsers.add_parser(
        "web",
        help="a page in the browser: listen, look, translate",
        description="Serve a page on this machine: hear keywords in the browser's microphone, caption "
        "pictures, translate, and read every model's card. Nothing leaves the machine and nothing is kept. "
        "Ctrl-C ends.",
        epilog=_EXAMPLES,
    )
    parser.add_argument(
        "--host",
        metavar="ADDRESS",
        default="127.0.0.1",
        help="the address to serve on (default: 127.0.0.1, which only this machine reaches)",
    )
    parser.add_argument(
        "--port",
        metavar="N",
        type=at_least(0, 65535),
        default=7860,
        help="the port; 0 takes any free one (default: 7860)",
    )
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise MissingPackageError(f"linnet web needs {' and '.join(missing)}: {install('demos')}")
    from linnet_web.server import serve  # brings Gradio, which takes seconds

    serve(options.host, options.port)
    return 0
