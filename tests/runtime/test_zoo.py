"""Bundled models: nothing is handed out that is not what was shipped."""

import hashlib
from pathlib import Path

import pytest

from linnet import zoo
from linnet.errors import KeywordError, ModelError, ModelNotFoundError
from linnet.modelfile import read_card


@pytest.fixture
def folder(tmp_path, ship, make_onnx, make_card):
    """A zoo of two models: one hears loud and hiss, the other loud and click."""
    for name, keywords in (("a", ["loud", "hiss"]), ("b", ["loud", "click"])):
        (tmp_path / name).write_bytes(make_onnx(make_card(keywords=keywords)).SerializeToString())
    return ship({name: tmp_path / name for name in "ab"})


def test_the_models_that_ship_are_what_was_shipped():
    for path in zoo.models():
        card = read_card(path)
        assert zoo.find(path.stem) == (path, ())
        for keyword in card.trigger.keywords if card.task == "trigger" else ():
            assert zoo.find(keyword).path.suffix == ".onnx"


def test_models_are_listed_by_name(folder):
    assert zoo.models() == [folder / "a.onnx", folder / "b.onnx"]


def test_a_model_is_found_by_its_name_and_then_all_of_it_is_meant(folder):
    assert zoo.find("b") == (folder / "b.onnx", ())
    for name in ("c", "", "B", "../a", "*"):
        with pytest.raises(ModelNotFoundError, match="there is no model "):
            zoo.find(name)


def test_the_first_model_that_hears_all_keywords_is_found(folder):
    assert zoo.find("loud") == (folder / "a.onnx", ("loud",))
    assert zoo.find("click") == (folder / "b.onnx", ("click",))
    assert zoo.find(["click", "loud"]) == (folder / "b.onnx", ("click", "loud"))
    assert zoo.find(("hiss", "loud", "hiss")) == (folder / "a.onnx", ("hiss", "loud"))


def test_a_file_is_found_by_its_path(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").write_bytes(b"")
    for given in (
        "mine",
        "./mine",
        str(tmp_path / "mine"),
        "gone.onnx",
        "./gone.onnx",
        Path("b"),
        Path("gone"),
    ):
        assert zoo.find(given) == (Path(given), ())


def test_no_file_stands_in_for_what_ships(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("b", "loud"):
        (tmp_path / name).write_bytes(b"something else")
        assert zoo.find(name).path.parent == folder
        assert zoo.find(f"./{name}").path == Path(name)


@pytest.mark.usefixtures("folder")
def test_what_nothing_is_called_is_said_with_all_there_is():
    sentence = (
        r"^there is no model 'silence'; give a bundled one's name \(a, b\), a keyword \(loud, hiss, click\), "
        r"or the path of an \.onnx file$"
    )
    with pytest.raises(ModelNotFoundError, match=sentence):
        zoo.find("silence")


@pytest.mark.usefixtures("folder")
def test_keywords_that_no_model_hears_together():
    sentence = (
        r"no bundled model hears 'hiss' and 'click'; .* of one model \(loud, hiss; or loud, click\), or the"
    )
    for keywords in (["hiss", "click"], ["hiss", "click", "hiss"]):
        with pytest.raises(KeywordError, match=sentence):
            zoo.find(keywords)
    for keywords in (["a", "b"], ["mine.onnx"]):
        with pytest.raises(KeywordError, match=r"path of an \.onnx file alone"):
            zoo.find(keywords)
    with pytest.raises(KeywordError, match="name at least one"):
        zoo.find([])


def test_sums_taken_in_binary_mode_are_understood(folder):
    sums = folder / "SHA256SUMS"
    sums.write_text(sums.read_text().replace("  ", " *"))
    assert len(zoo.models()) == 2


def test_a_changed_model_is_refused(folder):
    data = bytearray((folder / "b.onnx").read_bytes())
    data[-1] ^= 1
    (folder / "b.onnx").write_bytes(data)
    for look in (zoo.models, lambda: zoo.find("click"), lambda: zoo.find("b")):
        with pytest.raises(ModelError, match=r"b\.onnx is not the one that shipped; install linnet again"):
            look()


def test_what_is_found_first_is_all_that_is_read(folder, monkeypatch):
    (folder / "b.onnx").write_bytes(b"changed")
    assert zoo.find("hiss").path == zoo.find("a").path == folder / "a.onnx"


def test_models_without_keywords_are_no_hindrance(folder, tiny_captioner):
    data = tiny_captioner.read_bytes()
    (folder / "0.onnx").write_bytes(data)
    with open(folder / "SHA256SUMS", "a") as sums:
        sums.write(f"{hashlib.sha256(data).hexdigest()}  0.onnx\n")
    assert zoo.find("hiss").path.name == "a.onnx"
    assert zoo.find("0").path.name == "0.onnx"
    with pytest.raises(ModelNotFoundError, match=r"\(0, a, b\), a keyword \(loud, hiss, click\)"):
        zoo.find("captioner")


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
