"""Readers of captions files, and what is refused."""

import csv
import io
import json

import pytest
from PIL import Image

from linnet.errors import DataError
from linnet_training.caption.data import Photograph, check_pictures, of_split, read, words


def karpathy(*images):
    """A file of (name, split, captions...)."""
    return json.dumps(
        {
            "dataset": "tiny",
            "images": [
                {
                    "filename": name,
                    "split": split,
                    "sentences": [{"raw": caption, "tokens": words(caption)} for caption in captions],
                }
                for name, split, *captions in images
            ],
        }
    )


def coco(*images):
    """A file of (name, captions...)."""
    annotations = [
        {"image_id": number, "id": 10 * number, "caption": caption}
        for number, (_, *captions) in enumerate(images)
        for caption in captions
    ]
    names = [{"id": number, "file_name": name} for number, (name, *_) in enumerate(images)]
    return json.dumps({"info": {}, "images": names, "annotations": annotations})


def table(*rows, header="image,caption"):
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return f"{header}\n{text.getvalue()}"


@pytest.fixture
def read_text(tmp_path):
    """Read a captions file of this content; `said` gathers what the reader says."""

    def read_it(content, name="captions.json", said=None):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        (tmp_path / "images").mkdir(exist_ok=True)
        return read(path, tmp_path / "images", [].append if said is None else said.append)

    return read_it


def split_of(photographs):
    return {photograph.path.name: photograph.split for photograph in photographs}


def test_words_are_lower_case_without_punctuation():
    assert words('A man\'s tri-colored  "dog" runs ...\n') == ["a", "mans", "tricolored", "dog", "runs"]
    assert words("Café, ÜBER – 2 dogs") == ["café", "über", "–", "2", "dogs"]  # noqa: RUF001
    assert words(" .,! ") == []


def test_karpathy(read_text, tmp_path):
    content = karpathy(
        ("b.jpg", "train", "A dog .", "Dogs ."), ("a.jpg", "val", "A cat ."), ("c.jpg", "test", "x")
    )
    assert read_text(content) == [
        Photograph(tmp_path / "images/b.jpg", "train", ("A dog .", "Dogs .")),
        Photograph(tmp_path / "images/a.jpg", "val", ("A cat .",)),
        Photograph(tmp_path / "images/c.jpg", "test", ("x",)),
    ]


def test_karpathy_of_coco_has_folders_and_a_further_split(read_text, tmp_path):
    content = json.loads(karpathy(("1.jpg", "restval", "A dog"), ("2.jpg", "val", "A cat")))
    content["images"][0]["filepath"] = "val2014"
    content["images"][1]["filepath"] = "train2014"
    del content["images"][1]["sentences"][0]["raw"]
    (tmp_path / "images/val2014").mkdir(parents=True)
    assert read_text(json.dumps(content)) == [
        Photograph(tmp_path / "images/val2014/1.jpg", "train", ("A dog",)),
        Photograph(tmp_path / "images/2.jpg", "val", ("a cat",)),
    ]


def test_coco(read_text, tmp_path):
    said = []
    photographs = read_text(coco(*((f"{i}.jpg", f"{i} dogs", "dogs") for i in range(20))), said=said)
    assert [photograph.path for photograph in photographs] == [
        tmp_path / f"images/{i}.jpg" for i in range(20)
    ]
    assert photographs[7].captions == ("7 dogs", "dogs")
    assert said == [
        f"captions.json has no split 'val': {len(of_split(photographs, 'val'))} of its photographs, drawn by "
        "name, become it"
    ]


def test_csv_gathers_rows_of_one_image(read_text, tmp_path):
    rows = [("a.jpg", "A dog, running"), ("b.jpg", "A cat"), ("a.jpg", 'The "dog"')]
    photographs = read_text(b"\xef\xbb\xbf" + table(*rows, header=" Image ,Caption").encode(), "captions.csv")
    assert [(p.path.name, p.captions) for p in photographs] == [
        ("a.jpg", ("A dog, running", 'The "dog"')),
        ("b.jpg", ("A cat",)),
    ]


