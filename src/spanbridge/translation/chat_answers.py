"""What a chat model's answer says: the translation in it, or the reason why there is none."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any

from spanbridge.chat.answer import Answer, without_thoughts
from spanbridge.core.rows import FAILED, OK
from spanbridge.translation.base import Translation

KEY = "translation"
_START = re.compile(r"[{[]")
_MOST_STARTS = 300  # places of an answer where a JSON value is looked for
_CANNOT = r"(?:can ?not|can['’]?t|could ?n[o'’]t|won['’]?t|will not|am (?:not able|unable)|must)"
_REFUSALS = [
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"\A\W*(?:i['’]?m|i am|we['’]?re) (?:really |very |so )?(?:sorry|afraid)\b.{{0,20}}\b"
        rf"(?:i|we) {_CANNOT}",
        rf"\A\W*(?:sorry|unfortunately|i apologi[sz]e|my apologies)\b.{{0,20}}\b(?:i|we) {_CANNOT}",
        rf"\A\W*i {_CANNOT}\b.{{0,20}}\b(?:help|assist|translat|provide|compl|fulfil|continue|"
        r"answer|process|engage|generate|create|decline|do that)",
        r"\A\W*i['’]?m (?:not able|unable) to\b.{0,20}\b(?:help|assist|translat|provide|compl)",
        r"\bas an? (?:ai|artificial intelligence|(?:large )?language model)\b",
        r"\A\W*(?:lo siento|lamento)\b.{0,20}\bno (?:puedo|podemos)",
        r"\A\W*(?:je (?:suis |regrette)|désolée?\b).{0,30}\bje ne (?:peux|suis|puis)",
        r"\A\W*(?:es )?tut mir leid\b.{0,20}\b(?:kann ich|ich kann)",
        r"\A\W*(?:(?:sinto|lamento) muito|lamento|desculpe)\b.{0,20}\bnão (?:posso|podemos)",
        r"\A\W*mi dispiace\b.{0,20}\bnon posso",
        r"\A\W*(?:извините|простите|к сожалению)\b.{0,20}\bя не могу",
        r"\A\W*(?:很?抱歉|对不起|對不起).{0,10}(?:不能|无法|無法)",
        r"\A\W*(?:申し訳|すみません|ごめんなさい).{0,40}(?:できません|できかねます)",
    )
]
_NOTES = [
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"\A\W*(?:sure|certainly|of course|okay|here(?: is|['’]s| are| you go))\b.{0,40}\btranslat",
        r"\A\W*(?:the |my )?(?:\w+ )?translation(?: (?:is|of the text|to \w+|in(?:to)? \w+))?\s*:",
        r"\btranslat(?:or|ion)['’]?s?['’]? notes?\b",
        r"(?:[(\[*\n]|[.!?][\"')]?\s)\s{0,3}\W?(?:note|please note|explanation|n\.? ?b\.?|nota|"
        r"anmerkung|hinweis|remarque|примечание|注|译注|譯註|訳注)\W{0,3}[:：]",
        r"\blet me know if\b.{0,60}\b(?:translat|more|help|else|chang)",
        r"\bthe text that the user sends\b",
    )
]


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object in which the key, if it comes several times, keeps its first values apart."""
    found = dict(pairs)
    values = [value for key, value in pairs if _is_key(key)]
    return found | {KEY + " " * n: value for n, value in enumerate(values[:9])}


def _is_key(name: Any) -> bool:
    return isinstance(name, str) and name.strip().casefold() == KEY


# models write line breaks into strings
_DECODER = json.JSONDecoder(strict=False, object_pairs_hook=_object)


def read_answer(answer: Answer, sentence: str) -> Translation:
    """The translation in an answer of OpenAI's interface, or why there is none, as its status.

    The JSON object that was asked for is taken wherever it stands: between fences, after thoughts,
    within chatter. One line of plain text is taken too, and doubted, as is what reads like a
    refusal or holds a note.

    Args:
        answer: the model's answer.
        sentence: what was to be translated.
    """
    if answer.fault:
        return _failed(answer.fault)
    return _sound(_found(answer.content, sentence), sentence)


def _found(content: str, sentence: str) -> Translation:
    text = content.strip()
    whole = _decoded(text)
    if whole is None:
        text = without_thoughts(text)
    found = list(dict.fromkeys(_translations(text)))
    found = [each for each in found if not each[1]] or found
    if len({value for value, _ in found}) > 1:
        return _failed("the model gives several translations")
    if found:
        value, inside = json.loads(found[0][0]), found[0][1]
        if not isinstance(value, str):
            return _failed("the model's translation is no text")
        doubt = "suspect: inside a structure that was not asked for"
        return Translation(value, status=doubt if inside else OK)
    plain = whole if isinstance(whole, str) else text.strip("`\n\t ")
    if isinstance(whole, dict | list) or not plain or "\n" in plain or "{" in plain:
        return _failed("the model does not answer with the JSON that was asked for")
    if _like(_REFUSALS, plain, sentence):
        return _failed("the model refuses")
    return Translation(plain, status="suspect: not in the JSON that was asked for")


def _sound(found: Translation, sentence: str) -> Translation:
    """The translation as one line, or why it is none, or what is to be doubted in it."""
    if found.status.startswith(FAILED):
        return found
    text = " ".join(found.text.split())
    if not text:
        return _failed("the model's translation is empty")
    if any(unicodedata.category(char) in ("Cc", "Cs") for char in text):
        return _failed("the model's translation holds control characters or half a character")
    status = found.status
    if _like(_REFUSALS, text, sentence):
        status = "suspect: reads like a refusal"
    elif _like(_NOTES, found.text, sentence):
        status = "suspect: holds words of the translator's own"
    elif len(sentence.split()) > 3 and len(text) > 1.3 * len(sentence) and sentence in text:
        status = "suspect: holds the original"
    return Translation(text, status=status)


def _decoded(text: str) -> Any:
    """The value, if the whole of a text is JSON; None otherwise."""
    try:
        return _DECODER.decode(text)
    except (ValueError, RecursionError):
        return None


def _translations(text: str) -> Iterator[tuple[str, bool]]:
    """Yield each value of the key in the JSON of a text, as JSON, and if it lies inside more."""
    at = 0
    for _ in range(_MOST_STARTS):
        if (start := _START.search(text, at)) is None:
            return
        try:
            value, at = _DECODER.raw_decode(text, start.start())
        except ValueError:
            at = start.end()
            continue
        except RecursionError:
            return
        yield from _values(value)


def _values(value: Any) -> Iterator[tuple[str, bool]]:
    todo = [(value, False)]
    while todo:
        value, inside = todo.pop(0)
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in pairs:
            if _is_key(key):
                yield json.dumps(item), inside
            elif isinstance(item, dict | list):
                todo.append((item, True))


def _like(patterns: Sequence[re.Pattern[str]], translated: str, sentence: str) -> bool:
    """Check if a text reads like something that its original does not read like."""
    return any(p.search(translated) for p in patterns) and not any(
        p.search(sentence) for p in patterns
    )


def _failed(why: str) -> Translation:
    return Translation("", status=f"{FAILED}{why}")
