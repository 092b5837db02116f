"""`linnet train caption` at the command line: from captions and pictures to a file that is opened."""

import copy
import json

import pytest
from PIL import Image

from linnet import Captioner
from linnet.cli import main
from linnet_export.caption import graph, verify

RECIPE = """
frozen_epochs = 1
tuned_epochs = 0
self_critical_epochs = 0
batch_size = 4
hidden = 8
memory = 6
output = 5
least_count = 2
max_words = 8
cached_layers = 18
views = 1
beam = 2
"""


@pytest.fixture
def train(shapes, weights_file, tmp_path):
    """Run `linnet train caption` on the shapes, other arguments given by name; returns the exit status."""
    (tmp_path / "tiny.toml").write_text(RECIPE)

    def run(*more, captions=shapes / "captions.json", output=tmp_path / "made.onnx", **options):
        given = {
            "images": shapes / "photos",
            "encoder-weights": weights_file,
            "recipe": tmp_path / "tiny.toml",
        }
        given |= {"work": tmp_path / "work"} | {
            name.replace("_", "-"): each for name, each in options.items()
        }
        named = [text for name, value in given.items() for text in (f"--{name}", str(value))]
        return main(["train", "caption", str(captions), "-o", str(output), *named, *more])

    return run


@pytest.fixture
def exported_at_once(monkeypatch, tmp_path):
    """Export without Java, and without torch exporting the same network twice; whatever 8 bits cost."""
    made, parts_of = [], graph.parts_of

    def once(network):
        made.extend([] if made else [parts_of(network)])
        return copy.deepcopy(made[0])

    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(graph, "parts_of", once)
    monkeypatch.setattr(verify, "MOST_LOST", float("inf"))


def test_the_whole_way(train, exported_at_once, shapes, tmp_path, capsys):
    credits = ("--credit", "My shapes; drawn ; CC0", "--credit", "Weights; somebody; MIT")
    assert train(*credits, language="de") == 0
    printed, said = capsys.readouterr()
    assert "CIDEr" in printed
    assert "Preparing train pictures: 8 of 8." in said
    assert f"{tmp_path / 'made.onnx'}: " in said
    assert sorted(path.name for path in tmp_path.iterdir()) == ["made.onnx", "tiny.toml", "work"]
    captioner = Captioner(tmp_path / "made.onnx")
    named = [(each.name, each.source, each.licence) for each in captioner.card.data]
    assert named == [("My shapes", "drawn", "CC0"), ("Weights", "somebody", "MIT")]
    assert (captioner.card.licence, captioner.card.author) == ("not stated", "not stated")
    assert captioner.card.caption.language == "de"
    assert captioner.card.recipe["frozen_epochs"] == 1
    caption = captioner(shapes / "photos" / "0.png")
    assert caption.attention.shape == (len(caption.tokens), 7, 7)


@pytest.fixture
def stopped(monkeypatch):
    """Stop before anything is trained; what would have been is kept."""
    runs = []
    monkeypatch.setattr("linnet_training.caption.train.train", lambda run: runs.append(run) or "best.ckpt")
    monkeypatch.setattr("linnet_training.caption.train_command.export", lambda *_: 0)
    return runs


