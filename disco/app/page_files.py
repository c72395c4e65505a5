"""The page as Dash makes it: the same for everybody, so that it is made once, kept in the cache, and served as files.

Dash and its components take a second of processor time and 35 MB, in each process, to make what changes with another
version alone: all that happens on the page is asked for by its own script, never by Dash.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec
from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, Response
from fastapi.staticfiles import StaticFiles

import disco
from disco.errors import DiscoError
from disco.playlist.styles import style_names
from disco.sources import storage

ASSETS = Path(__file__).parent / "assets"
SUITES = "/_dash-component-suites/"
# Packages whose versions change the page; also those whose scripts it loads.
_PACKAGES = ("dash", "dash-mantine-components", "plotly", "fastapi")
# What Dash puts into the name of a script, so that a browser need not ask again whether it has changed.
_FINGERPRINT = re.compile(r"\.v[\w-]+m[0-9a-fA-F]+(?=\.[^/]*$)")
_NAME = "page-{}.json"


@dataclass(frozen=True)
class PageFiles:
    """What a browser loads before it asks for anything.

    Attributes
    ----------
    index, layout, dependencies : str
        The page, its components, and which of them the script watches; the last two as JSON.
    hashes : list of str
        Of the scripts within the page, for its policy.
    scripts : dict from str to str
        File of each script, by its place under `SUITES`.
    icon : str
        File of the icon.
    """

    index: str
    layout: str
    dependencies: str
    hashes: list[str]
    scripts: dict[str, str]
    icon: str


@cache
def page_files(make: Callable[[], PageFiles]) -> PageFiles:
    """The page of this version, from the cache, or made and kept there."""
    path = storage.user_cache_dir() / _NAME.format(_key())
    with contextlib.suppress(OSError, msgspec.MsgspecError):
        kept = msgspec.json.decode(path.read_bytes(), type=PageFiles)
        if all(map(_is_file, (kept.icon, *kept.scripts.values()))):
            return kept
    page = make()
    with contextlib.suppress(DiscoError, OSError):  # the next one makes it again
        storage.write_atomic(path, msgspec.json.encode(page), private=True)
        for old in path.parent.glob(_NAME.format("*")):
            if old != path:
                old.unlink(missing_ok=True)
    return page


def add_page(app: FastAPI, page: PageFiles) -> None:
    """Put the page on a server."""
    texts = {"/": (page.index, "text/html"), "/_dash-layout": (page.layout, "application/json")}
    texts["/_dash-dependencies"] = (page.dependencies, "application/json")
    for path, (text, kind) in texts.items():
        app.add_route(path, _answering(Response(text, media_type=kind)))
    app.add_route("/_favicon.ico", _answering(FileResponse(page.icon)))
    app.mount("/assets", StaticFiles(directory=ASSETS))
    app.mount(SUITES, _Scripts(page.scripts))


def _answering(response: Response) -> Any:
    async def answer(_: Request) -> Response:
        return response

    return answer


class _Scripts(StaticFiles):
    """Files in several folders, of which nothing else is given out."""

    def __init__(self, scripts: dict[str, str]) -> None:
        super().__init__()
        self._scripts = scripts

    def lookup_path(self, path: str) -> Any:
        file = self._scripts.get(_FINGERPRINT.sub("", path))
        return ("", None) if file is None else (file, Path(file).stat())

    async def get_response(self, path: str, scope: Any) -> Response:
        response = await super().get_response(path, scope)
        if _FINGERPRINT.search(path):
            response.headers["cache-control"] = "public, max-age=31536000"
        return response


def _key() -> str:
    """Changes with all that the page depends on."""
    package = Path(__file__).parents[1]
    facts: list[Any] = [disco.__version__, sys.version, style_names(), *map(version, _PACKAGES)]
    for path in sorted([*package.rglob("*.py"), *ASSETS.iterdir()]):
        state = path.stat()
        facts.append((str(path), state.st_mtime_ns, state.st_size))
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:16]


def _is_file(path: str) -> bool:
    return Path(path).is_file()
