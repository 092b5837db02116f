"""`linnet export`: one verified file, or none."""

import argparse
import copy
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import helper, numpy_helper
from words import babble, write_babble

from linnet import TriggerWord, zoo
from linnet.cli import main
from linnet.errors import ExportError
from linnet.stream import StreamModel
from linnet_export.checkpoint import Checkpoint, read
from linnet_export.trigger import describe, verify
from linnet_export.trigger.pack import round_weights
from linnet_export.trigger.trained import Trained
from linnet_training.checkpoint import trained
from linnet_training.trigger import warm_start
from linnet_training.trigger.network import STEP_SAMPLES, TriggerModel, TriggerNetwork
from linnet_training.trigger.recipe import Recipe


@pytest.fixture
def export(checkpoint, graph, monkeypatch):
    """Run `linnet export`, with a graph that was made once, or another one; returns the exit status."""

    def run(output, *arguments, graph=graph, checkpoint=checkpoint):
        monkeypatch.setattr("linnet_export.trigger.export.to_onnx", lambda network: copy.deepcopy(graph))
        return main(["export", str(checkpoint), "-o", str(output), *map(str, arguments)])

    return run


def sound(batch, steps, seed=0):
    rng = np.random.default_rng(seed)
    level = 10 ** rng.uniform(-3, -0.7, (batch, steps, 1))
    return (rng.standard_normal((batch, steps, STEP_SAMPLES)) * level).reshape(batch, -1).astype(np.float32)


def test_what_is_written(exported):
    assert sorted(path.name for path in exported.iterdir()) == ["made.onnx", "made.png"]
    assert (exported / "made.png").read_bytes().startswith(b"\x89PNG")
    assert (exported / "made.onnx").stat().st_size < 500_000
    if os.name == "posix":
        assert (exported / "made.onnx").stat().st_mode & 0o777 == 0o644


def test_the_card_is_complete(exported):
    card = TriggerWord(exported / "made.onnx").card
    assert (card.task, card.name, card.author) == ("trigger", "rising-fall_ing", "the tests")
    assert card.licence == "not stated"
    assert "rising" in card.description
    assert "5 recordings" in card.description
    assert card.created.endswith("Z")
    assert {"linnet", "torch", "onnxruntime"} <= set(card.versions)
    assert [(each.name, each.source, each.licence) for each in card.data] == [
        ("chirps", "chirps", "CC0"),
        ("positives", "positives: words", "not stated"),
        ("negatives", "negatives: speech", "not stated"),
    ]
    assert card.recipe == {**Recipe(epochs=3).to_dict(), "precision": "fp16"}
    assert card.trigger.keywords == ("rising", "fall ing")
    for points in card.trigger.curves.values():
        assert points
    assert main(["info", str(exported / "made.onnx")]) == 0


def test_credits_stand_in_place_of_folders(content):
    origins = [*content["linnet"]["origins"], "manifest: all.csv", "synthesised speech: flite: 4 voices"]
    credits = [{"name": "my voice", "source": "said by me", "licence": "CC BY 4.0", "used_for": "training"}]
    about = {**content["linnet"], "origins": origins, "credits": credits}
    weights = {name.removeprefix("network."): value for name, value in content["state_dict"].items()}
    del weights["hardness"]
    trained = Trained.of(Checkpoint(Path("best.ckpt"), "trigger", weights, about))
    card = describe.provisional_card(trained, argparse.Namespace(name="", author="", licence=""))
    assert [(each.name, each.source, each.licence) for each in card.data] == [
        ("chirps", "chirps", "CC0"),
        ("my voice", "said by me", "CC BY 4.0"),
        ("synthesised speech", "synthesised speech: flite: 4 voices", "see source"),
    ]


def test_quality_is_that_of_the_file(exported, checkpoint):
    spotter = TriggerWord(exported / "made.onnx")
    report = describe.measure(spotter, Trained.of(read(checkpoint)))
    measured = {
        (f"miss rate at {rate:g} false alarms per hour", hearing.keyword, hearing.condition): round(
            hearing.curve.miss_at(rate), 4
        )
        for hearing in report.hearings
        for rate in (0.0, 0.1, 0.5, 1.0, 2.0)
    }
    told = {(q.measure, q.keyword, q.condition): q.value for q in spotter.card.quality}
    assert told == measured
    for hearing in report.hearings:
        threshold = spotter.card.trigger.threshold(hearing.keyword, 0.5)
        assert hearing.threshold == pytest.approx(threshold)


