"""What the tests share: tiny real models, made by scripts in a moment, as files."""

from __future__ import annotations

import hashlib
import json
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from tiny_caption import tiny_caption_card, tiny_caption_onnx
from tiny_translate import tiny_translate_card, tiny_translate_onnx
from tiny_trigger import tiny_card, tiny_onnx

from linnet import zoo


def pytest_configure() -> None:
    """Ctrl+C means to programs that tests start what it means on a terminal, in the background too."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Path of the tiny model; do not change the file."""
    path = tmp_path_factory.mktemp("tiny") / "tiny.onnx"
    path.write_bytes(tiny_onnx().SerializeToString())
    return path


@pytest.fixture(scope="session")
def tiny_captioner(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Path of the tiny captioner; do not change the file."""
    path = tmp_path_factory.mktemp("tiny") / "captioner.onnx"
    path.write_bytes(tiny_caption_onnx().SerializeToString())
    return path


@pytest.fixture
def save_captioner(tmp_path: Path) -> Callable[..., Path]:
    """Write a ModelProto, or the tiny captioner with changed card fields; returns the path."""

    def save(model: Any = None, **changes: Any) -> Path:
        path = tmp_path / "model.onnx"
        model = tiny_caption_onnx(tiny_caption_card(**changes)) if model is None else model
        path.write_bytes(model.SerializeToString())
        return path

    return save


@pytest.fixture(scope="session")
def tiny_translator(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Path of the tiny translator; do not change the file."""
    path = tmp_path_factory.mktemp("tiny") / "translator.onnx"
    path.write_bytes(tiny_translate_onnx().SerializeToString())
    return path


@pytest.fixture
def save_translator(tmp_path: Path) -> Callable[..., Path]:
    """Write a ModelProto, or the tiny translator with changed card fields; returns the path."""

    def save(model: Any = None, **changes: Any) -> Path:
        path = tmp_path / "model.onnx"
        model = tiny_translate_onnx(tiny_translate_card(**changes)) if model is None else model
        path.write_bytes(model.SerializeToString())
        return path

    return save


@pytest.fixture
def ship(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Mapping[str, Path]], Path]:
    """Make these files, by their names without .onnx, the models that ship; returns their folder."""

    def ship(models: Mapping[str, Path]) -> Path:
        folder, sums = tmp_path_factory.mktemp("models"), ""
        for name, path in models.items():
            shutil.copy(path, folder / f"{name}.onnx")
            sums += f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {name}.onnx\n"
        (folder / "SHA256SUMS").write_text(sums)
        monkeypatch.setattr(zoo, "FOLDER", folder)
        return folder

    return ship


@pytest.fixture
def make_card() -> Callable[..., dict[str, Any]]:
    """`tiny_card`: the tiny model's card as plain JSON, with changed fields."""
    return tiny_card


@pytest.fixture
def make_onnx() -> Callable[..., Any]:
    """`tiny_onnx`: the tiny model as an onnx.ModelProto, with another card if one is given."""
    return tiny_onnx


@pytest.fixture
def save_model(tmp_path: Path) -> Callable[..., Path]:
    """Write a ModelProto, or bytes, or the tiny model with changed card fields; returns the path."""

    def save(model: Any = None, **changes: Any) -> Path:
        if model is None:
            model = tiny_onnx(tiny_card(**changes))
        path = tmp_path / "model.onnx"
        path.write_bytes(model if isinstance(model, bytes) else model.SerializeToString())
        return path

    return save


@pytest.fixture
def random() -> np.random.Generator:
    """A generator of the same random numbers in every run."""
    return np.random.default_rng(20260102)


@pytest.fixture(scope="session")
def node_folder(pytestconfig: pytest.Config) -> Iterator[Path]:
    """A folder with the program in demos/node, by onnxruntime-web, which is downloaded once and then kept."""
    if not shutil.which("node") or not shutil.which("npm"):
        pytest.skip("Node and npm are not installed")
    source = Path(__file__).parents[1] / "demos/node"
    cache: Path = pytestconfig.cache.mkdir("node")
    wanted = hashlib.sha256((source / "package-lock.json").read_bytes()).hexdigest()
    if not (cache / wanted).exists():
        with TemporaryDirectory(dir=cache, ignore_cleanup_errors=True) as made:
            for path in source.glob("package*.json"):
                shutil.copy(path, made)
            install = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries", "1"]
            ran = subprocess.run(install, cwd=made, capture_output=True, text=True)
            if ran.returncode:
                code = next((line.split()[-1] for line in ran.stderr.splitlines() if " code E" in line), "")
                assert code not in ("EUSAGE", "EINTEGRITY"), ran.stderr  # not for want of a network
                pytest.skip(f"onnxruntime-web cannot be installed: {code}")
            with suppress(OSError):  # another process that tests has been faster
                Path(made).rename(cache / wanted)
    with TemporaryDirectory(dir=cache / wanted) as programs:
        for path in source.glob("*.mjs"):
            shutil.copy(path, programs)
        yield Path(programs)


@pytest.fixture
def node(node_folder: Path) -> Callable[..., Any]:
    """Run the body of a function in Node; ``values`` are its variables, and what it returns comes back."""

    def run(body: str, **values: Any) -> Any:
        names = ", ".join(values)
        script = f"""
            import {{ readFile }} from "node:fs/promises";
            import {{ load, pixelsOf, samplesOf }} from "./linnet.mjs";
            const run = async ({{ {names} }}) => {{ {body} }};
            console.log(JSON.stringify(await run({json.dumps(values, default=str)})));
        """
        command = ["node", "--input-type=module", "--eval", script]
        ran = subprocess.run(command, cwd=node_folder, capture_output=True, text=True, encoding="utf-8")
        assert ran.returncode == 0, ran.stderr
        return json.loads(ran.stdout)

    return run
