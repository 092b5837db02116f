"""What to say when nobody recorded anything: phrases that sound nearly like a trigger word, and ordinary speech."""

import random
from collections.abc import Iterable, Iterator
from itertools import islice, product

import numpy as np

from linnet.errors import SynthesisError

from .pronunciation import distances, heard_in, nearest, phones_of, vocabulary
from .sentences import sentences

__all__ = ["isolated_words", "near_phrases", "ordinary_sentences"]

# Below this two phrases may be the same words in another accent ("the" twice, "cot" and "caught", "seen" and "seem" on
# a bad line). Nothing that near is used as a negative.
SAME = 0.6
NEAR_WORDS = 60
PAIRED = 12


def near_phrases(phrase: str, n: int, seed: int) -> list[str]:
    """Return up to n distinct phrases that sound nearly, but never quite, like a phrase.

    They are its parts (words, halves of words, each also doubled), words and pairs of words with nearly the same phones,
    and the phrase with one word changed for one that sounds alike or for a common one. None of them contains a stretch
    that sounds the same as the phrase ("see" for "sea", or "computers" for "computer", which begins with it). The nearer
    ones come first. Raises SynthesisError if the phrase has no word in it.
    """
    words = _words(phrase)
    target = phones_of(phrase)
    rng = random.Random(seed)
    common = rng.sample(vocabulary("a"), len(vocabulary("a")))
    near = {word: [other for way in phones_of(word) for other in nearest(way, NEAR_WORDS)] for word in dict.fromkeys(words)}
    pools = [
        _parts(words),
        (other for way in target for other in nearest(way, NEAR_WORDS)),
        _pairs(target),
        _swapped(words, near),
        _swapped(words, dict.fromkeys(words, common)),
        _beside(words, near, common),
    ]
    found: list[str] = []
    seen = {" ".join(words)}
    # One from each source in turn, so that a small n gets some of everything.
    while pools and len(found) < n:
        for pool in list(pools):
            candidate = next((text for text in pool if text not in seen and not _says(target, text)), None)
            if candidate is None:
                pools.remove(pool)
            elif len(found) < n:
                seen.add(candidate)
                found.append(candidate)
    return found


def isolated_words(n: int, seed: int, *, without: str = "") -> list[str]:
    """Return up to n distinct utterances of one to three words (most of one), none of which sounds like `without`.

    Short words said on their own are what a detector most easily takes for its own.
    """
    rng = random.Random(seed)
    target = phones_of(without) if without.strip() else []
    kinds = [vocabulary(kind) for kind in "abcn"]
    found: dict[str, None] = {}
    for _ in range(20 * n):
        if len(found) >= n:
            break
        size = rng.choices((1, 2, 3), (6, 3, 1))[0]
        text = " ".join(rng.choice(rng.choices(kinds, (6, 3, 1, 2))[0]) for _ in range(size))
        if not _says(target, text):
            found[text] = None
    return list(found)


def ordinary_sentences(n: int, seed: int, *, without: str = "") -> list[str]:
    """Return n distinct everyday sentences of 3 to 12 words, none of which contains what sounds like `without`."""
    target = phones_of(without) if without.strip() else []
    fresh = (text for text in sentences(seed) if not _says(target, text))
    return list(islice(dict.fromkeys(islice(fresh, 4 * n)), n))


def _words(phrase: str) -> list[str]:
    words = [word for word in phrase.lower().split() if any(char.isalnum() for char in word)]
    if not words or not any(phones_of(word) for word in words):
        raise SynthesisError(f"{phrase!r} has no word in it that can be said; write the phrase in English letters")
    return words


def _says(target: Iterable[tuple[str, ...]], text: str) -> bool:
    """Return whether a text has a stretch in it that sounds the same as the target."""
    return any(heard_in(way, said) < SAME for said in phones_of(text) for way in target)


def _parts(words: list[str]) -> Iterator[str]:
    half = len(words) // 2
    yield from words
    if len(words) > 2:
        yield from (" ".join(words[: half + 1]), " ".join(words[:half]), " ".join(words[half:]))
    for word in words:
        if len(word) >= 6:  # "comp", "uter": most engines read such pieces as written
            yield from (word[: len(word) // 2], word[len(word) // 2 :], word[: len(word) // 2 + 1], word[len(word) // 2 - 1 :])
    yield from (f"{word} {word}" for word in words)
    yield " ".join(reversed(words))


def _pairs(target: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """Yield pairs of words that together sound alike, the most alike first: "snow toy" for "snowboy"."""
    for way in target:
        pairs = [
            f"{start} {end}"
            for cut in range(2, len(way) - 1)
            for start, end in product(nearest(way[:cut], PAIRED), nearest(way[cut:], PAIRED))
        ]
        apart = distances(way, [phones_of(pair)[0] for pair in pairs])
        yield from (pairs[index] for index in np.argsort(apart, kind="stable"))


def _swapped(words: list[str], choices: dict[str, list[str]]) -> Iterator[str]:
    """Yield the phrase with one of its words changed, the first choices for each word first."""
    if len(words) > 1:
        for rank in range(max(len(choices[word]) for word in words)):
            for place, word in enumerate(words):
                if rank < len(choices[word]):
                    yield " ".join([*words[:place], choices[word][rank], *words[place + 1 :]])


def _beside(words: list[str], near: dict[str, list[str]], common: list[str]) -> Iterator[str]:
    """Yield words that sound alike before or after common words."""
    for other, (rank, word) in product(range(len(common) // NEAR_WORDS), enumerate(words)):
        for place, alike in enumerate(near[word]):
            beside = common[(other * NEAR_WORDS + place) % len(common)]
            yield f"{alike} {beside}" if (place + rank) % 2 else f"{beside} {alike}"
