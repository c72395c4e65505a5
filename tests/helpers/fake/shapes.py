"""The JSON objects of Spotify's Web API, with the fields that an app of each kind is given."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from urllib.parse import unquote_plus, urlencode

from helpers.fake.library import FRIEND, USER, Album, Artist, Entry, Library, Playlist, Track

Json = dict[str, Any]
T = TypeVar("T")
MARKETS = ["DE", "GB", "PL", "US"]


class Shapes:
    """Turns the library into JSON; `whole` keeps the fields that February 2026 removed."""

    def __init__(self, library: Library, api: str, whole: bool, alias: bool) -> None:
        self.library, self.api, self.whole, self.alias = library, api, whole, alias

    def _named(self, kind: str, one: str) -> Json:
        return {
            "external_urls": {"spotify": f"https://open.spotify.com/{kind}/{one}"},
            "href": f"{self.api}{kind}s/{one}",
            "id": one,
            "type": kind,
            "uri": f"spotify:{kind}:{one}",
        }

    def _images(self, one: str) -> list[Json]:
        sizes = (640, 300, 64)
        return [{"url": f"https://i.scdn.co/image/{one}{size}", "height": size, "width": size} for size in sizes]

    def _only(self, fields: Json) -> Json:
        return fields if self.whole else {}

    def artist_link(self, artist: Artist) -> Json:
        return self._named("artist", artist.id) | {"name": artist.name}

    def artist(self, artist: Artist) -> Json:
        # "often empty" for the new apps, so they must do without.
        rest = {"genres": list(artist.genres) if self.whole else [], "images": self._images(artist.id)}
        old = {"followers": {"href": None, "total": len(artist.name) * 1000}, "popularity": 50}
        return self.artist_link(artist) | rest | self._only(old)

    def album_link(self, album: Album) -> Json:
        precision = ("year", "month", "day")[album.date.count("-")]
        return {
            **self._named("album", album.id),
            "album_type": "album",
            "artists": [self.artist_link(album.artist)],
            "images": self._images(album.id),
            "name": album.name,
            "release_date": album.date,
            "release_date_precision": precision,
            "total_tracks": len(self.library.of_album[album.id]),
            **self._only({"available_markets": MARKETS}),
        }

    def track_link(self, track: Track) -> Json:
        """The simplified object that an album lists."""
        return {
            **self._named("track", track.id),
            "artists": [self.artist_link(artist) for artist in track.artists],
            "disc_number": 1,
            "duration_ms": track.duration_ms,
            "explicit": track.explicit,
            "is_local": False,
            "name": track.name,
            "track_number": track.number,
            **self._only({"available_markets": MARKETS, "preview_url": None}),
        }

    def track(self, track: Track) -> Json:
        whole = {
            **self.track_link(track),
            "album": self.album_link(track.album),
            "external_ids": {"isrc": track.isrc} if track.isrc else {},
            "is_playable": track.playable,
            **self._only({"popularity": track.popularity}),
        }
        return whole if track.playable else whole | {"restrictions": {"reason": "market"}}

    def local(self, uri: str) -> Json:
        """A file of the user's own computer in a playlist: hardly anything is known."""
        artist, album, title, seconds = (unquote_plus(part) for part in uri.split(":")[2:])
        nothing: Json = {"external_urls": {}, "href": None, "id": None}
        return {
            **nothing,
            "album": {
                **nothing,
                "album_type": None,
                "artists": [],
                "images": [],
                "name": album,
                "release_date": None,
                "release_date_precision": None,
                "type": "album",
                "uri": None,
                **self._only({"available_markets": []}),
            },
            "artists": [{**nothing, "name": artist, "type": "artist", "uri": None}],
            "disc_number": 0,
            "duration_ms": int(seconds) * 1000,
            "explicit": False,
            "external_ids": {},
            "is_local": True,
            "name": title,
            "track_number": 0,
            "type": "track",
            "uri": uri,
            **self._only({"available_markets": [], "popularity": 0, "preview_url": None}),
        }

    def episode(self, one: str) -> Json:
        show = self._named("show", one[::-1]) | {
            "copyrights": [],
            "description": "Talk",
            "explicit": False,
            "html_description": "<p>Talk</p>",
            "images": self._images(one),
            "is_externally_hosted": False,
            "languages": ["en"],
            "media_type": "audio",
            "name": "A show",
            "total_episodes": 1,
            **self._only({"available_markets": MARKETS, "publisher": "Nobody"}),
        }
        return self._named("episode", one) | {
            "audio_preview_url": None,
            "description": "An hour of talk",
            "duration_ms": 3_600_000,
            "explicit": False,
            "html_description": "<p>An hour of talk</p>",
            "images": self._images(one),
            "is_externally_hosted": False,
            "is_playable": True,
            "languages": ["en"],
            "name": "An episode",
            "release_date": "2026-11-01",
            "release_date_precision": "day",
            "show": show,
        }

    def content(self, entry: Entry, episodes: bool) -> Json | None:
        """What stands at a place of a playlist; None where it is gone, or spoken and not asked for."""
        if entry.uri is None:
            return None
        kind = entry.uri.split(":")[1]
        if kind == "local":
            return self.local(entry.uri)
        if kind == "episode":
            return self.episode(entry.id) if episodes else None
        track = self.library.tracks.get(entry.id)
        return None if track is None else self.track(track)

    def entry(self, entry: Entry, episodes: bool) -> Json:
        content = self.content(entry, episodes)
        names = ["item"] * (not self.whole) + ["track"] * (self.whole or self.alias)
        return {
            "added_at": entry.added_at,
            "added_by": self._named("user", entry.added_by),
            "is_local": bool(content and content.get("is_local")),
            **dict.fromkeys(names, content),
            **self._only({"primary_color": None, "video_thumbnail": {"url": None}}),
        }

    def saved(self, entry: Entry) -> Json:
        """Saved tracks kept the name `track` in 2026."""
        return {"added_at": entry.added_at, "track": self.track(self.library.tracks[entry.id])}

    def playlist(self, playlist: Playlist) -> Json:
        """A playlist with the summary of what is in it, as lists of playlists have it."""
        where = {"href": f"{self.api}playlists/{playlist.id}/{'tracks' if self.whole else 'items'}"}
        summary = where | {"total": len(playlist.entries)}
        owner = self._named("user", playlist.owner) | {
            "display_name": {USER: "One", FRIEND: None}.get(playlist.owner)
        }
        names = ["items"] * (not self.whole) + ["tracks"] * (self.whole or self.alias)
        return {
            **self._named("playlist", playlist.id),
            "collaborative": playlist.collaborative,
            "description": playlist.description,
            "images": self._images(playlist.id) if playlist.entries else [],
            "name": playlist.name,
            "owner": owner,
            "public": playlist.public,
            "snapshot_id": base64.b64encode(playlist.snapshot.encode()).decode(),
            **dict.fromkeys(names, summary),
        }

    def user(self, scopes: set[str]) -> Json:
        private = {
            "country": "DE",
            "product": "premium",
            "explicit_content": {"filter_enabled": False, "filter_locked": False},
        }
        return {
            **self._named("user", USER),
            "account_id": "aB3dE5fG7h",
            "display_name": "One",
            "images": [],
            **self._only({"followers": {"href": None, "total": 0}}),
            **self._only(private if "user-read-private" in scopes else {}),
            **self._only({"email": "one@example.org"} if "user-read-email" in scopes else {}),
        }

    def features(self, track: Track) -> Json | None:
        if track.features is None:
            return None
        return {
            **track.features,
            "analysis_url": f"{self.api}audio-analysis/{track.id}",
            "duration_ms": track.duration_ms,
            "id": track.id,
            "track_href": f"{self.api}tracks/{track.id}",
            "type": "audio_features",
            "uri": track.uri,
        }


def page(
    href: str, query: dict[str, str], everything: Sequence[T], shape: Callable[[T], Any], limit: int, offset: int
) -> Json:
    """A page of a list with the links to its neighbours."""

    def link(at: int) -> str:
        return f"{href}?{urlencode(query | {'offset': at, 'limit': limit})}"

    total = len(everything)
    return {
        "href": link(offset),
        "items": [shape(one) for one in everything[offset : offset + limit]],
        "limit": limit,
        "next": link(offset + limit) if offset + limit < total else None,
        "offset": offset,
        "previous": link(max(offset - limit, 0)) if offset > 0 else None,
        "total": total,
    }