def test_what_the_arguments_come_to(train, stopped, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert train() == 0
    assert (stopped[0].recipe.hidden, stopped[0].folder) == (8, tmp_path / "work")
    assert [each.split for each in stopped[0].photographs] == ["train"] * 8 + ["val"] * 4
    (credit,) = stopped[0].credits
    assert (credit["name"], credit["source"], credit["licence"]) == (
        "captions",
        "captions.json",
        "not stated",
    )
    assert "encoder" not in capsys.readouterr().err


def test_defaults(shapes, stopped, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    command = ["train", "caption", str(shapes / "captions.json"), "--images", str(shapes / "photos")]
    assert main([*command, "-o", "some/name.onnx"]) == 0
    assert stopped[0].encoder_weights is None
    assert (str(stopped[0].folder), stopped[0].recipe.hidden) == ("runs/name", 512)
    assert "Without --encoder-weights the encoder has never seen anything" in capsys.readouterr().err
    assert (tmp_path / "some").is_dir()


def test_captions_whose_file_has_a_semicolon_in_its_name(train, stopped, shapes, tmp_path):
    copied = tmp_path / "a;b.json"
    copied.write_text((shapes / "captions.json").read_text())
    assert train(captions=copied) == 0
    assert [each["source"] for each in stopped[0].credits] == ["a;b.json"]


@pytest.mark.parametrize("credit", ["My photos", "a; b", "a; b; c; d", "a;;c", ";;", ""])
def test_credits_that_are_refused(train, stopped, capsys, credit):
    assert train("--credit", credit) == 2
    assert f"linnet: --credit takes 'NAME; SOURCE; LICENCE', not {credit!r}\n" in capsys.readouterr().err
    assert not stopped


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"captions": "missing.json"}, "cannot read the captions file missing.json"),
        ({"captions": "broken.json"}, "is not JSON"),
        ({"captions": "other.csv"}, "neither JSON nor a CSV table"),
        ({"captions": "gone.csv"}, "2 of 2 photographs that the captions are of are missing"),
        ({"captions": "text.csv", "images": "."}, "1 of 2 photographs cannot be read as pictures"),
        ({"images": "nowhere"}, "there is no folder nowhere"),
        ({"recipe": "missing.toml"}, "cannot read the recipe missing.toml"),
        ({"recipe": "typing.toml"}, "unknown setting 'hiden'"),
        ({"recipe": "broken.toml"}, "is not valid TOML"),
        ({"recipe": "range.toml"}, "cached_layers must be from 0 to 18, not 19"),
        ({"encoder_weights": "missing.npz"}, "there is no file missing.npz with encoder weights"),
        ({"encoder_weights": "broken.pth"}, "broken.pth holds no encoder weights that can be read"),
        ({"language": "de-at"}, "--language takes one, as in de, not 'de-at'"),
        ({"output": "made.tflite"}, "must end in .onnx"),
        ({"output": "broken.pth/made.onnx"}, "cannot make the folder broken.pth"),
        ({"output": "folder.onnx"}, "cannot write folder.onnx"),
        ({"work": "broken.pth"}, "cannot make the folder broken.pth"),
    ],
    ids=lambda value: None if isinstance(value, str) else "-".join(value) + "-" + next(iter(value.values())),
)
def test_what_is_refused_is_said_in_a_sentence(train, tmp_path, monkeypatch, capsys, options, says):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "broken.json").write_text('{"images": [')
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    (tmp_path / "gone.csv").write_text("image,caption\na.png,a dog\nb.png,a cat\n")
    Image.new("RGB", (8, 8)).save(tmp_path / "black.png")
    (tmp_path / "text.png").write_text("this is no picture")
    (tmp_path / "text.csv").write_text("image,caption\nblack.png,a dog\ntext.png,a cat\n")
    (tmp_path / "typing.toml").write_text("hiden = 8")
    (tmp_path / "broken.toml").write_text("hidden = = 8")
    (tmp_path / "range.toml").write_text("cached_layers = 19")
    (tmp_path / "broken.pth").write_bytes(b"no weights")
    (tmp_path / "folder.onnx").mkdir()
    assert train(**options) == 2
    printed, said = capsys.readouterr()
    sentences = [line for line in said.splitlines() if "has no split 'val'" not in line]
    assert len(sentences) == 1
    assert sentences[0].startswith("linnet: ")
    assert says in sentences[0]
    assert printed == ""
    assert not list(tmp_path.rglob("made.onnx"))


def test_captions_without_dev_photographs_get_some(train, stopped, shapes, tmp_path, capsys):
    content = json.loads((shapes / "captions.json").read_text())
    for image in content["images"]:
        image["split"] = "train"
    (tmp_path / "all.json").write_text(json.dumps(content))
    assert train(captions=tmp_path / "all.json") == 0
    splits = [each.split for each in stopped[0].photographs]
    assert 0 < splits.count("val") < len(splits) == 12
    assert "all.json has no split 'val'" in capsys.readouterr().err
