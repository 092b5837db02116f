"""`linnet train trigger` as a whole, on a word anybody can learn: a rising chirp among falling ones."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from words import chirp, damaged, write_babble, write_words

from linnet import TriggerWord
from linnet.cli import main
from linnet.errors import OutputError
from linnet_training.trigger import fit as fitting
from linnet_training.trigger import mining
from linnet_training.trigger.bank import Kind
from linnet_training.trigger.data import Corpus
from linnet_training.trigger.network import TriggerNetwork
from linnet_training.trigger.recipe import Recipe
from linnet_training.trigger.train import Run, train

RECIPE = """
epochs = 4
steps_per_epoch = 15
batch_size = 32
learning_rate = 5e-3
averaging = 0.8
variants = 2
negative_variants = 1
mining_epochs = 1
start_from_shipped = false
"""
TINY = Recipe(
    epochs=2,
    steps_per_epoch=3,
    batch_size=8,
    variants=1,
    negative_variants=1,
    mining_epochs=1,
    averaging=0.5,
    start_from_shipped=False,
)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Recordings: rising chirps, other speech with falling ones, and a recipe."""
    folder = tmp_path_factory.mktemp("chirps")
    write_words(folder / "rising", 24, rising=True)
    write_babble(folder / "speech", 12, seconds=8.0)
    (folder / "recipe.toml").write_text(RECIPE)
    return folder


@pytest.fixture(scope="module")
def trained(data, tmp_path_factory):
    """A folder with what `linnet train` wrote, after a second round on the audio given to mine."""
    folder = tmp_path_factory.mktemp("trained")
    write_words(folder / "alarms", 6, rising=False, first_seed=500)
    arguments = [
        *("rising", "--no-synthesis", "--positives", data / "rising", "--negatives", data / "speech"),
        *("--mine", folder / "alarms", "--recipe", data / "recipe.toml"),
        *("--work", folder / "work", "-o", folder / "rising.onnx"),
        *("--name=a chirp", "--author=-me", "--licence=MIT", "--credit", "chirps; drawn; CC0"),
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mining, "SUSPICIOUS", 0.0)  # it learns too well to give false alarms
        assert main(["train", "trigger", *map(str, arguments)]) == 0
    return folder


def corpus_of(data, keyword="rising"):
    corpus = Corpus.empty([keyword])
    corpus.add_positives(data / "rising")
    corpus.add_negatives(data / "speech")
    return corpus


def tiny_run(data, folder, recipe=TINY, **settings):
    """Train in this process, quietly, and return the best checkpoint."""
    said = []
    run = Run(corpus_of(data), recipe, folder, synthesis=False, say=said.append, **settings)
    return train(run), said


def weights(checkpoint):
    return torch.load(checkpoint, map_location="cpu", weights_only=True)


def assert_same_weights(one, other):
    for key in ("state_dict", "current_model_state"):
        for name, value in weights(one)[key].items():
            torch.testing.assert_close(weights(other)[key][name], value, rtol=0, atol=1e-6, msg=name)


def test_it_has_learnt_the_word(trained):
    spotter = TriggerWord(trained / "rising.onnx")
    best = {rising: [] for rising in (True, False)}
    for rising, scores in best.items():
        for seed in range(1000, 1020):
            scores.append(spotter.stream().process(chirp(rising, seed, before=1.0, after=0.6)).max())
    rising, falling = np.array(best[True]), np.array(best[False])
    assert np.median(rising) > np.median(falling) + 0.2
    assert np.mean(rising[:, None] > falling) > 0.9  # the area under the curve: 0.5 is chance


def test_what_is_written(trained, data):
    assert sorted(path.name for path in trained.iterdir()) == ["alarms", "rising.onnx", "rising.png", "work"]
    assert (trained / "rising.png").read_bytes().startswith(b"\x89PNG")
    card = TriggerWord(trained / "rising.onnx").card
    assert card.trigger.keywords == ("rising",)
    assert "rising" in card.description
    assert card.recipe == {**Recipe.read(data / "recipe.toml").to_dict(), "precision": "fp16"}
    assert {"linnet", "torch", "lightning", "onnx", "onnxruntime", "numpy"} <= set(card.versions)
    assert (card.name, card.author, card.licence) == ("a chirp", "-me", "MIT")
    assert [(each.name, each.source, each.licence) for each in card.data] == [("chirps", "drawn", "CC0")]
    assert card.quality
    assert all(0 <= quality.value <= 1 and quality.data for quality in card.quality)
    assert card.trigger.curves["rising"]


def test_logs_tell_of_every_epoch(trained):
    lines = (trained / "work" / "first" / "log" / "0" / "metrics.csv").read_text().splitlines()
    column = lines[0].split(",").index("dev_miss")
    assert sum(bool(line.split(",")[column]) for line in lines[1:]) == 4
    assert list((trained / "work" / "first" / "tensorboard").iterdir())


