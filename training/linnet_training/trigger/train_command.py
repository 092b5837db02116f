"""`linnet train trigger`: the command line in front of training."""

import argparse
import re
from pathlib import Path

from linnet.errors import UsageError
from linnet_training.starting import add_credit, add_run, check_output, credits, export, quieten, say

_EXAMPLES = """examples:
  linnet train trigger computer --positives recordings/ --negatives speech/ --noise noise/ -o computer.onnx
  linnet train trigger "hey linnet" -o hey_linnet.onnx      from the phrase alone (needs espeak-ng or such)
  linnet train trigger yes no --speech-commands speech_commands/ -o yes_no.onnx
  linnet train trigger alexa jarvis --manifest data/manifest.csv --recipe recipe.toml -o mine.onnx
"""


def add_trigger(tasks: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the task to `linnet train`."""
    trigger = tasks.add_parser(
        "trigger",
        help="a trigger word, from recordings or from its text",
        description="Train a trigger-word detector and write it as one verified ONNX file.",
        epilog=_EXAMPLES,
    )
    add = trigger.add_argument
    add("keywords", nargs="+", metavar="NAME", help="word or phrase to hear; several share one file")
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
    add("--no-synthesis", action="store_true", help="use recordings only, no text-to-speech")
    add_credit(trigger)
    add_run(trigger)
    trigger.set_defaults(run=_train)


def _train(args: argparse.Namespace) -> int:
    quieten()
    from linnet_training.trigger.data import Corpus
    from linnet_training.trigger.recipe import Recipe
    from linnet_training.trigger.train import Run, train

    keywords = [" ".join(keyword.lower().split()) for keyword in args.keywords]
    if len(set(keywords)) != len(keywords) or not all(re.search(r"\w", keyword) for keyword in keywords):
        raise UsageError("name each word once, in letters")
    check_output(args.output)
    recipe = Recipe.read(args.recipe) if args.recipe else Recipe()
    stated = credits(args.credit, ())
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
    run = Run(
        corpus,
        recipe,
        args.work or Path("runs") / args.output.stem,
        synthesis=not args.no_synthesis,
        mine=args.mine,
        credits=stated,
        say=say,
    )
    return export(train(run), args)
