"""The few questions of OpenSubsonic that a playlist needs, each a POST of a form: no login is in an address.

The protocol is described at https://opensubsonic.netlify.app; a failure of its own comes with the status 200.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from disco.catalogue.text import printable
from disco.errors import DataError, DiscoError
from disco.sources import storage
from disco.sources.services.http import Service, ServiceError, UnknownOutcome, ask, is_allowed_url

VERSION = "1.16.1"  # of the protocol
# The protocol's codes of failures.
MISSING, NOT_TOKENS, FORBIDDEN, NOT_FOUND = 10, 41, 50, 70
WRONG = (40, 44)
# Songs of one answer.
FOUND = 100


class Failed(ServiceError):
    """The server says no, with a code of the protocol."""

    def __init__(self, what: str, code: int) -> None:
        super().__init__(what)
        self.code = code


@dataclass(frozen=True)
class Login:
    """Where the server is, and who asks. Nothing of it is ever printed but the address and the user."""

    url: str
    user: str
    token: str = field(repr=False)
    salt: str = field(repr=False)


def login() -> Login:
    """The login of the environment, or of the user's file `navidrome.json`.

    Raises
    ------
    DiscoError, DataError
        If there is none, if a part of it is missing, or if others can read the file.
    """
    path = storage.user_config_dir() / "navidrome.json"
    names = ("url", "user", "password", "token", "salt")
    settings = {name: os.environ.get(f"DISCO_NAVIDROME_{name.upper()}", "") for name in names}
    if not any(settings.values()):
        settings = _read(path)
    if (
        not settings["url"]
        or not settings["user"]
        or not (settings["password"] or (settings["token"] and settings["salt"]))
    ):
        raise DiscoError(
            "nobody is logged in to Navidrome; set DISCO_NAVIDROME_URL, DISCO_NAVIDROME_USER and "
            f"DISCO_NAVIDROME_PASSWORD (or _TOKEN and _SALT), or write url, user and password to {path}, as JSON"
        )
    if "@" in settings["url"]:
        raise DiscoError("the address of Navidrome holds a login, which would be shown; give user and password apart")
    if not is_allowed_url(settings["url"], allow_http=True):
        raise DiscoError(f"{printable(settings['url'])} is no address of a server; write it as https://music.example")
    salt = settings["salt"]
    token = settings["token"]
    if settings["password"]:
        # The protocol's own digest, of a salt that is another one each time.
        salt = secrets.token_hex(12)
        word = (settings["password"] + salt).encode(errors="replace")
        token = hashlib.md5(word, usedforsecurity=False).hexdigest()
    return Login(settings["url"].rstrip("/"), settings["user"], token, salt)


def _read(path: Path) -> dict[str, str]:
    """What the user's file says, all parts empty if there is none."""
    names = ("url", "user", "password", "token", "salt")
    try:
        mode, text = path.stat().st_mode, path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return dict.fromkeys(names, "")
    except (OSError, UnicodeDecodeError):
        raise DataError(path, "cannot be read; write it anew") from None
    if os.name == "posix" and stat.S_IMODE(mode) & 0o077:
        raise DataError(path, f"holds a password and can be read by others; run: chmod 600 {path}")
    try:
        settings = json.loads(text)
    except (ValueError, RecursionError):
        settings = None
    if not isinstance(settings, dict) or not all(isinstance(settings.get(name, ""), str) for name in names):
        raise DataError(path, 'cannot be read; write {"url": "https://...", "user": "...", "password": "..."}')
    return {name: settings.get(name, "") for name in names}


