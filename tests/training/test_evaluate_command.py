"""`linnet evaluate trigger`, with a model that hears tones and recordings of tones."""

import argparse
import json

import pytest
from tones import write_hiss, write_model, write_tone

from linnet import TriggerWord
from linnet.errors import AudioError, DataError, KeywordError, UsageError
from linnet_training import evaluate_command
from linnet_training.trigger.report import Report, run
from linnet_training.trigger.stream import ListeningTest, recordings


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A model and recordings: one of the four of "yes" is of another pitch, so it must be missed."""
    folder = tmp_path_factory.mktemp("tones")
    write_model(folder / "tones.onnx")
    for i in range(4):
        write_tone(folder / f"words/yes/{i}.wav", 0.6, 1000 if i else 700)
        write_tone(folder / f"words/Hey_There/{i}.wav", 0.8, 2000)
    for i in range(12):
        write_tone(folder / f"speech/{i}.wav", 5.0, 200 + 20 * i)
    write_tone(folder / "alarm/false.wav", 5.0, 1000)
    write_hiss(folder / "noise/hiss.wav", 4.0)
    return folder


def run_command(*arguments):
    """Parse and run `linnet evaluate ...`."""
    parser = argparse.ArgumentParser()
    evaluate_command.register(parser.add_subparsers())
    args = parser.parse_args(["evaluate", "trigger", *map(str, arguments)])
    return args.run(args)


def results(capsys):
    """What `--json` printed, by keyword and condition."""
    printed = json.loads(capsys.readouterr().out)
    return {(result["keyword"], result["condition"]): result for result in printed["results"]}


def test_the_table_says_what_was_missed(folder, capsys):
    code = run_command(
        folder / "tones.onnx", "--positives", folder / "words", "--negatives", folder / "speech",
        "--noise", folder / "noise", "--snr", "20",
    )  # fmt: skip
    printed, notes = capsys.readouterr()
    rows = [line.split() for line in printed.splitlines() if line.strip()]
    assert code == 0
    assert "4 x 'yes'" in printed
    assert ["yes", "clean", *["25.0", "%"] * 5, "0.500", "25.0", "%", "0.00/h"] in rows
    assert ["hey", "there", "clean", *["0.0", "%"] * 5, "0.500", "0.0", "%", "0.00/h"] in rows
    assert ["mean", "clean", *["12.5", "%"] * 5, "12.5", "%", "0.00/h"] in rows
    assert sum(row[1:3] == ["20", "dB"] for row in rows) == 2  # yes and the mean
    assert "cannot tell 0.1, 0.5, 1 or 2 false alarms per hour from none" in notes
    assert "0.1 per hour takes at least 10 hours" in notes


def test_json_says_the_same(folder, capsys):
    run_command(
        folder / "tones.onnx", "--positives", f"yes={folder / 'words/yes'}", "--negatives", folder / "speech",
        "--negatives", folder / "alarm", "--json",
    )  # fmt: skip
    found = results(capsys)
    assert list(found) == [("yes", "clean")]
    found = found["yes", "clean"]
    assert found["positives"] == 4
    assert found["miss_rate"] == 0.25
    assert found["false_alarms_per_hour"] == pytest.approx(1 / found["hours"])
    assert found["miss_rate_at_false_alarms_per_hour"]["0.1"] in (0.25, 1.0)


@pytest.mark.parametrize("ending", ["png", "svg"])
def test_the_picture_is_written(folder, tmp_path, ending):
    run_command(
        folder / "tones.onnx", "--positives", folder / "words", "--negatives", folder / "speech",
        "--negatives", folder / "alarm", "--noise", folder / "noise", "--picture", tmp_path / f"p.{ending}",
    )  # fmt: skip
    assert (tmp_path / f"p.{ending}").stat().st_size > 10_000
    assert len(list(tmp_path.iterdir())) == 1


def test_one_keyword_may_be_judged_alone(folder, capsys):
    arguments = [folder / "tones.onnx", "--negatives", folder / "speech", "--keyword", "yes", "--json"]
    run_command(*arguments, "--positives", folder / "words")
    by_name = results(capsys)
    run_command(*arguments, "--positives", folder / "words/yes")
    assert results(capsys) == by_name
    assert list(by_name) == [("yes", "clean")]


def test_hours_and_seed_are_obeyed(folder, capsys):
    run_command(
        folder / "tones.onnx", "--positives", folder / "words", "--negatives", folder / "speech",
        "--hours", "0.05", "--seed", "3", "--speech-share", "0.2", "--json",
    )  # fmt: skip
    printed = json.loads(capsys.readouterr().out)
    assert printed["background_hours"] == pytest.approx(0.05, abs=0.002)
    assert printed["seed"] == 3
    assert any("heard 3.0 times" in note for note in printed["notes"])


@pytest.mark.parametrize(
    ("arguments", "error", "sentence"),
    [
        (["--positives", "no=words/yes"], KeywordError, "does not hear 'no'; it hears yes, hey there"),
        (["--positives", "words", "--keyword", "no"], KeywordError, "does not hear 'no'"),
        (["--positives", "words/yes"], DataError, "--positives KEYWORD=DIR"),
        (["--positives", "nowhere"], DataError, "nowhere is not a folder"),
        (["--positives", "yes=nowhere"], DataError, "nowhere is not a folder"),
        (["--positives", "empty"], DataError, "there is no audio in"),
        (["--positives", "broken", "--keyword", "yes"], AudioError, "text.wav"),
        (["--positives", "words", "--snr", "10"], UsageError, "--noise DIR"),
        (["--positives", "words", "--picture", "picture.doc"], UsageError, ".png, .svg or .pdf"),
    ],
)
def test_what_cannot_be_used_is_said(folder, monkeypatch, arguments, error, sentence):
    monkeypatch.chdir(folder)
    (folder / "empty").mkdir(exist_ok=True)
    (folder / "broken").mkdir(exist_ok=True)
    (folder / "broken/text.wav").write_text("this is not audio")
    with pytest.raises(error, match=sentence.replace(".", r"\.")):
        run_command("./tones.onnx", "--negatives", "speech", *arguments)


@pytest.mark.parametrize(
    "arguments", [["--hours", "0"], ["--hours", "nan"], ["--speech-share", "1.5"], ["--snr", "nan"]]
)
def test_numbers_out_of_range_are_refused(folder, capsys, arguments):
    with pytest.raises(SystemExit) as stopped:
        run_command("tones.onnx", "--positives", "a", "--negatives", "b", *arguments)
    assert stopped.value.code == 2
    assert "must be" in capsys.readouterr().err


def test_the_report_is_what_the_runtime_hears(folder):
    spotter = TriggerWord(str(folder / "tones.onnx"))
    test = ListeningTest(
        {"yes": recordings(folder / "words/yes")},
        recordings(folder / "speech") + recordings(folder / "alarm"),
    )
    report = Report.of(spotter, test, [None])
    heard = [event for event in spotter.listen(test.pieces()) if event.keyword == "yes"]
    steps = [round(event.time_s / 0.04) - 1 for event in heard]
    assert report.hearings[0].outcome.event_steps.tolist() == steps
    assert report.points["yes"]["clean"] == (report.hearings[0].false_alarms_per_hour, 0.25)
    assert [example.title for example in report.examples] == [
        "heard, clean", "missed, clean", "false alarm, clean",
    ]  # fmt: skip
    assert run(spotter, test.pieces()).shape == (int(test.seconds / 0.04), 2)
