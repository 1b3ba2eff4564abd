"""What a result's record says of the pipeline that made it, so that others can repeat it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from spanbridge.core.secrets import without_secrets
from spanbridge.steps.base import PartSettings, Step

# Key of the record.
PIPELINE = "pipeline"


def pipeline_record(given: Mapping[str, Any], steps: Sequence[Step]) -> dict[str, Any]:
    """Steps and what they depend on beside rows, as a pipeline file has them.

    Nothing that is a secret is in it.

    Args:
        given: settings of the whole other than the usual ones.
        steps: the steps.

    Returns:
        The record under its key; nothing if a part was made in Python, which no file can say.
    """
    try:
        named = [{step.name: _told(step)} for step in steps]
        return {PIPELINE: without_secrets({**given, "steps": named})}
    except TypeError:
        return {}


def _told(step: Step) -> dict[str, Any]:
    """Settings of a step other than the usual ones, without threads, which change no result.

    Raises TypeError if a part was made in Python.
    """
    found: dict[str, Any] = {}
    for name, field in type(step).model_fields.items():
        value = getattr(step, name)
        if value == field.get_default(call_default_factory=True):
            continue
        if isinstance(value, PartSettings):
            if value.made is not None:
                raise TypeError(f"{name} was made in Python")
            options = {key: one for key, one in value.options.items() if key != "threads"}
            value = {value.name: options}
        found[name] = value
    return found
