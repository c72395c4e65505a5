"""The contract of sources: one test class for all, each with a function that writes a small example."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import test_audio
import test_dj_databases
import test_jspf
import test_mixxx
import test_rekordbox
import test_spotify_library
import test_text_exports
import test_traktor
from helpers.catalogues import random_catalogue

from disco.catalogue import SCHEMA
from disco.errors import DiscoError
from disco.sources import Source, audio, source_of, sources
from disco.sources.dj import (
    engine_library,
    itunes,
    mixxx,
    rekordbox,
    rekordbox_database,
    serato_library,
    text_exports,
    traktor,
    virtualdj_library,
)
from disco.sources.files import jspf, mpd, pls, spotify_export, table_archive, tables, text_lists, xspf
from disco.sources.services import spotify

HOSTILE = "<b>&\"'\n\x1b[31m ../../etc \u202e 🎧"


def uri(n: int) -> str:
    return f"spotify:track:{n:022}"


def write_export(folder: Path) -> Path:
    """Spotify's data export: a library, two playlists with a podcast and a file of one's own, and a history."""
    place = folder / "my export" / "Spotify Account Data"
    place.mkdir(parents=True)
    parts: dict[str, Any] = {
        "YourLibrary.json": {
            "tracks": [
                {"artist": "Mira Vale", "album": "Late", "track": "Night Bus", "uri": uri(1)},
                {"artist": "Solo; Twice", "album": "Alone", "track": HOSTILE, "uri": uri(2)},
            ],
            "bannedTracks": [{"artist": "Nobody", "album": "None", "track": "Never", "uri": uri(9)}],
        },
        "Playlist1.json": {
            "playlists": [
                {"name": HOSTILE, "items": [_item(2), _item(3), {"track": None, "episode": {"episodeName": "Talk"}}]},
                {
                    "name": "Mine",
                    "items": [
                        _item(1),
                        {"track": None, "localTrack": {"uri": "spotify:local:My+Band:Demo:First+%26+Last:187"}},
                        _item(1),
                    ],
                },
            ]
        },
        "StreamingHistory_music_0.json": [
            {"endTime": "2024-02-03 10:11", "artistName": "Mira Vale", "trackName": "Night Bus", "msPlayed": 200_000},
            {"endTime": "2024-02-04 10:11", "artistName": "Other", "trackName": "Skipped", "msPlayed": 900},
        ],
        "StreamingHistory_podcast_0.json": [{"podcastName": "Talk", "episodeName": "One", "msPlayed": 10**6}],
        "Identity.json": {"displayName": "me"},
    }
    for name, result in parts.items():
        (place / name).write_text(json.dumps(result), encoding="utf-8")
    return place.parent


def _item(n: int) -> dict[str, Any]:
    track = {"trackName": f"Track {n}", "artistName": f"Artist {n}", "albumName": "Album", "trackUri": uri(n)}
    return {"track": track, "episode": None, "localTrack": None, "addedDate": "2024-01-01"}


def write_slice(folder: Path) -> Path:
    """Two playlists of the Million Playlist Dataset's form."""
    tracks = [
        {
            "pos": i,
            "track_uri": uri(i),
            "track_name": HOSTILE if i == 2 else f"Track {i}",
            "artist_name": "Solo; Twice",
            "album_name": "Album",
            "duration_ms": 200_000,
        }
        for i in range(4)
    ]
    lists = [{"name": "one", "pid": 0, "tracks": tracks[:3]}, {"name": "two", "pid": 1, "tracks": tracks[3:0:-1]}]
    place = folder / "mpd.slice.0-999.json"
    place.write_text(json.dumps({"info": {"slice": "0-999"}, "playlists": lists}), encoding="utf-8")
    return place


def write_pls(folder: Path) -> Path:
    """A PLS playlist of two files, the second named before the first."""
    place = folder / "friday.pls"
    lines = ["[playlist]", "File2=../music/salt.mp3", f"Title2={HOSTILE.splitlines()[-1]}", "Length2=-1"]
    lines += ["File1=music/night bus.mp3", "Title1=Mira Vale - Night Bus", "Length1=201", "NumberOfEntries=2"]
    place.write_text("\r\n".join([*lines, "Version=2", ""]), encoding="utf-8")
    return place


def write_xspf(folder: Path) -> Path:
    """An XSPF playlist of a file with a percent-encoded name, a track without one, and a hostile name."""
    place = folder / "friday.xspf"
    place.write_text(
        '<?xml version="1.0" encoding="UTF-8"?>\n<playlist version="1" xmlns="http://xspf.org/ns/0/"><title>Friday'
        "</title><trackList><track><location>file:///music/night%20bus.mp3</location><title>Night Bus</title>"
        "<creator>Mira Vale</creator><duration>201000</duration></track><track><title>Salt</title>"
        "<creator>Dot</creator><album>Sea</album></track><track><title>&lt;b&gt; ../../etc 🎧</title></track>"
        "</trackList></playlist>",
        encoding="utf-8",
    )
    return place


def write_m3u(folder: Path) -> Path:
    """An M3U playlist of a file, a link to Spotify, a hostile name, and the file again."""
    place = folder / "friday.m3u8"
    shown = HOSTILE.replace("\n", " ")
    lines = ["#EXTM3U", "#PLAYLIST:Friday", "#EXTINF:201,Mira Vale - Night Bus", "music/night bus.mp3"]
    lines += [
        f"https://open.spotify.com/track/{1:022}",
        f"#EXTINF:-1,{shown}",
        "/music/odd.mp3",
        "music/night bus.mp3",
    ]
    place.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return place


