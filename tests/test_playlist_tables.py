"""Reading playlists: slices in the form of the Million Playlist Dataset, tables, and what is wrong with them."""

from __future__ import annotations

import gzip
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest
from helpers.catalogues import SHARED, catalogue_of, random_catalogue
from hypothesis import given
from hypothesis import strategies as st

from disco.errors import DataError, NotFoundError
from disco.sources.files import mpd_slices, playlist_tables


def slice_track(pos: int, uri: str, title: str = "A Title", artist: str = "A Band") -> dict[str, Any]:
    """A track as a slice holds it, of invented names."""
    return {
        "pos": pos,
        "artist_name": artist,
        "track_uri": f"spotify:track:{uri}",
        "artist_uri": "spotify:artist:a",
        "track_name": title,
        "album_uri": "spotify:album:b",
        "duration_ms": 200_000,
        "album_name": "An Album",
    }


def slice_playlist(pid: int, tracks: list[dict[str, Any]], name: str | None = "mine", **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "collaborative": "false",
        "pid": pid,
        "modified_at": 1500000000,
        "num_tracks": len(tracks),
        "num_albums": 1,
        "num_followers": 1,
        "tracks": tracks,
        **more,
    }


def slice_of(*lists: dict[str, Any]) -> dict[str, Any]:
    return {"info": {"generated_on": "2017-12-03", "slice": "0-999", "version": "v1"}, "playlists": list(lists)}


def write_json(path: Path, content: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=2), encoding="utf-8")
    return path


def entries_of(table: pa.Table) -> list[tuple[Any, ...]]:
    return list(zip(*(table[name].to_pylist() for name in ("playlist_id", "position", "track_id")), strict=True))


def test_a_slice_is_read_in_its_order(tmp_path):
    first = [slice_track(0, "x", "Café", "Ünïted"), slice_track(1, "y"), slice_track(2, "x")]
    path = write_json(
        tmp_path / "any.name",
        slice_of(
            slice_playlist(7, first, "  drive 🚗 ", description="…"), slice_playlist(8, [slice_track(0, "z")], None)
        ),
    )
    table = playlist_tables.read(path)
    assert table.schema.equals(playlist_tables.SCHEMA)
    assert entries_of(table) == [("mpd:7", 0, "x"), ("mpd:7", 1, "y"), ("mpd:7", 2, "x"), ("mpd:8", 0, "z")]
    assert table["title"].to_pylist() == ["drive 🚗"] * 3 + [None]
    assert set(table["source"].to_pylist()) == {"mpd"}
    assert table["track_title"].to_pylist() == ["Café", "A Title", "A Title", "A Title"]
    assert table["track_artist"][0].as_py() == "Ünïted"


def test_missing_values_of_a_slice_are_unknown_and_counted(tmp_path):
    untitled = {"track_uri": "spotify:track:x"}
    tracks: list[Any] = [{"pos": 0}, untitled, None, {"track_uri": None}, {**untitled, "track_name": 3}]
    lists: list[Any] = [
        {"tracks": tracks},
        {"pid": 1, "name": "no tracks"},
        slice_playlist(2, []),
        None,
        {"tracks": 5},
    ]
    place = playlist_tables.find(write_json(tmp_path / "odd.json", {"playlists": lists}))[0]
    table = playlist_tables.read_source(place)
    assert entries_of(table) == [("odd:0", 0, "x"), ("odd:0", 1, "x")]
    assert table["title"].null_count == table["track_title"].null_count == 2
    assert table.schema.metadata == {b"playlists": b"5", b"lost": b"3"}


def test_hostile_names_are_read_unchanged(tmp_path):
    names = ["\ud800", "\x1b[2J", "a\tb\nc", "' OR 1=1", "\u202eevil", "NA", "null", "x" * 100_000, "\x00"]
    lists = [slice_playlist(i, [slice_track(0, f"t{i}", name, name)], name) for i, name in enumerate(names)]
    table = playlist_tables.read(write_json(tmp_path / "s.json", slice_of(*lists)))
    assert table["title"].to_pylist() == ["?", *names[1:]]
    assert table["track_artist"].to_pylist() == ["?", *names[1:]]


