"""The `fields` parameter: a reader asks for `items(added_at,item(name,album.name)),next` and gets no more."""

from __future__ import annotations

import re
from typing import Any

Wish = dict[str, Any]


def pick(found: Any, fields: str) -> Any:
    """The part of an answer that `fields` asks for; all of it when that is empty."""
    return _pick(found, parse(fields)) if fields else found


def parse(fields: str) -> Wish:
    """Read `a,b(c,!d),e.f` as nested dictionaries; an empty one means everything below."""
    return _several(re.findall(r"[(),.]|[^(),.\s]+", fields))[0]


def _several(words: list[str]) -> tuple[Wish, list[str]]:
    wish: Wish = {}
    while words and words[0] != ")":
        if words[0] == ",":
            words = words[1:]
            continue
        words = _one(words, wish)
    return wish, words[1:]


def _one(words: list[str], wish: Wish) -> list[str]:
    """Read one name with what hangs below it."""
    below = wish.setdefault(words[0], {})
    words = words[1:]
    if words and words[0] == ".":
        return _one(words[1:], below)
    if words and words[0] == "(":
        inner, words = _several(words[1:])
        below.update(inner)
    return words


def _pick(found: Any, wish: Wish) -> Any:
    if isinstance(found, list):
        return [_pick(one, wish) for one in found]
    if not isinstance(found, dict) or not wish:
        return found
    if all(name.startswith("!") for name in wish):
        return {name: value for name, value in found.items() if f"!{name}" not in wish}
    return {name: _pick(found[name], below) for name, below in wish.items() if name in found}
