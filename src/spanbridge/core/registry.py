"""Registry of parts by name; a part is imported only when it is asked for.

Other packages add parts by an entry point in the group ``spanbridge.KIND``, such as
``spanbridge.method``; docs/extending.md has an example of each kind.
"""

from __future__ import annotations

import inspect
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, get_args, get_type_hints

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.kept import kept
from spanbridge.core.plugins import load_plugin, origin, plugins
from spanbridge.core.requirements import require
from spanbridge.core.settings import exact, most_telling, reason, within
from spanbridge.core.similar import not_named

# Kind -> name -> class ("module:Class", from this package) and summary.
_PARTS: dict[str, dict[str, tuple[str, str]]] = tomllib.loads(
    Path(__file__).with_name("parts.toml").read_text("utf-8")
)
# Kinds of parts that may serve several pipelines.
_LEARN_NOTHING = ("tagger", "translator")


def names(kind: str) -> dict[str, str]:
    """Names of the parts of a kind (``aligner``, ``method``, ``tagger``), each with its summary."""
    known = {name: summary for name, (_, summary) in _PARTS[kind].items()}
    for name, point in plugins(kind).items():
        known.setdefault(name, f"from {origin(point)} ({point.value})")
    return known


def load(kind: str, name: str) -> Any:
    """Import the class of a named part.

    Raises:
        SpanbridgeError: there is no part of that name, or its plug-in cannot be imported.
        MissingExtraError: the part needs a package that is not installed.
    """
    entry = _PARTS[kind].get(name)
    point = plugins(kind).get(name)
    if entry is not None:
        module, _, attribute = entry[0].partition(":")
        made = getattr(import_module(f"spanbridge.{module}"), attribute)
    elif point is not None:
        made = load_plugin(kind, point)
    else:
        raise SpanbridgeError(not_named(kind, name, names(kind)))
    require(*getattr(made, "requires", ()), by=f"the {kind} {name!r}")
    return made


def build(kind: str, name: str, options: Mapping[str, Any]) -> Any:
    """Make the named part with the given options, leaving out those that are None.

    Raises:
        SpanbridgeError: there is no part of that name, or it has no such option, or an option has a
            value of the wrong type.
        MissingExtraError: the part needs a package that is not installed.
    """
    part = load(kind, name)
    given = {option: value for option, value in options.items() if value is not None}

    def make() -> Any:
        try:
            return part(**check_options(part, f"the {kind} {name!r}", given))
        except ValueError as error:
            raise SpanbridgeError(str(error)) from error

    if kind not in _LEARN_NOTHING:
        return make()
    return kept(f"{kind} {name} {sorted(given.items())!r}", make)


def check_options(part: Any, name: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Convert options to the types that the class's annotations ask for.

    Raises ValueError for an unknown option, or a value of the wrong type.
    """
    from pydantic import ValidationError

    model = options_of(part)
    try:
        found = model.model_validate(dict(options))
    except ValidationError as error:
        errors: dict[Any, list[Any]] = {}
        for one in error.errors():
            errors.setdefault(one["loc"][:1], []).append(one)
        reasons = []
        for of_option in errors.values():
            wrong = most_telling(of_option, options)
            reasons.append(f"{'.'.join(map(str, within(wrong[0], options)))}: {reason(*wrong)}")
        has = ", ".join(model.model_fields) or "none"
        raise ValueError(f"{name}: {'; '.join(reasons)} (its options: {has})") from error
    return {key: getattr(found, key) for key in options}


@cache
def options_of(part: Any) -> Any:
    """The options of a class as a model, which checks them.

    They are the arguments of its ``__init__``; ``**NAME: Unpack[DICT]`` stands for the keys of a
    TypedDict.
    """
    from pydantic import ConfigDict, create_model, field_validator

    hints = get_type_hints(part.__init__, include_extras=True)
    fields: dict[str, Any] = {
        key: (hints.get(key, Any), ... if p.default is p.empty else p.default)
        for key, p in inspect.signature(part.__init__).parameters.items()
        if key != "self" and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
    }
    for key, p in inspect.signature(part.__init__).parameters.items():
        if p.kind is p.VAR_KEYWORD and (unpacked := get_args(hints.get(key))):
            fields |= {name: (hint, None) for name, hint in get_type_hints(unpacked[0]).items()}
    kind = ConfigDict(
        extra="forbid",
        arbitrary_types_allowed=True,
        allow_inf_nan=False,
        protected_namespaces=(),
    )
    as_it_stands = field_validator("*", mode="before")(
        lambda cls, value, info: exact(cls.model_fields[info.field_name].annotation, value)
    )
    # by a name that no option has, or else that option would not be checked
    check = {"take_as_it_stands": as_it_stands}
    return create_model("Options", __config__=kind, __validators__=check, **fields)