class Client:
    """A server, asked for one user."""

    def __init__(self, login: Login) -> None:
        self.login = login
        self._service = Service("Navidrome", login.url, allow_http=True)

    @property
    def account(self) -> str:
        """The user on this server, for the journals."""
        return f"{self.login.user} on {self.login.url}"

    @property
    def unencrypted(self) -> bool:
        """Whether the login goes over a network unencrypted."""
        parts = urlsplit(self.login.url)
        return parts.scheme == "http" and parts.hostname not in ("127.0.0.1", "::1", "localhost")

    def ask(self, verb: str, pairs: Sequence[tuple[str, str]] = (), repeatable: bool = True) -> dict[str, Any]:
        """What the server answers; `repeatable` is false for what must not be done twice.

        Raises
        ------
        Failed
            If the server says no.
        Unclear, Refused
            If no answer comes that can be read.
        """
        credentials = [("u", self.login.user), ("t", self.login.token), ("s", self.login.salt)]
        form = [*credentials, ("v", VERSION), ("c", "disco"), ("f", "json"), *pairs]
        answer = ask(self._service, f"rest/{verb}", form=form, cached=False, repeatable=repeatable)
        whole = answer.get("subsonic-response") if isinstance(answer, dict) else None
        if not isinstance(whole, dict) or whole.get("status") not in ("ok", "failed"):
            raise UnknownOutcome(f"Navidrome: its answer cannot be read; is {self.login.url} such a server?")
        if whole["status"] == "ok":
            return whole
        error = whole.get("error")
        error = error if isinstance(error, dict) else {}
        code = error["code"] if isinstance(error.get("code"), int) else 0
        if code in WRONG:
            raise Failed(f"Navidrome knows no user {self.login.user!r} with this password or token", code)
        if code == NOT_TOKENS:
            raise Failed("Navidrome takes no token of this user; give one that logs in by password", code)
        if code == FORBIDDEN:
            raise Failed(f"Navidrome does not allow this to the user {self.login.user!r}", code)
        raise Failed(f"Navidrome says no: {printable(str(error.get('message', '')))[:200] or code}", code)

    def search(self, text: str) -> list[dict[str, Any]]:
        """Songs with all the words of a text in their names; [] for a text without words, which would mean all."""
        if not text.strip(' "\t\r\n'):
            return []
        counts = [("songCount", str(FOUND)), ("artistCount", "0"), ("albumCount", "0")]
        found = self.ask("search3", [("query", text), *counts]).get("searchResult3")
        return _songs(found.get("song") if isinstance(found, dict) else None)

    def song(self, own: str) -> dict[str, Any] | None:
        """The song of the server's own id."""
        try:
            return next(iter(_songs([self.ask("getSong", [("id", own)]).get("song")])), None)
        except Failed as error:
            if error.code in (NOT_FOUND, 0, MISSING):
                return None
            raise

    def playlists(self, name: str) -> list[str]:
        """Ids of this user's own playlists of a name."""
        listed = self.ask("getPlaylists").get("playlists")
        rows = listed.get("playlist") if isinstance(listed, dict) else None
        own = [one for one in _songs(rows) if one.get("name") == name and one.get("owner") in (None, self.login.user)]
        return [one["id"] for one in own]

    def entries(self, playlist: str) -> list[str]:
        """Ids of the songs of a playlist, in their order."""
        whole = self.ask("getPlaylist", [("id", playlist)]).get("playlist")
        songs = [one["id"] for one in _songs(whole.get("entry"))] if isinstance(whole, dict) else []
        # A song that is overlooked here would be added again.
        if not isinstance(whole, dict) or whole.get("id") != playlist or whole.get("songCount") != len(songs):
            raise UnknownOutcome("Navidrome: its answer cannot be read; try again later")
        return songs

    def create(self, name: str) -> str:
        """Make an empty playlist, asked for once, and return its id."""
        whole = self.ask("createPlaylist", [("name", name)], repeatable=False).get("playlist")
        if not isinstance(whole, dict) or not isinstance(whole.get("id"), str) or not whole["id"]:
            raise UnknownOutcome("Navidrome does not say which playlist it made; try again")
        return str(whole["id"])

    def add(self, playlist: str, songs: Sequence[str]) -> None:
        """Put songs at the end of a playlist, asked for once."""
        self.ask(
            "updatePlaylist", [("playlistId", playlist), *(("songIdToAdd", one) for one in songs)], repeatable=False
        )


def _songs(value: Any) -> list[dict[str, Any]]:
    """What has an id, of a list."""
    rows = value if isinstance(value, list) else []
    return [one for one in rows if isinstance(one, dict) and isinstance(one.get("id"), str) and one["id"]]
