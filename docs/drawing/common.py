"""What the pictures share: a look, and a way to see what goes on inside a graph."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from onnx import numpy_helper
from PIL import Image

from linnet_training.plots import COLOURS

DEMOS = Path(__file__).parents[2] / "demos"

BLUE, ORANGE, GREEN = COLOURS[:3]
COOL, WARM = "#3A7CB0", "#E0935C"
"""For areas."""
INK, GREY, PALE = "#333333", "#8C8C8C", "#D9D9D9"
WIDTH = 8.3
"""Inches; GitHub shows a hundred dots of each."""

Floats = NDArray[np.float32]
Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Drawn:
    """A picture, and in words the figures that are in it."""

    figure: Figure | Image.Image
    facts: str


def run(model: onnx.ModelProto, feeds: Arrays, wanted: Sequence[str]) -> Arrays:
    """The outputs of a graph that are wanted, by name."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(model.SerializeToString(), options, ["CPUExecutionProvider"])
    return dict(zip(wanted, session.run(list(wanted), feeds), strict=True))


def constants(model: onnx.ModelProto) -> Arrays:
    """What a graph holds, by name."""
    return {each.name: numpy_helper.to_array(each) for each in model.graph.initializer}


def agree(ours: Floats, theirs: Floats, what: str) -> None:
    """Refuse to draw what the model does not say."""
    apart = float(np.abs(ours - theirs).max())
    if not apart < 1e-3:
        raise SystemExit(f"{what}: what is drawn and what the model gives are {apart:g} apart")


def plain(axes: Axes, title: str) -> None:
    """As little as it takes, and above it what is to be seen."""
    axes.set_title(title, loc="left", fontsize=10, color=INK)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(PALE)
    axes.tick_params(colors=INK, color=PALE)
