"""T-Projection: prompts as published, candidates in the target, and a tiny model end to end."""

import json

import pytest

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.spans import Sentence, Span
from spanbridge.projection.t_projection import filled, located, prompt, read

WORDS = "Obama fue a Nueva York con Google .".split()
SPANS = (Span(3, 5, "LOC"), Span(0, 1, "PER"), Span(6, 7, "BRAND"))


def test_the_published_prompt():
    asked = "<Person>[None]</Person><Location>[None]</Location><BRAND>[None]</BRAND>"
    assert prompt(WORDS, SPANS) == f"Obama fue a Nueva York con Google . {asked}"
    answer = "<Person>Obama</Person><Location>Nueva York</Location><BRAND>Google</BRAND>"
    assert filled(WORDS, SPANS) == answer
    assert read(answer) == [("Person", "Obama"), ("Location", "Nueva York"), ("BRAND", "Google")]


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ("", []),
        ("<Person>[None]</Person>", [("Person", "[None]")]),
        ("x<Person> Ana\nRoe </Person></Person><Person>", [("Person", "Ana\nRoe")]),
        ("<Person>Ana</Location>", []),
        ("<A>x</A><A>y</B></A>", [("A", "x"), ("A", "y</B>")]),
    ],
)
def test_answers_that_are_none(answer, found):
    assert read(answer) == found


@pytest.mark.parametrize(
    ("text", "words", "inside", "found"),
    [
        ("Nueva York", WORDS, False, [(3, 5)]),
        ("nueva york", WORDS, False, [(3, 5)]),
        ("York Nueva", WORDS, False, []),
        ("", WORDS, False, []),
        ("...", WORDS, False, []),
        (".", WORDS, False, [(7, 8)]),
        ("a", ["a", "b", "a"], False, [(0, 1), (2, 3)]),
        ("U.S.", ["the", "U", ".", "S", ".", "left"], False, [(1, 5)]),
        ("北京市", ["在", "北", "京", "市"], False, [(1, 4)]),
        ("A", ["a", "A"], False, [(1, 2)]),
        ("Jamani", ["Ummeli", "waseJamani"], False, []),
        ("Jamani", ["Ummeli", "waseJamani"], True, [(1, 2)]),
        ("jamani yase", ["waseJamani", "yaseYurophu"], True, [(0, 2)]),
        ("x" * 99, ["x"], True, []),
    ],
)
def test_texts_are_located(text, words, inside, found):
    assert located(text, words, inside) == found


# --- a tiny model

NAMES, PLACES = ("Anna", "Ben", "Carl", "Dana"), ("Rome", "Oslo", "Bonn")
SENTENCES = [
    Sentence((name, "lives", "in", place, "."), (Span(0, 1, "PER"), Span(3, 4, "LOC")))
    for name in NAMES
    for place in PLACES
]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """An mT5 that knows the words of these sentences and nothing else."""
    torch = pytest.importorskip("torch")
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
    from transformers import MT5Config, MT5ForConditionalGeneration, PreTrainedTokenizerFast

    words = {word for one in SENTENCES for word in one.words}
    tags = [f"<{end}{name}>" for name in ("Person", "Location") for end in ("", "/")]
    known = ["<pad>", "</s>", "<unk>", "▁", *tags, "[None]", *sorted(words)]
    known += [f"▁{word}" for word in sorted(words)] + [f"▁{tag}" for tag in tags]
    fast = Tokenizer(models.Unigram([(piece, -1.0) for piece in known], unk_id=2))
    fast.pre_tokenizer = pre_tokenizers.Metaspace()
    fast.decoder = decoders.Metaspace()
    special = [AddedToken(name, special=True) for name in ("<pad>", "</s>", "<unk>")]
    fast.add_special_tokens(special)
    config = MT5Config(
        vocab_size=len(known),
        d_model=32,
        d_ff=64,
        d_kv=8,
        num_heads=4,
        num_layers=2,
        num_decoder_layers=2,
        dropout_rate=0.0,
        decoder_start_token_id=0,
        pad_token_id=0,
        eos_token_id=1,
    )
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("mt5")
    MT5ForConditionalGeneration(config).save_pretrained(folder)
    PreTrainedTokenizerFast(
        tokenizer_object=fast, eos_token="</s>", pad_token="<pad>", unk_token="<unk>"
    ).save_pretrained(folder)
    return folder


