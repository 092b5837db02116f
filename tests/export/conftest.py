"""What the tests of export share: a network that nobody has trained, its checkpoint and its graph."""

import copy

import pytest
import torch
from words import write_babble, write_words

from linnet.cli import main
from linnet_export.trigger.graph import to_onnx
from linnet_training.trigger.data import Corpus
from linnet_training.trigger.network import TriggerNetwork
from linnet_training.trigger.recipe import Recipe
from linnet_training.trigger.train import Run, about

KEYWORDS = ("rising", "fall ing")


@pytest.fixture(scope="session")
def network():
    """A network as a checkpoint holds it, the scale not folded; its scores vary from one step to the next."""
    torch.manual_seed(3)
    network = TriggerNetwork(len(KEYWORDS)).eval().requires_grad_(False)
    for name, weight in network.named_parameters():
        if name.startswith(("gru", "output.weight")):
            weight *= 2.5
    network.mean.copy_(torch.linspace(-9, -6, 40)[:, None])
    network.scale.copy_(torch.linspace(0.2, 0.5, 40)[:, None])
    network.output.bias.fill_(-1.0)
    return network


@pytest.fixture(scope="session")
def folded(network):
    """The same network as it is exported."""
    copied = copy.deepcopy(network)
    copied.fold_scale()
    return copied


@pytest.fixture(scope="session")
def content(network, tmp_path_factory):
    """What a checkpoint of this network holds, with dev recordings that are there."""
    folder = tmp_path_factory.mktemp("dev")
    corpus = Corpus.empty(KEYWORDS)
    write_words(folder / "words" / "rising", 6, rising=True)
    write_words(folder / "words" / "fall_ing", 6, rising=False)
    corpus.add_positives(folder / "words")
    corpus.add_negatives(write_babble(folder / "speech", 4, seconds=15.0))
    corpus.licences["chirps"] = "CC0"
    corpus.check(text_only=False)
    weights = {f"network.{name}": value for name, value in network.state_dict().items()}
    run = Run(corpus, Recipe(epochs=3), folder)
    return {"state_dict": {**weights, "hardness": torch.ones(3)}, "linnet": about(run, "made by hand")}


@pytest.fixture(scope="session")
def checkpoint(content, tmp_path_factory):
    path = tmp_path_factory.mktemp("checkpoint") / "best.ckpt"
    torch.save(content, path)
    return path


@pytest.fixture(scope="session")
def graph(folded):
    """The exported graph, without a card; tests copy it before they change it."""
    return to_onnx(folded)


@pytest.fixture(scope="session")
def exported(checkpoint, graph, tmp_path_factory):
    """A folder in which `linnet export` has written made.onnx."""
    folder = tmp_path_factory.mktemp("exported")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("linnet_export.trigger.export.to_onnx", lambda network: copy.deepcopy(graph))
        status = main(["export", str(checkpoint), "-o", str(folder / "made.onnx"), "--author", "the tests"])
    assert status == 0
    return folder
