"""The processes that train together, as torchrun starts them and says in their environment."""

import os
import time
from pathlib import Path


def count() -> int:
    """How many there are."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def is_first() -> bool:
    """Whether this is the one that speaks and writes for all."""
    return int(os.environ.get("RANK", "0")) == 0


def wait_for(path: Path) -> None:
    """Wait, in all processes but the first, until that one has made a file."""
    while not is_first() and not path.is_file():
        time.sleep(0.5)


def together(inputs: str) -> str:
    """A name for what a run learns from and how many learn it.

    Each process draws a part of a batch, so that with other processes it is another run.
    """
    return f"{inputs} of {count()}"
