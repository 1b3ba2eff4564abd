"""Files of settings: YAML, read strictly, with the line of every setting.

Numbers are decimal (YAML 1.1 would read ``1:30`` as 90 and ``010`` as 8), dates are text. Aliases,
merge keys and names that are given twice are errors.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

import yaml
from yaml.reader import ReaderError

from spanbridge.core.errors import InputError
from spanbridge.core.files import lines

# Function from keys and indices to a line of the file.
Place = Callable[[tuple[Hashable, ...]], int | None]
# Greatest depth, number of values and names, and number of characters of a file.
_DEEPEST, _MOST, _LONGEST = 20, 10_000, 1_000_000
_TAG = "tag:yaml.org,2002:"
_FLOAT = re.compile(
    r"[-+]?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?"
    r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
)
_LONGEST_NUMBER = 300  # digits; Python refuses numbers of thousands
_NO_TEXT = re.compile("[\0\ud800-\udfff]")
_INT = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers = {  # noqa: RUF012  # as in the base class
        first: [(tag, form) for tag, form in known if tag in (f"{_TAG}bool", f"{_TAG}null")]
        for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


class _Dumper(yaml.SafeDumper):
    """Puts text in quotes that any reader of YAML could take for something else."""


for _tag, _form, _first in (("int", _INT, "-+0123456789"), ("float", _FLOAT, "-+0123456789.")):
    for _class in (_Loader, _Dumper):
        _class.add_implicit_resolver(
            f"{_TAG}{_tag}", re.compile(f"^(?:{_form.pattern})$"), list(_first)
        )


def read_settings(
    path: str, wanted: str = "settings; write lines of NAME: VALUE"
) -> tuple[dict[str, Any], Place]:
    """Settings of a file, and the function that tells the line of each.

    Args:
        path: the file.
        wanted: what it should hold, and how that is written, for the message if it does not.

    Raises:
        InputError: it is not YAML of this kind, or holds no settings.
    """
    text = _text(path)
    try:
        _check_shape(text, path)
        loader = _Loader(text)
        node = loader.get_single_node()
        given = None if node is None else loader.construct_document(node)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = None if mark is None else mark.line + 1
        if isinstance(error, ReaderError):
            line = text.count("\n", 0, error.position) + 1
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise InputError(path, line, f"is not YAML ({problem})") from error
    if node is None or not isinstance(given, dict):
        kind = {yaml.SequenceNode: "a list, and no ", yaml.ScalarNode: "a text, and no "}
        found = "no " if given is None else kind.get(type(node), "no ")
        raise InputError(path, None, f"holds {found}{wanted}")
    _check_names(node, path)
    return given, partial(_line, node)


def write_settings(given: Mapping[str, Any]) -> str:
    """Text of a file with these settings."""
    return str(yaml.dump(dict(given), Dumper=_Dumper, sort_keys=False, allow_unicode=True))


def _line(node: yaml.Node, loc: Iterable[Hashable]) -> int | None:
    """Line of a setting, or of the innermost enclosing one that the file contains."""
    line: int = node.start_mark.line
    for step in loc:
        if isinstance(node, yaml.MappingNode):
            found = [(k, v) for k, v in node.value if k.value == str(step)]
            if not found:
                break
            line, node = found[0][0].start_mark.line, found[0][1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
            node = node.value[step]
            line = node.start_mark.line
        else:
            break
    return line + 1


def _text(path: str) -> str:
    """The file's text. Raises InputError if it is too long for a pipeline file."""
    found, n_characters = [], 0
    for line in lines(path):
        found.append(line)
        n_characters += len(line) + 1
        if n_characters > _LONGEST:
            why = f"has more than {_LONGEST} characters; is it a file of settings?"
            raise InputError(path, None, why)
    return "\n".join(found)


def _check_shape(text: str, path: str) -> None:
    """Refuse what is no plain YAML, and what could make reading endless."""
    depth = 0
    for n, (line, event) in enumerate(_events(text, path)):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        why = None
        if isinstance(event, yaml.AliasEvent):
            why = "aliases (*name) are not read; write it out"
        elif (tag := getattr(event, "tag", None)) is not None:
            why = f"tags ({tag}) are not read; write the value alone"
        elif depth > _DEEPEST:
            why = f"is nested more than {_DEEPEST} levels deep"
        elif n > _MOST:
            why = f"has more than {_MOST} values and names; is it a file of settings?"
        elif isinstance(event, yaml.ScalarEvent):
            if _NO_TEXT.search(event.value):
                why = f"{event.value!r} holds a zero byte, or half a surrogate pair; remove it"
            elif len(event.value) > _LONGEST_NUMBER and event.implicit[0]:
                why = "holds a number that is too long" if _INT.fullmatch(event.value) else None
        if why is not None:
            raise InputError(path, line, why)


def _events(text: str, path: str) -> Iterator[tuple[int, yaml.Event]]:
    """Events of a YAML file, with their lines."""
    loader: Any = _Loader(text)
    try:
        while loader.check_event():
            event = loader.get_event()
            yield event.start_mark.line + 1, event
    except (ValueError, OverflowError) as error:  # an escape beyond the last code point
        raise InputError(path, loader.line + 1, "holds an escape of no character") from error


def _check_names(node: yaml.Node, path: str) -> None:
    """Refuse empty names, merge keys and names that are given twice."""
    if isinstance(node, yaml.MappingNode):
        seen = set()
        for key, value in node.value:
            line = key.start_mark.line + 1
            if key.tag == f"{_TAG}null":
                raise InputError(path, line, "a name is missing before the colon")
            if key.tag == f"{_TAG}bool":
                why = f"{key.value} is read as true or false; put it in quotes"
                raise InputError(path, line, why)
            if key.value == "<<":
                raise InputError(path, line, "merge keys (<<) are not read; write it out")
            if key.value in seen:
                raise InputError(path, line, f"{key.value} is given twice")
            seen.add(key.value)
            _check_names(value, path)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            _check_names(value, path)
