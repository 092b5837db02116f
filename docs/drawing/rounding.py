"""What 8 bits do to weights."""

import numpy as np
import onnx
from matplotlib.figure import Figure

from drawing.common import BLUE, COOL, INK, ORANGE, WARM, WIDTH, Drawn, Floats, constants, plain
from linnet import zoo
from linnet_export.quantise import quantised

_ROWS = "network.conv2.weight.narrow"
_CHANNELS = "network.encoder.features.17.dw.weight.scale"
_LARGEST = 127
_TICKS = (0.3, 1, 3, 10, 30)


def eight_bits() -> Drawn:
    """A row of weights before and after; and why each row has a scale of its own."""
    # The captioner's file no longer has the weights from before: the row is the detector's.
    rows = constants(onnx.load(zoo.find("alexa").path))[_ROWS].astype(np.float32)
    rows = rows.reshape(len(rows), -1)
    whole, scale = quantised(rows, _LARGEST)
    one, common = quantised(rows.reshape(1, -1), _LARGEST)
    apart, together = _error(whole * scale[:, None], rows), _error(one.reshape(rows.shape) * common, rows)
    greatest = _LARGEST * constants(onnx.load(zoo.find("captioner").path))[_CHANNELS].ravel()

    figure = Figure(figsize=(WIDTH, 3.4), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=[1.25, 1])
    edges = np.arange(-10.625, 10.7, 0.25)
    left.hist(rows[0] / scale[0], edges, color=COOL, label="before")
    left.hist(whole[0], edges, weights=-np.ones(len(whole[0])), color=WARM, label="after")
    left.axhline(0, color=INK, linewidth=0.8)
    left.set_xlim(-10.5, 10.5)
    left.set_xticks(range(-10, 11, 5))
    left.set_yticks([])
    left.set_xlabel(f"weight, in steps of {scale[0]:.4f}", color=INK)
    left.set_ylabel("how many", color=INK)
    left.set_ylim(bottom=1.25 * left.get_ylim()[0])
    left.legend(frameon=False, loc="lower right", ncols=2, labelcolor=INK)
    plain(left, f"The middle of a row of {rows.shape[1]} weights")

    right.plot(np.sort(greatest)[::-1], color=BLUE, linewidth=2)
    step = greatest.max() / _LARGEST
    right.axhline(step, color=ORANGE, linewidth=1.3, linestyle="--")
    right.text(0, 0.9 * step, "one step of a common scale", color=ORANGE, va="top")
    right.set_yscale("log")
    right.set_yticks(_TICKS, [f"{each:g}" for each in _TICKS])
    right.minorticks_off()
    right.set_ylim(bottom=0.5 * step)
    right.set_xlabel("channels, sorted", color=INK)
    right.set_ylabel("greatest weight of each", color=INK)
    plain(right, f"The {len(greatest)} channels of a convolution")
    return Drawn(
        figure,
        f"error with a scale per row {apart:.1%}, with one for all {together:.1%}; "
        f"greatest weight of the median channel: {np.median(greatest) / step:.1f} steps of a common scale",
    )


def _error(rounded: Floats, rows: Floats) -> float:
    """Root mean square of what rounding did to each row, over that of the row; the mean over rows."""
    return float(np.sqrt(((rounded - rows) ** 2).mean(axis=1) / (rows**2).mean(axis=1)).mean())
