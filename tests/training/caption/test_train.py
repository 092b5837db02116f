"""Captioning runs as a whole, on pictures of shapes: stages, what they change, what is refused."""

import json
import os
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from captioners import TINY, content, tiny_run
from shapes import KINDS, picture, write_pictures

from linnet.errors import DataError, OutputError, RecipeError
from linnet_training.caption.encoder import MobileNetV2
from linnet_training.caption.network import CaptionNetwork
from linnet_training.checkpoint import trained as weights_of

FROZEN = replace(TINY, tuned_epochs=0, self_critical_epochs=0)
ALL = replace(TINY, frozen_epochs=3, tuned_epochs=1, self_critical_epochs=0, batch_size=2, views=1)


@pytest.fixture
def few(tmp_path):
    """Pictures of the test's own, as few as can be learnt from."""
    write_pictures(tmp_path / "few", train=4, val=2)
    return tmp_path / "few"


def encoder_of(path):
    weights = weights_of(path)
    return {
        name.removeprefix("encoder."): value for name, value in weights.items() if name.startswith("encoder.")
    }


def test_what_a_run_gives(trained, shapes):
    names = sorted(path.name for path in trained.iterdir())
    assert names[0] == "frozen"
    assert names[1:3] == ["mean.ckpt", "self-critical"]
    assert [name.split("-")[0] for name in names[3:]] == ["train", "tuned", "val"]
    for stage, epochs in (("frozen", 1), ("tuned", 2), ("self-critical", 2)):
        assert content(trained / stage / "last.ckpt")["global_step"] == 2 * epochs
        lines = (trained / stage / "log" / "0" / "metrics.csv").read_text().splitlines()
        column = lines[0].split(",").index("dev_cider")
        assert sum(bool(line.split(",")[column]) for line in lines[1:]) == epochs


def test_what_a_checkpoint_tells_export(trained, shapes):
    about = content(trained / "self-critical" / "best.ckpt")["linnet"]
    assert about["task"] == "caption"
    assert about["recipe"] == TINY.to_dict()
    assert about["vocabulary"][:6] == ["", "<start>", "<end>", "<unknown>", "▁a", "▁on"]
    assert "▁blue" not in about["vocabulary"]  # all blue pictures are dev pictures
    assert about["learnt_from"] == "8 photographs with 24 captions"
    assert (about["pretrained"], about["symmetric_padding"], about["cached_layers"]) == (True, True, 18)
    photos = shapes.resolve() / "photos"
    assert about["calibration"] == [str(photos / f"{number}.png") for number in range(8)]
    assert [path for path, _ in about["dev"]] == [str(photos / f"{number}.png") for number in range(8, 12)]
    assert about["dev"][0][1][0] == "A blue circle is on the left ."


def test_frozen_epochs_leave_the_encoder_as_it_is_and_tuned_ones_change_its_end(trained, weights_file):
    loaded = MobileNetV2()
    loaded.load(weights_file)
    expected = loaded.state_dict()
    changed = {}
    for stage in ("frozen", "tuned", "self-critical"):
        got = encoder_of(trained / stage / "best.ckpt")
        assert got.keys() == expected.keys()
        changed[stage] = {name for name, value in got.items() if not torch.equal(value, expected[name])}
    last = {"features.18.weight", "features.18.bias"}
    assert changed == {"frozen": set(), "tuned": last, "self-critical": last}


def test_every_stage_goes_on_with_what_the_one_before_has_learnt(trained):
    begun = CaptionNetwork(len(content(trained / "frozen" / "best.ckpt")["linnet"]["vocabulary"]), 6, 8, 5)
    weights = [weights_of(trained / stage / "best.ckpt") for stage in ("frozen", "tuned", "self-critical")]
    assert weights[0].keys() == begun.state_dict().keys()
    name = "decoder.cells.0.weight_ih"
    steps = [(later[name] - earlier[name]).abs().max() for earlier, later in pairwise(weights)]
    # Two epochs change a weight by no more than twice two steps of the greatest rate.
    assert all(0 < step < 0.01 for step in steps)
    assert weights[0][name].std() > 0.1


def test_what_is_exported_is_half_way_between_the_stages(trained):
    before, after, mean = (
        weights_of(trained / name) for name in ("tuned/best.ckpt", "self-critical/best.ckpt", "mean.ckpt")
    )
    assert mean.keys() == after.keys()
    moved = 0
    for name, value in mean.items():
        if value.is_floating_point():
            torch.testing.assert_close(value, (before[name] + after[name]) / 2)
            moved += not torch.equal(before[name], after[name])
    assert moved > 5
    notes = [content(trained / name)["linnet"] for name in ("self-critical/best.ckpt", "mean.ckpt")]
    assert notes[0] == notes[1]


