"""torch's exporter, with what our graphs need."""

import logging
import warnings
from collections.abc import Mapping, Sequence

import onnx
import torch
from torch import Tensor, nn
from torch.export import Dim

OPSET = 18


def exported(
    module: nn.Module,
    given: Mapping[str, Tensor],
    free: Mapping[str, Sequence[int]],
    outputs: Sequence[str],
) -> onnx.ModelProto:
    """A module as a graph.

    Args:
        module: takes tensors and returns a tuple of them.
        given: an example of each input, in order, by the name it will have.
        free: of each input the dimensions that may have other sizes than the example's.
        outputs: names.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
        program = torch.onnx.export(
            module.eval(),
            tuple(given.values()),
            dynamo=True,
            dynamic_shapes=tuple({place: Dim.AUTO for place in free[name]} for name in given),
            input_names=list(given),
            output_names=list(outputs),
            opset_version=OPSET,
            verbose=False,
        )
    assert program is not None  # it is without the argument f
    model = program.model_proto
    del model.graph.value_info[:]  # sizes of the example, some of which are wrong
    return model
