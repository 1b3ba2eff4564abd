"""Aligners of others, beside which ours are measured: links of pairs of words.

simalign and awesome-align come with the tools of this project's tests. eflomal is installed on
first use into a folder of its own below ``.bench/others``, where nothing else sees it: it is under
the GPL, and run as a program, never imported.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.encoding import LAYER, quiet
from benchmarks.real_data import BENCH
from spanbridge import SentencePair
from spanbridge.encode.export import export_embedded

WAYS = ("forward", "reverse")
BATCH = 32  # pairs; awesome-align's own default
Links = list[tuple[int, int]]
Aligner = Callable[[Sequence[SentencePair]], list[Links]]


def installed(name: str, *packages: str, alone: bool = True) -> Path:
    """The folder of what is installed below a name.

    Args:
        packages: as pip takes them.
        alone: without what they need, which is here already.
    """
    folder = BENCH.absolute() / "others" / name
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=folder.parent) as new:
            options = ["--quiet", "--disable-pip-version-check", *(["--no-deps"] if alone else [])]
            target = ("--target", f"{new}/whole")
            command = [sys.executable, "-m", "pip", "install", *options, *target, *packages]
            subprocess.run(command, check=True)
            Path(new, "whole").rename(folder)
    return folder


def simalign(extraction: str = "itermax") -> Aligner:
    """SimAlign with the embedded encoder's weights, in float32."""
    from simalign import SentenceAligner

    quiet()
    aligner = SentenceAligner(
        model=str(export_embedded()), token_type="bpe", matching_methods="ai", layer=LAYER
    )

    def links(pairs: Sequence[SentencePair]) -> list[Links]:
        sides = ((list(pair.source.words), list(pair.target.words)) for pair in pairs)
        return [aligner.get_word_aligns(*both)[extraction] for both in sides]

    return links


def awesome() -> Aligner:
    """AWESoME with the embedded encoder's weights, in float32, by its default extraction."""
    import torch
    from awesome_align import modeling
    from awesome_align.configuration_bert import BertConfig
    from safetensors.torch import load_file
    from torch.nn.utils.rnn import pad_sequence
    from transformers import AutoTokenizer

    quiet()
    folder = export_embedded()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    ends = modeling.CLS_ID, modeling.SEP_ID = tokenizer.cls_token_id, tokenizer.sep_token_id
    pad = modeling.PAD_ID = tokenizer.pad_token_id
    model = modeling.BertForMaskedLM(BertConfig.from_json_file(str(folder / "config.json")))
    lacking = model.bert.load_state_dict(load_file(folder / "model.safetensors"), strict=False)
    assert not lacking.missing_keys, lacking
    model.eval()

    def side(words: Sequence[str]) -> tuple[torch.Tensor, list[int]]:
        ids = tokenizer(list(words), add_special_tokens=False)["input_ids"]
        places = [n for n, word in enumerate(ids) for _ in word]
        return torch.tensor([ends[0], *chain(*ids), ends[1]]), places

    def links(pairs: Sequence[SentencePair]) -> list[Links]:
        found: list[Links] = []
        for at in range(0, len(pairs), BATCH):
            some = pairs[at : at + BATCH]
            source, target = (
                tuple(zip(*(side(pair.side(name).words) for pair in some), strict=True))
                for name in ("source", "target")
            )
            ids = [pad_sequence(list(one[0]), True, pad) for one in (source, target)]
            made = model.get_aligned_word(
                *ids, source[1], target[1], "cpu", 0, 0, align_layer=LAYER, test=True
            )
            found += map(sorted, made)
        return found

    return links


def eflomal() -> Aligner:
    """Eflomal, which learns from the pairs that are given alone; links of both directions."""
    folder = installed("eflomal", "eflomal==2.0.0")
    program = [sys.executable, str(folder / "bin" / "eflomal-align")]

    def links(pairs: Sequence[SentencePair]) -> list[Links]:
        with TemporaryDirectory() as name:
            for side in ("source", "target"):
                lines = (" ".join(pair.side(side).words).lower() + "\n" for pair in pairs)
                Path(name, side).write_text("".join(lines), encoding="utf-8")
            files = zip(("-s", "-t", "-f", "-r"), ("source", "target", *WAYS), strict=True)
            options = [part for option, file in files for part in (option, f"{name}/{file}")]
            environment = os.environ | {"PYTHONPATH": str(folder), "OMP_NUM_THREADS": "1"}
            subprocess.run([*program, *options], check=True, capture_output=True, env=environment)
            both = [Path(name, way).read_text("utf-8").splitlines() for way in WAYS]
        return [
            sorted(_link(link) for link in {*ahead.split()} & {*back.split()})
            for ahead, back in zip(*both, strict=True)
        ]

    return links


def _link(text: str) -> tuple[int, int]:
    source, _, target = text.partition("-")
    return int(source), int(target)
