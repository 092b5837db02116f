"""The text-to-speech voices that can be used on this machine.

Five engines are known. Each is a command found on PATH and is asked for its own voices, so what is listed
here is what will speak. Engines whose voices' licences leave open whether one may train on their speech and
ship the result (mbrola, RHVoice) are not used; piper's voices differ, and `describe` points to their cards.
"""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from linnet.errors import SynthesisError

__all__ = ["Voice", "describe", "find_voices"]


@dataclass(frozen=True)
class Voice:
    """One voice of one text-to-speech engine."""

    engine: str
    """The command that speaks: "espeak-ng", "flite", "festival", "pico2wave" or "piper"."""
    name: str
    """The voice, as its engine names it; for piper the path of its .onnx file, plus ``#n`` for speaker n."""
    language: str
    """The accent, such as "en-gb-scotland"."""
    licence: str
    """The licence of the voice, as far as the engine or this module knows it."""


NONE_FOUND = (
    "no text-to-speech engine was found, so nothing can be synthesised; install at least one, "
    "such as with 'apt-get install espeak-ng flite festival festvox-kallpc16k festvox-us-slt-hts' (also: "
    "pico2wave from libttspico-utils; piper with voices in $PIPER_VOICES or ~/.local/share/piper-voices)"
)

LISTING_TIMEOUT_S = 20.0

# What espeak-ng calls variants are settings of its one formant synthesiser. Left out are whispers, croaks,
# robots, announcers, those that change only tempo or echo, and those of which a recogniser for US English
# (pocketsphinx 5.1, with a choice of twenty words) understood fewer than nine words in twenty.
ESPEAK_VARIANTS = (
    "adam", "Alex", "Andy", "anika", "aunty", "belinda", "benjamin", "caleb", "david", "Denis", "Diogo",
    "ed", "edward", "edward2", "f1", "f2", "f3", "f4", "f5", "Gene", "Gene2", "grandma", "grandpa",
    "Henrique", "Hugo", "iven", "iven2", "john", "klatt", "klatt2", "klatt3", "klatt4", "klatt5",
    "klatt6", "linda", "m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8", "max", "michel", "miguel", "Mike",
    "Nguyen", "pablo", "paul", "quincy", "rob", "robert", "sandro", "steph2", "steph3", "travis",
    "victor",
)  # fmt: skip

# awb_time only tells the time and kal is kal16 at 8 kHz.
FLITE_VOICES = {"kal16": "en-us", "awb": "en-gb-scotland", "rms": "en-us", "slt": "en-us"}

# English voices of festival with permissive licences: by CSTR, CMU (ARCTIC) and Nagoya (HTS).
FESTIVAL_VOICES = {
    "kal_": "en-us",
    "ked_": "en-us",
    "don_": "en-gb",
    "cmu_us_": "en-us",
    "nitech_us_": "en-us",
}

ESPEAK_LICENCE = "GPL-3.0-or-later (program and its data)"
FLITE_LICENCE = "permissive, BSD-like (Carnegie Mellon University)"
FESTIVAL_LICENCE = "permissive, BSD-like (University of Edinburgh, Carnegie Mellon University)"
PICO_LICENCE = "Apache-2.0 (SVOX; its language data has no published source)"
PIPER_LICENCE = "not stated in the voice's files: see its model card"


def find_voices() -> list[Voice]:
    """Return every usable English voice on this machine, in a fixed order.

    Raises SynthesisError, saying what to install, where there is none.
    """
    voices = [*_espeak_voices(), *_flite_voices(), *_festival_voices(), *_pico_voices(), *_piper_voices()]
    if not voices:
        raise SynthesisError(NONE_FOUND)
    return voices


def describe(voices: Iterable[Voice]) -> str:
    """Return, for the model card, one line per engine: which voices, which accents, which licence."""
    lines = []
    voices = list(dict.fromkeys(voices))
    for engine in dict.fromkeys(voice.engine for voice in voices):
        own = [voice for voice in voices if voice.engine == engine]
        names = [_short_name(voice) for voice in own]
        shown = ", ".join(names) if len(names) <= 8 else f"{', '.join(names[:5])} and {len(names) - 5} more"
        accents = ", ".join(sorted({voice.language for voice in own}))
        licences = "; ".join(dict.fromkeys(voice.licence for voice in own))
        noun = "voice" if len(own) == 1 else "voices"
        lines.append(f"{engine}: {len(own)} {noun} ({shown}), accents {accents}; licence: {licences}")
    return "\n".join(lines)


def _short_name(voice: Voice) -> str:
    return Path(voice.name).name if voice.engine == "piper" else voice.name


def _listing(command: Sequence[str], stdin: str = "") -> str:
    """Return what a command prints; nothing if it is missing, fails or hangs: it cannot be used then."""
    path = shutil.which(command[0])
    if path is None:
        return ""
    try:
        done = subprocess.run(
            [path, *command[1:]],
            input=stdin,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=LISTING_TIMEOUT_S,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""


def _espeak_voices() -> list[Voice]:
    # Columns: Pty Language Age/Gender VoiceName File OtherLanguages. "mb/" files need mbrola.
    rows = [line.split() for line in _listing(["espeak-ng", "--voices=en"]).splitlines()[1:]]
    accents = sorted(
        {row[1] for row in rows if len(row) >= 5 and row[1].startswith("en") and "/mb-" not in row[4]}
    )
    listed = _listing(["espeak-ng", "--voices=variant"])
    variants = [name for name in ESPEAK_VARIANTS if re.search(rf"!v/{re.escape(name)}\s", listed)]
    plain = [Voice("espeak-ng", accent, accent, ESPEAK_LICENCE) for accent in accents]
    varied = [
        Voice("espeak-ng", f"{accent}+{variant}", accent, ESPEAK_LICENCE)
        for variant in variants
        for accent in accents
    ]
    return plain + varied


def _flite_voices() -> list[Voice]:
    names = _listing(["flite", "-lv"]).partition(":")[2].split()
    return [
        Voice("flite", name, accent, FLITE_LICENCE) for name, accent in FLITE_VOICES.items() if name in names
    ]


def _festival_voices() -> list[Voice]:
    names = re.findall(r"[^()\s]+", _listing(["festival", "--pipe"], stdin="(print (voice.list))"))
    return [
        Voice("festival", name, accent, FESTIVAL_LICENCE)
        for name in sorted(names)
        for start, accent in FESTIVAL_VOICES.items()
        if name.startswith(start)
    ]


def _pico_voices() -> list[Voice]:
    if shutil.which("pico2wave") is None:
        return []
    return [Voice("pico2wave", name, name.lower(), PICO_LICENCE) for name in ("en-US", "en-GB")]


def _piper_voices() -> list[Voice]:
    """Piper's voices are .onnx files; a .onnx.json beside each names its language and its speakers."""
    if shutil.which("piper") is None:
        return []
    folder = Path(os.environ.get("PIPER_VOICES") or Path.home() / ".local/share/piper-voices")
    voices = []
    for file in sorted(folder.rglob("*.onnx")) if folder.is_dir() else []:
        try:
            settings = json.loads(Path(f"{file}.json").read_text(encoding="utf-8"))
            language = str(settings.get("language", {}).get("code", file.name)).replace("_", "-").lower()
            speakers = int(settings.get("num_speakers", 1))
        except (OSError, ValueError, AttributeError, TypeError):
            continue  # without its settings piper cannot load the voice
        if language.startswith("en"):
            names = [str(file)] if speakers <= 1 else [f"{file}#{speaker}" for speaker in range(speakers)]
            voices += [Voice("piper", name, language, PIPER_LICENCE) for name in names]
    return voices
