"""Whole tiny translation runs, at the command line and below it."""

from dataclasses import replace

import pytest
import torch

from linnet import Translator
from linnet.cli import main
from linnet.errors import DataError
from linnet_training import fitting
from linnet_training.translate.data import Corpus
from linnet_training.translate.module import TranslationModule
from linnet_training.translate.recipe import Recipe
from linnet_training.translate.train import Run, train

TINY = Recipe(
    vocabulary=400,
    output=16,
    encoder_hidden=12,
    encoder_layers=1,
    hidden=16,
    epochs=2,
    batch_tokens=600,
    averaging=0.5,
    most_pieces=30,
    beam=2,
)


def tiny_run(corpus, folder, recipe=TINY):
    said = []
    dev = corpus.pairs[:8]
    return train(Run(("xx", "yy"), [corpus], dev, recipe, folder, say=said.append)), said


def content(checkpoint):
    return torch.load(checkpoint, map_location="cpu", weights_only=True)


@pytest.fixture(scope="module")
def trained(corpus, tmp_path_factory):
    return tiny_run(corpus, tmp_path_factory.mktemp("runs"))


def test_what_a_checkpoint_tells_export(trained, corpus, cutter):
    checkpoint, said = trained
    about = content(checkpoint)["linnet"]
    assert about["task"] == "translate"
    assert about["languages"] == ["xx", "yy"]
    assert about["recipe"] == TINY.to_dict()
    assert about["dev"] == [list(pair) for pair in corpus.pairs[:8]]
    assert len(about["calibration"]) == 64
    assert any("padding" in line for line in said)


def test_a_finished_run_is_not_trained_again_and_another_is(trained, corpus, monkeypatch):
    checkpoint, _ = trained
    before = content(checkpoint)["state_dict"]
    with monkeypatch.context() as patch:
        patch.setattr(fitting.lightning, "Trainer", None)
        assert tiny_run(corpus, checkpoint.parent)[0] == checkpoint
        for other in (
            (corpus, replace(TINY, seed=1)),
            (Corpus("fewer", corpus.pairs[:-1]), TINY),
            (replace(corpus, weight=2), TINY),
        ):
            with pytest.raises(TypeError):  # there is nothing to train with
                tiny_run(other[0], checkpoint.parent, other[1])
    assert all(torch.equal(value, before[name]) for name, value in content(checkpoint)["state_dict"].items())


def test_stopped_after_an_epoch_and_resumed(trained, corpus, tmp_path, monkeypatch):
    import signal

    train_dataloader = TranslationModule.train_dataloader

    def interrupted(module):
        if module.current_epoch == 1:
            raise KeyboardInterrupt
        return train_dataloader(module)

    handler = signal.getsignal(signal.SIGINT)
    with monkeypatch.context() as patch:
        patch.setattr(TranslationModule, "train_dataloader", interrupted)
        with pytest.raises(KeyboardInterrupt):
            tiny_run(corpus, tmp_path)
    signal.signal(signal.SIGINT, handler)  # Lightning wants no second Ctrl+C
    tiny_run(corpus, tmp_path)
    expected = content(trained[0].with_name("last.ckpt"))["state_dict"]
    for name, value in content(tmp_path / "last.ckpt")["state_dict"].items():
        torch.testing.assert_close(value, expected[name], rtol=0, atol=1e-6)


def test_one_pair_is_too_little(corpus, tmp_path):
    with pytest.raises(DataError, match="one pair"):
        tiny_run(Corpus("one", corpus.pairs[:1]), tmp_path)


@pytest.fixture
def files(corpus, tmp_path):
    for end, side in (("xx", 0), ("yy", 1)):
        text = "".join(pair[side] + "\n" for pair in corpus.pairs)
        (tmp_path / f"train.{end}").write_text(text, encoding="utf-8")
        (tmp_path / f"dev.{end}").write_text("".join(text.splitlines(True)[:8]), encoding="utf-8")
    recipe = "".join(f"{name} = {value}\n" for name, value in TINY.to_dict().items() if name != "epochs")
    (tmp_path / "tiny.toml").write_text(f"{recipe}epochs = 1\n")
    return tmp_path


def test_the_whole_way(files, monkeypatch, capsys):
    monkeypatch.chdir(files)
    monkeypatch.setattr("linnet_export.translate.verify.MOST_LOST", 100.0)  # it has learnt next to nothing
    command = "train translate train.xx train.yy --valid dev.xx dev.yy --recipe tiny.toml -o xx-yy.onnx"
    origin = ["--credit", "made up; the tests; CC0", "--licence", "CC BY 4.0", "--author", "the tests"]
    assert main([*command.split(), *origin]) == 0
    translator = Translator("./xx-yy.onnx")
    settings = translator.card.translate
    assert (settings.source_language, settings.target_language) == ("xx", "yy")
    assert [source.licence for source in translator.card.data] == ["CC0"]
    assert (translator.card.licence, translator.card.author) == ("CC BY 4.0", "the tests")
    assert "in the training text too" in capsys.readouterr().err
    assert isinstance(translator("The dog.").text, str)
    assert main(["evaluate", "translate", "./xx-yy.onnx", "dev.xx", "dev.yy", "--beam", "1"]) == 0
    printed = capsys.readouterr().out
    assert "BLEU, lower case" in printed
    assert "nrefs:1|case:lc|eff:no|tok:13a" in printed


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"train.xx": "gone.xx"}, "No such file"),
        ({"train.yy": "dev.yy"}, "each line must have its translation"),
        ({"--recipe": "--languages de --recipe"}, "--languages takes two"),
        ({"--recipe": "--columns 0,1 --recipe"}, "--columns takes two numbers"),
        ({"--recipe": "--weight 0 --recipe"}, "--weight takes numbers above 0"),
        ({"--recipe": "--weight 1 2 --recipe"}, "2 weights for 1 corpora"),
        ({"xx-yy.onnx": "xx-yy.pt"}, "must end in .onnx"),
        ({"tiny.toml": "gone.toml"}, "cannot read the recipe"),
        ({"train.xx train.yy": "train.xx"}, "no languages are named; name them"),
        (
            {"train.xx train.yy": "train.xx", "--recipe": "--languages xx-yy --recipe"},
            "needs a file with its translations",
        ),
    ],
)
def test_bad_input_is_one_sentence(files, monkeypatch, capsys, change, words):
    monkeypatch.chdir(files)
    command = "train translate train.xx train.yy --valid dev.xx dev.yy --recipe tiny.toml -o xx-yy.onnx"
    for old, new in change.items():
        command = command.replace(old, new)
    assert main(command.split()) == 2
    said = capsys.readouterr().err
    assert words in said
    assert said.count("\n") == 1