def test_noise_is_measured_too(export, content, tmp_path, monkeypatch):
    noise = sorted(str(path) for path in write_babble(tmp_path / "noise", 2, seconds=3.0).iterdir())
    about = {**content["linnet"], "dev": {**content["linnet"]["dev"], "noise": noise}}
    torch.save({**content, "linnet": about}, tmp_path / "noisy.ckpt")
    whole = describe.ListeningTest
    monkeypatch.setattr(
        describe, "ListeningTest", lambda *sounds, hours=None, seed: whole(*sounds, hours=0.05, seed=seed)
    )
    assert export(tmp_path / "x.onnx", checkpoint=tmp_path / "noisy.ckpt") == 0
    card = TriggerWord(tmp_path / "x.onnx").card
    assert {quality.condition for quality in card.quality} == {"clean", "10 dB"}


@pytest.mark.parametrize(("batch", "steps"), [(1, 1), (1, 2), (1, 33), (2, 5), (5, 1), (16, 3), (1, 500)])
def test_parity_with_torch(exported, folded, batch, steps):
    model = StreamModel(exported / "made.onnx")
    rounded, whole = (TriggerModel(network).eval() for network in (round_weights(folded), folded))
    states = rounded.initial_states(batch)
    names = ("tail", "mel", "conv", "low", "high")
    for seed in range(3):
        audio = sound(batch, steps, seed)
        with torch.no_grad():
            expected = rounded(torch.from_numpy(audio), *states)
            unrounded = whole(torch.from_numpy(audio), *states)
        feeds = {"audio": audio} | {
            f"state_{name}": state.numpy() for name, state in zip(names, states, strict=True)
        }
        got = model.run(feeds)
        for ours, theirs in zip(got, expected, strict=True):
            np.testing.assert_allclose(ours, theirs.numpy(), rtol=0, atol=1e-4)
        np.testing.assert_allclose(got[0], unrounded[0].numpy(), rtol=0, atol=2e-2)
        states = expected[1:]


def test_scores_vary_or_parity_would_mean_nothing(exported):
    scores = TriggerWord(exported / "made.onnx").process(sound(1, 500)[0])
    assert scores.std(axis=0).min() > 0.02


@pytest.mark.parametrize("seed", range(4))
def test_the_same_scores_however_the_audio_is_cut(exported, seed):
    rng = np.random.default_rng(seed)
    audio = babble(8.0, seed)
    spotter = TriggerWord(exported / "made.onnx")
    whole = spotter.stream().process(audio)
    stream, at, parts = spotter.stream(), 0, []
    while at < len(audio):
        length = int(rng.choice([1, 159, 640, 1280, 7001, 40_000]))
        parts.append(stream.process(audio[at : at + length]))
        at += length
    np.testing.assert_allclose(np.concatenate(parts), whole, rtol=0, atol=1e-6)


def tampered(graph, name, change):
    """The graph with one stored array changed."""
    graph = copy.deepcopy(graph)
    for tensor in graph.graph.initializer:
        if tensor.name == name:
            tensor.CopyFrom(numpy_helper.from_array(change(numpy_helper.to_array(tensor).copy()), name))
            return graph
    raise KeyError(name)


def forgetful(graph, state):
    """The graph with a state that never changes."""
    graph = copy.deepcopy(graph)
    for node in graph.graph.node:
        for i, name in enumerate(node.output):
            if name == f"next_{state}":
                node.output[i] = "forgotten"
        for i, name in enumerate(node.input):
            if name == f"next_{state}":
                node.input[i] = "forgotten"
    graph.graph.node.append(helper.make_node("Identity", [f"state_{state}"], [f"next_{state}"]))
    onnx.checker.check_model(graph)
    return graph


def assert_nothing_new(folder, before):
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize(
    "tamper",
    [
        lambda graph: tampered(graph, "network.output.bias", lambda bias: bias + 0.01),
        lambda graph: tampered(graph, "network.gru2.R.narrow", lambda weight: weight * np.float16(1.05)),
        lambda graph: tampered(graph, "front_end.mel.values", lambda mel: mel * np.float32(1.02)),
        lambda graph: forgetful(graph, "conv"),
    ],
    ids=["bias", "weights", "front end", "state"],
)
def test_no_file_without_parity(export, graph, tmp_path, tamper, capsys):
    (tmp_path / "x.onnx").write_text("an older file")
    assert export(tmp_path / "x.onnx", graph=tamper(graph)) == 2
    assert "linnet: the exported file differs from the trained network" in capsys.readouterr().err
    assert_nothing_new(tmp_path, {"x.onnx": b"an older file"})


