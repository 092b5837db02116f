"""Greedy and beam search as an ONNX Loop around a decoder's step: one graph from input to tokens.

It computes what `linnet_training.sequence.search.beam_search` does, which export checks.
"""

from dataclasses import dataclass

import numpy as np
import onnx
from onnx import helper

from linnet.settings import SearchSettings
from linnet_export.decoder import STATES
from linnet_export.graph import BOOL, FLOAT, INT64, Graph, model_of, value
from linnet_training.sequence.search import END, LEAST_COVERED, PAD, START, UNKNOWN

_MEMORY = ("values", "keys", "mask")
_WORTH_SHARING = 1000  # bytes
_NEVER = -1e30
"""Instead of minus infinity, of which a product with 0 would not be a number."""


@dataclass(frozen=True)
class Parts:
    """The two graphs that torch exports."""

    begin: onnx.ModelProto
    """The task's input to ``values, keys, feed, hidden, cell``, one sequence per batch row; and to ``mask``
    where the memory has padding."""
    step: onnx.ModelProto
    """``tokens, feed, hidden, cell, values, keys`` and ``mask`` to ``gain`` (the log-probability of every
    token), the next states, as ``next_feed`` and so on, and ``attention``."""
    vocabulary: int
    most_steps: int
    """The graph makes no more tokens, whatever is asked."""
    covers: bool = False
    """Whether what a finished sequence leaves out lowers its score, by the input ``coverage_penalty``."""


def search_model(parts: Parts) -> onnx.ModelProto:
    """One model: inputs of `begin`, ``beam, max_length, length_penalty`` to ``tokens, scores, attention``."""
    g = Graph("")
    started = g.inline(parts.begin, {each.name: each.name for each in parts.begin.graph.input})
    values = started["values"]
    batch = g.op("Slice", g.op("Shape", values), [0], [1])
    positions = g.op("Slice", g.op("Shape", values), [1], [2])
    beam = g.op("Reshape", g.op("Min", g.op("Max", "beam", 1), SearchSettings.widest), [1])
    steps = g.op("Min", g.op("Max", "max_length", 1), parts.most_steps)
    shape = g.op("Concat", batch, beam, axis=0)
    ones = g.op("Concat", g.constant([1]), beam, [1], axis=0)
    states = [g.op("Expand", started[name], ones) for name in STATES]
    # All beams begin alike, so only the first may be continued.
    places = g.op("Range", 0, g.op("Squeeze", beam), 1)
    total = g.op("Expand", g.op("Where", g.op("Equal", places, 0), 0.0, _NEVER), shape)
    carried = {
        "tokens": g.op("Expand", START, shape),
        "total": total,
        "lengths": g.op("Expand", 0.0, shape),
        "done": g.op("Expand", np.array(False), shape),
        "scores": total,
        **dict(zip(STATES, states, strict=True)),
        "written": g.op("Expand", PAD, g.op("Concat", shape, [0], axis=0)),
        "looked": g.op("Expand", 0.0, g.op("Concat", shape, [0], positions, axis=0)),
    }
    if parts.covers:
        carried["covered"] = g.op("Expand", 0.0, g.op("Concat", shape, positions, axis=0))
    outer = {name: started[name] for name in _MEMORY if name in started}
    body = _body(parts, list(carried), outer)
    _share(g, body)
    results = [f"last_{name}" for name in carried]
    g.nodes.append(
        helper.make_node("Loop", [steps, g.constant(np.array(True)), *carried.values()], results, body=body)
    )
    for result, name in (("last_written", "tokens"), ("last_scores", "scores"), ("last_looked", "attention")):
        g.op("Identity", result, name=name)
    for each in parts.begin.graph.input:  # the exporter has names of its own
        each.type.tensor_type.shape.dim[0].dim_param = "batch"
    inputs = [
        *parts.begin.graph.input,
        value("beam", INT64),
        value("max_length", INT64),
        value("length_penalty", FLOAT),
        *([value("coverage_penalty", FLOAT)] if parts.covers else []),
    ]
    outputs = [
        value("tokens", INT64, "batch", "beam", "length"),
        value("scores", FLOAT, "batch", "beam"),
        value("attention", FLOAT, "batch", "beam", "length", "positions"),
    ]
    return model_of(g.build("linnet", inputs, outputs))


