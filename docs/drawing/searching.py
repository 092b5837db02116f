"""Where the captioner looked, how it searched for words, and where the translator looked."""

from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import onnx
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from onnx import TensorProto
from onnx.helper import make_tensor_value_info

import linnet
from drawing.common import BLUE, DEMOS, GREY, INK, WIDTH, Arrays, Drawn, run
from linnet import plots, zoo
from linnet.image import pixels
from linnet.search import text_of

PHOTO = DEMOS / "photo.jpg"
SENTENCE = "Ein Hund läuft am Strand."
BEAM = 3

_PAD, _END = 0, 2

Place = tuple[int, int]
"""A step of the search, from 0, and a place in its beam."""


@cache
def shipped() -> linnet.Captioner:
    """The captioner that ships, opened once."""
    return linnet.Captioner()


def attention() -> Drawn:
    """Where the captioner looked, as ``linnet caption --heatmap`` draws it."""
    caption = shipped()(PHOTO)
    most = zip(caption.tokens, caption.attention.max(axis=(1, 2)), strict=True)
    shares = ", ".join(f"{word} {share:.0%}" for word, share in most)
    return Drawn(plots.heatmap(PHOTO, caption), f"most that one of 49 places got: {shares}")


def alignment(model: str | Path = "de-en") -> Drawn:
    """Where the translator looked, as ``linnet translate --alignment`` draws it."""
    translation = linnet.Translator(model)(SENTENCE)
    return Drawn(plots.alignment(translation), f"{SENTENCE} = {translation.text}")


@dataclass(frozen=True)
class Node:
    """The last word of a hypothesis that was among the best after a step."""

    parent: int
    """Its place in the beam of the step before."""
    word: str
    score: float
    ended: bool
    """Whether the hypothesis was finished by it, or before it."""


Beams = list[list[Node]]
"""By step, then by place, the best first."""


def searched(beam: int = BEAM) -> Beams:
    """What the search in the captioner's graph kept at each step."""
    settings = shipped().card.caption
    model = onnx.load(zoo.find("captioner").path)
    loop = next(node for node in model.graph.node if node.op_type == "Loop")
    body = next(each.g for each in loop.attribute if each.name == "body")
    best = next(node for node in body.node if node.op_type == "TopK").output
    # What the body of a loop gives besides what it carries on is gathered, step by step.
    every = [f"every_{name}" for name in best]
    for name, gathered, kind in zip(best, every, (TensorProto.FLOAT, TensorProto.INT64), strict=True):
        body.output.append(make_tensor_value_info(name, kind, None))
        loop.output.append(gathered)
        model.graph.output.append(make_tensor_value_info(gathered, kind, None))
    feeds: Arrays = {
        "image": pixels(PHOTO, settings.image_size)[None],
        "beam": np.array(beam),
        "max_length": np.array(settings.max_length),
        "length_penalty": np.array(settings.length_penalty, np.float32),
    }
    scores, chosen = run(model, feeds, every).values()
    beams = []
    for row, of_row in zip(chosen[:, 0], scores[:, 0], strict=True):
        parents, ids = np.divmod(row, len(settings.vocabulary))
        beams.append(
            [
                Node(int(parent), text_of([settings.vocabulary[each]]), float(score), each in (_PAD, _END))
                for parent, each, score in zip(parents, ids, of_row, strict=True)
            ]
        )
    caption = shipped()(PHOTO, beam)
    if said(beams, 0) != caption.text:
        raise SystemExit(f"the steps make {said(beams, 0)!r}, the captioner {caption.text!r}")
    return beams


def path(beams: Beams, place: int) -> list[Place]:
    """Where each word of a hypothesis stands that is at a place after the last step, and its end."""
    places = []
    for step in range(len(beams) - 1, -1, -1):
        places.append((step, place))
        place = beams[step][place].parent
    places.reverse()
    ended = [beams[step][there].ended for step, there in places]
    return places[: ended.index(True) + 1] if True in ended else places