odd = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["playlists", "pid", "name", "tracks", "track_uri", "track_name", "pos"]), inner
        )
    ),
    max_leaves=20,
)
odd_tracks = st.lists(
    odd | st.fixed_dictionaries({"track_uri": odd, "track_name": odd, "artist_name": odd}), max_size=4
)
odd_lists = st.lists(odd | st.fixed_dictionaries({"pid": odd, "name": odd, "tracks": odd | odd_tracks}), max_size=4)


@pytest.mark.slow
@given(odd | st.fixed_dictionaries({"playlists": odd_lists}))
def test_any_json_is_read_or_refused_in_one_sentence(tmp_path_factory, content):
    place = mpd_slices.PlaylistSource(write_json(tmp_path_factory.mktemp("odd") / "s.json", content))
    if not isinstance(content, dict) or not isinstance(content.get("playlists"), list):
        with pytest.raises(DataError, match=r"s\.json: is not a Million Playlist slice|s\.json: is not JSON"):
            playlist_tables.read_source(place)
        return
    table = playlist_tables.read_source(place)
    assert table.schema.equals(playlist_tables.SCHEMA)
    assert table["track_id"].null_count == table["playlist_id"].null_count == 0


def test_a_slice_without_playlists_has_no_entries(tmp_path):
    table = playlist_tables.read(write_json(tmp_path / "s.json", slice_of()))
    assert (len(table), table.schema) == (0, playlist_tables.SCHEMA)


@pytest.mark.parametrize("packed", [False, True])
def test_slices_of_a_folder_or_zip_file_come_in_the_order_of_their_numbers(tmp_path, packed):
    folder = tmp_path / "mpd"
    for start in (10000, 0, 2000):
        name = f"data/mpd.slice.{start}-{start + 999}.json"
        write_json(folder / name, slice_of(slice_playlist(start, [slice_track(0, "x")])))
    write_json(folder / "data/._mpd.slice.0-999.json", "a system's own note")
    (folder / "stats.txt").write_text("1")
    where = folder
    if packed:
        where = tmp_path / "mpd.zip"
        with zipfile.ZipFile(where, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(folder.rglob("*.*")):
                archive.write(path, path.relative_to(folder))
    assert playlist_tables.read(where)["playlist_id"].to_pylist() == ["mpd:0", "mpd:2000", "mpd:10000"]


TABLE = {
    "playlist_id": ["b", "b", "a", "b", "a"],
    "title": ["NA", "NA", None, "NA", None],
    "position": [5, 2, 0, 9, 1],
    "track_id": ["spotify:track:x", "y", "https://open.spotify.com/track/z?si=1", " x ", "w"],
}


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".csv.gz", ".txt"])
def test_a_table_is_read_in_the_order_of_its_positions(tmp_path, suffix):
    path = tmp_path / f"lists{suffix}"
    if suffix == ".parquet":
        pq.write_table(pa.table(TABLE), path)
    else:
        pacsv.write_csv(pa.table(TABLE), path)
    if suffix == ".csv.gz":
        path.write_bytes(gzip.compress(path.read_bytes()))
    table = playlist_tables.read(path)
    assert entries_of(table) == [("b", 0, "y"), ("b", 1, "x"), ("b", 2, "x"), ("a", 0, "z"), ("a", 1, "w")]
    assert table["title"].to_pylist() == ["NA"] * 3 + [None] * 2
    assert set(table["source"].to_pylist()) == {path.stem}


def test_rows_without_track_or_position_are_counted_and_sources_separate_playlists(tmp_path):
    columns = {
        "pid": pa.array([1, 1, 1, None, 1], pa.int64()),
        "pos": pa.array([0.0, None, 1.0, 2.0, 0.0]),
        "track_uri": pa.array(["x", "y", "", "z", "v"], pa.large_string()),
        "source": ["s", "s", "s", "s", "other"],
        "split": ["test"] * 5,
    }
    pq.write_table(pa.table(columns), tmp_path / "t.parquet")
    table = playlist_tables.read_source(playlist_tables.find(tmp_path / "t.parquet")[0])
    assert entries_of(table) == [("1", 0, "x"), ("1", 0, "v")]
    assert table["source"].to_pylist() == ["s", "other"]
    assert table["split"].to_pylist() == ["test", "test"]
    assert table.schema.metadata == {b"playlists": b"2", b"lost": b"3"}


