"""The options of every command that searches for words, with the bounds that model cards have."""

from __future__ import annotations

import argparse
from typing import Any

from linnet.cli.numbers import at_least, between
from linnet.settings import SearchSettings, TranslateSettings

__all__ = ["add_search", "search_of"]

_PENALTIES = {
    "length_penalty": "the sum of log-probabilities is divided by length to the power of X",
    "coverage_penalty": "how much it costs that pieces of the source got little attention",
}
_DEFAULT = "(default: what the model's card says)"


def add_search(parser: argparse.ArgumentParser, settings: type[SearchSettings]) -> None:
    """Add the options to a command whose models have ``settings`` of this kind."""
    parser.add_argument(
        "--beam",
        metavar="N",
        type=at_least(1, settings.widest),
        help=f"{settings.results} that the search follows at a time; 1 is fastest {_DEFAULT}",
    )
    for name in _penalties(settings):
        parser.add_argument(
            f"--{name.replace('_', '-')}",
            metavar="X",
            type=between(0, settings.heaviest),
            help=f"{_PENALTIES[name]} {_DEFAULT}",
        )


def search_of(options: argparse.Namespace, settings: type[SearchSettings]) -> dict[str, Any]:
    """What is asked for, as `each` of a captioner or translator takes it; None is what the card says."""
    return {name: getattr(options, name) for name in ("beam", *_penalties(settings))}


def _penalties(settings: type[SearchSettings]) -> list[str]:
    return list(_PENALTIES) if issubclass(settings, TranslateSettings) else ["length_penalty"]
