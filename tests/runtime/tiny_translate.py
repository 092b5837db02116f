"""A tiny real translator, made by a script in a moment, which obeys the contract of translators.

It knows the German words of `DICTIONARY` and their English ones, and copies all else, piece by piece, so that
"Ein Hund läuft." becomes "A dog runs.". Hypothesis k says k times "very" first, and its log-probability is
-(k + 1) / 2. Each piece looks at the one that it translates, "very" at the first; k is also what attention
lacks of covering the source, so that the score suffers by k times the coverage penalty. The pieces are made
by a Loop, which ends once all hypotheses of the batch have, or at `max_length` or 128.
"""

from __future__ import annotations

import io
from base64 import b64encode
from functools import cache
from typing import Any

import numpy as np
from onnx.helper import make_graph
from tiny import BOOL, FLOAT, INT64, card_of, model_of, node, value

DICTIONARY = {
    "Ein": "A",
    "Eine": "A",
    "Hund": "dog",
    "Frau": "woman",
    "läuft": "runs",
    "liest": "reads",
    "und": "and",
    "Dann": "Then",
    "am": "at",
    "Strand": "beach",
    "very": "very",
}


@cache
def tiny_pieces() -> bytes:
    """A SentencePiece model whose pieces are the dictionary's words, letters, marks and bytes."""
    import sentencepiece

    words = [*DICTIONARY, *DICTIONARY.values()]
    made = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([" ".join(words) + " . , ! a b c 1 2"] * 50),
        model_writer=made,
        vocab_size=400,
        model_type="bpe",
        normalization_rule_name="identity",
        byte_fallback=True,
        character_coverage=1.0,
        pad_id=0,
        bos_id=1,
        eos_id=2,
        unk_id=3,
        minloglevel=2,
    )
    return made.getvalue()


def tiny_translate_card(**changes: Any) -> dict[str, Any]:
    """The tiny translator's card as plain JSON; ``changes`` replace its fields or those of its settings."""
    settings = {
        "source_language": "de",
        "target_language": "en",
        "sentencepiece": b64encode(tiny_pieces()).decode(),
        "max_source": 20,
        "max_length": 100,
        "beam": 3,
        "length_penalty": 1.0,
        "coverage_penalty": 0.0,
    }
    return card_of(
        "translate",
        "tiny translator",
        "Knows eleven words.",
        {"measure": "BLEU", "condition": "beam 3", "value": 12.3},
        settings,
        changes,
    )


def tiny_translate_onnx(card: dict[str, Any] | str | None = None) -> Any:
    """The tiny translator as a ModelProto; ``card`` is JSON, or a text to write as it is (empty: no card)."""
    nodes = _nodes(_turn())
    inputs = [
        value("source", INT64, "batch", "source_length"),
        value("beam", INT64),
        value("max_length", INT64),
        value("length_penalty", FLOAT),
        value("coverage_penalty", FLOAT),
    ]
    outputs = [
        value("tokens", INT64, "batch", "beam", "length"),
        value("scores", FLOAT, "batch", "beam"),
        value("attention", FLOAT, "batch", "beam", "length", "source_length"),
    ]
    return model_of(nodes, inputs, outputs, _constants(), tiny_translate_card() if card is None else card)


def _constants() -> dict[str, Any]:
    import sentencepiece

    known = sentencepiece.SentencePieceProcessor()
    known.LoadFromSerializedProto(tiny_pieces())
    becomes = np.arange(known.GetPieceSize())
    for german, english in DICTIONARY.items():
        (one,), (other,) = known.EncodeAsIds(german), known.EncodeAsIds(english)
        becomes[one] = other
    return {
        "zero": np.array(0),
        "one": np.array(1),
        "most": np.array(128),
        "first": np.array([0]),
        "last": np.array([1]),
        "axis2": np.array([2]),
        "flat": np.array([-1]),
        "half": np.float32(0.5),
        "yes": np.array(True),
        "table": becomes,
        "very": np.array(known.EncodeAsIds("very")[0]),
        "off_and_on": np.array([0, 1], np.float32),
    }


