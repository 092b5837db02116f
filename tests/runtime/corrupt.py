"""Opens and runs damaged copies of a model in a process that may die of it.

    python corrupt.py MODEL FIRST LAST

damages MODEL in as many ways as there are numbers from FIRST to LAST - 1, always the same way for the same
number, and prints a line before each try and one after it: "12" and "12 refused" or "12 fine". Anything but a
LinnetError ends the process with a traceback.
"""

from __future__ import annotations

import json
import sys
import tempfile
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime

from linnet import modelfile
from linnet.caption import Captioner
from linnet.errors import LinnetError
from linnet.translate import Translator
from linnet.trigger import TriggerWord

HARM = tuple(map(int, onnxruntime.__version__.split(".")[:2])) >= (1, 28)
"""Whether some damage is by somebody who means harm; older versions of onnxruntime abort on some of it."""

LARGE = [0, -1, 1, 2, 255, 1 << 16, 1 << 31, (1 << 31) - 1, 1 << 40, (1 << 63) - 1, -(1 << 63)]
ODD_FLOATS = [0.0, -1.0, 1e-45, 3e38, float("inf"), float("-inf"), float("nan")]


def damage(data: bytes, random: np.random.Generator) -> bytes:
    """A damaged copy of an ONNX file: half are torn by accident, half sealed by somebody who means harm."""
    if not HARM or random.random() < 0.5:
        ways = [truncate, flip, blank, scramble, swap, cut_out, repeat]
        # Most files are sealed; those are damaged as well that other tools may have written anew.
        whole = modelfile.seal(data) if random.random() < 0.7 else data
        return ways[random.integers(len(ways))](whole, random)
    spoil = spoil_card if random.random() < 0.3 else spoil_graph
    return modelfile.seal(spoil(data, random))


def truncate(data: bytes, random: np.random.Generator) -> bytes:
    return data[: random.integers(len(data))]


def flip(data: bytes, random: np.random.Generator) -> bytes:
    damaged = bytearray(data)
    for _ in range(random.choice([1, 1, 1, 2, 5, 50])):
        damaged[random.integers(len(data))] ^= 1 << random.integers(8)
    return bytes(damaged)


def run_of(data: bytes, random: np.random.Generator) -> slice:
    start = int(random.integers(len(data)))
    return slice(start, start + int(random.choice([1, 4, 16, 64, 256])))


def blank(data: bytes, random: np.random.Generator) -> bytes:
    damaged, where = bytearray(data), run_of(data, random)
    damaged[where] = bytes([random.choice([0, 255])]) * len(damaged[where])
    return bytes(damaged)


def scramble(data: bytes, random: np.random.Generator) -> bytes:
    damaged, where = bytearray(data), run_of(data, random)
    damaged[where] = random.bytes(len(damaged[where]))
    return bytes(damaged)


def swap(data: bytes, random: np.random.Generator) -> bytes:
    damaged, one, other = bytearray(data), run_of(data, random), run_of(data, random)
    size = min(len(data[one]), len(data[other]))
    one, other = slice(one.start, one.start + size), slice(other.start, other.start + size)
    damaged[one], damaged[other] = data[other], data[one]
    return bytes(damaged)


def cut_out(data: bytes, random: np.random.Generator) -> bytes:
    where = run_of(data, random)
    return data[: where.start] + data[where.stop :]


def repeat(data: bytes, random: np.random.Generator) -> bytes:
    where = run_of(data, random)
    return data[: where.stop] + data[where.start :]


def spoil_card(data: bytes, random: np.random.Generator) -> bytes:
    """A well-formed file with one wrong value in its card, or a card that is not JSON."""
    model = onnx.load_from_string(data)
    text = model.metadata_props[0].value
    if random.random() < 0.3:
        where = run_of(text.encode(), random)
        text = text[: where.start] + "".join(map(chr, random.integers(32, 127, 4))) + text[where.stop :]
    elif "translate" in (card := json.loads(text)) and random.random() < 0.4:
        # Well-formed JSON, whose pieces are damaged.
        ways = [truncate, flip, flip, blank, scramble, swap, cut_out, repeat]
        pieces = b64decode(card["translate"]["sentencepiece"])
        card["translate"]["sentencepiece"] = b64encode(
            ways[random.integers(len(ways))](pieces, random)
        ).decode()
        text = json.dumps(card)
    else:
        place: Any = card
        while True:
            keys = list(place) if isinstance(place, dict) else range(len(place))
            key = keys[random.integers(len(keys))]
            if not isinstance(place[key], (dict, list)) or not place[key] or random.random() < 0.1:
                break
            place = place[key]
        place[key] = random.choice(
            np.array([None, True, -1, 0, 1e300, "", "x", [], {}, 1 << 70, 3, 0.5], object)
        )
        text = json.dumps(card)
    model.metadata_props[0].value = text
    return model.SerializeToString()


