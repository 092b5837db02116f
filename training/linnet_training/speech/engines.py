"""Make text-to-speech engines speak: one command line, one audio file.

Text reaches these functions only through `speakable`, which leaves nothing in it that any engine, markup
language or command line could take for anything but words.
"""

import os
import re
import shutil
import subprocess
import tempfile
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from linnet.errors import SynthesisError
from linnet_training.speech.voices import Voice

__all__ = ["SAMPLE_RATE", "Utterance", "batch_size", "render", "speakable"]

SAMPLE_RATE = 16000
"""Samples per second of everything synthesised."""

LONGEST_TEXT = 1000
TIMEOUT_S = 30.0
SILENCE_KEPT_S = 0.05
SILENCE_BELOW_DB = -42.0

# F0 in hertz of flite's and festival's voices as they come, needed because the setting is absolute. Voices
# not in here (flite's rms, festival's HTS voices) have no such setting: their pitch comes from resampling.
USUAL_F0 = {"kal16": 102.0, "awb": 135.0, "slt": 175.0, "kal_diphone": 105.0, "ked_diphone": 105.0}

Command = tuple[list[str], str]
"""Arguments of a process, the program first, and what it reads on its standard input."""


@dataclass(frozen=True)
class Utterance:
    """What to say and how."""

    text: str
    """As `speakable` returns it."""
    speed: float = 1.0
    """Tempo as a factor of the voice's usual one."""
    pitch: float = 1.0
    """F0 as a factor of the voice's usual one."""
    tract: float = 1.0
    """Formants as a factor of the voice's usual ones: above 1 a smaller head, below 1 a larger one."""


def speakable(text: str) -> str:
    """Return text as plain words: letters, digits and . , ? ! ' - between them, accents taken off.

    Everything else becomes a space: control characters, quotes, brackets, backslashes, markup. The result
    starts with a letter or a digit, so that no program takes it for an option. Raises SynthesisError if
    nothing is left to say or if it is longer than a thousand characters.
    """
    shown = text if len(text) <= 40 else f"{text[:40]}..."
    # "&" is the one symbol people put into phrases and expect to hear.
    typed = text.replace("&", " and ").replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    folded = unicodedata.normalize("NFKD", typed)
    kept = "".join(char for char in folded if not unicodedata.combining(char))
    words = re.sub(r"[^A-Za-z0-9.,?!'-]+", " ", kept)
    words = re.sub(r"^[^A-Za-z0-9]+", "", words).strip()
    if not words:
        raise SynthesisError(f"{shown!r} has nothing that an English voice can say; use English letters")
    if len(words) > LONGEST_TEXT:
        raise SynthesisError(f"{shown!r} is too long to synthesise; give at most {LONGEST_TEXT} characters")
    return words


def batch_size(voice: Voice) -> int:
    """Return how many utterances are best given to one process: festival takes half a second to start."""
    return 16 if voice.engine == "festival" else 1


def render(voice: Voice, utterances: Sequence[Utterance]) -> list[NDArray[np.float32] | SynthesisError]:
    """Return for each utterance what the voice says, 16 kHz mono in [-1, 1], or the error that it met.

    Tempo and pitch are the engine's own doing, so they cost nothing in quality. The vocal tract is changed by
    resampling, which moves formants, pitch and tempo by the same factor; the engine is asked for a pitch and
    a tempo that come out right afterwards.
    """
    with tempfile.TemporaryDirectory(prefix="linnet-speech-") as folder:
        tracts = [_tract(voice, utterance) for utterance in utterances]
        asked = [
            Utterance(said.text, said.speed / tract, said.pitch / tract)
            for said, tract in zip(utterances, tracts, strict=True)
        ]
        files = [Path(folder) / f"{index}.wav" for index in range(len(asked))]
        failure = None
        for command, stdin in _ENGINES[voice.engine](voice, asked, files):
            try:
                _run(command, stdin)
            except SynthesisError as error:
                failure = error
        results: list[NDArray[np.float32] | SynthesisError] = []
        for utterance, file, tract in zip(utterances, files, tracts, strict=True):
            try:
                results.append(_finish(file, tract))
            except SynthesisError as error:
                who = f"{voice.engine}'s voice {voice.name}"
                results.append(SynthesisError(f"{who} failed to say {utterance.text!r}: {failure or error}"))
        return results


def _tract(voice: Voice, utterance: Utterance) -> float:
    """Return the factor to resample by: where the engine cannot change the pitch, resampling has to."""
    fixed = voice.engine == "piper" or (voice.engine in ("flite", "festival") and voice.name not in USUAL_F0)
    return utterance.pitch if fixed else utterance.tract


