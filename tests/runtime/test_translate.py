"""Translations: what comes out, for one text and many; which models are refused, and with which words."""

from __future__ import annotations

import os
from base64 import b64encode

import numpy as np
import pytest
from altered import rename, set_size
from tiny_translate import tiny_pieces, tiny_translate_onnx

import linnet
from linnet import zoo
from linnet.errors import CardError, ModelError, ModelNotFoundError, ModelTimeoutError, UsageError
from linnet.translate import WINDOW, Translation, Translator


@pytest.fixture(scope="module")
def translator(tiny_translator):
    return Translator(tiny_translator)


def texts(translations):
    return [each.text for each in translations]


# What comes out


def test_a_translation(translator):
    translation = translator("Ein Hund läuft.")
    assert isinstance(translation, Translation)
    assert translation.text == str(translation) == "A dog runs."
    assert translation.tokens == ("\u2581A", "\u2581dog", "\u2581runs", ".")
    assert translation.source_tokens == ("\u2581Ein", "\u2581Hund", "\u2581läuft", ".")
    assert translation.score == pytest.approx(-0.5 / 5)
    assert translation.attention.dtype == np.float32
    assert np.array_equal(translation.attention, np.eye(4))
    assert translation.alternatives == ()


def test_the_best_and_others(translator):
    best = translator("Ein Hund.", beam=5, n_best=3)
    assert texts((best, *best.alternatives)) == ["A dog.", "very A dog.", "very very A dog."]
    scores = [best.score, *(each.score for each in best.alternatives)]
    assert scores == pytest.approx([-0.5 / 4, -1 / 5, -1.5 / 6])
    assert best.alternatives[1].attention.shape == (5, 3)
    assert best.alternatives[0].alternatives == ()


def test_the_card_says_how_to_search(save_translator):
    translator = Translator(
        save_translator(beam=2, max_length=2, length_penalty=0.0, coverage_penalty=0.5, max_source=3)
    )
    best = translator("Ein Hund liest", n_best=2)
    assert texts((best, *best.alternatives)) == ["A dog", "very A"]
    assert [best.score, best.alternatives[0].score] == pytest.approx([-0.5, -1.5])
    other = translator("Ein Hund liest", n_best=2, max_length=9, length_penalty=1, coverage_penalty=0)
    assert other.alternatives[0].text == "very A dog reads"
    assert [other.score, other.alternatives[0].score] == pytest.approx([-0.5 / 4, -1 / 5])
    # A beam that is not asked for is as wide as what is wanted of it.
    assert len(translator("Ein", n_best=3).alternatives) == 2


def test_translations_can_be_compared(translator):
    assert translator("Ein Hund") == translator("Ein Hund")
    assert translator("Ein Hund") != translator("Ein")
    assert len({translator("Ein Hund"), translator("Ein Hund"), translator("Ein")}) == 2


# Texts of several sentences


def test_a_paragraph(translator):
    translation = translator("Ein Hund läuft.  Eine Frau liest!\n\n Dann.")
    assert translation.text == "A dog runs.  A woman reads!\n\n Then."
    assert translation.tokens[4] == "\u2581A"
    assert translation.attention.shape == (len(translation.tokens), len(translation.source_tokens))
    assert np.array_equal(translation.attention, np.eye(len(translation.tokens)))
    # The mean, each sentence counted by its pieces and its end: the log-probability per piece.
    assert translation.score == pytest.approx(3 * -0.5 / (5 + 5 + 3))


def test_alternatives_of_a_paragraph_are_made_rank_by_rank(translator):
    best = translator("Ein Hund. 😀\n- Dann!", n_best=2)
    assert best.text == "A dog. 😀\n- Then!"
    assert texts(best.alternatives) == ["very A dog. 😀\nvery - Then!"]
    assert best.alternatives[0].attention.shape == (
        len(best.alternatives[0].tokens),
        len(best.source_tokens),
    )


def test_nothing_of_a_long_sentence_is_lost(translator):
    text = "Ein Hund läuft, und " * 30 + "Strand; " + "und " * 300
    words = {"Ein": "A", "Hund": "dog", "läuft,": "runs,", "und": "and", "Strand;": "beach;"}
    translation = translator(text)
    assert translation.text.split() == [words[word] for word in text.split()]
    assert translation.text.endswith("and ")
    word = translator("a" * 500)
    assert word.text == "a" * 500


def test_lines_stay_lines(translator):
    text = "\r\n\nEin Hund läuft\n und liest\r\n\n\tam Strand.\n\n"
    assert translator(text).text == "\r\n\nA dog runs\n and reads\r\n\n\tat beach.\n\n"


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "\n",
        " \t\u00a0\u3000 ",
        "😀",
        "👨‍👩‍👧 🎉",
        "...",
        "?!",
        "\u2013 \u2013",
        "\0",
        "\u200b",
        "\ud800",
        "€ $ &",
    ],
)
def test_what_holds_no_letters_and_no_digits_is_kept(translator, text):
    translation = translator(text, n_best=3)
    assert translation == Translation(text, 0.0, (), (), ())
    assert translation.attention.shape == (0, 0)


