"""Stands in for linnet: training is over in a moment, and a microphone hears a recording, which ends.

    python briefly.py COMMAND ARGUMENT ...

What `train` is asked for stays as it is, but a recipe is added: of several, the last counts. A network that
has learnt next to nothing may lose any of it to 8 bits. All the rest is linnet itself.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from linnet.cli import main

SAMPLE = Path(__file__).parents[2] / "demos/sample.wav"
RECIPES = {
    "trigger": """
        epochs = 1
        steps_per_epoch = 2
        averaging = 0.5
        batch_size = 8
        variants = 1
        negative_variants = 1
        spoken_positives = 7
        spoken_near = 2
        spoken_words = 7
        spoken_sentences = 7
        mining_epochs = 1
    """,
    "caption": """
        frozen_epochs = 3
        tuned_epochs = 1
        self_critical_epochs = 1
        batch_size = 4
        learning_rate = 0.02
        averaging = 0.5
        samples = 2
        hidden = 8
        memory = 6
        output = 5
        least_count = 2
        max_words = 8
        cached_layers = 18
        views = 1
        beam = 2
    """,
    "translate": """
        vocabulary = 300
        output = 16
        encoder_hidden = 12
        encoder_layers = 1
        hidden = 16
        epochs = 5
        batch_tokens = 600
        learning_rate = 0.02
        averaging = 0.5
        most_pieces = 30
        beam = 2
    """,
}


def briefly(words: list[str]) -> int:
    """Run linnet; returns its exit status."""
    if words[0] == "listen" and not {"-", "--wav", "--devices"} & {*words}:
        words = [*words, "--wav", str(SAMPLE)]
    if words[0] in ("train", "export"):
        import linnet_export.caption.verify
        import linnet_export.translate.verify

        linnet_export.caption.verify.MOST_LOST = linnet_export.translate.verify.MOST_LOST = float("inf")
    if words[0] != "train":
        return main(words)
    with TemporaryDirectory() as folder:
        recipe = Path(folder) / "recipe.toml"
        recipe.write_text(RECIPES[words[1]])
        return main([*words, "--recipe", str(recipe)])


if __name__ == "__main__":
    sys.exit(briefly(sys.argv[1:]))
