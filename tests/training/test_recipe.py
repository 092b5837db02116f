"""Recipes: read, checked, and told apart from what is not one."""

import shlex
from dataclasses import fields
from pathlib import Path

import pytest

from linnet import zoo
from linnet.cli import _parse
from linnet.errors import RecipeError
from linnet.modelfile import read_card
from linnet_training.caption.recipe import Recipe as CaptionRecipe
from linnet_training.starting import credits
from linnet_training.translate.recipe import Recipe as TranslationRecipe
from linnet_training.trigger.recipe import Recipe

FOLDER = Path(__file__).parents[2] / "training" / "recipes"
RECIPES = sorted(FOLDER.glob("*.toml"))


def read(folder, text):
    path = folder / "recipe.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return Recipe.read(path)


def test_what_is_not_named_keeps_its_default(tmp_path):
    recipe = read(tmp_path, "epochs = 3\nlearning_rate = 1\nstart_from_shipped = false\n")
    assert recipe == Recipe(epochs=3, learning_rate=1.0, start_from_shipped=False)
    assert type(recipe.learning_rate) is float
    assert read(tmp_path, "") == Recipe()


def test_plain_values_make_the_same_recipe_again():
    recipe = Recipe(epochs=3, teacher_weight=0.25, seed=7, start_from_shipped=False)
    values = recipe.to_dict()
    assert set(values) == {field.name for field in fields(Recipe)}
    assert {type(value) for value in values.values()} <= {int, float, bool}
    assert Recipe.from_dict(values) == recipe


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_recipes_that_come_with_linnet(path):
    kind = {"detector": Recipe, "captioner": CaptionRecipe, "translator": TranslationRecipe}[path.stem]
    assert kind.read(path) != kind()


@pytest.mark.parametrize("model", zoo.models(), ids=lambda path: path.stem)
def test_what_ships_was_made_with_its_recipe(model):
    card = read_card(model)
    stem, kind = {
        "trigger": ("detector", Recipe),
        "caption": ("captioner", CaptionRecipe),
        "translate": ("translator", TranslationRecipe),
    }[card.task]
    recipe = kind.read(FOLDER / f"{stem}.toml").to_dict()
    made = {name: value for name, value in card.recipe.items() if name != "precision"}
    assert {name: recipe.get(name) for name in made} == made
    # Settings that are newer than the file have no effect.
    assert all(recipe[name] == 0 for name in recipe.keys() - made.keys())


def commands_of(path):
    """The commands in a recipe's first comment, as a shell takes them."""
    comment = "\n".join(line.removeprefix("#") for line in path.read_text("utf-8").splitlines())
    for line in comment.replace("\\\n", " ").splitlines():
        if line.startswith("   linnet "):
            yield shlex.split(line)[1:]


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_the_command_of_a_recipe_makes_the_card_of_what_ships(path):
    for command in commands_of(path):
        options = _parse(command)
        card = read_card(zoo.find(options.output.stem).path)
        assert (options.author, options.licence) == (card.author, card.licence)
        assert options.recipe.name == path.name
        said = credits(options.credit, ())
        if card.task != "trigger":  # whose manifest names the sources
            assert [(each["name"], each["source"], each["licence"]) for each in said] == [
                (each.name, each.source, each.licence.replace(";", ",")) for each in card.data
            ]


def test_there_are_recipes():
    assert sum(len(list(commands_of(path))) for path in RECIPES) == 4
    assert RECIPES


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("epoch = 3", "unknown setting 'epoch'"),
        ("[training]\nepochs = 3", "unknown setting 'training'"),
        ("epochs = 3.0", "'epochs' must be int, not float"),
        ("epochs = true", "'epochs' must be int, not bool"),
        ('learning_rate = "fast"', "'learning_rate' must be float, not str"),
        ("start_from_shipped = 1", "'start_from_shipped' must be bool, not int"),
        ("epochs = 0", "epochs must be from 1"),
        ("batch_size = -1", "batch_size must be from 1"),
        ("learning_rate = 0", "learning_rate must be"),
        ("learning_rate = nan", "learning_rate must be"),
        ("positive_weight = inf", "positive_weight must be"),
        ("averaging = 1.0", "averaging must be"),
        ("seed = -1", "seed must be from 0"),
        ("teacher_weight = -0.5", "teacher_weight must be"),
        ("dev_false_alarms_per_hour = -1", "dev_false_alarms_per_hour must be"),
        ("steps_per_epoch = 99999999999999999999", "steps_per_epoch must be"),
        ("epochs: 3", "not valid TOML"),
        (b"epochs = 3 # \xff", "cannot read"),
    ],
)
def test_recipes_that_are_refused(tmp_path, text, says):
    with pytest.raises(RecipeError, match=says):
        read(tmp_path, text)


def test_missing_recipes(tmp_path):
    with pytest.raises(RecipeError, match=r"missing\.toml"):
        Recipe.read(tmp_path / "missing.toml")
    with pytest.raises(RecipeError, match="cannot read"):
        Recipe.read(tmp_path)