def test_without_weights_the_whole_encoder_learns_from_pixels(few, tmp_path):
    recipe = replace(ALL, least_count=1)
    checkpoint, _ = tiny_run(few, tmp_path / "run", None, recipe)
    assert checkpoint == tmp_path / "run" / "tuned" / "best.ckpt"
    assert not (tmp_path / "run" / "frozen").exists()
    about = content(checkpoint)["linnet"]
    assert (about["pretrained"], about["symmetric_padding"], about["cached_layers"]) == (False, False, 0)
    (cached,) = (tmp_path / "run").glob("train-*.npy")
    assert np.load(cached).shape == (4, 1, 224, 224, 3)
    torch.manual_seed(recipe.seed)
    begun = CaptionNetwork(len(about["vocabulary"]), 6, 8, 5).encoder
    learnt = encoder_of(checkpoint)
    for name, value in begun.named_parameters():
        assert not torch.equal(value, learnt[name]), name


def test_only_the_stages_that_have_epochs(few, weights_file, tmp_path):
    checkpoint, said = tiny_run(few, tmp_path / "run", weights_file, replace(FROZEN, least_count=1))
    assert checkpoint == tmp_path / "run" / "frozen" / "best.ckpt"
    assert said == ["Preparing train pictures: 4 of 4.", "Preparing val pictures: 2 of 2."]
    folders = [path.name for path in (tmp_path / "run").iterdir() if path.is_dir()]
    assert folders == ["frozen"]


def test_a_recipe_without_epochs(few, weights_file, tmp_path):
    with pytest.raises(RecipeError, match="no epochs"):
        tiny_run(few, tmp_path / "run", weights_file, replace(FROZEN, frozen_epochs=0, least_count=1))
    with pytest.raises(RecipeError, match="no epochs"):  # frozen ones are none where nothing was learnt
        tiny_run(few, tmp_path / "run", None, replace(FROZEN, least_count=1))


def test_captions_without_a_common_word(few, weights_file, tmp_path):
    with pytest.raises(DataError, match="no word occurs 99 times"):
        tiny_run(few, tmp_path / "run", weights_file, replace(TINY, least_count=99))
    assert not list((tmp_path / "run").iterdir())


def test_nothing_to_learn_from(few, weights_file, tmp_path):
    captions = few / "captions.json"
    captions.write_text(captions.read_text().replace('"train"', '"test"'))
    with pytest.raises(DataError, match=r"no photographs of split 'train'; there are 'test' \(4\)"):
        tiny_run(few, tmp_path / "run", weights_file)


def test_a_folder_that_cannot_be_made(few, weights_file, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot make the folder"):
        tiny_run(few, tmp_path / "file" / "run", weights_file)


@pytest.mark.parametrize(("limit", "left"), [(100_000, ()), (3_000_000, ("train-", "val-"))])
def test_a_full_disk(shapes, weights_file, tmp_path, limit, left):
    """Of the features and of the checkpoints, whichever do not fit."""
    resource = pytest.importorskip("resource", reason="there is no limit on file sizes to set")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limits[1]))
    try:
        with pytest.raises(OutputError, match="annot write"):
            tiny_run(shapes, tmp_path, weights_file, FROZEN)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    written = {path.name for path in tmp_path.rglob("*") if path.is_file()}
    kept = {name for name in written if name.startswith(left) and name.endswith(".npy")} if left else set()
    assert len(kept) == len(left)
    assert all(name.startswith(("events.", "metrics.", "hparams.")) for name in written - kept)


def another_recipe(few, weights, recipe):
    return replace(recipe, seed=7)


def another_caption(few, weights, recipe):
    captions = json.loads((few / "captions.json").read_text())
    captions["images"][0]["sentences"][0]["raw"] = "A red thing ."
    (few / "captions.json").write_text(json.dumps(captions))
    return recipe


def another_picture(few, weights, recipe):
    picture(*KINDS[9], seed=4).resize((80, 80)).save(few / "photos" / "0.png")
    return recipe


def other_weights(few, weights, recipe):
    status = weights.stat()
    os.utime(weights, ns=(status.st_atime_ns, status.st_mtime_ns + 1_000_000_000))
    return recipe


def test_other_inputs_make_another_run(few, weights_file, tmp_path):
    weights = tmp_path / "weights.pth"
    weights.write_bytes(weights_file.read_bytes())
    recipe = replace(FROZEN, least_count=1, views=1)
    made = set()
    for change in (None, another_recipe, another_caption, another_picture, other_weights):
        recipe = change(few, weights, recipe) if change else recipe
        checkpoint, said = tiny_run(few, tmp_path / "run", weights, recipe)
        assert len(said) == 2, change  # the features are others, too
        made.add(content(checkpoint)["linnet"]["inputs"])
        assert content(checkpoint.with_name("last.ckpt"))["global_step"] == 1
        assert (checkpoint.with_name("finished")).read_text() in made
    assert len(made) == 5