def said(beams: Beams, place: int) -> str:
    """The text of that hypothesis."""
    words = [beams[step][there] for step, there in path(beams, place)]
    return " ".join(node.word for node in words if not node.ended)


def rows_of(beams: Beams) -> dict[Place, int]:
    """The words as a tree whose lines do not cross: a row for each, long branches above short ones."""
    children: dict[Place, list[Place]] = defaultdict(list)
    for step in range(1, len(beams)):
        for place, node in enumerate(beams[step]):
            if not beams[step - 1][node.parent].ended:  # else it only waits
                children[step - 1, node.parent].append((step, place))
    rows: dict[Place, int] = {}

    def length(node: Place) -> int:
        return 1 + max(map(length, children[node]), default=0)

    def lay(node: Place, row: int) -> int:
        """Put a branch on this row and those below, and say which is free."""
        rows[node] = row
        for child in sorted(children[node], key=length, reverse=True):
            row = lay(child, row)
        return max(row, rows[node] + 1)

    free = 0
    for place in range(len(beams[0])):
        free = lay((0, place), free)
    return rows


def beams() -> Drawn:
    """The search as a tree: which hypotheses lived, and which were left behind."""
    nodes = searched()
    rows = rows_of(nodes)
    paths = [path(nodes, place) for place in range(len(nodes[-1]))]
    lived = {place for each in paths for place in each}
    parents = {(step - 1, node.parent) for step, row in enumerate(nodes) for node in row}
    lowest = max(rows.values())
    figure = Figure(figsize=(WIDTH, 0.33 * (lowest + 2.4)), layout="constrained")
    axes = figure.subplots()
    for step in range(len(nodes)):
        _write(axes, step, -1, str(step + 1), GREY)
    _write(axes, len(nodes) - 0.3, -1, "score", GREY)
    _write(axes, -1, -1, "step", GREY)
    _write(axes, -1, 0, "start", BLUE)
    for (step, place), row in rows.items():
        node = nodes[step][place]
        best = (step, place) in paths[0]
        colour = BLUE if best else INK if (step, place) in lived else GREY
        _bend(axes, step, rows[step - 1, node.parent] if step else 0, row, colour, 2 if best else 1.1)
        _write(axes, step, row, "end" if node.ended else node.word, colour)
        if (step, place) not in lived | parents:
            axes.plot(step, row + 0.42, "x", color=GREY, markersize=4)
    for each, node in zip(paths, nodes[-1], strict=True):
        colour = BLUE if each is paths[0] else INK
        _write(
            axes,
            each[-1][0] + 0.7,
            rows[each[-1]],
            f"{node.score:.3f}".replace("-", "\N{MINUS SIGN}"),
            colour,
        )
    axes.set_xlim(-1.4, len(nodes) + 0.1)
    axes.set_ylim(lowest + 0.7, -1.4)
    axes.axis("off")
    found = [f"{said(nodes, place)} {node.score:.3f}" for place, node in enumerate(nodes[-1])]
    greedy, plain = shipped()(PHOTO, beam=1), shipped()(PHOTO, BEAM, length_penalty=0, n_best=2)
    found.append(f"greedy: {greedy} {greedy.score:.3f}")
    found += [f"by sums: {each} {each.score:.3f}" for each in (plain, *plain.alternatives)]
    return Drawn(figure, "; ".join(found))


def _write(axes: Axes, x: float, y: float, text: str, colour: str) -> None:
    box = {"boxstyle": "round,pad=0.18", "facecolor": "white", "edgecolor": "none"}
    style = "italic" if text in ("start", "end") else "normal"
    axes.text(x, y, text, ha="center", va="center", color=colour, fontsize=8.5, style=style, bbox=box)


def _bend(axes: Axes, x: int, before: int, row: int, colour: str, width: float) -> None:
    """A line from the word before, level at both ends."""
    share = np.linspace(0, 1, 20)
    smooth = share * share * (3 - 2 * share)
    axes.plot(x - 1 + share, before + (row - before) * smooth, color=colour, linewidth=width, zorder=0)
