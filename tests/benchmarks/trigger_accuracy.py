"""Linnet beside other trigger-word engines: what they miss on the same stream.

    python tests/benchmarks/trigger_accuracy.py --positives alexa=DIR --positives computer=DIR \\
        --negatives DIR --noise DIR

The stream is that of `linnet evaluate trigger`. Where an engine gives scores, the threshold is chosen with
hindsight; Porcupine gives none, so it listens once with each of seven sensitivities, and the best counts.
Engines hear only the keywords they come with. The others come with `pip install '.[benchmarks]'`.
"""

import argparse
import sys
from collections.abc import Callable, Iterable, Mapping

import engines
import numpy as np
from numpy.typing import NDArray

from linnet.cli import status_of
from linnet_training.trigger.evaluate import detection_curve, outcome
from linnet_training.trigger.evaluate_command import find_positives
from linnet_training.trigger.stream import ListeningTest, recordings

_SENSITIVITIES = (0.1, 0.25, 0.4, 0.5, 0.6, 0.75, 0.9)
_PORCUPINE = ("alexa", "computer", "jarvis", "snowboy")

Misses = dict[str, float]
"""Miss rate by keyword."""


def main() -> int:
    """Listen with every engine, and print a table in Markdown."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--model", default="alexa", help="what Linnet runs: a keyword or a file")
    parser.add_argument("--positives", metavar="KEYWORD=DIR", action="append", required=True)
    parser.add_argument("--negatives", metavar="DIR", action="append", required=True)
    parser.add_argument("--noise", metavar="DIR", action="append", default=[])
    parser.add_argument("--snr", type=float, default=10.0, help="decibels over the noise (default: 10)")
    parser.add_argument("--hours", type=float, help="hours of other speech (default: every recording once)")
    parser.add_argument(
        "--rate", type=float, default=0.5, help="false alarms per hour allowed (default: 0.5)"
    )
    args = parser.parse_args()

    keywords = [text.partition("=")[0] for text in args.positives]
    test = ListeningTest(
        find_positives(args.positives, keywords, keywords),
        [path for folder in args.negatives for path in recordings(folder)],
        [path for folder in args.noise for path in recordings(folder)],
        hours=args.hours,
    )
    conditions = {"clean": None} | ({f"{args.snr:g} dB": args.snr} if args.noise else {})
    listeners: dict[str, Callable[[float | None], Misses]] = {
        "Linnet": lambda snr: _with_scores(engines.linnet(args.model), test, snr, args.rate),
        "Porcupine": lambda snr: _porcupine(test, snr, args.rate),
        "openWakeWord": lambda snr: _with_scores(engines.openwakeword(), test, snr, args.rate),
        "microWakeWord": lambda snr: _with_scores(engines.microwakeword(), test, snr, args.rate),
    }
    print(f"Missed at {args.rate:g} false alarms per hour or fewer; {test.seconds / 3600:.2f} hours\n")
    print(f"| engine | | {' | '.join(keywords)} |")
    print("|---" * (len(keywords) + 2) + "|")
    for name, listen in listeners.items():
        for condition, snr in conditions.items():
            try:
                cells = _cells(keywords, listen(snr))
            except ImportError as error:
                cells = f"skipped: {error.name} is not installed: pip install '.[benchmarks]' |"
            print(f"| {name} | {condition} | {cells}", flush=True)
    return 0


def _cells(keywords: Iterable[str], misses: Mapping[str, float]) -> str:
    return "".join(f"{100 * misses[k]:.1f} % |" if k in misses else " |" for k in keywords)


def _with_scores(engine: engines.Engine, test: ListeningTest, snr: float | None, rate: float) -> Misses:
    """Miss rates of an engine with scores."""
    scores = _hear(engine, test.pieces(snr))
    return {
        keyword: detection_curve(
            scores[:, column],
            test.intervals[keyword],
            step_s=engine.step_s,
            refractory_s=engine.refractory_s,
            hours=test.hours_without(keyword),
        ).miss_at(rate)
        for column, keyword in enumerate(engine.keywords)
        if keyword in test.intervals
    }


def _porcupine(test: ListeningTest, snr: float | None, rate: float) -> Misses:
    """Miss rates of Porcupine: of each keyword at the best sensitivity that keeps to the rate."""
    keywords = [keyword for keyword in _PORCUPINE if keyword in test.intervals]
    best: Misses = dict.fromkeys(keywords, 1.0)
    for sensitivity in _SENSITIVITIES:
        engine = engines.porcupine_c(keywords, sensitivity)
        events = _hear(engine, test.pieces(snr))
        for column, keyword in enumerate(keywords):
            timing = {"step_s": engine.step_s, "refractory_s": engine.refractory_s}
            result = outcome(events[:, column], test.intervals[keyword], 0.5, **timing)
            if len(result.false_alarm_steps) / test.hours_without(keyword) <= rate:
                best[keyword] = min(best[keyword], result.miss_rate)
    return best


def _hear(engine: engines.Engine, pieces: Iterable[NDArray[np.float32]]) -> NDArray[np.floating]:
    """Scores of a whole stream, (steps, keywords), fed in frames of int16 as the engine wants them."""
    rest = np.zeros(0, dtype=np.int16)
    scores = []
    for piece in pieces:
        rest = np.concatenate([rest, np.rint(piece * 32767).astype(np.int16)])
        whole = len(rest) // engine.frame * engine.frame
        scores += [engine.feed(rest[at : at + engine.frame]) for at in range(0, whole, engine.frame)]
        rest = rest[whole:]
    return np.concatenate(scores)


if __name__ == "__main__":
    sys.exit(status_of("trigger_accuracy.py", main))
