"""Settings: types taken at their word, and pydantic's errors in plain words."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from datetime import date
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

_NUMBERS = (bool, int, float)


def exact(annotation: Any, value: Any) -> Any:
    """The value, if it has a type of the annotation as it stands.

    Pydantic alone would also read the text ``010`` as 10, ``yes`` as true, and true as 1.

    Raises:
        PydanticCustomError: it is text, a truth value or a number in another one's place.
    """
    from pydantic_core import PydanticCustomError

    kinds = list(_kinds(annotation))
    if isinstance(value, Mapping):
        for kind in kinds:
            if get_origin(kind) is dict and get_args(kind)[1] is float:
                _check_numbers(value)
        return value
    if isinstance(value, list):
        of_items = [get_args(kind)[0] for kind in kinds if get_origin(kind) is list]
        for item in value if len(of_items) == 1 else ():
            exact(of_items[0], item)
        return value
    wanted = [kind for kind in kinds if kind in _NUMBERS]
    if not wanted or not isinstance(value, str | int | float):
        return value
    if isinstance(value, bool):
        fits = bool in kinds
    elif isinstance(value, str):
        fits = any(kind is str or get_origin(kind) is Literal for kind in kinds)
    else:
        fits = int in kinds or float in kinds
    if not fits:
        name = "bool" if bool in kinds else "float" if float in kinds else "int"
        raise PydanticCustomError(f"{name}_type", "must be of another type")  # see reason
    return value


def _check_numbers(given: Mapping[Any, Any]) -> None:
    from pydantic_core import PydanticCustomError

    for name, value in given.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            why = f"{name}: must be a number, not {value!r}"
            raise PydanticCustomError("not_numbers", "{why}", {"why": why})


def _kinds(annotation: Any) -> Iterator[Any]:
    """The types of a union, without what is annotated to them."""
    if get_origin(annotation) is Annotated:
        yield from _kinds(get_args(annotation)[0])
    elif get_origin(annotation) in (Union, UnionType):
        for kind in get_args(annotation):
            yield from _kinds(kind)
    else:
        yield annotation


def one_entry(given: Any, what: str) -> tuple[str, dict[str, Any]]:
    """Name and settings from ``NAME`` or ``{NAME: {SETTING: ...}}``; ValueError for neither."""
    if isinstance(given, str):
        return given, {}
    if isinstance(given, dict) and len(given) == 1:
        ((name, settings),) = given.items()
        if isinstance(name, str) and isinstance(settings, dict | None):
            return name, settings or {}
    raise ValueError(f"{what} is written as NAME or as NAME: {{SETTING: VALUE, ...}}")


def most_telling(errors: Sequence[Any], given: Any) -> list[Any]:
    """Those of pydantic's errors that say best what is wrong.

    An unknown name; or of the first wrong setting those that lie deepest in it, one for each type
    that the value there may have.

    Args:
        errors: at least one.
        given: the settings.
    """
    for error in errors:
        if error["type"] == "extra_forbidden":
            return [error]
    same = [error for error in errors if error["loc"][:1] == errors[0]["loc"][:1]]
    deepest = max((within(error, given) for error in same), key=len)
    return [error for error in same if within(error, given) == deepest]


def within(error: Any, given: Any) -> list[Hashable]:
    """Names of the settings that lead to an error, without pydantic's own names of types."""
    found: list[Hashable] = []
    for step in error["loc"]:
        try:
            given = given[step]
        except (KeyError, IndexError, TypeError):
            if error["type"] != "missing" or step != error["loc"][-1]:
                continue
        found.append(step)
    return found


def reason(*errors: Any) -> str:
    """Short form of a pydantic error, or of those for each type that a value may have."""
    # an object can be given from Python alone
    told = [error for error in errors if error["type"] != "is_instance_of"] or list(errors)
    plain = list(dict.fromkeys(_plain(error) for error in told))
    first = told[0]
    if any(one is None for one in plain):
        said = str(first["msg"]).removeprefix("Value error, ")
        return said[0].lower() + said[1:]
    why = " or ".join([str(plain[0]), *(str(one).removeprefix("must be ") for one in plain[1:])])
    value = first["input"]
    shown = repr(value)
    if not why.startswith("must be"):
        return why
    if len(shown) <= 40:
        why += f", not {shown}"
    if plain == ["must be text"] and isinstance(value, bool | int | float | date):
        why += "; put it in quotes"
    return why


def _plain(error: Any) -> str | None:
    """What a value must be, in plain words; None where pydantic's own are to be taken."""
    given = error.get("ctx", {})
    if error["loc"][-1:] == ("[key]",):
        return "a name must be text; put it in quotes"
    return {
        "bool_parsing": "must be true or false",
        "bool_type": "must be true or false",
        "dict_type": "must be written as {NAME: VALUE}",
        "extra_forbidden": "there is no such setting",
        "finite_number": "must be a finite number",
        "float_parsing": "must be a number",
        "float_type": "must be a number",
        "int_from_float": "must be a whole number",
        "int_parsing": "must be a whole number",
        "int_type": "must be a whole number",
        "invalid_key": "a name must be text; put it in quotes",
        "list_type": "must be a list",
        "literal_error": f"must be {given.get('expected')}",
        "greater_than_equal": f"must be at least {given.get('ge')}",
        "less_than_equal": f"must be at most {given.get('le')}",
        "missing": "is missing",
        "model_type": "must be written as {NAME: VALUE}",
        "string_too_short": "must not be empty",
        "too_short": f"must have at least {given.get('min_length')} entry",
        "string_type": "must be text",
    }.get(error["type"])