def test_a_second_round_on_false_alarms(trained):
    first, second = (weights(trained / "work" / name / "best.ckpt") for name in ("first", "second"))
    assert first["state_dict"].keys() == second["state_dict"].keys()
    more = len(second["state_dict"]["hardness"]) - len(first["state_dict"]["hardness"])
    assert more >= 6 * 4  # at least one from each of the clips to mine, in four variants
    assert not torch.equal(
        first["state_dict"]["network.gru1.weight_hh_l0"], second["state_dict"]["network.gru1.weight_hh_l0"]
    )


def test_a_finished_run_is_not_trained_again(data, tmp_path):
    checkpoint, said = tiny_run(data, tmp_path)
    written = checkpoint.stat().st_mtime_ns
    again, said_again = tiny_run(data, tmp_path)
    assert (again, again.stat().st_mtime_ns) == (checkpoint, written)
    assert said
    assert not said_again


def test_another_recipe_or_recording_makes_another_run(data, tmp_path):
    checkpoint, _ = tiny_run(data, tmp_path / "work")
    before = weights(checkpoint)
    more = write_words(tmp_path / "more", 6, rising=True, first_seed=90)
    corpus = corpus_of(data)
    corpus.add_positives(more)
    train(Run(corpus, TINY, tmp_path / "work", synthesis=False, say=lambda message: None))
    after = weights(checkpoint)
    assert after["linnet"]["recorded"]["rising"] > before["linnet"]["recorded"]["rising"]
    assert weights(tmp_path / "work" / "first" / "last.ckpt")["global_step"] == 6
    assert len(list((tmp_path / "work").glob("bank-*.npz"))) == 1


def test_stopped_after_an_epoch_and_resumed(data, tmp_path, monkeypatch):
    whole, _ = tiny_run(data, tmp_path / "whole")
    train_dataloader = fitting.TriggerModule.train_dataloader

    def interrupted(module):
        if module.current_epoch == 1:
            raise KeyboardInterrupt
        return train_dataloader(module)

    handler = signal.getsignal(signal.SIGINT)
    with monkeypatch.context() as patch:
        patch.setattr(fitting.TriggerModule, "train_dataloader", interrupted)
        with pytest.raises(KeyboardInterrupt):
            tiny_run(data, tmp_path / "cut")
    signal.signal(signal.SIGINT, handler)  # Lightning wants no second Ctrl+C
    assert weights(tmp_path / "cut" / "first" / "last.ckpt")["global_step"] == 3
    tiny_run(data, tmp_path / "cut")
    assert_same_weights(tmp_path / "cut" / "first" / "last.ckpt", tmp_path / "whole" / "first" / "last.ckpt")
    assert_same_weights(tmp_path / "cut" / "first" / "best.ckpt", whole)


KILLED = """
import os, pathlib, signal, sys
import test_train
from linnet_training.trigger.module import TriggerModule

step = TriggerModule.training_step

def killed(module, *batch):
    if module.global_step == 4:  # in the middle of the second epoch
        os.kill(os.getpid(), signal.SIGKILL)
    return step(module, *batch)

TriggerModule.training_step = killed
test_train.tiny_run(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
"""


def environment():
    """For processes that import these tests' helpers and keep to one thread."""
    return {**os.environ, "PYTHONPATH": str(Path(__file__).parent), "OMP_NUM_THREADS": "1"}


def test_early_stopping(data, tmp_path):
    still = replace(TINY, epochs=9, patience=1, learning_rate=1e-9)
    checkpoint, _ = tiny_run(data, tmp_path, still)
    assert (
        weights(checkpoint)["global_step"] == 2 * 3
    )  # the second epoch was no better; of equal ones it is kept
    assert tiny_run(data, tmp_path, still)[0].stat().st_mtime_ns == checkpoint.stat().st_mtime_ns


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_killed_and_resumed(data, tmp_path):
    command = [sys.executable, "-c", KILLED, data, tmp_path / "killed"]
    assert subprocess.run(command, env=environment(), timeout=300).returncode == -signal.SIGKILL
    tiny_run(data, tmp_path / "killed")
    tiny_run(data, tmp_path / "whole")
    for name in ("last.ckpt", "best.ckpt"):
        assert_same_weights(tmp_path / "killed" / "first" / name, tmp_path / "whole" / "first" / name)


def test_a_damaged_checkpoint_is_not_resumed(data, tmp_path):
    checkpoint, _ = tiny_run(data, tmp_path / "work")
    last = checkpoint.with_name("last.ckpt")
    last.write_bytes(last.read_bytes()[:100_000])
    checkpoint.with_name("finished").unlink()
    tiny_run(data, tmp_path / "work")
    assert weights(last)["global_step"] == 6


