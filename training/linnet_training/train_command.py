"""`linnet train`: the command line in front of training."""

import argparse
import logging
import os
import re
import sys
import warnings
from pathlib import Path

from linnet.errors import OutputError, UsageError

_EXAMPLES = """examples:
  linnet train trigger computer --positives recordings/ --negatives speech/ --noise noise/ -o computer.onnx
  linnet train trigger "hey linnet" -o hey_linnet.onnx      from the phrase alone (needs espeak-ng or such)
  linnet train trigger yes no --speech-commands speech_commands/ -o yes_no.onnx
  linnet train trigger alexa jarvis --manifest data/manifest.csv --recipe recipe.toml -o mine.onnx
"""


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `train` and its tasks to the command line."""
    train = subparsers.add_parser(
        "train", help="train a model and export it", description="Train a model and export it."
    )
    tasks = train.add_subparsers(dest="task", metavar="TASK", required=True)
    trigger = tasks.add_parser(
        "trigger",
        help="a trigger word, from recordings or from its text",
        description="Train a trigger-word detector and write it as one verified ONNX file.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = trigger.add_argument
    add("keywords", nargs="+", metavar="NAME", help="word or phrase to hear; several share one file")
    add("-o", "--output", type=Path, required=True, metavar="FILE", help="the .onnx file to write")
    add(
        "--positives",
        type=Path,
        metavar="DIR",
        help="recordings of the word (one folder per word inside if there are several)",
    )
    add(
        "--negatives",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="speech without the word; may be repeated",
    )
    add(
        "--noise",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="background sound; may be repeated",
    )
    add(
        "--rooms",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="room impulse responses; may be repeated",
    )
    add("--manifest", type=Path, metavar="CSV", help="a table of recordings: path, kind, keyword, split")
    add("--speech-commands", type=Path, metavar="DIR", help="the Speech Commands layout: a folder per word")
    add(
        "--mine",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="audio without the word to find false alarms in, for a second round; "
        "clips of linnet listen --save will do",
    )
    add("--recipe", type=Path, metavar="TOML", help="settings that differ from the default recipe")
    add("--no-synthesis", action="store_true", help="use recordings only, no text-to-speech")
    add(
        "--work",
        type=Path,
        metavar="DIR",
        help="folder for checkpoints and logs (default: runs/NAME); resumed if it exists",
    )
    trigger.set_defaults(run=_train_trigger)


def _train_trigger(args: argparse.Namespace) -> int:
    # Lightning and torch speak of things our users cannot act on.
    warnings.filterwarnings("ignore", module=r"(lightning|torch)\b")
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    from linnet.cli import main
    from linnet_training.trigger.data import Corpus
    from linnet_training.trigger.recipe import Recipe
    from linnet_training.trigger.train import Run, train

    keywords = [" ".join(keyword.lower().split()) for keyword in args.keywords]
    if len(set(keywords)) != len(keywords) or not all(re.search(r"\w", keyword) for keyword in keywords):
        raise UsageError("Name each word once, in letters.")
    if args.output.suffix != ".onnx":
        raise UsageError(f"The output {args.output} must end in .onnx.")
    _check_writable(args.output)
    recipe = Recipe.read(args.recipe) if args.recipe else Recipe()
    corpus = Corpus.empty(keywords)
    if args.positives:
        corpus.add_positives(args.positives)
    if args.manifest:
        corpus.add_manifest(args.manifest)
    if args.speech_commands:
        corpus.add_speech_commands(args.speech_commands)
    for folder in args.negatives:
        corpus.add_negatives(folder)
    for folder in args.noise:
        corpus.add_noise(folder)
    for folder in args.rooms:
        corpus.add_rooms(folder)
    first = int(os.environ.get("RANK", "0")) == 0
    run = Run(
        corpus,
        recipe,
        args.work or Path("runs") / args.output.stem,
        synthesis=not args.no_synthesis,
        mine=args.mine,
        say=_say if first else lambda message: None,
    )
    checkpoint = train(run)
    # Export is another package, which builds on this one: it is reached as the user would reach it.
    return main(["export", str(checkpoint), "-o", str(args.output)]) if first else 0


def _check_writable(output: Path) -> None:
    """Better now than after half an hour of training."""
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"Cannot make the folder {output.parent}: {error.strerror}.") from error
    if output.is_dir() or not os.access(output.parent, os.W_OK):
        raise OutputError(f"Cannot write {output}; choose another name or place.")


def _say(message: str) -> None:
    print(message, file=sys.stderr, flush=True)
