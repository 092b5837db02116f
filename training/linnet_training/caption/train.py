"""From photographs with captions to a checkpoint: the steps of `linnet train caption`, in order."""

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from linnet.errors import DataError, OutputError, RecipeError
from linnet_training import fitting
from linnet_training.caption import data
from linnet_training.caption.batches import Pictures
from linnet_training.caption.data import Photograph, words
from linnet_training.caption.features import Features, trunk_features
from linnet_training.caption.module import CaptionModule, SelfCritical, Supervised
from linnet_training.caption.network import CaptionNetwork
from linnet_training.caption.recipe import Recipe
from linnet_training.checkpoint import PREFIX, trained
from linnet_training.hashes import digest, stamp
from linnet_training.processes import is_first, together, wait_for
from linnet_training.sequence.search import UNKNOWN
from linnet_training.sequence.vocabulary import Vocabulary
from linnet_training.starting import Tenths, make_folder

_CALIBRATION = 128  # pictures that export measures ranges with


@dataclass
class Run:
    """What to train, on what, and where its files go."""

    photographs: Sequence[Photograph]
    recipe: Recipe
    folder: Path
    encoder_weights: Path | None = None
    language: str = "en"
    """Of the captions."""
    credits: Sequence[Mapping[str, str]] = ()
    """For the card: name, source, licence and used_for of what was learnt from."""
    say: Callable[[str], None] = field(default=print)


def train(run: Run) -> Path:
    """Train a captioner and return the best checkpoint; after a kill, it goes on where it was.

    Raises:
        DataError: pictures, captions or weights are missing or cannot be read.
        OutputError: features, a checkpoint or a log cannot be written.
    """
    recipe = run.recipe
    parts = {split: data.of_split(run.photographs, split) for split in ("train", "val")}
    make_folder(run.folder)
    vocabulary = Vocabulary.of(
        (words(c) for each in parts["train"] for c in each.captions), recipe.least_count
    )
    if len(vocabulary) == UNKNOWN + 1:
        raise DataError(
            f"no word occurs {recipe.least_count} times in the captions to learn from; give more of them, or "
            "a recipe with a smaller least_count"
        )
    torch.manual_seed(recipe.seed)
    network = CaptionNetwork(len(vocabulary), recipe.memory, recipe.hidden, recipe.output, recipe.dropout)
    if run.encoder_weights:
        network.encoder.load(run.encoder_weights)
    layers = recipe.cached_layers if run.encoder_weights else 0
    inputs = _inputs(run)
    features = _features(run, network, layers, parts, inputs)
    train_part, dev_part = (
        _pictures(parts[split], vocabulary, features[split]) for split in ("train", "val")
    )
    about = _about(run, vocabulary, inputs, network.encoder.symmetric, layers)

    def stage(name: str, kind: type[CaptionModule], epochs: int) -> Path:
        plan = fitting.Plan(epochs, recipe.seed, "dev_cider", "max", recipe.patience, recipe.averaging)
        path = fitting.fit(
            kind(recipe, network, train_part, dev_part, about), plan, about["inputs"], run.folder / name
        )
        network.load_state_dict(trained(path))
        return path

    network.encoder.requires_grad_(False)
    checkpoint = None
    if (
        recipe.frozen_epochs and run.encoder_weights
    ):  # an encoder that knows nothing is not worth attending to
        checkpoint = stage("frozen", Supervised, recipe.frozen_epochs)
    for layer in network.encoder.features[layers:]:
        layer.requires_grad_(True)
    if recipe.tuned_epochs:
        checkpoint = stage("tuned", Supervised, recipe.tuned_epochs)
    if recipe.self_critical_epochs:
        before = copy.deepcopy(network.state_dict())
        checkpoint = stage("self-critical", SelfCritical, recipe.self_critical_epochs)
        checkpoint = _between(before, checkpoint, recipe.self_critical_share, run.folder / "mean.ckpt")
    if checkpoint is None:
        raise RecipeError("the recipe has no epochs to train; set tuned_epochs, for one")
    return checkpoint


def _between(before: dict[str, torch.Tensor], checkpoint: Path, share: float, output: Path) -> Path:
    """A checkpoint of weights between those before a stage and those after it.

    They say almost as well what rewards ask for, in more words: Wortsman et al. 2022, "Robust Fine-Tuning of
    Zero-Shot Models", https://arxiv.org/abs/2109.01903.
    """
    if not is_first():
        return output
    after = torch.load(checkpoint, map_location="cpu", weights_only=True)
    mean = {
        f"{PREFIX}{name}": torch.lerp(before[name], value, share) if value.is_floating_point() else value
        for name, value in trained(checkpoint).items()
    }
    part = output.with_suffix(".part")
    try:
        torch.save({"state_dict": mean, "linnet": after["linnet"]}, part)
        part.replace(output)
    except OSError as error:
        raise OutputError(f"cannot write {output}: {error.strerror or error}") from error
    return output


def _inputs(run: Run) -> str:
    """A name for what the run learns from: a changed setting, caption or picture makes it another run."""
    parts = [repr(run.recipe), stamp(run.encoder_weights) if run.encoder_weights else "from scratch"]
    parts += [run.language]
    parts += [f"{stamp(each.path)} {each.split} {each.captions}" for each in run.photographs]
    return digest(parts)


def _features(
    run: Run, network: CaptionNetwork, layers: int, parts: dict[str, list[Photograph]], inputs: str
) -> dict[str, Features]:
    """Features of all pictures; the first process works them out for all."""
    made = {}
    for split, photographs in parts.items():
        path = run.folder / f"{split}-{inputs}.npy"
        wait_for(path)
        views = run.recipe.views if split == "train" else 1
        with Tenths(f"Preparing {split} pictures", len(photographs), run.say) as progress:
            made[split] = trunk_features(network.encoder.eval(), layers, photographs, views, path, progress)
    return made


def _pictures(photographs: Sequence[Photograph], vocabulary: Vocabulary, features: Features) -> Pictures:
    captions = [[words(caption) for caption in each.captions] for each in photographs]
    rare: dict[str, int] = {}

    def known(word: str, index: int) -> int:
        return index if word in vocabulary else rare.setdefault(word, len(vocabulary) + len(rare))

    encoded = [[vocabulary.encode(each) for each in of] for of in captions]
    references = [
        [
            [*(known(word, i) for word, i in zip(said, ids, strict=False)), ids[-1]]
            for said, ids in zip(of, codes, strict=True)
        ]
        for of, codes in zip(captions, encoded, strict=True)
    ]
    return Pictures(features, encoded, references)


def _about(run: Run, vocabulary: Vocabulary, inputs: str, symmetric: bool, layers: int) -> dict[str, Any]:
    """What the checkpoint tells export, as plain values."""
    learnt = [each for each in run.photographs if each.split == "train"]
    captions = sum(len(each.captions) for each in learnt)
    return {
        "task": "caption",
        "inputs": together(inputs),
        "language": run.language,
        "vocabulary": list(vocabulary.pieces),
        "recipe": run.recipe.to_dict(),
        "symmetric_padding": symmetric,
        "cached_layers": layers,
        "pretrained": run.encoder_weights is not None,
        "credits": [dict(credit) for credit in run.credits],
        "learnt_from": f"{len(learnt)} photographs with {captions} captions",
        "calibration": [str(each.path.resolve()) for each in learnt[:: max(1, len(learnt) // _CALIBRATION)]],
        "dev": [
            [str(each.path.resolve()), list(each.captions)] for each in run.photographs if each.split == "val"
        ],
    }
