"""The card of a captioner: what it was made of, and what was measured on it."""

import argparse

from linnet.card import CaptionSettings, Card, DataSource, Quality
from linnet.languages import named
from linnet_export.caption.trained import Trained
from linnet_export.writing import origin
from linnet_training.caption.encoder import GRID, IMAGE_SIZE
from linnet_training.caption.metrics import Metrics


def card_of(trained: Trained, args: argparse.Namespace, precision: str, measured: Metrics | None) -> Card:
    """The card; without measures for the file that is yet to be measured."""
    about, recipe = trained.about, trained.about["recipe"]
    language = about["language"]
    return Card(
        name=args.name or args.output.stem,
        description=f"Says in {named(language)} what is in a picture. Learnt from {about['learnt_from']}.",
        **origin(args),
        data=tuple(DataSource(**credit) for credit in about["credits"]),
        recipe={**recipe, "precision": precision},
        quality=() if measured is None else _quality(measured, trained),
        settings=CaptionSettings(
            image_size=IMAGE_SIZE,
            grid=(GRID, GRID),
            vocabulary=tuple(about["vocabulary"]),
            language=language,
            max_length=recipe["max_words"],
            beam=recipe["beam"],
            length_penalty=recipe["length_penalty"],
        ),
    )


def _quality(measured: Metrics, trained: Trained) -> tuple[Quality, ...]:
    count = len({len(each.captions) for each in trained.dev})
    references = f"{len(trained.dev[0].captions)} captions each" if count == 1 else "several captions each"
    figures = {
        "CIDEr": measured.cider,
        "BLEU-4": measured.bleu[3],
        "METEOR": measured.meteor,
        "ROUGE-L": measured.rouge_l,
        "BLEU-1": measured.bleu[0],
        "distinct words": float(measured.distinct_words),
    }
    return tuple(
        Quality(
            measure=name,
            keyword="",
            condition=f"beam {trained.about['recipe']['beam']}",
            value=round(value, 2),
            data=f"{measured.photographs} dev pictures, {references}",
        )
        for name, value in figures.items()
        if value is not None
    )
