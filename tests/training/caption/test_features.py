"""Cached features: those of the right pictures and views, whole or not at all."""

import numpy as np
import pytest
import torch
from PIL import Image
from shapes import KINDS, picture

from linnet.errors import ImageError, ImageNotFoundError, OutputError
from linnet.image import pixels
from linnet_training.caption.data import Photograph
from linnet_training.caption.encoder import MobileNetV2
from linnet_training.caption.features import trunk_features


@pytest.fixture(scope="module")
def encoder():
    torch.manual_seed(1)
    return MobileNetV2().eval()


@pytest.fixture
def photographs(tmp_path):
    made = []
    for number, kind in enumerate(KINDS[:9]):  # one more than are worked on at once
        picture(*kind).save(tmp_path / f"{number}.png")
        made.append(Photograph(tmp_path / f"{number}.png", "train", ("a",)))
    return made


def test_features_of_each_picture_in_its_place(encoder, photographs, tmp_path):
    told = []
    path = tmp_path / "made.npy"
    features = trunk_features(encoder, 2, photographs, 1, path, lambda *done: told.append(done))
    assert features.shape == (9, 1, 16, 112, 112)
    assert features.dtype == np.float16
    assert told == [(8, 9), (9, 9)]
    for number in (0, 8):
        images = torch.from_numpy(pixels(photographs[number].path))[None]
        with torch.no_grad():
            expected = encoder.trunk(images, 2)[0]
        np.testing.assert_allclose(features[number, 0], expected.numpy(), rtol=2e-3, atol=2e-3)
    assert not path.with_name("made.npy.part").exists()


def test_what_is_there_is_read_back(encoder, photographs, tmp_path):
    path = tmp_path / "made.npy"
    made = trunk_features(encoder, 0, photographs[:2], 1, path, print)
    again = trunk_features(encoder, 0, [], 1, path, print)
    np.testing.assert_array_equal(made, again)


def test_views_are_the_picture_its_mirror_image_and_crops(encoder, photographs, tmp_path):
    views = trunk_features(encoder, 0, photographs[:2], 6, tmp_path / "made.npy", print)
    assert (views.shape, views.dtype) == ((2, 6, 224, 224, 3), np.uint8)
    for row, photograph in zip(views, photographs, strict=False):
        whole = pixels(photograph.path)
        np.testing.assert_array_equal(row[0], whole)
        np.testing.assert_array_equal(row[1], whole[:, ::-1])
        assert len({view.tobytes() for view in row}) == 6
        # Crops keep most of the picture: their mean is much the same.
        assert abs(row[2:].mean() - whole.mean()) < 20
    other = trunk_features(encoder, 0, photographs[:2], 6, tmp_path / "again.npy", print)
    np.testing.assert_array_equal(views, other)


def test_a_picture_that_is_gone_or_damaged(encoder, photographs, tmp_path):
    path = tmp_path / "made.npy"
    gone = Photograph(tmp_path / "gone.png", "train", ("a",))
    with pytest.raises(ImageNotFoundError, match=r"gone\.png"):
        trunk_features(encoder, 0, [*photographs, gone], 1, path, print)
    Image.effect_noise((64, 64), 50).save(tmp_path / "cut.png")
    whole = (tmp_path / "cut.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(whole[: len(whole) // 2])
    cut = Photograph(tmp_path / "cut.png", "train", ("a",))
    with pytest.raises(ImageError, match=r"cut\.png"):
        trunk_features(encoder, 0, [*photographs, cut], 1, path, print)
    assert not list(tmp_path.glob("made.npy*"))


def test_a_full_disk(encoder, photographs, tmp_path):
    resource = pytest.importorskip("resource", reason="there is no limit on file sizes to set")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, limits[1]))
    try:
        with pytest.raises(OutputError, match=r"cannot write .*made\.npy"):
            trunk_features(encoder, 0, photographs, 1, tmp_path / "made.npy", print)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert not list(tmp_path.glob("made.npy*"))