def test_a_folder_of_prepared_playlists_is_read_from_its_table(tmp_path):
    pq.write_table(pa.table(TABLE), tmp_path / "playlists.parquet")
    write_json(tmp_path / "report.json", {"playlists": {}})
    assert playlist_tables.read(tmp_path).schema.equals(playlist_tables.SCHEMA)
    assert len(playlist_tables.read(tmp_path)) == 5


def in_zip(content: bytes) -> bytes:
    """A zip file of one slice whose content is damaged."""
    import io

    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("s.json", b"0123456789")
    return file.getvalue().replace(b"0123456789", content)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty"),
        (b'{"playlists": [', "is not JSON"),
        (b'{"playlists": {}}', "has no list of playlists"),
        (b'{"info": 1}', "has no list of playlists"),
        (b'{"playlists": ' + b"[" * 100_000, "is not JSON"),
        (b'{"playlists": "\xff"}', "is not JSON"),
        (b"a,b\n1,2\n", "has no column playlist_id, position, track_id; its columns are 'a', 'b'"),
        (b"playlist_id,position,track_id\n1,first,x\n", "is not a readable table of playlists"),
        (b"playlist_id,position,track_id\n1,1\n", "is not a readable table of playlists"),
        (b"playlist_id,position,track_id\n1,1,\xff\xfe\n", "is not a readable table of playlists"),
        (b"PAR1 and no more", "is not a readable table of playlists"),
        (b"PK\x03\x04 and no more", "is not a readable zip file"),
        (in_zip(b"012345678X"), "cannot be read"),
    ],
)
def test_bad_input_gives_one_sentence(tmp_path, content, sentence):
    (tmp_path / "lists").write_bytes(content)
    with pytest.raises(DataError, match="lists") as error:
        playlist_tables.read(tmp_path / "lists")
    assert sentence in str(error.value)
    assert "\n" not in str(error.value)


def test_a_missing_file_gives_one_sentence(tmp_path):
    for where in (tmp_path / "nowhere", "a\0b"):
        with pytest.raises(NotFoundError, match="there is no such file"):
            playlist_tables.read(where)
    with pytest.raises(DataError, match=r"holds no Million Playlist slices"):
        playlist_tables.read(tmp_path)
    nested = pa.table({"playlist_id": [["a"]], "position": [0], "track_id": ["x"]})
    pq.write_table(nested, tmp_path / "nested.parquet")
    with pytest.raises(DataError, match="not a readable table"):
        playlist_tables.read(tmp_path / "nested.parquet")


