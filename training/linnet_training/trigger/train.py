"""From recordings or a phrase to a checkpoint: the steps of `linnet train trigger`, in order."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

import linnet.audio
from linnet.errors import DataError
from linnet_training.checkpoint import trained
from linnet_training.hashes import digest, stamp
from linnet_training.processes import together, wait_for
from linnet_training.starting import Tenths, make_folder
from linnet_training.trigger import warm_start
from linnet_training.trigger.bank import Bank, Kind, Source, build
from linnet_training.trigger.data import Corpus
from linnet_training.trigger.dev import DevStream
from linnet_training.trigger.examples import Examples
from linnet_training.trigger.fit import fit
from linnet_training.trigger.mining import false_alarms
from linnet_training.trigger.network import TriggerNetwork
from linnet_training.trigger.recipe import Recipe
from linnet_training.trigger.spoken import add_spoken
from linnet_training.trigger.stream import ListeningTest, recordings
from linnet_training.trigger.teacher import Teacher

REFRACTORY_S = 1.0
DEV_HOURS = 1.2
"""The dev stream is this long at most; less where there is less than half of it in recordings."""

_SPOKEN_VARIANTS = 3  # no two synthesised clips are alike to begin with

Say = Callable[[str], None]


@dataclass
class Run:
    """What to train, on what, and where its files go."""

    corpus: Corpus
    recipe: Recipe
    folder: Path
    synthesis: bool = True
    mine: Sequence[Path] = ()
    credits: Sequence[Mapping[str, str]] = ()
    """For the card: name, source and licence of what folders hold; a manifest has them of its own."""
    say: Say = field(default=print)


def train(run: Run) -> Path:
    """Train a trigger word and return the best checkpoint; after a kill, it goes on where it was.

    Raises:
        DataError: recordings are missing or too few.
        SynthesisError: a phrase is to be spoken and no engine can.
    """
    corpus, recipe = run.corpus, run.recipe
    mine = [path for folder in run.mine for path in recordings(folder)]
    inputs = _inputs(run)
    bank = _prepared(run, inputs)
    dev = DevStream.of(dev_test(corpus), bool(corpus.noise.dev), REFRACTORY_S)
    network = _network(run, bank)
    checkpoint = fit(recipe, network, bank, dev, run.folder / "first", about(run, inputs))
    if mine:
        network.load_state_dict(trained(checkpoint))
        with Tenths("Mining recordings", len(mine), run.say) as progress:
            mined = false_alarms(network, mine, progress)
        run.say(f"Mining: {len(mined)} false alarms found.")
        if mined:
            with Tenths("Preparing false alarms", len(mined), run.say) as progress:
                more = build(mined, _rooms(corpus), _teacher(recipe), progress=progress)
            bank = Bank.join([bank, more])
            second = replace(recipe, epochs=recipe.mining_epochs, learning_rate=recipe.learning_rate / 2)
            inputs = digest([inputs, *map(stamp, mine)])
            checkpoint = fit(second, network, bank, dev, run.folder / "second", about(run, inputs))
    return checkpoint


def dev_test(corpus: Corpus) -> ListeningTest:
    """The dev recordings as a stream, the same one for training and for the measures in the card."""
    negatives = corpus.speech.dev + corpus.words.dev
    positives = {keyword: split.dev for keyword, split in corpus.positives.items()}
    once = ListeningTest(positives, negatives, corpus.noise.dev)
    hours = min(DEV_HOURS, 2 * once.background_hours)
    return ListeningTest(positives, negatives, corpus.noise.dev, hours=hours)


def about(run: Run, inputs: str) -> dict[str, Any]:
    """What the checkpoint tells export, as plain values; `inputs` names what the run learns from."""
    corpus = run.corpus

    def paths(of: list[Path]) -> list[str]:
        return [str(path.resolve()) for path in of]

    return {
        "task": "trigger",
        "inputs": together(inputs),
        "keywords": list(corpus.keywords),
        "recipe": run.recipe.to_dict(),
        "refractory_s": REFRACTORY_S,
        "origins": corpus.origins,
        "licences": corpus.licences,
        "credits": [dict(credit) for credit in run.credits],
        "recorded": {keyword: len(split.train) for keyword, split in corpus.positives.items()},
        "dev": {
            "positives": {keyword: paths(split.dev) for keyword, split in corpus.positives.items()},
            "negatives": paths(corpus.speech.dev + corpus.words.dev),
            "noise": paths(corpus.noise.dev),
        },
    }


def _inputs(run: Run) -> str:
    """A name for what a run learns from: a changed setting or recording makes it another run.

    Raises:
        DataError: a recording is missing, or there are too few.
    """
    run.corpus.check(text_only=run.synthesis)
    listed = [
        f"{kind} {side} {stamp(path)}"
        for kind, split in run.corpus.splits().items()
        for side, paths in (("train", split.train), ("dev", split.dev))
        for path in paths
    ]
    return digest(
        [f"{run.recipe} {run.corpus.keywords} {run.synthesis}", *listed, *map(stamp, run.corpus.rooms)]
    )


def _prepared(run: Run, inputs: str) -> Bank:
    """Synthesise and build the bank, or read what an earlier try left; the first process does it for all."""
    make_folder(run.folder)
    ready = run.folder / f"bank-{inputs}.npz"
    wait_for(ready)
    if run.synthesis:
        run.say("Speaking what recordings lack: the words, what sounds like them, and other speech.")
        for message in add_spoken(run.corpus, run.recipe, run.folder / "spoken"):
            run.say(message)
    run.corpus.check(text_only=False)
    if ready.is_file():
        return Bank.load(ready)
    listed = sources(run.corpus, run.recipe)
    with Tenths("Preparing recordings", len(listed), run.say) as progress:
        bank = build(listed, _rooms(run.corpus), _teacher(run.recipe), progress=progress)
    left_out = len(listed) - len(np.unique(bank.family))
    if left_out:
        run.say(f"{left_out} of {len(listed)} recordings hold nothing to learn from and were left out.")
    for index, keyword in enumerate(run.corpus.keywords):
        if not np.any(bank.keyword == index):
            raise DataError(f"none of the recordings of '{keyword}' for training can be used; listen to some")
    for stale in run.folder.glob("bank-*.npz"):
        stale.unlink()
    bank.save(ready)
    run.say(f"Bank: {len(bank)} clips, {len(bank.mel) / 360_000:.1f} h.")
    return bank


def sources(corpus: Corpus, recipe: Recipe) -> list[Source]:
    """What goes into the bank, and in how many variants."""
    listed = []
    for index, keyword in enumerate(corpus.keywords):
        split = corpus.positives[keyword]
        listed += [Source(path, Kind.POSITIVE, index, recipe.variants) for path in split.train]
        listed += [Source(path, Kind.POSITIVE, index, _SPOKEN_VARIANTS) for path in split.spoken]
    for split, kind in ((corpus.words, Kind.WORD), (corpus.speech, Kind.SPEECH)):
        listed += [Source(path, kind, variants=recipe.negative_variants) for path in split.train]
        listed += [Source(path, kind) for path in split.spoken]
    listed += [Source(path, Kind.NOISE) for path in corpus.noise.train]
    # Shuffled, so that the work of two processes is even and the progress bar honest.
    return [listed[i] for i in np.random.default_rng(recipe.seed).permutation(len(listed))]


def _teacher(recipe: Recipe) -> type[Teacher] | None:
    return Teacher if recipe.teacher_weight > 0 else None


def _rooms(corpus: Corpus) -> list[np.ndarray]:
    return [linnet.audio.read(path) for path in corpus.rooms]


def _network(run: Run, bank: Bank) -> TriggerNetwork:
    torch.manual_seed(run.recipe.seed)
    network = TriggerNetwork(len(run.corpus.keywords))
    if run.recipe.start_from_shipped and warm_start.begin(network):
        if not any(split.train for split in run.corpus.positives.values()):
            # Synthesised words would teach these layers voices that nobody has.
            network.freeze_hearing()
        return network
    typical = Examples(bank, len(run.corpus.keywords), run.recipe.batch_size).batch(
        [run.recipe.seed], np.ones(len(bank))
    )
    network.normalise_to(typical.mel.transpose(1, 2))
    return network