def test_csv_may_have_splits(read_text):
    rows = [("a.jpg", "A dog", "Train"), ("b.jpg", "A cat", " dev "), ("c.jpg", "A bird", "")]
    said = []
    photographs = read_text(table(*rows, header="image,caption,split"), "table.txt", said)
    assert split_of(photographs) == {"a.jpg": "train", "b.jpg": "val", "c.jpg": "train"}
    assert not said


def test_the_drawn_split_is_stable_and_a_tenth(read_text):
    rows = [(f"{i}.jpg", "a dog") for i in range(1000)]
    drawn = split_of(read_text(table(*rows), "captions.csv"))
    assert 70 < list(drawn.values()).count("val") < 130
    assert set(drawn.values()) == {"train", "val"}
    # Further photographs, another order and another layout do not move the others.
    more = split_of(read_text(coco(*reversed([*rows, *((f"new{i}.jpg", "a cat") for i in range(50))]))))
    assert {name: more[name] for name in drawn} == drawn


@pytest.mark.parametrize("count", [2, 3, 9, 15])
@pytest.mark.parametrize("name", ["{}.jpg", "{}.png", "photo {}"])
def test_a_handful_serves_both_sides(read_text, count, name):
    splits = list(split_of(read_text(coco(*((name.format(i), "a dog") for i in range(count))))).values())
    assert 1 <= splits.count("val") < count
    assert splits.count("train") + splits.count("val") == count


def test_only_training_photographs_are_drawn_from(read_text):
    test = [(f"{i}.jpg", "test", "a dog") for i in range(30)]
    assert set(split_of(read_text(karpathy(*test))).values()) == {"test"}
    drawn = split_of(read_text(karpathy(*test, ("x.jpg", "train", "a cat"))))
    assert drawn["x.jpg"] == "train"
    drawn = split_of(read_text(karpathy(*test, ("x.jpg", "train", "a cat"), ("y.jpg", "train", "cats"))))
    assert sorted(list(drawn.values())[30:]) == ["train", "val"]


def test_a_split_is_picked(read_text):
    photographs = read_text(karpathy(("a", "train", "x"), ("b", "val", "y"), ("c", "train", "z")))
    assert [p.path.name for p in of_split(photographs, "train")] == ["a", "c"]
    assert of_split(photographs, "all") == photographs
    with pytest.raises(
        DataError, match=r"no photographs of split 'test'; there are 'train' \(2\), 'val' \(1\)"
    ):
        of_split(photographs, "test")


