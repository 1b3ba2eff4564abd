"""Models that stay loaded from one pipeline to the next, where somebody asks for that.

Only what learns nothing is kept: taggers, translators and encoders give the same whoever uses them.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar, cast

T = TypeVar("T")

_there: OrderedDict[str, Any] = OrderedDict()
_room = 0


@contextmanager
def keeping(n: int) -> Iterator[None]:
    """Keep up to ``n`` models that are loaded in the block, those that were used last."""
    global _room
    before, _room = _room, n
    try:
        yield
    finally:
        _room = before
        while len(_there) > _room:
            _there.popitem(last=False)


def kept(key: str, load: Callable[[], T]) -> T:
    """A model that was kept, or else one that is loaded now.

    Args:
        key: all that it depends on.
        load: function that loads it.
    """
    if key in _there:
        _there.move_to_end(key)
        return cast(T, _there[key])
    made = load()
    if _room:
        _there[key] = made
        if len(_there) > _room:
            _there.popitem(last=False)
    return made
