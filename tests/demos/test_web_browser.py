"""The page in a real Chromium, which has a recording for a microphone and a test picture for a camera.

    make web-test

Each tab is used as a person would, and photographed: look at build/web/*.png afterwards. The README's
picture of the page is one of them: cp build/web/translate.png docs/web.png
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from linnet import zoo
from linnet.modelfile import read_card

pytest.importorskip("gradio", reason="Gradio is not installed: pip install '.[demos]'")
pytest.importorskip("playwright", reason="Playwright is not installed: pip install '.[web-tests]'")

from playwright.sync_api import BrowserContext, Error, Page, expect, sync_playwright

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[2]
DEMOS = ROOT / "demos"
SHOTS = ROOT / "build/web"
PATIENCE_MS = 120_000

KEYWORDS = ("alexa", "computer", "jarvis", "snowboy")


@pytest.fixture(scope="module")
def chromium() -> Iterator[BrowserContext]:
    """Chromium of the system, else Playwright's own."""
    names = ("chromium", "chromium-browser", "google-chrome")
    arguments = [
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-audio-capture={DEMOS / 'sample.wav'}",
    ]
    with sync_playwright() as playwright:
        found = next(filter(None, map(shutil.which, names)), None)
        try:
            browser = playwright.chromium.launch(executable_path=found, args=arguments)
        except Error as error:
            pytest.skip(f"Chromium cannot be started (apt install chromium): {str(error).splitlines()[0]}")
        # What one test has loaded of the page the next ones have too.
        yield browser.new_context(permissions=["microphone", "camera"])
        browser.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the server's temporary files are, its home and its working folder."""
    return tmp_path_factory.mktemp("served")


