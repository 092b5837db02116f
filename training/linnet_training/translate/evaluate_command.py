"""`linnet evaluate translate`: how well sentences are translated."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from linnet.cli.progress import watched
from linnet.cli.searching import add_search, search_of
from linnet.settings import TranslateSettings

if TYPE_CHECKING:
    from linnet import Translator
    from linnet_training.translate.data import Pair

_DESCRIPTION = """\
Translate sentences with the model and compare with people's translations: BLEU (cased, and in lower case),
chrF2 and TER as sacreBLEU has them (Post 2018, https://aclanthology.org/W18-6319), each with its signature.
"""
_EXAMPLES = """examples:
  linnet evaluate translate de-en test.de test.en
  linnet evaluate translate mine.onnx test.de.gz test.en.gz --beam 1
"""


def add_translate(tasks: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the task to `linnet evaluate`."""
    translate = tasks.add_parser(
        "translate",
        help="how well sentences are translated",
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
    )
    add = translate.add_argument
    add("model", metavar="MODEL", help="a model file, or the name of a bundled model, such as de-en")
    add("source", metavar="SOURCE", type=Path, help="sentences, one a line; .gz and .xz are unpacked")
    add("reference", metavar="REFERENCE", type=Path, help="their translations by people, line by line")
    add_search(translate, TranslateSettings)
    add("--json", action="store_true", help="print one JSON object instead of a table")
    translate.set_defaults(run=evaluate)


def evaluate(args: argparse.Namespace) -> int:
    """Run `linnet evaluate translate`.

    Raises:
        LinnetError: of the kind that fits, if the model or a text cannot be used.
    """
    # Imported here, because every `linnet --help` imports this module.
    from linnet import Translator
    from linnet_training.translate.data import read_corpora
    from linnet_training.translate.metrics import measure, table

    translator = Translator(args.model)
    (corpus,) = read_corpora([args.source, args.reference], say=lambda note: print(note, file=sys.stderr))
    options = search_of(args, TranslateSettings)
    said = translate_all(translator, corpus.pairs, options)
    measured = measure(said, [pair.target for pair in corpus.pairs])
    if args.json:
        about = {"model": args.model, "source": str(args.source), "reference": str(args.reference), **options}
        print(json.dumps(about | {each.name: each._asdict() for each in measured}, indent=2))
    else:
        print(f"{args.model}: {len(said)} sentences of {args.source}\n\n{table(measured)}")
    return 0


def translate_all(translator: "Translator", pairs: Sequence["Pair"], options: dict[str, Any]) -> list[str]:
    """The model's translation of each sentence, with a bar where somebody watches.

    Args:
        translator: the model.
        pairs: sentences, with translations that are not looked at.
        options: of the search; what is not in there is as the model's card has it.

    Raises:
        LinnetError: an option is out of range, or the model failed.
    """
    found = translator.each((pair.source for pair in pairs), **options)
    return [translation.text for translation in watched(found, len(pairs))]