def spoil_graph(data: bytes, random: np.random.Generator) -> bytes:
    """A well-formed file whose graph makes no sense: swapped or changed fields, huge sizes, odd numbers."""
    model = onnx.load_from_string(data)
    graph = model.graph
    for _ in range(random.choice([1, 1, 2, 4])):
        nodes = [(each, graph) for each in graph.node]
        bodies = [
            attribute.g for each in graph.node for attribute in each.attribute if attribute.HasField("g")
        ]
        nodes += [(each, body) for body in bodies for each in body.node]
        node, home = nodes[random.integers(len(nodes))]
        tensor = graph.initializer[random.integers(len(graph.initializer))]
        value = [*graph.input, *graph.output][random.integers(len(graph.input) + len(graph.output))]
        large = int(random.choice(np.array(LARGE, object)))
        names = [name for each, _ in nodes for name in (*each.input, *each.output)]
        kind = random.integers(14)
        if kind == 0 and node.input:
            node.input[random.integers(len(node.input))] = str(random.choice(names))
        elif kind == 1:
            node.output[random.integers(len(node.output))] = str(random.choice(names))
        elif kind == 2:
            other, _ = nodes[random.integers(len(nodes))]
            node.op_type, other.op_type = other.op_type, node.op_type
        elif kind == 3:
            node.op_type = str(
                random.choice(["Loop", "If", "Scan", "Tile", "Expand", "Range", "Pad", "Resize", "Cast"])
            )
        elif kind == 4 and node.attribute:
            attribute = node.attribute[0]
            attribute.i = max(-(1 << 63), min((1 << 63) - 1, large))
            if attribute.ints:
                attribute.ints[0] = attribute.i
        elif kind == 5 and node.attribute:
            node.attribute[0].name = "axis"
        elif kind == 6 and tensor.dims:
            tensor.dims[random.integers(len(tensor.dims))] = large
        elif kind == 7:
            tensor.dims.append(large)
        elif kind == 8:
            tensor.data_type = int(random.integers(25))
        elif kind == 9 and tensor.data_type == onnx.TensorProto.INT64:
            tensor.raw_data = np.int64(large).tobytes() + tensor.raw_data[8:]
        elif kind == 10 and tensor.data_type == onnx.TensorProto.FLOAT:
            array = np.frombuffer(tensor.raw_data, np.float32).copy()
            array[random.integers(array.size)] = random.choice(ODD_FLOATS)
            tensor.raw_data = array.tobytes()
        elif kind == 11:
            value.type.tensor_type.elem_type = int(random.integers(25))
        elif kind == 12:
            dims = value.type.tensor_type.shape.dim
            if dims:
                dims[random.integers(len(dims))].dim_value = large
        elif kind == 13:
            home.node.remove(node)
    return model.SerializeToString()


def listen(path: Path) -> None:
    """Use a trigger model."""
    audio = np.random.default_rng(0).uniform(-0.3, 0.3, 3000).astype(np.float32)
    spotter = TriggerWord(path)
    spotter.detect(audio)
    spotter.stream(batch=3).process(np.stack([audio] * 3))


def look(path: Path) -> None:
    """Use a captioner; its graph may loop, so it gets little time."""
    picture = np.random.default_rng(0).integers(0, 256, (100, 100, 3), np.uint8)
    captioner = Captioner(path, time_limit_s=2)
    captioner(picture, beam=4, n_best=3)
    captioner([picture] * 3, beam=1)


def read(path: Path) -> None:
    """Use a translator; its graph may loop, too."""
    translator = Translator(path, time_limit_s=2)
    translator("Ein Hund läuft. Eine Frau liest, und dann?\n😀", beam=4, n_best=3)
    translator(["Ein Hund", "x" * 50, ""], beam=1)


USES = {"trigger": listen, "caption": look, "translate": read}


def main(model: str, first: int, last: int) -> None:
    """Try the damaged models of these numbers."""
    data = Path(model).read_bytes()
    use = USES[modelfile.read_card(model).task]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "damaged.onnx"
        for number in range(first, last):
            path.write_bytes(damage(data, np.random.default_rng(number)))
            print(number, flush=True)
            try:
                use(path)
                print(number, "fine", flush=True)
            except LinnetError as error:
                if "\n" in str(error) or len(str(error)) > 1000:
                    raise RuntimeError(f"not one clear sentence: {error}") from error
                print(number, "refused", flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
