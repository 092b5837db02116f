"""`linnet train translate`: the command line in front of training."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from linnet.errors import UsageError
from linnet_training.starting import add_credit, add_run, check_output, credits, export, quieten, say

_EXAMPLES = """examples:
  linnet train translate train.de train.en --valid val.de val.en -o de-en.onnx
  linnet train translate train.de.gz train.en.gz more.tsv --weight 2 1 --columns 2,1 --languages de-en \\
      --valid val.de val.en -o de-en.onnx
"""


def add_translate(tasks: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the task to `linnet train`."""
    translate = tasks.add_parser(
        "translate",
        help="a translator, from sentences with their translations",
        description="Train a translator and write it as one verified ONNX file with all it needs.",
        epilog=_EXAMPLES,
    )
    add = translate.add_argument
    add(
        "text",
        metavar="TEXT",
        type=Path,
        nargs="+",
        help="a file of sentences and one of their translations, line by line, or a .tsv file of both; any "
        "number of them; .gz and .xz are unpacked",
    )
    add(
        "--valid",
        metavar="TEXT",
        type=Path,
        nargs="+",
        required=True,
        help="the same for the sentences that training is judged by",
    )
    add(
        "--languages",
        metavar="FROM-TO",
        help='such as de-en (default: from the names of the files, as in "train.de train.en")',
    )
    add(
        "--columns",
        metavar="N,M",
        default="1,2",
        help="columns of the sentence and its translation in .tsv files (default: 1,2)",
    )
    add(
        "--weight",
        metavar="X",
        type=float,
        nargs="+",
        default=[],
        help="how often an epoch holds each corpus, in their order (default: once)",
    )
    add_credit(translate)
    add_run(translate)
    translate.set_defaults(run=_train)


def _train(args: argparse.Namespace) -> int:
    quieten()
    from linnet_training.translate.data import read_corpora
    from linnet_training.translate.recipe import Recipe
    from linnet_training.translate.train import Run, train

    check_output(args.output)
    languages = _languages(args.languages, args.text)
    columns = _columns(args.columns)
    if not all(0 < weight <= 1000 for weight in args.weight):
        raise UsageError("--weight takes numbers above 0 and up to 1000")
    recipe = Recipe.read(args.recipe) if args.recipe else Recipe()
    credits(args.credit, ())  # a wrong one is better said before the text is read
    corpora = read_corpora(args.text, columns, args.weight, say)
    valid = [pair for corpus in read_corpora(args.valid, columns, (), say) for pair in corpus.pairs]
    seen = {pair for corpus in corpora for pair in corpus.pairs}
    if common := sum(pair in seen for pair in valid):
        say(f"{common} of {len(valid)} validation pairs are in the training text too: BLEU will flatter.")
    run = Run(
        languages,
        corpora,
        valid,
        recipe,
        args.work or Path("runs") / args.output.stem,
        credits(args.credit, [(each.name, each.name) for each in corpora]),
        say,
    )
    return export(train(run), args)


def _languages(given: str | None, files: Sequence[Path]) -> tuple[str, str]:
    from linnet_training.translate.data import languages_of

    if given is None:
        found = languages_of(files)
        if found is None:
            raise UsageError("no languages are named; name them, as in --languages de-en")
        return found
    source, dash, target = given.partition("-")
    if not (dash and source.isalpha() and target.isalpha() and source != target):
        raise UsageError(f"--languages takes two, as in de-en, not {given!r}")
    return source, target


def _columns(given: str) -> tuple[int, int]:
    numbers = given.split(",")
    if len(numbers) != 2 or not all(each.strip().isdecimal() and int(each) > 0 for each in numbers):
        raise UsageError(f"--columns takes two numbers from 1, as in 1,2, not {given!r}")
    return int(numbers[0]), int(numbers[1])