@pytest.mark.parametrize(
    ("content", "name", "sentence"),
    [
        ("{", "c.json", "c.json is not JSON: Expecting"),
        ("", "c.json", "c.json is not JSON"),
        ("[" * 100_000, "c.json", "c.json is not JSON"),
        ("a dog\n", "c.json", "c.json is not JSON"),
        ("[1]", "c.json", "neither as Karpathy's .* nor as COCO's"),
        ("3", "c.json", "neither as Karpathy's"),
        ('"annotations"', "c.json", "neither as Karpathy's"),
        ('{"images": [{"filename": 3, "sentences": []}]}', "c.json", "neither as Karpathy's"),
        ('{"images": [{"filename": "a.jpg"}]}', "c.json", "neither as Karpathy's"),
        ('{"annotations": [], "images": [{"id": [], "file_name": ""}]}', "c.json", "neither as Karpathy's"),
        (
            '{"annotations": [{"image_id": 1, "caption": "a dog"}], "images": []}',
            "c.json",
            "a caption of image 1, which its images lack: 'a dog'",
        ),
        (
            karpathy(("ü.jpg", "train", "dog")).replace("\\u00fc", "ü").encode("latin-1"),
            "c.json",
            "not UTF-8",
        ),
        (table(("a.jpg", "Ein Hund läuft")).encode("latin-1"), "c.csv", "c.csv is not UTF-8 text"),
        (table(("a.jpg", "a dog")).encode("utf-16"), "c.csv", "c.csv is not UTF-8 text"),
        ("", "c.csv", "neither JSON nor a CSV table with the columns 'image' and 'caption'"),
        ("a.jpg,a dog\n", "c.csv", "columns 'image' and 'caption' in its first line"),
        ("image,caption\na.jpg,a dog, a cat\n", "c.csv", "line 2: more fields .* double quotes"),
        ('image,caption\na.jpg,"a dog\n', "c.csv", "not a CSV table: unexpected end"),
        (table(("", "a dog")), "c.csv", "a caption without the name of a photograph: 'a dog'"),
        ("image,caption\n", "c.csv", "only 0 captions, of 0 photographs; give at least 2"),
        (table(("a.jpg", "a dog")), "c.csv", "only 1 caption, of 1 photograph; give at least 2"),
        (karpathy(("a.jpg", "train", "a dog")), "c.json", "only 1 caption, of 1 photograph; give at least 2"),
        (coco(("a.jpg", "a dog", "dog")), "c.json", "only 2 captions, of 1 photograph; give at least 2"),
        (table(("a.jpg", "a dog"), ("b.jpg", " . ")), "c.csv", "1 empty caption, the first of b.jpg"),
        (
            table(("a.jpg", "a dog"), ("b.jpg",), ("c.jpg", "")),
            "c.csv",
            "2 empty captions, the first of b.jpg",
        ),
        (
            karpathy(("a.jpg", "train"), ("b.jpg", "val", "x")),
            "c.json",
            "1 empty caption, the first of a.jpg",
        ),
        (coco(("a.jpg", "a dog"), ("b.jpg",)), "c.json", "1 empty caption, the first of b.jpg"),
        (
            karpathy(("a.jpg", "train", "a"), ("b.jpg", "val", "b"), ("a.jpg", "val", "c")),
            "c.json",
            "a.jpg both in split 'train' and in 'val'",
        ),
    ],
)
def test_what_cannot_be_used_is_said(read_text, content, name, sentence):
    with pytest.raises(DataError, match=sentence):
        read_text(content, name)


def test_missing_files_and_folders_are_named(tmp_path):
    with pytest.raises(DataError, match=r"cannot read the captions file .*captions\.json: No such file"):
        read(tmp_path / "captions.json", tmp_path)
    with pytest.raises(DataError, match="cannot read the captions file"):
        read(tmp_path, tmp_path)
    (tmp_path / "captions.csv").write_text(table(("a.jpg", "a dog"), ("b.jpg", "a cat")))
    with pytest.raises(DataError, match=r"there is no folder .*nowhere"):
        read(tmp_path / "captions.csv", tmp_path / "nowhere")


def test_pictures_are_looked_for(tmp_path):
    names = ["a.jpg", "b.png", "c.jpg", "d.jpg"]
    photographs = [Photograph(tmp_path / name, "train", ("a dog",)) for name in names]
    Image.new("RGB", (8, 8)).save(tmp_path / "a.jpg")
    Image.new("1", (8, 8)).save(tmp_path / "b.png")
    with pytest.raises(DataError, match=r"2 of 4 photographs .* missing, the first of them .*c\.jpg"):
        check_pictures(photographs)
    (tmp_path / "c.jpg").write_text("this is not a picture")
    (tmp_path / "d.jpg").touch()
    with pytest.raises(DataError, match=r"2 of 4 photographs cannot be read .* the first of them .*c\.jpg"):
        check_pictures(photographs)
    check_pictures(photographs[:2])


def test_names_that_no_file_can_have_are_missing(tmp_path):
    for name in ["a\0b.jpg", "a" * 5000]:
        with pytest.raises(DataError, match=r"1 of 1 photographs .* missing"):
            check_pictures([Photograph(tmp_path / name, "train", ("a dog",))])


def test_a_picture_too_large_to_decode_is_unreadable(tmp_path, monkeypatch):
    Image.new("RGB", (64, 64)).save(tmp_path / "a.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with pytest.raises(DataError, match="cannot be read as pictures"):
        check_pictures([Photograph(tmp_path / "a.png", "train", ("a dog",))])
