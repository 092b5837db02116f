"""A tiny real captioner, made by a script in a moment, which obeys the contract of captioners.

It tells which of red, green and blue a picture is most of. Hypothesis k says "a", k times "very", the colour,
"picture", so that a beam of three finds "a red picture", "a very red picture" and "a very very red picture";
its log-probability is -(k + 1) / 2. Each word looks at the 7 x 7 places in proportion to how light they are.
The words are made by a Loop, which ends once all hypotheses have, or at `max_length` or 40.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx.helper import make_graph
from tiny import BOOL, FLOAT, INT64, UINT8, card_of, model_of, node, value

WORDS = ["a", "very", "red", "green", "blue", "picture"]
A, VERY, RED, PICTURE, END = 4, 5, 6, 9, 2


def tiny_caption_card(**changes: Any) -> dict[str, Any]:
    """The tiny captioner's card as plain JSON; ``changes`` replace its fields or those of its settings."""
    settings = {
        "image_size": 224,
        "grid": [7, 7],
        "vocabulary": ["", "<start>", "<end>", "<unknown>", *(f"\u2581{word}" for word in WORDS)],
        "language": "en",
        "max_length": 20,
        "beam": 3,
        "length_penalty": 1.0,
    }
    return card_of(
        "caption",
        "tiny captioner",
        "Tells which colour a picture is most of.",
        {"measure": "CIDEr", "condition": "beam 3", "value": 12.3},
        settings,
        changes,
    )


def tiny_caption_onnx(card: dict[str, Any] | str | None = None) -> Any:
    """The tiny captioner as a ModelProto; ``card`` is JSON, or a text to write as it is (empty: no card)."""
    nodes = _nodes(_turn())
    inputs = [
        value("image", UINT8, "batch", 224, 224, 3),
        value("beam", INT64),
        value("max_length", INT64),
        value("length_penalty", FLOAT),
    ]
    outputs = [
        value("tokens", INT64, "batch", "beam", "length"),
        value("scores", FLOAT, "batch", "beam"),
        value("attention", FLOAT, "batch", "beam", "length", 49),
    ]
    return model_of(nodes, inputs, outputs, _constants(), tiny_caption_card() if card is None else card)


def _constants() -> dict[str, Any]:

    return {
        "zero": np.array(0),
        "one": np.array(1),
        "two": np.array(2),
        "three": np.array(3),
        "four": np.array(4),
        "forty": np.array(40),
        "first": np.array([0]),
        "last": np.array([1]),
        "half": np.float32(0.5),
        "some": np.float32(1),
        "flat": np.array([0, 49]),
        "axes": np.array([2, 3]),
        "axis2": np.array([2]),
        "channel": np.array([1]),
        "places": np.array([1, 2]),
        "yes": np.array(True),
        "start": np.array(0),
        "a": np.array(A),
        "very": np.array(VERY),
        "red": np.array(RED),
        "picture": np.array(PICTURE),
        "end": np.array(END),
    }


def _turn() -> Any:
    """One turn: which token each hypothesis (batch, beam) says at place "turn", and where it looks."""
    return make_graph(
        [
            node("Sub", ["turn", "rank"], ["ahead"]),  # (1, beam): 1 is the colour's place, 2 "picture"'s
            node("Equal", ["ahead", "one"], ["is_colour"]),
            node("Equal", ["ahead", "two"], ["is_picture"]),
            node("Equal", ["ahead", "three"], ["is_end"]),
            node("Greater", ["ahead", "three"], ["is_over"]),
            node("Equal", ["turn", "zero"], ["is_first"]),
            node("Where", ["is_colour", "colour", "very"], ["word1"]),
            node("Where", ["is_picture", "picture", "word1"], ["word2"]),
            node("Where", ["is_end", "end", "word2"], ["word3"]),
            node("Where", ["is_over", "start", "word3"], ["word4"]),
            node("Where", ["is_first", "a", "word4"], ["token"]),
            node("Identity", ["look"], ["looked"]),
            node("Less", ["turn", "last_turn"], ["go_on"]),
        ],
        "turn",
        [value("turn", INT64), value("go", BOOL)],
        [
            value("go_on", BOOL),
            value("token", INT64, "batch", "beam"),
            value("looked", FLOAT, "batch", "beam", 49),
        ],
    )


def _nodes(turn: Any) -> list[Any]:
    """All else, around the Loop of turns."""
    return [
        node("Cast", ["image"], ["numbers"], to=FLOAT),
        node("Transpose", ["numbers"], ["planes"], perm=[0, 3, 1, 2]),
        node("ReduceMean", ["planes", "axes"], ["amounts"], keepdims=0),
        node("ArgMax", ["amounts"], ["most"], axis=1, keepdims=1),
        node("Add", ["most", "red"], ["colour"]),  # (batch, 1)
        node("AveragePool", ["planes"], ["cells"], kernel_shape=[32, 32], strides=[32, 32]),
        node("ReduceMean", ["cells", "channel"], ["light"], keepdims=0),
        node("Reshape", ["light", "flat"], ["by_place"]),
        node("Add", ["by_place", "some"], ["above"]),
        node("ReduceSum", ["above", "last"], ["total"], keepdims=1),
        node("Div", ["above", "total"], ["share"]),  # (batch, 49)
        node("Range", ["zero", "beam", "one"], ["ranks"]),
        node("Unsqueeze", ["ranks", "first"], ["rank"]),  # (1, beam)
        node("Mul", ["rank", "zero"], ["none"]),
        node("Cast", ["none"], ["nothing"], to=FLOAT),
        node("Unsqueeze", ["nothing", "axis2"], ["wide"]),
        node("Unsqueeze", ["share", "last"], ["each"]),
        node("Add", ["each", "wide"], ["look"]),  # (batch, beam, 49)
        node("Add", ["beam", "two"], ["last_turn"]),
        node("Min", ["max_length", "forty"], ["most_turns"]),
        node("Loop", ["most_turns", "yes"], ["tokens_by_turn", "looks_by_turn"], body=turn),
        node("Transpose", ["tokens_by_turn"], ["tokens"], perm=[1, 2, 0]),
        node("Transpose", ["looks_by_turn"], ["attention"], perm=[1, 2, 0, 3]),
        node("Add", ["rank", "four"], ["wanted"]),
        node("Min", ["wanted", "most_turns"], ["length"]),
        node("Cast", ["length"], ["length_float"], to=FLOAT),
        node("Pow", ["length_float", "length_penalty"], ["divisor"]),
        node("Add", ["rank", "one"], ["place"]),
        node("Cast", ["place"], ["place_float"], to=FLOAT),
        node("Mul", ["place_float", "half"], ["cost"]),
        node("Neg", ["cost"], ["likelihood"]),
        node("Div", ["likelihood", "divisor"], ["scores_of_one"]),
        node("Sub", ["colour", "colour"], ["none_each"]),
        node("Cast", ["none_each"], ["nothing_each"], to=FLOAT),
        node("Add", ["scores_of_one", "nothing_each"], ["scores"]),
    ]
