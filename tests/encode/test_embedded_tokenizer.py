"""The embedded encoder's tokenizer against an independent one, and SentencePiece's own promises.

The independent one is a Unigram model of the library ``tokenizers`` over the same pieces and
scores, each character replaced by the map that the packed file holds. That map knows single
characters only, so it leaves a letter and a combining mark apart where SentencePiece composes them.
"""

import unicodedata
from collections import Counter

import pytest
import sentencepiece
from tokenizers import Tokenizer, models, pre_tokenizers

from spanbridge.encode.sentencepiece_model import build_model

HAND_MADE = """
التقت أنجيلا ميركل مجلس إدارة في برلين يوم الاثنين ١٬٠٠٠ ﷺ ـــ
अंगेला मर्केल ने सोमवार को बर्लिन में बैठक की १००० क़लम
安格拉 默克尔 周一 在 柏林 会见 了 西门子 董事会 。 ， ﹁ ㊗ ㍿ ⼀
アンゲラ メルケル は 月曜日 に ベルリン で 会った ㌔ ｱｲｳ ー
นางอังเกลา แมร์เคิล พบ คณะกรรมการ ที่ เบอร์ลิน ๑๒๓ น้ำ
Ангела Меркель встретилась с советом директоров в Берлине ёлка й Ѝ
Η Άνγκελα Μέρκελ συναντήθηκε στο Βερολίνο ΐ ΰ ς
አንጌላ መርክል በበርሊን ተገናኙ ። ፡ ፲፪
ஏஞ்சலா மேர்க்கெல் பெர்லினில் சந்தித்தார் கௌ
안젤라 메르켈 월요일 베를린 ㈜ ᄀ
🦊 👩‍👩‍👧 🇩🇪 👍🏽 ❤️ ශ්‍රී ക്‍ می‌خواهم ™ © ½ ² № … ‘’ “” – — ﬁ ﬂ ﬃ ① Ⅳ ℃ Å ſ ĳ ǆ
""".split()


@pytest.fixture(scope="module")
def independent(packed):
    """Words -> ids by the library ``tokenizers``."""
    vocabulary = list(zip(packed.pieces, packed.scores.tolist(), strict=True))
    unigram = Tokenizer(models.Unigram(vocabulary, packed.unk))
    unigram.pre_tokenizer = pre_tokenizers.Metaspace()

    def encode(words):
        plain = [" ".join(word.translate(packed.characters).split()) for word in words]
        return [e.ids for e in unigram.encode_batch(plain, add_special_tokens=False)]

    return encode


@pytest.fixture(scope="module")
def normalize():
    """SentencePiece's own, without its word-begin mark."""
    own = sentencepiece.SentencePieceNormalizer(rule_name="nmt_nfkc")
    return lambda word: own.normalize(word).removeprefix("\u2581")


def words_of(path):
    lines = path.read_text(encoding="utf-8").split("\n")
    return sorted({line.split()[0] for line in lines if line.strip()})


def equally_good(found, expected):
    """The same pieces in another order: of equal scores, either may win."""
    return Counter(found) == Counter(expected)


def differing(words, embedded, independent):
    ids = embedded.tokenizer.encode_words(words)
    rows = zip(words, ids, independent(words), strict=True)
    return [word for word, found, expected in rows if not equally_good(found, expected)]


def test_special_tokens(embedded, packed):
    assert (embedded.tokenizer.prefix, embedded.tokenizer.suffix) == ([packed.bos], [packed.eos])
    assert (packed.pieces[packed.bos], packed.pieces[packed.eos]) == ("<s>", "</s>")


@pytest.mark.slow
def test_the_whole_character_map(embedded, packed, independent):
    """Every entry between two letters; two of them are marks that compose with the first."""
    words = [f"a{chr(code_point)}b" for code_point in packed.characters]
    assert len(words) > 4800
    assert differing(words, embedded, independent) == ["a\u0340b", "a\u0341b"]


def test_many_scripts(embedded, independent):
    assert len(HAND_MADE) > 120
    assert not differing(HAND_MADE, embedded, independent)


def test_decomposed_words_equal_composed_ones(embedded):
    words = ["Kọ́lá", "München", "Škoda", "Άνγκελα", "ёлка", "Đặng", "ガード", "한국"]
    apart = [unicodedata.normalize("NFD", word) for word in words]
    assert not set(apart) & set(words)
    encode = embedded.tokenizer.encode_words
    assert encode(apart) == encode([unicodedata.normalize("NFC", word) for word in words])


