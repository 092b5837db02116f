"""Makes sample.wav and sample.json: trigger words among other sentences, in noise at 15 dB.

python demos/make_sample.py RECORDING       needs pip install '.[training]' and flite

The recording is of a person saying "computer"; the one in the repository is from MycroftAI's
Precise-Community-Data, dedicated to the public domain. All else is spoken by flite's voices.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np

import linnet
from linnet.cli import status_of
from linnet.errors import SynthesisError
from linnet.files import whole

RATE = 16_000
SAMPLE = Path(__file__).with_name("sample.wav")
KEYWORDS = ["alexa", "computer", "jarvis", "snowboy"]
RECORDED = "computer"
SAID = [
    ("rms", "what a fine day it is today"),
    ("slt", "alexa"),
    ("awb", "the train leaves at seven thirty"),
    ("slt", "jarvis"),
    ("rms", "I am going to the market"),
    ("slt", "snowboy"),
    ("", RECORDED),
    ("slt", "who left the window open"),
]
SNR_DB = 15.0


def main(arguments: list[str]) -> None:
    """Write both files beside this one."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("recording", metavar="RECORDING", help='a file in which a person says "computer"')
    recording = linnet.audio.read(parser.parse_args(arguments).recording)
    from linnet_training.speech.synthesis import find_voices, speak  # which takes its time

    rng = np.random.default_rng(7)
    voices = {voice.name: voice for voice in find_voices() if voice.engine == "flite"}
    if missing := {name for name, _ in SAID if name} - set(voices):
        raise SynthesisError(f"flite has no voice {' and no '.join(sorted(missing))}; apt install flite")
    parts, notes, at = [np.zeros(RATE // 2, np.float32)], [], RATE // 2
    for name, text in SAID:
        audio = speak(voices[name], text) if name else _spoken_part(recording)
        audio = audio * (0.1 / np.sqrt(np.mean(audio**2)))
        notes.append(
            {"text": text, "start_s": round(at / RATE, 2), "end_s": round((at + len(audio)) / RATE, 2)}
        )
        pause = np.zeros(int(RATE * 0.9), np.float32)
        parts += [audio, pause]
        at += len(audio) + len(pause)
    speech = np.concatenate(parts)
    mixed = speech + _rain(rng, len(speech)) * 0.1 * 10 ** (-SNR_DB / 20)
    linnet.audio.write_wav(SAMPLE, (mixed * (0.5 / np.abs(mixed).max())).astype(np.float32))
    text = json.dumps({"keywords": KEYWORDS, "said": notes}, indent=1)
    with whole(SAMPLE.with_suffix(".json")) as file:
        file.write(f"{text}\n".encode())


def _spoken_part(audio: np.ndarray) -> np.ndarray:
    from linnet_training.trigger.endpoint import speech_bounds

    start, end = speech_bounds(audio)
    return audio[max(0, start - RATE // 20) : end + RATE // 20]


def _rain(rng: np.random.Generator, samples: int) -> np.ndarray:
    """Pink noise that swells and fades, of unit power."""
    spectrum = np.fft.rfft(rng.standard_normal(samples))
    spectrum /= np.sqrt(np.maximum(np.arange(len(spectrum)), 20))
    noise = np.fft.irfft(spectrum, samples) * (1 + 0.5 * np.sin(np.arange(samples) / RATE))
    return (noise / np.sqrt(np.mean(noise**2))).astype(np.float32)


if __name__ == "__main__":
    sys.exit(status_of("make_sample.py", lambda: main(sys.argv[1:])))
