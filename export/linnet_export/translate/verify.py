"""Translations of the written file, beside those of the trained network and of 8 bits."""

from collections.abc import Sequence
from pathlib import Path

from linnet import Translator
from linnet.cli.progress import watched
from linnet.search import text_of
from linnet_export.parity import check_loss, share_alike
from linnet_export.translate.trained import Trained
from linnet_training.sequence.search import END, beam_search, sentence
from linnet_training.translate.batches import padded
from linnet_training.translate.data import Pair
from linnet_training.translate.evaluate_command import translate_all
from linnet_training.translate.metrics import bleu

MOST_LOST = 0.5
"""BLEU that 8 bits may cost."""

_SENTENCES = 500
_BATCH = 20


def verify(trained: Trained, translator: Translator) -> float:
    """Compare a float32 file's translations with those of the network it was made from.

    Args:
        trained: network and dev sentences, the first 500 of which are translated.
        translator: the file, opened.

    Returns:
        the share of translations that are the same.

    Raises:
        ExportError: it is less than 99 %.
    """
    settings = translator.card.translate
    pieces = trained.cutter.pieces
    # Torch is given whole sentences; the runtime splits a text into sentences first.
    sources = [ids for pair in trained.dev if 0 < len(ids := pieces.ids(pair.source)) <= settings.max_source]
    sources = sources[:_SENTENCES]
    same: list[bool] = []
    search = {"length_penalty": settings.length_penalty, "coverage_penalty": settings.coverage_penalty}
    for first in watched(range(0, len(sources), _BATCH)):
        batch = sources[first : first + _BATCH]
        memory, state = trained.network.begin(padded([[*ids, END] for ids in batch]))
        decoder = trained.network.decoder
        found = beam_search(decoder, memory, state, settings.beam, settings.max_length, **search)
        got = translator.model.translations(
            batch, beam=settings.beam, max_length=settings.max_length, **search
        )
        for row, hypotheses in zip(found.tokens[:, 0].tolist(), got, strict=True):
            expected = text_of([pieces.vocabulary[each] for each in sentence(row)])
            same.append(expected == text_of(hypotheses[0].pieces))
    return share_alike(same, "sentences")


def check_quantised(before: Sequence[str], after: Sequence[str], dev: Sequence[Pair]) -> float:
    """How much BLEU translations lose by 8 bits.

    Raises:
        ExportError: it is more than half a point.
    """
    references = [pair.target for pair in dev]
    return check_loss(bleu(before, references) - bleu(after, references), MOST_LOST, "BLEU")


def say_all(path: Path, dev: Sequence[Pair]) -> list[str]:
    """What a file makes of the dev sentences, with the search that its card names."""
    return translate_all(Translator(path), dev, {})
