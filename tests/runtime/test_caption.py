"""Captions: what comes out, for one picture and many; which models are refused, and with which words."""

from __future__ import annotations

import os

import numpy as np
import pytest
from altered import rename, set_size
from tiny_caption import tiny_caption_onnx

import linnet
from linnet import zoo
from linnet.caption import Caption, Captioner
from linnet.errors import (
    CardError,
    ImageError,
    ImageNotFoundError,
    ModelError,
    ModelNotFoundError,
    ModelTimeoutError,
    UsageError,
)
from linnet.search import text_of


def plain(*colour):
    return np.full((40, 60, 3), colour, np.uint8)


RED, GREEN, BLUE = plain(200, 0, 0), plain(0, 200, 0), plain(0, 0, 200)


@pytest.fixture(scope="module")
def captioner(tiny_captioner):
    return Captioner(tiny_captioner)


# What comes out


def test_a_caption(captioner):
    caption = captioner(RED)
    assert isinstance(caption, Caption)
    assert caption.text == str(caption) == "a red picture"
    assert caption.tokens == ("a", "red", "picture")
    assert caption.score == pytest.approx(-0.5 / 4)
    assert caption.attention.shape == (3, 7, 7)
    assert caption.attention.dtype == np.float32
    assert np.allclose(caption.attention.sum((1, 2)), 1)
    assert caption.alternatives == ()


def test_attention_is_where_the_model_looked(captioner):
    picture = np.zeros((224, 224, 3), np.uint8)
    picture[32:64, 160:192] = 255  # the second of seven rows, the sixth of seven columns
    attention = captioner(picture).attention
    assert [np.unravel_index(each.argmax(), (7, 7)) for each in attention] == [(1, 5)] * 3


def test_the_best_and_others(captioner):
    best = captioner(BLUE, beam=5, n_best=3)
    assert [each.text for each in (best, *best.alternatives)] == [
        "a blue picture",
        "a very blue picture",
        "a very very blue picture",
    ]
    scores = [best.score, *(each.score for each in best.alternatives)]
    assert scores == sorted(scores, reverse=True)
    assert best.alternatives[1].attention.shape == (5, 7, 7)
    assert best.alternatives[0].alternatives == ()


def test_the_card_says_how_to_search(save_captioner):
    captioner = Captioner(save_captioner(beam=1, max_length=2, length_penalty=0.0))
    assert captioner(RED).text == "a red"
    assert captioner(RED).score == pytest.approx(-0.5)
    assert captioner(RED, max_length=9, length_penalty=1).score == pytest.approx(-0.5 / 4)
    # A beam that is not asked for is as wide as what is wanted of it.
    assert len(captioner(RED, n_best=3).alternatives) == 2


def test_a_caption_is_cut_where_it_is_to_end(captioner):
    assert captioner(RED, max_length=1).text == "a"
    assert captioner(RED, beam=32, n_best=32, max_length=40).alternatives[-1].tokens.count("very") == 31


def test_captions_can_be_compared(captioner):
    assert captioner(RED) == captioner(RED)
    assert captioner(RED) != captioner(GREEN)
    assert len({captioner(RED), captioner(RED), captioner(BLUE)}) == 2


def test_many_pictures(captioner):
    pictures = [RED, GREEN, BLUE] * 9
    for many in (pictures, tuple(pictures)):
        assert [each.text for each in captioner(many)] == [
            f"a {colour} picture" for colour in ("red", "green", "blue")
        ] * 9
    assert captioner([]) == []
    assert captioner([RED])[0].text == "a red picture"


def test_in_a_batch_as_alone(captioner, random):
    pictures = list(random.integers(0, 256, (11, 30, 50, 3), np.uint8))
    together = captioner(pictures, n_best=2)
    for picture, caption in zip(pictures, together, strict=True):
        alone = captioner(picture, n_best=2)
        assert alone == caption
        assert np.allclose(alone.attention, caption.attention, atol=1e-6)


def test_pictures_are_read_a_few_at_a_time(captioner):
    read = []

    def source():
        for number in range(100):
            read.append(number)
            yield RED

    captions = captioner.each(source())
    assert read == []
    next(captions)
    assert len(read) <= 16


# What goes wrong with pictures


