"""The picture encoder: the features that others' weights are meant to give, however they are stored."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torchvision_like import TorchvisionLike

from linnet.errors import DataError
from linnet.image import pixels
from linnet_training.caption.encoder import CHANNELS, Convolution, MobileNetV2

SHARED = Path(__file__).parents[3].parent / "shared/data"
CHECK = SHARED / "vision_backbones" / "check.json"


@pytest.fixture
def encoder():
    torch.manual_seed(1)
    return MobileNetV2().eval().requires_grad_(False)


@pytest.fixture(scope="module")
def quantised():
    """Random weights as the .npz files hold them, for every layer."""
    rng = np.random.default_rng(1)
    arrays = {}
    for name, module in MobileNetV2().named_modules():
        if isinstance(module, Convolution):
            shape = tuple(module.weight.shape)
            arrays[f"{name}.weight_q"] = rng.integers(-127, 128, shape, dtype=np.int8)
            arrays[f"{name}.scale"] = rng.uniform(0.001, 0.01, shape[0] if len(arrays) % 2 else 1)
            arrays[f"{name}.bias"] = rng.standard_normal(shape[0]).astype(np.float32)
    return arrays


@pytest.mark.skipif(not CHECK.is_file(), reason="the shared backbones are not on this machine")
def test_the_shared_weights_see_what_they_should(encoder):
    encoder.load(CHECK.with_name("mobilenet_v2_1.0_224.npz"))
    for name, expected in json.loads(CHECK.read_text())["mobilenet_v2_1.0_224"].items():
        (photo,) = (SHARED / "captions").rglob(name)
        features = encoder(torch.from_numpy(pixels(photo))[None])
        assert features.shape == (1, 49, CHANNELS)
        pooled = features.mean(dim=1)[0, :8].numpy()
        np.testing.assert_allclose(pooled, expected["pooled_first8"], rtol=0, atol=1e-3)


def test_weights_of_torchvision(encoder, reference, weights_file, pictures):
    before = encoder(pictures[:2])
    encoder.load(weights_file)
    expected = reference(pictures[:2])
    assert expected.std() > 0.1
    torch.testing.assert_close(encoder(pictures[:2]), expected, rtol=1e-3, atol=1e-3)
    assert not torch.allclose(before, expected, atol=0.1)
    assert encoder.symmetric


def test_quantised_weights(encoder, quantised, tmp_path):
    np.savez(tmp_path / "weights.npz", **quantised)
    encoder.load(tmp_path / "weights.npz")
    for name, parameter in encoder.named_parameters():
        stem, _, kind = name.rpartition(".")
        if kind == "bias":
            expected = quantised[name]
        else:
            expected = quantised[f"{stem}.weight_q"] * quantised[f"{stem}.scale"].reshape(-1, 1, 1, 1)
        np.testing.assert_allclose(parameter.numpy(), expected, rtol=1e-6)
    assert not encoder.symmetric


@pytest.mark.parametrize("layers", [0, 5, 14, 18, 19])
def test_trunk_and_top_make_the_whole(encoder, pictures, layers):
    cut = encoder.trunk(pictures[:2], layers)
    torch.testing.assert_close(encoder.top(cut, layers), encoder(pictures[:2]))
    if layers == 0:
        assert cut.dtype == torch.uint8
    if layers == 14:
        assert cut.shape == (2, 96, 14, 14)


def test_rows_of_the_grid_come_one_after_another(encoder, pictures):
    """What changes in the lower right corner is not seen in the upper left place, but in the last one."""
    changed = pictures[:1].clone()
    changed[:, 208:, 208:] = 0
    grid = MobileNetV2.top(encoder, encoder.trunk(pictures[:1], 3), 3).reshape(7, 7, -1)
    other = encoder.top(encoder.trunk(changed, 3), 3).reshape(7, 7, -1)
    moved = (grid - other).abs().sum(dim=2)
    assert moved[6, 6] > moved[0, 0]
    assert moved.argmax() == 48


def test_padding_decides_where_the_grid_lies(encoder, pictures):
    before = encoder(pictures[:1])
    encoder.pad_symmetrically(True)
    after = encoder(pictures[:1])
    assert after.shape == before.shape
    assert not torch.allclose(before, after)
    encoder.pad_symmetrically(False)
    torch.testing.assert_close(encoder(pictures[:1]), before)


def test_an_encoder_that_knows_nothing_can_learn(pictures):
    """Without batch normalisation, what goes in must come out at like strength, and gradients come back."""
    torch.manual_seed(2)
    encoder = MobileNetV2()
    features = encoder(pictures[:2])
    assert 0.02 < features.std() < 2
    assert (features[0] - features[1]).abs().mean() > 0.001
    (features * torch.randn_like(features)).mean().backward()
    strength = [
        layer.weight.grad.std() / layer.weight.std()
        for layer in encoder.modules()
        if hasattr(layer, "weight")
    ]
    assert max(strength) < 1e4 * min(strength)


def without(arrays, name):
    return {key: value for key, value in arrays.items() if key != name}


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda q: without(q, "features.3.dw.bias"), "features.3.dw.bias is missing"),
        (lambda q: {**q, "features.0.bias": np.zeros(5)}, "features.0.bias is missing or of another shape"),
        (lambda q: without(q, "features.0.scale"), "no encoder weights"),
        (lambda q: {"x": np.zeros(3)}, "does not fit MobileNetV2"),
        (lambda q: {"features.0.weight_q": np.array([{}], object)}, "no encoder weights"),
    ],
    ids=["missing", "shape", "scale", "another", "objects"],
)
def test_npz_files_that_are_refused(encoder, quantised, tmp_path, make, says):
    np.savez(tmp_path / "weights.npz", **make(quantised))
    before = encoder.features[0].weight.clone()
    with pytest.raises(DataError, match=says) as refused:
        encoder.load(tmp_path / "weights.npz")
    assert "weights.npz" in str(refused.value)
    assert "\n" not in str(refused.value)
    assert torch.equal(encoder.features[0].weight, before)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda state: without(state, "features.4.conv.1.0.weight"), "features.4.dw.weight is missing"),
        (lambda state: without(state, "features.4.conv.1.1.running_var"), "no encoder weights"),
        (lambda state: {}, "does not fit MobileNetV2"),
        (lambda state: [1, 2], "no encoder weights"),
        (lambda state: {3: torch.zeros(1)}, "no encoder weights"),
        (lambda state: TorchvisionLike(), "no encoder weights"),  # a pickled network, not its state
    ],
    ids=["missing", "half", "empty", "list", "numbers", "pickle"],
)
def test_state_dicts_that_are_refused(encoder, reference, tmp_path, make, says):
    torch.save(make(reference.state_dict()), tmp_path / "weights.pth")
    with pytest.raises(DataError, match=says) as refused:
        encoder.load(tmp_path / "weights.pth")
    assert "weights.pth" in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", ["weights.npz", "weights.pth", "weights"])
def test_files_that_hold_no_weights(encoder, tmp_path, name, weights_file):
    path = tmp_path / name
    with pytest.raises(DataError, match=f"there is no file .*{name}"):
        encoder.load(path)
    for content in (b"", b"text", weights_file.read_bytes()[:10_000]):
        path.write_bytes(content)
        with pytest.raises(DataError, match="no encoder weights that can be read"):
            encoder.load(path)
    path.unlink()
    path.mkdir()
    with pytest.raises(DataError, match="no encoder weights that can be read"):
        encoder.load(path)
