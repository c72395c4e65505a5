"""Tables of tracks: every known layout, odd values, notes on what was read and dropped, damaged files."""

import functools
import gzip
import pickle
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest
from helpers.catalogues import random_catalogue
from hypothesis import example, given
from hypothesis import strategies as st

from disco.catalogue import FEATURES, SCHEMA, Catalogue
from disco.errors import DataError, DiscoError, NotFoundError
from disco.sources.files import tables

ID = "0NightBusNightBusNight"
# The same invented track as each maker writes it, beside another one.
LAYOUTS = {
    "Spotify Tracks Dataset (114k)": f"""\
,track_id,artists,album_name,track_name,popularity,duration_ms,explicit,danceability,energy,key,loudness,mode,\
speechiness,acousticness,instrumentalness,liveness,valence,tempo,time_signature,track_genre
0,{ID},Mira Vale;Dr. Oak,"City, Late",Night Bus,61,201000,True,0.7,0.6,11,-7.5,0,0.04,0.1,0.0005,0.12,0.33,122.5,\
4,house
1,1Other,Solo,Alone,Other,3,90000,False,0.1,0.2,0,-20.0,1,0.04,0.9,0.0,0.1,0.2,80.0,3,folk
2,{ID},Mira Vale;Dr. Oak,"City, Late",Night Bus,61,201000,True,0.7,0.6,11,-7.5,0,0.04,0.1,0.0005,0.12,0.33,122.5,\
4,pop
""",
    "TidyTuesday spotify_songs": f"""\
track_id,track_name,track_artist,track_popularity,track_album_id,track_album_name,track_album_release_date,\
playlist_name,playlist_id,playlist_genre,playlist_subgenre,danceability,energy,key,loudness,mode,speechiness,\
acousticness,instrumentalness,liveness,valence,tempo,duration_ms
{ID},Night Bus,Mira Vale;Dr. Oak,61,al1,"City, Late",2019,Late,pl1,house,pop,0.7,0.6,11,-7.5,0,0.04,0.1,0.0005,0.12,\
0.33,122.5,201000
1Other,Other,Solo,3,al2,Alone,2019-07-08,Early,pl2,folk,folk,0.1,0.2,0,-20.0,1,0.04,0.9,0.0,0.1,0.2,80.0,90000
""",
    "Spotify 1.2M+ tracks_features": f"""\
id,name,album,album_id,artists,artist_ids,track_number,disc_number,explicit,danceability,energy,key,loudness,mode,\
speechiness,acousticness,instrumentalness,liveness,valence,tempo,duration_ms,time_signature,year,release_date
{ID},Night Bus,"City, Late",al1,"['Mira Vale', 'Dr. Oak']","['ar1', 'ar2']",1,1,True,0.7,0.6,11,-7.5,0,0.04,0.1,\
0.0005,0.12,0.33,122.5,201000,4.0,2019,2019-01-01
1Other,Other,Alone,al2,['Solo'],['ar3'],1,1,False,0.1,0.2,0,-20.0,1,0.04,0.9,0.0,0.1,0.2,80.0,90000,3.0,2019,2019
""",
    "Spotify 600k tracks": f"""\
id,name,popularity,duration_ms,explicit,artists,id_artists,release_date,danceability,energy,key,loudness,mode,\
speechiness,acousticness,instrumentalness,liveness,valence,tempo,time_signature
{ID},Night Bus,61,201000,1,"['Mira Vale', 'Dr. Oak']","['ar1', 'ar2']",2019,0.7,0.6,11,-7.5,0,0.04,0.1,0.0005,0.12,\
0.33,122.5,4
1Other,Other,3,90000,0,['Solo'],['ar3'],1922-02-22,0.1,0.2,0,-20.0,1,0.04,0.9,0.0,0.1,0.2,80.0,3
""",
    "Exportify": f"""\
\ufeffTrack URI,Track Name,Album Name,Artist Name(s),Release Date,Duration (ms),Popularity,Explicit,Added By,\
Added At,Genres,Record Label,Danceability,Energy,Key,Loudness,Mode,Speechiness,Acousticness,Instrumentalness,\
Liveness,Valence,Tempo,Time Signature
spotify:track:{ID},Night Bus,"City, Late","Mira Vale;Dr. Oak",2019,201000,61,true,me,2024-01-01T00:00:00Z,\
"house,pop",Late Records,0.7,0.6,11,-7.5,0,0.04,0.1,0.0005,0.12,0.33,122.5,4
spotify:track:1Other,Other,Alone,Solo,2019,90000,3,false,me,2024-01-01T00:00:00Z,,,,,,,,,,,,,,
""",
}
NIGHT_BUS = {
    "track_id": ID,
    "title": "Night Bus",
    "artists": ["Mira Vale", "Dr. Oak"],
    "duration_ms": 201000,
    "tempo_bpm": 122.5,
    "key": 11,
    "mode": 0,
    "feature_set": "spotify",
    **dict(zip(FEATURES, np.float32([0.1, 0.7, 0.6, 0.0005, 0.12, -7.5, 0.04, 0.33]).tolist(), strict=True)),
}
ONLY_SOME_SAY = {
    "album": "City, Late",
    "genres": ["house", "pop"],
    "popularity": 61.0,
    "explicit": True,
    "time_signature": 4,
}


