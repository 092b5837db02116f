"""Synthesised recordings for a run: the keyword, what sounds like it, other words and sentences."""

from collections.abc import Sequence
from pathlib import Path

import linnet.audio
from linnet.cli.progress import Progress
from linnet_training.hashes import digest
from linnet_training.speech.phrases import isolated_words, near_phrases, ordinary_sentences
from linnet_training.speech.synthesis import Clip, Voice, describe, find_voices, synthesise
from linnet_training.trigger.data import SPOKEN, Corpus, Split
from linnet_training.trigger.recipe import Recipe

ENOUGH = 100
"""With this many recordings of a keyword, synthesised ones are not added."""
_DEV_EVERY = 7

TEXT_ONLY_WARNING = (
    "'{keyword}' has no recordings: the detector learns it from synthesised speech alone. Expect it to miss "
    "clearly more than one trained on recordings (its card gives what was measured, on synthesised voices, "
    "which flatters it). Ten recordings of real people help more than anything else: --positives DIR."
)


def add_spoken(corpus: Corpus, recipe: Recipe, folder: Path) -> list[str]:
    """Synthesise into `folder` and add the files to the corpus; returns what to tell the user.

    Every seventh voice speaks for dev only, so that dev voices are strangers to training.

    Raises:
        SynthesisError: no text-to-speech engine on this machine, or none that can say a phrase.
    """
    voices = sorted(find_voices(), key=lambda voice: (voice.engine, voice.name))
    dev_voices = voices[3::_DEV_EVERY] or voices[-1:]
    train_voices = [voice for voice in voices if voice not in dev_voices] or voices
    messages = [f"Voices: {describe(voices)}"]
    recorded = {keyword: len(split) for keyword, split in corpus.positives.items()}
    for number, keyword in enumerate(corpus.keywords):
        if recorded[keyword] < ENOUGH:
            _add(
                corpus.positives[keyword],
                [keyword],
                recipe.spoken_positives,
                train_voices,
                dev_voices,
                folder / f"said-{number}",
            )
            if recorded[keyword] == 0:
                messages.append(TEXT_ONLY_WARNING.format(keyword=keyword))
        # Not for dev: nobody says "chatterbox" every minute, and thresholds set against that would be deaf.
        near = near_phrases(keyword, recipe.spoken_near, recipe.seed)
        corpus.words.spoken.extend(_spoken(near, recipe.spoken_near, train_voices, folder / f"near-{number}"))
    without = " ".join(corpus.keywords)
    words = isolated_words(recipe.spoken_words, recipe.seed, without=without)
    _add(corpus.words, words, recipe.spoken_words, train_voices, dev_voices, folder / "words")
    sentences = ordinary_sentences(recipe.spoken_sentences, recipe.seed, without=without)
    _add(corpus.speech, sentences, recipe.spoken_sentences, train_voices, dev_voices, folder / "sentences")
    corpus.origins.append(f"{SPOKEN}: {describe(voices)}")
    return messages


def _add(
    split: Split, texts: Sequence[str], clips: int, train: list[Voice], dev: list[Voice], folder: Path
) -> None:
    for_dev = max(1, clips // _DEV_EVERY)
    split.spoken.extend(_spoken(texts, clips - for_dev, train, folder / "train"))
    split.dev.extend(_spoken(texts, for_dev, dev, folder / "dev"))


def _spoken(texts: Sequence[str], clips: int, voices: list[Voice], folder: Path) -> list[Path]:
    """Paths of the clips; what an earlier try finished is used again if it said the same."""
    asked = [*texts, str(clips), *(f"{voice.engine} {voice.name}" for voice in voices)]
    folder = folder / digest(asked)
    done = folder / "done.txt"
    if not done.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        bar = Progress(clips)
        try:
            made: list[Clip] = synthesise(
                texts,
                clips=max(1, clips),
                seed=clips,
                voices=voices,
                progress=lambda done, _: bar.reach(done),
            )
        finally:
            bar.clear()
        for number, clip in enumerate(made):
            linnet.audio.write_wav(folder / f"{number:05d}.wav", clip.audio)
        done.write_text(
            "".join(f"{clip.text}\t{clip.voice.engine}\t{clip.voice.name}\n" for clip in made),
            encoding="utf-8",
        )
    return sorted(folder.glob("*.wav"))
