"""What the runtime may import: a package for the edge has no use for what only training needs."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import linnet

RUNTIME = Path(linnet.__file__).parent
MODULES = sorted(
    ".".join(path.relative_to(RUNTIME).with_suffix("").parts)
    for path in RUNTIME.rglob("*.py")
    if path.stem != "__main__"  # which is a program
)

FORBIDDEN = {
    "torch",
    "lightning",
    "librosa",
    "onnx",
    "onnxscript",
    "scipy",
    "linnet_training",
    "linnet_export",
}
REQUIRED = {"numpy", "onnxruntime", "PIL", "sentencepiece"}
OPTIONAL = {"sounddevice", "soundfile", "soxr", "matplotlib"}


def run(script):
    """Run a script in a fresh interpreter, and return what it prints."""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def tree_of(module):
    """The syntax tree of a module of the runtime."""
    return ast.parse((RUNTIME / f"{module.replace('.', '/')}.py").read_text("utf-8"))


@pytest.mark.parametrize("module", MODULES)
def test_only_what_is_installed_with_linnet_is_named_in_the_source(module):
    for node in ast.walk(tree_of(module)):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            names = [node.module]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            # Also by name, as import_module takes it.
            names = [node.value] if node.value.split(".")[0] in FORBIDDEN else []
        for name in names:
            package = name.split(".")[0]
            assert package not in FORBIDDEN, f"line {node.lineno} imports {name}"
            known = sys.stdlib_module_names | REQUIRED | OPTIONAL | {"linnet"}
            assert package in known, f"line {node.lineno} imports {name}"


@pytest.mark.parametrize("module", [module for module in MODULES if not module.startswith("cli.")])
def test_no_part_of_the_library_needs_the_command_line(module):
    imports = [node for node in ast.walk(tree_of(module)) if isinstance(node, ast.ImportFrom)]
    assert not [node.module for node in imports if node.module.startswith("linnet.cli")]


def test_the_runtime_works_where_the_packages_of_training_are_not_installed(tiny_model):
    run(f"""
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {FORBIDDEN | OPTIONAL!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Absent())
import importlib
for name in {MODULES!r}:
    importlib.import_module("linnet." + name.removesuffix(".__init__"))
import linnet, numpy
assert linnet.load({str(tiny_model)!r}).process(numpy.zeros(6400, "int16")).shape == (10, 2)
""")


def test_import_linnet_loads_no_more_than_onnxruntime_does():
    def loaded(package):
        return set(run(f"import {package}, sys; print(*sys.modules)").split())

    ours = {name for name in loaded("linnet") if name.split(".")[0] != "linnet"}
    # The interpreter has loaded what these are before anything else, under other names.
    own = {"importlib", "importlib._bootstrap", "importlib._bootstrap_external"}
    assert ours <= loaded("onnxruntime") | own
    assert not {"numpy", "onnxruntime"} & ours


def test_listening_loads_two_packages_and_not_their_heavy_corners(tiny_model):
    loaded = run(f"""
import linnet
spotter = linnet.TriggerWord({str(tiny_model)!r})
spotter.detect([0.0] * 16000)
import sys
print(*sys.modules)
""").split()
    outside = {name.split(".")[0] for name in loaded} - sys.stdlib_module_names
    # What an editable install, coverage and the like bring at start-up is not ours.
    outside -= set(run("import sys; print(*sys.modules)").split())
    assert {name for name in outside if not name.startswith("_")} == {"linnet", "numpy", "onnxruntime"}
    # Each costs megabytes and milliseconds.
    assert not {"numpy.random", "hashlib", "linnet.audio"} & set(loaded)


def test_captioning_loads_three_packages_and_not_their_heavy_corners(tiny_captioner):
    loaded = run(f"""
import linnet, io
from PIL import Image
file = io.BytesIO()
Image.new("RGB", (300, 200)).save(file, "JPEG")
linnet.Captioner({str(tiny_captioner)!r})(file.getvalue())
import sys
print(*sys.modules)
""").split()
    outside = {name.split(".")[0] for name in loaded} - sys.stdlib_module_names
    outside -= set(run("import sys; print(*sys.modules)").split())
    outside = {name for name in outside if not name.startswith("_")}
    assert outside - {"defusedxml"} == {"linnet", "numpy", "onnxruntime", "PIL"}
    assert not {"numpy.random", "hashlib", "linnet.audio", "linnet.trigger", "linnet.plots"} & set(loaded)


def test_translating_loads_three_packages_and_not_their_heavy_corners(tiny_translator):
    loaded = run(f"""
import linnet
linnet.Translator({str(tiny_translator)!r})("Ein Hund. Dann!")
import sys
print(*sys.modules)
""").split()
    outside = {name.split(".")[0] for name in loaded} - sys.stdlib_module_names
    outside -= set(run("import sys; print(*sys.modules)").split())
    outside = {name for name in outside if not name.startswith("_")}
    assert outside == {"linnet", "numpy", "onnxruntime", "sentencepiece"}
    assert not {"numpy.random", "hashlib", "google.protobuf", "linnet.caption", "linnet.plots"} & set(loaded)


def test_what_needs_no_picture_and_no_text_does_not_load_what_reads_them(tiny_model, tiny_translator):
    run(f"""
import linnet, sys
linnet.load({str(tiny_model)!r})
import linnet.cli, linnet.cli.caption, linnet.cli.translate, linnet.cli.info, linnet.translate
linnet.modelfile.read_card({str(tiny_translator)!r})
assert not {{"PIL", "sentencepiece"}} & set(sys.modules)
""")


def test_onnxruntime_keeps_and_tells_nothing(tiny_model, tmp_path):
    """From 1.29 on it writes a machine's identifier for what it reports, unless it is told not to."""
    silent = ("CI", "ORT_DISABLE_TELEMETRY", "ORT_RUNNING_UNIT_TESTS")
    environment = {name: value for name, value in os.environ.items() if name not in silent}
    for name in ("HOME", "TMPDIR", "XDG_CACHE_HOME"):
        environment[name] = str(tmp_path)
    code = f"import linnet; linnet.load({str(tiny_model)!r})"
    subprocess.run([sys.executable, "-c", code], env=environment, cwd=tmp_path, check=True, timeout=120)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_everything_promised_is_there():
    assert set(linnet.__all__) <= set(dir(linnet))
    for name in linnet.__all__:
        assert getattr(linnet, name) is not None
    assert linnet.TriggerWord is linnet.trigger.TriggerWord
    assert linnet.Captioner is linnet.caption.Captioner
    assert linnet.Translator is linnet.translate.Translator
    assert linnet.errors.AudioError.__mro__[1] is linnet.errors.LinnetError
    with pytest.raises(AttributeError, match="no attribute 'Triggerword'"):
        _ = linnet.Triggerword


def test_submodules_are_there_after_import_linnet_alone():
    run("import linnet; linnet.audio.microphone; linnet.errors.LinnetError; linnet.zoo.models")


def test_error_tree_is_exported_whole():
    classes = {name for name, value in vars(linnet.errors).items() if isinstance(value, type)}
    assert classes == set(linnet.errors.__all__)
    for name in classes - {"LinnetError"}:
        error = getattr(linnet.errors, name)("one sentence")
        assert isinstance(error, linnet.errors.LinnetError)
        assert str(error) == "one sentence"
