"""The pictures: that they are written, whole, in the format asked for, and show what they are given."""

import dataclasses
import struct
import sys

import numpy as np
import pytest

from linnet.errors import OutputError, UsageError
from linnet_training import plots
from linnet_training.trigger.evaluate import Curve


def curve(*points):
    """A curve of (threshold, false alarms per hour, miss rate)."""
    thresholds, rates, misses = np.array(points, dtype=float).T
    return Curve(thresholds, rates, misses, positives=10, hours=2.0)


CURVE = curve((1.0, 0, 1.0), (0.9, 0, 0.4), (0.5, 1, 0.2), (0.4, 0.5, 0.3), (0.1, 30, 0.0))
EXAMPLE = plots.Example(
    title="heard",
    start_s=61.0,
    step_s=0.04,
    scores=np.linspace(0, 1, 1000).reshape(500, 2),
    keywords=("computer", "jarvis"),
    thresholds=(0.5, 0.6),
    said=(("computer", (60.0, 64.0)), ("alexa", (70.0, 90.0))),
    events=(("computer", 63.0), ("jarvis", 81.0)),
)


def size(path):
    """Width and height of a PNG file."""
    head = path.read_bytes()[:24]
    assert head[:8] == b"\x89PNG\r\n\x1a\n"
    return struct.unpack(">II", head[16:])


def test_the_tradeoff_is_drawn(tmp_path):
    plots.detection_tradeoff({"computer": {"clean": CURVE}}, tmp_path / "one.png")
    many = {f"word {i}": {"clean": CURVE, "10 dB": CURVE, "0 dB": CURVE} for i in range(9)}
    plots.detection_tradeoff(many, tmp_path / "many.png", {"word 3": {"10 dB": (50.0, 0.9)}})
    assert size(tmp_path / "one.png") == size(tmp_path / "many.png")


def test_one_picture_may_hold_everything(tmp_path):
    curves = {"computer": {"clean": CURVE}}
    plots.evaluation(curves, [EXAMPLE, EXAMPLE], tmp_path / "all.png", title="a model")
    plots.evaluation(curves, [EXAMPLE], tmp_path / "one.png")
    plots.evaluation(curves, [], tmp_path / "none.png")
    assert size(tmp_path / "all.png")[1] > size(tmp_path / "one.png")[1] > size(tmp_path / "none.png")[1]


def test_names_are_not_taken_for_formulas(tmp_path):
    name = r"a $\nonsense{$ name"
    example = dataclasses.replace(
        EXAMPLE, title=name, keywords=(name, "b"), said=((name, (62.0, 63.0)),), events=()
    )
    plots.evaluation({name: {"clean": CURVE}}, [example], tmp_path / "p.svg", title=name)
    assert (tmp_path / "p.svg").stat().st_size > 10_000


def test_the_line_is_the_best_that_keeps_to_each_rate():
    rates, misses = plots._staircase(CURVE)
    assert rates.tolist() == [0, 0.5, 1, 30, 30]
    assert misses.tolist() == [40, 30, 20, 0, 0]
    assert all(100 * CURVE.miss_at(rate) == miss for rate, miss in zip(rates, misses, strict=True))


def test_nothing_global_is_touched(tmp_path):
    sys.modules.pop("matplotlib.pyplot", None)
    plots.evaluation({"computer": {"clean": CURVE}}, [EXAMPLE], tmp_path / "p.png")
    assert "matplotlib.pyplot" not in sys.modules


@pytest.mark.parametrize("name", ["picture", "picture.doc", "picture."])
def test_an_unknown_format_is_refused(tmp_path, name):
    with pytest.raises(UsageError, match=r"name it with \.png"):
        plots.check_name(tmp_path / name)
    with pytest.raises(UsageError):
        plots.evaluation({"computer": {"clean": CURVE}}, [EXAMPLE], tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_place_that_cannot_be_written_is_said(tmp_path):
    with pytest.raises(OutputError, match="cannot write"):
        plots.evaluation({"computer": {"clean": CURVE}}, [EXAMPLE], tmp_path / "missing/p.png")
