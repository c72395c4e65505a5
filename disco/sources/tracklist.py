"""A playlist as a file describes it, before its tracks are looked up in a catalogue."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from disco.catalogue import Catalogue, Rows
from disco.catalogue.paths import file_title, numbered_folders
from disco.catalogue.same_recording import WAYS, Recordings
from disco.catalogue.text import (
    LONGEST,
    LONGEST_PATH,
    RELEASE_REMARKS,
    clean_text,
    fold_accents,
    normalise,
    recording_titles,
    split_names,
)

# So many tracks that have all words of a line of text are looked at for one that has no others, the popular first.
_MOST_COMPARED = 200
# The remark that most often stands within a line, before the artist.
_REMASTER = r"\s+-\s+(?:\d{4}\s+)?(?:digital(?:ly)?\s+)?remaster(?:ed)?(?:\s+version)?(?:\s+\d{4})?\b"

# What of an entry is text, and is cleaned as it enters.
_TEXTS = (
    *((name, LONGEST) for name in ("title", "artist", "album", "genre", "isrc", "key", "comment", "text")),
    *((name, LONGEST_PATH) for name in ("id", "path")),
)


@dataclass(frozen=True, slots=True)
class Entry:
    """What a file says of one track; None and the empty text are unknown.

    Parameters
    ----------
    id : str, optional
        Id, or path or text by which the file names the track.
    title, artist, album, genre, isrc, comment : str, optional
        `artist` holds all artists as the file joins them.
    path : str, optional
        Of the audio file.
    duration_ms, tempo_bpm : float, optional
        In ms and in beats per minute.
    key : str or tuple of int, optional
        In any spelling, or key 0-11 and mode.
    text : str, optional
        Artist and title as one text, where the file does not separate them.

    Examples
    --------
    >>> Entry(title="Night Bus", artist="Mira Vale").name
    'Night Bus Mira Vale'
    """

    id: str | None = None
    title: str | None = None
    artist: str | None = None
    album: str | None = None
    genre: str | None = None
    isrc: str | None = None
    path: str | None = None
    duration_ms: float | None = None
    tempo_bpm: float | None = None
    key: str | tuple[int, int] | None = None
    comment: str | None = None
    text: str | None = None

    def __post_init__(self) -> None:
        for name, longest in _TEXTS:
            text = getattr(self, name)
            if text.__class__ is str and (len(text) > longest or not text.isascii()):
                object.__setattr__(self, name, clean_text(text, longest))

    @property
    def name(self) -> str:
        """Title and artist as one text, by which the track can be searched; empty where no title is known."""
        if self.text:
            return self.text
        return f"{self.title} {self.artist}" if self.title and self.artist else self.title or ""


@dataclass(frozen=True)
class Tracklist:
    """Tracks in the order of a playlist, as a file describes them.

    Parameters
    ----------
    name : str
        Empty where the file gives none.
    entries : list of Entry
        In the order of the playlist; a track that is in it twice has two.
    tracks : Catalogue, optional
        One row per entry, where the file says more of its tracks than names.
    folder : str
        Names of the folders that contain the playlist, separated by ` / `; empty if there are none.
    unmatched : tuple of int
        Positions of entries that the file's own collection does not have.
    untitled : tuple of int
        Positions of ids that stand alone in a table which names most of its tracks: what is gone from a service. They
        are tracks where a catalogue knows them, see `known_to`.

    Examples
    --------
    >>> friday = Tracklist("Friday", [Entry("t1"), Entry(title="Night Bus", artist="Mira Vale")], folder="Sets")
    >>> friday.full_name
    'Sets / Friday'
    >>> friday.ids
    ['t1', 'Night Bus Mira Vale']
    """

    name: str
    entries: list[Entry]
    tracks: Catalogue | None = None
    folder: str = ""
    unmatched: tuple[int, ...] = ()
    untitled: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self.entries)

    @property
    def full_name(self) -> str:
        """Name with the folders that contain the playlist, as DJ programs show it."""
        return f"{self.folder} / {self.name}" if self.folder else self.name

    @property
    def ids(self) -> list[str]:
        """Id of each entry, or else its name."""
        return [entry.id or entry.name for entry in self.entries]

    @property
    def names(self) -> list[str]:
        """Title and artist of each entry, empty where unknown."""
        return [entry.name for entry in self.entries]

    @property
    def credits(self) -> list[tuple[str | None, str | None]]:
        """Title and artist of each entry apart; of a text `artist - title` the two that its first dash parts."""
        numbered = _numbered(self.entries)
        return [_apart(entry, numbered) for entry in self.entries]

    def rows(self, catalogue: Catalogue) -> Rows:
        """Rows of the tracks that the catalogue has, in the order of the playlist and each once."""
        found = self.match(catalogue)
        return np.array(list(dict.fromkeys(found[found >= 0].tolist())), dtype=np.intp)

    def known_to(self, catalogue: Catalogue) -> Tracklist:
        """The tracklist without the ids that stand alone and that the catalogue does not have either."""
        alone = list(self.untitled)
        if not alone:
            return self
        rows = Recordings.of(catalogue).find(ids=[self.entries[i].id for i in alone])
        kept = np.setdiff1d(np.arange(len(self)), np.array(alone)[rows < 0])
        place = {old: new for new, old in enumerate(kept.tolist())}
        return replace(
            self,
            entries=[self.entries[i] for i in kept],
            tracks=None if self.tracks is None else self.tracks.take(kept),
            unmatched=tuple(place[i] for i in self.unmatched if i in place),
            untitled=tuple(place[i] for i in self.untitled if i in place),
        )

    def match(self, catalogue: Catalogue) -> Rows:
        """Match each entry with the same recording in a catalogue; see `disco.catalogue.same_recording`.

        A line of text without a dash between artist and title is the track whose title, with or without its artists,
        has the same words and no others. Nothing is searched for: what is not there stays unmatched.

        Returns
        -------
        ndarray of int, shape (n entries,)
            Row in the catalogue, -1 where unmatched.
        """
        return self.match_with_ways(catalogue)[0]

    def match_with_ways(self, catalogue: Catalogue) -> tuple[Rows, NDArray[np.int8]]:
        """Rows as `match` gives them, and how each was found, as a position in `WAYS`; -1 where unmatched."""
        recordings, entries = Recordings.of(catalogue), self.entries
        found, ways = recordings.find_with_ways(
            ids=[entry.id for entry in entries],
            isrcs=[entry.isrc for entry in entries],
            paths=[entry.path or _as_path(entry.id) for entry in entries],
            titles=[entry.title for entry in entries],
            artists=[entry.artist for entry in entries],
            durations_ms=[entry.duration_ms for entry in entries],
        )
        if catalogue is self.tracks:
            found[list(self.unmatched)] = ways[list(self.unmatched)] = -1
            return found, ways
        numbered = _numbered(entries)
        texts = [entry.text or _file_name(entry, numbered) or "" for entry in entries]
        named = [i for i in np.flatnonzero(found < 0) if texts[i]]
        found[named] = recordings.find_names([texts[i] for i in named], [entries[i].duration_ms for i in named])
        lines = {
            i: entries[i].text or "" for i in np.flatnonzero(found < 0).tolist() if entries[i].id == entries[i].text
        }
        for i, row in _with_the_same_words(catalogue, {i: line for i, line in lines.items() if line}).items():
            found[i] = row
        ways[(found >= 0) & (ways < 0)] = WAYS.index("name")
        return found, ways


def _apart(entry: Entry, numbered: Collection[str] = ()) -> tuple[str | None, str | None]:
    text = entry.text or (None if entry.title else _file_name(entry, numbered))
    if not text:
        return entry.title, entry.artist
    parts = split_names(text)
    return (parts[0][1], parts[0][0]) if parts else (entry.title or text, entry.artist)


def with_names_apart(entries: Sequence[Entry]) -> list[Entry]:
    """Entries whose text `artist - title` is parted into the two.

    Examples
    --------
    >>> entry = with_names_apart([Entry("a", text="Mira Vale - Night Bus")])[0]
    >>> entry.title, entry.artist, entry.text
    ('Night Bus', 'Mira Vale', None)
    """
    parted = Tracklist("", list(entries)).credits
    return [replace(e, title=t, artist=a, text=None) for e, (t, a) in zip(entries, parted, strict=True)]


def _as_path(text: str | None) -> str | None:
    return text if text and ("/" in text or "\\" in text) else None


def _numbered(entries: Sequence[Entry]) -> set[str]:
    """Folders whose files are numbered, where any entry is named by its file alone."""
    if all(entry.text or entry.title or not entry.path for entry in entries):
        return set()
    return numbered_folders(entry.path for entry in entries if entry.path)


def _file_name(entry: Entry, numbered: Collection[str]) -> str | None:
    """The name of an entry's file, without ending and number, where nothing else names the track."""
    if entry.text or entry.title or not entry.path:
        return None
    return file_title(entry.path, numbered)


