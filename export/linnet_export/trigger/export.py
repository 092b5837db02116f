"""`linnet export` for a trigger word."""

import argparse
import sys

from linnet import TriggerWord
from linnet.errors import UsageError
from linnet_export.checkpoint import Checkpoint
from linnet_export.trigger import describe
from linnet_export.trigger.graph import to_onnx
from linnet_export.trigger.trained import Trained
from linnet_export.trigger.verify import verify
from linnet_export.writing import in_place_of, write
from linnet_training import plots


def export(checkpoint: Checkpoint, args: argparse.Namespace) -> None:
    """Write the file and its picture, and print what was measured.

    Raises:
        ExportError: the checkpoint is of another network, or the graph differs from it.
    """
    if args.precision is not None:
        raise UsageError(
            "--precision is for captioners and translators; detectors are stored in half precision"
        )
    picture = args.picture or args.output.with_suffix(".png")
    plots.check_name(picture)
    trained = Trained.of(checkpoint)
    graph = to_onnx(trained.network)
    with in_place_of(args.output) as part:
        write(graph, describe.provisional_card(trained, args), part)
        difference = verify(trained.network, part)
        card = describe.final_card(trained, describe.measure(TriggerWord(part), trained), args)
        write(graph, card, part)
        report = describe.measure(TriggerWord(part), trained)  # with the thresholds that it now has
    plots.evaluation(report.curves, report.examples, picture, points=report.points, title=card.name)
    print(report.table())
    print(f"Picture: {picture}", file=sys.stderr)
    size = args.output.stat().st_size / 1000
    print(f"{args.output}: {size:.0f} kB, within {difference:.0e} of the trained network.", file=sys.stderr)
