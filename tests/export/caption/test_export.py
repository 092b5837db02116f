"""`linnet export` of a captioner: one verified file with what was measured on it, or none."""

import copy

import numpy as np
import pytest
import torch
from onnx import numpy_helper

from linnet import Captioner
from linnet.errors import ExportError
from linnet_export.caption import verify
from linnet_training.caption.data import Photograph
from linnet_training.caption.metrics import measure

ENDLESS = float("inf")


@pytest.fixture
def any_loss(monkeypatch):
    """A network that nobody has trained may lose more by 8 bits than is allowed."""
    monkeypatch.setattr(verify, "MOST_LOST", ENDLESS)


def shifted(graphs, network):
    """The graphs, in the first of which a bias is another."""
    made = copy.deepcopy(graphs)
    bias = network.project.bias.numpy()
    for tensor in made["fp32"].graph.initializer:
        array = numpy_helper.to_array(tensor)
        if array.size == bias.size and np.array_equal(array.ravel(), bias):
            tensor.CopyFrom(numpy_helper.from_array(array[..., ::-1] * 3 + np.float32(1), tensor.name))
            return made
    raise KeyError("project.bias")


def assert_only(folder, **files):
    there = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    assert there == {f"{name}.onnx": text for name, text in files.items()}


def test_a_whole_export(export, content, recipe, any_loss, tmp_path, capsys):
    output = tmp_path / "made.onnx"
    origin = ("--author", "the tests", "--licence", "MIT", "--name", "shapes")
    assert export(output, *origin, language="de") == 0
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["made.onnx"]
    printed, said = capsys.readouterr()
    captioner = Captioner(output)
    card = captioner.card
    assert (card.task, card.name, card.author, card.licence) == ("caption", "shapes", "the tests", "MIT")
    assert (
        card.description == "Says in German what is in a picture. Learnt from 5 photographs with 10 captions."
    )
    assert card.caption.language == "de"
    assert card.recipe == {**recipe.to_dict(), "precision": "int8"}
    assert [(source.name, source.source, source.licence) for source in card.data] == [
        ("shapes", "drawn", "CC0")
    ]
    settings = card.caption
    assert list(settings.vocabulary) == content["linnet"]["vocabulary"]
    assert (settings.beam, settings.max_length, settings.length_penalty) == (3, 7, 0.8)
    assert (settings.image_size, settings.grid) == (224, (7, 7))
    # The figures are those of the file itself.
    dev = content["linnet"]["dev"]
    measured = measure([captioner(path).text for path, _ in dev], [captions for _, captions in dev])
    quality = {each.measure: each for each in card.quality}
    assert quality.keys() == {"CIDEr", "BLEU-4", "ROUGE-L", "BLEU-1", "distinct words"}  # there is no Java
    assert quality["CIDEr"].value == pytest.approx(measured.cider, abs=0.006)
    assert quality["BLEU-1"].value == pytest.approx(measured.bleu[0], abs=0.006)
    assert quality["CIDEr"].condition == "beam 3"
    assert quality["CIDEr"].data == "4 dev pictures, 2 captions each"
    assert measured.table() in printed
    assert "100.0% of captions as in torch" in said
    assert "points of CIDEr lost to 8 bits" in said


def test_in_full_precision(export, content, tmp_path, capsys):
    output = tmp_path / "made.onnx"
    assert export(output, "--precision", "fp32") == 0
    captioner = Captioner(output)
    assert captioner.card.recipe["precision"] == "fp32"
    assert captioner.card.name == "made"
    # It says what people say, which is what the network says.
    assert [captioner(path).text for path, _ in content["linnet"]["dev"]] == [
        captions[0] for _, captions in content["linnet"]["dev"]
    ]
    assert "8 bits" not in capsys.readouterr().err


