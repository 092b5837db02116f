"""What is always the same for the same text, on every machine and in every process."""

import hashlib
from collections.abc import Iterable
from pathlib import Path


def digest(parts: Iterable[str]) -> str:
    """A short name for what the parts say; another one, another name."""
    return hashlib.sha256("\n".join(parts).encode(errors="surrogateescape")).hexdigest()[:12]


def stamp(path: Path) -> str:
    """A file as it is now, without reading it."""
    status = path.stat()
    return f"{path.resolve()} {status.st_size} {status.st_mtime_ns}"


def place(text: str) -> float:
    """A number from 0 to 1, by which things are divided so that others added later do not move them."""
    return int.from_bytes(hashlib.sha256(text.encode(errors="surrogatepass")).digest()[:4], "big") / 2**32
