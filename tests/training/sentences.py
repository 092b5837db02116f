"""Sentences with translations into a made-up language that is English backwards, word by word."""

WORDS = (
    "the",
    "a",
    "big",
    "small",
    "red",
    "old",
    "dog",
    "cat",
    "man",
    "woman",
    "child",
    "bird",
    "sees",
    "likes",
)
WORDS += ("hears", "runs", "sleeps", "and")


def sentence(number):
    """One of many thousand."""
    chosen = []
    for place in range(3 + number % 5):
        chosen.append(WORDS[(number // (place + 1) + 7 * place) % len(WORDS)])
    return " ".join(chosen).capitalize() + "."


def backwards(text):
    return " ".join(word[::-1] for word in text[:-1].lower().split()).capitalize() + "."
