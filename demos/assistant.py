"""Say the word: it takes a picture, says what is in it, and says it in German.

python demos/assistant.py                             the microphone, and the photograph beside this script
python demos/assistant.py --camera holidays/          a folder for a camera: the next picture each time
python demos/assistant.py --camera "fswebcam -q {}"   any command that takes a picture and writes it to {}
python demos/assistant.py --wav demos/sample.wav      a recording for a microphone

What it says is printed, a line each time, and spoken where espeak-ng is installed; how long each stage took
goes to standard error. Ctrl-C ends it.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from camera import camera

import linnet
from linnet.cli import status_of
from linnet.cli.terminal import clean
from linnet.errors import ImageError, ModelNotFoundError, UsageError

PHOTO = Path(__file__).with_name("photo.jpg")


def main(options: argparse.Namespace, folder: Path) -> int:
    spotter = linnet.TriggerWord(options.word)
    take_picture = camera(options.camera, folder / "picture.jpg")
    captioner = linnet.Captioner()
    translator = from_english(options.translator)
    speaker = None if options.mute else shutil.which("espeak-ng")
    if not (speaker or options.mute):
        note("espeak-ng is not installed, so nothing is spoken; apt install espeak-ng")
    watch = Stopwatch()
    times = failures = 0
    note(f"listening to {options.wav or 'the microphone'} for {' or '.join(spotter.keywords)}")
    for event in heard(spotter, options.wav, watch):
        watch.lap("hearing")
        times += 1
        try:
            picture = take_picture()
            watch.lap("picture")
            caption = captioner(picture).text
            watch.lap("caption")
        except ImageError as error:  # the next picture may do
            note(str(error))
            failures += 1
            continue
        line, language = f"{caption[:1].upper()}{caption[1:]}.", "en"
        if translator:
            line, language = translator(line).text, translator.card.translate.target_language
            watch.lap("translation")
        print(clean(line), flush=True)
        if speaker:
            speak(speaker, line, language)
            watch.lap("speech")
        note(f"    {event.keyword} at {event.time_s:.1f} s; {watch}")
    if not times:
        note("it was not heard")
    return 1 if failures else 0


def heard(spotter: linnet.TriggerWord, recording: str | None, watch: Stopwatch) -> Iterator[linnet.Detection]:
    """Each time that the word is heard."""
    if recording:  # in pieces, as a microphone gives them
        yield from spotter.listen(watch.starting(linnet.audio.file(recording, chunk_s=0.08)))
    while not recording:
        # Closed while the answer is given, so that it does not hear itself.
        with linnet.audio.microphone(on_status=note) as microphone:
            event = next(spotter.listen(watch.starting(microphone)))
        yield event


def from_english(model: str | None) -> linnet.Translator | None:
    """The translator that is asked for; else the bundled one into German, or none."""
    try:
        translator = linnet.Translator(model or "en-de")
    except ModelNotFoundError:
        if model:
            raise
        note("no translator from English is bundled, so it speaks English; --translator takes a model file")
        return None
    if (source := translator.card.translate.source_language) != "en":
        raise UsageError(f"{model} translates from {source}, and captions are English; name another")
    return translator


def speak(espeak: str, line: str, language: str) -> None:
    """Say it aloud."""
    # On standard input, where nothing in it can be taken for an option.
    ran = subprocess.run([espeak, "-v", language, "--stdin"], input=line.encode(), capture_output=True)
    said = ran.stderr.decode(errors="replace").strip().split("\n")[-1]
    if ran.returncode or said.lower().startswith("error"):  # without a sound card its status is 0
        note(f"espeak-ng could not speak ({said}); --mute leaves it out")


class Stopwatch:
    """How long each stage took, from when the sound that ends the word was there."""

    def starting(self, chunks: Iterable[Any]) -> Iterator[Any]:
        """The chunks of sound; time starts anew with each."""
        for chunk in chunks:
            self._laps: dict[str, float] = {}
            self._last = time.perf_counter()
            yield chunk

    def lap(self, stage: str) -> None:
        now = time.perf_counter()
        self._laps[stage], self._last = 1000 * (now - self._last), now

    def __str__(self) -> str:
        return ", ".join(f"{stage} {ms:.{int(ms < 10)}f} ms" for stage, ms in self._laps.items())


def note(text: str) -> None:
    print(clean(text), file=sys.stderr, flush=True)


def parsed(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("word", nargs="?", default="computer", help="a bundled keyword or a model file (default: computer)")
    add("--wav", metavar="FILE", help="a recording to listen to")
    add(
        "--camera", metavar="FROM", default=str(PHOTO), help="a picture, a folder, or a command with {} in it"
    )
    add("--translator", metavar="MODEL", help="one from English (default: en-de, where it is bundled)")
    add("--mute", action="store_true", help="print only, do not speak")
    return parser.parse_args(arguments)


def run() -> int:
    options = parsed(sys.argv[1:])
    with tempfile.TemporaryDirectory() as scratch:
        return main(options, Path(scratch))


if __name__ == "__main__":
    sys.exit(status_of("assistant.py", run))