@pytest.mark.parametrize(
    ("text", "translated"),
    [
        ("Ein\0Hund\x07 läuft", "A dog runs"),
        ("\0Ein Hund", "A dog"),
        ("Ein \ud83d Hund", "A \ufffd dog"),
        ("שלום עולם", "שלום עולם"),
        ("\u202eEin", "\u202eEin"),
        ("Un chien, 2 chats", "Un chien, 2 chats"),
        ("Ein Hund 😀 läuft", "A dog 😀 runs"),
        ("42", "42"),
        ("世界", "世界"),
        ("Ein <s> </s> <unk> <0x41> \u2581 Hund", "A <s> </s> <unk> <0x41> dog"),
    ],
)
def test_odd_texts(translator, text, translated):
    assert " ".join(translator(text).text.split()) == translated


@pytest.mark.parametrize("piece", ["Ein Hund läuft und ", "Ein Hund. ", "a", "\0", "😀", ". "])
def test_a_line_of_100_000_characters(translator, piece):
    text = (piece * 100_000)[:100_000]
    translation = translator(text, beam=1)
    if "Ein" in piece:
        assert translation.text.count("A dog") == 100_000 // len(piece)
        assert len(translation.text.split()) == len(text.split())
    else:
        assert translation.text == text


# Many texts


def test_many_texts(translator):
    many = ["Ein Hund", "", "Eine Frau liest am Strand", "😀", "Dann"] * 150
    for given in (many, tuple(many)):
        assert texts(translator(given)) == ["A dog", "", "A woman reads at beach", "😀", "Then"] * 150
    assert translator([]) == []
    assert texts(translator(["Ein"])) == ["A"]


def test_in_a_batch_as_alone(translator, random):
    words = ["Ein", "Hund", "läuft", "am", "Strand", "xyz", ",", "😀"]
    many = [" ".join(random.choice(words, random.integers(1, 30))) for _ in range(70)]
    together = translator(many, n_best=2)
    for text, translation in zip(many, together, strict=True):
        alone = translator(text, n_best=2)
        assert alone == translation
        assert np.array_equal(alone.attention, translation.attention)


def test_what_goes_through_the_graph_together_is_alike_in_length(translator, monkeypatch):
    batches = []
    run = translator.model.run
    monkeypatch.setattr(translator.model, "run", lambda feeds: batches.append(feeds) or run(feeds))
    many = ["Ein Hund" if number % 2 else "Ein Hund " * 9 for number in range(128)]
    list(translator.each(many))
    assert [feeds["source"].shape for feeds in batches] == [(16, 3)] * 4 + [(16, 19)] * 4
    batches.clear()
    translator(many[:20], beam=32)  # the more hypotheses, the fewer sentences
    assert [len(feeds["source"]) for feeds in batches] == [2] * 10


def test_long_sentences_go_through_the_graph_in_smaller_batches(save_translator, monkeypatch):
    batches = []
    translator = Translator(save_translator(max_source=900))
    run = translator.model.run
    monkeypatch.setattr(translator.model, "run", lambda feeds: batches.append(feeds) or run(feeds))
    translator(["Ein " * 200, "Ein " * 90, "Ein " * 900] + ["Ein " * 90] * 14, beam=1)
    assert [feeds["source"].shape for feeds in batches] == [(11, 91), (5, 201), (1, 901)]


def test_texts_are_read_a_few_at_a_time(translator):
    read = []

    def source(text):
        for number in range(3 * WINDOW):
            read.append(number)
            yield text

    translations = translator.each(source("Ein"))
    assert read == []
    next(translations)
    assert len(read) == WINDOW
    assert len(list(translations)) == 3 * WINDOW - 1
    read.clear()
    next(translator.each(source("Ein Hund. " * 5000)))
    assert len(read) == 2


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"beam": 0}, "beam must be from 1 to 32, not 0"),
        ({"beam": 2.5}, r"beam must be a whole number, not 2\.5"),
        ({"n_best": 33}, "n_best must be from 1 to 32"),
        ({"beam": 2, "n_best": 3}, "a beam of 2 does not find 3 translations; use a beam of 3"),
        ({"max_length": 129}, "max_length must be from 1 to 128"),
        ({"length_penalty": -1}, "length_penalty must be from 0 to 10"),
        ({"coverage_penalty": 11}, "coverage_penalty must be from 0 to 10, not 11"),
        ({"coverage_penalty": None, "length_penalty": "x"}, "length_penalty must be a number, not 'x'"),
    ],
)
def test_numbers_out_of_range(translator, options, sentence):
    with pytest.raises(UsageError, match=sentence):
        translator("Ein", **options)
    with pytest.raises(UsageError, match=sentence):
        translator.each([], **options)  # at once, not when the first translation is asked for


@pytest.mark.parametrize("text", [b"Ein", None, 3, ["Ein", b"Hund"]])
def test_what_is_no_text(translator, text):
    with pytest.raises(UsageError, match=r"a translator takes text, not (bytes|NoneType|int)"):
        translator(text)


# Which file


