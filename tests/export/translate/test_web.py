"""A translator exported in full precision says the same under onnxruntime-web, for which it is meant."""

import json
from base64 import b64encode

import numpy as np
import pytest
import torch
from tiny_translate import tiny_translate_card

from linnet import Translator
from linnet.card import Card
from linnet_export.translate.graph import to_onnx
from linnet_export.writing import write
from linnet_training.sequence.search import END
from linnet_training.translate.network import TranslationNetwork
from linnet_training.translate.pieces import Cutter, learn_pieces

TEXTS = ("Ein Hund läuft am Strand.", "Eine Frau liest ein Buch.", "Zwei Kinder spielen mit dem Hund.", "½")


@pytest.mark.node
def test_the_same_words_in_full_precision(node, tmp_path):
    pieces = learn_pieces([*TEXTS, *(text.swapcase() for text in TEXTS)], 320)
    torch.manual_seed(0)
    network = TranslationNetwork(len(Cutter(pieces)), 24, 16, 2, 20, 2).eval().requires_grad_(False)
    for weight in network.parameters():
        weight.mul_(2.0)  # so that it is sure of what it says
    network.decoder.bias[END] += 3
    path = tmp_path / "made.onnx"
    search = {"max_source": 100, "max_length": 12, "coverage_penalty": 0.2}
    card = tiny_translate_card(sentencepiece=b64encode(pieces).decode(), **search)
    write(to_onnx(network), Card.from_json(json.dumps(card)), path)
    found = node(
        """
        const model = await load(path), found = [];
        for (const text of texts) for (const beam of [1, 5]) found.push(await model.translate(text, beam));
        return found;
        """,
        path=path,
        texts=TEXTS,
    )
    translator = Translator(path)
    expected = [translator(text, beam) for text in TEXTS for beam in (1, 5)]
    assert [each["text"] for each in found] == [each.text for each in expected]
    assert len({each.text for each in expected}) > 2
    scores = [each["score"] for each in found], [each.score for each in expected]
    np.testing.assert_allclose(*scores, rtol=0, atol=1e-3)
