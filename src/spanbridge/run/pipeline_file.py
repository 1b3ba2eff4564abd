"""Pipeline files: YAML, read strictly, with the line of every setting.

Numbers are decimal (YAML 1.1 would read ``1:30`` as 90 and ``010`` as 8), dates are text. Aliases,
merge keys and names that are given twice are errors.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Mapping
from functools import partial
from typing import Any

import yaml

from spanbridge.core.errors import InputError
from spanbridge.core.files import lines

# Function from keys and indices to a line of a pipeline file.
Place = Callable[[tuple[Hashable, ...]], int | None]
_DEEPEST = 20  # greatest depth of a pipeline file
_TAG = "tag:yaml.org,2002:"
_FLOAT = re.compile(
    r"[-+]?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?"
    r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
)
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


def read_settings(path: str) -> tuple[dict[str, Any], Place]:
    """Settings of a pipeline file, and the function that tells the line of each.

    Raises InputError if it is not YAML of this kind, or holds no settings.
    """
    text = "\n".join(lines(path))
    try:
        _check_shape(text, path)
        loader = _Loader(text)
        node = loader.get_single_node()
        given = None if node is None else loader.construct_document(node)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = None if mark is None else mark.line + 1
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise InputError(path, line, f"is not YAML ({problem})") from error
    except ValueError as error:  # int() of thousands of digits
        raise InputError(path, None, "holds a number that is too long") from error
    if node is None or not isinstance(given, dict):
        raise InputError(path, None, "holds no settings; write steps: [...] and more")
    _check_names(node, path)
    return given, partial(_line, node)


def write_settings(given: Mapping[str, Any]) -> str:
    """Text of a pipeline file with these settings."""
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


def _check_shape(text: str, path: str) -> None:
    """Refuse aliases, which can make a small file endless, and deep nesting."""
    depth = 0
    for event in yaml.parse(text, _Loader):
        line = event.start_mark.line + 1 if event.start_mark else None
        if isinstance(event, yaml.AliasEvent):
            raise InputError(path, line, "aliases (*name) are not read; write it out")
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            raise InputError(path, line, f"is nested more than {_DEEPEST} levels deep")


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
