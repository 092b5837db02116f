"""Shows all that Linnet does, and sums it up: what was heard, seen and translated, and how long each took.

python demos/tour.py

This is what `make demo` runs. Each part can be run alone: sample.py, caption_photo.py, translate_text.py.
"""

import argparse
import os
import shlex
import shutil
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import caption_photo
import sample
import translate_text

from linnet.cli import status_of
from linnet.cli.terminal import columns


def main(arguments: list[str]) -> None:
    """Run the demos one after the other."""
    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args(arguments)
    table = [part() for part in (hear, look, translate)]
    print("\nIn short, with the time each took from opening its model:")
    print("\n".join(f"  {line}" for line in columns(table, right=frozenset({2}))))
    print("\nWhat to type next:")
    print("\n".join(f"  {command}" for command in commands()))


def hear() -> tuple[str, str, str]:
    heard, took = timed(sample.hear)
    return "heard", ", ".join(event.keyword for event in heard) or "nothing", took


def look() -> tuple[str, str, str]:
    print()
    caption, took = timed(caption_photo.look)
    return "seen", caption.text, took


def translate() -> tuple[str, str, str]:
    print()
    translations, took = timed(lambda: translate_text.translate(translate_text.SENTENCES))
    return "translated", list(translations.values())[-1].text, took


def timed(run: Callable):
    """What ``run`` returns, and how long it took."""
    began = time.perf_counter()
    result = run()
    return result, f"{time.perf_counter() - began:.2f} s"


def commands() -> list[str]:
    """What can be typed right here."""
    demos = Path(os.path.relpath(Path(__file__).parent))
    linnet, python = program("linnet") or f"{program('python')} -m linnet", program("python")
    audio = (
        ""
        if find_spec("sounddevice")
        else f"{python} -m pip install -e {quoted(f'{demos.parent}[audio]')} && "
    )
    return [
        f"{linnet} listen computer --wav {quoted(demos / 'sample.wav')}",
        f"{linnet} caption {quoted(demos / 'photo.jpg')} --heatmap heatmap.png",
        f"{linnet} translate de-en 'Guten Morgen!'",
        f"{python} {quoted(demos / 'assistant.py')} --wav {quoted(demos / 'sample.wav')}",
        f"{audio}{linnet} listen computer  # the microphone",
    ]


def program(name: str) -> str:
    """How to call a program of the Python that runs this; nothing where it is not there."""
    path = Path(sys.executable) if name == "python" else Path(sys.executable).with_name(name)
    if shutil.which(name) == str(path):
        return name
    return quoted(min(str(path), os.path.relpath(path), key=len)) if path.exists() else ""


def quoted(path: str | Path) -> str:
    return shlex.quote(str(path))


if __name__ == "__main__":
    sys.exit(status_of("tour.py", lambda: main(sys.argv[1:])))