@pytest.mark.slow
def test_real_words(real_data, embedded, packed, independent, normalize):
    """Every word that differs does so by composed marks; normalised alike, all have equal ids."""
    n_words = n_differing = 0
    shares = {}
    files = [
        *sorted(real_data.glob("masakhaner2/*/dev.txt")),
        *sorted(real_data.glob("europarl-ner/*.conll")),
        *sorted(real_data.glob("news-ner/*/dev.txt")),
    ]
    assert len(files) == 28
    for path in files:
        words = words_of(path)
        apart = differing(words, embedded, independent)
        normal = [normalize(word) for word in apart]
        for word, form in zip(apart, normal, strict=True):
            assert form != word.translate(packed.characters)
            # not always equal to NFKC, for SentencePiece does not sort a letter's marks
            assert unicodedata.normalize("NFKD", form) == unicodedata.normalize("NFKD", word)
        pairs = zip(embedded.tokenizer.encode_words(apart), independent(normal), strict=True)
        assert all(equally_good(found, expected) for found, expected in pairs)
        shares[path.parent.name] = len(apart) / len(words)
        n_words += len(words)
        n_differing += len(apart)
    assert n_words > 130_000
    assert n_differing / n_words < 0.03
    # Yoruba, Ghomálá' and Ewe are written with combining marks in these files
    assert {name for name, share in shares.items() if share} == {"yor", "bbj", "ewe"}
    assert shares["yor"] > 0.5


@pytest.mark.parametrize(
    ("given", "same"),
    [
        ("ﬁn", "fin"),
        ("Abi\u0301dja\u0302n", "Abídjân"),
        ("Ａｎｎａ", "Anna"),
        ("①", "1"),
        ("㌔", "キロ"),
        ("ｶﾞ", "ガ"),
        ("cafe\u200b", "cafe"),
        ("a\u3000b", "a b"),
        ("½", "1⁄2"),
        ("한", "\u1112\u1161\u11ab"),
    ],
)
def test_nfkc(embedded, given, same):
    """SentencePiece documents nmt_nfkc as NFKC with additions for white space and zero widths."""
    first, second = embedded.tokenizer.encode_words([given, same])
    assert first == second
    assert first


@pytest.mark.parametrize("word", ["", " ", "\u200b", "\u200b\ufeff", "\t", "\u3000"])
def test_ignorable_words_have_no_subwords(embedded, word):
    assert embedded.tokenizer.encode_words([word]) == [[]]


@pytest.mark.parametrize("word", ["<s>", "</s>", "<pad>", "<mask>", "<unk>"])
def test_names_of_special_tokens_are_plain_text(embedded, packed, word):
    [ids] = embedded.tokenizer.encode_words([word])
    specials = {packed.bos, packed.eos, packed.pad, packed.unk, len(packed.pieces) - 1}
    assert ids
    assert not specials & set(ids)


def test_unknown_characters_are_the_unknown_token(embedded, packed):
    assert embedded.tokenizer.encode_words(["\U0010fffd"]) == [[6, packed.unk]]


def test_built_model_of_three_words():
    """Viterbi by hand: `ab` as one piece scores -1, as two -4; `ba` can only be two."""
    pieces = ["<s>", "<unk>", "\u2581", "a", "b", "ab"]
    proto = build_model(pieces, [0, 0, -1.0, -2.0, -2.0, -1.0], unk=1, specials={0})
    processor = sentencepiece.SentencePieceProcessor(model_proto=proto)
    assert processor.encode("ab") == [2, 5]
    assert processor.encode("ba") == [2, 4, 3]
    assert processor.encode("<s>") == [2, 1]
    assert processor.get_piece_size() == 6


def test_memo_gives_the_same_and_stays_bounded(embedded, monkeypatch):
    monkeypatch.setattr("spanbridge.encode.tokenizer._MEMO_SIZE", 3)
    tokenizer = embedded.tokenizer
    words = ["Berlin", "Paris", "Roma", "Berlin", "Wien", "Bern"]
    alone = [tokenizer.encode_words([word])[0] for word in words]
    monkeypatch.setattr(tokenizer, "_memo", {})
    assert [tokenizer.encode_words([word])[0] for word in words] == alone
    assert len(tokenizer._memo) <= 3
    assert tokenizer.encode_words(words) == alone
