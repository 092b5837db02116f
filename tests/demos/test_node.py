"""The program in demos/node: the same files give the same answers under onnxruntime-web."""

from __future__ import annotations

import io
import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_translate
from PIL import Image

import linnet
from linnet import Captioner, Translator, TriggerWord, audio, zoo
from linnet.image import pixels
from linnet.modelfile import read_card
from linnet.text import Pieces

pytestmark = pytest.mark.node

ROOT = Path(__file__).parents[2]
DEMOS = ROOT / "demos"
PROGRAM, WAV = DEMOS / "node/linnet.mjs", DEMOS / "sample.wav"
COMMANDS = re.findall(r"^// +((?:node|python) .*)$", PROGRAM.read_text("utf-8"), re.MULTILINE)
"""Those at the head of the program."""

LISTEN = """
  const model = await load(path), samples = samplesOf(await readFile(wav));
  const size = model.settings.chunk_samples, scores = [], events = [];
  const chunks = [];
  for (let at = 0; at + size <= samples.length; at += size) chunks.push(samples.subarray(at, at + size));
  for (const chunk of chunks) scores.push(...(await model.process(chunk)));
  model.reset();
  for (const chunk of chunks) events.push(...(await model.detect(chunk)));
  return { scores, events };
"""
CAPTION = """
  const model = await load(path), found = [];
  for (const picture of pictures) {
    for (const beam of beams) found.push(await model.caption(pixelsOf(await readFile(picture), 224), beam));
  }
  return found;
"""
TRANSLATE = """
  const model = await load(path), found = [];
  for (const sentence of sentences) {
    for (const beam of beams) found.push(await model.translate(sentence, beam));
  }
  return found;
"""
BEAMS = (1, 4)
FP32, INT8 = 1e-4, 0.02
"""How far scores may be apart. Numbers that differ by 1e-6 may be rounded to different 8-bit integers."""

Node = Callable[..., Any]


def bundled(task: str) -> list[Any]:
    """The bundled models for a task, as parameters."""
    return [pytest.param(path, id=path.stem) for path in zoo.models() if read_card(path).task == task]


