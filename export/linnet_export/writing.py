"""Writing the file: graph and card sealed together, whole or not at all."""

import argparse
import datetime
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any

import onnx

from linnet import modelfile
from linnet.card import METADATA_KEY, Card
from linnet.errors import OutputError
from linnet_training.starting import NOT_STATED

_PACKAGES = ("linnet", "torch", "lightning", "onnx", "onnxruntime", "numpy")


def write(graph: onnx.ModelProto, card: Card, path: Path) -> None:
    """Write graph and card as one sealed file.

    Raises:
        OutputError: the disk is full, or the file cannot be written.
    """
    del graph.metadata_props[:]
    graph.metadata_props.add(key=METADATA_KEY, value=card.to_json())
    graph.producer_name, graph.producer_version = "linnet", metadata.version("linnet")
    try:
        path.write_bytes(modelfile.seal(graph.SerializeToString()))
    except OSError as error:
        raise OutputError(f"cannot write to {path.parent}: {error.strerror}") from error


@contextmanager
def in_place_of(output: Path) -> Iterator[Path]:
    """A file to write and try out, which takes the place of ``output`` if all goes well and is gone if not.

    Raises:
        OutputError: the folder cannot be written to.
    """
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(suffix=".part.onnx", dir=output.parent)
    except OSError as error:
        raise OutputError(f"cannot write to {output.parent}: {error.strerror}") from error
    os.close(handle)
    part = Path(name)
    try:
        yield part
        part.chmod(0o644)
        part.replace(output)
    finally:
        part.unlink(missing_ok=True)


def origin(args: argparse.Namespace) -> dict[str, Any]:
    """The fields of a card that say who made the file, when, with what, and how it may be used."""
    return {
        "licence": args.licence or NOT_STATED,
        "created": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "author": args.author or NOT_STATED,
        "versions": {package: metadata.version(package) for package in _PACKAGES},
    }


def address(source: str) -> str:
    """Where a source can be had; owner/repository means GitHub."""
    return f"https://github.com/{source}" if re.fullmatch(r"[\w.-]+/[\w.-]+", source) else source
