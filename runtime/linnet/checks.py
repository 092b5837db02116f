"""Checks of what stands in a model card; what is wrong is a CardError that names the place."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from linnet.errors import CardError

__all__ = [
    "bad",
    "check_integer",
    "check_number",
    "check_text",
    "check_texts",
    "items",
    "parts",
    "parts_named",
    "read_list",
]


def bad(where: str, what: str) -> CardError:
    """The error for ``where`` in the card, of which ``what`` says what it is or lacks."""
    return CardError(f"the model card is unusable: {where} {what}; export the model again")


def parts(value: object, made: type, where: str) -> dict[str, Any]:
    """A copy of the JSON object ``value``, which must have exactly the fields of the dataclass ``made``."""
    return parts_named(value, {each.name for each in fields(made)}, where)


def parts_named(value: object, wanted: set[str], where: str) -> dict[str, Any]:
    """A copy of the JSON object ``value``, which must have exactly the fields ``wanted``."""
    if not isinstance(value, dict):
        raise bad(where, "is missing or is not an object")
    for name in sorted(wanted ^ set(value)):
        if name in wanted:
            raise bad(where, f"lacks the field {name!r}")
        raise bad(where, f"has the unknown field {name!r}")
    return dict(value)


def items(value: object, where: str) -> list[Any]:
    """``value``, which must be a list."""
    if not isinstance(value, list):
        raise bad(where, "must be a list")
    return value


def read_list(made: type, value: object, where: str) -> tuple[Any, ...]:
    """Objects of the dataclass ``made``, one from each JSON object in the list ``value``."""
    return tuple(made(**parts(item, made, where)) for item in items(value, where))


def check_text(value: object, where: str) -> None:
    """Printable text, or none."""
    # Cards are shown in terminals, so control characters and lone surrogates stay out; lines may be broken.
    if not isinstance(value, str) or not value.replace("\n", "").isprintable():
        raise bad(where, "must be a printable text")


def check_texts(values: tuple[object, ...], where: str) -> None:
    """A tuple of printable texts, none of them empty."""
    if not isinstance(values, tuple):
        raise bad(where, "must be a tuple of texts")
    for value in values:
        check_text(value, where)
        if not value:
            raise bad(where, "must not hold an empty text")


def check_integer(value: object, where: str, low: int, high: int) -> None:
    """An integer from ``low`` to ``high``."""
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise bad(where, f"must be {low}" if low == high else f"must be an integer from {low} to {high}")


def check_number(value: object, where: str, low: float, high: float) -> None:
    """A finite number from ``low`` to ``high``."""
    # `-max <= value <= max` is false for NaN and infinities, and for integers too large for a float.
    if (
        not isinstance(value, (int, float))
        or isinstance(value, bool)
        or not -1e300 <= value <= 1e300
        or not low <= value <= high
    ):
        raise bad(where, f"must be a finite number from {low:g} to {high:g}")
