"""`linnet export` for a captioner."""

import argparse
import sys
from pathlib import Path

import numpy as np

from linnet import Captioner
from linnet.errors import UsageError
from linnet.image import pixels
from linnet_export.caption import describe
from linnet_export.caption.graph import to_onnx
from linnet_export.caption.trained import Trained
from linnet_export.caption.verify import check_quantised, say_all, verify
from linnet_export.checkpoint import Checkpoint
from linnet_export.writing import in_place_of, write
from linnet_training.caption.data import check_pictures
from linnet_training.caption.encoder import IMAGE_SIZE
from linnet_training.caption.metrics import measure


def export(checkpoint: Checkpoint, args: argparse.Namespace) -> None:
    """Write the file, and print what was measured.

    Raises:
        DataError: dev pictures are gone.
        ExportError: the checkpoint is of another network, the graph differs from it, or 8 bits cost too much.
    """
    if args.picture is not None:
        raise UsageError("--picture is for detectors; see a captioner's work with linnet caption --heatmap")
    trained = Trained.of(checkpoint)
    check_pictures(trained.dev)
    references = [each.captions for each in trained.dev]
    precision = args.precision or "int8"
    with in_place_of(args.output) as part:
        graph = to_onnx(trained.network)
        write(graph, describe.card_of(trained, args, "fp32", None), part)
        alike = verify(trained.network, Captioner(part), trained.dev)
        said = say_all(part, trained.dev)
        note = f"{alike:.1%} of captions as in torch"
        if precision == "int8":
            examples = np.stack([pixels(Path(path), IMAGE_SIZE) for path in trained.about["calibration"]])
            graph = to_onnx(trained.network, examples)
            write(graph, describe.card_of(trained, args, precision, None), part)
            before, said = said, say_all(part, trained.dev)
            note += f", {check_quantised(before, said, trained.dev):.1f} points of CIDEr lost to 8 bits"
        measured = measure(said, references)
        write(graph, describe.card_of(trained, args, precision, measured), part)
    print(measured.table())
    print(f"{args.output}: {args.output.stat().st_size / 1e6:.1f} MB, {note}.", file=sys.stderr)
