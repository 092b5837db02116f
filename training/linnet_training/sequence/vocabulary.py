"""Words and their ids."""

from collections import Counter
from collections.abc import Iterable, Sequence

from linnet.search import WORD, text_of
from linnet_training.sequence.search import END, UNKNOWN, sentence

_SPECIAL = ("", "<start>", "<end>", "<unknown>")


class Vocabulary:
    """Words by id; the first four ids are pad, start, end and unknown."""

    def __init__(self, pieces: Sequence[str]) -> None:
        """Args: all pieces, the four special ones first."""
        self.pieces = tuple(pieces)
        self._ids = {piece: index for index, piece in enumerate(self.pieces)}

    @classmethod
    def of(cls, sentences: Iterable[Sequence[str]], least: int) -> "Vocabulary":
        """All words that occur at least so often, the most frequent first."""
        counts = Counter(word for sentence in sentences for word in sentence)
        words = sorted(
            (word for word, count in counts.items() if count >= least), key=lambda w: (-counts[w], w)
        )
        return cls((*_SPECIAL, *(WORD + word for word in words)))

    def __len__(self) -> int:
        return len(self.pieces)

    def __contains__(self, word: str) -> bool:
        return WORD + word in self._ids

    def encode(self, words: Sequence[str]) -> list[int]:
        """Ids of words, and of the end after them."""
        return [*(self._ids.get(WORD + word, UNKNOWN) for word in words), END]

    def decode(self, ids: list[int]) -> str:
        """The text of ids, up to the end, as the runtime makes it."""
        return text_of([self.pieces[index] for index in sentence(ids)])
