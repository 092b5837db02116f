"""Reading checkpoints, and what is refused of them."""

import copy
import pickle
from pathlib import Path

import pytest
import torch

from linnet.cli import main
from linnet.errors import ExportError
from linnet_export.checkpoint import read
from linnet_export.trigger.trained import Trained


class Bomb:
    """Makes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_the_network_comes_back(checkpoint, network):
    trained = Trained.of(read(checkpoint))
    frames = -7 + 3 * torch.randn(2, 40, 80, generator=torch.Generator().manual_seed(1))
    expected, _ = network(frames, network.initial_state(2))
    got, _ = trained.network(frames, trained.network.initial_state(2))
    torch.testing.assert_close(got, expected, rtol=0, atol=1e-5)
    assert trained.about["keywords"] == ["rising", "fall ing"]
    assert not trained.network.training


def changed(content, **changes):
    """A checkpoint's content with other values in what training noted; None takes one out."""
    about = {**content["linnet"], **changes}
    return {**content, "linnet": {name: value for name, value in about.items() if value is not None}}


def without(content, name):
    weights = {key: value for key, value in content["state_dict"].items() if key != name}
    return {**content, "state_dict": weights}


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda content: {"state_dict": content["state_dict"]}, "not a checkpoint of linnet train"),
        (lambda content: content["state_dict"], "not a checkpoint of linnet train"),
        (lambda content: [1, 2, 3], "not a checkpoint of linnet train"),
        (lambda content: changed(content, task="knitting"), "not a checkpoint of linnet train"),
        (lambda content: changed(content, keywords=["one"]), "another network"),
        (lambda content: changed(content, keywords=None), "another network"),
        (lambda content: changed(content, keywords=7), "another network"),
        (lambda content: changed(content, dev=None), "another network"),
        (lambda content: without(content, "network.conv1.weight"), "another network"),
        (lambda content: without(content, "network.gru2.bias_hh_l0"), "another network"),
        (lambda content: {"linnet": content["linnet"]}, "another network"),
        (lambda content: {**content, "state_dict": 3}, "another network"),
        (
            lambda content: {
                **content,
                "state_dict": {**content["state_dict"], "network.conv1.weight": torch.tensor(1.0)},
            },
            "another network",
        ),
    ],
)
def test_checkpoints_of_something_else(content, tmp_path, make, says):
    path = tmp_path / "other.ckpt"
    torch.save(make(copy.copy(content)), path)
    with pytest.raises(ExportError, match=says) as refused:
        Trained.of(read(path))
    assert "other.ckpt" in str(refused.value)


@pytest.mark.parametrize("keep", [0, 1, 100, 5000, -1000])
def test_damaged_checkpoints(checkpoint, tmp_path, keep):
    path = tmp_path / "damaged.ckpt"
    path.write_bytes(checkpoint.read_bytes()[:keep])
    with pytest.raises(ExportError, match=r"damaged\.ckpt is not a readable checkpoint \(.+\)"):
        read(path)


def test_files_that_are_no_checkpoints(tmp_path):
    with pytest.raises(ExportError, match="there is no checkpoint"):
        read(tmp_path / "missing.ckpt")
    with pytest.raises(ExportError, match="there is no checkpoint"):
        read(tmp_path)
    (tmp_path / "text.ckpt").write_text("hello")
    with pytest.raises(ExportError, match="not a readable checkpoint"):
        read(tmp_path / "text.ckpt")


@pytest.mark.parametrize("save", [torch.save, lambda what, path: path.write_bytes(pickle.dumps(what))])
def test_nothing_in_a_checkpoint_is_executed(tmp_path, save):
    save({"linnet": Bomb(tmp_path / "exploded")}, tmp_path / "bomb.ckpt")
    with pytest.raises(ExportError, match="not a readable checkpoint"):
        read(tmp_path / "bomb.ckpt")
    assert not (tmp_path / "exploded").exists()


def test_the_command_says_so(tmp_path, capsys):
    assert main(["export", str(tmp_path / "missing.ckpt"), "-o", str(tmp_path / "x.onnx")]) == 2
    assert "linnet: there is no checkpoint" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
