"""What a file must be before anything in it is run: there, an ONNX model, whole, and with a card."""

import os

import onnxruntime
import pytest

from linnet import modelfile
from linnet.errors import CardError, ModelError, ModelNotFoundError
from linnet.stream import StreamModel

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
