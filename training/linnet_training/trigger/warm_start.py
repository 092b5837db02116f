"""Weights to begin with: those of the model file that ships with Linnet."""

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor

from linnet import zoo
from linnet_training.trigger.network import TriggerNetwork

_PREFIX = "network."  # TriggerModel, of which export makes a graph, holds it by this name


def begin(network: TriggerNetwork) -> bool:
    """Give a network all weights of the bundled model but the last layer's; False where none fits."""
    for path in zoo.models():
        arrays = _arrays(onnx.load(path))
        if f"{_PREFIX}conv1.weight" in arrays:
            # Export made the input's scale part of this layer (TriggerNetwork.fold_scale).
            arrays[f"{_PREFIX}scale"] = network.scale.numpy()
            arrays[f"{_PREFIX}conv1.weight"] = arrays[f"{_PREFIX}conv1.weight"] / arrays[f"{_PREFIX}scale"]
        wanted = {
            name: value for name, value in network.state_dict().items() if not name.startswith("output.")
        }
        found = {name: _weight(arrays, name) for name in wanted}
        if all(value is not None and value.shape == wanted[name].shape for name, value in found.items()):
            network.load_state_dict(
                {name: value for name, value in found.items() if value is not None}, strict=False
            )
            return True
    return False


def _arrays(model: onnx.ModelProto) -> dict[str, np.ndarray]:
    """Arrays of a file by the names export gave them, those stored narrow made float again."""
    arrays = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    return {name.removesuffix(".narrow"): array.astype(np.float32) for name, array in arrays.items()}


def _weight(arrays: dict[str, np.ndarray], name: str) -> Tensor | None:
    """The array of a parameter; a GRU's gates come back from ONNX's order (update, reset, new) to torch's."""
    layer, _, parameter = name.rpartition(".")
    if not layer.startswith("gru"):
        array = arrays.get(_PREFIX + name)
        return None if array is None else torch.from_numpy(array)
    key = {"weight_ih_l0": "W", "weight_hh_l0": "R"}.get(parameter, "B")
    stacked = arrays.get(f"{_PREFIX}{layer}.{key}")
    if stacked is None:
        return None
    rows = stacked[0]
    if key == "B":
        rows = rows[: len(rows) // 2] if parameter == "bias_ih_l0" else rows[len(rows) // 2 :]
    update, reset, new = np.split(rows, 3)
    return torch.from_numpy(np.concatenate([reset, update, new]))