def read(tmp_path: Path, content: str, name: str = "tracks.csv") -> Catalogue:
    (tmp_path / name).write_text(content, encoding="utf-8", newline="")
    return tables.read(tmp_path / name)


@pytest.mark.parametrize("maker", LAYOUTS)
def test_every_known_layout_gives_the_same_track(tmp_path, maker):
    catalogue = read(tmp_path, LAYOUTS[maker])
    track = next(t for t in catalogue.table.to_pylist() if t["track_id"] == ID)
    assert {name: track[name] for name in NIGHT_BUS} == NIGHT_BUS
    for name, value in ONLY_SOME_SAY.items():
        assert track[name] in (value, None)
    assert catalogue.table.schema == SCHEMA
    assert len(catalogue) == 2
    assert maker in catalogue.notes[0]


def test_layouts_give_genres_popularity_and_other_columns_that_they_have(tmp_path):
    reporters = {name: set() for name in ONLY_SOME_SAY}
    for maker, text in LAYOUTS.items():
        track = next(t for t in read(tmp_path, text).table.to_pylist() if t["track_id"] == ID)
        for name in reporters:
            reporters[name] |= {maker} if track[name] is not None else set()
    assert {name: len(makers) for name, makers in reporters.items()} == {
        "album": 4,
        "genres": 3,
        "popularity": 4,
        "explicit": 4,
        "time_signature": 4,
    }


def test_exportify_without_features_leaves_them_unknown(tmp_path):
    other = read(tmp_path, LAYOUTS["Exportify"]).table.to_pylist()[1]
    assert other["title"] == "Other"
    unknown = ("genres", "tempo_bpm", "key", "mode", "feature_set", *FEATURES)
    assert [other[name] for name in unknown] == [None] * len(unknown)


@pytest.mark.parametrize("suffix", ["csv", "csv.gz", "csv.bz2"])
@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_line_ends_blank_lines_and_compression_make_no_difference(tmp_path, suffix, ends):
    path = tmp_path / f"tracks.{suffix}"
    with pa.output_stream(str(path), compression="detect") as stream:
        stream.write(ends.join(["", "track_id, Track Name ", "a,Ä", "", "b,B", ""]).encode())
    assert tables.read(path).table["title"].to_pylist() == ["Ä", "B"]


def test_our_own_parquet_is_read_unchanged(tmp_path):
    catalogue = random_catalogue(300, seed=4, artists=40, unknown=0.3)
    tables.write(catalogue, tmp_path / "own.parquet")
    again = tables.read(tmp_path / "own.parquet")
    assert again.table.equals(catalogue.table)
    assert "DISCO" in again.notes[0]
    assert [path.name for path in tmp_path.iterdir()] == ["own.parquet"]


def test_the_114k_table_becomes_its_89741_tracks_with_all_genres(shared):
    path = shared / "kaggle_spotify_tracks_114k.parquet"
    catalogue, raw = tables.read(path), pq.read_table(path, columns=["track_id", "track_genre"])
    assert "114,000 rows, 89,741 tracks" in catalogue.notes[0]
    assert len(catalogue) == 89_741
    expected: dict[str, list[str]] = {}
    for track in raw.to_pylist():
        expected.setdefault(track["track_id"], []).append(track["track_genre"])
    genres = dict(zip(catalogue.ids(np.arange(len(catalogue))), catalogue.table["genres"].to_pylist(), strict=True))
    assert genres == {track_id: list(dict.fromkeys(names)) for track_id, names in expected.items()}
    assert sum(len(names) > 1 for names in genres.values()) > 10_000
    assert pc.min(catalogue.table["tempo_bpm"]).as_py() > 0


