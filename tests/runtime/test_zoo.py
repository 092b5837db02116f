"""Bundled models: nothing is handed out that is not what was shipped."""

import hashlib

import pytest

from linnet import zoo
from linnet.errors import KeywordError, ModelError, ModelNotFoundError
from linnet.modelfile import read_card


@pytest.fixture
def folder(tmp_path, monkeypatch, make_onnx, make_card):
    """A zoo of two models: one hears loud and hiss, the other loud and click."""
    lines = []
    for name, keywords in (("a.onnx", ["loud", "hiss"]), ("b.onnx", ["loud", "click"])):
        data = make_onnx(make_card(keywords=keywords)).SerializeToString()
        (tmp_path / name).write_bytes(data)
        lines.append(f"{hashlib.sha256(data).hexdigest()}  {name}\n")
    (tmp_path / "SHA256SUMS").write_text("".join(lines))
    monkeypatch.setattr(zoo, "FOLDER", tmp_path)
    return tmp_path


def test_the_models_that_ship_are_what_was_shipped():
    for path in zoo.models():
        card = read_card(path)
        assert zoo.named(path.stem) == path
        for keyword in card.trigger.keywords if card.task == "trigger" else ():
            assert zoo.find(keyword).suffix == ".onnx"


def test_models_are_listed_by_name(folder):
    assert zoo.models() == [folder / "a.onnx", folder / "b.onnx"]


def test_the_first_model_that_hears_all_keywords_is_found(folder):
    assert zoo.find("loud").name == "a.onnx"
    assert zoo.find("click").name == "b.onnx"
    assert zoo.find("click", "loud").name == "b.onnx"
    assert zoo.find("hiss", "loud").name == "a.onnx"


@pytest.mark.usefixtures("folder")
def test_keywords_that_no_model_hears():
    with pytest.raises(KeywordError, match="no bundled model hears 'silence'; they hear loud, hiss, click"):
        zoo.find("silence")
    with pytest.raises(KeywordError, match="no bundled model hears 'hiss' and 'click'"):
        zoo.find("hiss", "click")


def test_sums_taken_in_binary_mode_are_understood(folder):
    sums = folder / "SHA256SUMS"
    sums.write_text(sums.read_text().replace("  ", " *"))
    assert len(zoo.models()) == 2


def test_a_changed_model_is_refused(folder):
    data = bytearray((folder / "b.onnx").read_bytes())
    data[-1] ^= 1
    (folder / "b.onnx").write_bytes(data)
    for look in (zoo.models, lambda: zoo.find("click"), lambda: zoo.named("b")):
        with pytest.raises(ModelError, match=r"b\.onnx is not the one that shipped; install linnet again"):
            look()


def test_what_is_found_first_is_all_that_is_read(folder, monkeypatch):
    (folder / "b.onnx").write_bytes(b"changed")
    assert zoo.find("hiss") == zoo.named("a") == folder / "a.onnx"


def test_a_model_is_found_by_its_name(folder):
    assert zoo.named("b") == folder / "b.onnx"
    for name in ("c", "", "B", "../a", "a.onnx", "*"):
        with pytest.raises(
            ModelNotFoundError, match=r"no bundled model is called .*; linnet models lists them"
        ):
            zoo.named(name)


def test_models_without_keywords_are_no_hindrance(folder, tiny_captioner):
    data = tiny_captioner.read_bytes()
    (folder / "0.onnx").write_bytes(data)
    with open(folder / "SHA256SUMS", "a") as sums:
        sums.write(f"{hashlib.sha256(data).hexdigest()}  0.onnx\n")
    assert zoo.find("hiss").name == "a.onnx"
    assert zoo.named("0").name == "0.onnx"
    with pytest.raises(KeywordError, match="they hear loud, hiss, click"):
        zoo.find("captioner")


def test_what_is_a_path():
    assert zoo.is_path("computer.onnx")
    assert zoo.is_path("folder/file")
    assert not zoo.is_path("computer")


def test_a_model_without_a_sum_is_refused(folder):
    (folder / "c.onnx").write_bytes(b"?")
    with pytest.raises(ModelError, match=r"do not match \(c\.onnx\); install linnet again"):
        zoo.models()


def test_a_sum_without_a_model_is_refused(folder):
    (folder / "a.onnx").unlink()
    with pytest.raises(ModelError, match=r"do not match \(a\.onnx\)"):
        zoo.models()


def test_models_without_any_sums_are_refused(folder):
    (folder / "SHA256SUMS").unlink()
    with pytest.raises(ModelError, match=r"do not match \(a\.onnx, b\.onnx\)"):
        zoo.models()


@pytest.mark.parametrize("text", [b"nonsense\n", b"\xff\xfe", b"\n"])
def test_sums_that_cannot_be_read_are_refused(folder, text):
    (folder / "SHA256SUMS").write_bytes(text)
    with pytest.raises(ModelError, match="install linnet again"):
        zoo.models()


def test_no_models_at_all(tmp_path, monkeypatch):
    monkeypatch.setattr(zoo, "FOLDER", tmp_path)
    assert zoo.models() == []
    with pytest.raises(ModelNotFoundError, match=r"no models ship .* give the path of an \.onnx file"):
        zoo.find("loud")