def _run(command: list[str], stdin: str) -> None:
    program = shutil.which(command[0])
    if program is None:
        raise SynthesisError(f"{command[0]} is no longer installed")
    try:
        done = subprocess.run(
            [program, *command[1:]],
            input=stdin,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=TIMEOUT_S,
            # Several of these run at a time, so each is to keep to one core.
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
    except subprocess.TimeoutExpired:
        raise SynthesisError(f"it took longer than {TIMEOUT_S:.0f} s") from None
    except OSError as error:
        raise SynthesisError(f"it could not be started ({error.strerror})") from None
    if done.returncode != 0:
        told = done.stderr.strip().splitlines()
        raise SynthesisError(told[-1] if told else f"it ended with status {done.returncode}")


def _finish(file: Path, tract: float) -> NDArray[np.float32]:
    """Read what an engine wrote, resample it to 16 kHz times the tract's factor, trim it."""
    try:
        audio, rate = soundfile.read(file, dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, RuntimeError, OSError):
        raise SynthesisError("it wrote no audio") from None
    mono = audio.mean(axis=1, dtype=np.float32)
    if not np.isfinite(mono).all():
        raise SynthesisError("it wrote numbers that are not finite")
    if len(mono):
        mono = soxr.resample(mono, rate * tract, SAMPLE_RATE)
    return _trim(mono)


def _trim(audio: NDArray[np.float32]) -> NDArray[np.float32]:
    """Leave 50 ms of silence at each end, be there more or less of it; raise if there is nothing else."""
    step = SAMPLE_RATE // 100
    frames = np.pad(audio, (0, -len(audio) % step)).reshape(-1, step)
    power = np.square(frames).mean(axis=1)
    if not len(power) or power.max() < 1e-7:
        raise SynthesisError("it was silent")
    loud = np.flatnonzero(power > power.max() * 10 ** (SILENCE_BELOW_DB / 10))
    kept = int(SILENCE_KEPT_S * SAMPLE_RATE)
    padded = np.pad(audio, kept)
    start, end = loud[0] * step, min((loud[-1] + 1) * step, len(audio))
    return np.clip(padded[start : end + 2 * kept], -1.0, 1.0).astype(np.float32)


def _espeak(voice: Voice, utterances: Sequence[Utterance], files: Sequence[Path]) -> Iterator[Command]:
    for said, file in zip(utterances, files, strict=True):
        # -p maps 0..99 onto a factor in F0 of 0.8..1.65 around 50 (measured with espeak-ng 1.51).
        steps = np.interp(np.log2(said.pitch), [np.log2(0.8), 0.0, np.log2(1.65)], [0, 50, 99])
        speed = int(np.clip(round(175 * said.speed), 80, 450))
        how = ["-v", voice.name, "-s", str(speed), "-p", str(round(steps))]
        yield ["espeak-ng", *how, "-w", str(file), "--stdin"], said.text


def _flite(voice: Voice, utterances: Sequence[Utterance], files: Sequence[Path]) -> Iterator[Command]:
    for said, file in zip(utterances, files, strict=True):
        settings = ["--setf", f"duration_stretch={1 / said.speed:.3f}"]
        if voice.name in USUAL_F0:
            settings += ["--setf", f"int_f0_target_mean={USUAL_F0[voice.name] * said.pitch:.1f}"]
        yield ["flite", "-voice", voice.name, *settings, "-t", said.text, "-o", str(file)], ""


def _festival(voice: Voice, utterances: Sequence[Utterance], files: Sequence[Path]) -> Iterator[Command]:
    # The HTS voices have a speaking rate of their own; the others follow Duration_Stretch and int_lr_params.
    lines = [f"(voice_{voice.name})", "(define usual (if (boundp 'hts_engine_params) hts_engine_params nil))"]
    for said, file in zip(utterances, files, strict=True):
        f0 = USUAL_F0.get(voice.name, 105.0) * said.pitch
        lines += [
            f"(Parameter.set 'Duration_Stretch {1 / said.speed:.3f})",
            f'(set! hts_engine_params (append usual (list (list "-r" {said.speed:.3f}))))',
            f"(set! int_lr_params '((target_f0_mean {f0:.1f}) (target_f0_std 14)"
            " (model_f0_mean 170) (model_f0_std 34)))",
            f'(unwind-protect (utt.save.wave (utt.synth (Utterance Text "{said.text}")) "{file}" \'riff))',
        ]
    script = files[0].with_suffix(".scm")
    script.write_text("\n".join(lines), encoding="ascii")
    yield ["festival", "--batch", str(script)], ""


def _pico(voice: Voice, utterances: Sequence[Utterance], files: Sequence[Path]) -> Iterator[Command]:
    for said, file in zip(utterances, files, strict=True):
        speed, pitch = (int(np.clip(round(100 * value), 50, 200)) for value in (said.speed, said.pitch))
        marked = f"<speed level='{speed}'><pitch level='{pitch}'>{said.text}</pitch></speed>"
        yield ["pico2wave", "-l", voice.name, "-w", str(file), "--", marked], ""


def _piper(voice: Voice, utterances: Sequence[Utterance], files: Sequence[Path]) -> Iterator[Command]:
    model, ending, speaker = voice.name.rpartition(".onnx#")
    options = ["--model", f"{model}.onnx", "--speaker", speaker] if ending else ["--model", voice.name]
    for said, file in zip(utterances, files, strict=True):
        # These spellings are known to both the C++ and the Python piper.
        how = ["--length_scale", f"{1 / said.speed:.3f}", "--output_file", str(file)]
        yield ["piper", *options, *how], said.text + "\n"


_ENGINES: dict[str, Callable[[Voice, Sequence[Utterance], Sequence[Path]], Iterator[Command]]] = {
    "espeak-ng": _espeak,
    "flite": _flite,
    "festival": _festival,
    "pico2wave": _pico,
    "piper": _piper,
}