def test_the_file_can_be_given_in_many_ways(tiny_translator):
    for model in (tiny_translator, str(tiny_translator)):
        assert Translator(model)("Ein").text == "A"
    loaded = linnet.load(tiny_translator)
    assert isinstance(loaded, Translator)
    assert loaded.card.name == "tiny translator"


def test_bundled_translators_go_by_their_names(tiny_translator, ship):
    folder = ship({"de-en": tiny_translator, "en-fr": tiny_translator})
    assert Translator().model.name == str(folder / "de-en.onnx")
    for other in (Translator("en-fr"), linnet.load("en-fr")):
        assert other.model.name == str(folder / "en-fr.onnx")


def test_there_is_no_such_translator(tmp_path):
    with pytest.raises(ModelNotFoundError, match=r"there is no model 'tlh-en'; give a bundled one's name"):
        Translator("tlh-en")
    with pytest.raises(ModelNotFoundError, match="no model file"):
        Translator(tmp_path / "gone.onnx")


def test_models_of_another_task(tiny_translator, tiny_captioner):
    with pytest.raises(ModelError, match=r"is a caption model, not a translate model; linnet\.load opens"):
        Translator(tiny_captioner)
    with pytest.raises(ModelError, match=r"is a translate model, not a caption model; linnet\.load opens"):
        linnet.Captioner(tiny_translator)


@pytest.mark.parametrize(
    ("name", "text", "word"), [("de-en", "Ein Hund läuft.", "dog"), ("en-de", "A dog is running.", "Hund")]
)
def test_the_translators_that_ship(name, text, word):
    translator = Translator(name)
    assert f"{translator.card.translate.source_language}-{translator.card.translate.target_language}" == name
    assert os.path.getsize(zoo.find(name).path) <= 8_000_000
    translation = translator(text, n_best=2)
    assert word in translation.text
    assert translation.score >= translation.alternatives[0].score
    sums = translation.attention.sum(1)
    assert (sums <= 1.001).all()
    assert sums.mean() > 0.3
    assert all(each.tokens for each in translator([text, text + " " + text], beam=1))
    assert translator("").text == ""


# Which graphs and pieces are refused


def graph(change):
    """The tiny translator, changed."""
    model = tiny_translate_onnx()
    change(model.graph)
    del model.graph.value_info[:]
    return model


@pytest.mark.parametrize(
    "change",
    [
        rename("input", "source", "text"),
        rename("input", "coverage_penalty", "coverage"),
        rename("output", "attention", "alignment"),
        set_size("input", 0, 0, 1),  # one sentence at a time only
        set_size("input", 0, 1, 1),
        lambda graph: graph.output.pop(),
        lambda graph: graph.input.append(graph.input[1].__class__(name="more", type=graph.input[1].type)),
    ],
)
def test_other_inputs_or_outputs(save_translator, change):
    with pytest.raises(ModelError, match=r"not built like a translate model|cannot be run|is damaged"):
        Translator(save_translator(graph(change)))


def test_a_graph_that_knows_fewer_pieces(save_translator):
    def change(graph):
        from onnx import numpy_helper

        table = next(each for each in graph.initializer if each.name == "table")
        table.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(table)[:-1], "table"))

    with pytest.raises(ModelError, match="cannot be run"):
        Translator(save_translator(graph(change)))


def test_a_graph_that_knows_more_pieces(save_translator):
    def change(graph):
        from onnx import numpy_helper

        table = next(each for each in graph.initializer if each.name == "table")
        table.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(table) + 1, "table"))

    with pytest.raises(ModelError, match="ids beyond its vocabulary of 400 pieces"):
        Translator(save_translator(graph(change)))


@pytest.mark.parametrize(
    "pieces", ["", "nonsense", "####", 3, b64encode(b"abc").decode(), b64encode(tiny_pieces()[:-9]).decode()]
)
def test_damaged_pieces(save_translator, pieces):
    with pytest.raises(CardError, match=r"sentencepiece (must|is not).*export the model again"):
        Translator(save_translator(sentencepiece=pieces))


def test_pieces_that_only_the_library_finds_wrong(save_translator):
    pieces = b64encode(tiny_pieces().replace(b"<pad>", b"<end>")).decode()
    with pytest.raises(ModelError, match=r"(numbers padding|SentencePiece model that cannot be used)"):
        Translator(save_translator(sentencepiece=pieces))


def test_a_loop_without_end_is_stopped(save_translator):
    def change(graph):
        from onnx.helper import make_node

        loop = next(node for node in graph.node if node.op_type == "Loop")
        loop.input[0] = ""
        body = loop.attribute[0].g
        kept = [node for node in body.node if "go_on" not in node.output]
        del body.node[:]
        body.node.extend([*kept, make_node("Identity", ["go"], ["go_on"])])

    with pytest.raises(ModelTimeoutError, match="computed longer than 1 s and was given up"):
        Translator(save_translator(graph(change)), time_limit_s=1)


def test_no_card(save_translator):
    with pytest.raises(CardError, match="no Linnet model card"):
        Translator(save_translator(tiny_translate_onnx("")))