@pytest.fixture
def translator(tmp_path_factory):
    import tiny_translators

    return tiny_translators.save(tmp_path_factory.mktemp("mt") / "m2m", "m2m")


@pytest.mark.slow
def test_a_generator_is_trained_and_projects(tmp_path, spanbridge, tiny, translator):
    """All candidates of a label come from the beams; those of the right place are among them."""
    from spanbridge.core.rows import SentencePair
    from spanbridge.core.spans import ABSENT
    from spanbridge.formats import read_rows, write_pairs

    rows = [SentencePair(str(n), one, ABSENT) for n, one in enumerate(SENTENCES)]
    write_pairs(tmp_path / "en.conll", rows, "source")
    (tmp_path / "t.txt").write_text("".join(f"{' '.join(one.words)}\n" for one in SENTENCES))
    train = ("train", "--generator", tiny, "--train", "en.conll")
    more = ("--epochs", 90, "--learning-rate", 0.01, "--device", "cpu", "--json", "--quiet")
    told = json.loads(spanbridge(*train, "-o", "spans", *more).stdout)
    assert told["n_examples"] == len(SENTENCES)
    assert told["losses"][-1] < 0.02
    assert "task:train-generator" in told["signature"]
    assert "spanbridge project --method t-projection" in (tmp_path / "spans/README.md").read_text()
    project = ("project", "--source", "en.conll", "--target", "t.txt", "--method", "t-projection")
    models = (
        "--translator-model",
        translator,
        "--from",
        "en",
        "--to",
        "es",
    )
    own = ("--method-option", "generator=spans", "--method-option", "beam=4")
    done = spanbridge(*project, *own, *models, "-o", "o.jsonl")
    found = [row for _, row in read_rows(tmp_path / "o.jsonl")]
    assert len(found) == len(SENTENCES)
    right = 0
    for row, sentence in zip(found, SENTENCES, strict=True):
        assert all(0 < span.score < 1 for span in row.target.spans)
        right += [span[:3] for span in row.target.spans] == [span[:3] for span in sentence.spans]
    assert right >= len(SENTENCES) - 1
    assert "uncalibrated: nothing is known of the method t-projection" in done.stderr
    assert "method:t-projection(generated(spans@" in done.stderr
    assert "translation scores" in done.stderr
    again = spanbridge(*project, *own, *models, "-o", "p.jsonl")
    assert (tmp_path / "p.jsonl").read_bytes() == (tmp_path / "o.jsonl").read_bytes()
    assert again.stderr.replace("p.jsonl", "o.jsonl").split("\n")[-1] == done.stderr.split("\n")[-1]
    short = ("--method-option", "longest=3")
    long = spanbridge(*project, *own, *short, *models, "-o", "q.jsonl")
    assert "rejected: 12 subwords, more than the generator reads" in long.stderr
    for args, why in [
        ((*project, *own, "-o", "x.jsonl"), "'t-projection' needs a translator to rank"),
        ((*project, "-o", "x.jsonl"), "generator"),
        ((*project, *own, *models, "--weight", "soft=1", "-o", "x"), "'soft' needs an alignment"),
        ((*train, "-o", "spans"), "spans: is there already; name a new folder"),
        ((*train, "-o", "y", "--dev", "en.conll"), "--dev does nothing with --generator"),
        ((*train, "-o", "y", "--encoder", "x"), "--encoder does nothing with --generator"),
        ((*train, "-o", "y", "--labels", "X"), "no sentence has spans"),
        (
            ("train", "--generator", translator, "--train", "en.conll", "-o", "y"),
            "not of T5 or mT5",
        ),
        (("train", "--generator", tiny, "-o", "y"), "there is nothing to learn from"),
    ]:
        assert why in spanbridge(*args, code=2).stderr, args


@pytest.mark.slow
def test_refusals(tmp_path, translator, tiny):
    from spanbridge.core import registry

    def made(**options):
        return registry.build("method", "t-projection", options)

    with pytest.raises(InputError, match="is of type 'm2m_100', not of T5 or mT5"):
        made(generator=str(translator))
    with pytest.raises(SpanbridgeError, match="both are at least 1"):
        made(generator=str(tiny), beam=0)
    (tmp_path / "config.json").write_text('{"model_type": "mt5"}')
    with pytest.raises(InputError, match="has no weights"):
        made(generator=str(tmp_path))
