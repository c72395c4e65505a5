"""Whole files of every kind that is read, with what reads each as a command does, for `mutations.py`.

Libraries of DJ programs, histories and exports are the small examples of the tests.
"""

from __future__ import annotations

import gzip
import itertools
import json
import os
import struct
import sys
import wave
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa

import disco
from disco import sources
from disco.catalogue import Catalogue
from disco.catalogue.paths import file_title
from disco.catalogue.same_recording import WAYS
from disco.catalogue.table import Rows
from disco.catalogue.text import fold_accents, normalise, recording_titles
from disco.cli import settings
from disco.export import to_crate
from disco.sources import corrections, histories, play_log, playlist_files
from disco.sources.audio.cache import Cache, Measured
from disco.sources.files import playlist_tables, tables
from disco.sources.services import answers
from disco.sources.services.spotify import library, state, tokens
from disco.sources.tracklist import Entry

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
import test_dj_databases
import test_histories
import test_mixxx
import test_spotify_library
import test_text_exports
from helpers import sources as examples

# Tracks in the lists: every one is looked up in every way where it is damaged, so a few show as much as many.
FEW = 4
DEMO_TRACKS = 300


@dataclass
class Case:
    """A file to damage, and what reads it or the place that it belongs to.

    Attributes
    ----------
    file : Path
    whole : bytes
        Its content, undamaged.
    read : callable
    beside : dict of bytes by Path
        Files that reading changes, to be as they were before each time.
    """

    file: Path
    read: Callable[[], object]
    whole: bytes = b""
    beside: dict[Path, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.whole = self.whole or self.file.read_bytes()


class Files:
    """Whole files of each kind in a folder; what DISCO itself keeps lies where `$DISCO_DATA` and the others say."""

    def __init__(self, folder: Path) -> None:
        # A reader has two ways, which cost as much as each other; they are tried in turn.
        self.turn = itertools.count()
        self.folder, self.own = folder, os.environ["DISCO_DATA"]
        demo = disco.open(cache=False).take(np.arange(DEMO_TRACKS)).table
        paths = [f"/music/{track['artists'][0]}/{track['title']}.mp3" for track in demo.to_pylist()]
        at = demo.schema.get_field_index("path")
        self.demo = Catalogue(demo.set_column(at, demo.schema.field("path"), [paths]), "the demo")
        self.known = self.demo
        self.cases: dict[str, list[Case]] = {}
        self._lists()
        self._tables()
        self._libraries()
        self._histories()
        self._own()

    def add(self, kind: str, file: Path, read: Callable[[Path], object], *damaged: Path) -> None:
        """Add a kind; `damaged` are the files of which one is damaged, by default the one that is read."""
        self.cases[kind] = [Case(one, lambda: read(file)) for one in damaged or (file,)]

    def _place(self, kind: str) -> Path:
        place = self.folder / kind.replace(" ", "-")
        place.mkdir()
        return place

    def _lists(self) -> None:
        few = disco.reorder(self.demo, list(self.demo.ids(np.arange(FEW))), iterations=10)
        for suffix in ("json", "csv", "m3u8", "jspf", "xml", "nml", "pls", "xspf"):
            where = self.folder / f"list.{suffix}"
            few.save(where, force=True)
            self.add(suffix, where, self.read_list)
        (self.folder / "list.crate").write_bytes(to_crate(few))
        self.add("crate", self.folder / "list.crate", self.read_list)
        lines = [f"{', '.join(track['artists'])} - {track['title']}" for track in few.tracks.table.to_pylist()]
        (self.folder / "list.txt").write_text("\n".join(lines))
        self.add("txt", self.folder / "list.txt", self.read_list)

    def _tables(self) -> None:
        few = self.demo.take(np.arange(40))
        tables.write(few, self.folder / "tracks.parquet")
        self.add("parquet", self.folder / "tracks.parquet", self.read_tracks)
        (self.folder / "tracks.csv.gz").write_bytes(gzip.compress((self.folder / "list.csv").read_bytes()))
        self.add("gz", self.folder / "tracks.csv.gz", self.read_tracks)
        names = ((t["title"], ", ".join(t["artists"])) for t in few.tracks())
        plays = [{"trackName": t, "artistName": a, "msPlayed": 60000, "endTime": "2026-01-01"} for t, a in names]
        ids = [{"track_uri": f"spotify:track:{i}"} for i in few.ids(np.arange(9))]
        slices = {"playlists": [{"pid": 1, "tracks": ids}]}
        for name, member, content in (
            ("mpd", "mpd.slice.0-999.json", slices),
            ("export", "StreamingHistory_music_0.json", plays),
        ):
            with zipfile.ZipFile(self.folder / f"{name}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr(member, json.dumps(content))
        self.add("mpd", self.folder / "mpd.zip", lambda path: (playlist_tables.read(path), self.read_tracks(path)))
        self.add("export", self.folder / "export.zip", self.read_list)
        export = examples.write_export(self._place("export folder"))
        self.add("export folder", export, self.read_library, *sorted(export.rglob("*.json")))
        self.add("exportify zip", examples.write_tables(self._place("exportify zip")), self.read_library)
        lines = ["playlist_id,position,track_id,title", *(f"a,{i},{track},Friday" for i, track in enumerate("pqrs"))]
        (self.folder / "playlists.csv").write_text("\n".join(lines))
        self.add("playlist table", self.folder / "playlists.csv", playlist_tables.read)
        with wave.open(str(self.folder / "sound.wav"), "wb") as sound:
            sound.setparams((1, 2, 8000, 0, "NONE", ""))
            sound.writeframes(struct.pack("<800h", *range(800)))
        self.add("wav", self.folder / "sound.wav", self.read_tracks)

    def _libraries(self) -> None:
        for kind, write in {
            "rekordbox txt": test_text_exports.example,
            "virtualdj": test_dj_databases.virtualdj_example,
            "itunes": test_dj_databases.itunes_example,
            "rekordbox db": test_dj_databases.rekordbox_example,
            "mixxx": test_mixxx.example,
        }.items():
            self.add(kind, write(self._place(kind)), self.read_library)
        engine = test_dj_databases.engine_example(self._place("engine"))
        self.add(
            "engine", engine, self.read_library, *([engine] if engine.is_file() else sorted(engine.rglob("*.db")))
        )
        home = test_dj_databases.write_serato(self._place("serato"))
        self.add("serato", home, self.read_library, home / "database V2", *(home / "Subcrates").glob("Sets*"))
        table = self._place("dj csv") / "history.csv"
        rows = ["name,artist,start time,end time,playtime,key,bpm", "Tide,Corro,0:52:35,0:56:35,00:04:00,8A,124"]
        table.write_text("\n".join([*rows, '"Nite, Bus",Ana Vex,0:56:35,1:00:00,00:03:25,Em,"126,5"']))
        self.add("dj csv", table, self.read_library)
        lists = self._place("vdjfolder") / "Friday.vdjfolder"
        lists.write_text(
            '<?xml version="1.0" encoding="UTF-8"?>\n<VirtualFolder><song path="/music/a.mp3" title="Tide" '
            'artist="Corro" songlength="240.0" bpm="124.0" key="Am" idx="0" /></VirtualFolder>'
        )
        self.add("vdjfolder", lists, self.read_list)

    def _histories(self) -> None:
        place, add = self._place("histories"), test_histories.written
        entries = [test_histories.chunk(b"vrsn", "1.0/Serato Scratch LIVE Review".encode("utf-16-be"))]
        entries += [test_histories.serato_entry(i, f"Bus {i}", 1_780_000_000 + 300 * i, 250) for i in range(4)]
        for kind, file in {
            "nml": add(place, "history_2026y05m31d_21h00m00s.nml", test_histories.nml(test_histories.EVENING)),
            "txt": add(place, "HISTORY 2026-05-31.txt", test_histories.REKORDBOX, "utf-16"),
            "session": add(place, "12.session", b"".join(entries)),
            "m3u": add(place, "2026-05-31.m3u", test_histories.VIRTUALDJ),
            "tracklist": add(
                place,
                "tracklist.txt",
                "VirtualDJ History 2026/05/31\n---\n23:58 : Solo - Bus\n00:03 : Solo - Sun\n",
            ),
            "mixxx": test_histories.mixxx_library(self._place("history mixxx")),
            "engine": test_histories.engine_library(self._place("history engine"), False),
        }.items():
            self.add(f"history {kind}", file, lambda path: histories.read([path]))

    def _own(self) -> None:
        """What DISCO itself keeps: settings, corrections, plays, caches, and what it knows of Spotify."""
        (self.folder / "settings.toml").write_text('flow = 1.0\ninclude = ["genres=house"]\nbpm = "120-130"\n')
        self.add("settings", self.folder / "settings.toml", settings.read)
        (self.folder / "corrections.csv").write_text("track,key,bpm,energy\ndemo-00001,8A,120,0.5\nA - B,,90,\n")
        self.add(
            "corrections",
            self.folder / "corrections.csv",
            lambda path: corrections.apply(self.demo, corrections.read(path), path),
        )
        sets, _ = histories.read([self.folder / "histories" / "12.session"])
        play_log.add(sets)
        self.add("plays", play_log.user_file(), lambda _: play_log.plays_of(self.demo))
        self._cache()
        with Cache() as cache:
            cache.add("0" * 40, Measured(tempo_bpm=128.0))
        self.add("sound cache", cache.path, lambda _: self._read_sounds())
        answers.add("who", {"content": []})
        self.add("answers", Path(os.environ["DISCO_DATA"], "answers.sqlite"), lambda _: answers.find("who"))
        stored = test_spotify_library.example(self._place("spotify"))
        parts = [path for path in stored.rglob("*") if path.is_file()]
        self.add("spotify", stored, self.read_library, *parts)
        tokens.save({"access_token": "a", "refresh_token": "b", "client_id": "c", "expires_at": 1e9, "scope": ""})
        self.add("login", tokens.path(), lambda _: tokens.read())
        state.State.read("app").count()
        self.add("calls", state.path(), lambda _: (state.State.read("app").made, state.State.read("app").check()))
        self.add("library of spotify", library.library_dir(), lambda _: library.read(stored), *parts)

    def _cache(self) -> None:
        """The catalogue cache: whatever is damaged, the tracks must be those of the table."""
        table = self.folder / "list.csv"
        true = disco.open(table, cache=False).table

        def read(_: Path) -> None:
            if not disco.open(table).table.equals(true):
                raise AssertionError("the cache has other tracks than the table")

        disco.open(table).search("night", 3)
        disco.open(table)
        place = Path(os.environ["DISCO_CACHE"], "catalogues")
        files = {path: path.read_bytes() for path in sorted(place.rglob("*")) if path.is_file()}
        self.cases["cache"] = [Case(path, lambda: read(table), beside=files) for path in files]

    def _read_sounds(self) -> None:
        with Cache() as cache:
            found = cache.find("0" * 40)
        if found not in (None, Measured(tempo_bpm=128.0)) and not 10 <= (found.tempo_bpm or 10) <= 1000:
            raise AssertionError(f"the cache says {found}")

    def read_tracks(self, path: Path) -> None:
        """Read a file as a catalogue."""
        disco.open(path, cache=False)

    def read_library(self, path: Path) -> None:
        """Read all tracks of a place, or all playlists, and look these up among their own tracks."""
        if next(self.turn) % 2:
            disco.open(path, cache=False)
            return
        for tracklist in sources.playlists(path):
            if tracklist.tracks is not None:
                check(tracklist.entries, *tracklist.match_with_ways(tracklist.tracks), tracklist.tracks)

    def read_list(self, path: Path) -> None:
        """Read a list, and look its tracks up in the demo."""
        if next(self.turn) % 4 == 0 and path.suffix != ".txt":
            self.read_tracks(path)
            return
        tracklist = playlist_files.read(path)
        check(tracklist.entries, *tracklist.match_with_ways(self.demo), self.demo)


def check(entries: list[Entry], rows: Rows, ways: Rows, catalogue: Catalogue) -> None:
    """Refuse a track that an entry was silently taken for although both have names, which differ.

    An id, ISRC or path that is the same decides over names; the end of a path decides nothing over a title.
    """
    by_name = [i for i, way in enumerate(ways) if way >= 0 and WAYS[way] in ("name", "path end")]
    tracks = catalogue.tracks(rows[by_name], ("title", "artists"))
    for entry, track in zip([entries[i] for i in by_name], tracks, strict=True):
        if entry.title:
            right = _same(entry.title, track["title"])
            right &= not entry.artist or _alike(entry.artist, " ".join(track["artists"] or []))
        else:  # a text has the words of the title, and a file is called by them
            words = set(_words(entry.text or file_title(entry.path or entry.id or "")))
            right = words >= set(_words(recording_titles(pa.array([track["title"]]))[0].as_py()))
        if not right:
            raise AssertionError(f"{entry} was taken for {track}")


def _same(one: str, other: str) -> bool:
    titles = recording_titles(pa.array([one, other], pa.string())).to_pylist()
    return bool(titles[0] == titles[1])


def _alike(one: str, other: str) -> bool:
    """Whether two credits share a name, or the beginning of one that is cut off."""
    first, second = fold_accents(pa.array([one, other], pa.string())).to_pylist()
    return first[:3] in second or second[:3] in first


def _words(text: str) -> list[str]:
    return str(normalise(fold_accents(pa.array([text], pa.string())))[0].as_py()).split()