def _turn() -> Any:
    """One turn: where each hypothesis (batch, beam) looks at place "turn", and what it says."""
    return make_graph(
        [
            node("Sub", ["turn", "rank"], ["ahead"]),  # (1, beam): below 0 it is "very"
            node("Less", ["ahead", "zero"], ["is_very"]),
            node("Max", ["ahead", "zero"], ["not_before"]),
            node("Min", ["not_before", "final"], ["look"]),
            node("Reshape", ["look", "flat"], ["look_flat"]),
            node("Gather", ["source", "look_flat"], ["seen"], axis=1),
            node("Gather", ["table", "seen"], ["known"]),
            node("Greater", ["ahead", "final"], ["is_over"]),
            node("Where", ["is_over", "zero", "known"], ["word"]),
            node("Where", ["is_very", "very", "word"], ["token"]),
            node("OneHot", ["look_flat", "width_flat", "off_and_on"], ["looked_once"], axis=-1),
            node("Unsqueeze", ["looked_once", "first"], ["looked_one"]),
            node("Add", ["looked_one", "nothing_each"], ["looked"]),
            node("Less", ["turn", "last_turn"], ["go_on"]),
        ],
        "turn",
        [value("turn", INT64), value("go", BOOL)],
        [
            value("go_on", BOOL),
            value("token", INT64, "batch", "beam"),
            value("looked", FLOAT, "batch", "beam", "source_length"),
        ],
    )


def _nodes(turn: Any) -> list[Any]:
    """All else, around the Loop of turns."""
    return [
        node("Range", ["zero", "beam", "one"], ["ranks"]),
        node("Unsqueeze", ["ranks", "first"], ["rank"]),  # (1, beam)
        node("Shape", ["source"], ["size"], start=1, end=2),
        node("Squeeze", ["size"], ["width"]),
        node("Identity", ["size"], ["width_flat"]),
        node("Sub", ["width", "one"], ["final"]),
        node("Sub", ["source", "source"], ["none_each"]),
        node("Slice", ["none_each", "first", "last", "last"], ["none_column"]),  # (batch, 1)
        node("Unsqueeze", ["none_column", "axis2"], ["none_cube"]),
        node("Cast", ["none_cube"], ["nothing_each"], to=FLOAT),
        node("Add", ["final", "beam"], ["last_turn"]),
        node("Min", ["max_length", "most"], ["most_turns"]),
        node("Loop", ["most_turns", "yes"], ["tokens_by_turn", "looks_by_turn"], body=turn),
        node("Transpose", ["tokens_by_turn"], ["tokens"], perm=[1, 2, 0]),
        node("Transpose", ["looks_by_turn"], ["attention"], perm=[1, 2, 0, 3]),
        node("Greater", ["source", "zero"], ["filled"]),
        node("Cast", ["filled"], ["filled_number"], to=INT64),
        node("ReduceSum", ["filled_number", "last"], ["source_length"], keepdims=1),
        node("Add", ["source_length", "rank"], ["wanted"]),
        node("Min", ["wanted", "most_turns"], ["length"]),
        node("Cast", ["length"], ["length_float"], to=FLOAT),
        node("Pow", ["length_float", "length_penalty"], ["divisor"]),
        node("Add", ["rank", "one"], ["place"]),
        node("Cast", ["place"], ["place_float"], to=FLOAT),
        node("Mul", ["place_float", "half"], ["cost"]),
        node("Neg", ["cost"], ["likelihood"]),
        node("Div", ["likelihood", "divisor"], ["normal"]),
        node("Cast", ["rank"], ["rank_float"], to=FLOAT),
        node("Mul", ["rank_float", "coverage_penalty"], ["lacking"]),
        node("Sub", ["normal", "lacking"], ["scores"]),
    ]
