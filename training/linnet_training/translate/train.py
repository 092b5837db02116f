"""From parallel text to a checkpoint: the steps of `linnet train translate`, in order."""

import hashlib
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from linnet.errors import DataError
from linnet_training import fitting
from linnet_training.processes import together
from linnet_training.starting import make_folder, shown
from linnet_training.translate.batches import Batches
from linnet_training.translate.data import Corpus, Pair
from linnet_training.translate.module import TranslationModule
from linnet_training.translate.network import TranslationNetwork
from linnet_training.translate.pieces import Cutter, learn_pieces
from linnet_training.translate.recipe import Recipe

_FEWEST = 2
_CALIBRATION = 64  # sentences that export measures ranges with


@dataclass
class Run:
    """What to train, on what, and where its files go."""

    languages: tuple[str, str]
    train: Sequence[Corpus]
    dev: Sequence[Pair]
    recipe: Recipe
    folder: Path
    credits: Sequence[Mapping[str, str]] = ()
    """For the card: name, source, licence and used_for of what was learnt from."""
    say: Callable[[str], None] = field(default=print)


def train(run: Run) -> Path:
    """Train a translator and return the best checkpoint; after a kill, it goes on where it was.

    Raises:
        DataError: there is too little text.
        OutputError: a checkpoint or a log cannot be written.
    """
    recipe = run.recipe
    pairs = [pair for corpus in run.train for pair in corpus.pairs]
    if len(pairs) < _FEWEST:
        raise DataError("one pair of sentences is too little to learn from; give thousands")
    make_folder(run.folder)
    run.say(f"Learning the pieces of words from {len(pairs)} pairs of sentences, then cutting these up.")
    model = learn_pieces(shown((side for pair in pairs for side in pair), 2 * len(pairs)), recipe.vocabulary)
    cutter = Cutter(model)
    torch.manual_seed(recipe.seed)
    network = TranslationNetwork(
        len(cutter),
        recipe.output,
        recipe.encoder_hidden,
        recipe.encoder_layers,
        recipe.hidden,
        recipe.layers,
        recipe.dropout,
        recipe.recurrent_dropout,
    )
    first = Batches(run.train, cutter, recipe, [recipe.seed, 0], shown=shown)
    run.say(
        f"{len(pairs)} pairs, {len(cutter)} pieces; {len(first)} batches an epoch, "
        f"{first.padding:.1%} of it padding."
    )
    about = _about(run, model, pairs)
    plan = fitting.Plan(recipe.epochs, recipe.seed, "dev_bleu", "max", recipe.patience, recipe.averaging)
    module = TranslationModule(recipe, network, cutter, run.train, run.dev, about)
    return fitting.fit(module, plan, about["inputs"], run.folder)


def _about(run: Run, model: bytes, pairs: Sequence[Pair]) -> dict[str, Any]:
    """What the checkpoint tells export, as plain values."""
    return {
        "task": "translate",
        "inputs": together(_inputs(run)),
        "languages": list(run.languages),
        "sentencepiece": b64encode(model).decode(),
        "recipe": run.recipe.to_dict(),
        "credits": [dict(credit) for credit in run.credits],
        "learnt_from": f"{len(pairs)} pairs of sentences",
        "calibration": [pair.source for pair in pairs[:: max(1, len(pairs) // _CALIBRATION)]][:_CALIBRATION],
        "dev": [list(pair) for pair in run.dev],
    }


def _inputs(run: Run) -> str:
    """A name for what the run learns from: a changed setting or sentence makes it another run."""
    digest = hashlib.sha256(repr((run.recipe, run.languages, run.dev)).encode(errors="surrogateescape"))
    for corpus in run.train:
        digest.update(f"{corpus.weight}".encode())
        for pair in corpus.pairs:
            digest.update(f"{pair.source}\t{pair.target}\n".encode(errors="surrogateescape"))
    return digest.hexdigest()[:12]