def assert_equal(found: list[dict[str, Any]], expected: list[Any], tolerance: float) -> None:
    assert [each["text"] for each in found] == [each.text for each in expected]
    np.testing.assert_allclose(
        [each["score"] for each in found], [each.score for each in expected], rtol=0, atol=tolerance
    )


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The photograph as the program takes it: 224 x 224 pixels, PPM."""
    path = tmp_path_factory.mktemp("photo") / "photo.ppm"
    Image.fromarray(pixels(DEMOS / "photo.jpg")).save(path)
    return path


@pytest.fixture(scope="module")
def unigram() -> bytes:
    """A SentencePiece model of the kind that training makes."""
    import sentencepiece

    words = [*tiny_translate.DICTIONARY, *tiny_translate.DICTIONARY.values()]
    made = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([" ".join(words[start:]) + " . , ! 1 2" for start in range(12)] * 20),
        model_writer=made,
        vocab_size=400,
        hard_vocab_limit=False,
        model_type="unigram",
        byte_fallback=True,
        pad_id=0,
        bos_id=1,
        eos_id=2,
        unk_id=3,
        minloglevel=2,
    )
    return made.getvalue()


def assert_hears_the_same(node: Node, path: Path, wav: Path) -> list[Any]:
    found = node(LISTEN, path=path, wav=wav)
    spotter = TriggerWord(path)
    heard = audio.read(wav)
    heard = heard[: len(heard) // spotter.card.trigger.chunk_samples * spotter.card.trigger.chunk_samples]
    np.testing.assert_allclose(found["scores"], spotter.process(heard), rtol=0, atol=1e-4)
    events = spotter.stream().detect(heard)
    assert [each["keyword"] for each in found["events"]] == [each.keyword for each in events]
    for name in ("time_s", "score"):
        times = [each[name] for each in found["events"]]
        np.testing.assert_allclose(times, [getattr(each, name) for each in events], rtol=0, atol=1e-4)
    return events


@pytest.mark.parametrize("path", bundled("trigger"))
def test_bundled_detectors_hear_the_same(node: Node, path: Path) -> None:
    assert len(assert_hears_the_same(node, path, WAV)) == 4


@pytest.mark.parametrize("smoothing_steps", [1, 3])
def test_what_decides_is_in_the_card(
    node: Node, save_model: Callable[..., Path], tmp_path: Path, smoothing_steps: int
) -> None:
    """The same events where words last long, come soon after each other, or the level wavers."""
    levels = np.repeat([0, 0.9, 0, 0.9, 0.4, 0.9, 0, 0.9], [3, 20, 5, 40, 3, 30, 30, 9])
    tone = np.repeat(levels, 640) * np.sin(np.arange(640 * levels.size) / 5)
    audio.write_wav(tmp_path / "s.wav", tone.astype(np.float32))
    path = save_model(smoothing_steps=smoothing_steps, refractory_s=0.5)
    assert len(assert_hears_the_same(node, path, tmp_path / "s.wav")) > 2


@pytest.mark.parametrize("path", bundled("caption"))
def test_bundled_captioners_see_the_same(node: Node, path: Path, photo: Path) -> None:
    captioner = Captioner(path)
    expected = [captioner(photo, beam) for beam in BEAMS]
    assert_equal(node(CAPTION, path=path, pictures=[photo], beams=BEAMS), expected, INT8)


@pytest.mark.parametrize("path", bundled("translate"))
def test_bundled_translators_say_the_same(node: Node, path: Path) -> None:
    sentences = ["Ein Hund läuft am Strand.", "Two men are playing football."]
    translator = Translator(path)
    expected = [translator(text, beam) for text in sentences for beam in BEAMS]
    assert_equal(node(TRANSLATE, path=path, sentences=sentences, beams=BEAMS), expected, INT8)


def test_the_card_says_how_to_search(node: Node, tiny_captioner: Path, photo: Path) -> None:
    captioner = Captioner(tiny_captioner)
    expected = [captioner(photo, beam) for beam in BEAMS]
    assert_equal(node(CAPTION, path=tiny_captioner, pictures=[photo], beams=BEAMS), expected, FP32)


def test_sentences_are_cut_the_same(
    node: Node, unigram: bytes, save_translator: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tiny_translate, "tiny_pieces", lambda: unigram)
    monkeypatch.setattr(tiny_translate, "DICTIONARY", {})  # it copies
    path = save_translator()
    sentences = [
        "Ein Hund läuft am Strand.",
        "Eine Frau liest, und dann?",
        "  Ein\t \uff28und\u200b\ufb01ndet ½ 犬 😀 <0x41>",
        "",
    ]
    found = node(
        "const { pieces } = await load(path); return sentences.map((each) => pieces.encode(each));",
        path=path,
        sentences=sentences,
    )
    pieces = Pieces(unigram, "unigram")
    assert found == [pieces.ids(sentence) for sentence in sentences]
    translator = Translator(path)
    expected = [translator(sentence, beam) for sentence in sentences[:2] for beam in BEAMS]
    assert_equal(node(TRANSLATE, path=path, sentences=sentences[:2], beams=BEAMS), expected, FP32)
    ended = "const model = await load(path); return model.translate(text).catch((error) => error.message);"
    said = node(ended, path=path, text="Hund " * 21)
    assert re.fullmatch(r"a sentence of \d+ pieces; this model takes 20", said)


def run_program(folder: Path, *arguments: object) -> tuple[int, str, str]:
    command = ["node", "linnet.mjs", *map(str, arguments)]
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, encoding="utf-8")
    return ran.returncode, ran.stdout, ran.stderr


def test_the_commands_at_its_head(node_folder: Path, tmp_path: Path) -> None:
    """Each does what `linnet` does with the same."""
    *programs, (_, *python) = map(shlex.split, COMMANDS)
    python = [word.replace("demos/", f"{DEMOS.as_posix()}/") for word in python]
    subprocess.run([sys.executable, *python], cwd=tmp_path, check=True)
    assert len(programs) == 3
    for _, program, path, given in programs:
        assert ROOT / program == PROGRAM
        model = linnet.load(ROOT / path)
        source: Any = given if isinstance(model, Translator) else tmp_path / given
        if isinstance(model, TriggerWord):
            source = ROOT / given
            events = model.listen([audio.read(source)])
            expected = [f"{each.time_s:8.2f} s  {each.keyword}  {each.score:.2f}" for each in events]
        else:
            expected = [model(source).text]
        assert run_program(node_folder, ROOT / path, source) == (0, "\n".join(expected) + "\n", "")


def test_what_is_wrong_is_said_on_a_line(
    node_folder: Path, tiny_model: Path, tiny_captioner: Path, photo: Path
) -> None:
    for arguments, wrong in (
        ((tiny_captioner,), "usage: "),
        ((tiny_captioner, DEMOS / "photo.jpg"), "a picture must be a PPM file (P6) of 224 x 224 pixels"),
        ((tiny_model, photo), "a recording must be WAV with 16 kHz, one channel and 16 bits"),
        ((PROGRAM, WAV), ""),
        ((DEMOS / "gone.onnx", WAV), "ENOENT"),
    ):
        status, out, err = run_program(node_folder, *arguments)
        assert (status, out) == (2, "")
        assert err.startswith(f"linnet.mjs: {wrong}")
        assert err.count("\n") == 1


def test_what_it_needs_is_pinned() -> None:
    names = ("package.json", "package-lock.json")
    wanted, locked = (json.loads(PROGRAM.with_name(name).read_text("utf-8")) for name in names)
    assert list(wanted["dependencies"]) == ["onnxruntime-web"]
    assert wanted["dependencies"]["onnxruntime-web"][0].isdigit()
    assert locked["packages"][""]["dependencies"] == wanted["dependencies"]
    assert all("integrity" in each for name, each in locked["packages"].items() if name)


@pytest.mark.skipif(not shutil.which("node"), reason="Node is not installed")
def test_without_its_package_it_says_what_brings_it(tmp_path: Path) -> None:
    for path in PROGRAM.parent.glob("*.mjs"):
        shutil.copy(path, tmp_path)
    command = ["node", tmp_path / PROGRAM.name, "model.onnx", "day.wav"]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    said = "linnet.mjs: onnxruntime-web is not installed: npm ci --silent --prefix demos/node\n"
    assert (ran.returncode, ran.stdout, ran.stderr) == (2, "", said)
