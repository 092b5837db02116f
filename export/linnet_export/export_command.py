"""`linnet export`: checkpoint to one verified, measured file."""

import argparse
import os
import sys
import tempfile
from pathlib import Path

from linnet.errors import ExportError, OutputError

_EXAMPLE = """example:
  linnet export runs/computer/first/best.ckpt -o computer.onnx
"""


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `export` to the command line."""
    parser = subparsers.add_parser(
        "export",
        help="turn a checkpoint into one model file",
        description="Turn a training checkpoint into one ONNX file. It is written only if onnxruntime "
        "computes what torch does, and its card holds the quality measured on the file itself.",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("checkpoint", type=Path, metavar="CHECKPOINT")
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FILE", help="the .onnx file to write"
    )
    parser.add_argument("--author", default="", help="who made it, for the card")
    parser.add_argument("--name", default="", help="name in the card (default: the keywords)")
    parser.add_argument(
        "--licence", default="Apache-2.0", help="licence of the file, for the card (default: Apache-2.0)"
    )
    parser.add_argument(
        "--picture", type=Path, metavar="FILE", help="trade-off and examples (default: FILE.png beside it)"
    )
    parser.set_defaults(run=_export)


def _export(args: argparse.Namespace) -> int:
    if args.output.suffix != ".onnx":
        raise ExportError(f"The output {args.output} must end in .onnx.")
    from linnet import TriggerWord
    from linnet_export import checkpoint, describe
    from linnet_export.trigger import to_onnx
    from linnet_export.verify import verify
    from linnet_training import plots

    picture = args.picture or args.output.with_suffix(".png")
    plots.check_name(picture)
    trained = checkpoint.read(args.checkpoint)
    graph = to_onnx(trained.network)
    folder = args.output.parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(suffix=".part.onnx", dir=folder)
    except OSError as error:
        raise OutputError(f"Cannot write to {folder}: {error.strerror}.") from error
    os.close(handle)
    part = Path(name)
    try:
        describe.write(graph, describe.provisional_card(trained, args), part)
        difference = verify(trained.network, part)
        card = describe.final_card(trained, describe.measure(TriggerWord(part), trained), args)
        describe.write(graph, card, part)
        report = describe.measure(TriggerWord(part), trained)  # with the thresholds that it now has
        part.chmod(0o644)
        part.replace(args.output)
    finally:
        part.unlink(missing_ok=True)
    plots.evaluation(report.curves, report.examples, picture, points=report.points, title=card.name)
    print(report.table())
    print(f"Picture: {picture}", file=sys.stderr)
    size = args.output.stat().st_size / 1000
    print(f"{args.output}: {size:.0f} kB, within {difference:.0e} of the trained network.", file=sys.stderr)
    return 0
