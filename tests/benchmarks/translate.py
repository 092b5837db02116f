"""Translation beside the same network run in other ways and beside other packages: speed, start and memory.

    python tests/benchmarks/translate.py                      # the bundled translator alone
    python tests/benchmarks/translate.py --model de-en.onnx --checkpoint runs/de-en/.../best.ckpt \\
        --sentences dev.de --peers-python peers/bin/python    # all rows: needs '.[training]'

The same weights are run as the one file that Linnet ships; as that file in float32; in torch eager, with the
search in Python that training uses; and by onnxruntime called from Python for every token, with the search in
NumPy. JoeyNMT and OpenNMT-py run models of the same sizes with random weights, which are made to say as much
as Linnet does: translate_peers.py tells how. They want old versions of other packages, so they may have an
interpreter of their own, which needs nothing of Linnet:

    python -m venv peers
    peers/bin/pip install OpenNMT-py==3.0.4 joeynmt==2.3.0 importlib-metadata 'sentencepiece<0.2.2'

Or all is in one: `pip install '.[translate-benchmarks]'`, without constraints.txt.

Each engine has a process of its own and one thread. Started afresh `--starts` times, it is timed from the
launch of Python to its first translation. Then all engines stay, and take turns: in each round every engine
translates the same sentences one by one and 32 at a time, greedily and with a beam. What is given at a time
is one call; Linnet sorts it by length and takes up to 16 of it together, the others take it as it is. Times
are of the processor, so that what else the machine does counts little; ratios are medians of those within
each round. Tokens are those of the translations, with their ends. Memory is the peak of the whole process
after the last round.
"""

import argparse
import gzip
import json
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from importlib import metadata
from pathlib import Path
from typing import Any

import turns
from translate_engines import ENGINES, Settings
from translate_peers import PIECES

from linnet.cli import status_of
from linnet.cli.numbers import at_least
from linnet.errors import UsageError

_ENGINE, _PEERS = (Path(__file__).with_name(f"translate_{name}.py") for name in ("engines", "peers"))
_BATCHES = (1, 32)
_SEARCHES = ("greedy", "beam")
_SIZES = ("output", "encoder_hidden", "encoder_layers", "hidden", "layers")
_SENTENCES = """Ein Hund läuft am Strand entlang.
Zwei Kinder spielen Fußball, während ihre Mutter ein Buch liest.
Wie spät ist es?
Der Zug nach Hamburg fährt heute zehn Minuten später ab.
Ich habe gestern vergessen, die Tür abzuschließen.
Eine Frau in einem roten Mantel wartet an der Haltestelle auf den Bus.
Könnten Sie mir bitte sagen, wo der Bahnhof ist?
Er mag keinen Kaffee.
Auf dem Markt verkauft ein alter Mann frisches Obst und Gemüse.
Wenn es morgen regnet, bleiben wir zu Hause und sehen einen Film.
Das Fahrrad gehört meiner Schwester.
Drei Männer in Warnwesten reparieren die Straße vor unserem Haus.
Warum hast du mir nichts davon erzählt?
Ein kleiner Junge springt in eine Pfütze.
Die Brücke, die im Krieg zerstört worden war, wurde erst nach vielen Jahren wieder aufgebaut.
Wir treffen uns um acht Uhr vor dem Kino."""


@dataclass
class Row(turns.Row):
    """What was measured of one engine."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    """Of the processor per sentence, a value per round, by what was asked: "1 greedy", "32 beam"."""
    tokens: dict[str, int] = field(default_factory=dict)
    """Of all translations."""
    texts: dict[str, list[str]] = field(default_factory=dict)
    """The translations."""
    made: dict[str, Any] = field(default_factory=dict)
    """How many parameters its network has, as far as that is known; of other packages their versions too."""

    def keep(self, question: str, answer: dict[str, Any], counts: bool) -> None:
        """Add an answer of the engine."""
        self.texts[question], self.tokens[question] = answer["texts"], answer["tokens"]
        if counts:
            self.seconds.setdefault(question, []).append(answer["seconds"])


def main() -> int:
    """Measure, and print tables in Markdown."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    add = parser.add_argument
    add("--model", default="de-en", help="a translator's file or name (default: de-en)")
    add("--checkpoint", type=Path, help="what `linnet train translate` wrote and the model was exported from")
    add("--sentences", type=Path, metavar="FILE", help="one per line, plain or .gz (default: 16 German ones)")
    add("--count", type=at_least(1), default=32, help="sentences per round and search (default: 32)")
    add("--beam", type=at_least(1, 32), default=5, help="width of the beam (default: 5)")
    add("--rounds", type=at_least(1), default=7, help="rounds (default: 7)")
    add("--starts", type=at_least(1), default=3, help="starts to be timed (default: 3)")
    add(
        "--peers-python",
        metavar="PYTHON",
        default=sys.executable,
        help="the interpreter that has JoeyNMT and OpenNMT-py (default: this one)",
    )
    add("--json", type=Path, metavar="FILE", help="write every value of every round too")
    args = parser.parse_args()

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = _prepare(folder, args)
        turns.measure(
            rows,
            lambda engine: (_python(engine, args), str(_ENGINE), engine, str(folder)),
            [f"{batch} {search}" for batch in _BATCHES for search in _SEARCHES],
            Row.keep,
            starts=args.starts,
            rounds=args.rounds,
        )
    print(_tables(rows, args))
    if args.json:
        report = {name: asdict(row) for name, row in rows.items()}
        args.json.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return 0


