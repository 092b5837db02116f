"""A place in which the commands of the guides are run as they stand there.

It is a copy of the checkout, with the files of a reader that guides speak of. Programs that need what tests
must do without, a sound card for one, have stand-ins.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from linnet import zoo

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "demos/sample.wav"
FILES = ("constraints.txt", "LICENSE", "pyproject.toml", "README.md")
FOLDERS = ("demos", "docs", "export", "runtime", "training")

# ALSA can take a file for a microphone. Such a microphone has no end, and is faster than any clock.
ALSA = """
pcm.sample {
    type file
    slave.pcm null
    file /dev/null
    infile "%s"
    format raw
}
"""
ARECORD = """
device=
for word; do
    shift
    if [ "$device" ]; then device=; elif [ "$word" = -D ]; then device=1; else set -- "$@" "$word"; fi
done
exec %s -D sample -d 17 "$@"
"""

Run = Callable[[str], "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def make_checkout(tmp_path_factory: pytest.TempPathFactory, tiny_translator: Path) -> Callable[[], Path]:
    """Make a copy of the checkout, beside what a reader has: recordings, photographs and models."""

    def make() -> Path:
        folder = tmp_path_factory.mktemp("checkout")
        for name in FILES:
            shutil.copy(ROOT / name, folder)
        for name in FOLDERS:
            left_out = shutil.ignore_patterns("__pycache__", "node_modules")
            shutil.copytree(ROOT / name, folder / name, ignore=left_out)
        shutil.copy(SAMPLE, folder / "day.flac")  # what it is called does not matter
        for name in ("photo.jpg", "photos/1.jpg", "holidays/1.jpg"):
            (folder / name).parent.mkdir(exist_ok=True)
            shutil.copy(ROOT / "demos/photo.jpg", folder / name)
        for name in ("athena.onnx", "hey_linnet.onnx"):
            shutil.copy(zoo.find("computer").path, folder / name)
        shutil.copy(zoo.find("captioner").path, folder / "captioner.onnx")
        shutil.copy(tiny_translator, folder / "de-en.onnx")
        (folder / "book.de").write_text("Ein Hund läuft.\n", encoding="utf-8")
        return folder

    return make


@pytest.fixture(scope="session")
def checkout(make_checkout: Callable[[], Path]) -> Path:
    """Such a copy, which the tests share."""
    return make_checkout()


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of programs: this Linnet and Python, and stand-ins."""
    folder = tmp_path_factory.mktemp("programs")
    here = Path(__file__).parent
    raw = folder / "sample.raw"
    raw.write_bytes(SAMPLE.read_bytes()[44:])
    (folder / "alsa.conf").write_text(ALSA % raw)
    arecord = shutil.which("arecord")
    scripts = {
        "linnet": f'exec "{sys.executable}" -m linnet "$@"',
        "python": f'exec "{sys.executable}" "$@"',
        "python3": f'exec "{sys.executable}" "$@"',
        "sudo": 'exec "$@"',
        "podman": f'exec "{sys.executable}" "{here / "podman.py"}" "{folder / "containers"}" "$@"',
        "nc": f'exec "{sys.executable}" "{here / "nc.py"}" "$@"',
        "arecord": ARECORD % f'"{arecord}"' if arecord else f'exec cat "{raw}"',
        "aplay": 'echo "heard $LINNET_KEYWORD"',
        "notify-send": 'echo "$@"',
    }
    for name, text in scripts.items():
        (folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / name).chmod(0o755)
    return folder


@pytest.fixture
def environment(programs: Path) -> dict[str, str]:
    """The environment variables of commands."""
    found = os.environ | {
        "PATH": f"{programs}{os.pathsep}{os.environ.get('PATH', '')}",
        "ALSA_CONFIG_PATH": f"/usr/share/alsa/alsa.conf:{programs / 'alsa.conf'}",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PYTHONUTF8": "1",
    }
    return found


@pytest.fixture(scope="session")
def shell_in() -> Callable[[Path, Mapping[str, str]], Run]:
    """Make what runs lines as a shell does, in a folder; what is shown is all in ``stdout``."""
    if not shutil.which("bash"):
        pytest.skip("bash is not installed")

    def shell(folder: Path, environment: Mapping[str, str]) -> Run:
        return lambda line: subprocess.run(
            ["bash", "-o", "pipefail", "-c", line],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            check=False,
        )

    return shell


@pytest.fixture
def shell(
    checkout: Path, environment: dict[str, str], shell_in: Callable[[Path, Mapping[str, str]], Run]
) -> Run:
    """Run a line in the copy of the checkout."""
    return shell_in(checkout, environment)
