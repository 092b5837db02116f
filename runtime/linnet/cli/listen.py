"""``linnet listen``: hear keywords in a microphone, a recording or a pipe, and act on them."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from linnet.cli.terminal import clean, clock, columns, redraws
from linnet.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from linnet.decider import Detection
    from linnet.microphone import Microphone
    from linnet.trigger import TriggerWord

__all__ = ["add_listen"]

_PATIENCE_S = 10.0  # for commands that still run when a recording has ended

_EXAMPLES = """examples:
  linnet listen computer                              the microphone, until Ctrl-C
  linnet listen computer alexa --wav day.flac         a recording
  linnet listen hey_linnet.onnx --json                a model file of your own; one JSON object per detection
  linnet listen computer --save heard --on-detect 'notify-send "$LINNET_KEYWORD"'
  arecord -f S16_LE -r 16000 -c 1 -t raw | linnet listen computer -
"""


def add_listen(subparsers: Any) -> None:
    """Add the command to argparse's subparsers."""
    parser = subparsers.add_parser(
        "listen",
        help="hear keywords in a microphone, a recording or a pipe",
        description="Hear keywords in the microphone, a recording (--wav) or audio on standard input (-).",
        epilog=_EXAMPLES,
    )
    parser.add_argument(
        "words",
        nargs="*",
        metavar="KEYWORD",
        help="a keyword of a bundled model (several of the same one), a bundled model's name, or a model "
        "file; then - to listen to standard input: raw 16-bit little-endian PCM, 16 kHz, mono, or WAV",
    )
    parser.add_argument(
        "--wav", metavar="FILE", help="listen to a recording: WAV, or what the audio extra reads"
    )
    parser.add_argument("--device", metavar="NAME", help="microphone, by its number or a part of its name")
    parser.add_argument("--devices", action="store_true", help="list the microphones and end")
    parser.add_argument(
        "--false-alarms-per-hour",
        metavar="X",
        type=float,
        help="use the thresholds that gave at most this many in tests",
    )
    parser.add_argument(
        "--threshold", metavar="X", type=float, help="use this score, 0 to 1, for all keywords"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object per detection")
    parser.add_argument("--quiet", action="store_true", help="print detections and errors only")
    parser.add_argument(
        "--save", metavar="DIR", help="keep the audio around each detection as WAV files there"
    )
    parser.add_argument(
        "--on-detect",
        metavar="CMD",
        help="run this shell command on each detection, with LINNET_KEYWORD, LINNET_TIME and LINNET_SCORE "
        "in its environment",
    )
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    if options.devices:
        return _list_devices()
    words, file = _source(options)
    from linnet.trigger import TriggerWord  # which brings onnxruntime; --help and --devices do without

    spotter = TriggerWord(
        words[0] if len(words) == 1 else words,
        false_alarms_per_hour=options.false_alarms_per_hour,
        threshold=options.threshold,
    )
    with ExitStack() as stack:
        return _listen(options, spotter, file, stack)


def _listen(options: argparse.Namespace, spotter: TriggerWord, file: str | None, stack: ExitStack) -> int:
    """Put together what the options ask for, and listen to the end."""
    from linnet import audio
    from linnet.cli.clips import Clips
    from linnet.cli.lines import Lines
    from linnet.cli.listener import Listener
    from linnet.cli.live import Live
    from linnet.cli.on_detect import Commands

    view: Lines | Live
    live = file in (None, "-")
    name = _moment if live else partial(_place, Path(file or "").stem)
    clips = Clips(options.save, name, lambda text: view.complain(text)) if options.save else None
    commands = Commands(options.on_detect) if options.on_detect else None
    microphone: Microphone | None = None
    if file is None:
        number = options.device is not None and options.device.isdecimal()
        microphone = audio.microphone(
            int(options.device) if number else options.device, on_status=lambda text: view.note(text)
        )
        source: Iterator[NDArray[np.float32]] = stack.enter_context(microphone)
        title = microphone.name
    else:
        source = audio.pcm(sys.stdin.buffer) if file == "-" else audio.file(file)
        title = "standard input" if file == "-" else file
    if redraws(sys.stdout) and not options.json and not options.quiet:
        view = Live(f"listening to {title}", spotter.keywords, spotter.thresholds, live=live)
    else:
        view = Lines(live=live, json=options.json, quiet=options.quiet)
        scores = zip(spotter.keywords, spotter.thresholds, strict=True)
        wanted = ", ".join(f"{keyword} (from {score:.2f})" for keyword, score in scores)
        view.note(f"listening to {title} for {wanted}")
    stack.callback(view.close)
    listener = Listener(spotter, view, clips=clips, commands=commands)
    status, patience_s = 0, _PATIENCE_S
    try:
        listener.listen(source)
    except KeyboardInterrupt:
        # The way to end with a source that has no end; with a recording it leaves the work half done.
        status, patience_s = 0 if live else 130, 0.0
    finally:
        listener.finish(patience_s)
        view.close()
        if not options.quiet:
            print(clean(listener.summary(microphone.dropped if microphone else 0)), file=sys.stderr)
    return status or (1 if clips is not None and clips.failed else 0)


def _moment(_: Detection) -> str:
    """What tells a clip from others where the source is live: now."""
    now = datetime.now()
    return f"{now:%Y%m%d-%H%M%S}.{now.microsecond // 1000:03}"


def _place(recording: str, found: Detection) -> str:
    """The same where it is a recording: its name, and the place in it."""
    return f"{recording}_{clock(found.time_s, 3).replace(':', '-')}"


def _source(options: argparse.Namespace) -> tuple[list[str], str | None]:
    """The keywords, and the source: a file's path, - for standard input, None for the microphone."""
    words = [word for word in options.words if word != "-"]
    named = [source for source in (options.wav, "-" if "-" in options.words else None) if source is not None]
    if not words:
        raise UsageError("no keyword is given; linnet models lists what the bundled models hear")
    if len(named) > 1:
        raise UsageError("give one source, either --wav or - for standard input")
    if named and options.device is not None:
        raise UsageError("--device is for the microphone; leave it out, or the other source")
    models = [word for word in words if word.endswith(".onnx")]
    if models and len(words) > 1:
        raise UsageError("give either one model file, of which all keywords are heard, or bundled keywords")
    if len(words) > 1 and not named and os.path.isfile(words[-1]):
        raise UsageError(f"{words[-1]} looks like a recording; name it with --wav")
    if named == ["-"] and sys.stdin.isatty():
        raise UsageError("standard input is the terminal; pipe audio into it, or name a recording with --wav")
    return words, named[0] if named else None


def _list_devices() -> int:
    from linnet.microphone import devices

    found = devices()
    if not found:
        print("no microphone was found", file=sys.stderr)
        return 1
    table = [("", "number", "name", "channels", "Hz")]
    table += [
        ("*" if d.default else "", str(d.index), clean(d.name), str(d.channels), str(d.rate)) for d in found
    ]
    print("\n".join(columns(table, right=frozenset({1, 3, 4}))))
    return 0