def _python(engine: str, args: argparse.Namespace) -> str:
    """The interpreter that runs an engine."""
    python: str = args.peers_python if ENGINES[engine].peer else sys.executable
    return python


def _prepare(folder: Path, args: argparse.Namespace) -> dict[str, Row]:
    """Write what the engines load; returns a row for each, which says why it cannot run if it cannot."""
    from linnet import Translator, zoo

    model = zoo.find(args.model).path
    translator = Translator(model)
    card = translator.card
    wanted = card.translate
    sentences = _sentences(translator, args)
    lengths = {
        search: [len(each.tokens) for each in translator(sentences, beam)]
        for search, beam in zip(_SEARCHES, (1, args.beam), strict=True)
    }
    settings = Settings(
        sentences, wanted.max_length, wanted.length_penalty, wanted.coverage_penalty, args.beam, lengths
    )
    (folder / "settings.json").write_text(json.dumps(asdict(settings)))
    (folder / PIECES).write_bytes(wanted.sentencepiece)
    shutil.copyfile(model, folder / ENGINES["Linnet"].file)

    rows = {name: Row() for name in ENGINES}
    if args.checkpoint is None:
        reason = "needs --checkpoint"
    else:
        try:
            reason = _from_checkpoint(folder, args.checkpoint, card, rows["torch eager"])
        except ImportError as error:
            reason = f"{error.name or error} is not installed: pip install '.[training]'"
    for name, kind in ENGINES.items():
        if kind.peer:
            _build(rows[name], kind.peer, folder, card.recipe, args)
        elif name != "Linnet":
            rows[name].skipped = reason
    return rows


def _sentences(translator: Any, args: argparse.Namespace) -> list[str]:
    """As many as were asked for, again from the first where there are fewer.

    What Linnet would cut into parts is left out, for the others do not.
    """
    from linnet.sentences import sentences

    settings = translator.card.translate

    def fits(line: str) -> bool:
        whole = list(sentences(line, settings.source_language)) == [(0, len(line))]
        return whole and 0 < len(translator.model.pieces.ids(line)) <= settings.max_source

    found = [line for line in _lines(args.sentences) if any(map(str.isalnum, line)) and fits(line)]
    if not found:
        raise UsageError("among the sentences there is none that Linnet translates whole")
    return [found[place % len(found)] for place in range(args.count)]


def _lines(path: Path | None) -> Iterable[str]:
    if path is None:
        return _SENTENCES.splitlines()
    with (
        gzip.open(path, "rt", encoding="utf-8")
        if path.suffix == ".gz"
        else path.open(encoding="utf-8") as file
    ):
        return [line.strip() for line in file]


def _from_checkpoint(folder: Path, path: Path, card: Any, row: Row) -> str:
    """Write the network in float32 and in parts; returns why that cannot be, or nothing."""
    import onnx
    import torch

    from linnet_export import checkpoint
    from linnet_export.search import search_model
    from linnet_export.translate.graph import parts_of
    from linnet_export.translate.trained import Trained
    from linnet_export.writing import write

    trained = Trained.of(checkpoint.read(path))
    if trained.sentencepiece != card.translate.sentencepiece:
        return "the checkpoint is of another translator"
    sizes = [len(trained.cutter), *(trained.about["recipe"][size] for size in _SIZES)]
    torch.save({"sizes": sizes, "weights": trained.network.state_dict()}, folder / "network.pt")
    row.made["parameters"] = sum(each.numel() for each in trained.network.parameters())
    parts = parts_of(trained.network)
    onnx.save(parts.begin, folder / "begin.onnx")
    onnx.save(parts.step, folder / "begin-step.onnx")
    fp32 = replace(card, recipe={**card.recipe, "precision": "fp32"})
    write(search_model(parts), fp32, folder / "float32.onnx")
    return ""


