"""Navidrome on 127.0.0.1, as far as OpenSubsonic clients need it to find songs and to write playlists."""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import quoteattr

from helpers.fake.library import Library, Track, stamp
from helpers.fake.server import Answer, Clock, Request, Server

Json = dict[str, Any]
VERSION = "1.16.1"
# Codes of the protocol's errors.
GENERIC, MISSING, CLIENT_OLD, SERVER_OLD, WRONG, CONFLICT, FORBIDDEN, NOT_FOUND = 0, 10, 20, 30, 40, 43, 50, 70
EXTENSIONS = [{"name": name, "versions": [1]} for name in ("formPost", "songLyrics", "transcodeOffset")]


class Failed(Exception):
    """A request that is answered with an error of the protocol; the status is 200 all the same."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass
class Listed:
    """A playlist on the server."""

    id: str
    name: str
    owner: str
    songs: list[str]
    comment: str = ""
    public: bool = False
    changes: int = 0


class Navidrome(Server):
    """The server of one user with the tracks of a library.

    Attributes
    ----------
    songs : dict
        Tracks by the server's own ids.
    playlists : dict
        By id; one is another user's.
    """

    def __init__(
        self,
        library: Library | None = None,
        *,
        user: str = "one",
        password: str = "sesame öffne",
        clock: Clock | None = None,
    ) -> None:
        super().__init__(clock)
        self.library = library or Library()
        self.user, self.password = user, password
        self.songs = {song_id(one): one for one in self.library.tracks.values()}
        theirs = Listed("theirs", "Somebody else's", "two", list(self.songs)[:3], public=True)
        self.playlists = {theirs.id: theirs}

    def refuse(self, seconds: float, quota: bool) -> Answer:
        return Answer(429, b"Too Many Requests\n", {"Retry-After": str(int(seconds))}, "text/plain")

    def complain(self, status: int, message: str) -> Answer:
        return Answer(status, f"{message}\n".encode(), kind="text/plain; charset=utf-8")

    def respond(self, request: Request) -> Answer:
        match = re.fullmatch(r"/rest/(\w+?)(\.view)?", request.path)
        if match is None or request.method not in ("GET", "POST"):
            return self.complain(404, "404 page not found")
        given = list(request.pairs)
        if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            given += parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True)
        asked = Asked(given)
        try:
            endpoint = ENDPOINTS.get(match[1])
            if endpoint is None:
                return self.complain(404, "404 page not found")
            if match[1] != "getOpenSubsonicExtensions":  # the only one that asks for nobody's name
                self._admit(asked)
            found, failed = endpoint(self, asked), {}
        except Failed as trouble:
            found, failed = {}, {"error": {"code": trouble.code, "message": str(trouble)}}
        whole = {
            "status": "failed" if failed else "ok",
            "version": VERSION,
            "type": "navidrome",
            "serverVersion": "0.63.2 (fake)",
            "openSubsonic": True,
            **found,
            **failed,
        }
        if asked.one("f", "xml") == "json":
            return Answer(200, {"subsonic-response": whole})
        text = '<?xml version="1.0" encoding="UTF-8"?>' + xml("subsonic-response", whole)
        return Answer(200, text.encode("utf-8", "replace"), kind="application/xml; charset=utf-8")

    def _admit(self, asked: Asked) -> None:
        """Check name and word, in the clear or as a salted digest, and the version of the protocol."""
        user, version = asked.need("u"), asked.need("v")
        asked.need("c")
        major = int((re.findall(r"\d+", version) or ["0"])[0])
        if major != 1:
            raise Failed(CLIENT_OLD if major < 1 else SERVER_OLD, "Incompatible Subsonic REST protocol version")
        token, salt, word = asked.one("t"), asked.one("s"), asked.one("p")
        if word and token:
            raise Failed(CONFLICT, "Multiple conflicting authentication mechanisms provided")
        if word.startswith("enc:"):
            word = bytes.fromhex(word[4:]).decode("utf-8", "replace")
        digest = hashlib.md5((self.password + salt).encode(), usedforsecurity=False).hexdigest()
        right = secrets.compare_digest(token, digest) if token and salt else word == self.password
        if user != self.user or not right:
            raise Failed(WRONG, "Wrong username or password")

    def song(self, own: str) -> Json:
        track = self.songs[own]
        return {
            "id": own,
            "parent": track.album.id,
            "isDir": False,
            "title": track.name,
            "album": track.album.name,
            "artist": track.artists[0].name,
            "track": track.number,
            "year": int(track.album.date[:4]),
            "duration": track.duration_ms // 1000,
            "path": "/".join(
                map(safe, (track.artists[0].name, track.album.name, f"{track.number:02} {track.name}.flac"))
            ),
            "suffix": "flac",
            "contentType": "audio/flac",
            "albumId": track.album.id,
            "artistId": track.artists[0].id,
            "type": "music",
            "mediaType": "song",
            "isVideo": False,
            # 0 stands for unknown: a server that supports a field must always send it.
            "bpm": round((track.features or {}).get("tempo", 0)),
            "musicBrainzId": "",
            "isrc": [track.isrc] if track.isrc else [],
            "genres": [{"name": name} for name in track.artists[0].genres],
            "artists": [{"id": one.id, "name": one.name} for one in track.artists],
            "displayArtist": " • ".join(one.name for one in track.artists),
        }

    def find(self, own: str) -> Listed:
        if own not in self.playlists:
            raise Failed(NOT_FOUND, "Playlist not found")
        return self.playlists[own]

    def mine(self, own: str) -> Listed:
        playlist = self.find(own)
        if playlist.owner != self.user:
            raise Failed(FORBIDDEN, "User is not authorized for the given operation")
        return playlist

    def head(self, playlist: Listed) -> Json:
        return {
            "id": playlist.id,
            "name": playlist.name,
            "comment": playlist.comment,
            "songCount": len(playlist.songs),
            "duration": sum(self.songs[one].duration_ms for one in playlist.songs) // 1000,
            "public": playlist.public,
            "owner": playlist.owner,
            "created": stamp(self.clock.start),
            "changed": stamp(self.clock.now()),
        }

    def whole(self, playlist: Listed) -> Json:
        return {"playlist": self.head(playlist) | {"entry": [self.song(one) for one in playlist.songs]}}


class Asked:
    """The parameters of a request."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self.pairs = pairs

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.pairs if key == name]

    def one(self, name: str, default: str = "") -> str:
        return (self.all(name) or [default])[0]

    def need(self, name: str) -> str:
        if not self.one(name):
            raise Failed(MISSING, f"missing parameter: '{name}'")
        return self.one(name)

    def number(self, name: str, default: int) -> int:
        text = self.one(name, str(default))
        return int(text) if re.fullmatch(r"\d{1,9}", text) else default


