"""Weights in 8 bits: products held against those in float, and how they are stored."""

import numpy as np
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper

from linnet_export.quantise import quantise_convolutions, quantise_products

INPUTS, OUTPUTS = 64, 96


def model_of(nodes, outputs, constants, inputs=(("x", TensorProto.FLOAT, ("batch", INPUTS)),)):
    graph = helper.make_graph(
        nodes,
        "made",
        [helper.make_tensor_value_info(*each) for each in inputs],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


def run(model, **feeds):
    return ort.InferenceSession(model.SerializeToString()).run(None, feeds)


def stored(model):
    return {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}


@pytest.fixture
def x(random):
    return random.uniform(-1, 3, (200, INPUTS)).astype(np.float32)


@pytest.fixture
def matrix(random):
    """With columns of very different size."""
    made = random.standard_normal((INPUTS, OUTPUTS)) * np.logspace(-2, 1, OUTPUTS)
    return made.astype(np.float32)


@pytest.fixture
def product(matrix):
    return model_of([helper.make_node("MatMul", ["x", "w"], ["y"])], ["y"], {"w": matrix})


@pytest.fixture
def tied(matrix):
    """A matrix whose rows are looked up, and which is multiplied with as well, as by a tied output layer."""
    nodes = [
        helper.make_node("Gather", ["table", "index"], ["rows"]),
        helper.make_node("Transpose", ["table"], ["turned"], perm=[1, 0]),
        helper.make_node("MatMul", ["x", "turned"], ["y"]),
    ]
    inputs = (
        ("x", TensorProto.FLOAT, ("batch", INPUTS)),
        ("index", TensorProto.INT64, ("sequences", "places")),
    )
    return model_of(nodes, ["rows", "y"], {"table": np.ascontiguousarray(matrix.T)}, inputs)


def test_products_differ_by_no_more_than_rounding(product, matrix, x):
    exact = x @ matrix
    quantise_products(product, [{"x": x[:100]}, {"x": x[100:]}])
    (got,) = run(product, x=x)
    step = (x.max() - x.min()) / 255
    scale = np.abs(matrix).max(axis=0) / 63
    # Half a step of each weight, and a whole one of each input: its zero is rounded, too.
    bound = (np.abs(x) + step) @ np.ones_like(matrix) * scale / 2 + step * np.abs(matrix).sum(axis=0)
    error = np.abs(got - exact)
    assert (error < bound).all()
    assert (error.mean(axis=0) < 0.03 * exact.std(axis=0)).all()  # of each column, small or large
    assert error.max() > 0


def test_weights_take_7_bits_and_a_scale_for_each_column(product, matrix, x):
    quantise_products(product, [{"x": x}])
    arrays = stored(product)
    assert "w" not in arrays
    (weights,) = [array for array in arrays.values() if array.dtype == np.int8]
    assert weights.shape == matrix.shape
    assert (np.abs(weights.astype(int)).max(axis=0) == 63).all()
    assert sum(array.nbytes for array in arrays.values()) < 0.35 * matrix.nbytes


def test_what_is_larger_than_the_examples_is_cut_off(product, x):
    quantise_products(product, [{"x": x}])
    largest = np.full((1, INPUTS), x.max(), np.float32)
    np.testing.assert_array_equal(run(product, x=largest), run(product, x=5 * largest))
    assert not np.array_equal(run(product, x=largest), run(product, x=largest / 2))


def test_no_row_changes_another(product, x):
    quantise_products(product, [{"x": x}])
    (together,) = run(product, x=x * 10)
    for row in (0, 7, 199):
        np.testing.assert_array_equal(run(product, x=x[row : row + 1] * 10)[0][0], together[row])


def test_a_matrix_that_is_embedding_and_output_layer_is_stored_once(tied, matrix, x):
    index = np.array([[0, 5, 95], [95, 3, 3]])
    quantise_products(tied, [{"x": x, "index": index}])
    arrays = stored(tied)
    assert [array.shape for array in arrays.values() if array.size == matrix.size] == [(OUTPUTS, INPUTS)]
    assert "table" not in arrays
    rows, y = run(tied, x=x, index=index)
    assert rows.shape == (2, 3, INPUTS)
    scale = np.abs(matrix).max(axis=0) / 63
    assert (np.abs(rows - matrix.T[index]) <= 0.501 * scale[index][..., None]).all()
    exact = x @ matrix
    assert (np.abs(y - exact).mean(axis=0) < 0.03 * exact.std(axis=0)).all()


def test_small_matrices_stay_as_they_are(x, random):
    """Though what is around them changes; and all outputs are there."""
    small = random.standard_normal((INPUTS, 63)).astype(np.float32)  # 4,032 numbers
    large = random.standard_normal((63, 80)).astype(np.float32)
    nodes = [
        helper.make_node("MatMul", ["x", "small"], ["between"]),
        helper.make_node("MatMul", ["between", "large"], ["y"]),
    ]
    model = model_of(nodes, ["between", "y"], {"small": small, "large": large})
    before = run(model, x=x)
    quantise_products(model, [{"x": x}])
    arrays = stored(model)
    np.testing.assert_array_equal(arrays["small"], small)
    assert "large" not in arrays
    after = run(model, x=x)
    np.testing.assert_allclose(after[0], before[0], rtol=1e-5, atol=1e-5)
    assert 0 < np.abs(after[1] - before[1]).max() < 0.5 * before[1].std()


def test_a_model_without_large_matrices(x, random):
    small = random.standard_normal((INPUTS, 8)).astype(np.float32)
    nodes = [helper.make_node("MatMul", ["x", "small"], ["y"]), helper.make_node("Relu", ["y"], ["z"])]
    model = model_of(nodes, ["y", "z"], {"small": small})
    before = model.SerializeToString()
    quantise_products(model, [{"x": x}])
    assert model.SerializeToString() == before


@pytest.mark.parametrize("groups", [1, 48])
def test_convolutions_keep_their_weights_in_8_bits(random, groups):
    weights = random.standard_normal((96, 48 // groups, 3, 3)).astype(np.float32)
    weights[0] = 0
    bias = random.standard_normal(96).astype(np.float32)
    nodes = [helper.make_node("Conv", ["x", "w", "b"], ["y"], pads=[1, 1, 1, 1], group=groups)]
    given = (("x", TensorProto.FLOAT, ("batch", 48, 12, 12)),)
    model = model_of(nodes, ["y"], {"w": weights, "b": bias}, given)
    x = random.uniform(0, 6, (6, 48, 12, 12)).astype(np.float32)
    (exact,) = run(model, x=x)
    if groups > 1:
        assert weights.size < 4096
        quantise_convolutions(model, [{"x": x}])
        np.testing.assert_array_equal(stored(model)["w"], weights)  # too small to be worth it
        return
    quantise_convolutions(model, [{"x": x}])
    kinds = [array for array in stored(model).values() if array.shape == weights.shape]
    assert [array.dtype for array in kinds] == [np.int8]
    (got,) = run(model, x=x)
    assert 0 < np.abs(got - exact).mean() < 0.01 * exact.std()
    inner = (got - exact)[:, :, 1:-1, 1:-1]
    assert np.abs(inner.mean(axis=(0, 2, 3))).max() < 0.1 * inner.std()  # no channel is shifted
    for row in range(6):
        np.testing.assert_array_equal(run(model, x=x[row : row + 1])[0][0], got[row])


def test_without_correction_channels_would_be_shifted(random):
    """A channel that is a small difference of large sums, as after a ReLU."""
    weights = random.standard_normal((64, 128, 1, 1)).astype(np.float32)
    weights -= weights.mean(axis=1, keepdims=True)
    model = model_of(
        [helper.make_node("Conv", ["x", "w", "b"], ["y"])],
        ["y"],
        {"w": weights, "b": np.zeros(64, np.float32)},
        (("x", TensorProto.FLOAT, ("batch", 128, 4, 4)),),
    )
    x = (5 + 0.1 * random.standard_normal((8, 128, 4, 4))).astype(np.float32)
    (exact,) = run(model, x=x)
    quantise_convolutions(model, [{"x": row[None]} for row in x])
    (got,) = run(model, x=x)
    rows = next(array for array in stored(model).values() if array.dtype == np.int8)
    scale = next(array for array in stored(model).values() if array.shape == (64, 1, 1, 1))
    plain = np.einsum("oi,bihw->bohw", (rows * scale)[:, :, 0, 0], x)
    assert np.abs(got - exact).mean() < 0.1 * np.abs(plain - exact).mean()
