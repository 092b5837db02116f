"""JoeyNMT and OpenNMT-py, for translate.py: models of the same sizes as Linnet's, run by their own code.

    python translate_peers.py build joeynmt|OpenNMT-py FOLDER

writes one from what translate.py put in the folder. Its weights are random, since it is time that is
compared. What it says is therefore made as long as Linnet's translation of the same sentence: at each step
the score of the end is put below all others, and above all others once the length is reached. That is one
assignment per step, by hooks that torch has for such things; the packages' code is not touched. So they have
as many steps to do as if they said the same as Linnet; with a beam rather fewer, since a search goes on until
other hypotheses have ended too.

Both are loaded from files, given text and asked for text, as somebody would use them from Python: JoeyNMT by
`TranslatorHubInterface.translate`, OpenNMT-py by the `ServerModel` of its translation server. The vocabulary,
the embedding that both languages share, the bidirectional encoder and the decoder, an LSTM with Luong's
attention and its result fed to the next step, have the sizes of Linnet's. But their output layers take the
decoder's hidden size, not the embedding's; and OpenNMT-py begins to decode with the first layer of the
encoder where that has more layers than the decoder.

Nothing of Linnet is imported, since these packages may have an interpreter of their own.
"""

import argparse
import json
import logging
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor
    from translate_engines import Settings, Translate

PIECES = "pieces.model"
"""The SentencePiece model, in the folder."""

_SURE = 1e4  # a score that decides
_MOST = 1000  # tokens; never reached


class Lengths:
    """Ends translations where they are to end."""

    def __init__(self, end: int) -> None:
        """Args: id of the end."""
        self._end = end
        self._of: dict[tuple[int, ...], int] = {}

    def are(self, sources: Sequence[Sequence[int]], lengths: Sequence[int]) -> None:
        """Of the translations of sentences, given as ids without padding."""
        self._of = {tuple(source): length for source, length in zip(sources, lengths, strict=True)}

    def begin(self, source: "Tensor", padding: int) -> None:
        """A batch, (batch, length), is about to be translated."""
        import torch

        rows = [tuple(each for each in row if each != padding) for row in source.tolist()]
        self._wanted = torch.tensor([self._of[row] for row in rows])
        self._step = self._beam = 0

    def force(self, scores: "Tensor") -> None:
        """Of a step, (rows, ..., vocabulary): a row for each hypothesis of each sentence."""
        import torch

        wanted = self._wanted
        self._beam = self._beam or len(scores) // len(wanted)
        if len(scores) < len(wanted) * self._beam:  # those that have ended were put away
            wanted = wanted[wanted >= self._step]
        over = (wanted <= self._step).repeat_interleave(self._beam)
        scores[..., self._end] = torch.where(over, _SURE, -_SURE).view(-1, *[1] * (scores.ndim - 2))
        self._step += 1


def joeynmt(folder: Path, settings: "Settings") -> "Translate":
    """JoeyNMT, from the folder of a model."""
    import torch
    from joeynmt.hub_interface import TranslatorHubInterface, _from_pretrained

    logging.disable(logging.WARNING)
    torch.set_num_threads(1)
    translator = TranslatorHubInterface(*_from_pretrained(folder))
    model, data = translator.model, translator.dataset
    tokenizer, end = data.tokenizer[data.src_lang], model.eos_index

    def ids(sentence: str) -> list[int]:
        return [*map(model.src_vocab.lookup, tokenizer(tokenizer.pre_process(sentence))), end]

    def before(_: Any, args: Any, given: dict[str, Any]) -> None:
        if given["return_type"] == "encode":
            lengths.begin(given["src"], model.pad_index)

    lengths = Lengths(end)
    model.register_forward_pre_hook(before, with_kwargs=True)
    model.decoder.output_layer.register_forward_hook(lambda _, args, scores: lengths.force(scores))

    def translate(sentences: list[str], beam: int) -> list[str]:
        found: list[str] = translator.translate(
            sentences, beam_size=beam, beam_alpha=settings.length_penalty, max_output_length=_MOST
        )
        return found

    return _as_long(translate, lengths, ids, settings)


def opennmt(file: Path, settings: "Settings") -> "Translate":
    """OpenNMT-py, from a checkpoint."""
    import torch
    from onmt.translate.translation_server import ServerModel

    logging.disable(logging.WARNING)
    torch.set_num_threads(1)
    # Since torch 2.6 the options that its checkpoints hold must be declared harmless.
    torch.serialization.add_safe_globals([argparse.Namespace])
    options = {"models": file.name, "gpu": -1, "max_length": _MOST, "alpha": settings.length_penalty}
    tokenizer = {"type": "sentencepiece", "model": PIECES}
    server = ServerModel(options, 0, tokenizer_opt=tokenizer, load=True, model_root=str(file.parent))
    translator = server.translator
    vocabulary = translator.vocabs["src"]

    def ids(sentence: str) -> list[int]:
        return list(vocabulary(server.tokenize(sentence).split()))

    lengths = Lengths(vocabulary["</s>"])
    model, padding = translator.model, vocabulary["<blank>"]
    model.encoder.register_forward_pre_hook(lambda _, args: lengths.begin(args[0][:, :, 0], padding))
    model.generator.register_forward_hook(lambda _, args, scores: lengths.force(scores))

    def translate(sentences: list[str], beam: int) -> list[str]:
        translator.beam_size = beam
        translator.sample_from_topk = int(beam == 1)  # then it is its greedy search
        found: list[str] = server.run([{"src": each} for each in sentences])[0]
        return found

    return _as_long(translate, lengths, ids, settings)


