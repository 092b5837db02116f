"""Pictures of how well a trigger detector does. Each function writes one figure, whole or not at all.

Figures are made without pyplot, so nothing global is touched and no display is needed. The colours are those
of Okabe and Ito ("Color Universal Design", 2008), which people with any kind of colour vision can tell apart.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MultipleLocator
from numpy.typing import NDArray

from linnet.errors import UsageError
from linnet.files import whole
from linnet_training.trigger.evaluate import Curve, Interval

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
RATES = (0.0, 0.1, 0.5, 1.0, 2.0, 5.0, 10.0)
"""False alarms per hour that are marked on the axis."""

_SCORES = (0.01, 0.1, 0.5, 0.9, 0.99, 0.999)
_INK = "#333333"
_PALE = "#D9D9D9"
# Lines of the conditions: clean, noise, ...
_STYLES: tuple[Literal["--", "-", ":", "-."], ...] = ("--", "-", ":", "-.")
_DPI = 150

Curves = Mapping[str, Mapping[str, Curve]]
"""By keyword, then by condition: curves["computer"]["10 dB noise"]."""

Points = Mapping[str, Mapping[str, tuple[float, float]]]
"""By keyword and condition, false alarms per hour and miss rate at the default threshold."""


@dataclass(frozen=True)
class Example:
    """A few seconds of a stream: what was said and what the detector made of it."""

    title: str
    start_s: float
    step_s: float
    scores: NDArray[np.floating]  # (steps, keywords), the first step ends at start_s + step_s
    keywords: Sequence[str]
    thresholds: Sequence[float]  # (keywords,)
    said: Sequence[tuple[str, Interval]]  # keyword, and start and end in the stream's seconds
    events: Sequence[tuple[str, float]]  # keyword, and time in the stream's seconds


def detection_tradeoff(curves: Curves, path: str | Path, points: Points | None = None) -> None:
    """Write the detection-error trade-off: miss rate over false alarms per hour, by keyword and condition.

    Args:
        curves: see `Curves`; the conditions are drawn dashed (the first), solid (the second), dotted.
        path: where to; the ending says the format (png, svg, pdf).
        points: where the default thresholds lie, drawn as dots.

    Raises:
        UsageError: the format is unknown.
        OutputError: the file cannot be written.
    """
    figure = Figure(figsize=(7.5, 5.0), layout="constrained")
    _draw_tradeoff(figure.add_subplot(), curves, points or {})
    _write(figure, path)


def evaluation(
    curves: Curves,
    examples: Sequence[Example],
    path: str | Path,
    *,
    points: Points | None = None,
    title: str = "",
) -> None:
    """Write both in one picture; arguments and errors as for `detection_tradeoff`."""
    if not examples:
        detection_tradeoff(curves, path, points)
        return
    figure = Figure(figsize=(9.0, 5.6 + 1.9 * len(examples)), layout="constrained")
    figure.suptitle(_plainly(title), color=_INK, fontsize=13, fontweight="bold")
    panels = figure.add_gridspec(len(examples) + 1, 1, height_ratios=[5.0] + [1.9] * len(examples))
    _draw_tradeoff(figure.add_subplot(panels[0]), curves, points or {})
    for i, example in enumerate(examples):
        draw_timeline(figure.add_subplot(panels[i + 1]), example)
    _write(figure, path)


def _draw_tradeoff(axes: Axes, curves: Curves, points: Points) -> None:
    conditions = list(
        dict.fromkeys(condition for by_condition in curves.values() for condition in by_condition)
    )
    styles = {c: _STYLES[i % len(_STYLES)] if len(conditions) > 1 else "-" for i, c in enumerate(conditions)}
    highest = 0.0
    for i, (keyword, by_condition) in enumerate(curves.items()):
        colour = COLOURS[i % len(COLOURS)]
        for condition, curve in by_condition.items():
            rates, misses = _staircase(curve)
            axes.step(rates, misses, where="post", color=colour, linestyle=styles[condition], linewidth=1.8)
            highest = max(highest, 100 * curve.miss_at(0))
            if condition in points.get(keyword, {}):
                rate, miss = points[keyword][condition]
                inside = "white" if styles[condition] == "--" else colour  # hollow, as the line is broken
                axes.plot(min(rate, RATES[-1]), 100 * miss, "o", color=colour, mfc=inside, markersize=7)
                highest = max(highest, 100 * miss)
    axes.set_xscale("symlog", linthresh=0.1, linscale=0.4)
    axes.set_xlim(-0.004, RATES[-1])
    axes.set_xticks(RATES, [f"{rate:g}" for rate in RATES])
    axes.minorticks_off()
    axes.set_ylim(0, min(100.0, max(10.0, 1.15 * highest)))
    axes.yaxis.set_major_formatter("{x:g} %")
    axes.set_xlabel("false alarms per hour", color=_INK)
    axes.set_ylabel("missed", color=_INK)
    axes.set_title(
        "Missed keywords over false alarms, at every threshold", loc="left", fontsize=11, color=_INK
    )
    _plain(axes)

    handles = [
        Line2D([], [], color=COLOURS[i % len(COLOURS)], lw=3, label=_plainly(k)) for i, k in enumerate(curves)
    ]
    if len(conditions) > 1:
        handles += [Line2D([], [], color=_INK, lw=1.8, linestyle=styles[c], label=c) for c in conditions]
    if points:
        handles.append(Line2D([], [], color=_INK, marker="o", lw=0, label="default threshold"))
    axes.legend(handles=handles, frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0), labelcolor=_INK)


def _staircase(curve: Curve) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Rising rates of false alarms and the lowest miss rate, in percent, that keeps to each."""
    order = np.argsort(curve.false_alarms_per_hour, kind="stable")
    rates, first = np.unique(curve.false_alarms_per_hour[order], return_index=True)
    misses = np.minimum.accumulate(np.minimum.reduceat(curve.miss_rate[order], first))
    end = max(RATES[-1], float(rates[-1]))
    return np.append(rates, end), 100 * np.append(misses, misses[-1])