def _build(row: Row, package: str, folder: Path, recipe: Mapping[str, Any], args: argparse.Namespace) -> None:
    """Have another package's model written, by the interpreter that has it."""
    if not set(_SIZES) <= set(recipe):
        row.skipped = "the model's card does not say its sizes"
        return
    (folder / "sizes.json").write_text(json.dumps({size: recipe[size] for size in _SIZES}))
    command = [args.peers_python, str(_PEERS), "build", package, str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except OSError as error:
        row.skipped = f"{args.peers_python} cannot be run: {error.strerror}"
        return
    if done.returncode:
        row.skipped = (done.stderr.strip().splitlines() or [f"status {done.returncode}"])[-1]
    else:
        row.made = json.loads(done.stdout.splitlines()[-1])


def _tables(rows: dict[str, Row], args: argparse.Namespace) -> str:
    """All rows in Markdown: starts and memory, then a table for each size of batch."""
    ours = ["linnet", "onnxruntime", *(["torch"] if rows["torch eager"].seconds else [])]
    versions = [f"{package} {metadata.version(package)}" for package in ours]
    for name, row in rows.items():
        if row.seconds and "version" in row.made:
            versions.append(f"{name} {row.made['version']} with torch {row.made['torch']}")
    lines = [
        f"{platform.platform()}, Python {platform.python_version()}, {turns.processor()}; "
        f"{', '.join(versions)}; one thread; {args.rounds} rounds of {args.count} sentences",
        "",
        "| median (least) | start to first translation, s | CPU s of that | peak memory, MB |",
        "|---|---|---|---|",
    ]
    for name, row in rows.items():
        if row.skipped:
            lines.append(f"| {name} | skipped: {row.skipped} | | |")
        else:
            started = [turns.median_and_least(each, 2) for each in (row.start_s, row.start_cpu_s)]
            lines.append(f"| {' | '.join([name, *started])} | {row.memory_mb:.0f} |")
    for batch in _BATCHES:
        lines += ["", *_speeds(rows, batch, args)]
    return "\n".join([*lines, "", *_agreement(rows), *_parameters(rows)])


def _speeds(rows: dict[str, Row], batch: int, args: argparse.Namespace) -> list[str]:
    """The table of one size of batch."""
    heads = [f"{batch} at a time: median (most)" if batch > 1 else "one by one: median (most)"]
    for search in ("greedy", f"beam {args.beam}"):
        heads += [f"{search}, sentences/s", "tokens/s", "time x Linnet"]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for name, row in rows.items():
        if row.skipped:
            continue
        cells = [name]
        for search in _SEARCHES:
            question = f"{batch} {search}"
            spent = row.seconds[question]
            middle = statistics.median(spent)
            cells += [
                f"{1 / middle:.1f} ({1 / min(spent):.1f})",
                f"{row.tokens[question] / args.count / middle:.0f}",
                turns.ratio(spent, rows["Linnet"].seconds.get(question, [])),
            ]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _agreement(rows: dict[str, Row]) -> list[str]:
    """How many translations are those of torch, where it ran, one by one."""
    theirs = rows["torch eager"].texts
    lines = []
    for name, row in rows.items():
        if theirs and row.texts and name != "torch eager" and not ENGINES[name].peer:
            same = [
                sum(one == other for one, other in zip(row.texts[asked], theirs[asked], strict=True))
                for asked in (f"1 {search}" for search in _SEARCHES)
            ]
            count = len(theirs["1 greedy"])
            lines.append(f"{name}: {same[0]} of {count} translations as in torch, {same[1]} with the beam.")
    return lines


def _parameters(rows: dict[str, Row]) -> list[str]:
    """How large the networks are."""
    return [
        f"{name}: {row.made['parameters'] / 1e6:.1f} million parameters."
        for name, row in rows.items()
        if row.seconds and row.made
    ]


if __name__ == "__main__":
    sys.exit(status_of("translate.py", main))
