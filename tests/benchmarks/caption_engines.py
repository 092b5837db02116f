"""What is compared by caption.py, behind one interface: the file of a picture in, its caption out.

    python caption_engines.py ENGINE FOLDER

serves one engine from what caption.py put in the folder. It captions the first picture, and tells on a line
of JSON how much of the processor's time Python has taken until then; it answers each line "greedy" or "beam"
with a round over all pictures, and the end of its input with the memory it took. Each engine is imported only
when it is asked for, so that a process measures one engine and nothing else.
All decode a JPEG with `linnet.image.pixels`.
"""

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import serving
from numpy_search import END, PAD, START, STATES, Array, search

Say = Callable[[str, int], str]
"""Path of a picture and width of the beam to its caption."""


@dataclass(frozen=True)
class Settings:
    """How captions are searched, the same for every engine."""

    vocabulary: list[str]
    max_length: int
    length_penalty: float
    beam: int
    """Of the rounds with a beam, and of the first caption."""

    def text(self, tokens: list[int]) -> str:
        """The words of token ids, up to the end."""
        tokens = tokens[: tokens.index(END)] if END in tokens else tokens
        pieces = "".join(self.vocabulary[token] for token in tokens if token not in (PAD, START))
        return pieces.replace("\N{LOWER ONE EIGHTH BLOCK}", " ").strip()


def linnet(file: Path, settings: Settings) -> Say:
    """Linnet, through its Python API."""
    from linnet import Captioner

    captioner = Captioner(file)

    def say(picture: str, beam: int) -> str:
        found = captioner(
            picture, beam, max_length=settings.max_length, length_penalty=settings.length_penalty
        )
        return found.text

    return say


def encoder(file: Path, settings: Settings) -> Say:
    """The floor: a file's graph without its search, opened as Linnet opens files. It says nothing."""
    from linnet.image import pixels
    from linnet.model import Model

    model = Model(file, "caption", loops=True)
    controls = {
        "beam": np.array(1),
        "max_length": np.array(settings.max_length),
        "length_penalty": np.array(settings.length_penalty, np.float32),
    }

    def say(picture: str, beam: int) -> str:
        model.run({"image": pixels(picture)[None], **controls})
        return ""

    return say


def torch_eager(file: Path, settings: Settings) -> Say:
    """The network that was trained, searched as training searches."""
    import torch

    from linnet.image import pixels
    from linnet_training.caption.network import CaptionNetwork
    from linnet_training.sequence.search import beam_search

    torch.set_num_threads(1)
    saved = torch.load(file, weights_only=True)
    network = CaptionNetwork(*saved["sizes"])
    network.encoder.pad_symmetrically(saved["symmetric"])
    network.load_state_dict(saved["weights"])
    network.eval().requires_grad_(False)

    @torch.inference_mode()
    def say(picture: str, beam: int) -> str:
        memory, state = network.begin(network.encoder(torch.from_numpy(pixels(picture)[None])))
        found = beam_search(
            network.decoder, memory, state, beam, settings.max_length, settings.length_penalty
        )
        return settings.text(found.tokens[0, 0].tolist())

    return say


def step_by_step(file: Path, settings: Settings) -> Say:
    """onnxruntime called from Python for the encoder and then for every word; the search is in NumPy."""
    import onnxruntime as ort

    from linnet.image import pixels

    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    begin, one = (
        ort.InferenceSession(part, options, ["CPUExecutionProvider"])
        for part in (file, file.with_name(f"{file.stem}-step.onnx"))
    )

    def say(picture: str, beam: int) -> str:
        values, keys, *states = begin.run(None, {"image": pixels(picture)[None]})
        memory = {"values": values, "keys": keys}

        def step(tokens: Array, states: list[Array]) -> list[Array]:
            fed: list[Array] = one.run(
                None, {"tokens": tokens, **dict(zip(STATES, states, strict=True)), **memory}
            )
            return fed

        found = search(step, states, beam, settings.max_length, settings.length_penalty)
        return settings.text(found[0])

    return say


@dataclass(frozen=True)
class Kind:
    """One engine of the table."""

    load: Callable[[Path, Settings], Say]
    file: str
    """What it loads, in the folder that caption.py prepares."""
    floor: str
    """The engine whose work, with the same precision, is decoding a JPEG and encoding the picture alone."""


_FLOOR, _FLOOR_32 = "JPEG and encoder alone", "JPEG and encoder alone, float32"

ENGINES = {
    "Linnet": Kind(linnet, "captioner.onnx", _FLOOR),
    "Linnet, float32": Kind(linnet, "float32.onnx", _FLOOR_32),
    "torch eager": Kind(torch_eager, "network.pt", _FLOOR_32),
    "onnxruntime, word by word": Kind(step_by_step, "begin.onnx", _FLOOR_32),
    _FLOOR: Kind(encoder, "captioner-encoder.onnx", _FLOOR),
    _FLOOR_32: Kind(encoder, "float32-encoder.onnx", _FLOOR_32),
}
"""By their names in the table."""


def start(name: str, folder: Path) -> serving.Answer:
    """Load an engine and caption the first picture; what answers "greedy" and "beam"."""
    given = json.loads((folder / "settings.json").read_text())
    pictures: list[str] = given.pop("pictures")
    settings = Settings(**given)
    say = ENGINES[name].load(folder / ENGINES[name].file, settings)
    say(pictures[0], settings.beam)

    def answer(search: str) -> dict[str, Any]:
        beam = 1 if search == "greedy" else settings.beam
        began = time.process_time()
        captions = [say(picture, beam) for picture in pictures]
        return {"seconds": (time.process_time() - began) / len(pictures), "captions": captions}

    return answer


if __name__ == "__main__":
    serving.serve(lambda: start(sys.argv[1], Path(sys.argv[2])))
