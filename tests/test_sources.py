"""Every source meets the contract, and several are opened as one catalogue."""

from __future__ import annotations

import json
import shutil
import zipfile

import numpy as np
import pytest
from helpers.catalogues import catalogue_of, random_catalogue
from helpers.sources import (
    HOSTILE,
    SourceTests,
    test_all_sources_have_an_example,  # noqa: F401 - collected here
    uri,
    write_export,
    write_slice,
    write_table,
)

from disco import sources
from disco.catalogue import Catalogue
from disco.cli import generate
from disco.errors import DataError, DiscoError
from disco.sources.files import mpd, spotify_export, tables


class TestSources(SourceTests):
    """All of them."""


def bare(n):
    return uri(n).removeprefix("spotify:track:")


def test_an_export_is_a_folder_a_zip_file_or_one_of_its_parts(tmp_path):
    place = write_export(tmp_path)
    with zipfile.ZipFile(tmp_path / "my_spotify_data.zip", "w") as archive:
        for file in place.rglob("*.json"):
            archive.write(file, file.relative_to(place))
    inner = place / "Spotify Account Data"
    whole = spotify_export.read(place)
    for where in (tmp_path / "my_spotify_data.zip", inner):
        assert spotify_export.can_read(where)
        assert spotify_export.read(where).table.equals(whole.table)
        assert spotify_export.playlists(where) == spotify_export.playlists(place)
    one = spotify_export.read(inner / "YourLibrary.json")
    assert one.table["track_id"].to_pylist() == [bare(1), bare(2)]
    assert spotify_export.playlists(inner / "YourLibrary.json") == []
    with pytest.raises(DataError, match="has no playlists"):
        sources.playlists(inner / "YourLibrary.json")
    assert len(sources.playlists(inner / "Playlist1.json")) == 2


def test_tracks_of_an_export_have_names_albums_and_play_counts(tmp_path):
    catalogue = spotify_export.read(write_export(tmp_path))
    tracks = {track["track_id"]: track for track in catalogue.table.to_pylist()}
    assert tracks[bare(1)]["title"] == "Night Bus"
    assert (tracks[bare(2)]["artists"], tracks[bare(2)]["title"]) == (["Solo; Twice"], HOSTILE.strip())
    own = next(track for track in tracks.values() if track["track_id"].startswith("n:"))
    assert (own["title"], own["artists"], own["album"]) == ("First & Last", ["My Band"], "Demo")
    # The only one that was played comes first, and a play by name is found by it.
    assert catalogue.table["track_id"][0].as_py() == bare(1)
    result = " | ".join(catalogue.notes)
    for part in ("2 playlists", "1 plays of 30 s or more from 2024-02-03 to 2024-02-03", "--enrich-from"):
        assert part in result
    assert "1 podcasts and untitled entries of playlists left out" in result
    assert "Never" not in str(catalogue.table)


def test_playlists_of_an_export_keep_repeats_and_local_files(tmp_path):
    first, second = spotify_export.playlists(write_export(tmp_path))
    assert (first.name, first.ids) == (HOSTILE.strip(), [bare(2), bare(3)])
    assert second.ids == [bare(1), "First & Last My Band", bare(1)]


def test_a_listening_history_counts_plays_by_id(tmp_path):
    play = {
        "ts": "2021-05-06T07:08:09Z",
        "ms_played": 31_000,
        "master_metadata_track_name": "A",
        "master_metadata_album_artist_name": "B",
        "master_metadata_album_album_name": "C",
        "spotify_track_uri": uri(5),
        "ip_addr": "203.0.113.9",
    }
    other = {**play, "master_metadata_track_name": "Z", "spotify_track_uri": uri(6)}
    talk = {**dict.fromkeys(play), "ms_played": 10**6, "spotify_episode_uri": "spotify:episode:x"}
    odd = [3, None, {**play, "ms_played": "long"}, {**play, "ms_played": 10}]
    where = tmp_path / "Streaming_History_Audio_2021_0.json"
    where.write_text(json.dumps([other, play, play, talk, *odd]))
    catalogue = sources.open([where])
    assert catalogue.table["track_id"].to_pylist() == [bare(5), bare(6)]
    result = " | ".join(catalogue.notes)
    assert "3 plays of 30 s or more" in result
    assert "1 podcasts and videos played left out" in result
    assert "203.0.113" not in result + str(catalogue.table)


