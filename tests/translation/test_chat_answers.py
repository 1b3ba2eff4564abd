"""What chat models write around, beside and in place of a translation."""

import json

import pytest

from spanbridge.chat.answer import Answer
from spanbridge.translation.chat_answers import read_answer

GOOD = json.dumps({"translation": "Ana saw Lima."})
OTHER = json.dumps({"translation": "Ana looked at Lima."})


def read(content, sentence="Ana vio Lima.", **choice):
    message = {"content": content}
    return read_answer(Answer.of({"choices": [{"message": message, **choice}]}), sentence)


@pytest.mark.parametrize(
    "content",
    [
        GOOD,
        f"```json\n{GOOD}\n```",
        f"```\n{GOOD}```",
        f"Sure! [Spanish to English] Here it is:\n{GOOD}\nAnything {{else}}?",
        f"<think>Maybe {OTHER}? No.</think>\n{GOOD}",
        f"Maybe {OTHER}?\n</think>{GOOD}",
        f"[THINK]{OTHER}[/THINK]{GOOD}",
        f"{GOOD}\n{GOOD}",
        '{"Translation": "Ana saw Lima."}',
        '{" translation ": "Ana saw\n Lima.", "notes": "none"}',
        f'{{"alternatives": [{OTHER}], "translation": "Ana saw Lima."}}',
        '{"notes": {"names": ["Ana"]}, "TRANSLATION": "Ana saw Lima."}',
        [{"type": "thinking", "thinking": OTHER}, {"type": "text", "text": GOOD}],
    ],
)
def test_the_object_is_taken_wherever_it_stands(content):
    found = read(content, finish_reason="stop")
    assert (found.text, found.status) == ("Ana saw Lima.", "ok")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "the model's answer is empty"),
        (None, "the model's answer is empty"),
        (f"{GOOD} or {OTHER}", "the model gives several translations"),
        ('{"translation": "a", "Translation": "b"}', "the model gives several translations"),
        ('{"translation": "a", "translation": "b"}', "the model gives several translations"),
        (f"<think>Maybe {GOOD}", "the model does not answer with the JSON"),
        ('{"text": "Ana saw Lima."}', "the model does not answer with the JSON"),
        ("{'translation': 'Ana saw Lima.'}", "the model does not answer with the JSON"),
        ("Ana saw Lima.\nOr not.", "the model does not answer with the JSON"),
        ("{" * 200_000, "the model does not answer with the JSON"),
        ('{"a":' * 100_000, "the model does not answer with the JSON"),
        ('{"translation": ["Ana"]}', "the model's translation is no text"),
        ('{"translation": null}', "the model's translation is no text"),
        ('{"translation": " "}', "the model's translation is empty"),
        ('{"translation": "\\ud800"}', "control characters or half a character"),
        ('{"translation": "\\u001b[31mAna"}', "control characters or half a character"),
        ("I'm sorry, I can't translate that.", "the model refuses"),
    ],
)
def test_no_translation(content, why):
    found = read(content)
    assert found.text == ""
    assert found.status.startswith("failed: ")
    assert why in found.status


def test_reasons_to_end():
    assert read(GOOD, finish_reason="eos_token").status == "ok"
    assert read(GOOD, finish_reason="length").status == "failed: the model did not end (length)"
    told = read(GOOD, finish_reason="\x1b[1m").status
    assert told == "failed: the model did not end (for a reason of its own)"
    message = {"content": None, "refusal": "no"}
    refused = read_answer(Answer.of({"choices": [{"message": message}]}), "a")
    assert refused.status == "failed: the model refuses"


@pytest.mark.parametrize("answer", [{}, [], None, {"choices": []}, {"choices": [{"message": 1}]}])
def test_another_interface(answer):
    with pytest.raises(ValueError, match="does not answer as OpenAI's interface does"):
        Answer.of(answer)


@pytest.mark.parametrize(
    ("translation", "doubt"),
    [
        ("I'm sorry, but I can't help with that.", "reads like a refusal"),
        ("I’m sorry, I cannot translate this text.", "reads like a refusal"),
        ("I cannot assist with this request.", "reads like a refusal"),
        ("As an AI language model, I have no opinion.", "reads like a refusal"),
        ("Es tut mir leid, aber ich kann dabei nicht helfen.", "reads like a refusal"),
        ("抱歉，我不能翻译。", "reads like a refusal"),
        ("Here is the translation: Ana saw Lima.", "words of the translator's own"),
        ("Ana saw Lima. (Note: Lima is a city.)", "words of the translator's own"),
        ("Ana saw Lima. Translator's note: a city.", "words of the translator's own"),
        ("Ana saw Lima.\nNote: a city.", "words of the translator's own"),
        ("Ana vio a Luis en Lima. = Ana saw Luis in Lima.", "holds the original"),
    ],
)
def test_doubts(translation, doubt):
    found = read(json.dumps({"translation": translation}), "Ana vio a Luis en Lima.")
    assert found.text == " ".join(translation.split())
    assert found.status == f"suspect: {found.status.removeprefix('suspect: ')}"
    assert doubt in found.status


@pytest.mark.parametrize(
    ("sentence", "translation"),
    [
        ("Lo siento, pero no puedo ayudarte.", "I'm sorry, but I can't help you."),
        ("Ana vio Lima (nota: la ciudad).", "Ana saw Lima (note: the city)."),
        ("Siento que Ana no esté.", "I'm sorry that Ana is not here."),
        ("Tomó notas.", "She took notes: many."),
        ("La traducción es de Ana.", "The translation is by Ana."),
    ],
)
def test_what_the_original_says_is_not_doubted(sentence, translation):
    assert read(json.dumps({"translation": translation}), sentence).status == "ok"


def test_doubted_forms():
    for content in ("Ana saw Lima.", '"Ana saw Lima."', "```\nAna saw Lima.\n```"):
        plain = read(content)
        assert plain.text == "Ana saw Lima."
        assert plain.status == "suspect: not in the JSON that was asked for"
    inside = read(f'{{"result": {GOOD}}}')
    assert inside.text == "Ana saw Lima."
    assert inside.status == "suspect: inside a structure that was not asked for"
