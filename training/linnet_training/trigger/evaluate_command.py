"""`linnet evaluate trigger`: how well trigger words are heard in recordings of one's own."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from linnet.cli.numbers import at_least, between
from linnet.errors import DataError, KeywordError, UsageError

if TYPE_CHECKING:
    from linnet_training.trigger.report import Report
    from linnet_training.trigger.stream import ListeningTest

_DESCRIPTION = """\
Hide recordings of the keywords among other people's speech, as Picovoice's wake-word-benchmark does, listen
to the whole with the model, and print how many are missed at 0, 0.1, 0.5, 1 and 2 false alarms per hour:
clean, and with noise if there is any. These thresholds are chosen with hindsight; the last columns show what
the model's own threshold does.
"""
_EXAMPLES = """examples:
  linnet evaluate trigger computer.onnx --positives test/ --negatives speech/
  linnet evaluate trigger alexa --positives alexa=mine/ --negatives speech/ --noise noise/ --snr 10
  linnet evaluate trigger computer.onnx --positives test/ --negatives speech/ --hours 5 --picture test.png
"""


def add_trigger(tasks: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the task to `linnet evaluate`."""
    trigger = tasks.add_parser(
        "trigger", help="how well a trigger word is heard", description=_DESCRIPTION, epilog=_EXAMPLES
    )
    add = trigger.add_argument
    add("model", metavar="MODEL", help="a model file, or a keyword that a bundled model hears")
    add(
        "--positives",
        metavar="[KEYWORD=]DIR",
        action="append",
        required=True,
        help="recordings of a keyword, one utterance each; without KEYWORD=, a folder with one folder per "
        "keyword, or of the only keyword; may be repeated",
    )
    add(
        "--negatives",
        metavar="DIR",
        action="append",
        required=True,
        help="speech without any of the keywords; may be repeated",
    )
    add("--noise", metavar="DIR", action="append", default=[], help="noise to mix in; may be repeated")
    add(
        "--snr",
        metavar="DB",
        type=between(-100, 100),
        help="how much louder than the noise speech is (default: 10)",
    )
    add("--keyword", action="append", help="judge only this keyword; may be repeated")
    add(
        "--hours",
        type=between(1e-4, 1e4),
        help="hours of other speech (default: every negative recording once)",
    )
    add(
        "--speech-share",
        metavar="SHARE",
        type=between(0, 1),
        default=1.0,
        help="how much of that speaks, the rest being silence (default: 1; wake-word-benchmark: 0.2)",
    )
    add(
        "--seed",
        type=at_least(0),
        default=0,
        help="another number gives another order and other noise (default: 0)",
    )
    add("--picture", metavar="FILE", type=Path, help="draw the trade-off and examples, as .png, .svg or .pdf")
    add("--json", action="store_true", help="print one JSON object instead of a table")
    trigger.set_defaults(run=evaluate)


def evaluate(args: argparse.Namespace) -> int:
    """Run `linnet evaluate trigger`.

    Raises:
        LinnetError: of the kind that fits, if a model, a recording, an option or the place for the picture
            cannot be used.
    """
    # Imported here, because every `linnet --help` imports this module.
    from linnet import TriggerWord
    from linnet_training import plots
    from linnet_training.trigger.report import Report
    from linnet_training.trigger.stream import ListeningTest, recordings

    if args.picture:
        plots.check_name(args.picture)
    if args.snr is not None and not args.noise:
        raise UsageError("--snr needs noise to mix in; give --noise DIR too")
    spotter = TriggerWord(args.model)
    test = ListeningTest(
        find_positives(args.positives, args.keyword or spotter.keywords, spotter.keywords),
        [path for folder in args.negatives for path in recordings(folder)],
        [path for folder in args.noise for path in recordings(folder)],
        hours=args.hours,
        speech_share=args.speech_share,
        seed=args.seed,
    )
    snrs = [None, 10.0 if args.snr is None else args.snr] if args.noise else [None]
    report = Report.of(spotter, test, snrs)
    notes = _notes(test, report)
    if args.json:
        print(json.dumps(_as_json(args, test, report, notes), ensure_ascii=False, indent=2))
    else:
        said = ", ".join(f"{len(spans)} x {keyword!r}" for keyword, spans in test.intervals.items())
        print(f"{args.model}: {said} among {test.background_hours:.2f} hours of other speech\n")
        print(report.table())
    for note in notes:
        print(f"note: {note}", file=sys.stderr)
    if args.picture:
        plots.evaluation(
            report.curves, report.examples, args.picture, points=report.points, title=Path(args.model).name
        )
    return 0