@pytest.mark.parametrize(
    ("sample", "maker"),
    [("kaggle_114k_sample.csv", "114k"), ("tidytuesday_sample.csv", "TidyTuesday")],
)
def test_the_samples_in_their_original_form_are_read_whole(shared, sample, maker):
    catalogue = tables.read(shared / "samples" / sample)
    ids = pacsv.read_csv(shared / "samples" / sample)["track_id"]
    assert maker in catalogue.notes[0]
    assert len(catalogue) == pc.count_distinct(ids).as_py()
    assert catalogue.has_comparable_features.all()
    assert catalogue.has_title_and_artist.all()
    assert catalogue.table["genres"].null_count == 0


HEADER = "track_id,title,artists,energy,tempo\n"
ROWS = "".join(f"t{i},Title {i},Artist {i},0.5,120\n" for i in range(5))  # lines 2 to 6


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", ["is empty"]),
        (b"  \n \r\n\t", ["is empty"]),
        (b"\xef\xbb\xbf\n", ["is empty"]),
        (HEADER, ["no rows"]),
        (HEADER.strip(), ["no rows"]),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0", ["is a picture (PNG)"]),
        (bytes(range(128, 256)) * 9, ["line 1"]),
        (pickle.dumps({"track_id": [1, 2]}), ["not a table"]),
        ('{"tracks": [{"id": 1}]}', ["is JSON, but no playlist that DISCO reads"]),
        ('{"id": 1, "name": "x"}', ["is JSON"]),
        ("[\n {}\n]", ["is JSON"]),
        ("Once upon a time there was a track.\nIt was good.\n", ["not a table of tracks", "Once upon"]),
        ("Once, upon a time,\nthere was a track.\n", ["no column of track ids", "'Once'"]),
        ("<!DOCTYPE html><html><body>\n", ["is a web page; export the list as CSV"]),
        (b"%PDF-1.7\n%\xe2\xe3", ["is a PDF; export the list as CSV"]),
        (b"PK\x03\x04" + b"\0" * 22 + b"xl/workbook.xml", ["is a workbook of Excel; save it as CSV"]),
        (HEADER + "t9,A,P,0.5,120,7\n", ["no rows", "1 row is longer than the header (line 2): left out"]),
        ("title,energy\na,0.5\n", ["no column of track ids", "'title', 'energy'"]),
        ("track_id,title\n,\n ,\n", ["no row with a track id"]),
        (b"PAR1", ["Parquet"]),
        (b"PAR1" + b"x" * 99 + b"PAR1", ["Parquet"]),
    ],
)
def test_a_file_that_is_not_a_table_gives_one_sentence_with_file_and_line(tmp_path, content, expected):
    path = tmp_path / "tracks.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(DataError) as error:
        tables.read(path)
    assert "\n" not in str(error.value)
    for part in [str(path), *expected]:
        assert part in str(error.value)


@pytest.mark.slow
@pytest.mark.parametrize("damage", ["cut", "flipped", "not gzip", "empty"])
def test_a_broken_gzip_gives_an_error(tmp_path, damage):
    rows = "".join(f"t{i},Title {i * i},A,0.{i},{60 + i}\n" for i in range(40_000))
    whole = gzip.compress((HEADER + rows).encode(), mtime=0)
    content = {
        "cut": whole[: len(whole) // 2],
        "flipped": whole[:-6] + bytes([whole[-6] ^ 255]) + whole[-5:],
        "not gzip": b"hello there",
        "empty": b"",
    }
    path = tmp_path / "tracks.csv.gz"
    path.write_bytes(content[damage])
    with pytest.raises(DataError, match=r"tracks\.csv\.gz"):
        tables.read(path)


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"title": [["a"], ["b"]]}, ["'title'", "list"]),
        ({"title": [{"x": 1}, {"x": 2}]}, ["'title'", "struct"]),
        ({"artists": [[["a"]], [["b"]]]}, ["'artists'", "list"]),
        ({"energy": [[0.5], [0.5]]}, ["'energy'", "list"]),
        ({"track_id": [b"a", b"\xff"]}, ["'track_id'", "binary"]),
        (
            {"title": pa.Array.from_buffers(pa.string(), 2, pa.array([b"\xff", b"b"]).buffers())},
            ["'title'", "damaged"],
        ),
        ({"track_id": pa.nulls(2), "title": pa.nulls(2)}, ["no row with a track id"]),
        ({"track_id": pa.array([], pa.string()), "title": [], "artists": []}, ["no rows"]),
    ],
)
def test_parquet_with_a_column_of_the_wrong_type_names_file_and_column(tmp_path, columns, expected):
    path = tmp_path / "tracks.parquet"
    pq.write_table(pa.table({"track_id": ["a", "b"], "title": ["A", "B"], "artists": ["P", "Q"], **columns}), path)
    with pytest.raises(DataError) as error:
        tables.read(path)
    for part in [str(path), *expected]:
        assert part in str(error.value)


