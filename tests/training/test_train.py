"""`linnet train trigger` as a whole, on a word anybody can learn: a rising chirp among falling ones."""

import signal

import numpy as np
import pytest
import torch
from words import chirp, write_babble, write_words

from linnet import TriggerWord
from linnet.cli import main
from linnet_training.trigger import fit as fitting
from linnet_training.trigger.data import Corpus
from linnet_training.trigger.recipe import Recipe
from linnet_training.trigger.train import Run, train

RECIPE = """
epochs = 5
steps_per_epoch = 20
batch_size = 32
learning_rate = 4e-3
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
    status = main(
        [
            *("train", "trigger", "rising", "--no-synthesis"),
            *("--positives", str(data / "rising"), "--negatives", str(data / "speech")),
            *("--mine", str(folder / "alarms"), "--recipe", str(data / "recipe.toml")),
            *("--work", str(folder / "work"), "-o", str(folder / "rising.onnx")),
        ]
    )
    assert status == 0
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


def test_what_is_written(trained):
    assert sorted(path.name for path in trained.iterdir()) == ["alarms", "rising.onnx", "rising.png", "work"]
    assert (trained / "rising.png").read_bytes().startswith(b"\x89PNG")
    card = TriggerWord(trained / "rising.onnx").card
    assert card.trigger.keywords == ("rising",)
    assert "rising" in card.description
    assert card.recipe == Recipe.read(trained.parent / card_recipe(trained)).to_dict()
    assert {"linnet", "torch", "lightning", "onnx", "onnxruntime", "numpy"} <= set(card.versions)
    assert {source.source for source in card.data} == {"positives: rising", "negatives: speech"}
    assert card.quality
    assert all(0 <= quality.value <= 1 and quality.data for quality in card.quality)
    assert card.trigger.curves["rising"]


def card_recipe(trained):
    path = trained / "work" / "recipe.toml"
    path.write_text(RECIPE)
    return path


def test_logs_tell_of_every_epoch(trained):
    lines = (trained / "work" / "first" / "log" / "version_0" / "metrics.csv").read_text().splitlines()
    column = lines[0].split(",").index("dev_miss")
    assert sum(bool(line.split(",")[column]) for line in lines[1:]) == 5
    assert list((trained / "work" / "first" / "tensorboard").iterdir())


def test_a_second_round_on_false_alarms(trained):
    first, second = (weights(trained / "work" / name / "best.ckpt") for name in ("first", "second"))
    assert first["state_dict"].keys() == second["state_dict"].keys()
    # Six clips were there to be mined, of which some at least gave false alarms, in four variants each.
    assert len(first["state_dict"]["hardness"]) < len(second["state_dict"]["hardness"])
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