def test_a_picture_that_cannot_be_read(captioner):
    with pytest.raises(ImageNotFoundError, match=r"gone\.jpg"):
        captioner("gone.jpg")
    with pytest.raises(FileNotFoundError, match=r"^there is no picture gone\.jpg"):
        captioner([RED, "gone.jpg", "gone_too.jpg"])
    with pytest.raises(ImageError, match=r"^picture 2 of 3: the given data is empty"):
        captioner([RED, b"", RED])


def test_going_on_after_a_bad_picture(captioner):
    results = list(captioner.each([RED, b"", *[GREEN] * 20, "gone.jpg"]))
    assert isinstance(results[1], ImageError)
    assert isinstance(results[22], ImageNotFoundError)
    assert [str(each) for each in results[2:22]] == ["a green picture"] * 20
    assert [type(each) for each in captioner.each([b"", b""])] == [linnet.errors.ImageFormatError] * 2


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"beam": 0}, "beam must be from 1 to 32, not 0"),
        ({"beam": 33}, "beam must be from 1 to 32, not 33"),
        ({"beam": 2.5}, r"beam must be a whole number, not 2\.5"),
        ({"beam": "5"}, "beam must be a whole number"),
        ({"n_best": 0}, "n_best must be from 1 to 32"),
        ({"beam": 2, "n_best": 3}, "a beam of 2 does not find 3 captions; use a beam of 3"),
        ({"max_length": 0}, "max_length must be from 1 to 40"),
        ({"max_length": 41}, "max_length must be from 1 to 40"),
        ({"length_penalty": -1}, "length_penalty must be from 0 to 10"),
        ({"length_penalty": float("nan")}, "length_penalty must be from 0 to 10"),
        ({"length_penalty": "much"}, "length_penalty must be a number, not 'much'"),
    ],
)
def test_numbers_out_of_range(captioner, options, sentence):
    with pytest.raises(UsageError, match=sentence):
        captioner(RED, **options)
    with pytest.raises(UsageError, match=sentence):
        captioner.each([], **options)  # at once, not when the first caption is asked for


def test_numbers_of_numpy_are_numbers(captioner):
    assert captioner(RED, np.int64(2), np.int8(2), length_penalty=np.float32(1)).text == "a red picture"


# Pieces and text


def test_pieces_become_text():
    assert text_of(["\u2581a", "\u2581dog"]) == "a dog"
    assert text_of(["\u2581un", "believ", "able", ",", "\u2581really"]) == "unbelievable, really"
    assert text_of([]) == ""


# Which file


def test_the_file_can_be_given_in_many_ways(tiny_captioner):
    for model in (tiny_captioner, str(tiny_captioner)):
        assert Captioner(model)(RED).text == "a red picture"
    loaded = linnet.load(tiny_captioner)
    assert isinstance(loaded, Captioner)
    assert loaded.card.name == "tiny captioner"
    assert linnet.load(str(tiny_captioner))(RED).text == "a red picture"


def test_bundled_captioners_go_by_their_names(tiny_captioner, ship):
    folder = ship({"captioner": tiny_captioner, "other": tiny_captioner})
    assert Captioner().model.name == str(folder / "captioner.onnx")
    for other in (Captioner("other"), linnet.load("other")):
        assert other.model.name == str(folder / "other.onnx")


def test_there_is_no_such_captioner(tmp_path):
    with pytest.raises(
        ModelNotFoundError, match=r"there is no model 'painter'; give a bundled one's name .*captioner"
    ):
        Captioner("painter")
    with pytest.raises(ModelNotFoundError, match="no model file"):
        Captioner(tmp_path / "gone.onnx")


def test_models_of_another_task(tiny_captioner, tiny_model):
    with pytest.raises(ModelError, match=r"is a trigger model, not a caption model; linnet\.load opens"):
        Captioner(tiny_model)
    with pytest.raises(ModelError, match=r"is a caption model, not a trigger model; linnet\.load opens"):
        linnet.TriggerWord(tiny_captioner)
    assert isinstance(linnet.load(tiny_model), linnet.TriggerWord)


def test_the_captioner_that_ships():
    captioner = Captioner()
    assert captioner.card.task == "caption"
    assert captioner.model.outputs["tokens"].kind == "tensor(int64)"
    assert os.path.getsize(zoo.find("captioner").path) <= 8_000_000
    caption = captioner(RED, n_best=2)
    assert caption.text == " ".join(caption.tokens) != ""
    assert caption.attention.shape[1:] == captioner.card.caption.grid
    assert np.allclose(caption.attention.sum((1, 2)), 1, atol=1e-3)
    assert caption.score >= caption.alternatives[0].score
    assert all(each.tokens for each in captioner([RED, GREEN, BLUE], beam=1))


