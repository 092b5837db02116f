"""What the guide *How it works* names is there, and its formulas survive Markdown."""

import re
from pathlib import Path

import pytest
from matplotlib.mathtext import MathTextParser

DOCS = Path(__file__).parents[2] / "docs"
GUIDE = (DOCS / "how-it-works.md").read_text(encoding="utf-8")
FORMULAS = re.findall(r"\$\$(.+?)\$\$", GUIDE) + re.findall(r"(?<!\$)\$([^$\n]+)\$(?!\$)", GUIDE)
CODE = re.findall(r"\[`(\w+)`\]\(([^)]+\.py)\)", GUIDE)


@pytest.mark.parametrize("formula", dict.fromkeys(FORMULAS))
def test_formulas_are_formulas(formula):
    MathTextParser("path").parse(f"${formula}$")  # raises where it is none


@pytest.mark.parametrize("formula", dict.fromkeys(FORMULAS))
def test_markdown_leaves_formulas_alone(formula):
    """It is read first: a backslash before a sign is lost, and _ after a sign may begin emphasis."""
    assert not re.search(r"\\[^A-Za-z ]|(?:^|[^A-Za-z0-9])_|[*<]|\]\(", formula)


def test_no_formula_is_left_open():
    assert FORMULAS
    assert "$" not in re.sub(r"\$\$.+?\$\$|\$[^$\n]+\$", "", GUIDE)


@pytest.mark.parametrize(("name", "path"), CODE)
def test_code_is_where_the_guide_says(name, path):
    text = (DOCS / path).read_text(encoding="utf-8")
    assert re.search(rf"^\s*(?:def|class) {name}\b", text, re.MULTILINE)


def test_every_part_has_its_source_and_its_code():
    parts = re.split(r"^## ", GUIDE, flags=re.MULTILINE)[1:]
    assert len(parts) == 8
    for part in parts:
        assert "$$" in part, part[:40]
        assert "*From* " in part, part[:40]
        assert "*Code:* " in part, part[:40]


def test_it_is_read_in_a_quarter_of_an_hour():
    assert GUIDE.count("\n") <= 250
