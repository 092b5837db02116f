"""What to say when nobody recorded anything: near-sounding phrases, short utterances, ordinary sentences."""

import random
from collections.abc import Iterator, Sequence
from itertools import islice, product

import numpy as np

from linnet.errors import SynthesisError
from linnet_training.speech.engines import speakable
from linnet_training.speech.pronunciation import Phones, distances, heard_in, nearest, phones_of, vocabulary
from linnet_training.speech.sentences import sentences

__all__ = ["isolated_words", "near_phrases", "ordinary_sentences"]

# Phrases less apart than this may be the same words in another accent ("Don" and "Dawn"), so neither may be
# taught to be not the other. One phone that is missing costs 0.9, a vowel's neighbour about 0.5.
SAME = 0.6

NEAR_WORDS = 60
PAIRED = 12
LIKE_ONE_WORD = 2
"""Phrases of more words than this sound like no single word."""
SPLIT_FROM = 6
"""Words with at least so many letters are also said in halves."""


def near_phrases(phrase: str, n: int, seed: int) -> list[str]:
    """Return up to n distinct phrases that sound nearly, but never quite, like a phrase.

    They are its parts (words, halves of words, each also doubled), words and pairs of words with nearly the
    same phones, and the phrase with one word changed for one that sounds alike or for a common one. None of
    them contains a stretch that sounds the same as the phrase: neither "sea" for "see" nor "computers" for
    "computer", which has to be heard in it. Each kind begins with its nearest. Raises SynthesisError if the
    phrase has no word that an English voice could say.
    """
    words = speakable(phrase).lower().split()
    target = _target(phrase)
    if not target:
        raise SynthesisError(
            f"{phrase!r} has no word in it; write the phrase as it is spoken, in English letters"
        )
    rng = random.Random(seed)
    common = rng.sample(vocabulary("a"), len(vocabulary("a")))
    near = {word: _alike(phones_of(word)) for word in words}
    kinds = [
        _parts(words),
        iter(_alike(target) if len(words) <= LIKE_ONE_WORD else []),
        _pairs(target),
        _swapped(words, near),
        _swapped(words, dict.fromkeys(words, common)),
        _beside(words, near, common),
    ]
    found: list[str] = []
    seen = {" ".join(words)}
    # One of each kind in turn, so that a small n gets some of all.
    while kinds and len(found) < n:
        for kind in list(kinds):
            text = next((text for text in kind if text not in seen and not _says(target, [text])[0]), None)
            if text is None:
                kinds.remove(kind)
            elif len(found) < n:
                seen.add(text)
                found.append(text)
    return found


def isolated_words(n: int, seed: int, *, without: str = "") -> list[str]:
    """Return up to n distinct utterances of one to three words, most of one, without a phrase heard in them.

    Short words said on their own are what a detector most easily takes for its own.
    """
    rng = random.Random(seed)
    kinds = [vocabulary(kind) for kind in "abcn"]

    def utterances() -> Iterator[str]:
        for _ in range(20 * n):
            words = rng.choices((1, 2, 3), (6, 3, 1))[0]
            yield " ".join(rng.choice(rng.choices(kinds, (6, 3, 1, 2))[0]) for _ in range(words))

    return _distinct(utterances(), n, without)


def ordinary_sentences(n: int, seed: int, *, without: str = "") -> list[str]:
    """Return up to n distinct everyday sentences of 3 to 12 words, without a phrase heard in them."""
    return _distinct(islice(sentences(seed), 20 * n), n, without)


def _distinct(texts: Iterator[str], n: int, without: str) -> list[str]:
    """Return the first n different texts in which `without` is not heard."""
    target = _target(without)
    found: dict[str, None] = {}
    while len(found) < n:
        some = list(islice(texts, n))
        if not some:
            break
        found |= {text: None for text, said in zip(some, _says(target, some), strict=True) if not said}
    return list(found)[:n]


def _target(phrase: str) -> list[Phones]:
    """Return the ways a phrase may sound; none if it has no words."""
    return [way for way in phones_of(phrase) if way]


def _says(target: Sequence[Phones], texts: Sequence[str]) -> list[bool]:
    """Return for each text whether, said in any way, a stretch of it sounds the same as the target."""
    ways = [(number, way) for number, text in enumerate(texts) for way in phones_of(text)]
    said = [False] * len(texts)
    for wanted in target:
        apart = heard_in(wanted, [way for _, way in ways])
        for place in np.flatnonzero(apart < SAME).tolist():
            said[ways[place][0]] = True
    return said


def _alike(target: Sequence[Phones]) -> list[str]:
    return [word for way in target for word in nearest(way, NEAR_WORDS)]


def _parts(words: list[str]) -> Iterator[str]:
    """Yield the words, halves of the phrase and of long words, words doubled, and the phrase backwards."""
    yield from words
    half = len(words) // 2
    if len(words) > 2:
        yield from (" ".join(words[: half + 1]), " ".join(words[:half]), " ".join(words[half:]))
    for word in words:
        half = len(word) // 2
        if len(word) >= SPLIT_FROM:
            yield from (word[:half], word[half:], word[: half + 1], word[half - 1 :])
            yield from (f"{word[:half]} {word[:half]}", f"{word[half:]} {word[half:]}")
    yield from (f"{word} {word}" for word in words)
    yield " ".join(reversed(words))


def _pairs(target: Sequence[Phones]) -> Iterator[str]:
    """Yield pairs of words that together sound alike, the most alike first: "snow toy" for "snowboy"."""
    for way in target:
        pairs = [
            f"{start} {end}"
            for cut in range(2, len(way) - 1)
            for start, end in product(nearest(way[:cut], PAIRED), nearest(way[cut:], PAIRED))
        ]
        apart = distances(way, [phones_of(pair)[0] for pair in pairs])
        yield from (pairs[place] for place in np.argsort(apart, kind="stable"))


def _swapped(words: list[str], choices: dict[str, list[str]]) -> Iterator[str]:
    """Yield the phrase with one of its words changed, the first choices for each word first."""
    if len(words) > 1:
        for rank in range(max(len(choices[word]) for word in words)):
            for place, word in enumerate(words):
                if rank < len(choices[word]):
                    yield " ".join([*words[:place], choices[word][rank], *words[place + 1 :]])


def _beside(words: list[str], near: dict[str, list[str]], common: list[str]) -> Iterator[str]:
    """Yield words that sound alike, before or after common words."""
    choices = iter(common)
    for rank in range(NEAR_WORDS):
        for place, word in enumerate(words):
            beside = next(choices, None)
            if beside is None:
                return
            if rank < len(near[word]):
                yield f"{near[word][rank]} {beside}" if (rank + place) % 2 else f"{beside} {near[word][rank]}"
