"""MobileNetV2 as torchvision builds and names it, with batch normalisation and weights that nobody trained.

Written from the paper's table and the names in published state dicts, so that the encoder has something
independent to be compared with.
"""

import torch
from torch import nn


def _unit(inputs, outputs, size, stride=1, groups=1):
    convolution = nn.Conv2d(inputs, outputs, size, stride, size // 2, groups=groups, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs), nn.ReLU6())


class _Block(nn.Module):
    def __init__(self, inputs, outputs, stride, expansion):
        super().__init__()
        inner = inputs * expansion
        expand = [] if expansion == 1 else [_unit(inputs, inner, 1)]
        project = [nn.Conv2d(inner, outputs, 1, bias=False), nn.BatchNorm2d(outputs)]
        self.conv = nn.Sequential(*expand, _unit(inner, inner, 3, stride, groups=inner), *project)
        self.skip = stride == 1 and inputs == outputs

    def forward(self, x):
        return x + self.conv(x) if self.skip else self.conv(x)


class TorchvisionLike(nn.Module):
    def __init__(self):
        super().__init__()
        layers, channels = [_unit(3, 32, 3, 2)], 32
        for expansion, outputs, repetitions, stride in [
            *((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2)),
            *((6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)),
        ]:
            for place in range(repetitions):
                layers.append(_Block(channels, outputs, stride if place == 0 else 1, expansion))
                channels = outputs
        self.features = nn.Sequential(*layers, _unit(channels, 1280, 1))
        self.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(1280, 10))

    def forward(self, pictures):
        """uint8 (batch, height, width, 3) to (batch, positions, 1280)."""
        x = pictures.permute(0, 3, 1, 2) / 255
        mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
        x = (x - mean[:, None, None]) / deviation[:, None, None]
        return self.features(x).flatten(2).transpose(1, 2)


def random_network(pictures):
    """One whose normalisation knows pictures like these, uint8 (batch, height, width, 3)."""
    torch.manual_seed(5)
    network = TorchvisionLike()
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.momentum = None  # a mean over all that is seen
                module.weight.uniform_(0.7, 1.3)
                module.bias.uniform_(-0.3, 0.3)
        network.train()(pictures)
    return network.eval().requires_grad_(False)
