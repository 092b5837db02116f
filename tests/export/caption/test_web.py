"""What is exported in full precision says the same under onnxruntime-web, for which it is meant."""

import copy
import json

import numpy as np
import pytest
from PIL import Image
from tiny_caption import tiny_caption_card

from linnet import Captioner
from linnet.card import Card
from linnet_export.writing import write


@pytest.mark.node
def test_the_same_words_in_full_precision(node, graphs, vocabulary, images, tmp_path):
    path = tmp_path / "made.onnx"
    card = tiny_caption_card(vocabulary=list(vocabulary.pieces), max_length=12)
    write(copy.deepcopy(graphs["fp32"]), Card.from_json(json.dumps(card)), path)
    pictures = [tmp_path / f"{number}.ppm" for number in range(len(images))]
    for image, picture in zip(images, pictures, strict=True):
        Image.fromarray(image).save(picture)
    found = node(
        """
        const model = await load(path), found = [];
        for (const picture of pictures) {
          const pixels = pixelsOf(await readFile(picture), 224);
          for (const beam of [1, 5]) found.push(await model.caption(pixels, beam));
        }
        return found;
        """,
        path=path,
        pictures=pictures,
    )
    captioner = Captioner(path)
    expected = [captioner(picture, beam) for picture in pictures for beam in (1, 5)]
    assert [each["text"] for each in found] == [each.text for each in expected]
    assert len({each.text for each in expected}) > 2
    scores = [each["score"] for each in found], [each.score for each in expected]
    np.testing.assert_allclose(*scores, rtol=0, atol=1e-3)
