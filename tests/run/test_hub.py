"""Rows pushed to the Hugging Face Hub: what comes there, and what is said where it does not."""

import json
import os
import re

import pytest
import yaml
from fake_hub import TOKEN, served
from huggingface_hub import HfApi

from spanbridge.core.rows import SentencePair
from spanbridge.core.spans import ABSENT, Sentence, Span
from spanbridge.formats import read_rows, write_pairs
from spanbridge.run.card import About
from spanbridge.run.hub import is_dataset, push

ROWS = [
    SentencePair("1", ABSENT, Sentence(("Ann", "Roe", "left"), (Span(0, 2, "PER", 0.5),))),
    SentencePair("2", ABSENT, Sentence(("<b>", "Łódź", "|"), (Span(1, 2, "LOC"),))),
]
AT = "hf://datasets/ana/news-de"


@pytest.fixture
def hub(monkeypatch):
    with served() as (found, address):
        monkeypatch.setenv("HF_ENDPOINT", address)
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        yield found


@pytest.fixture
def rows(tmp_path):
    write_pairs(tmp_path / "in.jsonl", ROWS)
    return tmp_path / "in.jsonl"


def card_of(repo):
    _, head, body = repo["README.md"].decode().split("---\n", 2)
    return yaml.safe_load(head), body


def test_a_data_set_and_its_card(tmp_path, spanbridge, hub, rows):
    done = spanbridge("convert", rows, AT, "--language", "de", "--license", "cc-by-4.0")
    assert "written to hf://datasets/ana/news-de" in done.stderr
    assert "1 scores of target spans not written" in done.stderr
    (repo,) = hub.repos.values()
    assert set(repo) == {"README.md", "data/train.parquet"}
    assert hub.made["ana/news-de"]["visibility"] == "private"
    (tmp_path / "got.parquet").write_bytes(repo["data/train.parquet"])
    again = [row for _, row in read_rows(tmp_path / "got.parquet")]
    assert [row.target.words for row in again] == [row.target.words for row in ROWS]
    assert again[0].target.spans == (Span(0, 2, "PER"),)
    head, body = card_of(repo)
    assert head == {
        "language": ["de"],
        "license": "cc-by-4.0",
        "pretty_name": "news-de",
        "task_categories": ["token-classification"],
        "task_ids": ["named-entity-recognition"],
        "size_categories": ["n<1K"],
        "tags": ["spanbridge"],
        "configs": [
            {
                "config_name": "default",
                "data_files": [{"split": "train", "path": "data/train.parquet"}],
            }
        ],
        "dataset_info": {
            "features": [
                {"name": "id", "dtype": "string"},
                {"name": "tokens", "sequence": "string"},
                {
                    "name": "ner_tags",
                    "sequence": {
                        "class_label": {
                            "names": {"0": "O", "1": "B-LOC", "2": "B-PER", "3": "I-PER"}
                        }
                    },
                },
            ]
        },
    }
    assert "2 rows with 2 labelled spans" in body
    assert "| PER | 1 |" in body
    assert "No run of Spanbridge left a record" in body
    assert "| scores of target spans not written | 1 |" in body
    assert "orphan" not in body
    assert "task:convert|from:jsonl|to:hf|side:target" in body
    assert str(tmp_path) not in body
    assert sorted(path.name for path in tmp_path.iterdir()) == ["got.parquet", "in.jsonl"]


def test_the_card_says_how_rows_were_projected(tmp_path, spanbridge, hub):
    (tmp_path / "s.conll").write_text("Ann\tB-PER\nleft\tO\n\nBonn\tB-a|<b>\n")
    (tmp_path / "t.txt").write_text("Ann ging\nBonn\n")
    write = ("--method", "heuristic", "--aligner", "lexical", "-o", "out.jsonl")
    spanbridge("project", "--source", "s.conll", "--target", "t.txt", *write)
    made = json.loads((tmp_path / "out.jsonl.run.json").read_text())
    spanbridge("convert", "out.jsonl", AT, "--public", "--quiet")
    head, body = card_of(hub.repos["ana/news-de"])
    assert not {"language", "license"} & head.keys()
    assert hub.made["ana/news-de"]["visibility"] == "public"
    assert made["signature"] in body
    assert f"| of the source | {made['account']['source_spans']} |" in body
    assert made["account"]["calibration"] in body
    assert "| a\\|&lt;b> | 1 |" in body
    assert "rows whose source side is not written" in body
    with (tmp_path / "out.jsonl").open("a") as out:
        out.write((tmp_path / "out.jsonl").read_text())
    spanbridge("convert", "out.jsonl", f"{AT}-2")
    assert "changed after the run that made it" in card_of(hub.repos["ana/news-de-2"])[1]


