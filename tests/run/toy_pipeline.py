"""A pipeline whose translations and tags come from files: every step is real, and quick."""

import json

LANGUAGES = {"target": "es", "source": "en"}
STEPS = [
    "split",
    {"translate": {"translator": {"given": {"model": "t.tsv"}}}},
    {"tag": {"tagger": {"given": {"model": "en.conll"}}}},
    # learns nothing, so that each shard depends on its own rows alone
    {"project": {"method": "greedy", "aligner": "lexical", "least_parallel": 0}},
    "join",
]
# what each target word is, and its tag
PAIRS = [
    [("Pedro", "Pedro", "B-PER"), ("vive", "lives", "O"), ("en", "in", "O")],
    [("Ana", "Ana", "B-PER"), ("trabaja", "works", "O"), ("en", "in", "O")],
]


def sentence(n):
    """Target text, translation, tagged translation of the n-th sentence."""
    rows = [*PAIRS[n % 2], (f"Lugar{n}", f"Lugar{n}", "B-LOC"), (".", ".", "O")]
    target, source, _ = (list(column) for column in zip(*rows, strict=True))
    tags = "".join(f"{word}\t{tag}\n" for _, word, tag in rows)
    return " ".join(target[:-1]) + ".", " ".join(source[:-1]) + ".", tags + "\n"


def write(place, n_rows, *, blank=7):
    """Text, translations and tags; some rows have two sentences, some none."""
    text, translations, tags = [], [], []
    for n in range(n_rows):
        both = [sentence(2 * n), sentence(2 * n + 1)]
        chosen = both if n % 3 == 0 else both[:1]
        text.append("" if n % blank == blank - 1 else "  ".join(s for s, _, _ in chosen))
        translations += [f"{s}\t{t}\n" for s, t, _ in chosen]
        tags += [tagged for _, _, tagged in chosen]
    (place / "es.txt").write_text("\n".join(text) + "\n", encoding="utf-8")
    (place / "t.tsv").write_text("".join(translations), encoding="utf-8")
    (place / "en.conll").write_text("".join(tags), encoding="utf-8")


def settings(place, output="o.jsonl", steps=None, **others):
    """As a pipeline file holds them, with whole paths."""
    given = json.loads(json.dumps(STEPS if steps is None else steps))
    given = json.loads(
        json.dumps(given)
        .replace('"t.tsv"', json.dumps(str(place / "t.tsv")))
        .replace('"en.conll"', json.dumps(str(place / "en.conll")))
    )
    return {
        "input": str(place / "es.txt"),
        "languages": LANGUAGES,
        "output": str(place / output),
        "steps": given,
        **others,
    }


def run(given):
    """Run a pipeline."""
    from spanbridge.run.config import make_pipeline
    from spanbridge.run.shards import run as run_job

    return run_job(make_pipeline(given).job())
