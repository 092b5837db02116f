"""Reading a training checkpoint: weights and what training noted beside them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from linnet.errors import ExportError
from linnet_training.trigger.network import TriggerNetwork

_PREFIX = "network."
_ABOUT = ("keywords", "recipe", "refractory_s", "origins", "licences", "recorded", "dev")


@dataclass(frozen=True)
class Trained:
    """A network and how it came about."""

    network: TriggerNetwork
    about: dict[str, Any]
    """Keywords, recipe, dev recordings and more, as `linnet_training.trigger.train.about` wrote them."""


def read(path: Path) -> Trained:
    """Read a Lightning checkpoint of a trigger word; nothing in it is executed.

    Raises:
        ExportError: it is missing, damaged, or not one of ours.
    """
    if not path.is_file():
        raise ExportError(f"There is no checkpoint {path}; training writes runs/NAME/first/best.ckpt.")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises whatever its readers do on damaged files
        reason = f"{error}".split("\n")[0][:120] or type(error).__name__
        raise ExportError(f"{path} is not a readable checkpoint ({reason}).") from error
    about = content.get("linnet") if isinstance(content, dict) else None
    if not isinstance(about, dict) or about.get("task") != "trigger":
        raise ExportError(f"{path} is not a checkpoint of linnet train trigger.")
    try:
        weights = {
            name.removeprefix(_PREFIX): value
            for name, value in content["state_dict"].items()
            if name.startswith(_PREFIX)
        }
        channels = (len(weights["conv1.weight"]), len(weights["conv2.weight"]))
        hidden = weights["gru1.weight_hh_l0"].shape[1]
        network = TriggerNetwork(len(about["keywords"]), channels, hidden)
        network.load_state_dict(weights)
        about = {name: about[name] for name in _ABOUT}
    except (KeyError, RuntimeError, TypeError, AttributeError, IndexError) as error:
        raise ExportError(
            f"{path} holds another network than this version trains; train it again."
        ) from error
    network.fold_scale()
    return Trained(network.eval().requires_grad_(False), about)
