"""How good captions are, as the literature measures it, and how bland.

measured = measure(hypotheses, references, train=captions)
print(measured.table())

BLEU: K. Papineni et al. 2002. METEOR: M. Denkowski, A. Lavie 2014. ROUGE-L: C.-Y. Lin 2004. CIDEr: R.
Vedantam et al. 2015, in its variant D, which everybody reports as CIDEr. All by pycocoevalcap, the Python 3
edition of the COCO caption evaluation (X. Chen et al. 2015, arXiv:1504.00325).
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from linnet.cli.terminal import columns
from linnet_training.caption import java
from linnet_training.caption.data import words

_FEW = 100


@dataclass(frozen=True)
class Metrics:
    """Figures of one caption for each of some photographs; scores are times 100, as papers print them."""

    photographs: int
    bleu: tuple[float, float, float, float]
    """BLEU-1 to BLEU-4 of the whole."""
    meteor: float | None
    """None where there is no Java."""
    rouge_l: float
    cider: float
    distinct_words: int
    """Different words in all captions together."""
    unseen_share: float | None
    """Share of captions, 0 to 1, that no training photograph has word for word; None without these."""
    mean_length: float
    """Words of a caption."""
    notes: tuple[str, ...] = ()
    """What must be known to compare these figures with others."""

    def table(self) -> str:
        """Two lines of scores and one about diversity, for people."""
        names = [*(f"BLEU-{n}" for n in range(1, 5)), "METEOR", "ROUGE-L", "CIDEr"]
        values = [*self.bleu, self.meteor, self.rouge_l, self.cider]
        shown = tuple("-" if value is None else f"{value:.1f}" for value in values)
        diversity = f"{self.distinct_words} distinct words, {self.mean_length:.1f} words a caption"
        if self.unseen_share is not None:
            diversity += f", {100 * self.unseen_share:.1f} % of the captions are not in the training data"
        lines = columns([tuple(names), shown], right=frozenset(range(len(names))))
        return "\n".join([*lines, "", diversity])

    def as_json(self) -> dict[str, Any]:
        """The same for programs."""
        fields = asdict(self)
        bleu = {f"bleu_{n}": value for n, value in enumerate(fields.pop("bleu"), start=1)}
        return {"photographs": fields.pop("photographs"), **bleu, **fields, "notes": list(self.notes)}


def measure(
    hypotheses: Sequence[str],
    references: Sequence[Sequence[str]],
    train: Iterable[str] | None = None,
    with_java: bool = True,
) -> Metrics:
    """Compare captions with those of people.

    Args:
        hypotheses: one caption for each photograph.
        references: for each photograph, the captions of people as they wrote them.
        train: all captions that the model was trained on, for `unseen_share`.
        with_java: False does what is done without Java, in a fraction of the time: no METEOR, and words as in
            training.

    Raises:
        ValueError: there are none, not as many of one as of the other, or a photograph has no reference.
    """
    if not hypotheses or len(hypotheses) != len(references) or not all(map(len, references)):
        raise ValueError("each photograph needs one hypothesis and at least one reference")
    from pycocoevalcap.bleu.bleu import Bleu
    from pycocoevalcap.cider.cider import Cider
    from pycocoevalcap.rouge.rouge import Rouge

    notes = []
    said = [words(hypothesis) for hypothesis in hypotheses]
    tokenised, without_java = _tokenised(
        [*hypotheses, *(text for texts in references for text in texts)], with_java
    )
    people, meteor = iter(tokenised[len(hypotheses) :]), None
    result = {number: [text] for number, text in enumerate(tokenised[: len(hypotheses)])}
    truth = {number: [next(people) for _ in texts] for number, texts in enumerate(references)}
    if with_java and not without_java:
        try:
            meteor = 100 * java.meteor([text for [text] in result.values()], list(truth.values()))
        except java.JavaError as error:
            notes.append(f"METEOR is left out: {error}")
    elif with_java:
        notes.append(
            f"METEOR is left out and words are split on blanks, as {without_java}; published figures have "
            "them split by the Penn Treebank's rules"
        )
    if len(hypotheses) < _FEW:
        notes.append(
            f"{len(hypotheses)} photograph{'s' * (len(hypotheses) > 1)} tell little, and CIDEr, which takes "
            "from them how rare words are, even less"
        )
    bleu, _ = Bleu(4).compute_score(truth, result, verbose=0)
    rouge_l, _ = Rouge().compute_score(truth, result)
    cider, _ = Cider().compute_score(truth, result)
    known = None if train is None else {tuple(words(caption)) for caption in train}
    return Metrics(
        photographs=len(hypotheses),
        bleu=(100 * bleu[0], 100 * bleu[1], 100 * bleu[2], 100 * bleu[3]),
        meteor=meteor,
        rouge_l=100 * float(rouge_l),
        cider=100 * float(cider),
        distinct_words=len({word for caption in said for word in caption}),
        unseen_share=None if known is None else sum(tuple(c) not in known for c in said) / len(said),
        mean_length=sum(map(len, said)) / len(said),
        notes=tuple(notes),
    )


def _tokenised(texts: Sequence[str], with_java: bool) -> tuple[list[str], str]:
    """Texts with a blank between words, and why Java's tokenizer did not split them, if it did not."""
    reason = ""
    if with_java:
        try:
            return [" ".join(tokens) for tokens in java.tokenise(texts)], reason
        except java.JavaError as error:
            reason = str(error)
    return [" ".join(words(text)) for text in texts], reason
