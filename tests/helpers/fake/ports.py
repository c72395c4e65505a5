"""What the endpoints share: errors, and the parameters that they read."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from helpers.fake.server import Answer, Request

if TYPE_CHECKING:
    from helpers.fake.spotify import Spotify

Endpoint = Callable[..., Any]


class Trouble(Exception):
    """An answer other than the one that was asked for."""

    def __init__(self, status: int, message: str, refused: str = "") -> None:
        super().__init__(message)
        self.answer = Answer(status, {"error": {"status": status, "message": message}})
        self.refused = refused  # see Request.refused

    @classmethod
    def of(cls, answer: Answer, refused: str = "") -> Trouble:
        trouble = cls(answer.status, "", refused)
        trouble.answer = answer
        return trouble

    @classmethod
    def text(cls, status: int, message: str, refused: str = "") -> Trouble:
        return cls.of(Answer(status, message.encode(), kind="text/plain; charset=utf-8"), refused)


def number(query: dict[str, str], name: str, default: int, least: int, most: int) -> int:
    """A whole number within its bounds; anything else is refused as the service does."""
    text = query.get(name, str(default))
    if not re.fullmatch(r"-?\d{1,9}", text) or not least <= int(text) <= most:
        raise Trouble(400, f"Invalid {name}")
    return int(text)


def window(query: dict[str, str], default: int = 20, most: int = 50, furthest: int = 100_000) -> tuple[int, int]:
    """Limit and offset of a page."""
    return number(query, "limit", default, 1, most), number(query, "offset", 0, 0, furthest)


def ids(request: Request, most: int, name: str = "ids") -> list[str]:
    """A comma-separated list of ids in the query."""
    found = [one.strip() for one in request.query.get(name, "").split(",") if one.strip()]
    if not found:
        raise Trouble(400, "Missing required field: " + name)
    if len(found) > most:
        raise Trouble(400, f"Too many ids requested (max. {most})")
    return found


def look(known: dict[str, Any], one: str) -> Any:
    """The object with an id, or the service's complaint."""
    if not re.fullmatch(r"[0-9A-Za-z]{22}", one):
        raise Trouble(400, "Invalid base62 id")
    if one not in known:
        raise Trouble(404, "Resource not found")
    return known[one]


def body(request: Request) -> Any:
    """The JSON that a request brings."""
    if request.body and request.json is None:
        raise Trouble(400, "Error parsing JSON.")
    return request.json


def rest(query: dict[str, str]) -> dict[str, str]:
    """The query without the place in the list, for links to other pages."""
    return {name: value for name, value in query.items() if name not in ("limit", "offset")}


def here(fake: Spotify, request: Request) -> str:
    return fake.url + request.path
