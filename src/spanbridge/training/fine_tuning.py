"""Complete training: from labelled files to a folder with a tagger."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.files import alone, check_named, reason
from spanbridge.core.progress import Progress, silent
from spanbridge.core.records import file_digest, read_record
from spanbridge.core.signature import signature
from spanbridge.core.spans import Nested, Sentence
from spanbridge.core.tags import OrphanPolicy, Scheme
from spanbridge.core.temporary import is_temporary, scratch_folder, sweep
from spanbridge.encode.checkpoint import Checkpoint
from spanbridge.encode.tokenizer import HuggingFaceTokenizer
from spanbridge.evaluation import evaluate_spans
from spanbridge.tagging.base import Tagger, Words, iob2_classes
from spanbridge.tagging.checkpoint_tagger import RECORD
from spanbridge.tagging.transformers_tagger import (
    TransformersTagger,
    best_device,
    longest_input,
    put_on,
)
from spanbridge.training.card import Score, model_card
from spanbridge.training.examples import Labelled, Piece, pieces
from spanbridge.training.model import (
    find_checkpoint,
    new_model,
    publish,
    save_account,
    save_model,
)
from spanbridge.training.resume import FOLDER, drop_state
from spanbridge.training.selection import save_discriminator
from spanbridge.training.settings import Settings
from spanbridge.training.teachers import Distillation, distil
from spanbridge.training.training_sets import (
    TrainingSet,
    examples,
    labels_of,
    leave_out_repeats,
    read_set,
)

if TYPE_CHECKING:
    from spanbridge.training.adversarial import Adversary

Tell = Callable[[dict[str, float]], None]


@dataclass(frozen=True)
class Unlabelled:
    """Text without labels, and how it is used.

    Attributes:
        teacher: tagger that labels ``texts`` for the student; None without a teacher.
        texts: sentences that the teacher labels.
        distillation: how the student learns from them.
        adversary: settings of adversarial alignment; None without.
        hidden: texts for adversarial alignment, one list per language.
    """

    teacher: Tagger | None = None
    texts: Sequence[Words] = ()
    distillation: Distillation = field(default_factory=Distillation)
    adversary: Adversary | None = None
    hidden: Sequence[Sequence[Words]] = ()

    def describe(self) -> str:
        """Description for the signature."""
        digest = sha256(repr((self.texts, self.hidden)).encode()).hexdigest()[:8]
        teacher = "none" if self.teacher is None else self.teacher.describe()
        return f"{teacher},{self.distillation},{self.adversary},text={digest}"


@dataclass(frozen=True)
class Result:
    """Result of a training.

    Attributes:
        folder: folder of the tagger.
        signature: data and settings on one line.
        scores: scores on the dev file and the test files.
        history: one row per epoch.
        seconds: duration of the training since it was last resumed.
    """

    folder: str
    signature: str
    scores: tuple[Score, ...]
    history: tuple[Mapping[str, float], ...]
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def train(
    sets: Sequence[TrainingSet],
    output: str,
    *,
    encoder: str,
    settings: Settings,
    dev: str | None = None,
    tests: Sequence[str] = (),
    labels: Sequence[str] | None = None,
    unlabelled: Unlabelled | None = None,
    nested: Nested = "outer",
    scheme: Scheme = "iob2",
    orphans: OrphanPolicy = "begin",
    licence: str = "other",
    command: str = "",
    progress: Progress = silent,
    tell: Tell = lambda figures: None,
) -> Result:
    """Fine-tune an encoder on labelled sentences.

    An interrupted training is resumed when called with the same arguments; a finished one is not
    repeated, but scored on the given files.

    Args:
        sets: training sets, as :func:`~spanbridge.training.training_sets.read_set` returns them.
        output: folder for the tagger: new, empty, or of this training.
        encoder: a checkpoint folder, a Hub id, or ``multilingual-e5-small``.
        settings: training settings.
        dev: file for choosing the best epoch; None takes the last.
        tests: files that are only scored.
        labels: labels to learn; None takes those of the sets, or else of the teacher.
        unlabelled: text for teachers or an adversary.
        nested: layer of the spans of ``dev`` and ``tests`` that is scored, as in ``read_set``.
        scheme, orphans: how the tags of ``dev`` and ``tests`` are read.
        licence: licence of the data, for the model card.
        command: the command line, for the model card.
        progress: shows the progress.
        tell: called after each epoch with its figures.

    Raises:
        InputError: a file is wrong; the output folder holds something else, such as another
            training's tagger, or a damaged state.
        SpanbridgeError: a setting is wrong, or there is nothing to learn from.
    """
    folder = Path(output)
    check_place(folder)
    started = time.monotonic()
    if settings.patience and dev is None:
        raise SpanbridgeError("patience waits for a better dev F1; give a dev file")
    settings = replace(settings, device=settings.device or best_device())
    leave_out_repeats(sets)
    wanted = _wanted(sets, labels, unlabelled)
    judged = {
        path: _gold(path, wanted, nested, scheme, orphans)
        for path in dict.fromkeys([*([dev] if dev else []), *tests])
    }
    checkpoint = find_checkpoint(encoder)
    encoded = f"{Path(encoder).name}@{checkpoint.fingerprint()[:8]}"
    line = _signature(encoded, sets, dev, wanted, nested, unlabelled, settings)
    with alone(folder / RECORD):
        sweep(folder, deep=True)
        before = finished(folder, line)
        if before is None:
            learned = examples(sets, wanted) if sets else []
            gold = [sentence for sentence, _ in judged[dev].sentences] if dev else []
            history = _fit(
                *(learned, gold, folder, line, checkpoint, settings, wanted, unlabelled),
                progress,
                tell,
            )
            seconds = round(time.monotonic() - started, 1)
        else:
            history, seconds = before
        scores = tuple(score(folder, gold, settings.device) for gold in judged.values())
        data = [found.text() for found in sets]
        card = model_card(encoder, wanted, data, scores, line, command, licence)
        result = Result(output, line, scores, history, seconds)
        save_account(folder, card, {**result.to_dict(), "settings": asdict(settings), "data": data})
        drop_state(folder)
        return result


def _signature(
    encoder: str,
    sets: Sequence[TrainingSet],
    dev: str | None,
    labels: Sequence[str],
    nested: Nested,
    unlabelled: Unlabelled | None,
    settings: Settings,
) -> str:
    """Everything that the tagger depends on, on one line."""
    return signature(
        {
            "task": "train",
            "encoder": encoder,
            "data": _digest(sets),
            "dev": file_digest(Path(dev))[:8] if dev else "none",
            "labels": ",".join(labels),
            **({} if nested == "outer" else {"nested": nested}),
            **({} if unlabelled is None else {"unlabelled": unlabelled.describe()}),
            **asdict(settings),
        }
    )


def _wanted(
    sets: Sequence[TrainingSet], labels: Sequence[str] | None, unlabelled: Unlabelled | None
) -> list[str]:
    """Labels to learn: those asked for, else those of the sets, else those of the teacher."""
    known = labels_of(sets)
    wanted = list(labels) if labels is not None else known
    if len(set(wanted)) < len(wanted) or not all(wanted) or "O" in wanted:
        raise SpanbridgeError(
            f"the labels are {', '.join(map(repr, wanted))}; name each once, and not O"
        )
    taught = unlabelled is not None and unlabelled.teacher is not None
    absent = [label for label in wanted if label not in known]
    if absent and sets and not taught:
        raise SpanbridgeError(f"nothing that is learned from has a span of {', '.join(absent)}")
    if not wanted and unlabelled is not None and unlabelled.teacher is not None:
        wanted = [name[2:] for name in unlabelled.teacher.classes if name.startswith("B-")]
    if not wanted:
        raise SpanbridgeError("no sentence has a label, so there is nothing to learn")
    return wanted


def _fit(
    learned: list[Labelled],
    dev: Sequence[Sentence],
    folder: Path,
    line: str,
    checkpoint: Checkpoint,
    settings: Settings,
    labels: Sequence[str],
    unlabelled: Unlabelled | None,
    progress: Progress,
    tell: Tell,
) -> tuple[Mapping[str, float], ...]:
    from safetensors import SafetensorError

    from spanbridge.training.trainer import Trainer

    classes = iob2_classes(labels)
    model, tokenizer = new_model(checkpoint, classes, settings)
    adversary = None
    if unlabelled is not None and unlabelled.teacher is not None:
        texts = unlabelled.texts
        learned = learned + distil(unlabelled.teacher, texts, classes, unlabelled.distillation)
    if unlabelled is not None and unlabelled.adversary is not None:
        adversary = new_objective(unlabelled, model, tokenizer, settings)
    put_on(model, settings.device)
    trainer = Trainer(model, tokenizer, classes, settings, tell, adversary, progress)
    done = trainer.fit(learned, dev, folder, line)
    try:
        with scratch_folder(folder / RECORD) as work:
            save_model(model, checkpoint, work)
            if adversary is not None:
                save_discriminator(adversary.module, work)
            publish(work, folder)
    except (OSError, SafetensorError) as error:
        raise InputError(folder, None, f"cannot be written ({reason(error)})") from error
    return tuple(done.history)


def new_objective(
    unlabelled: Unlabelled, model: Any, tokenizer: HuggingFaceTokenizer, settings: Settings
) -> Any:
    """The adversarial objective of a training."""
    from spanbridge.training.adversarial import AdversarialObjective

    assert unlabelled.adversary is not None
    longest = longest_input(model.config)

    def cut(words: Words) -> Iterator[Piece]:
        no_targets = np.zeros((len(words), 1), np.float32)
        return pieces(Labelled(tuple(words), no_targets), tokenizer, longest)

    texts = [[piece for words in text for piece in cut(words)] for text in unlabelled.hidden]
    width = int(model.classifier.in_features)
    return AdversarialObjective(
        texts, width, unlabelled.adversary, settings.batch_tokens, settings.seed
    )


def score(folder: Path, judged: TrainingSet, device: str) -> Score:
    """Score the saved tagger on a file."""
    tagger = TransformersTagger(str(folder), device=device)
    gold = [sentence for sentence, _ in judged.sentences]
    found = tagger.tag([sentence.words for sentence in gold])
    predicted = [g.with_spans(t.spans) for g, t in zip(gold, found, strict=True)]
    report = evaluate_spans(gold, predicted)
    interval = report.interval()
    micro = report.micro
    f1 = (micro.f1, interval.low, interval.high)
    unknown = dict(judged.dropped)
    return Score(judged.path, *f1, micro.precision, micro.recall, unknown, judged.n_nested)


def check_place(folder: Path) -> None:
    """Check, before the long work, that a training can use a folder.

    Raises:
        InputError: it cannot be made or written to, or holds something other than a training.
    """
    check_named(folder, "folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        raise InputError(folder, None, f"cannot be made into a folder ({reason(error)})") from error
    if not os.access(folder, os.W_OK):
        raise InputError(folder, None, "cannot be written to; name another folder")
    names = {path.name for path in folder.iterdir() if not is_temporary(path.name)}
    if names and not names & {RECORD, FOLDER}:
        raise InputError(folder, None, "holds other files; name a new or empty folder")


def finished(folder: Path, signature: str) -> tuple[tuple[Mapping[str, float], ...], float] | None:
    """History and seconds of the finished training in a folder, or None.

    Raises:
        InputError: it is another training's, or cannot be read.
    """
    path = folder / RECORD
    if not path.is_file():
        return None
    remedy = "delete the folder to train anew"
    about = read_record(path, remedy)
    try:
        of, history, seconds = about["signature"], tuple(about["history"]), float(about["seconds"])
    except (TypeError, KeyError) as error:
        raise InputError(path, None, f"is no training's; {remedy}") from error
    if of != signature:
        raise InputError(
            folder, None, f"holds the tagger of another training ({of}); name another folder"
        )
    return history, seconds


def _gold(
    path: str, labels: Sequence[str], nested: Nested, scheme: Scheme, orphans: OrphanPolicy
) -> TrainingSet:
    """Sentences of a file with spans of these labels. Raises InputError if there are none."""
    found = read_set(path, labels=labels, nested=nested, scheme=scheme, orphans=orphans)
    if not found.sentences:
        raise InputError(path, None, "holds no sentence with a word")
    return found


def _digest(sets: Sequence[TrainingSet]) -> str:
    digest = sha256()
    for found in sets:
        digest.update(repr((found.weight, found.sentences)).encode())
    return digest.hexdigest()[:12]
