"""The guide to deploying: its commands are run, and print what it says they do."""

from __future__ import annotations

import re
import shlex
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnxruntime
import pytest

import linnet

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs/deploying.md").read_text("utf-8")
UNIT = ROOT / "demos/deploy/linnet-listen.service"
# A command behind a $, and lines of at least the same indent right below it.
STEP = re.compile(r"^( +)\$ (.*)\n((?:\1(?!\$ ).*\S.*\n)*)", re.MULTILINE)
NEEDS_A_SYSTEM = ("sudo apt install ", "sudo systemctl ", "journalctl ")
TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+[+-][\d:]+|\b\d\d:\d\d:\d\d\b")
NUMBER = re.compile(r"\d+\.\d+")
PI = "A Raspberry Pi that listens from boot on"

Run = Callable[[str], "subprocess.CompletedProcess[str]"]


class Step(NamedTuple):
    command: str
    shown: str
    """What the guide says that it prints; nothing where it does not say."""


def section(title: str) -> str:
    """The text under a heading, without what is under the next ones."""
    text = re.split(rf"^##+ {re.escape(title)}$", GUIDE, flags=re.MULTILINE)[1]
    return re.split(r"^##", text, flags=re.MULTILINE)[0]


def steps(title: str) -> Iterator[Step]:
    for indent, command, shown in STEP.findall(section(title)):
        yield Step(command, re.sub(f"^{indent}", "", shown, flags=re.MULTILINE))


def assert_like(printed: str, shown: str) -> None:
    """The same but for times of day, and for what other processors may make of a number."""
    printed, shown = (TIME.sub("now", text) for text in (printed, shown))
    assert NUMBER.sub("x", printed) == NUMBER.sub("x", shown)
    numbers = ([float(number) for number in NUMBER.findall(text)] for text in (printed, shown))
    np.testing.assert_allclose(*numbers, rtol=0, atol=0.02)


def follow(run: Run, title: str, places: Mapping[str, object] | None = None) -> None:
    """Do the steps of a section that do not need a system; ``places`` stand for those in the guide."""
    for command, shown in steps(title):
        if command.startswith(NEEDS_A_SYSTEM):
            continue
        for there, here in (places or {}).items():
            command, shown = command.replace(there, str(here)), shown.replace(there, str(here))
        ran = run(command)
        if ran.returncode and re.search(r"after connection broken by|npm error network", ran.stdout):
            pytest.skip("what the guide installs cannot be had: the package index cannot be reached")
        assert ran.returncode == 0, f"{command}\n{ran.stdout}"
        if shown:
            assert_like(ran.stdout, shown)


def test_every_command_is_in_a_section_that_is_followed() -> None:
    titles = re.findall(r"^##+ (.*)$", GUIDE, re.MULTILINE)
    followed = {title: [*steps(title)] for title in titles if [*steps(title)]}
    assert [*followed] == [
        PI,
        "A container",
        "A server with many streams",
        "JavaScript",
        "C++",
    ]
    assert sum(map(len, followed.values())) == len(re.findall(r"^ +\$ ", GUIDE, re.MULTILINE))


@pytest.mark.install
def test_a_raspberry_pi(shell: Run, tmp_path: Path) -> None:
    units = tmp_path / "etc/systemd/system"
    units.mkdir(parents=True)
    follow(
        shell,
        PI,
        {"/opt/linnet": tmp_path / "opt/linnet", "/etc/systemd/system": units},
    )
    assert [path.name for path in units.iterdir()] == [UNIT.name]


def environment_of(lines: list[str]) -> dict[str, str]:
    """The variables that lines of a unit set."""
    found = {}
    for line in lines:
        if line.startswith("Environment="):
            found |= dict(word.split("=", 1) for word in shlex.split(line.removeprefix("Environment=")))
    return found