def test_no_file_if_cuts_change_scores(export, graph, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(verify, "TOLERANCE", np.inf)
    assert export(tmp_path / "x.onnx", graph=forgetful(graph, "low")) == 2
    assert "scores differently" in capsys.readouterr().err
    assert_nothing_new(tmp_path, {})


def test_no_file_if_scores_are_no_numbers(export, graph, folded, exported, tmp_path, capsys):
    broken = tampered(graph, "network.output.bias", lambda bias: bias * np.float32(np.nan))
    assert export(tmp_path / "x.onnx", graph=broken) == 2
    assert "not within 0 to 1" in capsys.readouterr().err
    assert_nothing_new(tmp_path, {})
    trained_badly = copy.deepcopy(folded)
    trained_badly.output.bias.fill_(np.nan)
    with pytest.raises(ExportError, match="differs"):
        verify.verify(trained_badly, exported / "made.onnx")


def test_a_full_disk(export, tmp_path, capsys):
    resource = pytest.importorskip("resource", reason="there is no limit on file sizes to set")
    (tmp_path / "x.onnx").write_text("an older file")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        assert export(tmp_path / "x.onnx") == 2
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert f"linnet: cannot write to {tmp_path}" in capsys.readouterr().err
    assert_nothing_new(tmp_path, {"x.onnx": b"an older file"})


def test_arguments_that_are_refused(export, tmp_path, capsys):
    assert export(tmp_path / "x.tflite") == 2
    assert ".onnx" in capsys.readouterr().err
    assert export(tmp_path / "x.onnx", "--picture", tmp_path / "x.txt") == 2
    assert ".png" in capsys.readouterr().err
    (tmp_path / "file").write_text("")
    assert export(tmp_path / "file" / "x.onnx") == 2
    assert "cannot write to" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_dev_recordings_that_are_gone(export, content, tmp_path, capsys):
    dev = {**content["linnet"]["dev"], "negatives": [str(tmp_path / "gone.wav")]}
    torch.save({**content, "linnet": {**content["linnet"], "dev": dev}}, tmp_path / "x.ckpt")
    assert export(tmp_path / "x.onnx", checkpoint=tmp_path / "x.ckpt") == 2
    assert "gone.wav" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["x.ckpt"]


def test_a_new_network_begins_with_what_was_exported(exported, network, monkeypatch):
    monkeypatch.setattr(zoo, "models", lambda: [exported / "made.onnx"])
    torch.manual_seed(8)
    new = TriggerNetwork(1).eval()
    bias = new.output.bias.clone()
    assert warm_start.begin(new)
    assert torch.equal(new.output.bias, bias)
    frames = -7 + 3 * torch.randn(2, 40, 400, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        expected, _ = network.features(frames, network.initial_state(2))
        got, _ = new.features(frames, new.initial_state(2))
    assert expected.std() > 0.1
    torch.testing.assert_close(got, expected, rtol=0, atol=1e-2)


def test_networks_that_what_ships_does_not_fit(exported, monkeypatch):
    monkeypatch.setattr(zoo, "models", lambda: [exported / "made.onnx"])
    for other in (TriggerNetwork(1, hidden=64), TriggerNetwork(1, channels=(64, 64))):
        before = copy.deepcopy(other.state_dict())
        assert not warm_start.begin(other)
        assert all(torch.equal(value, before[name]) for name, value in other.state_dict().items())
    monkeypatch.setattr(zoo, "models", list)
    assert not warm_start.begin(TriggerNetwork(1))


def test_weights_of_a_checkpoint(checkpoint, network):
    weights = trained(checkpoint)
    assert weights.keys() == network.state_dict().keys()
    assert torch.equal(weights["gru1.weight_ih_l0"], network.gru1.weight_ih_l0)


def test_python_m_linnet(checkpoint, tmp_path):
    command = [sys.executable, "-m", "linnet", "export", tmp_path / "missing.ckpt", "-o", tmp_path / "x.onnx"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=Path(__file__).parent)
    assert done.returncode == 2
    assert done.stderr.startswith("linnet: there is no checkpoint")
    assert "Traceback" not in done.stderr