def ping(server: Navidrome, asked: Asked) -> Json:
    return {}


def extensions(server: Navidrome, asked: Asked) -> Json:
    return {"openSubsonicExtensions": EXTENSIONS}


def search3(server: Navidrome, asked: Asked) -> Json:
    """Songs with all the words in their names; an empty query, or \"\", means all there is."""
    if not asked.all("query"):
        raise Failed(MISSING, "missing parameter: 'query'")
    words = asked.one("query").strip().strip('"').casefold().split()
    found = [own for own, track in server.songs.items() if all(word in _names(track) for word in words)]
    start, n = asked.number("songOffset", 0), min(asked.number("songCount", 20), 500)
    songs = [server.song(own) for own in found[start : start + n]]
    return {"searchResult3": {"song": songs} if songs else {}}


def _names(track: Track) -> str:
    return " ".join([track.name, track.album.name, *(one.name for one in track.artists)]).casefold()


def get_song(server: Navidrome, asked: Asked) -> Json:
    own = asked.need("id")
    if own not in server.songs:
        raise Failed(NOT_FOUND, "Song not found")
    return {"song": server.song(own)}


def get_playlists(server: Navidrome, asked: Asked) -> Json:
    shown = [one for one in server.playlists.values() if one.public or one.owner == server.user]
    return {"playlists": {"playlist": [server.head(one) for one in sorted(shown, key=lambda one: one.name)]}}


def get_playlist(server: Navidrome, asked: Asked) -> Json:
    return server.whole(server.find(asked.need("id")))


def create_playlist(server: Navidrome, asked: Asked) -> Json:
    """A new playlist, or other songs for one that exists; ids that nobody knows are dropped without a word."""
    songs = [one for one in asked.all("songId") if one in server.songs]
    if own := asked.one("playlistId"):
        playlist = server.mine(own)
        playlist.songs = songs
        playlist.changes += 1
    else:
        if not asked.one("name"):
            raise Failed(MISSING, "required parameter name is missing")
        playlist = Listed(secrets.token_hex(11), asked.one("name"), server.user, songs)
        server.playlists[playlist.id] = playlist
    return server.whole(playlist)


def update_playlist(server: Navidrome, asked: Asked) -> Json:
    """Take out songs by their places as they were, then add others at the end."""
    playlist = server.mine(asked.need("playlistId"))
    gone = {int(one) for one in asked.all("songIndexToRemove") if one.isdigit()}
    left = [one for i, one in enumerate(playlist.songs) if i not in gone]
    playlist.songs = left + [one for one in asked.all("songIdToAdd") if one in server.songs]
    playlist.name = asked.one("name", playlist.name)
    playlist.comment = asked.one("comment", playlist.comment)
    playlist.public = asked.one("public", str(playlist.public)).lower() == "true"
    playlist.changes += 1
    return {}


def delete_playlist(server: Navidrome, asked: Asked) -> Json:
    del server.playlists[server.mine(asked.need("id")).id]
    return {}


ENDPOINTS = {
    "ping": ping,
    "getOpenSubsonicExtensions": extensions,
    "search3": search3,
    "getSong": get_song,
    "getPlaylists": get_playlists,
    "getPlaylist": get_playlist,
    "createPlaylist": create_playlist,
    "updatePlaylist": update_playlist,
    "deletePlaylist": delete_playlist,
}


def xml(name: str, value: Any) -> str:
    """The answer as XML: plain values as attributes, the rest as elements."""
    if not isinstance(value, dict):
        return f"<{name}>{quoteattr(str(value))[1:-1]}</{name}>"
    plain = {key: one for key, one in value.items() if not isinstance(one, dict | list)}
    texts = {key: str(one).lower() if isinstance(one, bool) else _clean(str(one)) for key, one in plain.items()}
    inner = "".join(
        xml(key, one)
        for key, several in value.items()
        if key not in plain
        for one in (several if isinstance(several, list) else [several])
    )
    return f"<{name}{''.join(f' {key}={quoteattr(text)}' for key, text in texts.items())}>{inner}</{name}>"


def _clean(text: str) -> str:
    """Without what XML cannot hold, as Go's encoder replaces it."""
    return re.sub("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "\ufffd", text)


def safe(name: str) -> str:
    return re.sub(r"[/\\\x00]", "_", name)


def song_id(track: Track) -> str:
    return hashlib.md5(track.id.encode(), usedforsecurity=False).hexdigest()
