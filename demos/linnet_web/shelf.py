"""The models that the page can use: those that ship, and those that somebody dropped in."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias, TypeVar

import linnet
from linnet.card import Card, TranslateSettings, TriggerSettings
from linnet.errors import ModelNotFoundError, UsageError
from linnet.languages import named
from linnet.modelfile import read_card

__all__ = ["NONE", "Entry", "Shelf"]

NONE = "No model for this ships with Linnet; drop one of your own in under Models."
"""What stands where there is nothing to choose from."""

Opened: TypeAlias = linnet.TriggerWord | linnet.Captioner | linnet.Translator
_Kind = TypeVar("_Kind", linnet.TriggerWord, linnet.Captioner, linnet.Translator)

_MOST_OWN = 8  # models that were dropped in, of everybody together: each may take tens of MB


@dataclass(frozen=True)
class Entry:
    """A model on the shelf."""

    key: str
    """What it is asked for by. That of a dropped-in model cannot be guessed: it is for who dropped it in."""
    name: str
    """Of its file."""
    card: Card
    size: int
    """Of its file, in bytes."""
    own: bool
    """Whether it was dropped in."""

    @property
    def label(self) -> str:
        """What a list of models shows."""
        settings = self.card.settings
        if isinstance(settings, TriggerSettings):
            label = ", ".join(settings.keywords)
        elif isinstance(settings, TranslateSettings):
            codes = (settings.source_language, settings.target_language)
            label = " to ".join(map(named, codes))
        else:
            label = self.card.name
        return f"{label} ({self.name}, your own)" if self.own else label


class Shelf:
    """Models by their keys. Several threads may use it at once."""

    def __init__(self, bundled: Iterable[Path]) -> None:
        """Put the ``bundled`` files on the shelf; each is opened when it is first needed.

        Raises ModelError where one of them has no card that can be read.
        """
        self._paths: dict[str, Path] = {}
        self._entries: dict[str, Entry] = {}
        self._opened: dict[str, Opened] = {}
        self._lock = threading.Lock()
        for path in bundled:
            entry = Entry(path.stem, path.name, read_card(path), path.stat().st_size, own=False)
            self._paths[entry.key], self._entries[entry.key] = path, entry

    def entries(self, task: str | None = None, own: Sequence[str] = ()) -> list[Entry]:
        """What ships, and what is still here of the ``own`` keys, the newest first; of one task or of all."""
        keys = [*reversed(own), *self._paths]
        found = [self._entries[key] for key in keys if key in self._entries]
        return [entry for entry in found if task in (None, entry.card.task)]

    def entry(self, key: str | None) -> Entry | None:
        """That of this key, where it is still here."""
        return self._entries.get(key or "")

    def model(self, key: str | None, kind: type[_Kind]) -> _Kind:
        """The open model of that key.

        Raises ModelNotFoundError where there is none, UsageError where it is of another kind.
        """
        with self._lock:
            if key is None:
                raise ModelNotFoundError(NONE)
            if key not in self._entries:
                raise ModelNotFoundError("this model is no longer here; choose another, or drop it in again")
            if key not in self._opened:
                self._opened[key] = linnet.load(self._paths[key])
            model = self._opened[key]
        if not isinstance(model, kind):
            raise UsageError(f"{model.card.name} is a {model.card.task} model, which is of no use here")
        return model

    def take(self, path: Path, name: str) -> Entry:
        """Open a model that was dropped in, and keep it in memory; its file is not needed afterwards.

        Of more than eight the oldest is let go. Raises ModelError where it cannot be used.
        """
        size = path.stat().st_size
        model = linnet.load(path)
        model.model.name = name  # for sentences about it
        entry = Entry(f"own-{secrets.token_urlsafe(12)}", name, model.card, size, own=True)
        with self._lock:
            own = [key for key in self._entries if key not in self._paths]
            for key in own[: max(0, len(own) + 1 - _MOST_OWN)]:
                del self._entries[key], self._opened[key]
            self._entries[entry.key], self._opened[entry.key] = entry, model
        return entry
