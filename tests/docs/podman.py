"""Stands in for podman, which needs more than tests may ask for: does what a Containerfile says in a folder.

    python podman.py FOLDER build -f FILE -t NAME CONTEXT
    python podman.py FOLDER run [--rm] [--network none] [-i] [-v HERE:THERE:ro] NAME ARGUMENT ...

The stage that is being built is in FOLDER/root, whose path stands before all absolute paths in RUN and in the
ENTRYPOINT. Those before it are in FOLDER/<their name>. So what a stage forgets to copy is missing in the end.
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    commands = parser.add_subparsers(dest="command", required=True)
    building = commands.add_parser("build")
    building.add_argument("-f", dest="file", type=Path, required=True)
    building.add_argument("-t", dest="name", required=True)
    building.add_argument("context", type=Path)
    running = commands.add_parser("run")
    running.add_argument("--rm", action="store_true", required=True)
    running.add_argument("--network", choices=["none"])
    running.add_argument("-i", action="store_true")
    running.add_argument("-v", dest="mount")
    running.add_argument("name")
    running.add_argument("arguments", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    if options.command == "build":
        build(options.folder, options.file.read_text("utf-8"), options.context)
        (options.folder / "name").write_text(options.name)
        return 0
    assert (options.folder / "name").read_text() == options.name
    words = json.loads((options.folder / "entrypoint").read_text()) + options.arguments
    if options.mount:
        here, there, way = options.mount.split(":")
        assert way == "ro"
        words = [word.replace(f"{there}/", f"{here}/") if word.startswith(there) else word for word in words]
    return subprocess.run(words, check=False).returncode


def build(folder: Path, text: str, context: Path) -> None:
    """Do the lines of a Containerfile."""
    root = folder / "root"
    stage = ""
    folder.mkdir()
    for line in re.sub(r"\\\n|^#.*$", "", text, flags=re.M).splitlines():
        word, _, rest = line.partition(" ")
        if word == "FROM":
            if stage:
                root.rename(folder / stage)
            root.mkdir()
            image, _, stage = rest.partition(" AS ")
            assert image.startswith("docker.io/library/python:3."), image
        elif word == "COPY" and rest.startswith("--from="):
            source, here, there = rest.removeprefix("--from=").split()
            (root / there[1:]).parent.mkdir(parents=True, exist_ok=True)
            shutil.copytree(folder / source / here[1:], root / there[1:], symlinks=True)
        elif word == "COPY":
            *sources, target = rest.split()
            for source in sources:
                if (context / source).is_dir():
                    shutil.copytree(context / source, root / target[1:])
                else:
                    (root / target[1:]).mkdir(parents=True, exist_ok=True)
                    shutil.copy(context / source, root / target[1:])
        elif word == "RUN":
            subprocess.run(["sh", "-ec", re.sub(r"(?<![\w.])/(?=\w)", f"{root}/", rest)], check=True)
        elif word == "ENTRYPOINT":
            program, *more = json.loads(rest)
            (folder / "entrypoint").write_text(json.dumps([f"{root}{program}", *more]))
        else:
            assert word in ("USER", ""), line


if __name__ == "__main__":
    sys.exit(main())
