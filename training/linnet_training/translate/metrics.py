"""Measures of translations, by sacreBLEU."""

from collections.abc import Sequence
from typing import NamedTuple

from sacrebleu.metrics import BLEU, CHRF, TER


class Measure(NamedTuple):
    """One figure."""

    name: str
    value: float
    signature: str
    """How it was worked out, as sacreBLEU tells it: figures of another signature do not compare."""


def bleu(translations: Sequence[str], references: Sequence[str]) -> float:
    """BLEU alone, cased."""
    return float(BLEU().corpus_score(list(translations), [list(references)]).score)


def table(measured: Sequence[Measure]) -> str:
    """A line for each measure, with its signature."""
    return "\n".join(f"{each.name:18} {each.value:6.2f}   {each.signature}" for each in measured)


def measure(translations: Sequence[str], references: Sequence[str]) -> list[Measure]:
    """BLEU, cased and in lower case, chrF2 and TER, of one reference each."""
    metrics = {
        "BLEU": BLEU(),
        "chrF2": CHRF(),
        "TER": TER(),
        "BLEU, lower case": BLEU(lowercase=True),
    }
    made = []
    for name, metric in metrics.items():
        score = metric.corpus_score(list(translations), [list(references)])
        made.append(Measure(name, float(score.score), str(metric.get_signature())))
    return made
