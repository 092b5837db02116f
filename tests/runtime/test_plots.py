"""Heat maps and alignments: they show where the model looked, readable whatever the picture and the words."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from linnet.caption import Caption
from linnet.errors import ImageError, OutputError, UsageError
from linnet.plots import alignment, heatmap, save
from linnet.translate import Translation


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


def translation(source, target, attention=None):
    """As if pieces that begin with a blank began words."""
    source, target = (tuple(piece.replace(" ", "\u2581") for piece in pieces) for pieces in (source, target))
    attention = np.eye(len(target), len(source)) if attention is None else np.array(attention)
    return Translation("", -0.5, target, source, (attention.astype(np.float32),))


def darkness(figure, rows, columns):
    """How dark each square is, of a figure whose labels are narrower than it has paper around them."""
    blue = 255 - np.asarray(figure, np.float32)[:, :, 0]
    side = 110
    bottom, left = figure.height - 32 - rows * side, None
    for start in range(figure.width - side * columns):
        part = blue[bottom + side // 2, start : start + side * columns]
        if part[3] > 10 and blue[bottom + side // 2, start : start + 2].max() < 5:
            left = start
    assert left is not None
    middles = [
        [(bottom + side // 2 + r * side, left + side // 2 + c * side) for c in range(columns)]
        for r in range(rows)
    ]
    return np.array([[blue[place] for place in row] for row in middles])


def test_it_is_dark_where_the_model_looked():
    figure = alignment(translation((" a", " b", " c"), (" x", " y"), [[0, 0, 1], [0.5, 0.5, 0]]))
    assert figure.mode == "RGB"
    dark = darkness(figure, 2, 3)
    assert dark[0, 2] > dark[1, 0] == dark[1, 1] > dark[0, 0] == dark[0, 1] == dark[1, 2]
    assert dark[1, 0] == pytest.approx((dark[0, 2] + dark[0, 0]) / 2, abs=1)


def test_pieces_of_a_word_are_one_square():
    shares = [[0.6, 0.4, 0, 0], [0, 0, 0.5, 0.5], [0, 0, 0, 1]]
    dark = darkness(alignment(translation((" a", "b", " c", "d"), (" x", " y", "z"), shares)), 2, 2)
    assert dark[0, 0] == dark[1, 1] > dark[0, 1] == dark[1, 0]


@pytest.mark.parametrize("rows", [1, 7, 80, 400])
@pytest.mark.parametrize("columns", [1, 40, 300])
def test_any_number_of_words_on_either_side(rows, columns):
    figure = alignment(translation([" Wörter"] * columns, [" words"] * rows))
    assert 100 < figure.width < 2200
    assert 100 < figure.height < 2200


def test_of_a_book_it_shows_the_beginning():
    blocks = (np.eye(4, 3, dtype=np.float32),) * 30_000  # whose attention in full would take 40 GB
    book = Translation("", 0.0, ("\u2581a",) * 120_000, ("\u2581b",) * 90_000, blocks)
    begins = translation([" b"] * 120, [" a"] * 120, np.kron(np.eye(40), np.eye(4, 3))[:120, :120])
    assert alignment(book) == alignment(begins)


def test_long_words_and_odd_letters_on_the_axes():
    words = [" " + "x" * 300, " grüßt", " «œuvre»", " 世界", " \u2581", "<0xF0>", " \n", " "]
    for columns in (1, 12):
        figure = alignment(translation(words * columns, words))
        light = np.asarray(figure.convert("L"))
        for edge in (light[:8], light[-8:], light[:, :8], light[:, -8:]):
            assert (edge == 255).all()  # nothing runs off the paper


def test_letters_of_three_languages_are_in_the_font():
    from PIL import ImageFont

    from linnet.plots import _LATIN

    font = ImageFont.truetype(_LATIN, 40)
    absent = font.getmask("\u05d0")
    shape = absent.size, bytes(absent)
    for letter in "äöüÄÖÜßéèêëàâçîïôùûÿœæÉÈÇ„“”»«‚’–—…€ß1aZ":  # noqa: RUF001
        mask = font.getmask(letter)
        assert (mask.size, bytes(mask)) != shape
    assert _LATIN.with_name("LICENSE").read_text("utf-8").startswith("Fonts are (c) Bitstream")


def test_there_is_nothing_to_align():
    with pytest.raises(UsageError, match="no alignment to draw, since nothing was translated"):
        alignment(Translation("", 0.0, (), (), ()))


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