@pytest.mark.slow
def test_what_the_package_datasets_reads(tmp_path, hub, rows):
    """The card and the file, put where the Hub would have them."""
    datasets = pytest.importorskip("datasets")
    push(str(rows), AT, about=About(("de",)))
    for name, content in hub.repos["ana/news-de"].items():
        (tmp_path / "repo" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "repo" / name).write_bytes(content)
    loaded = datasets.load_dataset(str(tmp_path / "repo"), cache_dir=str(tmp_path / "cache"))
    tags = loaded["train"].features["ner_tags"].feature
    assert tags == datasets.ClassLabel(names=["O", "B-LOC", "B-PER", "I-PER"])
    assert loaded["train"].features["tokens"].feature == datasets.Value("string")
    assert tags.int2str(loaded["train"][0]["ner_tags"]) == ["B-PER", "I-PER", "O"]
    found = datasets.load_dataset_builder(
        str(tmp_path / "repo"), cache_dir=str(tmp_path / "cache")
    ).info.features
    assert found["ner_tags"].feature == tags


def test_whole_pairs_keep_their_confidences(tmp_path, spanbridge, hub, rows):
    spanbridge("convert", rows, AT, "--to", "jsonl")
    (tmp_path / "got.parquet").write_bytes(hub.repos["ana/news-de"]["data/train.parquet"])
    assert [row for _, row in read_rows(tmp_path / "got.parquet")] == ROWS
    assert "dataset_info" not in card_of(hub.repos["ana/news-de"])[0]


