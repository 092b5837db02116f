"""`linnet evaluate caption`, with a captioner that says the colour of the first pixel."""

import argparse
import json
from types import SimpleNamespace

import pytest
from PIL import Image

import linnet
from linnet.cli import main
from linnet.errors import CardError, DataError
from linnet_training import evaluate_command

COLOURS = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255)}


class Stub:
    """As `linnet.Captioner`; with a beam of 1 it has but one thing to say."""

    calls: list

    def __init__(self, model):
        if model == "trigger.onnx":
            raise CardError("trigger.onnx is a trigger model, not a captioner")
        Stub.calls = []

    def each(self, pictures, **options):
        Stub.calls.append((list(pictures), options))
        for picture in pictures:
            yield SimpleNamespace(text=self._text(picture, **options))

    def _text(self, picture, beam=5, length_penalty=0.7):
        with Image.open(picture) as image:
            colour = image.getpixel((0, 0))
        name = next(name for name, value in COLOURS.items() if value == colour)
        return "a red picture" if beam == 1 else f"a {name} picture"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Forty photographs, a quarter each for val and test; in the folder of the test."""
    monkeypatch.setattr(linnet, "Captioner", Stub, raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))  # no Java
    (tmp_path / "photos").mkdir()
    images = []
    for number in range(40):
        colour = list(COLOURS)[number % 3]
        Image.new("RGB", (4, 4), COLOURS[colour]).save(tmp_path / f"photos/{number}.png")
        captions = [f"A {colour} picture .", f"All is {colour} and plain ."]
        split = ["train", "train", "val", "test"][number % 4]
        images.append(
            {"filename": f"{number}.png", "split": split, "sentences": [{"raw": text} for text in captions]}
        )
    (tmp_path / "captions.json").write_text(json.dumps({"images": images}))
    return tmp_path


def run_command(*arguments):
    """Parse and run `linnet evaluate caption ...`."""
    parser = argparse.ArgumentParser()
    evaluate_command.register(parser.add_subparsers())
    args = parser.parse_args(["evaluate", "caption", *map(str, arguments)])
    return args.run(args)


COMMAND = ("model.onnx", "captions.json", "--images", "photos")


def test_the_table(folder, capsys):
    assert run_command(*COMMAND) == 0
    printed, notes = capsys.readouterr()
    lines = printed.splitlines()
    assert lines[0] == "model.onnx: 10 photographs of split 'val' of captions.json"
    assert lines[2].split() == ["BLEU-1", "BLEU-2", "BLEU-3", "BLEU-4", "METEOR", "ROUGE-L", "CIDEr"]
    assert lines[3].split()[:3] == ["100.0", "100.0", "100.0"]  # there are no four words
    assert lines[3].split()[4:6] == ["-", "100.0"]
    assert lines[5].startswith("5 distinct words, 3.0 words a caption, 0.0 % of the captions are not in the")
    assert "METEOR is left out" in notes
    assert "10 photographs tell little" in notes
    # All of val and nothing else, in its order, by what the card says of the search.
    assert [path.name for paths, _ in Stub.calls for path in paths] == [f"{4 * i + 2}.png" for i in range(10)]
    assert all(options == {"beam": None, "length_penalty": None} for _, options in Stub.calls)


def test_json_says_the_same(folder, capsys):
    run_command(*COMMAND, "--json")
    printed, notes = capsys.readouterr()
    found = json.loads(printed)
    assert found["photographs"] == 10
    assert (found["model"], found["captions"], found["split"]) == ("model.onnx", "captions.json", "val")
    assert (found["beam"], found["length_penalty"], found["meteor"]) == (None, None, None)
    assert found["bleu_1"] == pytest.approx(100)
    assert found["unseen_share"] == 0
    assert [f"note: {note}" for note in found["notes"]] == notes.splitlines()


def test_options_of_the_search_are_handed_on(folder, capsys):
    run_command(*COMMAND, "--beam", "1", "--length-penalty", "0.5", "--json")
    found = json.loads(capsys.readouterr().out)
    assert (found["beam"], found["length_penalty"]) == (1, 0.5)
    assert all(options == {"beam": 1, "length_penalty": 0.5} for _, options in Stub.calls)
    assert found["distinct_words"] == 3
    assert found["bleu_1"] < 90


def test_a_limit_and_other_splits(folder, capsys):
    run_command(*COMMAND, "--split", "test", "--limit", "3", "--json")
    found = json.loads(capsys.readouterr().out)
    assert [path.name for path in Stub.calls[0][0]] == ["3.png", "7.png", "11.png"]
    assert any("only the first 3 of 10 photographs" in note for note in found["notes"])
    run_command(*COMMAND, "--split", "all", "--json")
    found = json.loads(capsys.readouterr().out)
    assert found["photographs"] == 40
    assert found["unseen_share"] is None
    assert [len(paths) for paths, _ in Stub.calls] == [40]


def test_a_split_that_was_drawn_is_said(folder, capsys):
    lines = [f"{number}.png,a {list(COLOURS)[number % 3]} picture" for number in range(40)]
    (folder / "captions.csv").write_text("\n".join(["image,caption", *lines]))
    run_command("model.onnx", "captions.csv", "--images", "photos")
    _, notes = capsys.readouterr()
    assert "note: captions.csv has no split 'val'" in notes
    run_command("model.onnx", "captions.csv", "--images", "photos", "--split", "all")
    assert "no split" not in capsys.readouterr().err


def test_only_pictures_of_the_split_are_needed(folder):
    (folder / "photos/0.png").unlink()
    assert run_command(*COMMAND) == 0
    with pytest.raises(DataError, match=r"1 of 20 photographs .* missing, the first of them photos/0\.png"):
        run_command(*COMMAND, "--split", "train")


@pytest.mark.parametrize(
    ("arguments", "error", "sentence"),
    [
        (["trigger.onnx", "captions.json", "--images", "photos"], CardError, "not a captioner"),
        (
            ["model.onnx", "nowhere.json", "--images", "photos"],
            DataError,
            "cannot read the captions file nowhere",
        ),
        (["model.onnx", "captions.json", "--images", "nowhere"], DataError, "no folder nowhere"),
        ([*COMMAND, "--split", "dev"], DataError, "no photographs of split 'dev'; there are 'train' (20)"),
        (["model.onnx", "broken.csv", "--images", "."], DataError, "1 of 1 photographs cannot be read"),
    ],
)
def test_what_cannot_be_used_is_said(folder, arguments, error, sentence):
    (folder / "text.png").write_text("this is no picture")
    (folder / "broken.csv").write_text("image,caption,split\ntext.png,a dog,val\nother.png,a cat,train\n")
    with pytest.raises(error) as raised:
        run_command(*arguments)
    assert sentence in str(raised.value)


@pytest.mark.parametrize(
    "arguments",
    [["--limit", "-1"], ["--limit", "0"], ["--limit", "1.5"]],
)
def test_numbers_out_of_range_are_refused(capsys, arguments):
    with pytest.raises(SystemExit) as stopped:
        run_command(*COMMAND, *arguments)
    assert stopped.value.code == 2
    assert "must be" in capsys.readouterr().err


def test_a_real_model_file(folder, monkeypatch, tiny_captioner, tiny_model, capsys):
    monkeypatch.undo()  # the stub
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PATH", str(folder))
    command = ["captions.json", "--images", "photos", "--json"]
    assert main(["evaluate", "caption", str(tiny_captioner), *command]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["photographs"], found["distinct_words"], found["unseen_share"]) == (10, 5, 0)
    assert found["bleu_3"] == pytest.approx(100)
    assert main(["evaluate", "caption", str(tiny_model), *command]) == 2
    assert "is a trigger model, not a caption" in capsys.readouterr().err
    photo = folder / "photos/2.png"
    Image.effect_noise((64, 64), 50).save(photo)
    photo.write_bytes(photo.read_bytes()[:1000])  # a picture by its header, and then nothing
    assert main(["evaluate", "caption", str(tiny_captioner), *command]) == 2
    assert "2.png" in capsys.readouterr().err
