"""Heat maps: bright where the model looked, readable whatever the picture and the words."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from linnet.caption import Caption
from linnet.errors import ImageError, OutputError, UsageError
from linnet.plots import heatmap, save


def spot(row, column):
    attention = np.zeros((7, 7), np.float32)
    attention[row, column] = 1
    return attention


def caption(*words, attention=None):
    attention = [spot(0, 0)] * len(words) if attention is None else attention
    return Caption(" ".join(words), -0.5, words, np.array(attention, np.float32).reshape(len(words), 7, 7))


def tiles(figure, count):
    """Where the picture stands in the figure: the spans of columns that are not paper in the first row."""
    middle = np.asarray(figure.convert("L"))[150]
    inside = np.flatnonzero(np.diff(np.concatenate(([0], middle < 250, [0]))))
    spans = inside.reshape(-1, 2)
    assert len(spans) >= count
    return spans


GREY = np.full((300, 400, 3), 128, np.uint8)


def test_it_is_bright_where_the_model_looked():
    figure = heatmap(GREY, caption(*"abcde", attention=[spot(3, 0), spot(3, 6), *[spot(0, 0)] * 3]))
    assert figure.mode == "RGB"
    assert figure.width == 1600
    light = np.asarray(figure.convert("L"), np.float32)
    (first, _), (second, end), (_, last) = tiles(figure, 3)
    width = end - second
    row = light[110 + width * 3 // 8]
    near = slice(second, second + width // 7)
    far = slice(end - width // 3, end)
    assert row[near].mean() > 2 * row[far].mean()
    mirrored = row[last - width // 7 : last].mean()
    assert mirrored == pytest.approx(row[near].mean(), rel=0.05)
    assert row[first + 20] == 128  # the picture itself is as it was


def test_attention_that_is_everywhere_stays_dim():
    even = np.full((7, 7), 1 / 49, np.float32)
    figure = np.asarray(
        heatmap(GREY, caption(*"abcde", attention=[even, spot(3, 3), *[even] * 3])).convert("L")
    )
    (_, _), (second, end), (third, last) = tiles(Image.fromarray(figure), 3)
    block = figure[110 : 110 + (end - second) * 3 // 4 - 20]
    assert block[:, second:end].max() < block[:, third:last].max()
    assert np.ptp(block[:, second + 5 : end - 5].astype(int)) < 8


@pytest.mark.parametrize("count", [0, 1, 2, 3, 5, 8, 12, 20, 40])
@pytest.mark.parametrize("shape", [(300, 400), (400, 300), (1, 1), (2000, 10), (10, 2000)])
def test_any_number_of_words_on_any_shape(count, shape):
    figure = heatmap(np.full((*shape, 3), 90, np.uint8), caption(*["word"] * count))
    assert figure.width == 1600
    assert 250 < figure.height < 3500


def test_long_words_and_odd_letters():
    figure = heatmap(GREY, caption("x" * 300, "grüßt", "世界", ""))
    assert figure.width == 1600
    light = np.asarray(figure.convert("L"))
    assert (light[:, :8] == 255).all()  # nothing runs off the paper
    assert (light[:, -8:] == 255).all()


def test_it_is_upright_as_people_see_it(tmp_path):
    path = tmp_path / "turned.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (400, 200), (128, 128, 128)).save(path, exif=exif)
    tall, wide = heatmap(path, caption("a")), heatmap(GREY, caption("a"))
    assert tall.height > wide.height


def test_a_picture_that_cannot_be_read():
    with pytest.raises(ImageError):
        heatmap("gone.jpg", caption("a"))


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.jpeg", "a.webp", "A.PNG"])
def test_saving(tmp_path, name):
    save(heatmap(GREY, caption("a")), tmp_path / name)
    with Image.open(tmp_path / name) as figure:
        assert figure.width == 1600
    assert len(list(tmp_path.iterdir())) == 1


def test_saving_where_it_cannot_be(tmp_path):
    figure = heatmap(GREY, caption("a"))
    with pytest.raises(UsageError, match=r"a\.pdf must end in one of \.png"):
        save(figure, tmp_path / "a.pdf")
    with pytest.raises(OutputError, match="cannot write"):
        save(figure, tmp_path / "none/a.png")
    with pytest.raises(OutputError, match="cannot write"):
        save(figure, tmp_path / "a\0.png")
    assert list(tmp_path.iterdir()) == []