def test_a_broken_part_is_named_and_the_rest_is_read(tmp_path):
    place = write_export(tmp_path)
    library = place / "Spotify Account Data" / "YourLibrary.json"
    library.write_text('{"tracks": [')
    catalogue = spotify_export.read(place)
    assert len(catalogue) == 5  # of a play by name alone there is no id now
    assert any("YourLibrary.json: is not JSON" in note for note in catalogue.notes)
    with pytest.raises(DataError, match=r"YourLibrary\.json: is not JSON"):
        spotify_export.read(library)
    library.write_text("[1]")
    with pytest.raises(DataError, match="has no list of tracks"):
        spotify_export.read(library)


def test_an_export_without_a_track_gives_an_error(tmp_path):
    (tmp_path / "YourLibrary.json").write_text('{"tracks": []}')
    with pytest.raises(DataError, match="holds no track"):
        spotify_export.read(tmp_path)


def test_slices_have_names_albums_and_durations(tmp_path):
    where = write_slice(tmp_path)
    catalogue = mpd.read(where)
    track = catalogue.table.to_pylist()[2]
    assert (track["track_id"], track["artists"], track["album"]) == (bare(2), ["Solo; Twice"], "Album")
    assert track["duration_ms"] == 200_000
    assert [listed.ids for listed in mpd.playlists(where)] == [
        [bare(0), bare(1), bare(2)],
        [bare(3), bare(2), bare(1)],
    ]
    (tmp_path / "set").mkdir()
    shutil.copy(where, tmp_path / "set")
    assert sources.source_of(tmp_path / "set") is mpd
    assert len(sources.open([tmp_path / "set"])) == 4


def test_a_real_slice_is_read(shared):
    where = shared / "samples" / "mpd.slice.sample.json"
    assert sources.source_of(where) is mpd
    assert len(mpd.playlists(where)) == 100
    assert len(mpd.read(where)) > 1000


def test_a_folder_of_tables_gives_an_error(tmp_path):
    write_table(tmp_path)
    with pytest.raises(DataError, match=r"is a folder; name the table of tracks in it: 'tracks\.parquet'$"):
        sources.open([tmp_path])
    (tmp_path / "more.csv").write_text("")
    with pytest.raises(DataError, match=r"in it: 'more\.csv' or one of 1 others$"):
        sources.open([tmp_path])


def test_a_folder_without_music_is_called_that(tmp_path):
    with pytest.raises(DataError, match="is an empty folder"):
        sources.open([tmp_path])
    (tmp_path / "notes.txt").write_text("milk")
    with pytest.raises(DataError, match="is a folder in which there is no music: no audio file"):
        sources.open([tmp_path])


def measured(track_id, **more):
    return {
        **random_catalogue(1, seed=8).table.to_pylist()[0],
        "track_id": track_id,
        "title": "Night Bus",
        "artists": ["Mira Vale"],
        "duration_ms": 201_000,
        "isrc": None,
        **more,
    }


def test_enrich_from_fills_in_features_and_adds_no_tracks(tmp_path):
    table = tmp_path / "t.parquet"
    tables.write(
        catalogue_of([measured("other", title="Night Bus - 2011 Remaster"), measured("x", title="Unasked")]), table
    )
    export = write_export(tmp_path)
    alone = sources.open([export])
    filled = sources.open([export], [table])
    assert filled.ids(np.arange(4)) == alone.ids(np.arange(4))
    assert filled.has_all_features.tolist() == [True, False, False, False]
    assert filled.feature_set == "spotify"
    assert filled.parent is None
    assert any("1 tracks are known better" in note and "1 by artist and title" in note for note in filled.notes)
    assert not any("merged" in note for note in filled.notes)
    both = sources.open([export, table])
    assert len(both) == 6, "no track is lost where two are the same recording"
    assert both.has_all_features.sum() == 3


def test_generate_takes_enrich_from(tmp_path, capsys):
    place, table = write_slice(tmp_path), tmp_path / "t.parquet"
    tables.write(
        catalogue_of(
            [measured(f"m{i}", title=f"Track {i}", artists=["Solo; Twice"], duration_ms=200_000) for i in range(4)]
        ),
        table,
    )
    asked = [bare(0), "--catalogue", place, "--enrich-from", table, "--length", 1, "--artist-gap", 0, "--json"]
    assert generate.main([str(a) for a in asked]) == 0
    made = json.loads(capsys.readouterr().out)
    assert {track["id"] for track in made["tracks"]} <= {bare(i) for i in range(4)}
    assert made["tracks"][1]["join"]["distance"] is not None


def test_an_unreadable_file_among_several_is_named(tmp_path):
    with pytest.raises(DiscoError, match="there is no such file"):
        sources.open([write_slice(tmp_path), tmp_path / "nowhere"])
    assert isinstance(sources.open(), Catalogue)