def _as_long(
    translate: Callable[[list[str], int], list[str]],
    lengths: Lengths,
    ids: Callable[[str], list[int]],
    settings: "Settings",
) -> "Translate":
    """The same, with translations as long as Linnet's, and with their lengths."""
    sources = [ids(sentence) for sentence in settings.sentences]
    wanted = {
        search: [max(1, length) for length in given]  # both packages want one token at least
        for search, given in settings.lengths.items()
    }
    of = {search: dict(zip(settings.sentences, given, strict=True)) for search, given in wanted.items()}

    def said(sentences: list[str], beam: int) -> list[tuple[str, int]]:
        search = "greedy" if beam == 1 else "beam"
        lengths.are(sources, wanted[search])
        found = translate(sentences, beam)
        return [(text, of[search][source] + 1) for text, source in zip(found, sentences, strict=True)]

    return said


def _build_joeynmt(folder: Path, sizes: Mapping[str, Any]) -> int:
    """Write a model as its training would; returns how many parameters it has."""
    import torch
    import yaml
    from joeynmt.config import load_config, parse_global_args
    from joeynmt.model import build_model
    from joeynmt.vocabulary import build_vocab

    place = folder / "joeynmt"
    place.mkdir()
    (place / "vocabulary.txt").write_text("".join(f"{each}\n" for each in _pieces(folder)), encoding="utf-8")
    side = {
        "level": "bpe",
        "voc_file": str(place / "vocabulary.txt"),
        "tokenizer_type": "sentencepiece",
        "tokenizer_cfg": {"model_file": str(folder / PIECES)},
    }
    embedding = {"embedding_dim": sizes["output"]}
    lstm = {"type": "recurrent", "rnn_type": "lstm", "embeddings": embedding}
    encoder = {"hidden_size": sizes["encoder_hidden"], "num_layers": sizes["encoder_layers"]}
    decoder = {"hidden_size": sizes["hidden"], "num_layers": sizes["layers"]}
    config = {
        "name": "benchmark",
        "model_dir": str(place),
        "use_cuda": False,
        "data": {"test": "none", "src": {"lang": "source", **side}, "trg": {"lang": "target", **side}},
        "testing": {"load_model": str(place / "best.ckpt")},
        "training": {"batch_size": 1},
        "model": {
            "tied_embeddings": True,
            "encoder": {**lstm, **encoder, "bidirectional": True},
            "decoder": {**lstm, **decoder, "attention": "luong", "input_feeding": True},
        },
    }
    (place / "config.yaml").write_text(yaml.safe_dump(config))
    args = parse_global_args(load_config(place / "config.yaml"), mode="train")
    model = build_model(args.model, *build_vocab(args.data))
    torch.save({"model_state": model.state_dict()}, place / "best.ckpt")
    return sum(each.numel() for each in model.parameters())


def _build_opennmt(folder: Path, sizes: Mapping[str, Any]) -> int:
    """Write a checkpoint as its training would; returns how many parameters it has."""
    import onmt.opts
    import torch
    from onmt.inputters.inputter import dict_to_vocabs
    from onmt.model_builder import build_base_model
    from onmt.utils.parse import ArgumentParser

    given = {
        "word_vec_size": sizes["output"],
        "encoder_type": "brnn",
        "enc_layers": sizes["encoder_layers"],
        "enc_hid_size": 2 * sizes["encoder_hidden"],  # of both directions
        "decoder_type": "rnn",
        "dec_layers": sizes["layers"],
        "dec_hid_size": sizes["hidden"],
        "data": "none",
        "src_vocab": "none",
    }
    parser = ArgumentParser()
    onmt.opts.train_opts(parser)
    arguments = [word for name, value in given.items() for word in (f"-{name}", str(value))]
    options = parser.parse_args([*arguments, "-share_vocab", "-share_embeddings"])
    ArgumentParser.update_model_opts(options)
    ArgumentParser.validate_model_opts(options)
    words = ["<unk>", "<blank>", "<s>", "</s>", *_pieces(folder)]
    vocabulary = {"src": words, "tgt": words, "data_task": "seq2seq"}
    model = build_base_model(options, dict_to_vocabs(vocabulary), False)
    weights = {name: each for name, each in model.state_dict().items() if "generator" not in name}
    generator = model.generator.state_dict()
    saved = {"model": weights, "generator": generator, "vocab": vocabulary, "opt": options}
    torch.save(saved, folder / "opennmt.pt")
    return sum(each.numel() for each in model.parameters())


def _pieces(folder: Path) -> list[str]:
    """All but padding, start, end and unknown."""
    from sentencepiece import SentencePieceProcessor

    processor = SentencePieceProcessor(model_file=str(folder / PIECES))
    return [processor.IdToPiece(each) for each in range(4, processor.GetPieceSize())]


_BUILD = {"joeynmt": _build_joeynmt, "OpenNMT-py": _build_opennmt}


def _main() -> None:
    package, folder = sys.argv[2], Path(sys.argv[3])
    logging.disable(logging.WARNING)
    try:
        version = metadata.version(package)
        parameters = _BUILD[package](folder, json.loads((folder / "sizes.json").read_text()))
        made = {"version": version, "torch": metadata.version("torch"), "parameters": parameters}
    except ImportError as error:
        missing = error.name or error
        sys.exit(f"{missing} is not installed: pip install '.[translate-benchmarks]', or --peers-python")
    print(json.dumps(made))


if __name__ == "__main__":
    _main()
