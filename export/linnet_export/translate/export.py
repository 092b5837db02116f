"""`linnet export` for a translator."""

import argparse
import sys

from linnet import Translator
from linnet.errors import UsageError
from linnet_export.checkpoint import Checkpoint
from linnet_export.translate import describe
from linnet_export.translate.graph import to_onnx
from linnet_export.translate.trained import Trained
from linnet_export.translate.verify import check_quantised, say_all, verify
from linnet_export.writing import in_place_of, write
from linnet_training.translate.metrics import measure, table


def export(checkpoint: Checkpoint, args: argparse.Namespace) -> None:
    """Write the file, and print what was measured.

    Raises:
        ExportError: the checkpoint is of another network, the graph differs from it, or 8 bits cost too much.
    """
    if args.picture is not None:
        raise UsageError(
            "--picture is for detectors; see a translator's work with linnet translate --alignment"
        )
    trained = Trained.of(checkpoint)
    precision = args.precision or "int8"
    with in_place_of(args.output) as part:
        graph = to_onnx(trained.network)
        write(graph, describe.card_of(trained, args, "fp32", ()), part)
        alike = verify(trained, Translator(part))
        said = say_all(part, trained.dev)
        note = f"{alike:.1%} of translations as in torch"
        if precision == "int8":
            graph = to_onnx(
                trained.network, [trained.cutter.ids(text) for text in trained.about["calibration"]]
            )
            write(graph, describe.card_of(trained, args, precision, ()), part)
            before, said = said, say_all(part, trained.dev)
            note += f", {check_quantised(before, said, trained.dev):.2f} BLEU lost to 8 bits"
        measured = measure(said, [pair.target for pair in trained.dev])
        write(graph, describe.card_of(trained, args, precision, measured), part)
    print(table(measured))
    print(f"{args.output}: {args.output.stat().st_size / 1e6:.1f} MB, {note}.", file=sys.stderr)
