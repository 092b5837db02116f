"""Everyday sentences by the million, from templates: home talk, questions, requests, news, numbers."""

import random
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

__all__ = ["sentences"]

SHORTEST, LONGEST = 3, 12
SOURCE = Path(__file__).parent / "words" / "sentences.txt"


def sentences(seed: int) -> Iterator[str]:
    """Yield sentences of 3 to 12 words without end, in a fixed order for a seed; few come twice."""
    choices = _choices()
    rng = random.Random(seed)
    while True:
        template = rng.choice(choices["templates"])
        text = re.sub(r"\{(\w+)\}", lambda slot: rng.choice(choices[slot[1]]), template)
        if SHORTEST <= len(text.split()) <= LONGEST:
            yield text[0].upper() + text[1:]


@lru_cache(maxsize=1)
def _choices() -> dict[str, list[str]]:
    """Return the lists in SOURCE: ``[name]``, then items with commas or line ends between them."""
    choices: dict[str, list[str]] = {}
    for part in SOURCE.read_text(encoding="ascii").split("[")[1:]:
        name, _, items = part.partition("]")
        choices[name] = [item.strip() for item in re.split(r"[,\n]", items) if item.strip()]
    return choices
