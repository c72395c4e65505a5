"""Endpoints of the Web API about playlists; what is written stays written."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Any

from helpers.fake.fields import pick
from helpers.fake.library import USER, Entry, Playlist, stamp
from helpers.fake.ports import Trouble, body, here, look, number, rest, window
from helpers.fake.server import Answer, Request
from helpers.fake.shapes import Json, page

if TYPE_CHECKING:
    from helpers.fake.spotify import Spotify

AT_ONCE = 100
MOST = 10_000  # entries of a playlist


def _find(fake: Spotify, one: str) -> Playlist:
    if not re.fullmatch(r"[0-9A-Za-z]{22}", one):
        raise Trouble(400, "Invalid base62 id")
    for playlist in fake.library.playlists:
        # Spotify's own are not shown to apps that came after November 2024.
        if playlist.id == one and not (playlist.owner == "spotify" and fake.scenario.withdrawn):
            return playlist
    raise Trouble(404, "Resource not found")


def _mine(playlist: Playlist) -> bool:
    return playlist.owner == USER or playlist.collaborative


def _to_write(fake: Spotify, one: str, scopes: set[str]) -> Playlist:
    playlist = _find(fake, one)
    if not _mine(playlist):
        raise Trouble(403, "You cannot add tracks to a playlist you don't own.")
    needed = "playlist-modify-public" if playlist.public else "playlist-modify-private"
    if needed not in scopes:
        raise Trouble(403, "Insufficient client scope")
    return playlist


def _scopes(fake: Spotify, request: Request) -> set[str]:
    return fake.accounts.access[request.auth.partition(" ")[2]][0].scopes


def _spoken(request: Request) -> bool:
    return "episode" in request.query.get("additional_types", "")


def mine(fake: Spotify, request: Request, user: str = USER) -> Json:
    private = "playlist-read-private" in _scopes(fake, request)
    shown = [one for one in fake.library.playlists if (private or one.public) and user in (USER, one.owner)]
    return page(here(fake, request), rest(request.query), shown, fake.shapes.playlist, *window(request.query))


def create(fake: Spotify, request: Request, user: str = USER) -> Answer:
    wish = body(request)
    if user != USER:
        raise Trouble(403, "You cannot create a playlist for another user")
    if not isinstance(wish, dict) or not isinstance(wish.get("name"), str) or not wish["name"]:
        raise Trouble(400, "Missing required field: name")
    public, shared = wish.get("public", True), wish.get("collaborative", False)
    if public and shared:
        raise Trouble(400, "Collaborative playlists can only be private.")
    if f"playlist-modify-{'public' if public else 'private'}" not in _scopes(fake, request):
        raise Trouble(403, "Insufficient client scope")
    made = fake.library.add_playlist(
        wish["name"], public=public, collaborative=shared, description=wish.get("description")
    )
    return Answer(201, _whole(fake, made, False), {"Location": f"{fake.api_url}playlists/{made.id}"})


def _whole(fake: Spotify, playlist: Playlist, spoken: bool) -> Json:
    """A playlist with its first page; without any where an app of 2026 may not see into it."""
    shown = fake.shapes.playlist(playlist) | {"followers": {"href": None, "total": 0}}
    for name in ("items", "tracks"):
        if name not in shown:
            continue
        if fake.scenario.february and not _mine(playlist):
            del shown[name]
            continue
        where = f"{fake.api_url}playlists/{playlist.id}/{name}"
        shown[name] = page(where, {}, playlist.entries, lambda one: fake.shapes.entry(one, spoken), AT_ONCE, 0)
    return shown


def one(fake: Spotify, request: Request, id: str) -> Any:  # noqa: A002 - the name in the path
    return pick(_whole(fake, _find(fake, id), _spoken(request)), request.query.get("fields", ""))


def rename(fake: Spotify, request: Request, id: str) -> Answer:  # noqa: A002
    playlist, wish = _to_write(fake, id, _scopes(fake, request)), body(request)
    if not isinstance(wish, dict) or not set(wish) & {"name", "public", "collaborative", "description"}:
        raise Trouble(400, "No playlist fields to update")
    playlist.past.append(playlist.snapshot)
    for name in ("name", "public", "collaborative", "description"):
        setattr(playlist, name, wish.get(name, getattr(playlist, name)))
    return Answer(200, None)


def entries(fake: Spotify, request: Request, id: str, name: str) -> Any:  # noqa: A002
    playlist = _find(fake, id)
    if fake.scenario.february and not _mine(playlist):
        raise Trouble(403, "Forbidden")
    if not playlist.public and "playlist-read-private" not in _scopes(fake, request):
        raise Trouble(403, "Insufficient client scope")
    limit, offset = window(request.query, *((20, 50) if name == "items" else (100, 100)))
    spoken = _spoken(request)
    found = page(
        here(fake, request),
        rest(request.query),
        playlist.entries,
        lambda one: fake.shapes.entry(one, spoken),
        limit,
        offset,
    )
    return pick(found, request.query.get("fields", ""))


def _brought(fake: Spotify, request: Request) -> list[str]:
    """Addresses of the tracks to put in: from the query, else the body (also a bare list, as spotipy sends it)."""
    wish = body(request)
    if "uris" in request.query:
        uris: Any = [one.strip() for one in request.query["uris"].split(",") if one.strip()]
    else:
        uris = wish if isinstance(wish, list) else (wish or {}).get("uris")
    if not isinstance(uris, list) or not all(isinstance(one, str) for one in uris):
        raise Trouble(400, "No uris provided")
    if len(uris) > AT_ONCE:
        raise Trouble(400, "You can add a maximum of 100 tracks per request.")
    for uri in uris:
        kind, _, name = uri.removeprefix("spotify:").partition(":")
        if not uri.startswith("spotify:") or kind not in ("track", "episode") or not name:
            raise Trouble(400, f"Invalid track uri: {uri}")
        if kind == "track":
            look(fake.library.tracks, name)
    return uris


def _written(playlist: Playlist, status: int) -> Answer:
    return Answer(status, {"snapshot_id": base64.b64encode(playlist.snapshot.encode()).decode()})


def add(fake: Spotify, request: Request, id: str, name: str) -> Answer:  # noqa: A002
    playlist, uris = _to_write(fake, id, _scopes(fake, request)), _brought(fake, request)
    if not uris:
        raise Trouble(400, "No uris provided")
    if len(playlist.entries) + len(uris) > MOST:
        raise Trouble(400, "Playlist size limit reached")
    wish = body(request)
    position = request.query.get("position", wish.get("position") if isinstance(wish, dict) else None)
    end = len(playlist.entries)
    at = end if position is None else number({"position": str(position)}, "position", 0, 0, end)
    now = stamp(fake.clock.now())
    new = [Entry(uri, now) for uri in uris]
    playlist.replace(playlist.entries[:at] + new + playlist.entries[at:])
    return _written(playlist, 201)


def change(fake: Spotify, request: Request, id: str, name: str) -> Answer:  # noqa: A002
    """Replace all entries, or move a range of them."""
    playlist, wish = _to_write(fake, id, _scopes(fake, request)), body(request)
    if "uris" in request.query or isinstance(wish, list) or (isinstance(wish, dict) and "uris" in wish):
        if isinstance(wish, dict) and "range_start" in wish:
            raise Trouble(400, "uris and range_start cannot be given together")
        now = stamp(fake.clock.now())
        playlist.replace([Entry(uri, now) for uri in _brought(fake, request)])
        return _written(playlist, 200)
    if not isinstance(wish, dict):
        raise Trouble(400, "No uris provided")
    _known(playlist, wish.get("snapshot_id"))
    texts = {key: str(wish[key]) for key in ("range_start", "insert_before", "range_length") if key in wish}
    n = len(playlist.entries)
    start = number(texts, "range_start", -1, 0, n - 1)
    before = number(texts, "insert_before", -1, 0, n)
    length = number(texts, "range_length", 1, 1, n - start)
    moved = playlist.entries[start : start + length]
    left = playlist.entries[:start] + playlist.entries[start + length :]
    at = before if before <= start else max(before - length, start)
    playlist.replace(left[:at] + moved + left[at:])
    return _written(playlist, 200)


def remove(fake: Spotify, request: Request, id: str, name: str) -> Answer:  # noqa: A002
    """Take out all entries of some addresses; the key in the body is called as the path is."""
    playlist, wish = _to_write(fake, id, _scopes(fake, request)), body(request)
    listed = wish.get(name) if isinstance(wish, dict) else None
    if not isinstance(listed, list) or not 1 <= len(listed) <= AT_ONCE:
        raise Trouble(400, f"Missing or too many {name}")
    _known(playlist, wish.get("snapshot_id"))
    gone: set[int] = set()
    for one in listed:
        at = [i for i, uri in enumerate(playlist.uris) if uri == one.get("uri")]
        if not set(one.get("positions", at)) <= set(at):
            raise Trouble(400, "Could not remove tracks, please check parameters.")
        gone |= set(one.get("positions", at))
    playlist.replace([entry for i, entry in enumerate(playlist.entries) if i not in gone])
    return _written(playlist, 200)


def _known(playlist: Playlist, snapshot: object) -> None:
    """A change may be made against any state that there ever was, but not against one that there never was."""
    states = {base64.b64encode(one.encode()).decode() for one in (*playlist.past, playlist.snapshot)}
    if snapshot is not None and snapshot not in states:
        raise Trouble(400, "Invalid snapshot id")


def follow(fake: Spotify, request: Request, id: str) -> Answer:  # noqa: A002
    _find(fake, id)
    return Answer(200, None)


def unfollow(fake: Spotify, request: Request, id: str) -> Answer:  # noqa: A002
    fake.library.playlists.remove(_find(fake, id))
    return Answer(200, None)
