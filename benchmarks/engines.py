"""CTranslate2 beside ONNX Runtime and OpenVINO: the embedded encoder on one core.

Prints: for each engine and type, milliseconds of processor time per sentence pair, sentences of the
    same length together and each alone; whether a sentence's states are the same bytes either way,
    without which results would depend on the batch; and the mean cosine of its states to those of
    CTranslate2 in float32. ONNX Runtime's int8 is its dynamic quantization, OpenVINO's that of its
    weights by NNCF with activations quantised as they come.
Takes: about five minutes of one core, and as much to install the two below .bench on first use.
Data: Europarl-NER dev, English and German.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from itertools import groupby
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.encoding import LAYER, quiet
from benchmarks.others import installed
from benchmarks.real_data import BENCH, europarl
from spanbridge.encode.export import export_embedded
from spanbridge.encode.load import EMBEDDED, load_encoder

# Versions that go together.
PACKAGES = ("onnx==1.23.2", "onnxruntime==1.32.0", "openvino==2026.4.1", "nncf==3.4.0")
Run = Callable[[list[list[int]]], Any]


def exported(folder: Path) -> Path:
    """The folder of the encoder as ONNX (plain and int8) and for OpenVINO (int8), made once."""
    plain = folder / "plain.onnx"
    if plain.is_file():
        return folder
    import nncf
    import openvino
    import torch
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from transformers import BertModel

    quiet()
    model = BertModel.from_pretrained(
        str(export_embedded()), add_pooling_layer=False, attn_implementation="eager"
    ).eval()
    model.encoder.layer = model.encoder.layer[:LAYER]

    class States(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, ids, mask):
            return self.model(input_ids=ids, attention_mask=mask).last_hidden_state

    folder.mkdir(parents=True, exist_ok=True)
    ids = torch.randint(3, 1000, (2, 9))
    axes = {name: {0: "batch", 1: "length"} for name in ("ids", "mask", "states")}
    names: dict[str, Any] = {"input_names": ["ids", "mask"], "output_names": ["states"]}
    options: dict[str, Any] = {"dynamic_axes": axes, "opset_version": 17, "dynamo": False}
    new = folder / "new.onnx"
    torch.onnx.export(States(), (ids, torch.ones_like(ids)), str(new), **names, **options)
    kind = QuantType.QInt8
    quantize_dynamic(new, folder / "int8.onnx", ["MatMul"], per_channel=True, weight_type=kind)
    compressed = nncf.compress_weights(
        openvino.Core().read_model(new), mode=nncf.CompressWeightsMode.INT8_SYM
    )
    openvino.save_model(compressed, folder / "int8.xml", compress_to_fp16=False)
    new.rename(plain)
    return folder


def inputs(batch: list[list[int]]) -> dict[str, Any]:
    """A batch of sentences of one length, as both take it."""
    ids = np.array(batch, np.int64)
    return {"ids": ids, "mask": np.ones_like(ids)}


def ctranslate2(kind: str) -> Run:
    """The engine of this package."""
    model = load_encoder(EMBEDDED, layer=LAYER, threads=1, compute_type=kind)._model
    return model.forward


def onnx_runtime(path: Path) -> Run:
    """ONNX Runtime in one thread."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return lambda batch: session.run(None, inputs(batch))[0]


def open_vino(path: Path, precision: str, **more: Any) -> Run:
    """OpenVINO in one thread."""
    import openvino

    core = openvino.Core()
    one = {"INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1, "INFERENCE_PRECISION_HINT": precision}
    request = core.compile_model(core.read_model(path), "CPU", one | more).create_infer_request()

    def run(batch: list[list[int]]) -> Any:
        request.infer(inputs(batch))
        return request.get_output_tensor(0).data.copy()

    return run


def engines(folder: Path) -> dict[str, Run]:
    """All that is compared, the reference first."""
    plain, int8 = folder / "plain.onnx", folder / "int8.onnx"
    grouped: dict[str, Any] = {"DYNAMIC_QUANTIZATION_GROUP_SIZE": 384}
    return {
        "CTranslate2 float32": ctranslate2("float32"),
        "CTranslate2 int8": ctranslate2("int8"),
        "ONNX Runtime float32": onnx_runtime(plain),
        "ONNX Runtime int8": onnx_runtime(int8),
        "OpenVINO float32": open_vino(plain, "f32"),
        "OpenVINO bfloat16": open_vino(plain, "bf16"),
        "OpenVINO int8": open_vino(folder / "int8.xml", "f32", **grouped),
    }


def in_a_row(states: Sequence[Any]) -> Any:
    """All states, [n, size]."""
    return np.concatenate([one.reshape(-1, one.shape[-1]) for one in states])


def cosine(ours: Sequence[Any], theirs: Sequence[Any]) -> float:
    """Mean cosine of states."""
    a, b = in_a_row(ours), in_a_row(theirs)
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return float(np.mean((a * b).sum(1) / lengths))


def table(rows: int) -> None:
    """Print the table; in a process that finds the engines."""
    pairs = europarl("en", "de")[:rows]
    encoder = load_encoder(EMBEDDED, layer=LAYER, threads=1)
    ends = encoder.tokenizer
    texts = sorted({side.words for pair in pairs for side in (pair.source, pair.target)})
    ids = [[*ends.prefix, *encoder.subwords(text)[:, 0].tolist(), *ends.suffix] for text in texts]
    batches = [list(batch) for _, batch in groupby(sorted(ids, key=len), key=len)]
    print(f"{'ms per pair':22}{'together':>9}{'alone':>9}{'same bytes':>12}{'cosine':>9}")
    first: list[Any] = []
    for name, run in engines(exported(BENCH.absolute() / "engines")).items():
        run(batches[0])
        start = time.process_time()
        together = [run(batch) for batch in batches]
        halfway = time.process_time()
        alone = [run([one]) for batch in batches for one in batch]
        each = [1000 * s / len(pairs) for s in (halfway - start, time.process_time() - halfway)]
        first = first or together
        same = np.array_equal(in_a_row(together), in_a_row(alone))
        print(
            f"{name:22}{each[0]:>9.2f}{each[1]:>9.2f}{'yes' if same else 'no':>12}"
            f"{cosine(together, first):>9.5f}",
            flush=True,
        )


def main(rows: int = 120) -> None:
    """Print the table, in a process of its own, which alone sees what was installed for it."""
    folder = installed("engines", *PACKAGES, alone=False)
    process = get_context("spawn").Process(target=_apart, args=(str(folder), rows))
    process.start()
    process.join()
    sys.exit(process.exitcode)


def _apart(folder: str, rows: int) -> None:
    sys.path.append(folder)
    os.environ["OMP_NUM_THREADS"] = "1"
    table(rows)
