"""Opening model files: which graphs are refused, and what keeps a hostile one from doing harm."""

import os
import threading
import time

import numpy as np
import onnxruntime
import pytest

from linnet import modelfile, watchdog
from linnet.errors import ModelError, ModelTimeoutError
from linnet.stream import StreamModel


def feeds_of(model, streams=1, steps=2):
    """Zero states and silence."""
    feeds = {
        name: np.zeros((streams, *shape[1:]), np.float32)
        for name, shape in model.input_shapes.items()
        if shape[1]
    }
    return {**feeds, "audio": np.zeros((streams, steps * model.card.trigger.step_samples), np.float32)}


def replace_node(model, output, op, inputs, **attributes):
    """Put another node where ``output`` was made."""
    from onnx.helper import make_node

    node = next(node for node in model.graph.node if output in node.output)
    node.CopyFrom(make_node(op, inputs, list(node.output), **attributes))


def test_a_model_shows_its_card_and_its_signature(tiny_model):
    model = StreamModel(tiny_model)
    assert model.card.name == "tiny"
    assert model.input_shapes == {"audio": (None, None), "state_tail": (None, 160), "state_gru": (None, 2)}
    assert model.output_names == ["scores", "next_tail", "next_gru"]
    scores, tail, gru = model.run(feeds_of(model, streams=3, steps=4))
    assert (scores.shape, tail.shape, gru.shape) == ((3, 4, 2), (3, 160), (3, 2))
    assert scores.dtype == np.float32


def test_the_card_can_be_read_without_loading_the_model(tiny_model):
    assert modelfile.read_card(tiny_model) == StreamModel(tiny_model).card


# What would reach beyond the file, or never end


def test_weights_in_another_file(save_model, make_onnx, tmp_path):
    model = make_onnx()
    tensor = model.graph.initializer[0]
    (tmp_path / "weights").write_bytes(tensor.raw_data)
    tensor.ClearField("raw_data")
    tensor.data_location = 1
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "weights"
    with pytest.raises(ModelError, match="keeps weights in another file"):
        StreamModel(save_model(model))


def test_weights_in_another_file_inside_an_attribute(save_model, make_onnx):
    from onnx.helper import make_node

    model = make_onnx()
    tensor = model.graph.initializer[0]
    constant = make_node("Constant", [], [tensor.name], value=tensor)
    constant.attribute[0].t.data_location = 1
    constant.attribute[0].t.external_data.add(key="location", value="/etc/passwd")
    del model.graph.initializer[0]
    model.graph.node.insert(0, constant)
    with pytest.raises(ModelError, match="keeps weights in another file"):
        StreamModel(save_model(model))


def endless(model):
    """The model with a Loop without end before its scores."""
    import onnx
    from onnx.helper import make_graph, make_node, make_tensor_value_info
    from onnx.numpy_helper import from_array

    body = make_graph(
        [make_node("Identity", ["go"], ["go_on"]), make_node("Identity", ["x"], ["y"])],
        "body",
        [
            make_tensor_value_info("turn", onnx.TensorProto.INT64, []),
            make_tensor_value_info("go", onnx.TensorProto.BOOL, []),
            make_tensor_value_info("x", onnx.TensorProto.FLOAT, None),
        ],
        [
            make_tensor_value_info("go_on", onnx.TensorProto.BOOL, []),
            make_tensor_value_info("y", onnx.TensorProto.FLOAT, None),
        ],
    )
    model.graph.initializer.append(from_array(np.array(True), "forever"))
    replace_node(model, "scores", "Sigmoid", ["turned"])
    model.graph.node.insert(
        len(model.graph.node) - 1, make_node("Loop", ["", "forever", "logits"], ["turned"], body=body)
    )
    return model


def test_an_endless_loop(save_model, make_onnx):
    with pytest.raises(ModelError, match="holds loops"):
        StreamModel(save_model(endless(make_onnx())))


def test_functions_of_its_own(save_model, make_onnx):
    from onnx.helper import make_function, make_node, make_opsetid

    model = make_onnx()
    body = [make_node("Sigmoid", ["x"], ["y"])]
    model.functions.append(make_function("own", "squash", ["x"], ["y"], body, [make_opsetid("", 18)]))
    model.opset_import.append(make_opsetid("own", 1))
    replace_node(model, "scores", "squash", ["logits"], domain="own")
    with pytest.raises(ModelError, match="functions"):
        StreamModel(save_model(model))


def test_a_run_that_takes_too_long_is_stopped(save_model, make_onnx, monkeypatch):
    inspect = modelfile.inspect

    def overlook(data, name):
        contents = inspect(data, name)
        contents.graphs = 1
        return contents

    monkeypatch.setattr(modelfile, "inspect", overlook)
    with pytest.raises(ModelTimeoutError, match=r"computed longer than 1 s"):
        StreamModel(save_model(endless(make_onnx())), time_limit_s=1)


def test_loading_that_takes_too_long_is_given_up(tiny_model, monkeypatch):
    release = threading.Event()
    monkeypatch.setattr(onnxruntime, "InferenceSession", lambda *_, **__: release.wait(60))
    with pytest.raises(TimeoutError, match=r"took to load longer than 0\.1 s"):
        StreamModel(tiny_model, time_limit_s=0.1)
    release.set()


class Options:
    """Stands for onnxruntime's RunOptions."""

    terminate = False


