"""The assistant, from a recording and pictures to spoken lines: no microphone, camera or loudspeaker."""

import os
import re
import runpy
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

from linnet import audio, zoo
from linnet.errors import (
    AudioNotFoundError,
    ImageFormatError,
    ImageNotFoundError,
    ModelNotFoundError,
    UsageError,
)

DEMOS = Path(__file__).parents[2] / "demos"
SCRIPT, SAMPLE, PHOTO = DEMOS / "assistant.py", DEMOS / "sample.wav", DEMOS / "photo.jpg"
MAN = "A man in a black jacket is looking at a camera."
TOOK = r"[\d.]+ ms"


@pytest.fixture
def scratch(tmp_path):
    """A folder for the camera's pictures."""
    (tmp_path / "scratch").mkdir()
    return tmp_path / "scratch"


@pytest.fixture
def assist(monkeypatch, capsys, scratch):
    """Run the assistant on the sample recording; returns exit status, standard output, standard error."""
    monkeypatch.syspath_prepend(str(DEMOS))
    script = runpy.run_path(str(SCRIPT))

    def assist(*arguments, recording=SAMPLE, mute=True):
        given = [*(["--wav", str(recording)] if recording else []), *(["--mute"] if mute else [])]
        status = script["main"](script["parsed"]([*map(str, arguments), *given]), scratch)
        return status, *capsys.readouterr()

    return assist


