"""Captioning beside the same network run in other ways: time from picture file to caption, start and memory.

    python tests/benchmarks/caption.py                        # the bundled captioner, over its encoder alone
    python tests/benchmarks/caption.py --model captioner.onnx --checkpoint runs/captioner/.../best.ckpt \\
        --images photographs/                                 # all rows: needs '.[training]'

The same weights are run as the one file that Linnet ships; as that file in float32; in torch eager, with the
search in Python that training uses; and by onnxruntime called from Python for every word, with the search in
NumPy. The floor is what no search can be faster than: to decode the JPEG and to run the part of the file's
graph that comes before the search.

Each engine has a process of its own and one thread. Started afresh `--starts` times, it is timed from the
launch of Python to its first caption. Then all engines stay, and take turns: in each round every engine
captions the same pictures greedily, then with a beam. Times are of the processor, so that what else the
machine does counts little; ratios are medians of those within each round. Memory is the peak of the
whole process after the last round.
"""

import argparse
import json
import platform
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from importlib import metadata
from pathlib import Path
from typing import Any

import turns
from caption_engines import ENGINES, Settings

from linnet.cli import status_of
from linnet.cli.numbers import at_least
from linnet.errors import UsageError

_PHOTO = Path(__file__).parents[2] / "demos/photo.jpg"
_ENGINE = Path(__file__).with_name("caption_engines.py")
_SIZE = (640, 480)
_SEARCHES = ("greedy", "beam")


@dataclass
class Row(turns.Row):
    """What was measured of one engine."""

    greedy: list[float] = field(default_factory=list)
    """Seconds of the processor per picture, a value per round."""
    beam: list[float] = field(default_factory=list)
    captions: dict[str, list[str]] = field(default_factory=dict)
    """Of each search, a caption per picture."""

    def keep(self, search: str, answer: dict[str, Any], counts: bool) -> None:
        """Add an answer of the engine."""
        self.captions[search] = answer["captions"]
        if counts:
            getattr(self, search).append(answer["seconds"])


