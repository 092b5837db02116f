"""What goes on in the detector while it hears demos/sample.wav."""

import json
from dataclasses import dataclass
from functools import cache

import numpy as np
import onnx
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from numpy.typing import NDArray

import linnet
from drawing.common import (
    BLUE,
    COOL,
    DEMOS,
    GREEN,
    INK,
    ORANGE,
    PALE,
    WARM,
    WIDTH,
    Arrays,
    Drawn,
    Floats,
    agree,
    constants,
    plain,
    run,
)
from linnet import audio, zoo
from linnet_training.plots import Example, draw_timeline

WORDS = ["alexa", "computer", "jarvis", "snowboy"]
WORD = "computer"
"""Of which the state and the gates are drawn."""
FORGOTTEN_S = 13.8
"""When it is half said."""
STEP = 640
STEP_S = STEP / 16_000

_BEFORE_S, _AFTER_S = 0.76, 0.84  # that are drawn around the word
_LOUDNESS = LinearSegmentedColormap.from_list("loudness", ["#FFFFFF", "#BBD3E6", COOL, "#0B2545"])
_QUIETEST = -6.5  # below is the room
_SIGNED = LinearSegmentedColormap.from_list("signed", [COOL, "#FFFFFF", WARM])


@dataclass(frozen=True)
class Heard:
    """What the detector makes of the sample. Rows are steps of 40 ms."""

    sound: Floats
    said: list[tuple[str, tuple[float, float]]]
    """All that is said, with start and end in seconds."""
    mel: Floats
    """Log-mel frames of 10 ms, (frames, bands)."""
    scores: Floats
    """(steps, keywords)."""
    state: Floats
    """Of the second GRU after each step, (steps, units)."""
    update: Floats
    reset: Floats
    new: Floats
    """What the state would be without what was before."""
    weight: Floats
    """Of each unit in the score of `WORD`, (units,)."""

    def around(self) -> tuple[slice, Floats, tuple[float, float]]:
        """Steps before, in and after `WORD`, their ends in seconds, and its start and end."""
        start, end = dict(self.said)[WORD]
        rows = slice(round((start - _BEFORE_S) / STEP_S), round((end + _AFTER_S) / STEP_S))
        return rows, np.arange(rows.start + 1, rows.stop + 1, dtype=np.float32) * STEP_S, (start, end)


@cache
def hear() -> Heard:
    """Run the detector that ships over the sample, with what is inside it as further outputs."""
    spotter = linnet.TriggerWord(WORDS)
    sound = audio.read(DEMOS / "sample.wav")
    sound = sound[: len(sound) // STEP * STEP]
    model = onnx.load(zoo.find(WORDS).path)
    maker = {output: node for node in model.graph.node for output in node.output}
    gru = [node for node in model.graph.node if node.op_type == "GRU"][-1]
    logits = maker[maker["scores"].input[0]]
    inside = {
        **dict(zip(("x", "w", "r", "b"), gru.input, strict=False)),
        "state": gru.output[0],
        "mel": next(node.output[0] for node in model.graph.node if node.op_type == "Log"),
        "weight": maker[logits.input[0]].input[1],
    }
    held = constants(model)
    watched = [name for name in inside.values() if name not in held]
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in watched)
    feeds: Arrays = {"audio": sound[None]}
    for name, shape in spotter.model.input_shapes.items():
        if name != "audio":
            feeds[name] = np.zeros((1, *(size or 1 for size in shape[1:])), np.float32)
    seen = held | run(model, feeds, ["scores", *watched])
    got = {key: seen[name] for key, name in inside.items()}

    state = got["state"][:, 0, 0]
    before = np.concatenate((np.zeros_like(state[:1]), state[:-1]))
    update, reset, new = gates(got["x"][:, 0], before, got["w"][0], got["r"][0], got["b"][0])
    agree((1 - update) * new + update * before, state, "the state")
    agree(seen["scores"][0], spotter.process(sound), "the scores")
    notes = json.loads((DEMOS / "sample.json").read_text(encoding="utf-8"))
    said = [(each["text"], (each["start_s"], each["end_s"])) for each in notes["said"]]
    weight = got["weight"][:, WORDS.index(WORD)]
    return Heard(sound, said, got["mel"][0], seen["scores"][0], state, update, reset, new, weight)


def gates(x: Floats, before: Floats, w: Floats, r: Floats, b: Floats) -> tuple[Floats, Floats, Floats]:
    """Update gate, reset gate and new value of a GRU: the equations of the guide, in ONNX's layout.

    Args:
        x: inputs, (steps, inputs).
        before: the state before each, (steps, units).
        w: (3 * units, inputs).
        r: (3 * units, units).
        b: (6 * units,), that of ``w`` first.
    """
    given = np.split(x @ w.T + b[: len(w)], 3, axis=1)
    kept = np.split(before @ r.T + b[len(w) :], 3, axis=1)
    update, reset = _sigmoid(given[0] + kept[0]), _sigmoid(given[1] + kept[1])
    return update, reset, np.tanh(given[2] + reset * kept[2])


def _sigmoid(x: Floats) -> Floats:
    return 0.5 * (1 + np.tanh(0.5 * x))