def draw_timeline(axes: Axes, example: Example) -> None:
    """Draw scores over time as part of another figure, with what was said and what was reported."""
    colours = {keyword: COLOURS[i % len(COLOURS)] for i, keyword in enumerate(example.keywords)}
    end_s = example.start_s + len(example.scores) * example.step_s
    times = example.start_s + example.step_s * np.arange(1, len(example.scores) + 1)
    # On a logistic axis, because thresholds and the scores of what is heard crowd near 1.
    scores = _shown(example.scores)
    for keyword, (start, end) in example.said:
        start, end = max(start, example.start_s), min(end, end_s)
        where, ink = (start + end) / 2, colours.get(keyword, _INK)
        axes.axvspan(start, end, color=colours.get(keyword, _PALE), alpha=0.13, linewidth=0)
        top = axes.get_xaxis_transform()  # seconds across, shares of the panel upwards
        word = f"“{_plainly(keyword)}”"
        axes.text(where, 0.97, word, ha="center", va="top", fontsize=8, color=ink, transform=top)
    for i, keyword in enumerate(example.keywords):
        axes.plot(times, scores[:, i], color=colours[keyword], linewidth=1.4)
        if keyword in {name for name, _ in (*example.events, *example.said)}:
            height = _shown(np.array(example.thresholds[i]))
            axes.axhline(float(height), color=colours[keyword], linewidth=0.9, linestyle=(0, (4, 3)))
    for keyword, time in example.events:
        step = min(max(round((time - example.start_s) / example.step_s) - 1, 0), len(times) - 1)
        score = scores[step, list(example.keywords).index(keyword)]
        axes.plot(time, score, "v", color=colours[keyword], markersize=9, markeredgecolor="white", zorder=5)
    axes.set_xlim(example.start_s, end_s)
    low, high = _shown(np.array([0.0, 1.0]))
    axes.set_ylim(low, high + 3)  # room for the words above
    axes.set_yticks(_shown(np.array(_SCORES)), [f"{score:g}" for score in _SCORES])
    axes.set_ylabel("score", color=_INK)
    axes.set_title(_plainly(example.title), loc="left", fontsize=10, color=_INK)
    axes.xaxis.set_major_locator(MultipleLocator(5))
    axes.xaxis.set_major_formatter(lambda value, _: f"{int(value // 60)}:{value % 60:02.0f}")
    _plain(axes)


def _shown(scores: NDArray[np.floating]) -> NDArray[np.float64]:
    """Scores as heights on the axis: their logits, within what the axis shows."""
    inside = np.clip(scores.astype(np.float64), 0.005, 0.9995)
    return np.asarray(np.log(inside / (1 - inside)))


def _plainly(text: str) -> str:
    """Text that matplotlib does not take for a formula."""
    return text.replace("$", r"\$")


def _plain(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(_PALE)
    axes.tick_params(colors=_INK, color=_PALE)
    axes.grid(axis="y", color=_PALE, linewidth=0.6)
    axes.set_axisbelow(True)


def check_name(path: str | Path) -> None:
    """Make sure, before long work, that a picture can be written under this name.

    Raises:
        UsageError: the ending is that of no format known here.
    """
    if _format(path) not in Figure().canvas.get_supported_filetypes():
        raise UsageError(f"cannot draw a picture as {Path(path).name!r}; name it with .png, .svg or .pdf")


def _format(path: str | Path) -> str:
    return Path(path).suffix.lstrip(".").lower()


def _write(figure: Figure, path: str | Path) -> None:
    check_name(path)
    with whole(path) as stream:
        figure.savefig(stream, format=_format(path), dpi=_DPI, facecolor="white")
