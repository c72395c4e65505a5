"""Endpoints of the Web API about music and the user's library of it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from helpers.fake.library import FEATURES, GENRES, USER, Album, Artist, Entry, Track, stamp
from helpers.fake.ports import Trouble, body, here, ids, look, number, rest, window
from helpers.fake.server import Answer, Request
from helpers.fake.shapes import MARKETS, Json, page

if TYPE_CHECKING:
    from helpers.fake.spotify import Spotify

KINDS = ("album", "artist", "playlist", "track", "show", "episode", "audiobook")
TUNABLE = {*FEATURES, "loudness", "tempo", "key", "mode", "time_signature", "duration_ms", "popularity"}


def me(fake: Spotify, request: Request) -> Json:
    consent, _ = fake.accounts.access[request.auth.partition(" ")[2]]
    return fake.shapes.user(consent.scopes)


def user(fake: Spotify, request: Request, id: str) -> Json:  # noqa: A002 - the name in the path
    """The public profile of anybody; only the fields that all may see."""
    if id != USER:
        raise Trouble(404, "Resource not found")
    return {name: value for name, value in fake.shapes.user(set()).items() if name != "account_id"}


def markets(fake: Spotify, request: Request) -> Json:
    return {"markets": MARKETS}


def track(fake: Spotify, request: Request, id: str) -> Json:  # noqa: A002
    return fake.shapes.track(look(fake.library.tracks, id))


def tracks(fake: Spotify, request: Request) -> Json:
    found = [fake.library.tracks.get(one) for one in ids(request, 50)]
    return {"tracks": [one and fake.shapes.track(one) for one in found]}


def artist(fake: Spotify, request: Request, id: str) -> Json:  # noqa: A002
    return fake.shapes.artist(look(fake.library.artists, id))


def artists(fake: Spotify, request: Request) -> Json:
    found = [fake.library.artists.get(one) for one in ids(request, 50)]
    return {"artists": [one and fake.shapes.artist(one) for one in found]}


def _most(fake: Spotify) -> tuple[int, int]:
    """Default and bound of the pages that February 2026 made short."""
    return (5, 10) if fake.scenario.february else (20, 50)


def artist_albums(fake: Spotify, request: Request, id: str) -> Json:  # noqa: A002
    mine = [one for one in fake.library.albums.values() if one.artist is look(fake.library.artists, id)]
    group = {} if fake.scenario.february else {"album_group": "album"}
    limit, offset = window(request.query, *_most(fake))
    return page(
        here(fake, request), rest(request.query), mine, lambda one: fake.shapes.album_link(one) | group, limit, offset
    )


def artist_top(fake: Spotify, request: Request, id: str) -> Json:  # noqa: A002
    mine = [one for one in fake.library.tracks.values() if look(fake.library.artists, id) in one.artists]
    return {"tracks": [fake.shapes.track(one) for one in sorted(mine, key=lambda one: -one.popularity)[:10]]}


def related(fake: Spotify, request: Request, id: str) -> Json:  # noqa: A002
    own = look(fake.library.artists, id)
    alike = [one for one in fake.library.artists.values() if one is not own and set(one.genres) & set(own.genres)]
    return {"artists": [fake.shapes.artist(one) for one in alike[:20]]}


def album(fake: Spotify, request: Request, id: str) -> Json:  # noqa: A002
    own: Album = look(fake.library.albums, id)
    listed = fake.library.of_album[id]
    old = {"genres": [], "label": "Nobody Records", "popularity": 10}
    return {
        **fake.shapes.album_link(own),
        "tracks": page(f"{here(fake, request)}/tracks", {}, listed, fake.shapes.track_link, 50, 0),
        "copyrights": [{"text": "Nobody", "type": "C"}],
        "external_ids": {"upc": "0" + own.date[:4] * 3},
        **({} if fake.scenario.february else old),
    }


def album_tracks(fake: Spotify, request: Request, id: str) -> Json:  # noqa: A002
    look(fake.library.albums, id)
    listed, (limit, offset) = fake.library.of_album[id], window(request.query)
    return page(here(fake, request), rest(request.query), listed, fake.shapes.track_link, limit, offset)


def search(fake: Spotify, request: Request) -> Json:
    """Words anywhere in the names, and the filters isrc:, track:, artist:, album:; the popular come first."""
    if not request.query.get("q", "").strip():
        raise Trouble(400, "No search query")
    kinds = [one for one in request.query.get("type", "").split(",") if one]
    if not kinds:
        raise Trouble(400, "Missing parameter type")
    if unknown := [one for one in kinds if one not in KINDS]:
        raise Trouble(400, f"Bad search type field {unknown[0]}")
    limit, offset = window(request.query, *_most(fake), furthest=1000)
    words, filters = _read(request.query["q"])

    def fits(named: dict[str, str]) -> bool:
        names = " ".join(named.values()).casefold()
        return all(word in names for word in words) and all(
            word in named.get(where, "").casefold() for where, word in filters
        )

    everything: dict[str, list[Any]] = {
        "track": sorted(
            (one for one in fake.library.tracks.values() if fits(_named(one))), key=lambda one: -one.popularity
        ),
        "artist": [one for one in fake.library.artists.values() if fits({"artist": one.name})],
        "album": [
            one for one in fake.library.albums.values() if fits({"album": one.name, "artist": one.artist.name})
        ],
        "playlist": [one for one in fake.library.playlists if one.public and fits({"playlist": one.name})],
    }
    shapes: dict[str, Callable[..., Any]] = {
        "track": fake.shapes.track,
        "artist": fake.shapes.artist,
        "album": fake.shapes.album_link,
        "playlist": fake.shapes.playlist,
    }
    return {
        f"{kind}s": page(
            here(fake, request),
            rest(request.query) | {"type": kind},
            everything.get(kind, [])[:1000],
            shapes.get(kind, dict),
            limit,
            offset,
        )
        for kind in kinds
    }


def _named(track: Track) -> dict[str, str]:
    return {
        "track": track.name,
        "artist": " ".join(one.name for one in track.artists),
        "album": track.album.name,
        "isrc": track.isrc or "",
    }


def _read(query: str) -> tuple[list[str], list[tuple[str, str]]]:
    """Split a query into plain words and filters, quotes respected where they are closed."""
    spaced = re.sub(r"\b(isrc|track|artist|album|year|genre|upc|tag):\s*", r" \1:", query)
    try:
        parts = shlex.split(spaced.replace("\\", "\\\\").replace("'", "\\'"))
    except ValueError:
        parts = spaced.replace('"', " ").split()
    words: list[str] = []
    filters: list[tuple[str, str]] = []
    for part in parts:
        where, colon, word = part.partition(":")
        if colon and where in ("isrc", "track", "artist", "album"):
            filters.append((where, word.casefold()))
        else:
            words.append(part.casefold())
    return words, filters


def features(fake: Spotify, request: Request) -> Json:
    found = [fake.library.tracks.get(one) for one in ids(request, 100)]
    return {"audio_features": [one and fake.shapes.features(one) for one in found]}


def one_features(fake: Spotify, request: Request, id: str) -> Json:  # noqa: A002
    found = fake.shapes.features(look(fake.library.tracks, id))
    if found is None:
        raise Trouble(404, "analysis not found")
    return found


def genres(fake: Spotify, request: Request) -> Json:
    return {"genres": GENRES}


def recommendations(fake: Spotify, request: Request) -> Json:
    """The tracks nearest to the seeds in the eight features, bounds and targets respected."""
    limit = number(request.query, "limit", 20, 1, 100)
    seeds = {
        kind: [one for one in request.query.get(f"seed_{kind}s", "").split(",") if one]
        for kind in ("track", "artist", "genre")
    }
    if not 1 <= sum(map(len, seeds.values())) <= 5:
        raise Trouble(400, "invalid request")
    bounds = [_bound(name, value) for name, value in request.query.items() if re.match("min_|max_|target_", name)]
    chosen = [look(fake.library.tracks, one) for one in seeds["track"]]
    makers = [look(fake.library.artists, one) for one in seeds["artist"]]
    for one in fake.library.tracks.values():
        if set(one.artists) & set(makers) or {g for a in one.artists for g in a.genres} & set(seeds["genre"]):
            chosen.append(one)
    measured = [one.features for one in chosen if one.features]
    if not measured:
        return {"tracks": [], "seeds": _seeds(fake, seeds, 0, 0)}
    aim = {name: sum(one[name] for one in measured) / len(measured) for name in FEATURES}
    aim |= {name: value for edge, name, value in bounds if edge == "target" and name in aim}
    pool = [
        one for one in fake.library.tracks.values() if one.features and one.id not in seeds["track"] and one.playable
    ]
    fitting = [one for one in pool if all(_within(one, *bound) for bound in bounds)]
    fitting.sort(
        key=lambda one: sum(
            (one.features or {})[name] ** 2 - 2 * (one.features or {})[name] * aim[name] for name in FEATURES
        )
    )
    return {
        "tracks": [fake.shapes.track(one) for one in fitting[:limit]],
        "seeds": _seeds(fake, seeds, len(pool), len(fitting)),
    }


def _bound(name: str, value: str) -> tuple[str, str, float]:
    edge, _, what = name.partition("_")
    if what not in TUNABLE or not re.fullmatch(r"-?\d+(\.\d+)?", value):
        raise Trouble(400, f"invalid {name}")
    return edge, what, float(value)


def _within(track: Track, edge: str, name: str, value: float) -> bool:
    own = float(getattr(track, name)) if name in ("duration_ms", "popularity") else (track.features or {})[name]
    return edge == "target" or (own >= value if edge == "min" else own <= value)


def _seeds(fake: Spotify, seeds: dict[str, list[str]], pool: int, left: int) -> list[Json]:
    sizes = {"initialPoolSize": pool, "afterFilteringSize": left, "afterRelinkingSize": left}
    return [
        sizes | {"id": one, "type": kind.upper(), "href": None if kind == "genre" else f"{fake.api_url}{kind}s/{one}"}
        for kind, several in seeds.items()
        for one in several
    ]


def _top(fake: Spotify, request: Request) -> list[str]:
    span = request.query.get("time_range", "medium_term")
    if span not in fake.library.top:
        raise Trouble(400, "invalid time_range")
    return fake.library.top[span]


def top_tracks(fake: Spotify, request: Request) -> Json:
    chosen = [fake.library.tracks[one] for one in _top(fake, request)]
    return page(here(fake, request), rest(request.query), chosen, fake.shapes.track, *window(request.query))


def top_artists(fake: Spotify, request: Request) -> Json:
    chosen: list[Artist] = list(dict.fromkeys(fake.library.tracks[one].artists[0] for one in _top(fake, request)))
    return page(here(fake, request), rest(request.query), chosen, fake.shapes.artist, *window(request.query))


def saved(fake: Spotify, request: Request) -> Json:
    return page(
        here(fake, request), rest(request.query), fake.library.saved, fake.shapes.saved, *window(request.query)
    )


def _keep(fake: Spotify, uris: list[str], keep: bool) -> None:
    """Save or forget tracks and playlists; what is saved stays where it is when it is saved again."""
    for uri in uris:
        kind, _, one = uri.removeprefix("spotify:").partition(":")
        if kind == "track":
            known = [entry for entry in fake.library.saved if entry.uri == uri]
            if keep and not known:
                fake.library.saved.insert(0, Entry(look(fake.library.tracks, one) and uri, stamp(fake.clock.now())))
            elif not keep:
                fake.library.saved[:] = [entry for entry in fake.library.saved if entry.uri != uri]
        elif kind == "playlist":
            fake.library.playlists[:] = [other for other in fake.library.playlists if keep or other.id != one]


def _uris(request: Request) -> list[str]:
    uris = [one.strip() for one in request.query.get("uris", "").split(",") if one.strip()]
    if not uris:
        raise Trouble(400, "Missing required field: uris")
    if len(uris) > 40:
        raise Trouble(400, "Too many uris requested (max. 40)")
    if wrong := [one for one in uris if not re.fullmatch(r"spotify:[a-z]+:[0-9A-Za-z]+", one)]:
        raise Trouble(400, f"Invalid uri: {wrong[0]}")
    return uris


def save(fake: Spotify, request: Request) -> Answer:
    _keep(fake, _uris(request), request.method == "PUT")
    return Answer(200, None)


def contains(fake: Spotify, request: Request) -> list[bool]:
    mine = {entry.uri for entry in fake.library.saved} | {
        f"spotify:playlist:{one.id}" for one in fake.library.playlists
    }
    return [uri in mine for uri in _uris(request)]


def save_ids(fake: Spotify, request: Request) -> Answer:
    """The old way, by ids in the body or the query."""
    brought = body(request)
    listed = ids(request, 50) if "ids" in request.query else (brought or {}).get("ids", [])
    if not listed or len(listed) > 50:
        raise Trouble(400, "Missing required field: ids" if not listed else "Too many ids requested")
    _keep(fake, [f"spotify:track:{one}" for one in listed], request.method == "PUT")
    return Answer(200, None)


def contains_ids(fake: Spotify, request: Request) -> list[bool]:
    mine = {entry.id for entry in fake.library.saved}
    return [one in mine for one in ids(request, 50)]
