"""What the guides in docs/ say is what the code does."""

import re
from dataclasses import fields
from pathlib import Path

import onnxruntime
import pytest

from linnet import zoo
from linnet.card import (
    CaptionSettings,
    Card,
    DataSource,
    OperatingPoint,
    Quality,
    TranslateSettings,
    TriggerSettings,
)

DOCS = Path(__file__).parents[2] / "docs"


def named(page):
    """All that stands in backquotes."""
    return set(re.findall(r"`([^`\n]+)`", (DOCS / page).read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    "kind", [Card, DataSource, Quality, OperatingPoint, TriggerSettings, CaptionSettings, TranslateSettings]
)
def test_the_model_file_s_page_names_every_field_of_the_card(kind):
    assert {each.name for each in fields(kind)} - {"settings"} <= named("model-file.md")


@pytest.mark.parametrize("model", zoo.models(), ids=lambda path: path.stem)
def test_the_model_file_s_page_names_every_input_and_output(model):
    session = onnxruntime.InferenceSession(model)
    assert {each.name for each in (*session.get_inputs(), *session.get_outputs())} <= named("model-file.md")


@pytest.mark.parametrize("model", zoo.models(), ids=lambda path: path.stem)
def test_a_viewer_of_models_shows_which_dimension_is_the_batch(model):
    session = onnxruntime.InferenceSession(model)
    values = [*session.get_inputs(), *session.get_outputs()]
    assert {each.shape[0] for each in values if each.shape} == {"batch"}