def log_mel() -> Drawn:
    """What the graph sees of the sample, and the four scores that it gives."""
    heard = hear()
    spotter = linnet.TriggerWord(WORDS)
    events = spotter.stream().detect(heard.sound)
    figure = Figure(figsize=(WIDTH, 4.2), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=[1, 1.25])
    extent = (0, len(heard.scores) * STEP_S, 0, heard.mel.shape[1])
    above.imshow(heard.mel.T, _LOUDNESS, vmin=_QUIETEST, aspect="auto", origin="lower", extent=extent)
    above.set_ylabel("mel band", color=INK)
    plain(above, "What goes in: loudness in 40 bands, every 10 ms")
    example = Example(
        title="What comes out: a score for each word, every 40 ms (dashed: its threshold)",
        start_s=0,
        step_s=STEP_S,
        scores=heard.scores,
        keywords=WORDS,
        thresholds=spotter.thresholds.tolist(),
        said=[each for each in heard.said if each[0] in WORDS],
        events=[(each.keyword, each.time_s) for each in events],
    )
    draw_timeline(below, example)
    return Drawn(figure, ", ".join(f"{each.keyword} at {each.time_s:.2f} s" for each in events))


def recurrence() -> Drawn:
    """The state while a word is heard; and the score of a stream that forgets half of the word."""
    heard = hear()
    rows, times, (start, end) = heard.around()
    spotter = linnet.TriggerWord(WORD)
    stream, cut = spotter.stream(), round(FORGOTTEN_S * 16_000)
    first = stream.process(heard.sound[:cut])
    stream.reset()
    forgetful = np.concatenate((first, stream.process(heard.sound[cut:])))[:, 0]
    whole = heard.scores[:, WORDS.index(WORD)]
    stream = spotter.stream()
    pieces = [stream.process(piece) for piece in np.array_split(heard.sound, 999)]
    agree(np.concatenate(pieces)[:, 0], whole, "scores in pieces")

    figure = Figure(figsize=(WIDTH, 4.6), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=[1.6, 1])
    shown = heard.state[rows]
    turn = np.searchsorted(times, (start - 0.2, end + 0.1))
    shown = shown[:, _by_turning(shown[turn[0] : turn[1]])].T
    extent = (times[0] - STEP_S, times[-1], 0, len(shown))
    drawn = above.imshow(
        shown, _SIGNED, vmin=-1, vmax=1, aspect="auto", extent=extent, interpolation="nearest"
    )
    figure.colorbar(drawn, ax=above, pad=0.01, fraction=0.03, ticks=[-1, 0, 1]).outline.set_visible(False)
    above.set_ylabel(f"{len(shown)} units", color=INK)
    above.set_yticks([])
    plain(above, "The state: a row for each unit of the second GRU, a column every 40 ms")
    below.plot(times, whole[rows], color=BLUE, linewidth=1.8, label="state kept")
    below.plot(
        times, forgetful[rows], color=ORANGE, linewidth=1.8, label=f"state set to 0 at {FORGOTTEN_S} s"
    )
    below.set_ylim(-0.07, 1.12)
    below.set_yticks([0, 0.5, 1])
    below.set_ylabel(f"score of “{WORD}”", color=INK)
    below.set_xlabel("seconds (dashed: the word begins and ends)", color=INK)
    below.legend(frameon=False, loc="upper left", labelcolor=INK)
    plain(below, "")
    for axes in (above, below):
        for time in (start, end):
            axes.axvline(time, color=INK, linewidth=0.8, linestyle=(0, (2, 2)))
    after = forgetful[rows].max()
    return Drawn(figure, f"greatest score {whole.max():.4f}; forgetful from {FORGOTTEN_S} s on: {after:.4f}")


def _by_turning(state: Floats) -> NDArray[np.intp]:
    """Units in the order in which they change their sign; before and after these, those that do not."""
    begins, ends = np.sign(state[0]), np.sign(state[-1])
    moment = np.abs(np.diff(state, axis=0)).argmax(axis=0)
    return np.lexsort((moment * (begins != ends), ends, begins))


def gru_gates() -> Drawn:
    """One unit while a word is heard.

    Of the six units that do most to raise the word's score, it is the one whose state moves least, which is
    the easiest to follow.
    """
    heard = hear()
    rows, times, (start, end) = heard.around()
    share = heard.weight * heard.state
    peak = heard.scores[:, WORDS.index(WORD)].argmax()
    strongest = np.argsort(share[peak] - np.median(share, axis=0))[-6:]
    moves = np.abs(np.diff(heard.state[rows][:, strongest], axis=0)).sum(axis=0)
    unit = strongest[moves.argmin()]

    figure = Figure(figsize=(WIDTH, 4.4), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=[1, 1.2])
    above.plot(times, heard.update[rows, unit], color=BLUE, linewidth=1.8, label="update gate")
    above.plot(times, heard.reset[rows, unit], color=GREEN, linewidth=1.3, label="reset gate")
    above.set_ylim(-0.06, 1.06)
    above.set_yticks([0, 0.5, 1])
    plain(above, f"Unit {unit} of the second GRU while “{WORD}” is said (shaded)")
    below.plot(times, heard.new[rows, unit], color=ORANGE, linewidth=1.3, linestyle="--", label="new value")
    below.plot(times, heard.state[rows, unit], color=INK, linewidth=2, label="state")
    below.set_ylim(-1.12, 1.12)
    below.set_yticks([-1, 0, 1])
    below.set_xlabel("seconds", color=INK)
    plain(below, "")
    for axes in (above, below):
        axes.axvspan(start, end, color=PALE, alpha=0.4, linewidth=0)
        axes.set_xlim(times[0], times[-1])
        axes.legend(
            frameon=False, loc="lower right", bbox_to_anchor=(1, 0.97), ncols=2, labelcolor=INK, borderpad=0
        )
    within = (times > start) & (times <= end)
    return Drawn(
        figure, f"unit {unit}; its update gate falls to {heard.update[rows, unit][within].min():.2f}"
    )
