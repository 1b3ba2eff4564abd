"""Fine-tuning of T5 and mT5 into the generator of T-Projection: sentences, labels, and their spans.

As published: AdamW in place of Adafactor, the learning rate rising over the first steps and falling
along a cosine, 8 sentences to a batch. Every sentence with spans is an example. There are no states
in between: an interrupted training begins anew.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from math import cos, pi
from pathlib import Path
from random import Random
from typing import Any

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.files import alone
from spanbridge.core.progress import Progress, Task, silent
from spanbridge.core.requirements import require
from spanbridge.core.signature import signature
from spanbridge.encode.checkpoint import checkpoint_folder
from spanbridge.encode.model_files import CONFIG, fingerprint, read_json, reading, staged
from spanbridge.encode.seq2seq import FILES, GENERATORS, checkpoint_files
from spanbridge.formats.document_folder import new_folder
from spanbridge.projection.t_projection import filled, prompt
from spanbridge.training.training_sets import TrainingSet

_BATCH, _WARMUP, _CLIP = 8, 500, 1.0
_NO_LOSS = -100  # label of padding

Example = tuple[list[int], list[int]]


@dataclass(frozen=True)
class GeneratorSettings:
    """Settings of fine-tuning a generator; all are part of the signature.

    Attributes:
        epochs: passes over the data; the paper has 4, and 10 for small sets.
        learning_rate: its peak.
        longest: subwords of a sentence with its labels, at most; longer ones are left out.
        seed: of the order of the sentences, and of dropout.
        threads: of torch; results are reproducible to the byte only for the same number.
        device: of torch; empty takes a GPU if there is one.
    """

    epochs: int = 4
    learning_rate: float = 1e-4
    longest: int = 256
    seed: int = 0
    threads: int = 2
    device: str = ""

    def __post_init__(self) -> None:
        if not (self.epochs >= 1 and 0 < self.learning_rate <= 1 and self.longest >= 1):
            raise SpanbridgeError(
                f"epochs={self.epochs}, rate={self.learning_rate}, longest={self.longest}: "
                "epochs and longest are at least 1, the learning rate lies in (0, 1]"
            )


@dataclass(frozen=True)
class GeneratorResult:
    """Result of a training.

    Attributes:
        folder: folder of the generator.
        signature: data and settings on one line.
        n_examples: sentences that were learned from.
        n_too_long: sentences with spans that were left out.
        losses: mean loss of each epoch.
    """

    folder: str
    signature: str
    n_examples: int
    n_too_long: int
    losses: tuple[float, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def train_generator(
    sets: Sequence[TrainingSet],
    output: str,
    base: str,
    settings: GeneratorSettings,
    *,
    licence: str = "other",
    progress: Progress = silent,
    tell: Callable[[dict[str, float]], None] = lambda figures: None,
) -> GeneratorResult:
    """Fine-tune a model on labelled sentences.

    Args:
        sets: the sentences.
        output: a new folder.
        base: a folder, or an id on the Hub, with a T5 or mT5 (safetensors).
        settings: settings.
        licence: of the data, for the card.
        progress: tells how far it is.
        tell: is told the figures of each epoch.

    Raises:
        InputError: the model cannot be read, or the folder is there.
        SpanbridgeError: no sentence has spans, or it is another kind of model.
        MissingExtraError: torch or transformers is not installed.
    """
    require("torch", "transformers", by="training")
    import torch
    from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

    torch.set_num_threads(settings.threads)
    folder = checkpoint_folder(base, FILES)
    files = checkpoint_files(folder)
    if (kind := read_json(folder / CONFIG).get("model_type")) not in GENERATORS:
        known = " or ".join(GENERATORS.values())
        raise SpanbridgeError(f"{base} is of type {kind!r}, not of {known}, which generate spans")
    local = {"trust_remote_code": False, "local_files_only": True}
    with alone(output), new_folder(output) as made:
        with staged(files) as stage, reading(folder, "is no model that can be read"):
            tokenizer = AutoTokenizer.from_pretrained(stage, **local)
            model = AutoModelForSeq2SeqLM.from_pretrained(stage, use_safetensors=True, **local)
        examples, n_too_long = _examples(sets, tokenizer, settings.longest)
        torch.manual_seed(settings.seed)
        model = model.float().to(
            settings.device or ("cuda" if torch.cuda.is_available() else "cpu")
        )
        losses = []
        for loss in _epochs(model, examples, settings, progress):
            losses.append(round(loss, 6))
            tell({"epoch": len(losses), "loss": losses[-1]})
        model.save_pretrained(made, safe_serialization=True)
        tokenizer.save_pretrained(made)
        line = _signature(f"{Path(base).name}@{fingerprint(files)[:8]}", examples, settings)
        (made / "README.md").write_text(_card(base, line, licence), encoding="utf-8")
    return GeneratorResult(output, line, len(examples), n_too_long, tuple(losses))


def _signature(base: str, examples: Sequence[Example], settings: GeneratorSettings) -> str:
    """Everything that the model depends on, on one line."""
    told = {
        "task": "train-generator",
        "base": base,
        "data": sha256(repr(examples).encode()).hexdigest()[:8],
        **{key: str(value) for key, value in asdict(settings).items() if key != "device"},
    }
    return signature(told)


def _examples(
    sets: Sequence[TrainingSet], tokenizer: Any, longest: int
) -> tuple[list[Example], int]:
    """Subwords of questions and answers, and the number of sentences that are too long."""
    found, n_too_long = [], 0
    for one in sets:
        for sentence, _ in one.sentences:
            if not sentence.spans:
                continue
            asked = tokenizer(prompt(sentence.words, sentence.spans))["input_ids"]
            answer = tokenizer(filled(sentence.words, sentence.spans))["input_ids"]
            end = tokenizer.eos_token_id
            both = [[*ids, end] if ids[-1:] != [end] else ids for ids in (asked, answer)]
            if max(map(len, both)) > longest:
                n_too_long += 1
            else:
                found.append((both[0], both[1]))
    if not found:
        raise SpanbridgeError("no sentence has spans that could be learned")
    return found, n_too_long


def _epochs(
    model: Any, examples: Sequence[Example], settings: GeneratorSettings, progress: Progress
) -> Any:
    """The mean loss of each epoch."""
    import torch

    optimizer = torch.optim.AdamW(model.parameters(), lr=settings.learning_rate)
    n_batches = -(-len(examples) // _BATCH)
    n_steps = n_batches * settings.epochs
    warmup = min(_WARMUP, n_steps // 10)
    model.train()
    step = 0
    for epoch in range(settings.epochs):
        order = list(range(len(examples)))
        Random(f"{settings.seed}/{epoch}").shuffle(order)
        total = 0.0
        batches = [order[at : at + _BATCH] for at in range(0, len(order), _BATCH)]
        for batch in progress(iter(batches), Task("train", n_batches)):
            rate = (step + 1) / (warmup + 1)
            if step >= warmup:
                rate = 0.5 * (1 + cos(pi * (step - warmup) / max(1, n_steps - warmup)))
            for group in optimizer.param_groups:
                group["lr"] = settings.learning_rate * rate
            loss = model(**_padded([examples[n] for n in batch], model)).loss
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), _CLIP)
            optimizer.step()
            optimizer.zero_grad()
            total += loss.item() * len(batch)
            step += 1
        yield total / len(examples)
    model.eval()


def _padded(examples: Sequence[Example], model: Any) -> dict[str, Any]:
    """A batch of examples as tensors."""
    import torch

    ids, labels = (
        torch.nn.utils.rnn.pad_sequence(
            [torch.tensor(one[n]) for one in examples], batch_first=True, padding_value=value
        )
        for n, value in ((0, model.config.pad_token_id or 0), (1, _NO_LOSS))
    )
    lengths = torch.tensor([len(asked) for asked, _ in examples])
    mask = torch.arange(ids.shape[1])[None, :] < lengths[:, None]
    given = {"input_ids": ids, "attention_mask": mask.long(), "labels": labels}
    return {name: tensor.to(model.device) for name, tensor in given.items()}


def _card(base: str, line: str, licence: str) -> str:
    """``README.md``, with the front matter that the Hugging Face Hub reads."""
    return (
        f"---\nlibrary_name: transformers\nbase_model: {base}\nlicense: {licence}\n"
        "tags: [spanbridge, annotation-projection]\n---\n\n"
        "# Generator of T-Projection by Spanbridge\n\n"
        "For `spanbridge project --method t-projection --method-option generator=FOLDER`.\n\n"
        f"`{line}`\n"
    )
