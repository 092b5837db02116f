"""Finding recordings: folders, the Speech Commands layout, a CSV manifest. All ends up as one `Corpus`."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from linnet.errors import DataError
from linnet_training.hashes import place
from linnet_training.trigger.stream import recordings

_DEV_SHARE = 0.15
FEWEST = 4
"""Fewer recordings of a word than this are refused: there would be nothing left to check the detector on."""

MANIFEST, SPOKEN = "manifest", "synthesised speech"
"""What lines of `Corpus.origins` begin with that are not of a folder: a manifest names its own sources and
licences, and so do voices."""


@dataclass
class Split:
    """Paths for training and for development (thresholds, early stopping), never both."""

    train: list[Path] = field(default_factory=list)
    dev: list[Path] = field(default_factory=list)
    spoken: list[Path] = field(default_factory=list)
    """Those for training that are synthesised, which the bank takes in fewer variants."""
    chosen: bool = False
    """Whether train and dev are as the user's folders, lists or manifest say."""

    def add(self, path: Path, split: str | None = None) -> None:
        """Put a path where `split` says ("train" or "dev"), else where a hash of its speaker's name falls."""
        to_dev = place(_speaker(path)) < _DEV_SHARE if split is None else split == "dev"
        (self.dev if to_dev else self.train).append(path)
        self.chosen = self.chosen or split is not None

    def rebalance(self) -> None:
        """Give both sides their share of a handful of recordings, which a hash may have put all on one.

        What the user has chosen stays, unless nothing at all is left for one side.
        """
        together = sorted(self.train + self.dev, key=lambda path: place(path.name))
        share = max(1, round(_DEV_SHARE * len(together)))
        fewest = 1 if self.chosen else share
        if 1 < len(together) < 40 and min(len(self.train), len(self.dev)) < fewest:
            self.dev, self.train = together[:share], together[share:]

    def __len__(self) -> int:
        return len(self.train) + len(self.dev) + len(self.spoken)


@dataclass
class Corpus:
    """All recordings of a run."""

    keywords: tuple[str, ...]
    positives: dict[str, Split]
    words: Split = field(default_factory=Split)
    """Short utterances of other words."""
    speech: Split = field(default_factory=Split)
    """Running speech without any keyword."""
    noise: Split = field(default_factory=Split)
    rooms: list[Path] = field(default_factory=list)
    origins: list[str] = field(default_factory=list)
    """Where it came from, a line per folder or manifest."""
    licences: dict[str, str] = field(default_factory=dict)
    """Licences by source, as a manifest names them; several of one source are joined by " | "."""

    @classmethod
    def empty(cls, keywords: Sequence[str]) -> "Corpus":
        """No recordings yet."""
        return cls(tuple(keywords), {keyword: Split() for keyword in keywords})

    def add_positives(self, folder: Path) -> None:
        """Recordings of the keyword; with several, one folder each inside (spaces may be underscores)."""
        inside = {keyword: _keyword_folder(folder, keyword) for keyword in self.keywords}
        if len(self.keywords) == 1 and inside[self.keywords[0]] is None:
            inside = {self.keywords[0]: folder}
        missing = [keyword for keyword, found in inside.items() if found is None]
        if len(missing) == len(self.keywords):
            raise DataError(
                f"{folder} has no folder named after any of: {', '.join(missing)}; make one per keyword"
            )
        for keyword, found in inside.items():
            if found is not None:
                _add_folder(self.positives[keyword], found)
        self.origins.append(f"positives: {folder.name}")

    def add_negatives(self, folder: Path) -> None:
        """Speech without the keywords, any layout."""
        _add_folder(self.speech, folder)
        self.origins.append(f"negatives: {folder.name}")

    def add_noise(self, folder: Path) -> None:
        """Background sound."""
        _add_folder(self.noise, folder)
        self.origins.append(f"noise: {folder.name}")

    def add_rooms(self, folder: Path) -> None:
        """Room impulse responses; all serve training."""
        self.rooms.extend(recordings(folder))
        self.origins.append(f"rooms: {folder.name}")

    def add_speech_commands(self, folder: Path) -> None:
        """Google's Speech Commands: a folder per word, `_background_noise_`, validation and testing lists.

        P. Warden, "Speech Commands", 2018, arXiv:1804.03209. What testing_list.txt names is left alone.
        """
        if not folder.is_dir():
            raise DataError(f"{folder} is not a folder; give the folder Speech Commands was unpacked in")
        dev, test = _listed(folder / "validation_list.txt"), _listed(folder / "testing_list.txt")
        found = False
        for word in sorted(path for path in folder.iterdir() if path.is_dir()):
            if word.name == "_background_noise_":
                _add_folder(self.noise, word)
                continue
            target = next((self.positives[k] for k in self.keywords if _same(k, word.name)), self.words)
            for path in recordings(word):
                name = path.relative_to(folder).as_posix()
                if name not in test:
                    target.add(path, ("dev" if name in dev else "train") if dev else None)
                    found = True
        if not found:
            raise DataError(
                f"{folder} has no word folders with recordings; Speech Commands has one folder per word"
            )
        self.origins.append(f"speech commands: {folder.name}")

    def add_manifest(self, path: Path) -> None:
        """A CSV file with the columns path, kind, and where known keyword, split, source, licence.

        `kind` is positive, negative (any name that starts so), word, noise or rir; paths are relative to the
        file. Positives of other keywords become negatives, unless they contain one of ours. Splits other than
        train and dev are left alone.
        """
        rows = _manifest_rows(path)
        for number, row in enumerate(rows, start=2):
            recording = path.parent / row["path"]
            split = row.get("split") or None
            if split not in (None, "train", "dev"):
                continue
            kind, keyword = row["kind"], _plain(row.get("keyword") or "")
            if kind == "positive":
                if not keyword and len(self.keywords) > 1:
                    raise DataError(
                        f"{path}, line {number}: it does not say which keyword; fill the column 'keyword'"
                    )
                keyword = keyword or _plain(self.keywords[0])
                said = [ours for ours in self.keywords if _plain(ours) in keyword]
                for ours in said:
                    if _same(ours, keyword):
                        self.positives[ours].add(recording, split)
                if not said:
                    self.words.add(recording, split)
            elif kind == "word":
                self.words.add(recording, split)
            elif kind.startswith("negative"):
                self.speech.add(recording, split)
            elif kind == "noise":
                self.noise.add(recording, split)
            elif kind == "rir":
                if split != "dev":
                    self.rooms.append(recording)
            else:
                raise DataError(
                    f"{path}, line {number}: unknown kind '{kind}'; use positive, negative, word, noise, rir"
                )
            if row.get("licence"):
                source = (row.get("source") or path.name).split("@")[0]
                others = self.licences.get(source, "").split(" | ")
                self.licences[source] = " | ".join(sorted({*filter(None, others), row["licence"]}))
        self.origins.append(f"{MANIFEST}: {path.name}")

    def splits(self) -> dict[str, Split]:
        """All of them, by what they hold."""
        return {**self.positives, "(words)": self.words, "(speech)": self.speech, "(noise)": self.noise}

    def check(self, text_only: bool) -> None:
        """Refuse what cannot be trained on.

        Args:
            text_only: whether synthesised recordings are still to come, so that there may be few or none yet.

        Raises:
            DataError: a recording is missing, or there are too few of a keyword or of other speech.
        """
        for split in self.splits().values():
            if not split.spoken:
                split.rebalance()
        for keyword, split in self.positives.items():
            if not text_only and len(split) < FEWEST:
                raise DataError(
                    f"only {len(split)} recordings of '{keyword}': give at least {FEWEST}, better a few "
                    "dozen, or leave synthesis on so that the phrase itself is spoken by text-to-speech"
                )
        others = (self.words, self.speech)
        if not text_only and not (any(s.train or s.spoken for s in others) and any(s.dev for s in others)):
            raise DataError(
                f"only {sum(map(len, others))} recordings of other speech: give at least 2 (hours of it are "
                "better: --negatives DIR), or leave synthesis on so that other sentences are spoken"
            )
        for split in self.splits().values():
            for path in (*split.train, *split.spoken, *split.dev):
                if not path.is_file():
                    raise DataError(f"{path} is listed but not there; check the manifest's paths")


