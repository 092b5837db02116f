"""What is compared by translate.py, behind one interface: sentences in, their translations out.

    python translate_engines.py ENGINE FOLDER

serves one engine from what translate.py put in the folder, as serving.py says. It translates the first
sentence, and answers each line like "1 greedy" or "32 beam" with a round over all sentences, so many at a
time. Each engine is imported only when it is asked for, so that a process measures one engine and nothing
else. All cut sentences with the same SentencePiece model. JoeyNMT and OpenNMT-py are in translate_peers.py.
"""

import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import serving
import translate_peers
from translate_peers import PIECES

if TYPE_CHECKING:
    from linnet.text import Pieces

PAD, END = 0, 2

Said = tuple[str, int]
"""A translation, and how many tokens were chosen for it, with the end."""
Translate = Callable[[list[str], int], Sequence[Said]]
"""Sentences and width of the beam to translations."""


@dataclass(frozen=True)
class Settings:
    """What is translated and how, the same for every engine."""

    sentences: list[str]
    max_length: int
    length_penalty: float
    coverage_penalty: float
    beam: int
    """Of the rounds with a beam, and of the first sentence."""
    lengths: dict[str, list[int]]
    """Of each sentence's translation by Linnet in tokens without the end, "greedy" and with the "beam"."""

    @property
    def search(self) -> dict[str, Any]:
        """What ranks hypotheses and ends them."""
        names = ("max_length", "length_penalty", "coverage_penalty")
        return {name: getattr(self, name) for name in names}


def linnet(file: Path, settings: Settings) -> Translate:
    """Linnet, through its Python API."""
    from linnet import Translator

    translator = Translator(file)

    def translate(sentences: list[str], beam: int) -> list[Said]:
        found = translator(sentences, beam, **settings.search)
        return [(each.text, min(len(each.tokens) + 1, settings.max_length)) for each in found]

    return translate


def torch_eager(file: Path, settings: Settings) -> Translate:
    """The network that was trained, searched as training searches."""
    import torch

    from linnet_training.sequence.search import beam_search
    from linnet_training.translate.batches import padded
    from linnet_training.translate.network import TranslationNetwork

    torch.set_num_threads(1)
    saved = torch.load(file, weights_only=True)
    network = TranslationNetwork(*saved["sizes"])
    network.load_state_dict(saved["weights"])
    network.eval().requires_grad_(False)
    pieces = _pieces(file.parent)

    @torch.inference_mode()
    def translate(sentences: list[str], beam: int) -> list[Said]:
        memory, state = network.begin(padded([[*pieces.ids(each), END] for each in sentences]))
        found = beam_search(network.decoder, memory, state, beam, **settings.search)
        return [_said(tokens, pieces) for tokens in found.tokens[:, 0].tolist()]

    return translate


def step_by_step(file: Path, settings: Settings) -> Translate:
    """onnxruntime called from Python for the encoder and then for every token; the search is in NumPy."""
    import numpy as np
    import onnxruntime as ort
    from numpy_search import STATES, Array, search

    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    begin, one = (
        ort.InferenceSession(part, options, ["CPUExecutionProvider"])
        for part in (file, file.with_name(f"{file.stem}-step.onnx"))
    )
    pieces = _pieces(file.parent)

    def translate(sentences: list[str], beam: int) -> list[Said]:
        cut = [[*pieces.ids(each), END] for each in sentences]
        source = np.full((len(cut), max(map(len, cut))), PAD)
        for row, ids in zip(source, cut, strict=True):
            row[: len(ids)] = ids
        names = ["values", "keys", "mask", *STATES]
        *remembered, feed, hidden, cell = begin.run(names, {"source": source})
        memory = dict(zip(names, remembered, strict=False))

        def step(tokens: Array, states: list[Array]) -> list[Array]:
            fed: list[Array] = one.run(
                None, {"tokens": tokens, **dict(zip(STATES, states, strict=True)), **memory}
            )
            return fed

        found = search(step, [feed, hidden, cell], beam, **settings.search, present=source != PAD)
        return [_said(tokens, pieces) for tokens in found]

    return translate


def _pieces(folder: Path) -> "Pieces":
    from linnet.text import Pieces

    return Pieces((folder / PIECES).read_bytes(), PIECES)


def _said(tokens: list[int], pieces: "Pieces") -> Said:
    """What token ids say, up to the end."""
    from linnet.search import text_of

    chosen = tokens[: tokens.index(END)] if END in tokens else tokens
    return text_of([pieces.vocabulary[each] for each in chosen]), len(chosen) + (END in tokens)


@dataclass(frozen=True)
class Kind:
    """One engine of the table."""

    load: Callable[[Path, Settings], Translate]
    file: str
    """What it loads, in the folder that translate.py prepares."""
    peer: str = ""
    """The package it is of, if not of ours: its weights are others, and its interpreter may be another."""


ENGINES = {
    "Linnet": Kind(linnet, "translator.onnx"),
    "Linnet, float32": Kind(linnet, "float32.onnx"),
    "torch eager": Kind(torch_eager, "network.pt"),
    "onnxruntime, token by token": Kind(step_by_step, "begin.onnx"),
    "JoeyNMT": Kind(translate_peers.joeynmt, "joeynmt", "joeynmt"),
    "OpenNMT-py": Kind(translate_peers.opennmt, "opennmt.pt", "OpenNMT-py"),
}
"""By their names in the table."""


def start(name: str, folder: Path) -> serving.Answer:
    """Load an engine and translate the first sentence; what answers questions like "32 beam"."""
    settings = Settings(**json.loads((folder / "settings.json").read_text()))
    translate = ENGINES[name].load(folder / ENGINES[name].file, settings)
    sentences = settings.sentences
    translate(sentences[:1], settings.beam)

    def answer(question: str) -> dict[str, Any]:
        batch, search = question.split()
        beam, size = 1 if search == "greedy" else settings.beam, int(batch)
        said: list[Said] = []
        began = time.process_time()
        for first in range(0, len(sentences), size):
            said += translate(sentences[first : first + size], beam)
        seconds = (time.process_time() - began) / len(sentences)
        texts = [text for text, _ in said]
        return {"seconds": seconds, "tokens": sum(count for _, count in said), "texts": texts}

    return answer


if __name__ == "__main__":
    serving.serve(lambda: start(sys.argv[1], Path(sys.argv[2])))