def test_the_watchdog_stops_what_is_late_and_nothing_else():
    late, early, disarmed = Options(), Options(), Options()
    watchdog.arm(late, 0.05)
    watchdog.arm(early, 60)
    watchdog.arm(disarmed, 0.05)
    watchdog.disarm(disarmed)
    deadline = time.monotonic() + 30
    while not late.terminate and time.monotonic() < deadline:
        time.sleep(0.05)
    watchdog.disarm(late)
    watchdog.disarm(early)
    assert late.terminate
    assert not early.terminate
    assert not disarmed.terminate


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_the_watchdog_still_watches_in_a_forked_process():
    watchdog.arm(
        options := Options(), 60
    )  # the parent's thread runs, and this is armed when the fork is made
    child = os.fork()
    if child == 0:
        late = Options()
        watchdog.arm(late, 0.05)
        deadline = time.monotonic() + 30
        while not late.terminate and time.monotonic() < deadline:
            time.sleep(0.05)
        os._exit(0 if late.terminate else 1)
    watchdog.disarm(options)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


# What is ONNX and has a card, but is not a trigger model


def test_other_inputs(save_model, make_onnx):
    model = make_onnx()
    for node in model.graph.node:
        node.input[:] = ["sound" if name == "audio" else name for name in node.input]
    model.graph.input[0].name = "sound"
    with pytest.raises(ModelError, match="not built like a trigger model"):
        StreamModel(save_model(model))


def test_a_state_that_does_not_come_out(save_model, make_onnx):
    model = make_onnx()
    del model.graph.output[2]
    with pytest.raises(ModelError, match="not built like a trigger model"):
        StreamModel(save_model(model))


def test_a_state_of_unknown_size(save_model, make_onnx):
    model = make_onnx()
    model.graph.input[2].type.tensor_type.shape.dim[1].dim_param = "any"
    with pytest.raises(ModelError, match="not built like a trigger model"):
        StreamModel(save_model(model))


@pytest.mark.parametrize("size", [1 << 40, 1 << 31, -1])
def test_absurd_sizes(save_model, make_onnx, size):
    model = make_onnx()
    model.graph.input[0].type.tensor_type.shape.dim[1].dim_value = size
    with pytest.raises(ModelError, match="declares sizes that make no sense"):
        StreamModel(save_model(model))


def test_a_state_that_is_too_large(save_model, make_onnx):
    model = make_onnx()
    model.graph.input[1].type.tensor_type.shape.dim[1].dim_value = 2_000_000
    with pytest.raises(ModelError, match="not built like a trigger model"):
        StreamModel(save_model(model))


def test_one_stream_only(save_model, make_onnx):
    model = make_onnx()
    model.graph.input[1].type.tensor_type.shape.dim[0].dim_value = 1
    with pytest.raises(ModelError):
        StreamModel(save_model(model))


def test_scores_of_another_number_of_keywords(save_model):
    with pytest.raises(ModelError, match=r"gave scores of shape \(2, 2, 2\)"):
        StreamModel(save_model(keywords=["loud", "hiss", "quiet"]))


def test_steps_of_another_length(save_model):
    with pytest.raises(ModelError, match="gave scores of shape"):
        StreamModel(save_model(step_samples=1280))


def test_a_state_that_changes_its_shape(save_model, make_onnx):
    model = make_onnx()
    replace_node(model, "next_tail", "Identity", ["heard"])
    del model.graph.value_info[:]
    model.graph.output[1].type.tensor_type.shape.dim[1].dim_param = "any"
    with pytest.raises(ModelError, match="states change their shape"):
        StreamModel(save_model(model))


def test_weights_that_are_not_numbers(save_model, make_onnx):
    model = make_onnx()
    slope = next(tensor for tensor in model.graph.initializer if tensor.name == "slope")
    slope.raw_data = np.float32(np.nan).tobytes()
    with pytest.raises(ModelError, match="not within 0 to 1"):
        StreamModel(save_model(model))


def test_scores_beyond_1(save_model, make_onnx):
    model = make_onnx()
    replace_node(model, "scores", "Identity", ["logits"])
    with pytest.raises(ModelError, match="not within 0 to 1"):
        StreamModel(save_model(model))


def test_an_operator_that_onnxruntime_does_not_know(save_model, make_onnx):
    model = make_onnx()
    replace_node(model, "scores", "Sigmoidal", ["logits"])
    with pytest.raises(ModelError, match=r"needs a newer onnxruntime .*Sigmoidal") as caught:
        StreamModel(save_model(model))
    assert "\n" not in str(caught.value)


def test_names_that_are_no_text(tiny_model, save_model):
    data = tiny_model.read_bytes()
    assert len(data.split(b"state_gru")) == 3
    with pytest.raises(ModelError):
        StreamModel(save_model(data.replace(b"state_gru", b"state_\xff\xfe\xfd")))


def test_a_run_that_fails(tiny_model):
    model = StreamModel(tiny_model)
    feeds = feeds_of(model)
    feeds["state_gru"] = feeds["state_gru"][:, :1]
    with pytest.raises(ModelError, match=r"cannot be run .onnxruntime says: "):
        model.run(feeds)


def test_onnxruntime_is_kept_from_writing_to_the_terminal(save_model, make_onnx, capfd):
    model = make_onnx()
    replace_node(model, "scores", "Sigmoidal", ["logits"])
    with pytest.raises(ModelError):
        StreamModel(save_model(model))
    model = make_onnx()
    replace_node(model, "scores", "Identity", ["before"])  # of another shape than it promises
    with pytest.raises(ModelError):
        StreamModel(save_model(model))
    good = StreamModel(save_model())
    feeds = feeds_of(good)
    feeds["state_gru"] = feeds["state_gru"][:, :1]
    with pytest.raises(ModelError):
        good.run(feeds)
    assert capfd.readouterr() == ("", "")
