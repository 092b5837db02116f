"""Voices are found, speak safely, and are spread evenly; a failing one costs nothing but itself.

Most tests put little executables on PATH that behave like the engines. Those that need a real one are skipped
where it is not installed.
"""

import logging
import shutil
import stat
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("soxr", reason="needs the training extra")
pytest.importorskip("soundfile", reason="needs the training extra")

from linnet.errors import SynthesisError
from linnet_training.speech import engines, voices
from linnet_training.speech.synthesis import Voice, describe, find_voices, speak, synthesise

RATE = 16000

# Says a text as a tone that is as long as the text; writes down every text and its arguments, one line each.
FAKE = """#!{python} -IS
import json, math, os, struct, sys, time, wave
args, name = sys.argv[1:], os.path.basename(sys.argv[0])
if "--voices=en" in args:
    print("Pty Language Age/Gender VoiceName File Other")
    print(" 2  en-gb --/M  English  gmw/en  (en 2)")
    print(" 5  en-us --/M  English  gmw/en-US")
    print(" 5  en-us --/M  us-mbrola-2  mb/mb-us2")
    sys.exit()
if "--voices=variant" in args:
    print("Pty Language Age/Gender VoiceName File Other")
    print(" 5  variant 70/F  female1  !v/f1")
    print(" 5  variant --/M  robot    !v/robosoft")
    sys.exit()
if "-lv" in args:
    print("Voices available: kal awb_time kal16 slt")
    sys.exit()
text = sys.stdin.read() if name in ("espeak-ng", "piper") else args[-1]
with open(os.path.join(os.path.dirname(sys.argv[0]), "log"), "a") as log:
    log.write(json.dumps([name, args, text]) + "\\n")
def value(*options):
    return next((args[args.index(option) + 1] for option in options if option in args), "")
voice = value("-v", "-voice", "--speaker")
if voice in {broken}:
    sys.stderr.write("voice data is damaged\\n")
    sys.exit(3)
if voice in {hanging}:
    time.sleep(60)
level = 0 if voice in {silent} else 9000
with wave.open(value("-w", "-o", "--output_file"), "wb") as out:
    out.setnchannels(1); out.setsampwidth(2); out.setframerate(22050)
    speech = [int(level * math.sin(i / 20)) for i in range(22050 * len(text) // 20)]
    pcm = [0] * 11025 + speech + [0] * 6000
    out.writeframes(struct.pack(f"<{{len(pcm)}}h", *pcm))
"""


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine with only the engines that a test installs: returns the function that installs one."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PIPER_VOICES", str(tmp_path / "piper-voices"))

    def install(name, *, broken=(), hanging=(), silent=()):
        program = tmp_path / name
        program.write_text(
            FAKE.format(
                python=sys.executable, broken=list(broken), hanging=list(hanging), silent=list(silent)
            )
        )
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        return program

    return install


def spoken(folder: Path):
    return (folder / "log").read_text()


def test_without_an_engine_the_message_says_what_to_install(machine):
    with pytest.raises(SynthesisError, match=r"apt-get install espeak-ng flite festival"):
        find_voices()
    with pytest.raises(SynthesisError, match="install at least one"):
        synthesise(["hello"], clips=1, seed=0)


def test_finds_accents_and_human_variants_but_not_mbrola_or_robots(machine):
    machine("espeak-ng")
    machine("flite")
    found = [(voice.engine, voice.name, voice.language) for voice in find_voices()]
    assert found == [
        ("espeak-ng", "en-gb", "en-gb"),
        ("espeak-ng", "en-us", "en-us"),
        ("espeak-ng", "en-gb+f1", "en-gb"),
        ("espeak-ng", "en-us+f1", "en-us"),
        ("flite", "kal16", "en-us"),
        ("flite", "slt", "en-us"),
    ]