def test_two_parquet_columns_of_one_name_are_refused(tmp_path):
    table = pa.Table.from_arrays([pa.array(["a"])] * 4, ["track_id", "title", "key", "key"])
    pq.write_table(table, tmp_path / "twice.parquet")
    with pytest.raises(DataError, match=r"twice\.parquet: has 2 columns called 'key'"):
        tables.read(tmp_path / "twice.parquet")


@pytest.mark.parametrize("share", [0.01, 0.5, 0.9, 0.999])
def test_a_truncated_parquet_gives_an_error(tmp_path, share):
    tables.write(random_catalogue(50), tmp_path / "own.parquet")
    content = (tmp_path / "own.parquet").read_bytes()
    (tmp_path / "cut.parquet").write_bytes(content[: max(4, int(len(content) * share))])
    with pytest.raises(DataError, match=r"cut\.parquet"):
        tables.read(tmp_path / "cut.parquet")


@pytest.mark.parametrize("name", ["absent.csv", "no\0file", "absent/tracks.csv", "tracks.csv/below"])
def test_a_missing_file_gives_not_found(tmp_path, name):
    (tmp_path / "tracks.csv").write_text(HEADER)
    with pytest.raises(NotFoundError, match="there is no such file"):
        tables.read(tmp_path / name)


def test_a_folder_and_a_too_long_name_give_errors(tmp_path):
    with pytest.raises(DataError, match="is an empty folder"):
        tables.read(tmp_path)
    with pytest.raises(DataError, match="cannot be read"):
        tables.read(tmp_path / ("x" * 300))


def test_a_table_that_cannot_be_written_leaves_nothing_behind(tmp_path, monkeypatch):
    tables.write(random_catalogue(3), tmp_path / "own.parquet")
    before = (tmp_path / "own.parquet").read_bytes()

    def half(table: pa.Table, where: Path, **_: object) -> None:
        where.write_bytes(b"PAR1")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tables.pq, "write_table", half)
    with pytest.raises(DataError, match=r"own.parquet: cannot be written .No space"):
        tables.write(random_catalogue(5), tmp_path / "own.parquet")
    assert [path.name for path in tmp_path.iterdir()] == ["own.parquet"]
    assert (tmp_path / "own.parquet").read_bytes() == before


def read_bytes(content: bytes) -> None:
    """Read bytes as a file of tracks: what comes is a usable catalogue or an error of ours."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tracks"
        path.write_bytes(content)
        try:
            catalogue = tables.read(path)
        except DiscoError:
            return
        catalogue.table.validate(full=True)
        assert len(catalogue) == pc.count_distinct(catalogue.table["track_id"]).as_py() > 0
        catalogue.table.to_pylist()
        features = catalogue.features()
        assert features.shape == (len(catalogue), 8)
        assert not np.isinf(features).any()


@given(st.binary(max_size=400))
@example(b"track_id,title\n\xff")
def test_random_bytes_raise_only_our_errors(content):
    read_bytes(content)


rubbish = st.text(st.sampled_from("abt,;\"\n\r[]'\\0159.-#{}\t é\ufeff"), max_size=12)


@given(st.sampled_from(sorted(LAYOUTS)), st.lists(st.tuples(st.integers(0, 900), rubbish), min_size=1, max_size=4))
def test_an_overwritten_csv_raises_only_our_errors(maker, damage):
    text = LAYOUTS[maker]
    for place, piece in damage:
        text = text[:place] + piece + text[place + len(piece) // 2 :]
    read_bytes(text.encode())


@functools.cache
def small_parquet() -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(random_catalogue(20).table, sink, compression="none", use_dictionary=False)
    return sink.getvalue().to_pybytes()


@given(st.lists(st.tuples(st.floats(0, 0.9999), st.integers(0, 255)), min_size=1, max_size=3))
def test_a_parquet_with_changed_bytes_raises_only_our_errors(damage):
    content = bytearray(small_parquet())
    for place, byte in damage:
        content[int(place * len(content))] = byte
    read_bytes(bytes(content))
