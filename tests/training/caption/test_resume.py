"""Captioning runs that were finished, stopped, killed or damaged, and runs of two processes."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from captioners import TINY, assert_same_weights, content, tiny_run

from linnet_training import fitting, processes
from linnet_training.caption.module import SelfCritical


@pytest.fixture
def begun(trained, tmp_path):
    """A folder with some stages of the finished run, and its features."""

    def copied(*stages):
        folder = tmp_path / "begun"
        for stage in stages:
            shutil.copytree(trained / stage, folder / stage)
        folder.mkdir(exist_ok=True)
        for path in trained.glob("*.npy"):
            shutil.copy(path, folder)
        return folder

    return copied


def test_a_finished_run_is_not_trained_again(trained, shapes, weights_file, monkeypatch):
    monkeypatch.setattr(fitting.lightning, "Trainer", None)
    checkpoint, said = tiny_run(shapes, trained, weights_file)
    assert checkpoint == trained / "mean.ckpt"
    assert said == []  # features are there, too


def test_stopped_after_an_epoch_and_resumed(trained, begun, shapes, weights_file, monkeypatch):
    folder = begun("frozen", "tuned")
    train_dataloader = SelfCritical.train_dataloader

    def interrupted(module):
        if module.current_epoch == 1:
            raise KeyboardInterrupt
        return train_dataloader(module)

    handler = signal.getsignal(signal.SIGINT)
    with monkeypatch.context() as patch:
        patch.setattr(SelfCritical, "train_dataloader", interrupted)
        with pytest.raises(KeyboardInterrupt):
            tiny_run(shapes, folder, weights_file)
    signal.signal(signal.SIGINT, handler)  # Lightning wants no second Ctrl+C
    assert content(folder / "self-critical" / "last.ckpt")["global_step"] == 2
    assert not (folder / "self-critical" / "finished").exists()
    tiny_run(shapes, folder, weights_file)
    for name in ("last.ckpt", "best.ckpt"):
        assert_same_weights(folder / "self-critical" / name, trained / "self-critical" / name)


KILLED = """
import os, pathlib, signal, sys
from captioners import tiny_run
from linnet_training.caption.module import Supervised

step = Supervised.training_step

def killed(module, *batch):
    if module.tunes_encoder and module.global_step == 3:  # in the middle of the second tuned epoch
        os.kill(os.getpid(), signal.SIGKILL)
    return step(module, *batch)

Supervised.training_step = killed
tiny_run(*map(pathlib.Path, sys.argv[1:]))
"""


def environment():
    """For processes that import these tests' helpers and keep to one thread."""
    helpers = Path(__file__).parents[1]
    return {**os.environ, "PYTHONPATH": str(helpers), "OMP_NUM_THREADS": "1"}


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_killed_and_resumed(trained, begun, shapes, weights_file):
    folder = begun("frozen")
    command = [sys.executable, "-c", KILLED, shapes, folder, weights_file]
    assert subprocess.run(command, env=environment(), timeout=300).returncode == -signal.SIGKILL
    assert content(folder / "tuned" / "last.ckpt")["global_step"] == 2
    tiny_run(shapes, folder, weights_file)
    for name in ("tuned/last.ckpt", "tuned/best.ckpt", "self-critical/best.ckpt"):
        assert_same_weights(folder / name, trained / name)


def test_a_damaged_checkpoint_is_not_resumed(trained, begun, shapes, weights_file):
    folder = begun("frozen", "tuned", "self-critical")
    last = folder / "frozen" / "last.ckpt"
    last.write_bytes(last.read_bytes()[:100_000])
    (folder / "frozen" / "finished").unlink()
    (folder / "frozen" / "best.ckpt").unlink()
    tiny_run(shapes, folder, weights_file)
    for name in ("last.ckpt", "best.ckpt"):
        assert_same_weights(folder / "frozen" / name, trained / "frozen" / name)


def test_the_second_process_waits_for_features(trained, shapes, weights_file, tmp_path, monkeypatch):
    class GoneOnError(Exception):
        pass

    waited, said = [], []

    def first_process(seconds):
        waited.append(sorted(path.name for path in tmp_path.iterdir()))
        name = ("train-", "val-")[(len(waited) - 1) // 2]
        if len(waited) % 2 == 0:  # not at once
            (path,) = trained.glob(f"{name}*.npy")
            shutil.copy(path, tmp_path)

    def gone_on(*_):
        raise GoneOnError

    monkeypatch.setenv("RANK", "1")
    monkeypatch.setattr(processes.time, "sleep", first_process)
    monkeypatch.setattr(fitting, "fit", gone_on)
    with pytest.raises(GoneOnError):
        tiny_run(shapes, tmp_path, weights_file, said=said)
    assert [len(names) for names in waited] == [0, 0, 1, 1]
    assert said == []


TOGETHER = """
import pathlib, sys
from captioners import TINY, tiny_run
from dataclasses import replace

recipe = replace(TINY, frozen_epochs=0, tuned_epochs=1, self_critical_epochs=1, views=1)
print("made", tiny_run(*map(pathlib.Path, sys.argv[1:]), recipe)[0])
"""


def test_two_processes(shapes, weights_file, tmp_path):
    (tmp_path / "together.py").write_text(TOGETHER)
    command = [
        *(sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"),
        *(tmp_path / "together.py", shapes, tmp_path / "run", weights_file),
    ]
    done = subprocess.run(command, env=environment(), timeout=300, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    mean = tmp_path / "run" / "mean.ckpt"
    assert done.stdout.count(f"made {mean}") == 2
    assert content(mean)["linnet"]["inputs"].endswith(" of 2")
    assert content(mean)["linnet"]["recipe"]["cached_layers"] == TINY.cached_layers
