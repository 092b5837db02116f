"""Metrics of captions: by hand, with and without Java, on real captions where there are any."""

import math
import os
import shutil
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from linnet_training.caption import java
from linnet_training.caption.data import of_split, read, words
from linnet_training.caption.metrics import Metrics, measure

DATA = Path(__file__).parents[3].parent / "shared/data/captions"

needs_java = pytest.mark.skipif(shutil.which("java") is None, reason="there is no Java")


@pytest.fixture
def no_java(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))


class FakeJava:
    """A script in the place of Java, which notes its processes."""

    def __init__(self, folder):
        self._folder = folder

    def install(self, script):
        program = self._folder / "java"
        notes = f"open({str(self._folder / 'pids')!r}, 'a').write(f'{{os.getpid()}}\\n')"
        program.write_text(f"#!{sys.executable}\nimport os, sys, time\n{notes}\n{script}\n")
        program.chmod(0o755)

    def left(self):
        """Those that still run; that any ran at all is made sure of."""
        pids = [int(line) for line in (self._folder / "pids").read_text().split()]
        assert pids
        return [pid for pid in pids if runs(pid)]


def runs(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture
def fake_java(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    return FakeJava(tmp_path)


def test_a_tiny_corpus_worked_out_by_hand(no_java):
    """Two photographs, "a" in captions of both, all else of one: idf is 0 for "a" and ln 2 for the others."""
    found = measure(["A dog runs.", "a cat"], [["a dog sits", "the dog runs"], ["A cat!"]])
    # Of the words 5 of 5, of pairs 3 of 3 are in some reference; as long as the nearest references together.
    assert found.bleu[:2] == pytest.approx((100, 100), abs=1e-4)
    # Recall of the first: "a dog" is 2 of 3, "dog runs" too. The second is all there.
    assert found.rouge_l == pytest.approx(100 * (2 / 3 + 1) / 2)
    # First photograph. Beside "a dog sits", "dog" is one of two words that count (dog, runs; dog, sits), "a
    # dog" one of two pairs. Beside "the dog runs", two of (dog, runs; the, dog, runs), and one pair of two.
    # No triple is shared.
    first = (1 / 2 + 1 / 2 + 2 / math.sqrt(6) + 1 / 2) / 4 / 2
    # The second is its reference, which has words and a pair.
    second = 2 / 4
    assert found.cider == pytest.approx(1000 * (first + second) / 2)
    assert found.photographs == 2


def test_diversity(no_java):
    found = measure(
        ["a dog runs", "A Dog runs.", "a cat"], [["a dog"]] * 3, train=["The cat", "a  dog runs!", "a bird"]
    )
    assert found.distinct_words == 4
    assert found.unseen_share == pytest.approx(1 / 3)
    assert found.mean_length == pytest.approx(8 / 3)
    assert measure(["a", "b"], [["a"], ["b"]]).unseen_share is None


def test_without_java_meteor_is_left_out_and_that_is_said(no_java):
    found = measure(["a dog", "a cat"], [["a dog"], ["a cat"]])
    assert found.meteor is None
    assert "METEOR is left out and words are split on blanks, as there is no Java;" in found.notes[0]
    assert "2 photographs tell little" in found.notes[1]
    assert found.bleu[0] == pytest.approx(100, abs=1e-4)
    # Not asking for it needs no excuse.
    asked = measure(["a dog", "a cat"], [["a dog"], ["a cat"]], with_java=False)
    assert len(asked.notes) == 1


@needs_java
def test_java_says_what_pycocoevalcap_says():
    """Its PTBTokenizer and Meteor, version 1.2, gave the tokens and the figure."""
    hypotheses = ["A man's dog runs.", "two people -- sitting, outside", "a café"]
    references = [
        ["a dog is running!", 'The "dog" (brown) runs'],
        ["Two men don't sit"],
        ["the café", "A bar", "x"],
    ]
    sentences = [*hypotheses, *(text for texts in references for text in texts)]
    assert [" ".join(tokens) for tokens in java.tokenise(sentences)] == [
        *("a man 's dog runs", "two people sitting outside", "a café"),
        *("a dog is running", "the dog -lrb- brown -rrb- runs"),
        "two men do n't sit",
        *("the café", "a bar", "x"),
    ]
    found = measure(hypotheses, references)
    assert found.meteor == pytest.approx(18.81933551173787)
    assert len(found.notes) == 1  # few photographs


@needs_java
def test_odd_captions_are_measured():
    hypotheses = ["", " ... ", "a ||| dog", "two\nlines\u2028or\x85three", "über 犬 \ud800 🐕"]
    found = measure(hypotheses, [["a dog", "..."], ["…"], ["a dog"], ["two lines or three"], ["über 犬", ""]])
    assert found.meteor is not None
    assert 0 < found.meteor < 100
    assert found.photographs == 5
    assert len(found.notes) == 1  # few photographs
    assert java.tokenise([]) == []


@pytest.mark.parametrize(
    ("script", "sentence"),
    [("sys.exit(3)", "exit status 3"), ("print('Error: no'); sys.stdin.read()", "made 1 lines of")],
)
def test_a_java_that_fails_is_as_good_as_none(fake_java, script, sentence):
    fake_java.install(script)
    found = measure(["a dog", "a cat"], [["a dog"], ["a cat"]])
    assert found.meteor is None
    assert sentence in found.notes[0]


@pytest.mark.parametrize("count", [2, 2000], ids=["few", "more than a pipe holds"])
@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        ("sys.exit(3)", "ended too early"),
        ("print('Error: too little', flush=True); time.sleep(60)", "ended too early, or took too long"),
        (
            "[print('Error: too little', flush=True) for _ in range(5000)]; time.sleep(60)",
            "Error: too little",
        ),
        ("time.sleep(60)", "took too long"),
        ("sys.stdin.read()", "took too long"),
        ("[print('1 2', flush=True) for _ in range(5000)]; time.sleep(60)", "could not convert|too long"),
    ],
)
def test_meteor_never_hangs_and_leaves_nothing_running(fake_java, script, sentence, count):
    fake_java.install(script)
    started = time.monotonic()
    with pytest.raises(java.JavaError, match=sentence):
        java.meteor(["a dog"] * count, [["a dog " * 20]] * count, limit_s=1.5)
    assert time.monotonic() - started < 30
    assert fake_java.left() == []