@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.integers(0, 5), st.sampled_from(["x", "y", "z"]), st.sampled_from("st")),
        max_size=30,
    )
)
def test_reading_a_table_agrees_with_a_plain_sort(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("table") / "t.parquet"
    names = ("playlist_id", "position", "track_id", "source")
    kinds = (pa.string(), pa.int16(), pa.string(), pa.string())
    columns = zip(*rows, strict=True) if rows else [[]] * 4
    pq.write_table(pa.table({n: pa.array(c, k) for n, c, k in zip(names, columns, kinds, strict=True)}), path)
    expected: dict[tuple[str, str], list[str]] = {}
    for name, _, track, source in sorted(rows, key=lambda row: row[1]):
        expected.setdefault((name, source), []).append(track)
    got: list[tuple[tuple[str, str], list[str]]] = []
    for entry in playlist_tables.read(path).to_pylist():
        if entry["position"] == 0:
            got.append(((entry["playlist_id"], entry["source"]), []))
        assert entry["position"] == len(got[-1][1])
        got[-1][1].append(entry["track_id"])
    assert len(got) == len(expected)
    assert dict(got) == expected


# --- Tracks by their names


CATALOGUE = catalogue_of(
    [
        {"track_id": "quiet", "title": "Halo", "artists": ["Beyonce"], "popularity": 10.0},
        {"track_id": "loud", "title": "HALO!", "artists": ["Beyoncé", "Other"], "popularity": 90.0},
        {"track_id": "also", "title": "Halo", "artists": ["Beyoncé"], "popularity": 90.0},
        {"track_id": "plain", "title": "Run", "artists": ["The Foxes"]},
        {"track_id": "live", "title": "Walk - Live", "artists": ["The Foxes"]},
        {"track_id": "other", "title": "Run", "artists": ["Wolves"]},
        {"track_id": "untitled", "artists": ["Wolves"]},
        {"track_id": "blank", "title": "???", "artists": ["Wolves"]},
    ]
)


@pytest.mark.parametrize(
    ("title", "artist", "found"),
    [
        ("halo", "BEYONCÉ", "loud"),
        ("Run", "The Foxes", "plain"),
        ("Run (feat. Nobody)", "The Foxes", "plain"),
        ("Run - 2011 Remaster", "The Foxes", "plain"),
        ("Run - Live", "The Foxes", None),
        ("Run (Acoustic)", "The Foxes", None),
        ("Walk", "The Foxes", None),
        ("Walk (Live)", "The Foxes", "live"),
        ("Run", "The Hounds", None),
        ("Run", None, None),
        (None, "Wolves", None),
        ("!!!", "Wolves", None),
    ],
)
def test_a_track_is_found_by_artist_and_title_and_another_recording_is_not(title, artist, found):
    names = playlist_tables.Names(CATALOGUE)
    row, by_name = names.find(*(pa.array([text], pa.string()) for text in ("unheard-of", title, artist)))
    assert (CATALOGUE.ids(row)[0] if by_name[0] else None) == found
    assert (row[0] >= 0) == by_name[0]


def test_an_id_goes_before_a_name_and_other_tables_may_name_tracks():
    other = catalogue_of([{"track_id": "far", "title": "Run", "artists": ["Wolves"]}])
    names = playlist_tables.Names(CATALOGUE, other)
    ids = pa.array(["other", "far", "farther"])
    row, by_name = names.find(ids, pa.array(["Halo", None, None]), pa.array(["Beyonce", None, None]))
    assert by_name.tolist() == [False, True, False]
    assert [CATALOGUE.ids(row[i : i + 1])[0] for i in (0, 1)] == ["other", "other"]
    assert row[2] == -1


def test_a_catalogue_without_names_matches_by_id_alone():
    names = playlist_tables.Names(catalogue_of([{"track_id": "x"}]))
    row, by_name = names.find(pa.array(["x", "y"]), pa.array(["T", "T"]), pa.array(["A", "A"]))
    assert (row.tolist(), by_name.any()) == ([0, -1], False)


# --- Playlists as rows


def test_sequences_are_measured_tracks_once_each_in_the_order_of_ids():
    catalogue = random_catalogue(6)
    table = catalogue.table.set_column(
        catalogue.table.column_names.index("energy"), "energy", pa.array([0.5] * 5 + [None], pa.float32())
    )
    lists = {
        "b": ["t00001", "t00005", "t00000", "t00001", "none", "t00003"],
        "a": ["t00004", "t00002"],
        "c": ["t00000"],
    }
    rows = [(name, i, track) for name, tracks in lists.items() for i, track in enumerate(tracks)]
    entries = pa.table(
        dict(zip(("playlist_id", "position", "track_id"), map(list, zip(*rows, strict=True)), strict=True))
    )
    shuffled = entries.take(pa.array(np.random.default_rng(1).permutation(len(entries))))
    for given_table in (entries, shuffled):
        got = playlist_tables.sequences(given_table, type(catalogue)(table), 2)
        assert [tracks.tolist() for tracks in got] == [[4, 2], [1, 0, 3]]
    assert playlist_tables.sequences(entries.slice(0, 0), catalogue, 2) == []


def test_cold_tracks_are_one_in_ten_and_always_the_same():
    cold = playlist_tables.is_cold(f"track {i}" for i in range(10_000))
    assert 0.09 < cold.mean() < 0.11
    assert playlist_tables.is_cold(["a", "t"]).tolist() == [False, False]


@pytest.mark.slow
def test_real_playlists_are_read_unchanged(shared):
    raw = pq.read_table(SHARED / "playlists.parquet")
    table = playlist_tables.read(shared / "playlists.parquet")
    for name in ("playlist_id", "position", "track_id", "source"):
        assert table[name].to_pylist() == raw[name].to_pylist()
    slices = playlist_tables.read(shared / "samples" / "mpd.slice.sample.json")
    assert (slices["position"].to_numpy() == 0).sum() == 100
