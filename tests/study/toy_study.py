"""Toy studies: translations and tags come from files, every step is real, and quick."""

import json

from spanbridge.core.settings_file import write_settings

NAMES = ("Ana", "Pedro", "Lima", "Roma", "Acme", "Otto", "Kiel", "Mara")
LABELS = {"Lima": "LOC", "Roma": "LOC", "Kiel": "LOC", "Acme": "ORG"}
LANGUAGES = (
    *("af", "ar", "bg", "bn", "cs", "da", "de", "el", "es", "et", "eu", "fa", "fi", "fr", "ga"),
    *("gl", "gu", "he", "hi", "hr", "hu", "hy", "id", "is", "it", "ja", "ka", "kk", "kn", "ko"),
    *("lt", "lv", "mk", "ml", "mr", "ms", "mt", "nl", "no", "pa", "pl", "pt", "ro", "ru", "sk"),
    *("sl", "sq", "sr", "sv", "sw", "ta", "te", "th", "tr", "uk", "ur", "vi"),
)


def word(language, n):
    """A word of a language; some are as in English, so that lexical links find them."""
    return f"{language}{n}"


def write(place, languages, n_rows=6):
    """Gold, translations, and their tags, for each language."""
    for k, language in enumerate(languages):
        gold, translations, tags = [], [], []
        for n in range(n_rows):
            name, other = NAMES[(n + k) % 8], NAMES[(n + k + 3) % 8]
            rows = [
                (name, name, LABELS.get(name, "PER")),
                (word(language, n), f"en{n}", ""),
                (other, other if (n + k) % 4 else other[::-1], LABELS.get(other, "PER")),
                (".", ".", ""),
            ]
            gold += [f"{mine}\t{f'B-{label}' if label else 'O'}\n" for mine, _, label in rows]
            gold.append("\n")
            translations.append(" ".join(r[0] for r in rows) + "\t" + " ".join(r[1] for r in rows))
            # the tagger of English overlooks some
            tags += [
                f"{theirs}\t{f'B-{label}' if label and (n + k + j) % 5 else 'O'}\n"
                for j, (_, theirs, label) in enumerate(rows)
            ]
            tags.append("\n")
        (place / f"{language}.conll").write_text("".join(gold), encoding="utf-8")
        (place / f"{language}.tsv").write_text("\n".join(translations) + "\n", encoding="utf-8")
        (place / f"{language}.en.conll").write_text("".join(tags), encoding="utf-8")


def translated(place, method, **settings):
    """Steps of a system that goes through the translation."""
    return [
        {"translate": {"translator": {"given": {"model": f"{place}/{{language}}.tsv"}}}},
        {"tag": {"tagger": {"given": {"model": f"{place}/{{language}}.en.conll"}}}},
        {
            "project": {
                "method": method,
                "aligner": "lexical",
                "least_parallel": 0,
                **settings,
            }
        },
    ]


def systems(place, n=4):
    """So many systems, most of which share translation and tags."""
    found = {
        "greedy": {"steps": translated(place, "greedy")},
        "heuristic": {"steps": translated(place, "heuristic")},
        "gold-tags": {
            "steps": [
                {
                    "tag": {
                        "side": "target",
                        "tagger": {"given": {"model": f"{place}/{{language}}.conll"}},
                    }
                }
            ]
        },
        "theirs": {"predictions": f"{place}/{{language}}.conll"},
    }
    for k in range(4, n, 2):
        found[f"greedy{k}"] = {"steps": translated(place, "greedy", min_confidence=k / 100)}
        found[f"theirs{k}"] = {"predictions": f"{place}/{{language}}.conll"}
    return dict(list(found.items())[:n])


def settings(place, languages, n_systems=4, **others):
    """A study as its file holds it."""
    return {
        "data": [
            {
                "name": "toy",
                "languages": list(languages),
                "files": f"{place}/{{language}}.conll",
            }
        ],
        "systems": systems(place, n_systems),
        "scores": {"resamples": 100},
        "output": str(place / "out"),
        **others,
    }


def study(place, languages=("de", "es"), n_systems=4, **others):
    """Write data and study file; the file's path."""
    write(place, languages)
    path = place / "study.yaml"
    given = settings(place, languages, n_systems, **others)
    path.write_text(write_settings(json.loads(json.dumps(given))), encoding="utf-8")
    return str(path)


def results(folder):
    """Every file of the results but those that tell of time and of work."""
    skip = {"work", "state"}
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and not skip & set(path.relative_to(folder).parts)
        and path.name != "timings.jsonl"
    }