@pytest.fixture(scope="module")
def address(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Of the page, as `linnet web` serves it."""
    # Where matplotlib is installed Gradio loads it, and that lists the machine's fonts once and for all.
    fonts = {"MPLCONFIGDIR": str(tmp_path_factory.mktemp("fonts"))}
    server = subprocess.Popen(
        [sys.executable, "-m", "linnet", "web", "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
        cwd=folder,
        env=os.environ | {"TMPDIR": str(folder), "HOME": str(folder)} | fonts,
    )
    assert server.stdout
    found = re.search(r"http://127\.0\.0\.1:\d+", server.stdout.readline())
    assert found
    yield found[0]
    server.terminate()
    assert server.wait(60) == 0


@pytest.fixture
def open_page(chromium: BrowserContext, address: str, folder: Path) -> Iterator[Callable[..., Page]]:
    """Open the page. At the end nobody else was asked, nothing went wrong, and no file is kept."""
    complaints: list[str] = []

    def open_page(scheme: str = "light", width: int = 1280) -> Page:
        page = chromium.new_page()
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.set_viewport_size({"width": width, "height": 900})
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda line: complaints.append(line.text) if "Policy" in line.text else None)
        page.on("request", lambda request: complaints.append(request.url) if _outside(request.url) else None)
        page.goto(address)
        page.wait_for_selector("linnet-ear button")
        return page

    def _outside(url: str) -> bool:
        return not url.startswith((address, address.replace("http", "ws"), "data:", "blob:"))

    expect.set_options(timeout=PATIENCE_MS)
    yield open_page
    for page in chromium.pages:
        page.close()
    assert complaints == []
    assert [path for path in folder.rglob("*") if path.is_file()] == []


def tab(page: Page, name: str) -> None:
    page.get_by_role("tab", name=name).click()


def shoot(page: Page, name: str) -> None:
    page.mouse.move(0, 0)
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"{name}.png", full_page=True, animations="disabled")


# Listen


def test_the_microphone_is_heard(open_page: Callable[..., Page]) -> None:
    page = open_page()
    shoot(page, "listen-before")
    ear = page.locator("linnet-ear")
    expect(ear.locator(".hint")).to_have_text("Press the button and say alexa, computer, jarvis or snowboy")
    ear.get_by_role("button", name="Start listening").click()
    first = ear.locator(".detections li").first
    expect(first).to_contain_text(re.compile(rf"({'|'.join(KEYWORDS)})at 0:\d\d\.\dscore [01]\.\d\d"))
    expect(ear.locator(".linnet-legend span")).to_have_text(list(KEYWORDS))
    expect(ear.locator(".time")).to_contain_text("listening")
    expect(ear.locator(".hint")).to_be_hidden()
    shoot(page, "listen-microphone")
    ear.get_by_role("button", name="Stop").click()
    expect(ear.locator(".time")).to_contain_text("stopped")
    assert not ear.locator(".linnet-problem").is_visible()


def test_a_microphone_that_is_not_allowed_is_said(open_page: Callable[..., Page]) -> None:
    page = open_page()
    page.evaluate("""() => {
        const refuse = () => Promise.reject(new DOMException("no", "NotAllowedError"));
        navigator.mediaDevices.getUserMedia = refuse;
    }""")
    page.get_by_role("button", name="Start listening").click()
    problem = page.locator("linnet-ear .linnet-problem")
    expect(problem).to_have_text(
        "The browser does not let this page use the microphone; allow it and try again."
    )
    expect(page.get_by_role("button", name="Start listening")).to_be_visible()


def test_a_recording_is_heard(open_page: Callable[..., Page]) -> None:
    page = open_page()
    page.set_input_files("#recording input[type=file]", DEMOS / "sample.wav")
    heard = page.locator("#heard")
    expect(heard.locator(".linnet-said")).to_have_text("Heard 4 times")
    expect(heard.locator(".linnet-fine")).to_contain_text("sample.wav · 17.6 s of audio")
    expect(heard.locator("tbody tr")).to_have_count(4)
    expect(heard.locator("svg polyline")).to_have_count(4)
    shoot(page, "listen-recording")
    page.get_by_role("button", name="Try a sample recording").click()
    expect(heard.locator(".linnet-said")).to_have_text("Heard 4 times")


def test_a_file_that_is_no_recording_is_a_sentence(open_page: Callable[..., Page], tmp_path: Path) -> None:
    path = tmp_path / "day.wav"
    path.write_bytes(b"hello")
    page = open_page()
    page.set_input_files("#recording input[type=file]", path)
    problem = page.locator("#heard .linnet-problem")
    expect(problem).to_contain_text("day.wav")
    assert str(tmp_path) not in problem.inner_text()
    assert "\n" not in problem.inner_text()
    shoot(page, "listen-problem")


def test_a_recording_that_is_too_large_is_a_sentence(open_page: Callable[..., Page], tmp_path: Path) -> None:
    path = tmp_path / "day.wav"
    with path.open("wb") as file:
        file.truncate((64 << 20) + 1)
    page = open_page()
    page.set_input_files("#recording input[type=file]", path)
    toast = page.locator(".toast-body")
    expect(toast).to_contain_text("maximum allowed size of 64.0 Mb")
    shoot(page, "listen-too-large")


# Look


def test_a_picture_is_captioned(open_page: Callable[..., Page]) -> None:
    page = open_page()
    tab(page, "Look")
    shoot(page, "look-before")
    page.set_input_files("#photo input[type=file]", DEMOS / "photo.jpg")
    caption = page.locator("#caption")
    said = caption.locator(".linnet-said")
    expect(said).to_contain_text("man")
    assert caption.locator("figcaption").all_inner_texts() == said.inner_text().split()
    expect(caption.locator(".linnet-fine")).to_contain_text("beam 5")
    expect(caption.locator("tbody tr")).to_have_count(2)
    shoot(page, "look")
    page.locator("#beam input[type=number]").fill("1")
    page.keyboard.press("Tab")
    expect(caption.locator(".linnet-fine")).to_contain_text("beam 1")
    expect(caption.locator("tbody tr")).to_have_count(0)
    page.locator("#photo").get_by_label("Remove Image").click()
    expect(caption).to_contain_text("its caption is shown here")


def test_the_camera_is_captioned(open_page: Callable[..., Page]) -> None:
    page = open_page()
    tab(page, "Look")
    photo = page.locator("#photo")
    photo.get_by_label("Capture from camera").click()
    photo.get_by_role("button", name="Click to Access Webcam").click()
    page.wait_for_function("document.querySelector('#photo video')?.videoWidth > 0")
    photo.get_by_label("capture photo").click()
    expect(page.locator("#caption figcaption").first).to_be_visible()
    shoot(page, "look-camera")


def test_a_file_that_is_no_picture_is_a_sentence(open_page: Callable[..., Page], tmp_path: Path) -> None:
    path = tmp_path / "holiday.png"
    path.write_bytes(b"\x89PNG nonsense")
    page = open_page()
    tab(page, "Look")
    page.set_input_files("#photo input[type=file]", path)
    expect(page.locator("#caption .linnet-problem")).to_contain_text("holiday.png")


# Translate and Models


@pytest.mark.skipif("de-en" not in {path.stem for path in zoo.models()}, reason="no de-en ships yet")
def test_a_sentence_is_translated_by_what_ships(open_page: Callable[..., Page]) -> None:
    page = open_page()
    page.set_viewport_size({"width": 1120, "height": 640})
    tab(page, "Translate")
    page.get_by_role("button", name="Ein Hund läuft am Strand entlang.").click()
    answer = page.locator("#translation")
    expect(answer.locator(".linnet-said")).to_have_text("A dog runs along the beach.")
    expect(answer.locator(".linnet-matrix td")).to_have_count(36)
    expect(answer.locator(".linnet-table tbody tr")).to_have_count(2)
    shoot(page, "translate")
    page.locator("#translate-model input").click()
    page.get_by_role("option", name="English to German").click()
    page.get_by_role("button", name="A dog runs along the beach.").click()
    expect(answer.locator(".linnet-said")).to_contain_text("Hund")
    shoot(page, "translate-back")


def test_every_card_is_shown(open_page: Callable[..., Page]) -> None:
    page = open_page()
    tab(page, "Models")
    titles = page.locator(".linnet-card h3")
    assert titles.all_inner_texts() == [read_card(path).name for path in zoo.models()]
    shoot(page, "models")


def test_an_own_translator_is_dropped_in_and_translates(
    open_page: Callable[..., Page], tiny_translator: Path
) -> None:
    page = open_page()
    tab(page, "Translate")
    shoot(page, "translate-before")
    tab(page, "Models")
    page.set_input_files("#model input[type=file]", tiny_translator)
    expect(page.locator("#dropped")).to_contain_text("translator.onnx can be used now")
    expect(page.locator(".linnet-card").first).to_contain_text("your own")
    shoot(page, "models-own")
    tab(page, "Translate")
    page.locator("#source textarea").fill("Eine Frau liest am Strand.")
    page.get_by_role("button", name="Translate", exact=True).click()
    answer = page.locator("#translation")
    expect(answer.locator(".linnet-said")).to_have_text("A woman reads at beach.")
    expect(answer.locator(".linnet-matrix td")).to_have_count(25)
    expect(answer.locator(".linnet-table tbody tr")).to_have_text([re.compile("very A woman")] * 2)
    page.get_by_role("button", name="Ein Hund läuft am Strand entlang.").click()
    expect(answer.locator(".linnet-said")).to_contain_text("A dog runs at beach")
    page.locator("#source textarea").fill("")
    page.get_by_role("button", name="Translate", exact=True).click()
    expect(answer.locator(".linnet-problem")).to_contain_text("nothing to translate yet")


def test_an_own_model_that_listens_is_chosen_and_heard(
    open_page: Callable[..., Page], tiny_model: Path
) -> None:
    page = open_page()
    tab(page, "Models")
    page.set_input_files("#model input[type=file]", tiny_model)
    expect(page.locator("#dropped")).to_contain_text("it is chosen under Listen")
    tab(page, "Listen")
    expect(page.locator("#trigger-model input")).to_have_value("loud, hiss (tiny.onnx, your own)")
    page.get_by_role("button", name="Start listening").click()
    expect(page.locator("linnet-ear .linnet-legend span")).to_have_text(["loud", "hiss"])


def test_a_file_that_is_no_model_is_a_sentence(open_page: Callable[..., Page], tmp_path: Path) -> None:
    path = tmp_path / "mine.onnx"
    path.write_bytes(b"hello")
    page = open_page()
    tab(page, "Models")
    page.set_input_files("#model input[type=file]", path)
    sentence = "mine.onnx is not an ONNX model, or is damaged; download or export it again"
    expect(page.locator("#dropped .linnet-problem")).to_have_text(sentence)


# In the dark, and on a telephone


@pytest.mark.parametrize(("scheme", "width"), [("dark", 1280), ("light", 420)])
def test_it_fits(open_page: Callable[..., Page], scheme: str, width: int) -> None:
    page = open_page(scheme, width)
    name = "dark" if scheme == "dark" else "narrow"
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
    light = sum(map(int, re.findall(r"\d+", colour)[:3])) / 3
    assert light < 64 if scheme == "dark" else light > 192
    page.get_by_role("button", name="Try a sample recording").click()
    expect(page.locator("#heard tbody tr")).to_have_count(4)
    shoot(page, f"{name}-listen")
    tab(page, "Look")
    page.get_by_role("button", name="Try a sample photograph").click()
    expect(page.locator("#caption figcaption").first).to_be_visible()
    shoot(page, f"{name}-look")
    tab(page, "Translate")
    shoot(page, f"{name}-translate")
    tab(page, "Models")
    shoot(page, f"{name}-models")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