def main() -> int:
    """Measure, and print a table in Markdown."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--model", default="captioner", help="a captioner's file or name (default: the bundled one)"
    )
    parser.add_argument(
        "--checkpoint", type=Path, help="what `linnet train caption` wrote and the model was exported from"
    )
    parser.add_argument("--images", type=Path, metavar="DIR", help="JPEGs (default: the demo's, 640 x 480)")
    parser.add_argument(
        "--pictures", type=at_least(1), default=8, help="captions per round and search (default: 8)"
    )
    parser.add_argument("--beam", type=at_least(1, 32), default=5, help="width of the beam (default: 5)")
    parser.add_argument("--rounds", type=at_least(1), default=7, help="rounds (default: 7)")
    parser.add_argument("--starts", type=at_least(1), default=3, help="starts to be timed (default: 3)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every value of every round too")
    args = parser.parse_args()

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = {engine: Row(skipped=reason) for engine, reason in _prepare(folder, args).items()}
        turns.measure(
            rows,
            lambda engine: (sys.executable, str(_ENGINE), engine, str(folder)),
            _SEARCHES,
            Row.keep,
            starts=args.starts,
            rounds=args.rounds,
        )
    print(_table(rows, args))
    if args.json:
        report = {name: asdict(row) for name, row in rows.items()}
        args.json.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return 0


def _prepare(folder: Path, args: argparse.Namespace) -> dict[str, str]:
    """Write what the engines load; returns of each why it cannot run, or nothing."""
    from linnet import modelfile, zoo

    model = zoo.find(args.model).path
    card = modelfile.read_card(model)
    caption = card.caption
    settings = Settings(list(caption.vocabulary), caption.max_length, caption.length_penalty, args.beam)
    pictures = [str(path) for path in _pictures(folder, args)]
    (folder / "settings.json").write_text(json.dumps({**asdict(settings), "pictures": pictures}))
    shutil.copyfile(model, folder / "captioner.onnx")

    skipped = dict.fromkeys(ENGINES, "")
    names = list(ENGINES)
    if args.checkpoint is None:
        reason = "needs --checkpoint"
    else:
        try:
            reason = _from_checkpoint(folder, args.checkpoint, card)
        except ImportError as error:
            reason = f"{error.name or error} is not installed: pip install '.[training]'"
    for name in names:
        if ENGINES[name].file not in ("captioner.onnx", "captioner-encoder.onnx"):
            skipped[name] = reason
    for name in ("captioner", "float32"):
        if (folder / f"{name}.onnx").exists():
            try:
                without_search(folder / f"{name}.onnx", folder / f"{name}-encoder.onnx")
            except ImportError:
                floor = next(each for each in names if ENGINES[each].file == f"{name}-encoder.onnx")
                skipped[floor] = "onnx is not installed"
    return skipped


def _pictures(folder: Path, args: argparse.Namespace) -> Sequence[Path]:
    """As many JPEGs as were asked for, again from the first where there are fewer."""
    if args.images:
        found = sorted(path for path in args.images.iterdir() if path.suffix.lower() in (".jpg", ".jpeg"))
        if not found:
            raise UsageError(f"there is no JPEG in {args.images}")
    else:
        from PIL import Image

        found = [folder / "photo.jpg"]
        with Image.open(_PHOTO) as photo:
            photo.convert("RGB").resize(_SIZE).save(found[0], quality=90)
    return [found[place % len(found)] for place in range(args.pictures)]


def _from_checkpoint(folder: Path, path: Path, card: Any) -> str:
    """Write the network in float32 and in parts; returns why that cannot be, or nothing."""
    import onnx
    import torch

    from linnet_export import checkpoint
    from linnet_export.caption.graph import parts_of
    from linnet_export.caption.trained import Trained
    from linnet_export.search import search_model
    from linnet_export.writing import write

    trained = Trained.of(checkpoint.read(path))
    if list(trained.about["vocabulary"]) != list(card.caption.vocabulary):
        return "the checkpoint is of another captioner"
    recipe, network = trained.about["recipe"], trained.network
    saved = {
        "sizes": [len(card.caption.vocabulary), *(recipe[size] for size in ("memory", "hidden", "output"))],
        "symmetric": network.encoder.symmetric,
        "weights": network.state_dict(),
    }
    torch.save(saved, folder / "network.pt")
    parts = parts_of(network)
    onnx.save(parts.begin, folder / "begin.onnx")
    onnx.save(parts.step, folder / "begin-step.onnx")
    write(
        search_model(parts),
        replace(card, recipe={**card.recipe, "precision": "fp32"}),
        folder / "float32.onnx",
    )
    return ""


def without_search(whole: Path, part: Path) -> None:
    """Write the part of a captioner's graph that comes before its search.

    Its outputs are all that the search begins with, or looks at, and is computed. Inputs stay as they are.
    """
    import onnx

    model = onnx.load(whole)
    graph = model.graph
    loop = next(node for node in graph.node if node.op_type == "Loop")
    body = next(attribute.g for attribute in loop.attribute if attribute.name == "body")
    before: dict[str, bool] = {}  # of each computed value, whether it is so without the loop
    for node in graph.node:
        free = node.op_type != "Loop" and all(before.get(name, True) for name in node.input)
        before |= dict.fromkeys(node.output, free)
    wanted = dict.fromkeys([*loop.input, *(name for node in body.node for name in node.input)])
    kept = [node for node in graph.node if all(before[name] for name in node.output)]
    del graph.output[:], graph.node[:]
    graph.node.extend(kept)
    graph.output.extend(onnx.ValueInfoProto(name=name) for name in wanted if before.get(name))
    card = [entry for entry in model.metadata_props if entry.key == "linnet"]
    del model.metadata_props[:]  # the checksum is of the whole
    model.metadata_props.extend(card)
    onnx.save(model, part)


def _table(rows: dict[str, Row], args: argparse.Namespace) -> str:
    """All rows in Markdown: median, and the least in brackets."""
    versions = ", ".join(
        f"{package} {metadata.version(package)}" for package in ("linnet", "onnxruntime", *_torch(rows))
    )
    lines = [
        f"{platform.platform()}, Python {platform.python_version()}, {turns.processor()}; {versions}; "
        f"one thread; {args.rounds} rounds of {args.pictures} pictures: median (least)",
        "",
        f"| | greedy, ms | x Linnet | x floor | beam {args.beam}, ms | x Linnet | x floor "
        "| start to first caption, s | CPU s of that | peak memory, MB |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name, row in rows.items():
        if row.skipped:
            lines.append(f"| {name} | skipped: {row.skipped} | | | | | | | | |")
            continue
        cells = [name]
        for search in _SEARCHES:
            spent: list[float] = getattr(row, search)
            cells.append(turns.median_and_least([1000 * each for each in spent], 1))
            for other in ("Linnet", ENGINES[name].floor):
                cells.append(turns.ratio(spent, getattr(rows[other], search)))
        cells += [turns.median_and_least(each, 2) for each in (row.start_s, row.start_cpu_s)]
        lines.append(f"| {' | '.join(cells)} | {row.memory_mb:.0f} |")
    return "\n".join([*lines, "", *_agreement(rows)])


def _torch(rows: dict[str, Row]) -> Sequence[str]:
    return ("torch",) if rows["torch eager"].greedy else ()


def _agreement(rows: dict[str, Row]) -> list[str]:
    """How many captions are those of torch, where it ran."""
    theirs = rows["torch eager"].captions
    lines = []
    for name, row in rows.items():
        if theirs and row.captions and name != "torch eager" and any(row.captions["greedy"]):
            same = [
                sum(one == other for one, other in zip(row.captions[search], theirs[search], strict=True))
                for search in _SEARCHES
            ]
            count = len(theirs["greedy"])
            lines.append(f"{name}: {same[0]} of {count} captions as in torch, {same[1]} with the beam.")
    return lines


if __name__ == "__main__":
    sys.exit(status_of("caption.py", main))
