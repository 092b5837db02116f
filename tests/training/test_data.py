"""Finding recordings: folders, Speech Commands, manifests, and what is refused. No audio is read here."""

import pytest

from linnet.errors import DataError
from linnet_training.trigger.data import FEWEST, Corpus, Split


def touch(folder, *names):
    """Empty files: only their names matter to a corpus."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return folder


def numbered(count, pattern="{}.wav"):
    return [pattern.format(i) for i in range(count)]


def both(split):
    """Names of all recordings of a split that are not synthesised."""
    return sorted(path.name for path in split.train + split.dev)


def with_negatives(corpus, folder):
    """The corpus with as much other speech as `check` asks for."""
    corpus.add_negatives(touch(folder / "negatives", *numbered(6)))
    return corpus


def manifest(folder, *lines, header="path,kind,keyword,split,source,licence"):
    path = folder / "manifest.csv"
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path


def test_a_folder_of_one_keyword(tmp_path):
    corpus = Corpus.empty(["computer"])
    corpus.add_positives(touch(tmp_path, *numbered(30), "more/a.flac", "more/notes.txt"))
    assert both(corpus.positives["computer"]) == sorted([*numbered(30), "a.flac"])


def test_a_folder_per_keyword_with_underscores_and_capitals(tmp_path):
    touch(tmp_path, *numbered(5, "Hey_There/{}.wav"), *numbered(5, "computer/{}.wav"), "other/x.wav")
    corpus = Corpus.empty(["hey there", "computer"])
    corpus.add_positives(tmp_path)
    assert [len(corpus.positives[keyword]) for keyword in corpus.keywords] == [5, 5]
    one = Corpus.empty(["hey there"])
    one.add_positives(tmp_path)
    assert all(path.parent.name == "Hey_There" for path in one.positives["hey there"].train)


def test_no_folder_is_named_after_any_keyword(tmp_path):
    corpus = Corpus.empty(["yes", "no"])
    with pytest.raises(DataError, match="yes, no"):
        corpus.add_positives(touch(tmp_path, "a.wav"))


@pytest.mark.parametrize(
    "add", ["add_positives", "add_negatives", "add_noise", "add_rooms", "add_speech_commands"]
)
def test_missing_and_empty_folders_are_named(tmp_path, add):
    corpus = Corpus.empty(["yes"])
    with pytest.raises(DataError, match="missing"):
        getattr(corpus, add)(tmp_path / "missing")
    with pytest.raises(DataError, match="empty"):
        getattr(corpus, add)(touch(tmp_path / "empty", "read.me"))


def test_folders_called_train_and_dev_decide(tmp_path):
    corpus = Corpus.empty(["yes"])
    corpus.add_negatives(touch(tmp_path, *numbered(9, "train/{}.wav"), *numbered(7, "dev/a/{}.wav")))
    assert (len(corpus.speech.train), len(corpus.speech.dev)) == (9, 7)
    corpus.speech.rebalance()
    assert (len(corpus.speech.train), len(corpus.speech.dev)) == (9, 7)


def test_the_split_is_stable_disjoint_and_about_a_seventh(tmp_path):
    touch(tmp_path, *numbered(600))
    splits = []
    for _ in range(2):
        corpus = Corpus.empty(["yes"])
        corpus.add_positives(tmp_path)
        splits.append(corpus.positives["yes"])
    assert splits[0] == splits[1]
    assert not set(splits[0].train) & set(splits[0].dev)
    assert 60 < len(splits[0].dev) < 120
    # A further recording does not move the others, so that a better detector is measured on the same ones.
    corpus = Corpus.empty(["yes"])
    corpus.add_positives(touch(tmp_path, "one_more.wav"))
    assert set(splits[0].dev) <= set(corpus.positives["yes"].dev)


@pytest.mark.parametrize("side", ["train", "dev"])
@pytest.mark.parametrize("count", [2, 4, 10, 39])
def test_a_handful_serves_both_sides(tmp_path, side, count):
    split = Split(**{side: [tmp_path / name for name in numbered(count)]})
    split.rebalance()
    assert len(split.dev) == max(1, round(0.15 * count))
    assert sorted(split.train + split.dev) == sorted(tmp_path / name for name in numbered(count))


def test_speech_commands(tmp_path):
    touch(
        tmp_path,
        *numbered(4, "yes/s{}_nohash_0.wav"),
        *numbered(4, "yes/s{}_nohash_1.wav"),
        *numbered(5, "no/s{}_nohash_0.wav"),
        *numbered(3, "_background_noise_/{}.wav"),
    )
    (tmp_path / "validation_list.txt").write_text(
        "yes/s1_nohash_0.wav\nyes/s1_nohash_1.wav\nno/s2_nohash_0.wav\n"
    )
    (tmp_path / "testing_list.txt").write_text("yes/s3_nohash_0.wav\nyes/s3_nohash_1.wav\n")
    corpus = Corpus.empty(["yes"])
    corpus.add_speech_commands(tmp_path)
    yes = corpus.positives["yes"]
    assert sorted(path.name for path in yes.dev) == ["s1_nohash_0.wav", "s1_nohash_1.wav"]
    assert "s3_nohash_0.wav" not in both(yes)
    assert len(yes.train) == 4
    assert [path.name for path in corpus.words.dev] == ["s2_nohash_0.wav"]
    assert len(corpus.words.train) == 4
    assert len(corpus.noise) == 3


def test_speech_commands_without_lists_keep_a_speaker_on_one_side(tmp_path):
    touch(tmp_path, *(f"yes/s{speaker}_nohash_{take}.wav" for speaker in range(60) for take in range(3)))
    corpus = Corpus.empty(["yes"])
    corpus.add_speech_commands(tmp_path)
    yes = corpus.positives["yes"]
    train, dev = ({path.name.split("_")[0] for path in side} for side in (yes.train, yes.dev))
    assert dev
    assert not train & dev


def test_speech_commands_list_of_strange_bytes(tmp_path):
    touch(tmp_path, *numbered(5, "yes/{}.wav"))
    (tmp_path / "validation_list.txt").write_bytes(b"\xff\xfe yes/0.wav\n")
    corpus = Corpus.empty(["yes"])
    corpus.add_speech_commands(tmp_path)
    assert [path.name for path in corpus.positives["yes"].dev] == ["0.wav"]


def test_a_manifest(tmp_path):
    path = manifest(
        tmp_path,
        "a.wav,positive,Alexa,train,voices,CC0",
        "b.wav,positive,alexa,dev,voices,CC0",
        "c.wav,positive,jarvis,,voices,CC BY 4.0",
        "d.wav,positive,hey alexa,train,,",
        "e.wav,word,,dev,,",
        "f.wav,negative_speech,,train,,",
        "g.wav,noise,,train,,",
        "h.wav,rir,,train,,",
        "i.wav,rir,,dev,,",
        "j.wav,positive,alexa,test,,",
    )
    corpus = Corpus.empty(["alexa"])
    corpus.add_manifest(path)
    names = {kind: both(split) for kind, split in vars(corpus).items() if isinstance(split, Split)}
    assert both(corpus.positives["alexa"]) == ["a.wav", "b.wav"]
    assert corpus.positives["alexa"].dev == [tmp_path / "b.wav"]
    assert names == {"words": ["c.wav", "e.wav"], "speech": ["f.wav"], "noise": ["g.wav"]}
    assert corpus.rooms == [tmp_path / "h.wav"]
    assert corpus.licences["voices"] == "CC BY 4.0 | CC0"


def test_a_manifest_for_one_keyword_need_not_name_it(tmp_path):
    path = manifest(tmp_path, "a.wav,positive", "b.wav,negative", header="path,kind")
    corpus = Corpus.empty(["alexa"])
    corpus.add_manifest(path)
    assert both(corpus.positives["alexa"]) == ["a.wav"]
    with pytest.raises(DataError, match="line 2"):
        Corpus.empty(["alexa", "jarvis"]).add_manifest(path)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"path,kind\na.wav,positiv\n", "line 2: unknown kind 'positiv'"),
        (b"file,kind\na.wav,positive\n", "columns 'path' and 'kind'"),
        (b"", "columns 'path' and 'kind'"),
        (b"path,kind\n", "lists no recordings"),
        (b"path,kind\na.wav\n", "without a path or a kind"),
        (b"path,kind\n\xe4.wav,positive\n", "not UTF-8"),
        ("path,kind\nä.wav,positive\n".encode("utf-16"), "not UTF-8"),
        (b'path,kind\n"' + b"a" * 200_000 + b'",positive\n', "field larger than"),
    ],
)
def test_manifests_that_are_refused(tmp_path, content, says):
    path = tmp_path / "manifest.csv"
    path.write_bytes(content)
    with pytest.raises(DataError, match=says) as refused:
        Corpus.empty(["alexa"]).add_manifest(path)
    assert "manifest.csv" in str(refused.value)


def test_a_manifest_that_is_not_there(tmp_path):
    with pytest.raises(DataError, match=r"missing\.csv"):
        Corpus.empty(["alexa"]).add_manifest(tmp_path / "missing.csv")


def test_recordings_that_a_manifest_lists_must_be_there(tmp_path):
    touch(tmp_path, *numbered(5))
    path = manifest(tmp_path, *(f"{name},positive,alexa,,," for name in numbered(6)))
    corpus = with_negatives(Corpus.empty(["alexa"]), tmp_path)
    corpus.add_manifest(path)
    with pytest.raises(DataError, match=r"5\.wav is listed but not there"):
        corpus.check(text_only=False)


def test_three_positives_are_too_few(tmp_path):
    corpus = with_negatives(Corpus.empty(["alexa"]), tmp_path)
    corpus.add_positives(touch(tmp_path / "alexa", *numbered(3)))
    with pytest.raises(DataError, match=f"only 3 recordings of 'alexa': give at least {FEWEST}"):
        corpus.check(text_only=False)
    corpus.check(text_only=True)


def test_four_positives_are_enough(tmp_path):
    corpus = with_negatives(Corpus.empty(["alexa"]), tmp_path)
    corpus.add_positives(touch(tmp_path / "alexa", *numbered(FEWEST)))
    corpus.check(text_only=False)
    assert (len(corpus.positives["alexa"].train), len(corpus.positives["alexa"].dev)) == (3, 1)
    assert corpus.speech.train
    assert corpus.speech.dev


def test_other_speech_is_needed(tmp_path):
    corpus = Corpus.empty(["alexa"])
    corpus.add_positives(touch(tmp_path / "alexa", *numbered(10)))
    with pytest.raises(DataError, match="0 recordings of other speech"):
        corpus.check(text_only=False)
    corpus.check(text_only=True)


def test_synthesised_dev_clips_stay_in_dev(tmp_path):
    corpus = with_negatives(Corpus.empty(["alexa"]), tmp_path)
    alexa = corpus.positives["alexa"]
    alexa.spoken = [touch(tmp_path, "said.wav") / "said.wav"] * 8
    alexa.dev = [touch(tmp_path, "dev.wav") / "dev.wav"] * 3
    corpus.check(text_only=False)
    assert (len(alexa.train), len(alexa.dev)) == (0, 3)