def service(settings: Mapping[str, str], programs: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """What the service does, without systemd."""
    (line,) = re.findall(r"^ExecStart=(.*)$", UNIT.read_text("utf-8"), re.MULTILINE)
    words = [word.replace("$$", "$") for word in shlex.split(line)]
    words[-1] = words[-1].replace("/opt/linnet/bin/", f"{programs}/")
    return subprocess.run(
        words,
        cwd=folder,
        env=settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def test_the_service(programs: Path, environment: dict[str, str], tmp_path: Path) -> None:
    drop_in = [line.strip() for line in section(PI).splitlines()]
    set_by_unit = environment_of(UNIT.read_text("utf-8").splitlines())
    set_by_guide = environment_of(drop_in)
    assert set_by_guide.keys() == set_by_unit.keys()
    ran = service(environment | set_by_unit, programs, tmp_path)
    assert ran.returncode == 0, ran.stdout
    assert ran.stdout.count('"keyword"') == ran.stdout.count('"computer"') == 1
    ran = service(environment | set_by_unit | set_by_guide, programs, tmp_path)
    assert ran.returncode == 0, ran.stdout
    (journal,) = (shown for command, shown in steps(PI) if command.startswith("journalctl "))
    printed = ran.stdout.splitlines(keepends=True)
    assert_like("".join(line for line in printed if line[0] in "l{"), journal)
    assert {"heard alexa\n", "heard computer\n"} <= {*printed}


def test_the_unit_is_one_that_systemd_takes() -> None:
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd is not installed")
    ran = subprocess.run(["systemd-analyze", "verify", UNIT], capture_output=True, text=True, check=False)
    assert UNIT.stem not in ran.stderr


@pytest.mark.install
def test_a_container(shell: Run) -> None:
    follow(shell, "A container")


def test_the_container_does_not_run_as_root() -> None:
    text = (UNIT.with_name("Containerfile")).read_text("utf-8")
    (user,) = re.findall(r"^USER (\d+):\d+$", text, re.MULTILINE)
    assert int(user) > 0


def test_a_server_with_many_streams(checkout: Path, environment: dict[str, str], shell: Run) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    starting, *others = steps("A server with many streams")
    words = [*shlex.split(starting.command), "--port", port]
    server = subprocess.Popen(
        words, cwd=checkout, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        assert server.stdout is not None
        assert server.stdout.readline() == starting.shown.replace("7700", port)
        for command, shown in others:
            ran = shell(command.replace("7700", port))
            assert ran.returncode == 0, ran.stdout
            assert_like(ran.stdout, shown)
            assert server.stdout.readline().endswith(ran.stdout)
    finally:
        server.terminate()
        server.wait()


def test_many_streams_in_one_batch(capsys: pytest.CaptureFixture[str]) -> None:
    (program,) = re.findall(r"```python\n(.*?)```", section("A server with many streams"), re.DOTALL)
    heard = linnet.audio.read(ROOT / "demos/sample.wav")
    channels = np.zeros((8, len(heard) + 16_000), np.float32)
    for channel in (0, 5):
        channels[channel, channel * 3200 :][: len(heard)] = heard
    exec(program, {"chunks": np.array_split(channels, 100, axis=1)})
    words = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [(channel, word) for channel, word, _ in words] == [("0", "computer"), ("5", "computer")]
    assert float(words[1][2]) - float(words[0][2]) == pytest.approx(1.0)


@pytest.mark.install
def test_javascript(shell: Run) -> None:
    if not shutil.which("node") or not shutil.which("npm"):
        pytest.skip("Node and npm are not installed")
    follow(shell, "JavaScript")


@pytest.fixture
def cpp(environment: dict[str, str], pytestconfig: pytest.Config, checkout: Path, shell: Run) -> Path:
    """The program in demos/cpp, built as the guide says; its section is followed.

    Where what it needs is not installed, headers come from Debian 13 and stay in pytest's cache; the library
    is that of the onnxruntime at hand.
    """
    for program in ("g++", "pkg-config"):
        if not shutil.which(program):
            pytest.skip(f"{program} is not installed")
    installed = subprocess.run(["pkg-config", "--exists", "libonnxruntime"], check=False).returncode == 0
    if not installed:
        headers = debian_headers(pytestconfig.cache.mkdir("cpp"))
        (library,) = Path(onnxruntime.__file__).parent.glob("capi/libonnxruntime.so.*")
        folder = checkout / "onnxruntime"
        folder.mkdir()
        for name in ("libonnxruntime.so", "libonnxruntime.so.1"):
            (folder / name).symlink_to(library)
        (folder / "libonnxruntime.pc").write_text(
            "Name: onnxruntime\nDescription: from two places\nVersion: 1\n"
            f"Cflags: -I{headers}/onnxruntime\nLibs: -L{folder} -Wl,-rpath,{folder} -lonnxruntime\n"
        )
        environment |= {"PKG_CONFIG_PATH": str(folder), "CPLUS_INCLUDE_PATH": str(headers)}
    follow(shell, "C++")
    return checkout / "listen"


def debian_headers(cache: Path) -> Path:
    """The headers of the packages that the guide names, from Debian 13; nothing is installed."""
    found = cache / "usr/include"
    if (found / "onnxruntime").exists() and (found / "nlohmann").exists():
        return found
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        pytest.skip("onnxruntime's headers are not installed, and this is no Debian")
    keys = "/usr/share/keyrings/debian-archive-keyring.gpg"
    (cache / "sources").write_text(f"deb [signed-by={keys}] http://deb.debian.org/debian trixie main\n")
    (cache / "lists/partial").mkdir(parents=True, exist_ok=True)
    (cache / "status").touch()
    settings = {
        "Dir::Etc::SourceList": cache / "sources",
        "Dir::Etc::SourceParts": "/dev/null",
        "Dir::State": cache,
        "Dir::State::status": cache / "status",
        "Dir::Cache": cache,
        "APT::Sandbox::User": "root",
        "Debug::NoLocking": "1",
    }
    apt = ["apt-get", *(word for name, value in settings.items() for word in ("-o", f"{name}={value}"))]
    for words in (["update"], ["download", "libonnxruntime-dev", "nlohmann-json3-dev"]):
        ran = subprocess.run([*apt, *words], cwd=cache, capture_output=True, text=True, check=False)
        if ran.returncode:
            pytest.skip(f"onnxruntime's headers cannot be had: {ran.stderr.strip().splitlines()[-1:]}")
    for package in cache.glob("*.deb"):
        subprocess.run(["dpkg-deb", "-x", package, cache], check=True)
    shutil.rmtree(cache / "lists")
    return found


@pytest.mark.install
def test_cpp(cpp: Path, save_model: Callable[..., Path], tiny_captioner: Path) -> None:
    """What decides is in the card: the same events where words last long, come soon again, or waver."""
    levels = np.repeat([0, 0.9, 0, 0.9, 0.4, 0.9, 0, 0.9], [3, 20, 5, 40, 3, 30, 30, 9])
    tone = np.repeat(levels, 640) * np.sin(np.arange(640 * levels.size) / 5)
    pcm = (tone[:-300] * 32767).astype("<i2")
    for smoothing_steps in (1, 3):
        path = save_model(smoothing_steps=smoothing_steps, refractory_s=0.5)
        heard = [*linnet.TriggerWord(path).listen([pcm.astype(np.int16)])]
        assert len(heard) > 2
        ran = subprocess.run([cpp, path], input=pcm.tobytes(), capture_output=True, check=False)
        expected = [f"{each.time_s:8.2f} s  {each.keyword}  {each.score:.2f}\n" for each in heard]
        assert (ran.returncode, ran.stderr) == (0, b"")
        assert_like(ran.stdout.decode(), "".join(expected))
    for arguments, wrong in (
        ([], "usage: "),
        ([ROOT / "demos/sample.wav"], "Load model "),
        ([tiny_captioner], "[json.exception"),
    ):
        ran = subprocess.run([cpp, *arguments], input=b"", capture_output=True, check=False)
        assert (ran.returncode, ran.stdout) == (2, b"")
        assert ran.stderr.decode().startswith(f"listen: {wrong}")
