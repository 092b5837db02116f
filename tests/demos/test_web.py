"""What stands behind the page: the command, uploads and models. None of it needs a browser or Gradio."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

import linnet
from linnet import cli
from linnet.errors import ImageError, ModelError, ModelNotFoundError, UsageError
from linnet_web.shelf import Shelf
from linnet_web.uploads import MOST_BYTES, Uploads


@pytest.fixture
def shelf(tiny_model: Path, tiny_captioner: Path) -> Shelf:
    return Shelf([tiny_model, tiny_captioner])


# The command


def run(line: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    try:
        status = cli.main(line.split())
    except SystemExit as end:
        status = int(end.code or 0)
    return status, *capsys.readouterr()


def test_help_needs_nothing_but_linnet() -> None:
    code = """
import sys
from importlib.abc import MetaPathFinder

class Absent(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"gradio", "starlette", "uvicorn", "numpy", "onnxruntime", "PIL"}:
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Absent())
from linnet import cli
cli.main(["web", "--help"])
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "linnet web --port 8000" in ran.stdout
    assert "127.0.0.1" in ran.stdout


def test_without_the_extra_a_sentence_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("linnet_web.command.find_spec", lambda name: None if name == "gradio" else object())
    assert run("web", capsys) == (
        *(2, ""),
        "linnet: linnet web needs gradio: pip install '.[demos]' in Linnet's folder\n",
    )


def test_a_port_that_is_none(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("linnet_web.command.find_spec", lambda name: object())
    status, out, err = run("web --port 70000", capsys)
    assert (status, out) == (2, "")
    assert "argument --port: must be a whole number from 0 to 65535, not 70000;" in err


# Uploads


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "uploads"
    made.mkdir()
    return made


def upload(folder: Path, data: bytes = b"data", name: str = "day.wav") -> dict[str, str]:
    """A file as Gradio puts it there: in a folder of its own."""
    (folder / "abc").mkdir(exist_ok=True)
    path = folder / "abc" / "changed.bin"
    path.write_bytes(data)
    return {"path": str(path), "orig_name": name}


def test_an_upload_is_there_while_it_is_used_and_then_gone(folder: Path) -> None:
    with Uploads(folder).taken(upload(folder), "recording") as (path, name):
        assert path.read_bytes() == b"data"
        assert name == "day.wav"
    assert list(folder.iterdir()) == []


def test_an_upload_that_cannot_be_used_is_gone_and_called_as_its_owner_calls_it(folder: Path) -> None:
    with (
        pytest.raises(ImageError, match=r"^day\.wav is no picture$"),
        Uploads(folder).taken(upload(folder), "picture") as (path, _),
    ):
        raise ImageError(f"{path} is no picture")
    assert list(folder.iterdir()) == []
    with pytest.raises(ZeroDivisionError), Uploads(folder).taken(upload(folder), "picture"):
        raise ZeroDivisionError
    assert list(folder.iterdir()) == []


def test_the_size_of_uploads_is_bounded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(MOST_BYTES, "recording", 2 << 20)
    payload = upload(folder, bytes((2 << 20) + 1))
    sentence = r"^day\.wav is larger than 2 MB, the most for a recording here$"
    with pytest.raises(UsageError, match=sentence), Uploads(folder).taken(payload, "recording"):
        pytest.fail("it was taken")
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("way", ["beside", "dots", "link", "none"])
def test_nothing_else_is_read_or_removed(folder: Path, way: str) -> None:
    secret = folder.parent / "secret"
    secret.write_text("mine")
    (folder / "link").symlink_to(secret)
    paths = {"beside": secret, "dots": folder / "../secret", "link": folder / "link", "none": folder / "none"}
    payload = {"path": str(paths[way]), "orig_name": "day.wav"}
    sentence = r"^day\.wav is no longer here; give it again$"
    with pytest.raises(UsageError, match=sentence), Uploads(folder).taken(payload, "recording"):
        pytest.fail("it was taken")
    assert secret.read_text() == "mine"


def test_a_long_name_is_cut_and_a_strange_one_made_harmless(folder: Path) -> None:
    with Uploads(folder).taken(upload(folder, name="x" * 500 + ".wav"), "recording") as (_, name):
        assert len(name) == 61
        assert name.endswith("xx.wav")
    with Uploads(folder).taken(upload(folder, name="a\n\x1b[31m.wav"), "recording") as (_, name):
        assert name == "a\ufffd\ufffd[31m.wav"


def test_what_nobody_asked_about_is_swept(folder: Path) -> None:
    payload = upload(folder)
    uploads = Uploads(folder)
    uploads.sweep()
    assert Path(payload["path"]).exists()
    time.sleep(0.01)
    uploads.sweep(0.005)
    uploads.sweep(0)  # the folder, which changed as the file went
    assert list(folder.iterdir()) == []


# Models


def test_models_are_opened_when_they_are_needed(shelf: Shelf, tiny_model: Path) -> None:
    assert [entry.name for entry in shelf.entries()] == ["tiny.onnx", "captioner.onnx"]
    assert [entry.label for entry in shelf.entries("trigger")] == ["loud, hiss"]
    assert [entry.label for entry in shelf.entries("caption")] == ["tiny captioner"]
    assert shelf.model("tiny", linnet.TriggerWord) is shelf.model("tiny", linnet.TriggerWord)
    with pytest.raises(UsageError, match="tiny is a trigger model, which is of no use here"):
        shelf.model("tiny", linnet.Captioner)
    with pytest.raises(ModelNotFoundError, match="no longer here; choose another"):
        shelf.model("gone", linnet.Captioner)
    with pytest.raises(ModelNotFoundError, match="drop one of your own in under Models"):
        shelf.model(None, linnet.Translator)


def test_an_own_model_is_kept_in_memory_and_only_its_owner_sees_it(
    shelf: Shelf, tiny_translator: Path, tmp_path: Path
) -> None:
    path = tmp_path / "dropped"
    path.write_bytes(tiny_translator.read_bytes())
    entry = shelf.take(path, "mine.onnx")
    path.unlink()
    assert shelf.model(entry.key, linnet.Translator)("Ein Hund.").text == "A dog."
    assert entry.label == "German to English (mine.onnx, your own)"
    assert shelf.entries("translate") == []
    assert shelf.entries("translate", [entry.key]) == [entry]
    assert shelf.entry(entry.key) == entry


def test_the_oldest_own_models_are_let_go(shelf: Shelf, tiny_model: Path) -> None:
    own = [shelf.take(tiny_model, f"{number}.onnx") for number in range(10)]
    left = shelf.entries("trigger", [each.key for each in own])
    assert [entry.name for entry in left] == [*(f"{number}.onnx" for number in range(9, 1, -1)), "tiny.onnx"]
    with pytest.raises(ModelNotFoundError, match="drop it in again"):
        shelf.model(own[0].key, linnet.TriggerWord)


def test_a_file_that_is_no_model_is_refused(shelf: Shelf, tmp_path: Path) -> None:
    path = tmp_path / "mine.onnx"
    path.write_bytes(b"hello")
    with pytest.raises(ModelError, match=r"mine\.onnx is not an ONNX model"):
        shelf.take(path, "mine.onnx")
    assert len(shelf.entries()) == 2
