"""Smaller files: what is rounded, what is exact, and that nothing is lost."""

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from linnet_export.trigger.pack import pack_weights, round_weights, tidy
from linnet_training.trigger.frontend import LogMel


@pytest.fixture(scope="module")
def arrays(graph):
    """Stored arrays of the exported graph, by name."""
    return {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.graph.initializer}


def test_half_precision_is_for_learnt_weights_alone(arrays):
    halves = {name for name, array in arrays.items() if array.dtype == np.float16}
    assert all(name.startswith("network.") and name.endswith(".narrow") for name in halves)
    assert {"network.conv1.weight.narrow", "network.gru1.W.narrow", "network.gru2.R.narrow"} <= halves
    assert arrays["network.output.bias"].dtype == np.float32


def test_learnt_weights_are_the_nearest_half(arrays, folded):
    weight = folded.conv1.weight.numpy()
    np.testing.assert_array_equal(arrays["network.conv1.weight.narrow"], weight.astype(np.float16))
    np.testing.assert_array_equal(arrays["network.output.bias"], folded.output.bias.numpy())
    np.testing.assert_array_equal(arrays["network.mean"], folded.mean.numpy())


def test_the_front_end_is_exact(arrays):
    front_end = LogMel()
    for name, value in (("window", front_end.window), ("first", front_end.first)):
        np.testing.assert_array_equal(arrays[f"front_end.{name}"], value.numpy())
    mel = np.zeros(arrays["front_end.mel.shape"], np.float32)
    mel[tuple(arrays["front_end.mel.places"].T)] = arrays["front_end.mel.values"]
    np.testing.assert_array_equal(mel, front_end.mel.numpy())


def test_the_file_is_small(graph):
    assert len(graph.SerializeToString()) < 480_000


def test_the_graph_is_tidy(graph):
    assert not graph.graph.value_info
    assert not any(node.doc_string or node.metadata_props for node in graph.graph.node)
    shapes = {
        value.name: [dim.dim_param or dim.dim_value for dim in value.type.tensor_type.shape.dim]
        for value in (*graph.graph.input, *graph.graph.output)
    }
    assert shapes["audio"] == ["batch", "samples"]
    assert shapes["scores"][:2] == ["batch", "steps"]
    states = [name for name in shapes if name.startswith("state_")]
    assert len(states) == 5
    for name in states:
        assert shapes[name][0] == "batch"
        assert shapes[name][1:] == shapes[name.replace("state_", "next_")][1:]
    assert not {"Loop", "Scan", "If"} & {node.op_type for node in graph.graph.node}


def small_model():
    """y = (x @ sparse) @ network.dense, taken at places that an int64 array names."""
    rng = np.random.default_rng(1)
    sparse = np.where(rng.random((64, 48)) < 0.03, rng.normal(size=(64, 48)), 0).astype(np.float32)
    constants = {
        "sparse": sparse,
        "network.dense": rng.normal(size=(48, 32)).astype(np.float32),
        "exact": rng.normal(size=(32, 40)).astype(np.float32),
        "places": rng.integers(0, 40, 2000),
    }
    nodes = [
        helper.make_node("MatMul", ["x", "sparse"], ["a"]),
        helper.make_node("MatMul", ["a", "network.dense"], ["b"]),
        helper.make_node("MatMul", ["b", "exact"], ["c"]),
        helper.make_node("Gather", ["c", "places"], ["y"], axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", 64])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["rows", 2000])],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), constants


def run(model, x):
    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"x": x})[0]


def test_a_packed_model_computes_the_same():
    model, constants = small_model()
    x = np.random.default_rng(2).normal(size=(3, 64)).astype(np.float32)
    size = len(model.SerializeToString())
    pack_weights(model)
    tidy(model, {"x": ("rows",), "y": ("rows",)})
    rounded = constants["network.dense"].astype(np.float16).astype(np.float32)
    expected = (x @ constants["sparse"] @ rounded @ constants["exact"])[:, constants["places"]]
    np.testing.assert_allclose(run(model, x), expected, rtol=1e-4, atol=1e-4)
    assert len(model.SerializeToString()) < 0.6 * size


def test_rounding_as_in_the_file(folded):
    before = {name: value.clone() for name, value in folded.state_dict().items()}
    rounded = round_weights(folded)
    for name, value in folded.state_dict().items():
        assert torch.equal(value, before[name])
    assert torch.equal(rounded.gru1.weight_hh_l0, folded.gru1.weight_hh_l0.half().float())
    assert torch.equal(rounded.output.bias, folded.output.bias)
