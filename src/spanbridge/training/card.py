"""Model card: the data and settings of a tagger, its scores, and the command that made it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Score:
    """Scores of a file, micro-averaged over entities; all in [0, 1].

    Attributes:
        path: the file.
        f1, low, high: F1 and its 95 % bootstrap interval.
        precision, recall: micro-averaged too.
        unknown: number of spans per label that the tagger does not know; they are not scored.
        nested: number of spans that overlap others, which a tagger cannot find; not scored either.
    """

    path: str
    f1: float
    low: float
    high: float
    precision: float
    recall: float
    unknown: Mapping[str, int] = field(default_factory=dict)
    nested: int = 0

    def text(self) -> str:
        """Summary in plain text."""
        return (
            f"{self.path}: F1 {self.f1:.4f} ({self.low:.4f} to {self.high:.4f}), "
            f"precision {self.precision:.4f}, recall {self.recall:.4f}"
            + "".join(f"; {n} {label} spans left out" for label, n in self.unknown.items())
            + (f"; {self.nested} spans of other layers left out" if self.nested else "")
        )


def model_card(
    encoder: str,
    labels: Sequence[str],
    data: Sequence[str],
    scores: Sequence[Score],
    signature: str,
    command: str,
    licence: str,
) -> str:
    """``README.md`` of a tagger, with the front matter that the Hugging Face Hub reads."""
    lines = [
        "---",
        "library_name: transformers",
        "pipeline_tag: token-classification",
        f"base_model: {_plain(encoder)}",
        f"license: {_plain(licence)}",
        "tags: [spanbridge, named-entity-recognition, cross-lingual]",
        "---",
        "",
        "# Token classifier by Spanbridge",
        "",
        f"Fine-tuned from {encoder}; classes O and B-, I- of {', '.join(labels)}.",
        "",
        "## Data",
        "",
        *(f"- {line}" for line in data),
        f"- licence of the data: {licence}",
        "",
        "## Scores",
        "",
        "Micro F1 over entities, with the bootstrap interval of 95 %.",
        "",
        *(f"- {s.text()}" for s in scores),
        "",
        "## Made by",
        "",
        "```",
        command or "(the library, without a command)",
        "```",
        "",
        f"`{signature}`",
        "",
        "Tag with `spanbridge tag --model FOLDER`, or with transformers' token classification",
        "pipeline (first subword of each word).",
    ]
    return "\n".join(lines) + "\n"


def _plain(text: str) -> str:
    """Value as a YAML scalar on one line."""
    return '"' + " ".join(text.split()).replace("\\", "/").replace('"', "'") + '"'