def test_no_file_without_parity(export, graphs, network, tmp_path, capsys):
    (tmp_path / "x.onnx").write_text("an older file")
    assert export(tmp_path / "x.onnx", graphs=shifted(graphs, network)) == 2
    said = capsys.readouterr().err
    assert said.startswith("linnet: the exported file and the trained network say the same of only")
    assert said.count("\n") == 1
    assert_only(tmp_path, x=b"an older file")


def test_no_file_where_8_bits_cost_too_much(export, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(verify, "MOST_LOST", -ENDLESS)
    (tmp_path / "x.onnx").write_text("an older file")
    assert export(tmp_path / "x.onnx") == 2
    assert "8 bits cost" in capsys.readouterr().err
    assert_only(tmp_path, x=b"an older file")
    assert export(tmp_path / "x.onnx", "--precision", "fp32") == 0


def test_what_is_lost_is_counted_in_points_of_cider(folder):
    references = [
        "a red circle on the left",
        "the blue square at right",
        "green things",
        "nothing here to see",
    ]
    dev = [Photograph(folder / f"{n}.png", "val", (text,)) for n, text in enumerate(references)]
    assert verify.check_quantised(references, references, dev) == 0
    worse = [*references[:3], "no idea"]
    with pytest.raises(ExportError, match=r"8 bits cost \d+\.\d\d points of CIDEr"):
        verify.check_quantised(references, worse, dev)
    assert verify.check_quantised(worse, references, dev) < -1


def test_a_full_disk(export, tmp_path, capsys):
    resource = pytest.importorskip("resource", reason="there is no limit on file sizes to set")
    (tmp_path / "x.onnx").write_text("an older file")
    assert (
        export(tmp_path / "x.onnx", "--picture", "x.png") == 2
    )  # the checkpoint is written before the limit
    capsys.readouterr()
    save, limits = torch.save, resource.getrlimit(resource.RLIMIT_FSIZE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            torch, "save", lambda *_: resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
        )
        try:
            assert export(tmp_path / "x.onnx") == 2
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert torch.save is save
    assert f"linnet: cannot write to {tmp_path}" in capsys.readouterr().err
    assert_only(tmp_path, x=b"an older file")


def test_pictures_that_are_gone(export, content, tmp_path, capsys):
    gone = str(tmp_path / "gone.png")
    dev = [*content["linnet"]["dev"], [gone, ["a dog"]]]
    assert export(tmp_path / "x.onnx", dev=dev) == 2
    assert f"1 of 5 photographs that the captions are of are missing, the first of them {gone}" in (
        capsys.readouterr().err
    )
    assert export(tmp_path / "x.onnx", calibration=[gone]) == 2
    said = capsys.readouterr().err
    assert gone in said
    assert said.count("\n") == 1
    assert_only(tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        {"vocabulary": ["", "<start>", "<end>", "<unknown>", "▁a"]},
        {"vocabulary": 7},
        {"recipe": {"hidden": 32}},
        {"recipe": None},
        {"dev": 7},
        {"dev": [[1, 2, 3]]},
    ],
)
def test_checkpoints_of_another_network(export, tmp_path, capsys, change):
    assert export(tmp_path / "x.onnx", **change) == 2
    assert "best.ckpt holds another network than this version trains" in capsys.readouterr().err
    assert_only(tmp_path)


def test_checkpoints_without_all_weights(export, content, tmp_path, capsys):
    for name in ("decoder.combine.weight", "encoder.features.3.dw.bias", "encoder.mean"):
        weights = {key: value for key, value in content["state_dict"].items() if key != f"network.{name}"}
        assert export(tmp_path / "x.onnx", content={**content, "state_dict": weights}) == 2
        assert "another network" in capsys.readouterr().err
    assert_only(tmp_path)


def test_a_picture_is_not_for_captioners(export, tmp_path, capsys):
    assert export(tmp_path / "x.onnx", "--picture", tmp_path / "x.png") == 2
    assert "--picture is for detectors" in capsys.readouterr().err
    assert_only(tmp_path)
