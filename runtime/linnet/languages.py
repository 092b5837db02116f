"""Languages by the names that people read: cards and commands have their codes, as in ISO 639."""

from __future__ import annotations

__all__ = ["named"]

_NAMES = {
    "de": "German",
    "en": "English",
    "es": "Spanish",
    "fr": "French",
    "it": "Italian",
    "nl": "Dutch",
}


def named(code: str) -> str:
    """The language's name in English; of one that is not known here, the code."""
    return _NAMES.get(code, code)
