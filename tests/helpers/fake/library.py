"""Made-up music and one person's library of it: thousands of tracks from a seed, some with names that mean harm."""

from __future__ import annotations

import hashlib
import pickle
import random
import string
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any

BASE62 = string.digits + string.ascii_letters
FIRST = (
    "Night Glass Paper Slow Copper Northern Velvet Hollow Electric Salt Winter Second Quiet Silver Borrowed".split()
)
SECOND = (
    "Bus River Garden Engine Weather Mirror Harbour Signal Orchard Staircase Lantern Meridian Tides Atlas".split()
)
THIRD = "(Dub)|(Live in Łódź)|- 2011 Remaster|(feat. Nobody)|Pt. II|[Extended Mix]|||||||".split("|")
FOREIGN = (
    "Ночной автобус",
    "夜のバス",
    "심야 버스",
    "حافلة الليل",
    "אוטובוס לילה",
    "Νυχτερινό",
    "Ñandú à l’aube",
    "I\u0307stanbul ı",  # a dotted capital: lower-casing makes it longer
    "Cafe\u0301",  # decomposed
    "🎧 🏳️‍🌈 👩🏽‍🚀",
    "ﬁn de siècle",
    "Ｆｕｌｌ　ｗｉｄｔｈ",
)
HOSTILE = (
    "<script>alert('x')</script>",
    "Tom & Jerry <b>\"loud\"</b> 'n' ]]> &amp; &#60;",
    "../../../../etc/passwd",
    "C:\\Windows\\nul",
    "line one\nline two\r\n#EXTINF:1,three",
    "tab\there \x00 \x07 \x1b[31mred\x1b[0m \x9b2J",
    "\u202eesrever\u202c \u200f right to left \u2066mark\u2069",
    '=HYPERLINK("http://127.0.0.1","x")',
    "'; DROP TABLE tracks; --",
    "%s %n {0} ${HOME} $(id) `id`",
    "",
    "   ",
    "\ufeffmark of order \u2028 line \u2029 paragraph \ufffe",
    "\ud83d half an emoji",
    "x" * 3000,
    'artist:nobody isrc:NONE "unclosed',
    "null",
)
GENRES = "house techno ambient soul jazz folk disco dub pop rock".split()
USER = "listener_one"
FRIEND = "listener_two"
FEATURES = "acousticness danceability energy instrumentalness liveness speechiness valence".split()


@dataclass(frozen=True)
class Artist:
    id: str
    name: str
    genres: tuple[str, ...]


@dataclass(frozen=True)
class Album:
    id: str
    name: str
    artist: Artist
    date: str


@dataclass(frozen=True)
class Track:
    """A track as the service knows it; `features` is None where it was never analysed."""

    id: str
    name: str
    artists: tuple[Artist, ...]
    album: Album
    number: int
    duration_ms: int
    explicit: bool
    popularity: int
    isrc: str | None
    playable: bool
    features: dict[str, float] | None

    @property
    def uri(self) -> str:
        return f"spotify:track:{self.id}"


@dataclass(frozen=True)
class Entry:
    """One place in a playlist or among the saved; uri None is something that is gone from the service."""

    uri: str | None
    added_at: str | None
    added_by: str = USER

    @property
    def id(self) -> str:
        return (self.uri or "").rpartition(":")[2]


@dataclass
class Playlist:
    """A playlist; `snapshot` names its present state, `past` those before."""

    id: str
    name: str
    owner: str = USER
    public: bool | None = True
    collaborative: bool = False
    description: str | None = ""
    entries: list[Entry] = field(default_factory=list)
    past: list[str] = field(default_factory=list)

    @property
    def snapshot(self) -> str:
        state = repr((len(self.past), self.name, [entry.uri for entry in self.entries]))
        return "AAAA" + hashlib.sha256(state.encode("utf-8", "surrogatepass")).hexdigest()[:28]

    @property
    def uris(self) -> list[str | None]:
        return [entry.uri for entry in self.entries]

    def replace(self, entries: list[Entry]) -> None:
        """Give it other entries, and a new snapshot."""
        self.past.append(self.snapshot)
        self.entries = entries


