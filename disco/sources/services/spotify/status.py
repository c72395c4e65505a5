"""What is known of the login, the app and the stored library, without asking Spotify."""

from __future__ import annotations

import time
from typing import Any

from disco.errors import DiscoError, NotFoundError
from disco.sources.services.spotify import library, tokens, upload
from disco.sources.services.spotify.errors import LoginNeeded
from disco.sources.services.spotify.state import LEGACY, State


def status() -> dict[str, Any]:
    """Describe what is stored.

    Returns
    -------
    dict
        `login` (sentence), `calls` (None or `made` and `left` of the day's budget), `app` (which old endpoints it may
        call, in words), `wait` (None or why no call is made now), `library` (sentence), `unfinished` (names of
        playlists whose upload was interrupted).
    """
    found: dict[str, Any] = {"calls": None, "app": {}, "wait": None}
    try:
        token = tokens.read()
        consent = time.strftime("%Y-%m-%d", time.localtime(token["authorized_at"]))
        login = f"as {token.get('user', '?')}, agreed on {consent}, which lasts six months"
        app = State.read(token["client_id"])
        found["calls"] = {"made": app.made, "left": app.left}
        word = {True: "yes", False: "withdrawn from this app", None: "not asked yet"}
        found["app"] = {name: word[app.can_call(name)] for name in LEGACY}
        try:
            app.check()
        except DiscoError as error:
            found["wait"] = str(error)
    except LoginNeeded as error:
        login = str(error)
    try:
        stored = library.read()
        about = (
            f"{len(stored.tracks):,} tracks, {len(stored.playlists):,} playlists, "
            f"{int(stored.tracks.has_all_features.sum()):,} tracks with features; {library.age(stored)}"
        )
    except NotFoundError as error:
        about = str(error)
    return {"login": login, **found, "library": about, "unfinished": [one.name for one in upload.unfinished()]}
