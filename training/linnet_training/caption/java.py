"""The two Java programs that pycocoevalcap brings: the Penn Treebank tokenizer, and METEOR.

They are started here rather than by pycocoevalcap, whose own starters write into the package's folder, wait
without limit, and leave a child behind where Python is interrupted.
"""

import shutil
import subprocess
import threading
from collections.abc import Iterable, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path

_START_S = 120.0
_EACH_S = 0.5


class JavaError(Exception):
    """There is no Java, or a program in it failed or took too long; the message says which."""


def tokenise(sentences: Sequence[str], limit_s: float | None = None) -> list[list[str]]:
    """Words of each sentence as the COCO caption evaluation counts them.

    Stanford's PTBTokenizer in lower case; punctuation is left out.

    Args:
        sentences: any text; line breaks are blanks.
        limit_s: how long it may take; by default, much longer than it should.

    Raises:
        JavaError: there is no Java, or it failed.
    """
    from pycocoevalcap.tokenizer import ptbtokenizer

    jar = Path(ptbtokenizer.__file__).with_name(ptbtokenizer.STANFORD_CORENLP_3_4_1_JAR)
    command = [
        *(_java(), "-Dfile.encoding=UTF-8", "-cp", str(jar), "edu.stanford.nlp.process.PTBTokenizer"),
        *("-preserveLines", "-lowerCase", "-encoding", "UTF-8"),
    ]
    text = "".join(_one_line(sentence) + "\n" for sentence in sentences)
    try:
        done = subprocess.run(
            command,
            input=text.encode("utf-8", "replace"),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_limit(limit_s, len(sentences)),
            check=True,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise JavaError(f"the tokenizer failed ({_reason(error)})") from error
    lines = done.stdout.decode("utf-8", "replace").split("\n")
    if len(lines) != len(sentences) + 1:
        raise JavaError(f"the tokenizer made {len(lines) - 1} lines of {len(sentences)}")
    punctuation = set(ptbtokenizer.PUNCTUATIONS)
    return [[word for word in line.split() if word not in punctuation] for line in lines[:-1]]


def meteor(
    hypotheses: Sequence[str], references: Sequence[Sequence[str]], limit_s: float | None = None
) -> float:
    """METEOR 1.5 of captions, 0 to 1, for English.

    M. Denkowski, A. Lavie, "Meteor Universal: Language Specific Translation Evaluation for Any Target
    Language", 2014.

    Args:
        hypotheses: tokens with blanks between, one text for each photograph.
        references: as many lists of the same.
        limit_s: how long it may take; by default, much longer than it should.

    Raises:
        JavaError: there is no Java, or it failed.
    """
    from pycocoevalcap.meteor import meteor as package

    jar = Path(package.__file__).with_name(package.METEOR_JAR)
    command = [
        *(_java(), "-Dfile.encoding=UTF-8", "-Xmx2G", "-jar", str(jar)),
        *("-", "-", "-stdio", "-l", "en", "-norm"),
    ]
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            encoding="utf-8",
            errors="replace",
        )
    except OSError as error:
        raise JavaError(f"METEOR cannot be started ({_reason(error)})") from error
    # Killed, it closes its ends of the pipes, and whoever waits there goes on.
    timer = threading.Timer(_limit(limit_s, len(hypotheses)), process.kill)
    timer.start()
    try:
        return _converse(process, hypotheses, references)
    except (OSError, ValueError) as error:
        raise JavaError(f"METEOR failed ({_reason(error)})") from error
    finally:
        timer.cancel()
        process.kill()
        with suppress(OSError, ValueError):
            process.communicate()


def _converse(
    process: "subprocess.Popen[str]", hypotheses: Sequence[str], references: Sequence[Sequence[str]]
) -> float:
    """METEOR answers a line of texts with a line of counts, and all the counts with the scores."""
    texts = [
        _message("SCORE", map(_field, (*of_one, hypothesis)))
        for hypothesis, of_one in zip(hypotheses, references, strict=True)
    ]
    counts = _answers(process, texts, len(texts))
    wrong = next((line for line in counts if not line[0].isdigit()), None)
    if wrong:
        raise ValueError(wrong)
    return float(_answers(process, [_message("EVAL", counts)], len(texts) + 1)[-1])  # each, then the whole


def _answers(process: "subprocess.Popen[str]", lines: Sequence[str], count: int) -> list[str]:
    """Write lines, and read as many as `count` meanwhile: pipes hold little, and turns would take long."""
    stdin, stdout = process.stdin, process.stdout
    assert stdin is not None
    assert stdout is not None

    def write() -> None:
        with suppress(OSError, ValueError):  # what reads says what is wrong
            stdin.writelines(lines)
            stdin.flush()

    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    answers = [line.strip() for line in islice(stdout, count)]
    if len(answers) < count or not all(answers):
        raise ValueError("it ended too early, or took too long")
    writer.join()
    return answers


def _message(command: str, fields: Iterable[str]) -> str:
    return " ||| ".join((command, *fields)) + "\n"


def _field(text: str) -> str:
    return _one_line(text.replace("|||", " ")) or " "  # an empty field at the end would not count as one


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _java() -> str:
    found = shutil.which("java")
    if not found:
        raise JavaError("there is no Java")
    return found


def _limit(limit_s: float | None, texts: int) -> float:
    return _START_S + _EACH_S * texts if limit_s is None else limit_s


def _reason(error: Exception) -> str:
    if isinstance(error, subprocess.TimeoutExpired):
        return "it took too long"
    if isinstance(error, subprocess.CalledProcessError):
        return f"exit status {error.returncode}"
    return (isinstance(error, OSError) and error.strerror) or str(error)
