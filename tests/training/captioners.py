"""Tiny captioning runs, on pictures of shapes."""

import torch

from linnet_training.caption.data import read
from linnet_training.caption.recipe import Recipe
from linnet_training.caption.train import Run, train

TINY = Recipe(
    frozen_epochs=1,
    tuned_epochs=2,
    self_critical_epochs=2,
    batch_size=4,
    samples=3,
    hidden=8,
    memory=6,
    output=5,
    least_count=2,
    max_words=8,
    cached_layers=18,
    views=2,
    beam=2,
    averaging=0.5,
)


def tiny_run(shapes, folder, weights, recipe=TINY, said=None):
    """Train in this process, quietly; returns the checkpoint and what was said."""
    said = [] if said is None else said
    photographs = read(shapes / "captions.json", shapes / "photos")
    return train(Run(photographs, recipe, folder, weights, say=said.append)), said


def content(checkpoint):
    return torch.load(checkpoint, map_location="cpu", weights_only=True)


def assert_same_weights(one, other):
    for key in ("state_dict", "current_model_state"):
        expected = content(other)[key]
        for name, value in content(one)[key].items():
            torch.testing.assert_close(value, expected[name], rtol=0, atol=1e-6, msg=name)