def test_two_processes(data, tmp_path):
    (tmp_path / "recipe.toml").write_text(
        "epochs = 1\nsteps_per_epoch = 2\nbatch_size = 8\nvariants = 1\nstart_from_shipped = false\n"
    )
    command = [
        *(sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"),
        *("-m", "linnet", "train", "trigger", "rising", "--no-synthesis"),
        *("--positives", data / "rising", "--negatives", data / "speech"),
        *("--recipe", tmp_path / "recipe.toml", "--work", tmp_path / "work", "-o", tmp_path / "rising.onnx"),
    ]
    done = subprocess.run(command, env=environment(), timeout=300, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count(f"{tmp_path / 'rising.onnx'}: ") == 1
    assert TriggerWord(tmp_path / "rising.onnx").keywords == ("rising",)
    assert weights(tmp_path / "work" / "first" / "best.ckpt")["state_dict"]["carried_low"].shape[0] == 4


@pytest.mark.parametrize(("limit", "left"), [(100_000, ()), (1_500_000, ("bank-",))])
def test_a_full_disk(data, tmp_path, limit, left):
    """Of the bank and of the checkpoints, whichever does not fit."""
    resource = pytest.importorskip("resource", reason="there is no limit on file sizes to set")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limits[1]))
    try:
        with pytest.raises(OutputError, match="annot write"):
            tiny_run(data, tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    written = [path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file()]
    assert all(path.name.startswith((*left, "events.", "metrics.", "hparams.")) for path in written)


def fail(*arguments):
    """Run a training that must be refused."""
    assert main(["train", "trigger", *map(str, arguments)]) == 2


def test_what_is_refused_before_training(data, tmp_path, capsys):
    def said():
        return capsys.readouterr().err

    few = write_words(tmp_path / "few", 3, rising=True)
    output = ("-o", tmp_path / "x.onnx", "--work", tmp_path / "work")
    speech = ("--negatives", data / "speech", "--no-synthesis")
    fail("rising", "--positives", few, *speech, *output)
    assert "only 3 recordings of 'rising'" in said()
    fail("rising", "--positives", tmp_path / "missing", *speech, *output)
    assert "missing" in said()
    fail("rising", "--positives", data / "rising", "--no-synthesis", *output)
    assert "other speech" in said()
    fail("rising", "--positives", data / "rising", *speech, "--mine", tmp_path / "missing", *output)
    assert "missing" in said()
    fail("rising", "Rising", *speech, *output)
    assert "once" in said()
    fail("...", *speech, *output)
    assert "letters" in said()
    fail("rising", *speech, "-o", tmp_path / "x.tflite")
    assert ".onnx" in said()
    fail("rising", *speech, "-o", few / "0.wav" / "x.onnx")
    assert "cannot make the folder" in said()
    (tmp_path / "recipe.toml").write_text("epoch = 1")
    fail("rising", *speech, *output, "--recipe", tmp_path / "recipe.toml")
    assert "unknown setting 'epoch'" in said()
    assert not (tmp_path / "x.onnx").exists()


def test_recordings_that_cannot_be_used(data, tmp_path, capsys):
    folder = tmp_path / "rising"
    damaged(folder / "train")
    write_words(folder / "dev", 2, rising=True)
    fail(
        *("rising", "--no-synthesis", "--positives", folder, "--negatives", data / "speech"),
        *("-o", tmp_path / "x.onnx", "--work", tmp_path / "work"),
    )
    said = capsys.readouterr().err
    assert "4 of 14 recordings hold nothing to learn from" in said
    assert "none of the recordings of 'rising'" in said


def test_mining_finds_what_scores_high(tmp_path):
    torch.manual_seed(1)
    network = TriggerNetwork(2)
    torch.nn.init.constant_(network.output.bias, -8.0)
    paths = sorted(write_babble(tmp_path, 3, seconds=4.0).iterdir())
    assert mining.false_alarms(network, paths) == []
    torch.nn.init.constant_(network.output.bias, 2.0)
    found = mining.false_alarms(network, [*paths, *damaged(tmp_path / "damaged")])
    assert len(found) >= 3 * 4
    assert all(source.kind == Kind.WORD and 0 < len(source.audio) <= 1.6 * 16_000 for source in found)
    network.train()
    assert len(mining.false_alarms(network, paths)) >= 3 * 4
    assert network.training


def test_two_keywords_and_noise(data, tmp_path):
    words = tmp_path / "words"
    write_words(words / "rising", 6, rising=True)
    write_words(words / "fall_ing", 6, rising=False)
    corpus = Corpus.empty(["rising", "fall ing"])
    corpus.add_positives(words)
    corpus.add_negatives(data / "speech")
    corpus.add_noise(write_babble(tmp_path / "noise", 3, seconds=2.0))
    corpus.add_rooms(write_words(tmp_path / "rooms", 2, rising=True))
    checkpoint = train(Run(corpus, replace(TINY, epochs=1), tmp_path / "work", synthesis=False, say=str))
    about = weights(checkpoint)["linnet"]
    assert about["keywords"] == ["rising", "fall ing"]
    assert weights(checkpoint)["state_dict"]["network.output.weight"].shape[0] == 2
    named = {Path(path).name for path in about["dev"]["noise"]}
    assert len(named) == 1
    assert all(Path(path).is_file() for paths in about["dev"]["positives"].values() for path in paths)