# Which graphs are refused


def graph(change):
    """The tiny captioner, changed."""
    model = tiny_caption_onnx()
    change(model.graph)
    del model.graph.value_info[:]
    return model


@pytest.mark.parametrize(
    "change",
    [
        rename("input", "image", "photo"),
        rename("input", "beam", "width"),
        rename("output", "tokens", "words"),
        set_size("input", 0, 0, 1),  # one picture at a time only
        set_size("input", 0, 1, 192),
        set_size("input", 0, 3, 4),
        lambda graph: graph.output.pop(),
        lambda graph: graph.input.append(graph.input[1].__class__(name="more", type=graph.input[1].type)),
    ],
)
def test_other_inputs_or_outputs(save_captioner, change):
    with pytest.raises(ModelError, match=r"not built like a caption model|cannot be run|is damaged"):
        Captioner(save_captioner(graph(change)))


def after(output, op, *inputs, **attributes):
    """Put a node between what makes an output and the output itself."""

    def change(graph):
        from onnx.helper import make_node
        from onnx.numpy_helper import from_array

        graph.initializer.append(from_array(np.float32(0), "nothing_at_all"))
        node = next(node for node in graph.node if output in node.output)
        node.output[list(node.output).index(output)] = "before"
        graph.node.append(make_node(op, ["before", *inputs], [output], **attributes))

    return change


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (after("tokens", "Add", "a"), "ids beyond its vocabulary"),
        (after("tokens", "Neg"), "ids beyond its vocabulary of 10 pieces"),
        (after("tokens", "Mul", "forty"), "ids beyond its vocabulary"),
        (after("tokens", "Unsqueeze", "first"), "gave shapes"),
        (after("tokens", "Concat", "before", "before", axis=2), "gave shapes"),
        (after("scores", "Concat", "before", axis=1), "gave shapes"),
        (after("scores", "Sqrt"), "scores that are no numbers"),
        (after("attention", "Concat", "before", axis=3), "gave shapes"),
        (after("attention", "Log"), None),
        (after("attention", "Div", "nothing_at_all"), "scores that are no numbers"),
    ],
)
def test_other_results_than_promised(save_captioner, change, sentence):
    model = graph(change)
    for output in model.graph.output:
        for dimension in output.type.tensor_type.shape.dim:
            dimension.Clear()
    path = save_captioner(model)
    if sentence is None:
        Captioner(path)  # odd, but nothing that harms
    else:
        with pytest.raises(ModelError, match=sentence):
            Captioner(path)


def test_a_vocabulary_of_another_size(save_captioner):
    with pytest.raises(ModelError, match="ids beyond its vocabulary of 5 pieces"):
        Captioner(save_captioner(vocabulary=["", "", "", "", "a"]))


def test_another_grid(save_captioner):
    with pytest.raises(ModelError, match="gave shapes"):
        Captioner(save_captioner(grid=[7, 8]))


def test_another_size_of_picture(save_captioner):
    with pytest.raises(ModelError, match="not built like a caption model"):
        Captioner(save_captioner(image_size=192))


def test_functions_of_its_own(save_captioner):
    from onnx.helper import make_function, make_node, make_opsetid

    model = tiny_caption_onnx()
    body = [make_node("Identity", ["x"], ["y"])]
    model.functions.append(make_function("own", "same", ["x"], ["y"], body, [make_opsetid("", 18)]))
    model.opset_import.append(make_opsetid("own", 1))
    with pytest.raises(ModelError, match="holds functions, which a caption model never has"):
        Captioner(save_captioner(model))


def test_a_loop_without_end_is_stopped(save_captioner):
    def change(graph):
        loop = next(node for node in graph.node if node.op_type == "Loop")
        loop.input[0] = ""
        body = loop.attribute[0].g
        kept = [node for node in body.node if "go_on" not in node.output]
        del body.node[:]
        body.node.extend(kept)
        from onnx.helper import make_node

        body.node.append(make_node("Identity", ["go"], ["go_on"]))

    with pytest.raises(ModelTimeoutError, match="computed longer than 1 s and was given up"):
        Captioner(save_captioner(graph(change)), time_limit_s=1)


def test_no_card(save_captioner):
    with pytest.raises(CardError, match="no Linnet model card"):
        Captioner(save_captioner(tiny_caption_onnx("")))