def test_meteor_that_is_interrupted_leaves_nothing_running(fake_java, monkeypatch):
    def interrupt(*_):
        time.sleep(0.5)
        raise KeyboardInterrupt

    fake_java.install("time.sleep(60)")
    monkeypatch.setattr(java, "_converse", interrupt)
    with pytest.raises(KeyboardInterrupt):
        java.meteor(["a dog"], [["a dog"]])
    assert fake_java.left() == []


def test_the_tokenizer_never_hangs(fake_java):
    fake_java.install("time.sleep(60)")
    with pytest.raises(java.JavaError, match="took too long"):
        java.tokenise(["a dog"] * 10_000, limit_s=1.0)
    assert fake_java.left() == []


def test_misuse_is_refused():
    for hypotheses, references in [([], []), (["a"], []), (["a"], [[]])]:
        with pytest.raises(ValueError, match="each photograph needs"):
            measure(hypotheses, references)


def test_tables_and_json():
    found = Metrics(1000, (60.04, 40, 30, 20), None, 45, 61.26, 400, 0.5, 9.96, ("a note",))
    assert found.table().splitlines() == [
        "BLEU-1  BLEU-2  BLEU-3  BLEU-4  METEOR  ROUGE-L  CIDEr",
        "  60.0    40.0    30.0    20.0       -     45.0   61.3",
        "",
        "400 distinct words, 10.0 words a caption, 50.0 % of the captions are not in the training data",
    ]
    assert found.as_json() == {
        "photographs": 1000,
        "bleu_1": 60.04,
        "bleu_2": 40,
        "bleu_3": 30,
        "bleu_4": 20,
        "meteor": None,
        "rouge_l": 45,
        "cider": 61.26,
        "distinct_words": 400,
        "unseen_share": 0.5,
        "mean_length": 9.96,
        "notes": ["a note"],
    }


@pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data/captions is not there")
def test_the_most_frequent_caption_is_as_bad_as_published():
    """Its README has 31.1, 2.4 and 6.7 on other photographs; on these it is a little better."""
    photographs = read(DATA / "captions.json", DATA / "images")
    train = [caption for photograph in of_split(photographs, "train") for caption in photograph.captions]
    (frequent, _), *_ = Counter(" ".join(words(caption)) for caption in train).most_common(1)
    references = [photograph.captions for photograph in of_split(photographs, "val")]
    found = measure([frequent] * len(references), references, train, with_java=False)
    assert found.photographs == 1000
    assert found.bleu[0] == pytest.approx(31.1, abs=1)
    assert found.bleu[3] == pytest.approx(2.4, abs=1.5)
    assert found.rouge_l == pytest.approx(25.0, abs=1)
    assert found.cider == pytest.approx(6.7, abs=2)
    assert found.unseen_share == 0
