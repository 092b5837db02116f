"""Numbers on a command line: what is none, or does not fit, is said in a sentence."""

from __future__ import annotations

import argparse
from collections.abc import Callable

__all__ = ["at_least", "between"]


def at_least(least: int, most: int | None = None) -> Callable[[str], int]:
    """For argparse, the type of whole numbers from ``least``, and to ``most`` if that is given."""

    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if value < least or (most is not None and value > most):
            to = "" if most is None else f" to {most}"
            raise argparse.ArgumentTypeError(f"must be a whole number from {least}{to}, not {text}")
        return value

    return read


def between(low: float, high: float) -> Callable[[str], float]:
    """For argparse, the type of numbers from ``low`` to ``high``."""

    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"must be a number from {low:g} to {high:g}, not {text}")
        return value

    return read