def test_rows_that_cannot_be_written_are_told(tmp_path, spanbridge, hub):
    """Their reasons are where the user works, also if the Hub refuses the others."""
    odd = [row._replace(id=f"{row.id}-odd", extra={"label_studio": 5}) for row in ROWS]
    write_pairs(tmp_path / "in.jsonl", [ROWS[0], *odd, ROWS[1]])
    hub.fail = {"create": (403, "no")}
    spanbridge("convert", "in.jsonl", AT, "--to", "labelstudio", code=2)
    for path in tmp_path.glob("news-de-*"):
        assert not list(path.rglob("*.rejects.jsonl"))
    (tmp_path / "news-de.rejects.jsonl").unlink()
    hub.fail = {}
    done = spanbridge("convert", "in.jsonl", AT, "--to", "labelstudio")
    assert "4 rows = 2 converted, 2 rejected" in done.stderr
    assert "rejected rows and why: news-de.rejects.jsonl" in done.stderr
    told = (tmp_path / "news-de.rejects.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line)["id"] for line in told] == ["1-odd", "2-odd"]
    assert all("rename that key" in json.loads(line)["reason"] for line in told)
    (repo,) = hub.repos.values()
    assert set(repo) == {"README.md", "data/train.parquet"}
    (tmp_path / "got.parquet").write_bytes(repo["data/train.parquet"])
    again = [row for _, row in read_rows(tmp_path / "got.parquet")]
    assert [bool(row.target.words) for row in again] == [True, False, False, True]
    assert "1-odd" not in repo["README.md"].decode()
    (tmp_path / "in.jsonl").rename(tmp_path / "news-de.rejects.jsonl")
    done = spanbridge("convert", "news-de.rejects.jsonl", AT, code=2)
    assert "is where the rejects would go" in done.stderr


@pytest.mark.parametrize(
    ("part", "status", "words", "said"),
    [
        ("create", 403, "You don't have the rights", "may not write to ana (403: You don't have"),
        ("create", 401, "Invalid token", "does not know the token (401"),
        ("create", 409, "You already created this", "has a data set of this name (409: You"),
        ("create", 400, "bad name", "does not take it (400: bad name)"),
        ("commit", 403, f"no {TOKEN}", "may not write to ana (403: no ***"),
        ("commit", 413, "too much", "does not take it (413"),
    ],
)
def test_a_refusal_keeps_the_data_set(tmp_path, spanbridge, hub, rows, part, status, words, said):
    hub.fail[part] = (status, words)
    told = spanbridge("convert", rows, AT, code=2).stderr
    assert said in told
    assert TOKEN not in told
    assert told.count("\n") <= 12
    told = " ".join(told.split())
    (kept,) = re.findall(r"hf upload ana/news-de (\S+) \. --repo-type dataset --private", told)
    names = {path.name for path in tmp_path.glob(f"{kept}/**/*")}
    assert names == {"README.md", "data", "train.parquet"}
    assert len(list(read_rows(tmp_path / kept / "data" / "train.parquet"))) == len(ROWS)
    # what is kept can be pushed as the message says
    hub.fail.clear()
    api = HfApi(endpoint=os.environ["HF_ENDPOINT"])
    api.create_repo("ana/news-de", repo_type="dataset", private=True, exist_ok=True)
    api.upload_folder(folder_path=tmp_path / kept, repo_id="ana/news-de", repo_type="dataset")
    assert set(hub.repos["ana/news-de"]) == {"README.md", "data/train.parquet"}


def test_a_data_set_that_is_there_is_not_touched(spanbridge, hub, rows):
    hub.repos["ana/news-de"] = {"README.md": b"mine"}
    told = spanbridge("convert", rows, AT, code=2).stderr
    assert "and pushed there in its place by: hf upload ana/news-de" in told
    assert hub.repos["ana/news-de"] == {"README.md": b"mine"}


def test_a_server_that_is_no_hub(spanbridge, hub, rows):
    hub.page = b"<html>\x1b[31m Log in to the network"
    told = spanbridge("convert", rows, AT, code=2).stderr
    assert "the Hugging Face Hub does not answer as it should" in told
    assert "\x1b" not in told


def test_no_network(tmp_path, spanbridge, hub, rows, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    told = spanbridge("convert", rows, AT, code=2).stderr
    assert "the Hugging Face Hub cannot be reached (connection refused)" in told
    assert "the data set is kept in news-de-" in told


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("hf://datasets/ana",), "give a data set as hf://datasets/USER/NAME"),
        (("hf://ana/news",), "give a data set as hf://datasets/USER/NAME"),
        (("hf://datasets/ana/a b",), "is no name of a data set"),
        (("hf://datasets/ana/x--y",), "is no name of a data set"),
        ((AT, "--language", ""), "'' is no code of a language"),
        ((AT, "--language", "de: [x]"), "is no code of a language"),
        ((AT, "--license", "CC BY\n"), "is no name of a licence"),
        ((AT, "--to", "conll"), "the format conll has no objects"),
        (("out.parquet", "--public"), "are for a data set of the Hugging Face Hub"),
        (("out.parquet", "--language", "de"), "are for a data set of the Hugging Face Hub"),
    ],
)
def test_wrong_requests(tmp_path, spanbridge, hub, rows, args, said):
    told = spanbridge("convert", rows, *args, code=2).stderr
    assert said in told
    assert not hub.asked
    assert [path.name for path in tmp_path.iterdir()] == ["in.jsonl"]


def test_no_token(tmp_path, spanbridge, hub, rows, monkeypatch):
    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setenv("HF_TOKEN_PATH", str(tmp_path / "none"))
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "none"))
    told = spanbridge("convert", rows, AT, code=2).stderr
    assert "there is no token of the Hugging Face Hub; set HF_TOKEN, or log in" in told
    assert not hub.asked


def test_wrong_rows_push_nothing(tmp_path, spanbridge, hub):
    (tmp_path / "bad.jsonl").write_text('{"target_words": ["a"]}\n<html>\n')
    told = spanbridge("convert", "bad.jsonl", AT, code=2).stderr
    assert "bad.jsonl:2: " in told
    assert not hub.asked
    assert [path.name for path in tmp_path.iterdir()] == ["bad.jsonl"]


def test_what_lies_in_a_data_set_is_a_file():
    assert is_dataset("hf://datasets/a/b")
    assert is_dataset("hf:/datasets/a/b/")
    assert not is_dataset("hf://datasets/a/b/c.parquet")
    assert not is_dataset("s3://datasets/a/b")
    assert not is_dataset("hf/datasets")
