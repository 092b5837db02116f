"""The model card: what it accepts, what it refuses, and which threshold it names."""

import copy
import json

import pytest
from tiny_caption import tiny_caption_card
from tiny_translate import tiny_pieces, tiny_translate_card

from linnet.card import CaptionSettings, Card, OperatingPoint, TranslateSettings, TriggerSettings
from linnet.errors import CardError, KeywordError, ModelError, UsageError


def test_a_card_survives_writing_and_reading(make_card):
    raw = make_card()
    card = Card.from_json(json.dumps(raw))
    assert json.loads(card.to_json()) == raw
    assert Card.from_json(card.to_json()) == card
    assert card.trigger.keywords == ("loud", "hiss")
    assert card.trigger.curves["hiss"][0] == OperatingPoint(0.0, 0.95, 0.1, 0.2)
    assert card.data[0].used_for == "nothing"
    assert card.quality[0].value == 0.05


def test_texts_of_any_language_survive_as_ascii(make_card):
    raw = make_card(author="Żółw 🐢", keywords=["öffne dich"])
    text = Card.from_json(json.dumps(raw)).to_json()
    assert text.isascii()
    assert Card.from_json(text).author == "Żółw 🐢"


@pytest.mark.parametrize(
    ("rate", "threshold"), [(0, 0.95), (0.49, 0.95), (0.5, 0.75), (1.9, 0.75), (2, 0.5), (1e9, 0.5)]
)
def test_the_threshold_is_that_of_the_highest_rate_allowed(make_card, rate, threshold):
    settings = Card.from_json(json.dumps(make_card())).trigger
    assert settings.threshold("loud", rate) == threshold
    point = settings.point("loud", rate)
    assert (point in settings.curves["loud"], point.threshold) == (True, threshold)


def test_where_no_rate_is_low_enough_the_strictest_point_serves(make_card):
    point = {"false_alarms_per_hour": 0.5, "threshold": 0.7, "miss_clean": 0, "miss_noise": 0}
    raw = make_card(keywords=["loud"], curves={"loud": [point]})
    assert Card.from_json(json.dumps(raw)).trigger.threshold("loud", 0.1) == 0.7


def test_thresholds_of_unknown_keywords_and_impossible_rates_are_refused(make_card):
    settings = Card.from_json(json.dumps(make_card())).trigger
    with pytest.raises(KeywordError, match="does not hear 'quiet'; it hears loud, hiss"):
        settings.point("quiet", 1)
    for rate in (-1, float("nan")):
        with pytest.raises(UsageError, match="0 or more"):
            settings.threshold("loud", rate)


