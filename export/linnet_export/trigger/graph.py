"""A trained trigger-word network as an ONNX graph with its states as inputs and outputs."""

import copy
import logging
import warnings

import onnx
import torch
from torch.export import Dim

from linnet_export.trigger.gru import OnnxGRU
from linnet_export.trigger.pack import pack_weights, tidy
from linnet_training.trigger.network import STEP_SAMPLES, TriggerModel, TriggerNetwork

STATES = ("tail", "mel", "conv", "low", "high")
OPSET = 18


def to_onnx(network: TriggerNetwork) -> onnx.ModelProto:
    """The graph from audio to scores, with dynamic batch and length.

    Args:
        network: trained weights, the scale folded; they are rounded to half precision in the file (see
            `pack`).

    Returns:
        a model with inputs `audio` and `state_*`, outputs `scores` and `next_*`, without a card.
    """
    network = copy.deepcopy(network).eval().requires_grad_(False)
    deployed = TriggerModel(network).eval()
    states = deployed.initial_states(2)
    for name in ("gru1", "gru2"):
        setattr(network, name, OnnxGRU(getattr(network, name)))
    batch_only = {0: Dim.AUTO}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
        program = torch.onnx.export(
            deployed,
            (torch.zeros(2, 3 * STEP_SAMPLES), *states),
            dynamo=True,
            dynamic_shapes=({0: Dim.AUTO, 1: Dim.AUTO}, *(batch_only for _ in states)),
            input_names=["audio", *(f"state_{name}" for name in STATES)],
            output_names=["scores", *(f"next_{name}" for name in STATES)],
            opset_version=OPSET,
            verbose=False,
        )
    assert program is not None  # it is without the argument f
    model = program.model_proto
    tidy(model, {"audio": ("batch", "samples"), "scores": ("batch", "steps")})
    pack_weights(model)
    onnx.checker.check_model(model, full_check=True)
    return model