def _with_the_same_words(catalogue: Catalogue, lines: Mapping[int, str]) -> dict[int, int]:
    """Rows of tracks whose titles, alone or with their artists, have all words of a line and no others."""
    # A remark on the release, as (feat. Bo), is no part of the name.
    shorter = [re.sub(rf"{RELEASE_REMARKS[0]}|{_REMASTER}", "", text, flags=re.IGNORECASE) for text in lines.values()]
    words = [*map(sorted, _words([*lines.values(), *shorter]))] if lines else []
    codes = catalogue.word_codes({word for of_line in words for word in of_line}) if words else {}
    found = {}
    for i, whole, short in zip(lines, words, words[len(lines) :], strict=False):
        for wanted in (whole, short) if short != whole else (whole,):
            if (row := _of_words(catalogue, wanted, codes)) >= 0:
                found[i] = row
                break
    return found


def _of_words(catalogue: Catalogue, wanted: list[str], codes: Mapping[str, int]) -> int:
    """The row of the track that has these words and no others; -1 if there is none."""
    asked = set(wanted) - {"by"} or set(wanted)
    if not asked or not asked <= codes.keys():
        return -1
    rows = catalogue.rows_with_words([codes[word] for word in asked], _MOST_COMPARED)
    for row, track in zip(rows.tolist(), catalogue.tracks(rows, ("title", "artists")), strict=True):
        artists = track["artists"] or []
        titles = {track["title"] or "", *recording_titles(pa.array([track["title"]])).to_pylist()} - {"", None}
        of_titles = _words(list(titles))
        for credit in _words(["", *artists, " ".join(artists)]):
            for title in of_titles:
                if wanted in (sorted([*title, *credit]), sorted([*title, *credit, "by"])):
                    return int(row)
    return -1


def _words(texts: Sequence[str]) -> list[list[str]]:
    """Words of each text in one spelling."""
    return [(text or "").split() for text in normalise(fold_accents(pa.array(texts, pa.string()))).to_pylist()]


def entries_of(tracks: Catalogue) -> list[Entry]:
    """The rows of a catalogue as entries."""
    names = ("track_id", "title", "artists", "album", "isrc", "path", "duration_ms")
    columns = [tracks.column(name).to_pylist() for name in names]
    return [
        Entry(track_id, title, ", ".join(artists or []), album, None, isrc, path, duration)
        for track_id, title, artists, album, isrc, path, duration in zip(*columns, strict=True)
    ]
