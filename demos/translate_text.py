"""Translates a few sentences from German into English, or yours.

python demos/translate_text.py                          three sentences
python demos/translate_text.py "Ein Hund läuft."        your own
python demos/translate_text.py "Ein Hund läuft." a.png  and a figure of which words were looked at for which

With --model NAME or FILE first, another translator than de-en.
"""

import sys

import linnet

SENTENCES = """Ein Hund läuft am Strand entlang.
Zwei Kinder spielen Fußball, während ihre Mutter ein Buch liest.
Wie spät ist es?"""


def main(arguments: list[str]) -> None:
    model = "de-en"
    if arguments[:1] == ["--model"] and len(arguments) > 1:
        model, arguments = arguments[1], arguments[2:]
    translator = linnet.Translator(model)
    texts = arguments[:1] or SENTENCES.splitlines()
    for text, translation in zip(texts, translator(texts), strict=True):
        print(f"{text}\n    {translation}")
    if len(arguments) > 1:
        linnet.plots.save(linnet.plots.alignment(translation), arguments[1])
        print(f"what was looked at for each word: {arguments[1]}")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except linnet.errors.LinnetError as error:
        sys.exit(f"translate_text.py: {error}")
