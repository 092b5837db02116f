"""The wheel: what is in it, and that every job is done offline with what it asks for and nothing else."""

from __future__ import annotations

import json
import os
import re
import subprocess
import venv
import zipfile
from collections.abc import Callable
from email.parser import HeaderParser
from pathlib import Path, PurePosixPath

import pytest

from linnet import zoo
from linnet.modelfile import read_card

pytestmark = pytest.mark.install

ROOT = Path(__file__).parents[2]
DEMOS = ROOT / "demos"
MODELS = zoo.models()
TRANSLATORS = [path.stem for path in MODELS if read_card(path).task == "translate"]
SENTENCES = {
    "de": ("Ein Hund läuft am Strand.", "Hund"),
    "en": ("A dog runs along the beach.", "dog"),
    "fr": ("Un chien court sur la plage.", "chien"),
}
"""Language -> a sentence in it, and its word for what the sentence is about."""

# Python imports this as it starts. Whoever tries to reach another machine, or this one, gets an error.
OFFLINE = """
import sys

def refuse(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"):
        raise PermissionError(f"{event}: this test is offline")

sys.addaudithook(refuse)
"""

Pip = Callable[..., None]
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def wheel(pip: Pip, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    pip("wheel", "--no-deps", "--wheel-dir", folder, ROOT)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def linnet(pip: Pip, wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Run a program of an environment that holds the wheel, offline and outside the checkout."""
    folder, elsewhere = tmp_path_factory.mktemp("fresh"), tmp_path_factory.mktemp("elsewhere")
    venv.create(folder, with_pip=True, symlinks=os.name != "nt")
    programs = folder / ("Scripts" if os.name == "nt" else "bin")
    # What is compiled while installing is more than what runs.
    pip("install", "--no-compile", "-c", ROOT / "constraints.txt", wheel, python=programs / "python")
    (packages,) = {path.parent for path in folder.rglob("linnet/__init__.py")}
    (packages.parent / "offline.py").write_text(OFFLINE)
    (packages.parent / "offline.pth").write_text("import offline\n")
    keep = ("SYSTEMROOT", "TEMP", "TMP", "TMPDIR", "LANG", "LC_ALL")
    environment = {name: os.environ[name] for name in keep if name in os.environ}
    environment |= {"HOME": str(elsewhere), "PYTHONUTF8": "1"}

    def run(program: str, *arguments: object) -> subprocess.CompletedProcess[str]:
        command = [str(programs / program), *map(str, arguments)]
        return subprocess.run(
            command, capture_output=True, text=True, encoding="utf-8", cwd=elsewhere, env=environment
        )

    return run


def test_what_is_in_the_wheel(wheel: Path) -> None:
    assert wheel.name.endswith("-py3-none-any.whl")
    assert wheel.stat().st_size < 30_000_000
    with zipfile.ZipFile(wheel) as archive:
        names = [PurePosixPath(name) for name in archive.namelist()]
        (notes,) = {name.parts[0] for name in names if name.parts[0].endswith(".dist-info")}
        about = HeaderParser().parsestr(archive.read(f"{notes}/METADATA").decode())
    assert not [
        name for name in names if "tests" in name.parts or name.name.startswith(("test_", "conftest"))
    ]
    assert all(name.parts[0].startswith("linnet") for name in names)
    # Besides code there are the models, the font, the words that synthesised speech is made of, and what the
    # page is made of and tried with; no data.
    packages = {"linnet", "linnet_training", "linnet_export", "linnet_web"}
    assert {str(name) for name in names if name.suffix != ".py" and name.parts[0] in packages} == {
        "linnet/py.typed",
        "linnet/fonts/DejaVuSans-Latin.ttf",
        "linnet/fonts/LICENSE",
        "linnet/models/SHA256SUMS",
        *(f"linnet/models/{path.name}" for path in MODELS),
        *(
            f"linnet_web/{name}"
            for name in (
                "photo.jpg",
                "sample.wav",
                *(f"static/{file}" for file in ("ear.js", "icon.png", "microphone.js", "style.css")),
            )
        ),
        *(
            f"linnet_training/speech/words/{name}"
            for name in ("NOTICE", "ipa.txt", "letters.txt", "pronunciations.txt.gz", "sentences.txt")
        ),
    }
    assert {str(name.relative_to(f"{notes}/licenses")) for name in names if "licenses" in name.parts} == {
        "LICENSE",
        "runtime/linnet/fonts/LICENSE",
        "training/linnet_training/speech/words/NOTICE",
    }
    needed = [text for text in about.get_all("Requires-Dist", []) if "extra ==" not in text]
    assert {re.split("[^a-z]", text)[0] for text in needed} == {
        "numpy",
        "onnxruntime",
        "pillow",
        "sentencepiece",
    }
    assert about["Requires-Python"] == ">=3.10"


def test_the_environment_is_light_and_offline(linnet: Run) -> None:
    listed = json.loads(linnet("python", "-m", "pip", "list", "--format", "json").stdout)
    names = {each["name"].lower() for each in listed}
    assert names >= {"linnet", "numpy", "onnxruntime", "pillow", "sentencepiece"}
    assert not names & {"torch", "lightning", "librosa", "scipy", "onnx", "matplotlib", "soundfile"}
    refused = linnet("python", "-c", "import socket; socket.create_connection(('127.0.0.1', 9))").stderr
    assert "this test is offline" in refused
    where = linnet("python", "-c", "import linnet; print(linnet.__file__)").stdout
    assert not Path(where.strip()).is_relative_to(ROOT)


def test_it_hears_what_is_said_in_the_sample(linnet: Run) -> None:
    notes = json.loads((DEMOS / "sample.json").read_text("utf-8"))
    ran = linnet("linnet", "listen", *notes["keywords"], "--wav", DEMOS / "sample.wav", "--json", "--quiet")
    assert ran.returncode == 0, ran.stderr
    heard = [json.loads(line) for line in ran.stdout.splitlines()]
    said = [words for words in notes["said"] if words["text"] in notes["keywords"]]
    assert [event["keyword"] for event in heard] == [words["text"] for words in said]
    for event, words in zip(heard, said, strict=True):
        assert words["start_s"] < event["time_s"] < words["end_s"] + 0.5


def test_it_sees_the_man_in_the_photograph(linnet: Run) -> None:
    ran = linnet("linnet", "caption", DEMOS / "photo.jpg")
    assert ran.returncode == 0, ran.stderr
    assert "man" in ran.stdout.split()


@pytest.mark.parametrize("name", TRANSLATORS)
def test_it_translates(linnet: Run, name: str) -> None:
    settings = read_card(zoo.find(name).path).translate
    ran = linnet("linnet", "translate", name, SENTENCES[settings.source_language][0])
    assert ran.returncode == 0, ran.stderr
    assert SENTENCES[settings.target_language][1] in ran.stdout


def test_it_knows_its_models(linnet: Run) -> None:
    ran = linnet("linnet", "models")
    assert ran.returncode == 0, ran.stderr
    for path in MODELS:
        assert path.name in ran.stdout


@pytest.mark.parametrize(
    "command",
    [
        "train trigger computer -o computer.onnx",
        "train caption captions.json --images photos -o captioner.onnx",
        "export best.ckpt -o computer.onnx",
    ],
)
def test_what_needs_the_training_extra_says_so_in_a_sentence(linnet: Run, command: str) -> None:
    ran = linnet("linnet", *command.split())
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.startswith("linnet: ")
    assert ran.stderr.count("\n") == 1
    assert "'.[training]'" in ran.stderr
