"""A GRU layer that is exported as one ONNX GRU operator.

torch.export unrolls nn.GRU wherever the length is computed from another length (here: steps from samples), so
the operator is named outright, with the weights in ONNX's own layout.
"""

import torch
from torch import Tensor, nn


class OnnxGRU(nn.Module):
    """Stands in for a one-layer, time-first nn.GRU while a model is exported."""

    W: Tensor
    R: Tensor
    B: Tensor

    def __init__(self, gru: nn.GRU):
        super().__init__()
        self.hidden = gru.hidden_size
        state = gru.state_dict()
        self.register_buffer("W", _gates(state["weight_ih_l0"]).unsqueeze(0))
        self.register_buffer("R", _gates(state["weight_hh_l0"]).unsqueeze(0))
        biases = torch.cat([_gates(state["bias_ih_l0"]), _gates(state["bias_hh_l0"])])
        self.register_buffer("B", biases.unsqueeze(0))

    def forward(self, steps: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """As nn.GRU: (time, batch, in), (1, batch, hidden) -> (time, batch, hidden), (1, batch, hidden)."""
        time, batch = steps.shape[0], steps.shape[1]
        outputs, last = torch.onnx.ops.symbolic_multi_out(
            "GRU",
            [steps, self.W, self.R, self.B, None, state],
            attrs={"hidden_size": self.hidden, "linear_before_reset": 1},
            dtypes=[torch.float32, torch.float32],
            shapes=[(time, 1, batch, self.hidden), (1, batch, self.hidden)],
        )
        return outputs.squeeze(1), last


def _gates(weight: Tensor) -> Tensor:
    """Torch stacks the gates reset, update, new; ONNX wants update, reset, new."""
    reset, update, new = weight.chunk(3)
    return torch.cat([update, reset, new]).contiguous()
