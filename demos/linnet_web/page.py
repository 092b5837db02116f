"""The page: its four tabs, and what happens when something is done on them.

Uploads are handed over as they are (``preprocess=False``): Gradio's own reading of them would raise errors of
its own, and leave copies.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gradio as gr

import linnet
from linnet.errors import LinnetError
from linnet_web.cards import cards
from linnet_web.listen import heard
from linnet_web.look import WIDEST, Photo, captioned, preview
from linnet_web.markup import attempt, empty, note, problem, text
from linnet_web.shelf import NONE, Shelf
from linnet_web.translate import EXAMPLES, LONGEST, translated
from linnet_web.uploads import Uploads

__all__ = ["build"]

_HEADER = (
    '<header class="linnet-header"><img src="linnet/icon.png" alt=""><div><h1>Linnet</h1><p>Hears, sees and '
    "translates on this machine's processor. Nothing leaves it, and nothing is stored.</p></div></header>"
)
_TABS = {"trigger": "Listen", "caption": "Look", "translate": "Translate"}
_HEARD_HERE = "Drop a recording in: what is heard in it is shown here."
_CAPTION_HERE = "Drop a picture in, or take one with the camera: its caption is shown here."
_TRANSLATION_HERE = "Type a sentence: its translation is shown here."

# What every event has: its values come as the browser sends them; it is no interface for programs.
_RAW: dict[str, Any] = {"preprocess": False, "postprocess": False, "api_visibility": "private"}


def build(shelf: Shelf, uploads: Uploads) -> gr.Blocks:
    """The page with the models of ``shelf``, which takes files from ``uploads``."""
    with gr.Blocks(title="Linnet", analytics_enabled=False) as blocks:
        gr.HTML(_HEADER)
        with gr.Tabs():
            with gr.Tab("Listen"):
                listening = _listen(shelf, uploads)
            with gr.Tab("Look"):
                looking = _look(shelf, uploads)
            with gr.Tab("Translate"):
                translating = _translate(shelf)
            with gr.Tab("Models"):
                _models(shelf, uploads, {"trigger": listening, "caption": looking, "translate": translating})
    return blocks


def _listen(shelf: Shelf, uploads: Uploads) -> gr.Dropdown:
    """The tab Listen; returns its list of models."""
    menu = _menu(shelf, "trigger")
    ear = gr.HTML(_ear(shelf, menu.value), elem_id="ear")
    with gr.Row():
        with gr.Column(scale=1, min_width=240):
            zone = gr.File(label="A recording", height=150, elem_id="recording")
            sample = gr.Button("Try a sample recording", size="sm")
        with gr.Column(scale=3):
            answer = gr.HTML(empty(_HEARD_HERE), elem_id="heard")

    def uploaded(payload: Mapping[str, Any], key: str | None) -> tuple[None, str]:
        def hear() -> str:
            with uploads.taken(payload, "recording") as (path, name):
                return heard(shelf.model(key, linnet.TriggerWord), path, name)

        return None, attempt(hear)

    def tried(key: str | None) -> str:
        path = _sample("sample.wav")
        return attempt(lambda: heard(shelf.model(key, linnet.TriggerWord), path, path.name))

    menu.change(lambda key: _ear(shelf, key), menu, ear, **_RAW)
    zone.upload(uploaded, [zone, menu], [zone, answer], **_RAW)
    sample.click(tried, menu, answer, **_RAW)
    return menu


def _look(shelf: Shelf, uploads: Uploads) -> gr.Dropdown:
    """The tab Look; returns its list of models."""
    photo = gr.State(None)
    with gr.Row():
        with gr.Column(scale=2, min_width=300):
            zone = gr.Image(
                label="A picture",
                sources=["upload", "webcam", "clipboard"],
                height=330,
                buttons=[],
                elem_id="photo",
            )
            sample = gr.Button("Try a sample photograph", size="sm")
            beam = gr.Slider(
                1, WIDEST, 5, step=1, label="Beam size", info="captions followed at a time", elem_id="beam"
            )
            menu = _menu(shelf, "caption")
        with gr.Column(scale=3):
            answer = gr.HTML(empty(_CAPTION_HERE), elem_id="caption")

    def again(picture: Photo | None, key: str | None, beam: int) -> str:
        if picture is None:
            return empty(_CAPTION_HERE)
        return attempt(lambda: captioned(shelf.model(key, linnet.Captioner), picture, int(beam)))

    def given(picture: Photo, key: str | None, beam: int) -> tuple[Any, Photo | None, str]:
        try:
            shown = {"url": preview(picture), "orig_name": picture.name, "meta": {"_type": "gradio.FileData"}}
        except LinnetError as error:
            return None, None, problem(str(error))
        return shown, picture, again(picture, key, beam)

    def uploaded(
        payload: Mapping[str, Any] | None, key: str | None, beam: int
    ) -> tuple[Any, Photo | None, str]:
        if payload is None:
            return None, None, again(None, key, beam)
        try:
            with uploads.taken(payload, "picture") as (path, name):
                picture = Photo(path.read_bytes(), name)
        except LinnetError as error:
            return None, None, problem(str(error))
        return given(picture, key, beam)

    def tried(key: str | None, beam: int) -> tuple[Any, Photo | None, str]:
        path = _sample("photo.jpg")
        return given(Photo(path.read_bytes(), path.name), key, beam)

    zone.input(uploaded, [zone, menu, beam], [zone, photo, answer], **_RAW)
    sample.click(tried, [menu, beam], [zone, photo, answer], **_RAW)
    for changed in (beam, menu):
        changed.change(again, [photo, menu, beam], answer, trigger_mode="always_last", **_RAW)
    return menu


def _translate(shelf: Shelf) -> gr.Dropdown:
    """The tab Translate; returns its list of models."""
    with gr.Row():
        with gr.Column(scale=2, min_width=300):
            menu = _menu(shelf, "translate")
            source = gr.Textbox(
                label="Text",
                placeholder="A sentence, or several (Shift+Enter translates)",
                lines=4,
                max_length=LONGEST,
                elem_id="source",
            )
            go = gr.Button("Translate", variant="primary")
            first, second = (gr.Button(**each, size="sm") for each in _examples(shelf, menu.value))
            beam = gr.Slider(1, WIDEST, 5, step=1, label="Beam size", info="translations followed at a time")
        with gr.Column(scale=3):
            answer = gr.HTML(empty(_TRANSLATION_HERE if menu.value else NONE), elem_id="translation")

    def translate(source: str | None, key: str | None, beam: int) -> str:
        return attempt(lambda: translated(shelf.model(key, linnet.Translator), source or "", int(beam)))

    def again(source: str | None, key: str | None, beam: int) -> str:
        return translate(source, key, beam) if source else empty(_TRANSLATION_HERE)

    def chosen(key: str | None) -> list[Any]:
        return [empty(_TRANSLATION_HERE), *(gr.update(**each) for each in _examples(shelf, key))]

    asked = [source, menu, beam]
    menu.change(chosen, menu, [answer, first, second], **_RAW)
    gr.on([go.click, source.submit], translate, asked, answer, **_RAW)
    beam.change(again, asked, answer, trigger_mode="always_last", **_RAW)
    for example in (first, second):
        example.click(str, example, source, **_RAW).then(translate, asked, answer, **_RAW)
    return menu


def _examples(shelf: Shelf, key: str | None) -> list[dict[str, Any]]:
    """What the two buttons with sentences to try say; nothing in a language without any."""
    entry = shelf.entry(key)
    texts = EXAMPLES.get(entry.card.translate.source_language, ()) if entry else ()
    return [{"value": each, "visible": True} for each in texts] or [{"value": "", "visible": False}] * 2


def _models(shelf: Shelf, uploads: Uploads, menus: dict[str, gr.Dropdown]) -> None:
    """The tab Models, which puts what is dropped in on the lists of the others."""
    own = gr.State([])
    with gr.Row():
        with gr.Column(scale=1, min_width=240, elem_id="own"):
            zone = gr.File(
                label="A model file of your own (.onnx)", file_types=[".onnx"], height=150, elem_id="model"
            )
            answer = gr.HTML(
                note("It is opened in memory, for you alone, and its file is not kept."), elem_id="dropped"
            )
        with gr.Column(scale=3):
            shown = gr.HTML(cards(shelf.entries()), elem_id="cards")

    def dropped(payload: Mapping[str, Any], own: list[str]) -> list[Any]:
        try:
            with uploads.taken(payload, "model") as (path, name):
                entry = shelf.take(path, name)
        except LinnetError as error:
            return [None, problem(str(error)), gr.skip(), own, *[gr.skip()] * len(menus)]
        own = [*own, entry.key]
        lists = [
            gr.update(choices=_choices(shelf, task, own), value=entry.key, visible=True)
            if task == entry.card.task
            else gr.skip()
            for task in menus
        ]
        sentence = f"{entry.name} can be used now: it is chosen under {_TABS[entry.card.task]}."
        return [None, note(sentence), cards(shelf.entries(own=own)), own, *lists]

    zone.upload(dropped, [zone, own], [zone, answer, shown, own, *menus.values()], **_RAW)


def _menu(shelf: Shelf, task: str) -> gr.Dropdown:
    """The list of models for a task."""
    choices = _choices(shelf, task, [])
    return gr.Dropdown(
        choices,
        value=choices[0][1] if choices else None,
        label="Model",
        visible=bool(choices),
        elem_id=f"{task}-model",
    )


def _choices(shelf: Shelf, task: str, own: list[str]) -> list[tuple[str, str]]:
    return [(entry.label, entry.key) for entry in shelf.entries(task, own)]


def _ear(shelf: Shelf, key: str | None) -> str:
    """What ear.js brings to life: a button, the live plot and the detections."""
    entry = shelf.entry(key)
    if entry is None:
        return empty(NONE)
    *others, last = entry.card.trigger.keywords
    words = f"{', '.join(others)} or {last}" if others else last
    hint = text(f"Press the button and say {words}")
    return f'<linnet-ear model="{entry.key}" hint="{hint}"></linnet-ear>'


def _sample(name: str) -> Path:
    """A file to try the page with: in this package where a wheel was installed, else in the repository."""
    packed = Path(__file__).with_name(name)
    return packed if packed.exists() else Path(__file__).parents[1] / name
