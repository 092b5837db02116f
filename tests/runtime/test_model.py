"""Opening model files: what is refused, with which words, and what keeps a hostile one from doing harm."""

import os
import threading
import time

import numpy as np
import onnxruntime
import pytest

from linnet import modelfile, watchdog
from linnet.errors import CardError, ModelError, ModelNotFoundError, ModelTimeoutError
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


# What cannot be read


def test_a_missing_file(tmp_path):
    with pytest.raises(ModelNotFoundError, match=r"no model file .*gone\.onnx; check the path"):
        StreamModel(tmp_path / "gone.onnx")
    with pytest.raises(FileNotFoundError):
        StreamModel("gone.onnx")


def test_a_folder_and_a_device(tmp_path):
    with pytest.raises(ModelError, match="not a plain file"):
        StreamModel(tmp_path)
    if os.path.exists("/dev/zero"):
        with pytest.raises(ModelError, match="not a plain file"):
            StreamModel("/dev/zero")


def test_an_empty_file(save_model):
    with pytest.raises(ModelError, match="is empty"):
        StreamModel(save_model(b""))


def test_an_enormous_file(tmp_path):
    path = tmp_path / "big.onnx"
    with open(path, "wb") as file:
        file.truncate(modelfile.MAX_BYTES + 1)  # takes no room on the disk
    with pytest.raises(ModelError, match="larger than 200 MB"):
        StreamModel(path)


def test_a_path_that_no_system_takes():
    with pytest.raises(ModelError, match="cannot be read"):
        StreamModel("a\0b.onnx")


def test_an_unreadable_file(tiny_model, monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(ModelError, match="Permission denied"):
        StreamModel(tiny_model)


# What is not a model


@pytest.mark.parametrize(
    "data",
    [
        b"This is a letter, not a model.\n" * 50,
        b"\x00" * 1000,
        b"\xff" * 1000,
        b"RIFF\x00\x00\x00\x00WAVEfmt ",
        b"\x08\x08",
    ],
)
def test_what_is_not_onnx(save_model, data):
    with pytest.raises(ModelError, match="is not an ONNX model"):
        StreamModel(save_model(data))


def test_the_other_format_of_onnxruntime(tiny_model, save_model, tmp_path):
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "tiny.ort")
    options.add_session_config_entry("session.save_model_format", "ORT")
    options.log_severity_level = 4
    onnxruntime.InferenceSession(tiny_model.read_bytes(), options, providers=["CPUExecutionProvider"])
    with pytest.raises(ModelError, match="is not an ONNX model"):
        StreamModel(tmp_path / "tiny.ort")


def test_a_truncated_model(tiny_model, save_model):
    data = tiny_model.read_bytes()
    with pytest.raises(ModelError, match="damaged"):
        StreamModel(save_model(data[: len(data) // 2]))


def test_millions_of_tiny_fields_end_soon(save_model):
    with pytest.raises(ModelError, match="is not an ONNX model"):
        StreamModel(save_model(b"\x08\x01" * 1_500_000))


def test_graphs_nested_without_end(save_model):
    # A graph (field 7) of a node (1) of an attribute (5) of a graph (6) ...
    data = b""
    for depth in range(300):
        tag = (b"\x0a", b"\x32", b"\x2a")[depth % 3]
        size, length = len(data), b""
        while size >= 128:
            length += bytes([size & 127 | 128])
            size >>= 7
        data = tag + length + bytes([size]) + data
    with pytest.raises(ModelError):
        StreamModel(save_model(b"\x3a" + bytes([len(data) & 127 | 128, len(data) >> 7]) + data))


# What was damaged after it was sealed


def test_a_sealed_file_is_a_model_to_every_tool(tiny_model, save_model):
    import onnx

    sealed = modelfile.seal(tiny_model.read_bytes())
    assert StreamModel(save_model(sealed)).card == StreamModel(tiny_model).card
    onnx.checker.check_model(onnx.load_from_string(sealed), full_check=True)
    assert StreamModel(save_model(modelfile.seal(sealed))).card.name == "tiny"


def test_any_change_of_a_sealed_file_is_noticed(tiny_model, save_model):
    sealed = modelfile.seal(tiny_model.read_bytes())
    for place in range(0, len(sealed), 37):
        damaged = bytearray(sealed)
        damaged[place] ^= 0x10
        if b"linnet_crc32" in damaged:  # else it is as if it had never been sealed
            with pytest.raises(ModelError):
                StreamModel(save_model(bytes(damaged)))
    for longer in (sealed + b"\x72\x00", sealed + modelfile.seal(b"")):
        with pytest.raises(ModelError, match="checksum differs"):
            StreamModel(save_model(longer))
    with pytest.raises(ModelError, match="checksum differs; download or export it again"):
        StreamModel(save_model(sealed.replace(b"Apache-2.0", b"Apache-3.0")))


# What has no card that is understood


def test_no_card(save_model, make_onnx):
    with pytest.raises(CardError, match="has no Linnet model card"):
        StreamModel(save_model(make_onnx("")))


def test_a_card_that_is_no_json(save_model, make_onnx):
    with pytest.raises(CardError, match=r"model\.onnx: the model card is not valid JSON"):
        StreamModel(save_model(make_onnx("{oops")))


def test_a_model_of_another_task(save_model):
    with pytest.raises(CardError, match="task 'juggle'"):
        StreamModel(save_model(task="juggle"))


def test_a_model_of_a_newer_linnet(save_model):
    with pytest.raises(CardError, match=r"version 2.*update Linnet"):
        StreamModel(save_model(version=2))


def test_of_two_cards_the_later_counts_as_in_onnxruntime(save_model, make_onnx, make_card):
    model = make_onnx()
    entry = model.metadata_props.add()
    entry.key, entry.value = "linnet", '{"version": 9, "task": "trigger"}'
    path = save_model(model)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    assert session.get_modelmeta().custom_metadata_map["linnet"] == entry.value
    with pytest.raises(CardError, match="version 9"):
        StreamModel(path)


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
