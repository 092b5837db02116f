"""The card of a translator: what it was made of, and what was measured on it."""

import argparse
from collections.abc import Sequence

from linnet.card import Card, DataSource, Quality, TranslateSettings
from linnet.languages import named
from linnet_export.translate.trained import Trained
from linnet_export.writing import origin
from linnet_training.translate.metrics import Measure


def card_of(trained: Trained, args: argparse.Namespace, precision: str, measured: Sequence[Measure]) -> Card:
    """The card; without measures for the file that is yet to be measured."""
    about, recipe = trained.about, trained.about["recipe"]
    source, target = about["languages"]
    direction = f"from {named(source)} to {named(target)}"
    return Card(
        name=args.name or args.output.stem,
        description=f"Translates {direction}. Learnt from {about['learnt_from']}.",
        **origin(args),
        data=tuple(DataSource(**credit) for credit in about["credits"]),
        recipe={**recipe, "precision": precision},
        quality=tuple(
            Quality(
                measure=each.name,
                keyword="",
                condition=f"beam {recipe['beam']}",
                value=round(each.value, 2),
                data=f"{len(trained.dev)} dev sentences; {each.signature}",
            )
            for each in measured
        ),
        settings=TranslateSettings(
            source_language=source,
            target_language=target,
            sentencepiece=trained.sentencepiece,
            max_source=recipe["most_pieces"],
            max_length=recipe["most_pieces"],
            beam=recipe["beam"],
            length_penalty=recipe["length_penalty"],
            coverage_penalty=recipe["coverage_penalty"],
        ),
    )