def stamp(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Library:
    """The service's catalogue, and what one user has of it.

    Attributes
    ----------
    tracks, albums, artists : dict
        By id.
    saved : list of Entry
        Newest first, as the service lists them.
    playlists : list of Playlist
        In the user's order: own ones, one shared by a friend, one only followed, one that Spotify made.
    top : dict
        Ids of tracks by time range.
    followed : set
        Ids of playlists in the user's list that are not his.
    """

    def __init__(self, seed: int = 0, tracks: int = 3000, saved: int = 1234, start: float = 1_795_000_000.0) -> None:
        self.__dict__.update(pickle.loads(_made(seed, tracks, saved, start)))

    def _make(self, seed: int, tracks: int, saved: int, start: float) -> None:
        self.random = random.Random(seed)
        self.artists: dict[str, Artist] = {}
        self.albums: dict[str, Album] = {}
        self.tracks: dict[str, Track] = {}
        self.of_album: dict[str, list[Track]] = {}
        self._make_tracks(tracks)
        ids = list(self.tracks)
        self.random.shuffle(ids)
        # A minute apart, so that sorting by date is well defined.
        self.saved = [Entry(self.tracks[one].uri, stamp(start - 60 * i)) for i, one in enumerate(ids[:saved])]
        self.top = {
            span: self.random.sample(ids, min(n, len(ids)))
            for span, n in (("short_term", 31), ("medium_term", 99), ("long_term", 120))
        }
        self.playlists: list[Playlist] = []
        self._make_playlists(ids, start)

    def new_id(self) -> str:
        return "".join(self.random.choices(BASE62, k=22))

    def name(self, i: int) -> str:
        """Plain names mostly; all the others early, so that short libraries have them too."""
        strange = HOSTILE + FOREIGN
        if i % 7 == 3 and i // 7 < 3 * len(strange):
            return strange[i // 7 % len(strange)]
        words = (self.random.choice(FIRST), self.random.choice(SECOND), self.random.choice(THIRD))
        return " ".join(filter(None, words))

    def _make_tracks(self, n: int) -> None:
        draw = self.random
        artists = [
            Artist(self.new_id(), self.name(i) or "Untitled", tuple(draw.sample(GENRES, 2)))
            for i in range(max(n // 8, 3))
        ]
        self.artists = {artist.id: artist for artist in artists}
        while len(self.tracks) < n:
            date = draw.choice(("1969", "1981-12", "1999-02-28", "2024-02-29", "2026-11-20"))
            album = Album(self.new_id(), self.name(len(self.albums)), draw.choice(artists), date)
            self.albums[album.id] = album
            for number in range(1, min(draw.randint(1, 12), n - len(self.tracks)) + 1):
                i = len(self.tracks)
                others = draw.sample(artists, draw.choice((0, 0, 0, 1, 2)))
                track = Track(
                    id=self.new_id(),
                    name=self.name(i),
                    artists=(album.artist, *(other for other in others if other is not album.artist)),
                    album=album,
                    number=number,
                    duration_ms=draw.randint(60_000, 600_000),
                    explicit=draw.random() < 0.1,
                    popularity=draw.randint(0, 100),
                    # One in fifty has none, one in fifty shares that of the track before (single and album).
                    isrc=None if i % 50 == 7 else f"XXF26{i - (i % 50 == 9):07d}",
                    playable=i % 40 != 11,
                    features=None if i % 25 == 5 else self._features(),
                )
                self.tracks[track.id] = track
                self.of_album.setdefault(album.id, []).append(track)

    def _features(self) -> dict[str, float]:
        draw = self.random
        return {
            **{name: round(draw.random(), 4) for name in FEATURES},
            "loudness": round(draw.uniform(-30, 0), 3),
            "tempo": round(draw.uniform(60, 200), 3) if draw.random() < 0.98 else 0.0,
            "key": draw.randint(0, 11) if draw.random() < 0.97 else -1,
            "mode": draw.randint(0, 1),
            "time_signature": draw.choice((4, 4, 4, 3, 5)),
        }

    def _make_playlists(self, ids: list[str], start: float) -> None:
        draw = self.random
        for i, n in enumerate((0, 1, 49, 50, 51, 100, 101, 250)):
            entries = [
                Entry(f"spotify:track:{one}", stamp(start - 3600 * i - j))
                for j, one in enumerate(draw.sample(ids, min(n, len(ids))))
            ]
            self.add_playlist(self.name(3 + 7 * i) if i % 2 else f"Mix {i}", entries)
        odd = [Entry(f"spotify:track:{one}", stamp(start)) for one in draw.sample(ids, 4)]
        odd.insert(1, Entry("spotify:local:Some+One:An+Album:My+%3CFile%3E+%26+more:187", stamp(start)))
        odd.insert(3, Entry(None, None))
        odd.insert(4, Entry(f"spotify:episode:{self.new_id()}", stamp(start)))
        odd.append(odd[0])  # the same track twice is allowed
        self.add_playlist("Odd ones: local, gone, spoken, twice", odd, description=None)
        few = [Entry(f"spotify:track:{one}", stamp(start), FRIEND) for one in draw.sample(ids, 5)]
        self.add_playlist("Ours", few, owner=FRIEND, public=False, collaborative=True)
        self.add_playlist("Theirs", few, owner=FRIEND)
        self.add_playlist("Made for you", few, owner="spotify")

    def add_playlist(self, name: str, entries: list[Entry] | None = None, **rest: Any) -> Playlist:
        """A new playlist at the head of the user's list."""
        playlist = Playlist(self.new_id(), name, entries=list(entries or []), **rest)
        self.playlists.insert(0, playlist)
        return playlist

    def playlist(self, name: str) -> Playlist:
        """The first playlist of that name or id."""
        return next(one for one in self.playlists if name in (one.id, one.name))

    def own(self) -> list[Playlist]:
        """Playlists whose contents the user may read in any scenario."""
        return [one for one in self.playlists if one.owner == USER or one.collaborative]


@cache
def _made(seed: int, tracks: int, saved: int, start: float) -> bytes:
    """State of a new library, pickled: copied so in a fifth of the time that it takes to make it."""
    library = Library.__new__(Library)
    library._make(seed, tracks, saved, start)
    return pickle.dumps(library.__dict__)
