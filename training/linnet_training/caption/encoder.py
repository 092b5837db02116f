"""MobileNetV2 in plain torch: a picture becomes a grid of features.

Sandler et al. 2018, "MobileNetV2: Inverted Residuals and Linear Bottlenecks", https://arxiv.org/abs/1801.04381.
Batch normalisation is folded into the convolutions: the weights that pictures are encoded with are those of
others, learnt on far more pictures than captions come with.
"""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from linnet.errors import DataError

GRID = 7
CHANNELS = 1280
IMAGE_SIZE = 224

# Expansion, channels, repetitions and first stride of each group of blocks: table 2 of the paper.
_GROUPS = [
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
]
_EPSILON = 1e-5
_SKIPPED = 0.1


class Convolution(nn.Module):
    """A convolution with a bias and, unless it is linear, ReLU6; padded as TensorFlow or as torch does."""

    def __init__(
        self, inputs: int, outputs: int, size: int, stride: int = 1, groups: int = 1, linear: bool = False
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(outputs, inputs // groups, size, size))
        self.bias = nn.Parameter(torch.zeros(outputs))
        # fan_out would count all channels where each is convolved by itself: without batch normalisation
        # features would come out at a billionth of what went in.
        nn.init.kaiming_normal_(self.weight, nonlinearity="linear" if linear else "relu")
        self.stride, self.groups, self.linear = stride, groups, linear
        self.symmetric = False

    def forward(self, x: Tensor) -> Tensor:
        padding = self.weight.shape[-1] // 2
        if self.stride == 2 and not self.symmetric:
            # TensorFlow's SAME pads an even side only right and below; else the grid shifts.
            x, padding = functional.pad(x, (0, 1, 0, 1)), 0
        x = functional.conv2d(x, self.weight, self.bias, self.stride, padding, groups=self.groups)
        return x if self.linear else functional.relu6(x)


class Block(nn.Module):
    """An inverted residual: expand, convolve each channel by itself, project."""

    def __init__(self, inputs: int, outputs: int, stride: int, expansion: int) -> None:
        super().__init__()
        inner = inputs * expansion
        self.expand = Convolution(inputs, inner, 1) if expansion > 1 else None
        self.dw = Convolution(inner, inner, 3, stride, groups=inner)
        self.project = Convolution(inner, outputs, 1, linear=True)
        self.skip = stride == 1 and inputs == outputs
        if (
            self.skip
        ):  # sums of many blocks must not drive ReLU6 to its bound (Zhang et al. 2019, arXiv:1901.09321)
            with torch.no_grad():
                self.project.weight.mul_(_SKIPPED)

    def forward(self, x: Tensor) -> Tensor:
        y = x if self.expand is None else self.expand(x)
        y = self.project(self.dw(y))
        return x + y if self.skip else y


class MobileNetV2(nn.Module):
    """Pictures to features, without the classifier."""

    mean: Tensor
    deviation: Tensor

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = [Convolution(3, 32, 3, 2)]
        channels = 32
        for expansion, outputs, repetitions, stride in _GROUPS:
            for place in range(repetitions):
                layers.append(Block(channels, outputs, stride if place == 0 else 1, expansion))
                channels = outputs
        layers.append(Convolution(channels, CHANNELS, 1))
        self.features = nn.ModuleList(layers)
        self.symmetric = False
        # What the weights were trained with, in levels of 0 to 255.
        self.register_buffer("mean", torch.full((3,), 127.5))
        self.register_buffer("deviation", torch.full((3,), 127.5))

    def forward(self, pictures: Tensor) -> Tensor:
        """Encode.

        Args:
            pictures: uint8 (batch, height, width, 3), RGB; sides are multiples of 32.

        Returns:
            (batch, positions, 1280), positions row by row: 7 x 7 for 224 x 224.
        """
        return self.top(self.trunk(pictures, len(self.features)), len(self.features))

    def trunk(self, pictures: Tensor, layers: int) -> Tensor:
        """What the first layers make of pictures: (batch, channels, rows, columns). With 0 the pictures."""
        if layers == 0:
            return pictures
        x = self._scaled(pictures)
        for layer in self.features[:layers]:
            x = layer(x)
        return x

    def top(self, x: Tensor, layers: int) -> Tensor:
        """The rest, from what `trunk` of as many layers gave."""
        x = self._scaled(x) if layers == 0 else x
        for layer in self.features[layers:]:
            x = layer(x)
        return x.flatten(2).transpose(1, 2)

    def _scaled(self, pictures: Tensor) -> Tensor:
        return ((pictures.float() - self.mean) / self.deviation).permute(0, 3, 1, 2)

    def pad_symmetrically(self, symmetric: bool) -> None:
        """Pad as torch does, both sides alike, or as TensorFlow does: as the weights were learnt."""
        for layer in self.modules():
            if isinstance(layer, Convolution):
                layer.symmetric = symmetric
        self.symmetric = symmetric

    def load(self, path: Path) -> None:
        """Take weights from a file.

        Args:
            path: ``.npz`` with ``NAME.weight_q``, ``NAME.scale`` and ``NAME.bias`` for each layer (quantised,
                TensorFlow's padding), or a torchvision state dict of ``mobilenet_v2`` (``.pt``, ``.pth``).

        Raises:
            DataError: the file is missing, of another kind or of another network.
        """
        try:
            if path.suffix == ".npz":
                with np.load(path, allow_pickle=False) as arrays:
                    state = _dequantised({name: arrays[name] for name in arrays.files})
            else:
                state = _folded(torch.load(path, map_location="cpu", weights_only=True))
                self.pad_symmetrically(True)
                self.mean = torch.tensor([0.485, 0.456, 0.406]) * 255
                self.deviation = torch.tensor([0.229, 0.224, 0.225]) * 255
            wanted = dict(self.named_parameters())
            missing = [
                name
                for name, value in wanted.items()
                if name not in state or state[name].shape != value.shape
            ]
        except FileNotFoundError:
            raise DataError(f"there is no file {path} with encoder weights") from None
        except Exception as error:  # zip, pickle and NumPy have many words for a damaged file
            reason = f"{error}".split("\n")[0][:120] or type(error).__name__
            raise DataError(f"{path} holds no encoder weights that can be read ({reason})") from error
        if missing:
            raise DataError(
                f"{path} does not fit MobileNetV2 1.0: {missing[0]} is missing or of another shape"
            )
        self.load_state_dict({name: state[name] for name in wanted}, strict=False)


def _dequantised(arrays: dict[str, np.ndarray]) -> dict[str, Tensor]:
    state = {}
    for key, array in arrays.items():
        name, _, kind = key.rpartition(".")
        if kind == "weight_q":
            scale = arrays[f"{name}.scale"].reshape(-1, *[1] * (array.ndim - 1))
            state[f"{name}.weight"] = torch.from_numpy((array * scale).astype(np.float32))
        elif kind == "bias":
            state[key] = torch.from_numpy(array.astype(np.float32))
    return state


def _folded(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """torchvision's names made ours, with each batch normalisation folded into the convolution before it."""
    folded = {}
    for key, weight in state.items():
        if not key.startswith("features.") or weight.ndim != 4:
            continue
        stem = key.removesuffix(".weight")
        parts = stem.split(".")
        if parts[2] == "conv":
            name, norm = _block_part(parts, state)
        else:
            name, norm = f"features.{parts[1]}", f"features.{parts[1]}.1"
        gain = state[f"{norm}.weight"] / torch.sqrt(state[f"{norm}.running_var"] + _EPSILON)
        folded[f"{name}.weight"] = weight * gain.reshape(-1, 1, 1, 1)
        folded[f"{name}.bias"] = state[f"{norm}.bias"] - state[f"{norm}.running_mean"] * gain
    return folded


def _block_part(parts: list[str], state: dict[str, Tensor]) -> tuple[str, str]:
    """Our name of a block's convolution and torchvision's of its normalisation."""
    number, place = parts[1], int(parts[3])
    if len(parts) == 4:  # the projection, followed by its normalisation
        return f"features.{number}.project", f"features.{number}.conv.{place + 1}"
    expands = f"features.{number}.conv.3.weight" in state
    name = "expand" if expands and place == 0 else "dw"
    return f"features.{number}.{name}", f"features.{number}.conv.{place}.1"
