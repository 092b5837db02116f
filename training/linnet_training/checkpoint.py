"""Where the network's weights are in a checkpoint of Lightning's."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

PREFIX = "network."
"""Modules hold what is exported as their ``network``."""


def weights(content: Mapping[str, Any]) -> dict[str, Tensor]:
    """The network's weights in what a checkpoint holds; none where it is of another kind."""
    state = content.get("state_dict")
    return {
        name.removeprefix(PREFIX): value
        for name, value in (state.items() if isinstance(state, dict) else ())
        if name.startswith(PREFIX) and isinstance(value, Tensor)
    }


def trained(path: Path) -> dict[str, Tensor]:
    """The network's weights in a file that this run wrote; nothing in it is executed."""
    return weights(torch.load(path, map_location="cpu", weights_only=True))