def write_table(folder: Path) -> Path:
    """DISCO's own Parquet."""
    place = folder / "tracks.parquet"
    tables.write(random_catalogue(5), place)
    return place


def write_tables(folder: Path) -> Path:
    """A zip file of two tables, of which one has a hostile name, as Exportify writes them."""
    place = folder / "spotify_playlists.zip"
    shown = HOSTILE.replace('"', "'")
    with zipfile.ZipFile(place, "w") as archive:
        archive.writestr("warm.csv", f"Track URI,Track Name,Artist Name(s)\n{uri(1)},Tide,Corro\n{uri(2)},Salt,Dot\n")
        archive.writestr("peak.csv", f'Track URI,Track Name,Artist Name(s)\n{uri(3)},"{shown}",Dot\n')
    return place


# A source, what writes a small example of it, and how many tracks and playlists that has.
EXAMPLES: list[tuple[Source, Callable[[Path], Path], int, int]] = [
    (spotify, test_spotify_library.example, 5, 3),
    (spotify_export, write_export, 4, 2),
    (mpd, write_slice, 4, 2),
    (table_archive, write_tables, 3, 2),
    (rekordbox, test_rekordbox.example, 5, 4),
    (traktor, test_traktor.example, 4, 2),
    (virtualdj_library, test_dj_databases.virtualdj_example, 3, 0),
    (itunes, test_dj_databases.itunes_example, 2, 1),
    (jspf, test_jspf.example, 6, 1),
    (xspf, write_xspf, 3, 1),
    (pls, write_pls, 2, 1),
    (rekordbox_database, test_dj_databases.rekordbox_example, 2, 1),
    (engine_library, test_dj_databases.engine_example, 3, 2),
    (serato_library, test_dj_databases.serato_example, 2, 2),
    (mixxx, test_mixxx.example, 3, 4),
    (audio, test_audio.write_example, 3, 0),
    (text_exports, test_text_exports.example, 2, 1),
    (text_lists, write_m3u, 3, 1),
    (tables, write_table, 5, 0),
]


@pytest.mark.parametrize(("source", "write", "tracks", "lists"), EXAMPLES, ids=[s.NAME for s, *_ in EXAMPLES])
class SourceTests:
    """A subclass is collected; `EXAMPLES` is what it runs over."""

    def test_it_is_recognised_and_no_source_before_it_claims_it(self, source, write, tracks, lists, tmp_path):
        place = write(tmp_path)
        assert source_of(place) is source
        assert source.NAME
        assert source.can_read(place) is True

    def test_its_tracks_are_a_catalogue(self, source, write, tracks, lists, tmp_path):
        catalogue = source.read(write(tmp_path))
        assert catalogue.table.schema == SCHEMA
        ids = catalogue.table["track_id"].to_pylist()
        assert len(ids) == len(set(ids)) == tracks
        assert None not in ids
        assert catalogue.where
        assert all(isinstance(note, str) and "\n" not in note for note in catalogue.notes)
        # Who has features says who measured them, and who has none does not.
        assert (catalogue.has_any_feature == ~np.isnan(catalogue.features()).all(axis=1)).all()
        assert catalogue.table["feature_set"].is_valid().to_pylist() == catalogue.has_any_feature.tolist()

    def test_its_playlists_keep_their_order_and_name_its_tracks(self, source, write, tracks, lists, tmp_path):
        place = write(tmp_path)
        found = source.playlists(place)
        assert len(found) == lists
        catalogue = source.read(place)
        if found:
            assert any(listed.ids for listed in found)
        for listed in found:
            assert len(listed.ids) == len(listed.names)
            assert set(np.flatnonzero(listed.match(catalogue) < 0)) <= set(listed.unmatched)

    def test_reading_twice_gives_the_same(self, source, write, tracks, lists, tmp_path):
        place = write(tmp_path)
        assert source.read(place).table.equals(source.read(place).table)

    def test_missing_and_foreign_files_are_not_recognised_and_give_one_sentence(
        self, source, write, tracks, lists, tmp_path
    ):
        (tmp_path / "folder").mkdir()
        (tmp_path / "empty").touch()
        (tmp_path / "noise").write_bytes(bytes(range(256)) * 40)
        with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
            archive.writestr("readme.txt", "hello")
        for name in ("nowhere", "folder", "empty", "noise", "other.zip", "x" * 300, "a\0b"):
            where = tmp_path / name
            assert source.can_read(where) is False, name
            with pytest.raises(DiscoError) as error:
                source.read(where)
            assert "\n" not in str(error.value)

    def test_a_truncated_file_is_read_or_refused_in_one_sentence(self, source, write, tracks, lists, tmp_path):
        place = write(tmp_path)
        files = sorted(f for f in place.rglob("*") if f.is_file()) if place.is_dir() else [place]
        for file in files:
            whole = file.read_bytes()
            for n in {0, 1, 10, len(whole) // 3, len(whole) // 2, len(whole) - 1}:
                file.write_bytes(whole[:n])
                assert isinstance(source.can_read(place), bool)
                sentences = [_refusal(verb, place) for verb in (source.read, source.playlists)]
                assert not any("\n" in sentence for sentence in sentences)
            file.write_bytes(whole)


def _refusal(verb: Callable[[Path], object], place: Path) -> str:
    """The sentence with which a place is refused; empty where it is read."""
    try:
        verb(place)
    except DiscoError as error:
        return str(error)
    return ""


def test_all_sources_have_an_example():
    assert [source for source, *_ in EXAMPLES] == list(sources())
