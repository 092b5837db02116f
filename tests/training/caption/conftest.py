"""What the tests of captioning share: pictures of shapes, and an encoder that nobody has trained."""

import numpy as np
import pytest
import torch
from captioners import tiny_run
from shapes import KINDS, picture, write_pictures
from torchvision_like import random_network


@pytest.fixture(scope="session")
def pictures():
    """uint8 (pictures, 224, 224, 3)."""
    made = [picture(*kind, seed=3).resize((224, 224)) for kind in KINDS[::2]]
    return torch.from_numpy(np.stack([np.asarray(each) for each in made]))


@pytest.fixture(scope="session")
def reference(pictures):
    """A network as torchvision has it."""
    return random_network(pictures)


@pytest.fixture(scope="session")
def weights_file(reference, tmp_path_factory):
    """Its state dict; do not change the file."""
    path = tmp_path_factory.mktemp("weights") / "mobilenet_v2.pth"
    torch.save(reference.state_dict(), path)
    return path


@pytest.fixture(scope="session")
def shapes(tmp_path_factory):
    """A folder with captions.json and photos; tests must not change it."""
    folder = tmp_path_factory.mktemp("shapes")
    write_pictures(folder, train=8, val=4)
    return folder


@pytest.fixture(scope="session")
def trained(shapes, weights_file, tmp_path_factory):
    """The folder of a tiny run, all stages finished; tests must not change it."""
    folder = tmp_path_factory.mktemp("trained")
    tiny_run(shapes, folder, weights_file)
    return folder
