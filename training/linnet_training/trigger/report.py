"""What a finished model makes of the test stream: the model file is run as a user runs it, and judged.

report = Report.of(TriggerWord("computer.onnx"), test, [None, 10.0])
print(report.table())
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from linnet import TriggerWord
from linnet.cli.progress import watched
from linnet_training.plots import Curves, Example, Points
from linnet_training.trigger.evaluate import Curve, Interval, Outcome, detection_curve, outcome
from linnet_training.trigger.stream import ListeningTest

RATES = (0.0, 0.1, 0.5, 1.0, 2.0)
"""False alarms per hour at which miss rates are reported."""

_EXAMPLE_S = 20.0


@dataclass(frozen=True)
class Hearing:
    """How well one keyword was heard in one condition."""

    keyword: str
    condition: str
    """"clean", or the signal-to-noise ratio: "10 dB"."""
    curve: Curve
    threshold: float
    """The threshold of the card, or the one that was asked for."""
    outcome: Outcome
    """What that threshold did."""

    @property
    def false_alarms_per_hour(self) -> float:
        """At the threshold."""
        return len(self.outcome.false_alarm_steps) / self.curve.hours


@dataclass(frozen=True)
class Report:
    """How well all keywords of a model were heard in all conditions."""

    hearings: tuple[Hearing, ...]
    """By keyword, then by condition."""
    examples: tuple[Example, ...]
    """A hit, a miss and a false alarm, as far as there are any, in the last condition."""

    @classmethod
    def of(cls, spotter: TriggerWord, test: ListeningTest, snrs_db: Sequence[float | None]) -> "Report":
        """Run a model over the stream, clean for each None, in noise for each number of decibels.

        Only keywords that the stream has recordings of are judged.

        Raises:
            DataError: noise is asked for and there is none.
            ModelError: the model failed.
        """
        settings = spotter.card.trigger
        step_s = settings.step_samples / settings.sample_rate
        by_keyword: dict[str, list[Hearing]] = {keyword: [] for keyword in test.intervals}
        scores = np.zeros((0, len(spotter.keywords)), dtype=np.float32)
        for snr_db in snrs_db:
            scores = run(spotter, watched(test.pieces(snr_db), len(test.layout)))
            for keyword, positives in test.intervals.items():
                column = spotter.keywords.index(keyword)
                threshold = float(spotter.thresholds[column])
                timing = {"step_s": step_s, "refractory_s": settings.refractory_s}
                curve = detection_curve(
                    scores[:, column], positives, hours=test.hours_without(keyword), **timing
                )
                result = outcome(scores[:, column], positives, threshold, **timing)
                by_keyword[keyword].append(Hearing(keyword, condition(snr_db), curve, threshold, result))
        hearings = tuple(hearing for group in by_keyword.values() for hearing in group)
        last = [group[-1] for group in by_keyword.values()]
        return cls(hearings, tuple(_examples(last, test, scores, spotter, step_s)))

    @property
    def conditions(self) -> list[str]:
        """In the order asked for."""
        return list(dict.fromkeys(hearing.condition for hearing in self.hearings))

    @property
    def curves(self) -> Curves:
        """For `linnet_training.plots`."""
        return {
            keyword: {h.condition: h.curve for h in self.hearings if h.keyword == keyword}
            for keyword in dict.fromkeys(h.keyword for h in self.hearings)
        }

    @property
    def points(self) -> Points:
        """Where the thresholds lie, for `linnet_training.plots`."""
        return {
            keyword: {
                h.condition: (h.false_alarms_per_hour, h.outcome.miss_rate)
                for h in self.hearings
                if h.keyword == keyword
            }
            for keyword in dict.fromkeys(h.keyword for h in self.hearings)
        }

    def table(self) -> str:
        """Miss rates in percent at each of `RATES` and at the threshold, for people."""
        wide = max(len("keyword"), *(len(hearing.keyword) for hearing in self.hearings))
        lines = [
            f"{'':{wide}}         {'missed, at false alarms per hour':^40}    "
            f"{'at the default threshold':^33}",
            f"{'keyword':{wide}}         {''.join(f'{rate:>8g}' for rate in RATES)}"
            f"    {'threshold':>10}{'missed':>9}{'false alarms':>14}",
        ]
        for hearing in self.hearings:
            lines.append(_row(wide, hearing.keyword, [hearing], f"{hearing.threshold:.3f}"))
        if len(self.curves) > 1:
            for name in self.conditions:
                group = [hearing for hearing in self.hearings if hearing.condition == name]
                lines.append(_row(wide, "mean", group, ""))
        return "\n".join(lines)

    def as_json(self) -> list[dict[str, object]]:
        """The same for programs: an object per keyword and condition, miss rates 0 to 1."""
        return [
            {
                "keyword": hearing.keyword,
                "condition": hearing.condition,
                "positives": hearing.curve.positives,
                "hours": hearing.curve.hours,
                "miss_rate_at_false_alarms_per_hour": {
                    f"{rate:g}": hearing.curve.miss_at(rate) for rate in RATES
                },
                "threshold": hearing.threshold,
                "miss_rate": hearing.outcome.miss_rate,
                "false_alarms_per_hour": hearing.false_alarms_per_hour,
            }
            for hearing in self.hearings
        ]


def run(spotter: TriggerWord, pieces: Iterable[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Scores of a whole stream, (steps, keywords), heard from the beginning."""
    stream = spotter.stream()
    return np.concatenate([stream.process(piece) for piece in pieces])