@pytest.fixture
def espeak(tmp_path, monkeypatch):
    """A program that stands in for espeak-ng; returns the file it notes its voice and text in."""
    (tmp_path / "bin").mkdir()
    program, said = tmp_path / "bin/espeak-ng", tmp_path / "said.txt"
    program.write_text(f'#!/bin/sh\necho "$@" >> {said}\ncat >> {said}\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    return said


@pytest.fixture
def english_german(save_translator):
    """A translator of the right languages, which leaves English as it is."""
    return save_translator(source_language="en", target_language="de")


def test_each_time_the_word_is_heard_a_line_is_said(assist, english_german):
    status, out, err = assist("--translator", english_german)
    assert (status, out) == (0, f"{MAN}\n")
    stages = ", ".join(f"{stage} {TOOK}" for stage in ("hearing", "picture", "caption", "translation"))
    assert re.search(rf"^    computer at 14\.\d s; {stages}$", err, re.MULTILINE)


@pytest.mark.skipif(os.name != "posix", reason="programs as on POSIX")
def test_without_espeak_it_says_so_and_prints(assist, english_german, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    status, out, err = assist("--translator", english_german, mute=False)
    assert (status, out) == (0, f"{MAN}\n")
    assert err.startswith("espeak-ng is not installed, so nothing is spoken")
    assert "speech" not in err


def test_a_word_that_is_never_said(assist, english_german, tmp_path):
    audio.write_wav(tmp_path / "quiet.wav", [0.0] * audio.RATE)
    status, out, err = assist("--translator", english_german, recording=tmp_path / "quiet.wav")
    assert (status, out) == (0, "")
    assert err.splitlines()[-1] == "it was not heard"


def test_without_a_translator_it_says_so_and_speaks_english(assist, ship):
    ship({path.stem: path for path in zoo.models() if path.stem != "en-de"})
    status, out, err = assist()
    assert (status, out) == (0, f"{MAN}\n")
    assert err.startswith("no translator from English is bundled, so it speaks English")
    assert "translation" not in err


@pytest.mark.skipif(os.name != "posix", reason="the program is a shell script")
def test_the_line_is_spoken_in_its_language(assist, english_german, espeak):
    _, _, err = assist("--translator", english_german, mute=False)
    assert espeak.read_text() == f"-v de --stdin\n{MAN}"
    assert re.search(rf"translation {TOOK}, speech {TOOK}$", err, re.MULTILINE)


@pytest.mark.skipif(os.name != "posix", reason="the program is a shell script")
def test_a_voice_that_fails_is_no_reason_to_end(assist, english_german, espeak):
    (espeak.parent / "bin/espeak-ng").write_text("#!/bin/sh\necho no such voice >&2\nexit 1\n")
    status, out, err = assist("--translator", english_german, mute=False)
    assert (status, out) == (0, f"{MAN}\n")
    assert "espeak-ng could not speak (no such voice); --mute leaves it out\n" in err


def test_a_folder_is_a_camera_that_takes_its_pictures_in_turn(assist, english_german, tmp_path):
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    (pictures / "1.jpg").write_bytes(PHOTO.read_bytes())
    Image.new("RGB", (64, 48), "green").save(pictures / "2.png")
    four_words = zoo.find("computer").path
    status, out, err = assist(four_words, "--camera", pictures, "--translator", english_german)
    lines = out.splitlines()
    assert (status, len(lines)) == (0, 4)
    assert lines[0] == lines[2] == MAN
    assert lines[1] == lines[3] != MAN
    assert [line.split()[0] for line in err.splitlines()[1:]] == ["alexa", "jarvis", "snowboy", "computer"]


@pytest.mark.skipif(os.name != "posix", reason="commands for a POSIX shell")
def test_a_command_is_a_camera(assist, english_german, scratch):
    camera = f"cp '{PHOTO}' {{}}"
    status, out, _ = assist("--camera", camera, "--translator", english_german)
    assert (status, out) == (0, f"{MAN}\n")
    assert (scratch / "picture.jpg").read_bytes() == PHOTO.read_bytes()


@pytest.mark.skipif(os.name != "posix", reason="commands for a POSIX shell")
@pytest.mark.parametrize(
    ("camera", "said"),
    [
        ("echo in use >&2; false {}", "the camera took no picture (in use)"),
        ("true {}", "the camera took no picture (status 0)"),
        ("echo no picture > {}", "is not a picture"),
    ],
)
def test_a_camera_that_fails_is_said_and_listening_goes_on(assist, english_german, camera, said):
    four_words = zoo.find("computer").path
    status, out, err = assist(four_words, "--camera", camera, "--translator", english_german)
    assert (status, out) == (1, "")
    assert err.count(said) == 4


@pytest.mark.skipif(os.name != "posix", reason="commands for a POSIX shell")
def test_a_camera_that_hangs_is_not_waited_for(assist, english_german, monkeypatch):
    monkeypatch.setattr("camera.PATIENCE_S", 0.1)
    began = time.monotonic()
    status, _, err = assist("--camera", "sleep 30; true {}", "--translator", english_german)
    assert status == 1
    assert "the camera took no picture in 0.1 s; check its command" in err
    assert time.monotonic() - began < 25


def test_the_microphone_is_closed_while_it_answers(assist, english_german, monkeypatch):
    opened = []

    class Microphone:
        def __init__(self, on_status):
            if len(opened) == 2:
                raise KeyboardInterrupt
            opened.append(self)
            self.is_open = True

        def __enter__(self):
            return audio.file(SAMPLE)

        def __exit__(self, *_):
            self.is_open = False

    monkeypatch.setattr(audio, "microphone", Microphone)
    monkeypatch.setattr("builtins.print", lambda text, **_: printed.append((text, _open(opened))))
    printed = []
    with pytest.raises(KeyboardInterrupt):
        assist("--translator", english_german, recording=None)
    assert [text for text, _ in printed].count(MAN) == 2
    assert not any(is_open for _, is_open in printed)


def _open(microphones):
    return any(each.is_open for each in microphones)


def test_what_cannot_be_is_refused_at_once(assist, english_german, tiny_translator, tmp_path):
    for arguments, error, said in (
        (["--camera", "gone/"], ImageNotFoundError, "there is no picture or folder gone/"),
        (["--camera", tmp_path / "scratch"], UsageError, "holds no pictures"),
        (["--camera", SAMPLE], ImageFormatError, "sample.wav is .* not a picture"),
        (["--translator", tiny_translator], UsageError, "translates from de, and captions are English"),
        (["abracadabra"], ModelNotFoundError, "there is no model 'abracadabra'"),
    ):
        with pytest.raises(error, match=said):
            assist(*arguments)
    with pytest.raises(AudioNotFoundError):
        assist("--translator", english_german, recording="gone.wav")


def test_what_goes_wrong_is_one_sentence_and_status_2():
    ran = _run("--wav", "gone.wav", "--mute")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.splitlines()[-1] == "assistant.py: there is no audio file gone.wav"
    ran = _run("--loud")
    assert ran.returncode == 2
    assert ran.stderr.splitlines()[-1].endswith("unrecognized arguments: --loud")
    assert "Traceback" not in ran.stderr


def test_help_has_an_example():
    ran = _run("--help")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "python demos/assistant.py --wav demos/sample.wav" in ran.stdout


@pytest.mark.skipif(os.name != "posix", reason="signals as on POSIX")
def test_ctrl_c_ends_it_without_a_word(tmp_path):
    command = [sys.executable, str(SCRIPT), "--wav", str(SAMPLE), "--mute", "--camera", "exec sleep 60 {}"]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        said = next(line for line in process.stderr if line.startswith("listening"))
        process.send_signal(signal.SIGINT)
        said += process.stderr.read()
    assert process.returncode == 130
    assert "Traceback" not in said
    assert not list(tmp_path.glob("tmp*"))


def _run(*arguments):
    return subprocess.run([sys.executable, str(SCRIPT), *arguments], capture_output=True, text=True)
