"""What the tests of exporting captioners share: a network that nobody has trained, and its graphs."""

import copy

import numpy as np
import pytest
import torch
from shapes import KINDS, picture
from torchvision_like import random_network

from linnet.cli import main
from linnet.image import pixels
from linnet_export.caption import graph
from linnet_training.caption.network import CaptionNetwork
from linnet_training.caption.recipe import Recipe
from linnet_training.sequence.search import END, beam_search
from linnet_training.sequence.vocabulary import Vocabulary

WORDS = 400  # torch's exporter would transpose a smaller embedding, and so store it twice
RECIPE = Recipe(memory=16, hidden=32, output=24, max_words=7, beam=3, length_penalty=0.8)


@pytest.fixture(scope="session")
def recipe():
    return RECIPE


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """Five pictures, 0.png to 4.png."""
    made = tmp_path_factory.mktemp("pictures")
    for number, kind in enumerate(KINDS[::2][:5]):
        picture(*kind, seed=number).save(made / f"{number}.png")
    return made


@pytest.fixture(scope="session")
def images(folder):
    """The same as arrays, (5, 224, 224, 3)."""
    return np.stack([pixels(folder / f"{number}.png", 224) for number in range(5)])


@pytest.fixture(scope="session")
def network(images, tmp_path_factory):
    """A captioner that is sure of what it says, and says other things of other pictures."""
    path = tmp_path_factory.mktemp("weights") / "weights.pth"
    torch.save(random_network(torch.from_numpy(images)).state_dict(), path)
    torch.manual_seed(5)
    made = CaptionNetwork(WORDS, RECIPE.memory, RECIPE.hidden, RECIPE.output)
    made.encoder.load(path)
    made.eval().requires_grad_(False)
    made.project.weight.mul_(2)
    for weight in made.decoder.parameters():
        weight.mul_(2.5)
    made.decoder.bias[END] += 2
    return made


@pytest.fixture(scope="session")
def features(network, images):
    """What the encoder makes of the pictures."""
    return network.encoder(torch.from_numpy(images))


@pytest.fixture(scope="session")
def graphs(network, images):
    """What export makes of the network: "fp32" and "int8"; tests copy them before they change them."""
    parts = graph.parts_of(network)  # seconds, and the same for both
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(graph, "parts_of", lambda _: copy.deepcopy(parts))
        return {"fp32": graph.to_onnx(network), "int8": graph.to_onnx(network, images)}


@pytest.fixture(scope="session")
def vocabulary():
    return Vocabulary.of([[f"w{number}" for number in range(WORDS - 4)]], 1)


@pytest.fixture(scope="session")
def content(network, features, folder, vocabulary):
    """A checkpoint of it; people say of the first four pictures what it says itself, and something else."""
    memory, state = network.begin(features[:4])
    found = beam_search(network.decoder, memory, state, RECIPE.beam, RECIPE.max_words, RECIPE.length_penalty)
    said = [vocabulary.decode(row) for row in found.tokens[:, 0].tolist()]
    about = {
        "task": "caption",
        "inputs": "made by hand",
        "vocabulary": list(vocabulary.pieces),
        "recipe": RECIPE.to_dict(),
        "symmetric_padding": True,
        "cached_layers": 14,
        "pretrained": True,
        "credits": [{"name": "shapes", "source": "drawn", "licence": "CC0", "used_for": "training"}],
        "learnt_from": "5 photographs with 10 captions",
        "calibration": [str(folder / f"{number}.png") for number in range(5)],
        "dev": [[str(folder / f"{n}.png"), [text, f"w{n} w7 w8 w9"]] for n, text in enumerate(said)],
    }
    weights = {f"network.{name}": value for name, value in network.state_dict().items()}
    return {"state_dict": weights, "linnet": about}


@pytest.fixture
def export(content, graphs, tmp_path, monkeypatch):
    """Run `linnet export` on a checkpoint with the given notes changed; returns the exit status."""

    def run(output, *arguments, content=content, graphs=graphs, **changes):
        checkpoint = tmp_path / "checkpoint" / "best.ckpt"
        checkpoint.parent.mkdir(exist_ok=True)
        torch.save({**content, "linnet": {**content["linnet"], **changes}}, checkpoint)
        monkeypatch.setenv("PATH", str(tmp_path))  # no Java
        monkeypatch.setattr(
            "linnet_export.caption.export.to_onnx",
            lambda network, pictures=None: copy.deepcopy(graphs["fp32" if pictures is None else "int8"]),
        )
        return main(["export", str(checkpoint), "-o", str(output), *map(str, arguments)])

    return run
