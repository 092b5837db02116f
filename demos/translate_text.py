"""Translates a few sentences from German into English, or yours.

python demos/translate_text.py                          three sentences
python demos/translate_text.py "Ein Hund läuft."        your own
python demos/translate_text.py "Ein Hund läuft." a.png  and a figure of which words were looked at for which
"""

from __future__ import annotations

import argparse
import sys

import linnet
from linnet.cli import status_of

SENTENCES = [
    "Ich hätte gern einen Kaffee, bitte.",
    "Ein Hund läuft am Strand entlang.",
    "Zwei Kinder spielen Fußball, während ihre Mutter ein Buch liest.",
]


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("text", nargs="?", help="a text in German")
    parser.add_argument("figure", nargs="?", help="the file to draw what was looked at in")
    parser.add_argument("--model", default="de-en", help="another translator than de-en, by name or file")
    options = parser.parse_args(arguments)
    texts = SENTENCES if options.text is None else [options.text]
    translation = list(translate(texts, options.model).values())[-1]
    if options.figure:
        linnet.plots.save(linnet.plots.alignment(translation), options.figure)
        print(f"what was looked at for each word: {options.figure}")


def translate(texts: list[str], model: str = "de-en") -> dict[str, linnet.Translation]:
    """Print each text with its translation, and return these by their texts."""
    translations = dict(zip(texts, linnet.Translator(model)(texts), strict=True))
    for text, translation in translations.items():
        print(f"{text}\n    {translation}")
    return translations


if __name__ == "__main__":
    sys.exit(status_of("translate_text.py", lambda: main(sys.argv[1:])))