def places(value, path=()):
    """Every path into a JSON value that ends at an object's field."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield (*path, key)
            yield from places(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from places(inner, (*path, index))


def parent(value, path):
    for key in path[:-1]:
        value = value[key]
    return value


def every_field(make_card):
    free = ("recipe", "versions")  # any names may stand in these
    return [path for path in places(make_card()) if not (len(path) > 1 and path[0] in free)]


def test_no_field_may_be_missing(make_card):
    for path in every_field(make_card):
        raw = make_card()
        del parent(raw, path)[path[-1]]
        with pytest.raises(CardError, match=r"lacks|missing|one curve for each"):
            Card.from_json(json.dumps(raw))


@pytest.mark.parametrize(
    "wrong", [None, True, [[]], {"x": {}}, "\x1b[2J", "\ud800", -1, 1e309, 10**400, float("nan")]
)
def test_no_field_may_be_of_another_type_or_out_of_range(make_card, wrong):
    for path in every_field(make_card):
        if path == ("recipe",) and isinstance(wrong, dict):
            continue
        if path[-1] == "value" and wrong == -1:
            continue  # a measured figure may be negative
        raw = make_card()
        parent(raw, path)[path[-1]] = wrong
        with pytest.raises(CardError):
            Card.from_json(json.dumps(raw))


@pytest.mark.parametrize(
    "path", [(), ("trigger",), ("data", 0), ("quality", 0), ("trigger", "curves", "loud", 0)]
)
def test_unknown_fields_are_refused(make_card, path):
    raw = make_card()
    parent(raw, (*path, None))["sparkle"] = 1
    with pytest.raises(CardError, match="unknown field 'sparkle'"):
        Card.from_json(json.dumps(raw))


@pytest.mark.parametrize(
    "changes",
    [
        {"keywords": []},
        {"keywords": [""]},
        {"keywords": ["loud", "loud"]},
        {"curves": {}},
        {"curves": {"loud": [], "hiss": []}},
        {"sample_rate": 8000},
        {"step_samples": 0},
        {"chunk_samples": 1000},
        {"chunk_samples": 320},
        {"smoothing_steps": 0},
        {"smoothing_steps": 1.5},
        {"refractory_s": 61},
        {"default_false_alarms_per_hour": -0.5},
        {"versions": {"linnet": 1}},
    ],
)
def test_settings_that_make_no_sense_are_refused(make_card, changes):
    with pytest.raises(CardError, match="export the model again"):
        Card.from_json(json.dumps(make_card(**changes)))


@pytest.mark.parametrize(
    "points",
    [
        [(0.5, 0.9), (0.5, 0.8)],  # rates that do not rise
        [(1.0, 0.9), (0.5, 0.8)],
        [(0.5, 0.8), (1.0, 0.9)],  # a threshold that rises
    ],
)
def test_curves_out_of_order_are_refused(points):
    curve = tuple(OperatingPoint(rate, threshold, 0, 0) for rate, threshold in points)
    with pytest.raises(CardError, match="rising false alarms and falling thresholds"):
        TriggerSettings(
            keywords=("a",),
            sample_rate=16000,
            step_samples=640,
            chunk_samples=640,
            smoothing_steps=1,
            refractory_s=1,
            default_false_alarms_per_hour=0.5,
            curves={"a": curve},
        )


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "null", "nonsense", "[" * 100_000, "1" * 10_000])
def test_what_is_not_a_json_object_is_refused(text):
    with pytest.raises(CardError, match="model card"):
        Card.from_json(text)


def test_a_newer_version_says_to_update_even_if_its_fields_are_others(make_card):
    with pytest.raises(CardError, match="version 2, and this Linnet knows only 1; update Linnet"):
        Card.from_json('{"version": 2, "task": "dance"}')


def test_the_card_of_a_captioner():
    raw = tiny_caption_card()
    card = Card.from_json(json.dumps(raw))
    assert json.loads(card.to_json()) == raw
    assert Card.from_json(card.to_json()) == card
    assert card.task == "caption"
    assert card.caption is card.settings
    assert card.caption.grid == (7, 7)
    assert card.caption.vocabulary[4] == "\u2581a"
    with pytest.raises(ModelError, match="tiny captioner is a caption model, not a trigger model"):
        _ = card.trigger


def test_a_captioner_writes_english_unless_its_card_says_otherwise():
    raw = tiny_caption_card(language="de")
    assert Card.from_json(json.dumps(raw)).caption.language == "de"
    del raw["caption"]["language"]
    assert Card.from_json(json.dumps(raw)).caption.language == "en"
    for wrong in ("", None, 3, "d\x1be"):
        with pytest.raises(CardError, match="language"):
            Card.from_json(json.dumps(tiny_caption_card(language=wrong)))


def test_the_card_of_a_trigger_model_has_no_captions(make_card):
    card = Card.from_json(json.dumps(make_card()))
    assert card.task == "trigger"
    with pytest.raises(ModelError, match="tiny is a trigger model, not a caption model"):
        _ = card.caption


@pytest.mark.parametrize(
    "changes",
    [
        {"image_size": 0},
        {"image_size": 224.0},
        {"image_size": 1 << 40},
        {"grid": [7]},
        {"grid": [7, 0]},
        {"grid": 49},
        {"grid": {"rows": 7}},
        {"vocabulary": ["", "", "", ""]},
        {"vocabulary": ["", "", "", "", "a", "a"]},
        {"vocabulary": ["", "", "", "", "a", ""]},
        {"vocabulary": ["", "", "", "", "a", "\x1b[2J"]},
        {"vocabulary": ["", "", "", 3, "a"]},
        {"vocabulary": "words"},
        {"max_length": 0},
        {"max_length": 41},
        {"beam": 0},
        {"beam": 33},
        {"beam": True},
        {"length_penalty": -0.1},
        {"length_penalty": float("nan")},
        {"trigger": {}},
        {"task": "trigger"},
    ],
)
def test_settings_of_captioners_that_make_no_sense_are_refused(changes):
    with pytest.raises(CardError, match="export the model again"):
        Card.from_json(json.dumps(tiny_caption_card(**changes)))
    sane = Card.from_json(json.dumps(tiny_caption_card())).caption
    assert isinstance(sane, CaptionSettings)


def test_the_card_of_a_translator():
    raw = tiny_translate_card()
    card = Card.from_json(json.dumps(raw))
    assert json.loads(card.to_json()) == raw
    assert Card.from_json(card.to_json()) == card
    assert card.task == "translate"
    assert card.translate is card.settings
    assert isinstance(card.settings, TranslateSettings)
    assert card.translate.sentencepiece == tiny_pieces()
    assert "sentencepiece" not in repr(card)
    with pytest.raises(ModelError, match="tiny translator is a translate model, not a caption model"):
        _ = card.caption
    with pytest.raises(ModelError, match="tiny captioner is a caption model, not a translate model"):
        _ = Card.from_json(json.dumps(tiny_caption_card())).translate


@pytest.mark.parametrize(
    "changes",
    [
        {"source_language": ""},
        {"target_language": 3},
        {"target_language": "d\x1be"},
        {"sentencepiece": None},
        {"sentencepiece": ""},
        {"sentencepiece": "ä"},
        {"sentencepiece": "AAAA"},
        {"sentencepiece": "A A A A"},
        {"max_source": 0},
        {"max_source": 1001},
        {"max_length": 129},
        {"beam": 33},
        {"length_penalty": 11},
        {"coverage_penalty": -1},
        {"coverage_penalty": float("nan")},
        {"vocabulary": []},
    ],
)
def test_settings_of_translators_that_make_no_sense_are_refused(changes):
    with pytest.raises(CardError, match="export the model again"):
        Card.from_json(json.dumps(tiny_translate_card(**changes)))


def test_another_task_is_named(make_card):
    raw = make_card(task="juggle")
    raw["juggle"] = raw.pop("trigger")
    with pytest.raises(CardError, match="task 'juggle', and this Linnet knows only 'trigger'"):
        Card.from_json(json.dumps(raw))


def test_a_card_that_is_made_wrongly_is_refused_too(make_card):
    card = Card.from_json(json.dumps(make_card()))
    fields = {name: copy.copy(getattr(card, name)) for name in card.__dataclass_fields__}
    with pytest.raises(CardError, match="author must be a printable text"):
        Card(**{**fields, "author": None})
    with pytest.raises(CardError, match="cannot be written as JSON"):
        Card(**{**fields, "recipe": {"rate": {1, 2}}}).to_json()


def test_a_card_error_is_a_model_error():
    assert issubclass(CardError, ModelError)