def test_an_engine_that_cannot_list_its_voices_is_not_used(machine, tmp_path):
    machine("flite")
    (tmp_path / "espeak-ng").write_text("#!/nonexistent/interpreter\n")
    (tmp_path / "espeak-ng").chmod(0o755)
    assert {voice.engine for voice in find_voices()} == {"flite"}


def test_finds_english_piper_voices_and_their_speakers(machine, tmp_path):
    machine("piper")
    folder = tmp_path / "piper-voices" / "some#where"
    folder.mkdir(parents=True)
    for name, settings in {
        "one": '{"language": {"code": "en_GB"}, "num_speakers": 1}',
        "two": '{"language": {"code": "en_US"}, "num_speakers": 2}',
        "german": '{"language": {"code": "de_DE"}}',
        "damaged": '{"language": ',
        "odd": "[]",
    }.items():
        (folder / f"{name}.onnx").write_bytes(b"")
        (folder / f"{name}.onnx.json").write_text(settings)
    (folder / "alone.onnx").write_bytes(b"")
    found = find_voices()
    assert [Path(voice.name).name for voice in found] == ["one.onnx", "two.onnx#0", "two.onnx#1"]
    assert [voice.language for voice in found] == ["en-gb", "en-us", "en-us"]
    assert "see its model card" in describe(found)

    assert len(speak(found[2], "hello there", speed=1.25)) > 0
    line = spoken(tmp_path)
    assert f'"--model", "{folder / "two.onnx"}", "--speaker", "1"' in line
    assert '"--length_scale", "0.800"' in line


def test_speech_is_16_khz_and_trimmed_to_50_ms_of_silence(machine):
    machine("espeak-ng")
    audio = speak(Voice("espeak-ng", "en-us", "en-us", ""), "twenty letters long!")
    assert audio.dtype == np.float32
    assert audio.ndim == 1
    assert len(audio) == pytest.approx(RATE * (1.0 + 0.1), abs=RATE * 0.03)
    kept = int(0.04 * RATE)
    assert np.abs(audio[:kept]).max() < 0.01
    assert np.abs(audio[-kept:]).max() < 0.01
    assert np.abs(audio).max() == pytest.approx(9000 / 32768, rel=0.05)


@pytest.mark.parametrize("text", ["", "  ", "\x00\x07", "😀😀", "...!?", "привет", "--", "(((", "\ud800"])
def test_text_that_cannot_be_said_is_an_error(machine, text):
    machine("espeak-ng")
    with pytest.raises(SynthesisError, match="use English letters"):
        speak(Voice("espeak-ng", "en-us", "en-us", ""), text)
    with pytest.raises(SynthesisError, match="use English letters"):
        synthesise(["hello", text], clips=4, seed=0)


def test_text_that_is_too_long_is_an_error():
    with pytest.raises(SynthesisError, match="at most 1000"):
        engines.speakable("hello " * 200)


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("--help me", "help me"),
        ("-w /etc/passwd", "w etc passwd"),
        ('") (system "touch x")', "system touch x"),
        ("\\\") 'riff", "riff"),
        ("<speak><break time='9s'/>hi</speak>", "speak break time '9s' hi speak"),
        ("[[h@l'oU]] $(id) `id` ; | & > x", "h l'oU id id and x"),
        ("one\ntwo\r\tthree\x1b[31m", "one two three 31m"),
        ("Café Zoë\N{RIGHT SINGLE QUOTATION MARK}s", "Cafe Zoe's"),
    ],
)
def test_text_loses_whatever_an_engine_could_take_for_a_command(text, safe):
    assert engines.speakable(text) == safe


@pytest.mark.parametrize(("speed", "pitch"), [(0.1, 1.0), (1.0, 9.0), (float("nan"), 1.0)])
def test_absurd_factors_are_errors(speed, pitch):
    with pytest.raises(SynthesisError, match=r"from 0\.5 to 2"):
        speak(Voice("espeak-ng", "en-us", "en-us", ""), "hello", speed=speed, pitch=pitch)


