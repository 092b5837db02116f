"""The card of an exported file: what it was made of, and what was measured on it."""

import argparse
from collections.abc import Mapping
from pathlib import Path

from linnet import TriggerWord
from linnet.card import Card, DataSource, OperatingPoint, Quality, TriggerSettings
from linnet_export.trigger.calibrate import operating_points
from linnet_export.trigger.trained import Trained
from linnet_export.writing import address, origin
from linnet_training.starting import NOT_STATED
from linnet_training.trigger.data import MANIFEST, SPOKEN
from linnet_training.trigger.dev import NOISE_DB
from linnet_training.trigger.network import STEP_SAMPLES
from linnet_training.trigger.report import RATES, Report
from linnet_training.trigger.stream import ListeningTest

DEFAULT_RATE = 0.2
"""False alarms per hour for which the default threshold is chosen."""


def measure(spotter: TriggerWord, trained: Trained, seed: int = 1) -> Report:
    """Run the file over the dev recordings, clean and in noise, in another order than training saw."""
    dev = trained.about["dev"]
    positives = {keyword: [Path(path) for path in paths] for keyword, paths in dev["positives"].items()}
    negatives, noise = [Path(path) for path in dev["negatives"]], [Path(path) for path in dev["noise"]]
    once = ListeningTest(positives, negatives, noise, seed=seed)
    test = (
        ListeningTest(positives, negatives, noise, hours=max(2.0, once.background_hours), seed=seed)
        if noise
        else once
    )
    return Report.of(spotter, test, [None, NOISE_DB] if noise else [None])


def provisional_card(trained: Trained, args: argparse.Namespace) -> Card:
    """A card without measures, so that the runtime opens the file it is to measure."""
    unknown = (OperatingPoint(0.0, 0.5, 1.0, 1.0),)
    return _card(trained, args, dict.fromkeys(trained.about["keywords"], unknown), ())


def final_card(trained: Trained, report: Report, args: argparse.Namespace) -> Card:
    """The card with thresholds and quality as measured."""
    curves = {keyword: operating_points(by_condition) for keyword, by_condition in report.curves.items()}
    counts = ", ".join(
        f"{by[next(iter(by))].positives} of {keyword}" for keyword, by in report.curves.items()
    )
    hours = min(hearing.curve.hours for hearing in report.hearings)
    data = (
        f"dev recordings ({counts}) among {hours:.1f} h of other dev speech, threshold chosen with hindsight"
    )
    quality = tuple(
        Quality(
            measure=f"miss rate at {rate:g} false alarms per hour",
            keyword=hearing.keyword,
            condition=hearing.condition,
            value=round(hearing.curve.miss_at(rate), 4),
            data=data,
        )
        for rate in RATES
        for hearing in report.hearings
    )
    return _card(trained, args, curves, quality)


def _card(
    trained: Trained,
    args: argparse.Namespace,
    curves: Mapping[str, tuple[OperatingPoint, ...]],
    quality: tuple[Quality, ...],
) -> Card:
    about = trained.about
    keywords = tuple(about["keywords"])
    named = ", ".join(f'"{keyword}"' for keyword in keywords)
    recorded = about["recorded"]
    heard = "; ".join(
        f"{keyword}: {recorded[keyword]} recordings"
        if recorded[keyword]
        else f"{keyword}: synthesised speech only"
        for keyword in keywords
    )
    return Card(
        name=args.name or "-".join(keyword.replace(" ", "_") for keyword in keywords),
        description=f"Hears {named} in 16 kHz audio. Learnt from {heard}.",
        **origin(args),
        data=tuple(_sources(about)),
        recipe={**about["recipe"], "precision": "fp16"},
        quality=quality,
        settings=TriggerSettings(
            keywords=keywords,
            sample_rate=16_000,
            step_samples=STEP_SAMPLES,
            chunk_samples=2 * STEP_SAMPLES,
            smoothing_steps=1,
            refractory_s=about["refractory_s"],
            default_false_alarms_per_hour=DEFAULT_RATE,
            curves=curves,
        ),
    )


def _sources(about: dict) -> list[DataSource]:
    """What a manifest named, with licences; what folders hold, as the user says; voices, as they say."""
    listed = [(source, address(source), licence) for source, licence in sorted(about["licences"].items())]
    listed += [(credit["name"], credit["source"], credit["licence"]) for credit in about["credits"]]
    for line in about["origins"]:
        kind = line.split(":")[0]
        if kind == SPOKEN:
            listed.append((kind, line, "see source"))
        elif kind != MANIFEST and not about["credits"]:
            listed.append((kind, line, NOT_STATED))
    return [
        DataSource(name=name, source=source, licence=licence, used_for="training, thresholds")
        for name, source, licence in listed
    ]