def condition(snr_db: float | None) -> str:
    """What a signal-to-noise ratio is called in tables and pictures."""
    return "clean" if snr_db is None else f"{snr_db:g} dB"


def _row(wide: int, name: str, hearings: Sequence[Hearing], threshold: str) -> str:
    """A line of the table: the mean of some hearings in one condition."""
    misses = [np.mean([hearing.curve.miss_at(rate) for hearing in hearings]) for rate in RATES]
    missed = np.mean([hearing.outcome.miss_rate for hearing in hearings])
    false_alarms = np.mean([hearing.false_alarms_per_hour for hearing in hearings])
    return (
        f"{name:{wide}}  {hearings[0].condition:<7}"
        + "".join(f"{100 * miss:>6.1f} %" for miss in misses)
        + f"    {threshold:>10}{100 * missed:>7.1f} %{false_alarms:>12.2f}/h"
    )


def _examples(
    hearings: Sequence[Hearing],
    test: ListeningTest,
    scores: NDArray[np.float32],
    spotter: TriggerWord,
    step_s: float,
) -> Iterable[Example]:
    """For a picture: the first hit, the first miss and the loudest false alarm, each amid its panel."""
    moments: dict[str, tuple[float, float]] = {}  # title: the better the earlier, and the time

    def offer(title: str, rank: float, time_s: float) -> None:
        moments[title] = min(moments.get(title, (np.inf, 0.0)), (rank, time_s))

    for hearing in hearings:
        for hit, (start, end) in zip(hearing.outcome.hits, test.intervals[hearing.keyword], strict=True):
            offer("heard" if hit else "missed", start, (start + end) / 2)
        column = spotter.keywords.index(hearing.keyword)
        for step in hearing.outcome.false_alarm_steps:
            offer("false alarm", -float(scores[step, column]), (step + 1) * step_s)

    columns = [spotter.keywords.index(hearing.keyword) for hearing in hearings]
    said = [(keyword, span) for keyword, spans in test.intervals.items() for span in spans]
    for title in ("heard", "missed", "false alarm"):
        if title not in moments:
            continue
        first = max(0, round((moments[title][1] - _EXAMPLE_S / 2) / step_s))
        last = min(len(scores), first + round(_EXAMPLE_S / step_s))
        begin, end = first * step_s, last * step_s
        yield Example(
            title=f"{title}, {hearings[0].condition}",
            start_s=begin,
            step_s=step_s,
            scores=scores[first:last, columns],
            keywords=[hearing.keyword for hearing in hearings],
            thresholds=[hearing.threshold for hearing in hearings],
            said=[(keyword, span) for keyword, span in said if _overlap(span, (begin, end))],
            events=[
                (hearing.keyword, (step + 1) * step_s)
                for hearing in hearings
                for step in hearing.outcome.event_steps
                if first <= step < last
            ],
        )


def _overlap(one: Interval, other: Interval) -> bool:
    return one[0] < other[1] and other[0] < one[1]
