"""`linnet export`: checkpoint to one verified, measured file."""

import argparse
from pathlib import Path

from linnet.errors import ExportError
from linnet_training.starting import add_origin

_EXAMPLE = """examples:
  linnet export runs/computer/first/best.ckpt -o computer.onnx
  linnet export runs/captioner/mean.ckpt -o captioner.onnx
  linnet export runs/de-en/best.ckpt -o de-en.onnx
"""


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `export` to the command line."""
    parser = subparsers.add_parser(
        "export",
        help="turn a checkpoint into one model file",
        description="Turn a training checkpoint into one ONNX file. It is written only if onnxruntime "
        "computes what torch does, and its card holds the quality measured on the file itself.",
        epilog=_EXAMPLE,
    )
    parser.add_argument("checkpoint", type=Path, metavar="CHECKPOINT")
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FILE", help="the .onnx file to write"
    )
    add_origin(parser)
    parser.add_argument(
        "--picture",
        type=Path,
        metavar="FILE",
        help="of a detector's trade-off and of examples (default: FILE.png beside it)",
    )
    parser.add_argument(
        "--precision",
        choices=("int8", "fp32"),
        help="of a captioner's or translator's weights: int8, small and fast on processors (default), or "
        "fp32, for onnxruntime-web, where 8 bits are slower",
    )
    parser.set_defaults(run=_export)


def _export(args: argparse.Namespace) -> int:
    if args.output.suffix != ".onnx":
        raise ExportError(f"the output {args.output} must end in .onnx")
    from linnet_export import checkpoint

    content = checkpoint.read(args.checkpoint)
    if content.task == "trigger":
        from linnet_export.trigger.export import export as export_trigger

        export_trigger(content, args)
    elif content.task == "caption":
        from linnet_export.caption.export import export as export_caption

        export_caption(content, args)
    else:
        from linnet_export.translate.export import export as export_translate

        export_translate(content, args)
    return 0