def test_clips_are_spread_over_texts_voices_speeds_and_pitches(machine):
    machine("espeak-ng")
    machine("flite")
    calls = []
    texts = ["first text", "second text", "third text"]
    clips = synthesise(texts, clips=24, seed=3, progress=lambda done, total: calls.append((done, total)))
    assert len(clips) == 24
    assert [sum(clip.text == text for clip in clips) for text in texts] == [8, 8, 8]
    assert {clip.voice.engine for clip in clips} == {"espeak-ng", "flite"}
    assert len({clip.voice for clip in clips}) >= 5
    assert all(0.75 <= clip.speed <= 1.35 and -5 <= clip.pitch <= 5 for clip in clips)
    assert max(clip.pitch for clip in clips) > 2
    assert min(clip.pitch for clip in clips) < -2
    assert calls[-1] == (24, 24)
    assert [done for done, _ in calls] == sorted(done for done, _ in calls)


def test_the_same_seed_gives_the_same_clips_with_any_number_of_workers(machine):
    machine("espeak-ng")
    one = synthesise(["hello", "world"], clips=8, seed=5, workers=1)
    same = synthesise(["hello", "world"], clips=8, seed=5, workers=3)
    other = synthesise(["hello", "world"], clips=8, seed=6)
    for left, right in zip(one, same, strict=True):
        assert (left.text, left.voice, left.speed, left.pitch) == (
            right.text,
            right.voice,
            right.speed,
            right.pitch,
        )
        np.testing.assert_array_equal(left.audio, right.audio)
    assert [clip.speed for clip in one] != [clip.speed for clip in other]


@pytest.mark.parametrize("trouble", ["broken", "silent"])
def test_a_failing_voice_is_reported_and_its_clips_given_to_others(machine, caplog, trouble):
    machine("espeak-ng", **{trouble: ["en-us"]})
    with caplog.at_level(logging.WARNING):
        clips = synthesise(["hello"], clips=16, seed=0)
    assert len(clips) == 16
    assert "en-us" not in {clip.voice.name for clip in clips}
    reports = [record.getMessage() for record in caplog.records if "left out" in record.getMessage()]
    assert len(reports) == 1
    assert "espeak-ng's voice en-us failed to say 'hello'" in reports[0]
    assert ("voice data is damaged" if trouble == "broken" else "silent") in reports[0]


def test_a_hanging_voice_is_stopped(machine, monkeypatch):
    monkeypatch.setattr(engines, "TIMEOUT_S", 2.0)
    machine("espeak-ng", hanging=["en-us"])
    with pytest.raises(SynthesisError, match="longer than 2 s"):
        speak(Voice("espeak-ng", "en-us", "en-us", ""), "hello")


def test_an_engine_none_of_whose_voices_speak_is_left_out(machine, caplog):
    machine("espeak-ng", broken=["en-us", "en-gb", "en-us+f1", "en-gb+f1"])
    machine("flite")
    with caplog.at_level(logging.WARNING):
        clips = synthesise(["hello"], clips=20, seed=0)
    assert {clip.voice.engine for clip in clips} == {"flite"}
    assert "espeak-ng is left out altogether" in caplog.text


def test_if_no_voice_speaks_the_reason_is_told(machine):
    machine("espeak-ng", broken=["en-us", "en-gb", "en-us+f1", "en-gb+f1"])
    with pytest.raises(SynthesisError, match="voice data is damaged"):
        synthesise(["hello"], clips=20, seed=0)


def test_an_engine_that_vanishes_is_an_error(machine):
    program = machine("flite")
    found = find_voices()
    program.unlink()
    with pytest.raises(SynthesisError, match="no longer installed"):
        synthesise(["hello"], clips=2, seed=0, voices=found)


@pytest.mark.parametrize(("texts", "chosen", "message"), [([], None, "no text"), (["hello"], [], "no voice")])
def test_nothing_to_do_it_with_is_an_error(machine, texts, chosen, message):
    machine("flite")
    with pytest.raises(SynthesisError, match=message):
        synthesise(texts, clips=3, seed=0, voices=chosen)