def _add_folder(split: Split, folder: Path) -> None:
    for path in recordings(folder):
        parts = {part.lower() for part in path.relative_to(folder).parts[:-1]}
        split.add(
            path, "dev" if parts & {"dev", "val", "validation"} else "train" if "train" in parts else None
        )


def _keyword_folder(folder: Path, keyword: str) -> Path | None:
    if not folder.is_dir():
        raise DataError(f"{folder} is not a folder; give a folder of recordings")
    return next(
        (path for path in sorted(folder.iterdir()) if path.is_dir() and _same(path.name, keyword)), None
    )


def _same(name: str, keyword: str) -> bool:
    return _plain(name) == _plain(keyword)


def _plain(name: str) -> str:
    """A keyword as it is compared: the names of folders have underscores for spaces, and capitals."""
    return " ".join(name.lower().replace("_", " ").replace("-", " ").split())


def _speaker(path: Path) -> str:
    """Speech Commands' names tell the speaker before `_nohash_`; elsewhere each file stands for itself."""
    return path.stem.split("_nohash_")[0]


def _listed(path: Path) -> set[str]:
    """Names in one of Speech Commands' lists; names that are not UTF-8 are in no list of theirs."""
    return set(path.read_text(encoding="utf-8", errors="replace").split()) if path.is_file() else set()


def _manifest_rows(path: Path) -> list[dict[str, str]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            rows = list(reader)
            columns = set(reader.fieldnames or ())
    except UnicodeDecodeError as error:
        raise DataError(
            f"the manifest {path} is not UTF-8 text ({error.reason}); save it as UTF-8"
        ) from error
    except (OSError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"cannot read the manifest {path}: {reason}") from error
    if not {"path", "kind"} <= columns:
        raise DataError(f"the manifest {path} needs the columns 'path' and 'kind' in its first line")
    if not rows:
        raise DataError(f"the manifest {path} lists no recordings")
    if any(not row["path"] or not row["kind"] for row in rows):
        raise DataError(f"the manifest {path} has a line without a path or a kind")
    return rows
