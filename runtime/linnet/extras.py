"""Linnet's extras: the packages that a part of it needs, and the rest does without."""

from __future__ import annotations

__all__ = ["install"]


def install(extra: str = "") -> str:
    """What to type to have an extra, or what all parts need, as the README and the guides say it."""
    return f"pip install '.[{extra}]' in Linnet's folder" if extra else "pip install . in Linnet's folder"