def _body(parts: Parts, carried: list[str], outer: dict[str, str]) -> onnx.GraphProto:
    """One step of the search, for every beam of every batch row."""
    b = Graph("step_")
    given = {name: f"in_{name}" for name in carried}
    feeds = {name: given[name] for name in ("tokens", *STATES)}
    made = b.inline(parts.step, {**feeds, **outer})

    # Unknown words are never written; a finished sequence goes on with padding, at no cost.
    column = np.arange(parts.vocabulary)
    banned = np.where(np.isin(column, (PAD, START, UNKNOWN)), _NEVER, 0.0).astype(np.float32)
    padding = np.where(column == PAD, 0.0, _NEVER).astype(np.float32)
    done = b.op("Unsqueeze", given["done"], [2])
    gain = b.op("Where", done, padding, b.op("Add", made["gain"], banned))
    lengths = b.op("Add", given["lengths"], b.op("Cast", b.op("Not", given["done"]), to=FLOAT))
    sums = b.op("Add", b.op("Unsqueeze", given["total"], [2]), gain)
    ranked = b.op("Div", sums, b.op("Unsqueeze", b.op("Pow", lengths, "length_penalty"), [2]))
    if parts.covers:
        unfinished = b.op("Cast", b.op("Not", done), to=FLOAT)
        covered = b.op("Add", given["covered"], b.op("Mul", made["attention"], unfinished))
        logs = b.op("Log", b.op("Clip", covered, LEAST_COVERED, 1.0))
        if "mask" in outer:
            logs = b.op("Where", b.op("Less", outer["mask"], 0.0), 0.0, logs)
        coverage = b.op("Mul", b.op("ReduceSum", logs, [2]), "coverage_penalty")
        ending = np.isin(column, (PAD, END)).astype(np.float32)
        ranked = b.op("Add", ranked, b.op("Mul", coverage, ending))

    beam = b.op("Slice", b.op("Shape", given["tokens"]), [1], [2])
    scores, best = b.ops("TopK", 2, b.op("Reshape", ranked, [0, -1]), beam, axis=1)
    parent = b.op("Unsqueeze", b.op("Div", best, parts.vocabulary), [2])
    tokens = b.op("Mod", best, parts.vocabulary)

    def follow(name: str) -> str:
        return b.op("GatherND", name, parent, batch_dims=1)

    new = {
        "tokens": tokens,
        "total": b.op("GatherElements", b.op("Reshape", sums, [0, -1]), best, axis=1),
        "lengths": follow(lengths),
        "done": b.op("Or", follow(given["done"]), b.op("Equal", tokens, END)),
        "scores": scores,
        **{name: follow(made[f"next_{name}"]) for name in STATES},
        "written": b.op("Concat", follow(given["written"]), b.op("Unsqueeze", tokens, [2]), axis=2),
        "looked": b.op(
            "Concat", follow(given["looked"]), b.op("Unsqueeze", follow(made["attention"]), [2]), axis=2
        ),
    }
    if parts.covers:
        new["covered"] = follow(covered)
    running = b.op("ReduceMax", b.op("Cast", b.op("Not", new["done"]), to=INT64), keepdims=0)
    going_on = b.op("Cast", running, to=BOOL)
    kinds = {"tokens": INT64, "done": BOOL, "written": INT64}
    inputs = [value("iteration", INT64), value("condition", BOOL)]
    inputs += [
        onnx.helper.make_tensor_value_info(given[name], kinds.get(name, FLOAT), None) for name in carried
    ]
    outputs = [value(going_on, BOOL)]
    outputs += [
        onnx.helper.make_tensor_value_info(new[name], kinds.get(name, FLOAT), None) for name in carried
    ]
    return b.build("step", inputs, outputs)


def _share(outer: Graph, body: onnx.GraphProto) -> None:
    """Keep once what both graphs hold: the embedding of the source is the search's output layer too."""
    known = {
        (tensor.data_type, tuple(tensor.dims), tensor.raw_data): tensor.name
        for tensor in outer.initializers
        if len(tensor.raw_data) >= _WORTH_SHARING
    }
    same = {
        tensor.name: known[key]
        for tensor in body.initializer
        if (key := (tensor.data_type, tuple(tensor.dims), tensor.raw_data)) in known
    }
    kept = [tensor for tensor in body.initializer if tensor.name not in same]
    del body.initializer[:]
    body.initializer.extend(kept)
    for node in body.node:
        for place, name in enumerate(node.input):
            node.input[place] = same.get(name, name)
