"""Settings: types taken at their word, and pydantic's errors in plain words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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


def reason(error: Any) -> str:
    """Short form of a pydantic error."""
    given = error.get("ctx", {})
    plain = {
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
        "string_type": "must be text",
    }.get(error["type"])
    if plain is None:
        said = str(error["msg"]).removeprefix("Value error, ")
        return said[0].lower() + said[1:]
    value = error["input"]
    shown = repr(value)
    if error["type"] not in ("extra_forbidden", "missing", "invalid_key") and len(shown) <= 40:
        plain += f", not {shown}"
    if error["type"] == "string_type" and isinstance(value, bool | int | float | date):
        plain += "; put it in quotes"
    return plain
