"""Reading a training checkpoint: weights and what training noted beside them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from linnet.errors import ExportError
from linnet_training.checkpoint import weights

TASKS = ("trigger", "caption", "translate")


@dataclass(frozen=True)
class Checkpoint:
    """What a checkpoint holds."""

    path: Path
    task: str
    weights: dict[str, Tensor]
    """Those of the network, by name."""
    about: dict[str, Any]
    """Recipe, dev data and more, as the task's training wrote them."""

    def unlike(self) -> ExportError:
        """The error that its weights or notes are not those this version writes."""
        return ExportError(f"{self.path} holds another network than this version trains; train it again")


def read(path: Path) -> Checkpoint:
    """Read a Lightning checkpoint of one of our tasks; nothing in it is executed.

    Raises:
        ExportError: it is missing, damaged, or not one of ours.
    """
    if not path.is_file():
        raise ExportError(f"there is no checkpoint {path}; training writes runs/NAME/.../best.ckpt")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises whatever its readers do on damaged files, in words of its own
        reason = f"{type(error).__name__}; it is damaged, or of another kind"
        raise ExportError(f"{path} is not a readable checkpoint ({reason})") from error
    about = content.get("linnet") if isinstance(content, dict) else None
    if not isinstance(about, dict) or about.get("task") not in TASKS:
        raise ExportError(f"{path} is not a checkpoint of linnet train")
    return Checkpoint(path, about["task"], weights(content), about)
