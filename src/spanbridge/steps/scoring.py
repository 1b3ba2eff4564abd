"""Translators as scorers of phrases."""

from __future__ import annotations

from spanbridge.core.errors import SpanbridgeError
from spanbridge.steps.base import Context, PartSettings
from spanbridge.translate.base import Translator
from spanbridge.translate.scoring import TranslationScorer


def open_scorer(settings: PartSettings, context: Context) -> TranslationScorer:
    """A scorer of phrases by a translator of many languages.

    Raises:
        SpanbridgeError: the translator cannot be made, or gives no scores.
    """
    translator: Translator = context.build(settings)
    if not translator.multilingual:
        raise SpanbridgeError(
            f"{settings.name} gives no translation scores; a neural model of many languages does "
            "(NLLB-200, M2M-100)"
        )
    return TranslationScorer(translator, context.language("source"), context.language("target"))
