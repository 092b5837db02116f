"""What the tiny models of the tests have in common: the frame of a card, and of a graph."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import onnx
from numpy.typing import ArrayLike
from onnx import TensorProto, helper, numpy_helper

BOOL, FLOAT, INT64, UINT8 = TensorProto.BOOL, TensorProto.FLOAT, TensorProto.INT64, TensorProto.UINT8

node = helper.make_node


def card_of(
    task: str,
    name: str,
    description: str,
    quality: dict[str, Any],
    settings: dict[str, Any],
    changes: dict[str, Any],
) -> dict[str, Any]:
    """A card as plain JSON; ``changes`` replace its fields or those of its settings."""
    card = {
        "version": 1,
        "task": task,
        "name": name,
        "description": description,
        "licence": "Apache-2.0",
        "created": "2026-01-02T03:04:05Z",
        "author": "the tests",
        "versions": {"linnet": "0.1.0"},
        "data": [{"name": "none", "source": "made by hand", "licence": "none", "used_for": "nothing"}],
        "recipe": {"seed": 1},
        "quality": [{"keyword": "", "data": "nothing", **quality}],
        task: settings,
    }
    for field, value in changes.items():
        (settings if field in settings else card)[field] = value
    return card


def value(name: str, kind: int, *shape: int | str) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, shape)


def model_of(
    nodes: Iterable[onnx.NodeProto],
    inputs: Iterable[onnx.ValueInfoProto],
    outputs: Iterable[onnx.ValueInfoProto],
    constants: Mapping[str, ArrayLike],
    card: dict[str, Any] | str,
) -> onnx.ModelProto:
    """A model; ``card`` is JSON, or a text to write as it is (empty: no card)."""
    tensors = [numpy_helper.from_array(np.asarray(array), name) for name, array in constants.items()]
    graph = helper.make_graph(list(nodes), "tiny", list(inputs), list(outputs), tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    text = card if isinstance(card, str) else json.dumps(card)
    if text:
        helper.set_model_props(model, {"linnet": text})
    onnx.checker.check_model(model, full_check=True)
    return model
