"""Small files that every command can run on, for the harnesses that damage and kill."""

import json
import sys
from pathlib import Path
from random import Random

TESTS = Path(__file__).parents[1]
sys.path += [str(TESTS / name) for name in ("run", "encode") if str(TESTS / name) not in sys.path]

NAMES = {"PER": ["Angela", "Merkel"], "LOC": ["Berlin", "München"]}
FILLERS = ["fox", "jumps", "over", "the", "lazy", "dog", "heute", "besucht", ","]
CLASSES = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")


def labelled(n_rows: int, seed: str) -> str:
    """CoNLL of words that the tiny checkpoints know."""
    rng, rows = Random(seed), []
    for _ in range(n_rows):
        row = []
        for _ in range(rng.randint(2, 6)):
            if rng.random() < 0.3:
                label = rng.choice(sorted(NAMES))
                row.append(f"{rng.choice(NAMES[label])}\tB-{label}\n")
            row.append(f"{rng.choice(FILLERS)}\tO\n")
        rows.append("".join(row) + "\n")
    return "".join(rows)


def write(folder: Path, n_rows: int = 40) -> None:
    """A bitext, raw text with its translations and tags, tiny models, and pipeline files."""
    import tiny_checkpoints
    import toy_bitext
    import toy_pipeline

    for name, text in toy_bitext.invented_bitext(n_rows).items():
        (folder / name).write_text(text, "utf-8")
    toy_pipeline.write(folder, n_rows)
    for name in ("train", "dev"):
        (folder / f"{name}.conll").write_text(labelled(n_rows, name), "utf-8")
    texts = [
        " ".join(line.split("\t")[0] for line in row.splitlines())
        for row in labelled(n_rows, "train").split("\n\n")
        if row
    ]
    (folder / "en.tsv").write_text(
        "".join(f"{t}\t{t[::-1]}\n" for t in dict.fromkeys(texts)), "utf-8"
    )
    (folder / "words.txt").write_text("".join(f"{t}\n" for t in texts), "utf-8")
    names = dict(enumerate(CLASSES))
    numbers = {name: n for n, name in names.items()}
    tiny_checkpoints.save(folder / "tagger", "bert-tagger", id2label=names, label2id=numbers)
    tiny_checkpoints.save(folder / "encoder", "distilbert")
    for name, last in (("p", 0.0), ("q", 0.6)):
        settings = toy_pipeline.settings(Path(), "o/o.jsonl", shard_rows=10)
        settings["steps"][3]["project"]["min_confidence"] = last
        (folder / f"{name}.yaml").write_text(json.dumps(settings), "utf-8")
