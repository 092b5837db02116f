"""A trained trigger-word network as an ONNX graph with its states as inputs and outputs."""

import copy

import onnx
import torch

from linnet_export.exporter import exported
from linnet_export.trigger.gru import OnnxGRU
from linnet_export.trigger.pack import pack_weights, tidy
from linnet_training.trigger.network import STEP_SAMPLES, TriggerModel, TriggerNetwork

STATES = ("tail", "mel", "conv", "low", "high")


def to_onnx(network: TriggerNetwork) -> onnx.ModelProto:
    """The graph from audio to scores, with dynamic batch and length.

    Args:
        network: trained weights, the scale folded; they are rounded to half precision in the file (see
            `pack`).

    Returns:
        a model with inputs `audio` and `state_*`, outputs `scores` and `next_*`, without a card.
    """
    network = copy.deepcopy(network).eval().requires_grad_(False)
    deployed = TriggerModel(network)
    states = {f"state_{name}": state for name, state in zip(STATES, deployed.initial_states(2), strict=True)}
    for name in ("gru1", "gru2"):
        setattr(network, name, OnnxGRU(getattr(network, name)))
    model = exported(
        deployed,
        {"audio": torch.zeros(2, 3 * STEP_SAMPLES), **states},
        {"audio": (0, 1), **dict.fromkeys(states, (0,))},
        ["scores", *(f"next_{name}" for name in STATES)],
    )
    tidy(model, {"audio": ("batch", "samples"), "scores": ("batch", "steps")})
    pack_weights(model)
    onnx.checker.check_model(model, full_check=True)
    return model