def find_positives(
    given: Sequence[str], wanted: Sequence[str], known: Sequence[str]
) -> dict[str, list[Path]]:
    """Recordings by keyword, from what `--positives` says.

    Args:
        given: KEYWORD=DIR, or DIR with a folder per keyword (spaces may be underscores), or DIR of the only
            wanted keyword.
        wanted: keywords to judge.
        known: keywords that the model hears.

    Raises:
        KeywordError: a keyword is named that the model does not hear.
        DataError: a folder is missing, has no audio, or does not say which keyword it is of.
    """
    from linnet_training.trigger.stream import recordings

    found: dict[str, list[Path]] = {}

    def add(keyword: str, folder: Path) -> None:
        if keyword not in known:
            raise KeywordError(f"the model does not hear {keyword!r}; it hears {', '.join(known)}")
        if keyword in wanted:
            found.setdefault(keyword, []).extend(recordings(folder))

    for keyword in wanted:
        if keyword not in known:
            raise KeywordError(f"the model does not hear {keyword!r}; it hears {', '.join(known)}")
    for text in given:
        keyword, equals, folder = text.partition("=")
        if equals and not Path(text).is_dir():
            add(_plain(keyword), Path(folder))
            continue
        inside = {_plain(path.name): path for path in Path(text).glob("*") if path.is_dir()}
        named = [keyword for keyword in wanted if _plain(keyword) in inside]
        if not named and len(wanted) > 1:
            recordings(text)  # says so if there is no such folder, or nothing in it
            raise DataError(
                f"{text} has no folder named after any of {', '.join(wanted)}; "
                "say which one it is of: --positives KEYWORD=DIR"
            )
        for keyword in named or wanted:
            add(keyword, inside[_plain(keyword)] if named else Path(text))
    if not found:
        raise DataError(f"there are no recordings of {', '.join(wanted)}; give some with --positives")
    return found


def _plain(name: str) -> str:
    return name.replace("_", " ").strip().lower()


def _notes(test: "ListeningTest", report: "Report") -> list[str]:
    """What the figures cannot tell, in sentences."""
    from linnet_training.trigger.report import RATES

    notes = []
    hours = min(hearing.curve.hours for hearing in report.hearings)
    blurred = [rate for rate in RATES if 0 < rate * hours < 1]
    if blurred:
        notes.append(
            f"{hours:.1f} hours cannot tell {_listed(blurred)} false alarms per hour from none; "
            f"{blurred[0]:g} per hour takes at least {1 / blurred[0]:g} hours of --negatives"
        )
    if test.repeats > 1.05:
        notes.append(
            f"every negative recording was heard {test.repeats:.1f} times; the same speech again says "
            "little that is new, so give more --negatives"
        )
    return notes


def _listed(rates: Sequence[float]) -> str:
    *most, last = [f"{rate:g}" for rate in rates]
    return f"{', '.join(most)} or {last}" if most else last


def _as_json(
    args: argparse.Namespace, test: "ListeningTest", report: "Report", notes: Sequence[str]
) -> dict[str, Any]:
    return {
        "model": args.model,
        "seed": args.seed,
        "hours": test.seconds / 3600,
        "background_hours": test.background_hours,
        "speech_share": args.speech_share,
        "results": report.as_json(),
        "notes": list(notes),
    }
