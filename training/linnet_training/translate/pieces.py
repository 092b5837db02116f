"""Pieces of words: one SentencePiece model for both languages.

Kudo and Richardson 2018, https://arxiv.org/abs/1808.06226, with the unigram model of Kudo 2018,
https://arxiv.org/abs/1804.10959, from which training draws another cut of a word each time.
"""

import io
from collections.abc import Iterable

import numpy as np
import sentencepiece

from linnet.errors import DataError
from linnet.text import Pieces
from linnet_training.sequence.search import END, PAD, START, UNKNOWN

_SILENT = 2
_CUTS = 8  # of a sentence, to draw from


def learn_pieces(sentences: Iterable[str], size: int) -> bytes:
    """A SentencePiece model, as bytes.

    Args:
        sentences: of both languages.
        size: most pieces, with the 256 bytes that make up any other character.

    Raises:
        DataError: there is too little text for so many pieces.
    """
    model = io.BytesIO()
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(sentences),
            model_writer=model,
            vocab_size=size,
            model_type="unigram",
            hard_vocab_limit=False,
            character_coverage=0.9995,
            byte_fallback=True,
            pad_id=PAD,
            bos_id=START,
            eos_id=END,
            unk_id=UNKNOWN,
            num_threads=1,  # so that the same text always gives the same model
            minloglevel=_SILENT,
        )
    except (RuntimeError, OSError) as error:
        reason = " ".join(str(error).split())[:200]
        raise DataError(f"no vocabulary can be learnt from so little text ({reason})") from error
    return model.getvalue()


class Cutter:
    """Cuts sentences to ids: as the runtime does, or each time in another way."""

    def __init__(self, model: bytes) -> None:
        self.pieces = Pieces(model, "the new SentencePiece model")
        self._processor = sentencepiece.SentencePieceProcessor(model_proto=model)
        self._gains = np.array([self._processor.get_score(each) for each in range(len(self))])

    def __len__(self) -> int:
        return len(self.pieces.vocabulary)

    def ids(self, sentence: str) -> list[int]:
        """With the end."""
        return [*self.pieces.ids(sentence), END]

    def drawn(self, sentences: Iterable[str], alpha: float, random: np.random.Generator) -> list[list[int]]:
        """One of the likeliest cuts of each, with probabilities to the power of ``alpha``; 0 takes the first.

        The library's own sampling cannot be repeated by another process, which resuming and training with
        several want.
        """
        if alpha == 0:
            return [self.ids(sentence) for sentence in sentences]
        drawn = []
        for sentence in sentences:
            cuts = self._processor.nbest_encode(sentence, nbest_size=_CUTS)
            gains = [alpha * self._gains[cut].sum() for cut in cuts]
            # The greatest of sums with Gumbel noise is a draw from their softmax.
            best = int(np.argmax(gains + random.gumbel(size=len(cuts))))
            drawn.append([*cuts[best], END])
        return drawn