def test_an_interrupted_run_does_not_go_on(machine, tmp_path):
    machine("flite")

    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        synthesise(["hello"], clips=200, seed=0, workers=1, progress=stop)
    assert len(spoken(tmp_path).splitlines()) < 100


def test_the_description_names_engines_accents_and_licences(machine):
    machine("espeak-ng")
    machine("flite")
    lines = describe([*find_voices(), *find_voices()]).splitlines()
    assert lines[0].startswith("espeak-ng: 4 voices (en-gb, en-us, en-gb+f1, en-us+f1), accents en-gb, en-us")
    assert "GPL-3.0-or-later" in lines[0]
    assert lines[1].startswith("flite: 2 voices (kal16, slt)")
    assert len(lines) == 2


# Real engines.

needs = {
    name: pytest.mark.skipif(shutil.which(name) is None, reason=f"{name} is not installed")
    for name in ("espeak-ng", "flite", "festival", "pico2wave")
}
real = pytest.mark.parametrize("engine", [pytest.param(name, marks=mark) for name, mark in needs.items()])


def real_voices(engine):
    found = [voice for voice in find_voices() if voice.engine == engine]
    if not found:
        pytest.skip(f"{engine} has no English voice here")
    # One of each kind: the plain accents of espeak-ng, every voice of the others.
    return [voice for voice in found if "+" not in voice.name][:4]


@real
def test_real_voices_follow_speed_and_pitch(engine):
    librosa = pytest.importorskip("librosa")

    def pitch_of(audio):
        f0 = librosa.yin(audio, fmin=60, fmax=450, sr=RATE)
        level = librosa.feature.rms(y=audio)[0]
        return np.median(f0[level > level.max() * 0.3])

    for voice in real_voices(engine):
        text = "how are you today my friend"
        usual, fast, high = speak(voice, text), speak(voice, text, speed=1.3), speak(voice, text, pitch=1.25)
        assert 0.7 < len(usual) / RATE < 4
        assert len(fast) / len(usual) == pytest.approx(1 / 1.3, rel=0.12), voice
        assert len(high) / len(usual) == pytest.approx(1.0, rel=0.12), voice
        assert pitch_of(high) / pitch_of(usual) == pytest.approx(1.25, rel=0.12), voice


@real
def test_real_voices_cannot_be_made_to_do_anything_but_speak(engine, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    voice = real_voices(engine)[0]
    for text in [
        '") (system "touch owned") (print "',
        "--help",
        "<speed level='1'>no",
        "$(touch owned)",
        "it's %s %n",
    ]:
        assert len(speak(voice, text)) > 0.1 * RATE
    assert list(tmp_path.iterdir()) == []


@real
def test_real_engines_say_many_things_in_one_go_the_same_way_twice(engine):
    chosen = real_voices(engine)
    first = synthesise(["hey linnet", "two words"], clips=6, seed=1, voices=chosen)
    again = synthesise(["hey linnet", "two words"], clips=6, seed=1, voices=chosen, workers=1)
    for left, right in zip(first, again, strict=True):
        assert 0.3 < len(left.audio) / RATE < 3
        assert np.abs(left.audio).max() > 0.02
        np.testing.assert_array_equal(left.audio, right.audio)


@needs["festival"]
def test_one_bad_utterance_does_not_cost_the_others_in_its_batch(monkeypatch):
    voice = real_voices("festival")[0]
    said = [engines.Utterance("hello"), engines.Utterance('" (error "no") "'), engines.Utterance("goodbye")]
    results = engines.render(voice, said)
    assert isinstance(results[0], np.ndarray)
    assert isinstance(results[1], SynthesisError)


def test_every_engine_named_can_be_rendered():
    assert set(engines._ENGINES) == {"espeak-ng", "flite", "festival", "pico2wave", "piper"}
    assert len(set(voices.ESPEAK_VARIANTS)) == len(voices.ESPEAK_VARIANTS)
