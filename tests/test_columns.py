"""What people write in their columns, and what it means: ids, artists, genres, keys, numbers, and the unknown."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from disco.catalogue import FEATURES, SCHEMA, Catalogue
from disco.sources.files import tables


def read(tmp_path: Path, content: str, name: str = "tracks.csv") -> Catalogue:
    (tmp_path / name).write_text(content, encoding="utf-8", newline="")
    return tables.read(tmp_path / name)


def read_parquet(tmp_path: Path, **columns: object) -> Catalogue:
    table = {"track_id": ["a", "b"], "title": ["A", "B"], "artists": [["P"], ["Q"]], **columns}
    pq.write_table(pa.table(table), tmp_path / "tracks.parquet")
    return tables.read(tmp_path / "tracks.parquet")


def column(tmp_path: Path, name: str, *values: str) -> list[object]:
    """Values of one column, each in its own row, as they are read; the column's first name in SCHEMA."""
    rows = [f'{i},"{value.replace(chr(34), chr(34) * 2)}"\n' for i, value in enumerate(values)]
    catalogue = read(tmp_path, f"track_id,{name}\n" + "".join(rows))
    (read_as,) = (
        c for c in SCHEMA.names if c not in ("track_id", "feature_set") and c in (name, f"{name}_bpm", f"{name}_ms")
    )
    return catalogue.table[read_as].to_pylist()


def test_a_dj_table_without_ids_gets_stable_ids_and_keys_by_name(tmp_path):
    text = "title,artist,bpm,key\nStrobe,Anna,128,8A\nSTROBE,anna,128,8A\nStrobe - Live,Anna,131,F#m\n???,Anna,90,\n"
    catalogue = read(tmp_path, text)
    assert catalogue.table["title"].to_pylist() == ["Strobe", "Strobe - Live", "???"]
    assert catalogue.table["key"].to_pylist() == [9, 6, None]
    assert catalogue.table["mode"].to_pylist() == [0, 0, None]
    assert catalogue.table["track_id"].to_pylist() == read(tmp_path, text, "again.csv").table["track_id"].to_pylist()
    assert "1 rows joined" in " ".join(catalogue.notes)


def test_a_row_without_id_and_title_is_dropped_and_counted(tmp_path):
    catalogue = read(tmp_path, "track_id,title,artists\na,A,P\n,,P\n ,B,P\n")
    assert catalogue.table["title"].to_pylist() == ["A", "B"]
    assert any("1 rows without an id dropped" in note for note in catalogue.notes)


@pytest.mark.parametrize(
    "uri",
    [
        "spotify:track:4uLU6hMCjMI75M1A2tKUQC",
        "https://open.spotify.com/track/4uLU6hMCjMI75M1A2tKUQC?si=abc",
        "https://open.spotify.com/intl-de/track/4uLU6hMCjMI75M1A2tKUQC",
        " 4uLU6hMCjMI75M1A2tKUQC ",
    ],
)
def test_an_id_is_read_from_uris_and_links(tmp_path, uri):
    assert read(tmp_path, f"id,name\n{uri},A\n").ids(np.array([0])) == ["4uLU6hMCjMI75M1A2tKUQC"]


@pytest.mark.parametrize(
    "title",
    ["NA", "null", "None", "True", "1999", "nan", "0", 'Say "Hi", he said', "two\nlines", "a\rb", "🎧 été", "[x]"],
)
def test_a_title_is_read_as_it_is_written(tmp_path, title):
    quoted = title.replace('"', '""')
    assert read(tmp_path, f'track_id,title\na,"{quoted}"\n').table["title"].to_pylist() == [title]


@pytest.mark.parametrize(
    ("written", "artists"),
    [
        ("Tyler, The Creator", ["Tyler, The Creator"]),
        ("Mira;Oak", ["Mira", "Oak"]),
        ("Mira; Oak ;", ["Mira", "Oak"]),
        ("Solo", ["Solo"]),
        ("Solo, Mira", ["Solo", "Mira"]),  # both stand alone elsewhere in the column
        ("""["Guns N' Roses", 'AC/DC']""", ["Guns N' Roses", "AC/DC"]),
        ("['Solo, Mira']", ["Solo, Mira"]),  # a literal leaves no doubt
        ("['Mira']", ["Mira"]),
        ("[]", None),
        ("[broken", ["[broken"]),
        ("[{[]: 1}]", ["[{[]: 1}]"]),
        ("[" * 500, ["[" * 500]),
        ("", None),
        (" ; ", None),
        ("NA", ["NA"]),
    ],
)
def test_artists_are_split_as_in_the_files_of_each_maker(tmp_path, written, artists):
    assert column(tmp_path, "artists", written, "Solo", "Mira")[0] == artists


@pytest.mark.parametrize(
    ("header", "written", "artists"),
    [
        ("Artist Name(s)", "Mira,Oak", ["Mira", "Oak"]),
        ("Artist Name(s)", "Tyler, The Creator,Oak", ["Tyler, The Creator", "Oak"]),
        ("Artist Name(s)", "Tyler, The Creator", ["Tyler, The Creator"]),
        ("Artist Name(s)", "Tyler, The Creator;Oak", ["Tyler, The Creator", "Oak"]),
        ("Artist URI(s),Artist Name(s)", r"x,Mira, Oak", ["Mira", "Oak"]),
        ("Artist URI(s),Artist Name(s)", r"x,Tyler\, The Creator, Oak", ["Tyler, The Creator", "Oak"]),
    ],
)
def test_each_exportify_is_split_in_its_own_way(tmp_path, header, written, artists):
    value = f'x,"{written[2:]}"' if "URI" in header else f'"{written}"'
    catalogue = read(tmp_path, f"Track URI,Track Name,{header}\nspotify:track:a,A,{value}\n")
    assert catalogue.artists(0) == artists


@pytest.mark.parametrize(
    ("written", "genres"),
    [
        ("deep house", ["deep house"]),
        ("pop,rock", ["pop", "rock"]),
        ("pop; rock;pop", ["pop", "rock"]),
        ("['pop', 'rock']", ["pop", "rock"]),
        ("['a; b', 'c']", ["a; b", "c"]),
        ("[]", None),
        (" ", None),
    ],
)
def test_genres_are_split_without_repeats(tmp_path, written, genres):
    assert column(tmp_path, "genres", written) == [genres]


@pytest.mark.parametrize(
    ("name", "written", "value"),
    [
        ("tempo", "0", None),
        ("tempo", "0.0", None),
        ("tempo", "", None),
        ("tempo", "NaN", None),
        ("tempo", "null", None),
        ("tempo", " 120.5 ", 120.5),
        ("tempo", "1.2e2", 120.0),
        ("tempo", "inf", None),
        ("tempo", "-120", None),
        ("tempo", "99999999999999999999999999", None),
        ("duration_ms", "-5", None),
        ("duration_ms", "0", None),
        ("duration_ms", "200000.0", 200000),
        ("duration_ms", "99999999999999999999", None),
        ("popularity", "inf", None),
        ("popularity", "-1", None),
        ("popularity", "0", 0.0),
        ("energy", "0", 0.0),
        ("energy", "1", 1.0),
        ("energy", "1.5", None),
        ("energy", "-0.1", None),
        ("energy", "n/a", None),
        ("loudness", "-60", -60.0),
        ("loudness", "2.5", 2.5),
        ("loudness", "-1000", None),
        ("key", "-1", None),
        ("key", "11.0", 11),
        ("key", "11", 11),
        ("key", "12", None),
        ("key", "0", 0),
        ("key", "2.5", None),
        ("key", "inf", None),
        ("key", "8A", 9),
        ("key", "Am", 9),
        ("key", "B♭ minor", 10),
        ("key", "nonsense", None),
        ("key", "", None),
        ("mode", "1", 1),
        ("mode", "0.0", 0),
        ("mode", "Major", 1),
        ("mode", "minor", 0),
        ("mode", "-1", None),
        ("explicit", "True", True),
        ("explicit", "FALSE", False),
        ("explicit", "0", False),
        ("explicit", "maybe", None),
        ("explicit", "", None),
        ("time_signature", "4.0", 4),
    ],
)
def test_a_value_is_converted_or_becomes_unknown(tmp_path, name, written, value):
    assert column(tmp_path, name, written) == [value]


def test_values_taken_as_unknown_are_counted(tmp_path):
    rows = "a,0,-1,0.5\nb,5000,99,2\nc,0,,0.5\nd,120,3,\n"
    result = " ".join(read(tmp_path, "track_id,tempo,key,energy\n" + rows).notes)
    for part in ("2 x tempo_bpm 0", "1 x tempo_bpm outside 10 to 1000", "2 x key -1", "1 x energy outside 0 to 1"):
        assert part in result


def test_columns_that_are_not_used_are_named(tmp_path):
    catalogue = read(tmp_path, "track_id,vibe,energy\na,sad,0.5\n")
    assert any("columns not used: vibe" in note for note in catalogue.notes)


def test_rows_of_one_track_are_joined_with_all_their_genres_once(tmp_path):
    rows = "a,A,rock,\nb,B,jazz,\na,A,pop,0.5\na,,rock,0.7\n"
    catalogue = read(tmp_path, "track_id,title,genre,popularity\n" + rows)
    assert catalogue.table["genres"].to_pylist() == [["rock", "pop"], ["jazz"]]
    assert catalogue.table["popularity"].to_pylist() == [0.5, None]
    assert any("4 rows, 2 tracks" in note for note in catalogue.notes)
    assert any("2 rows joined" in note for note in catalogue.notes)


def test_features_without_a_feature_set_are_unknown_only_where_others_have_one(tmp_path):
    features = ",".join(["0.5"] * 8)
    text = f"track_id,feature_set,{','.join(FEATURES)}\na,audio-1,{features}\nb,,{features}\nc,,{',' * 7}\n"
    assert read(tmp_path, text).table["feature_set"].to_pylist() == ["audio-1", "unknown", None]


@pytest.mark.parametrize(
    ("name", "values", "read_as"),
    [
        ("genres", [["a", None, " b "], []], [["a", "b"], None]),
        ("genres", pa.array(["x", "y"]).dictionary_encode(), [["x"], ["y"]]),
        ("artists", pa.array(["P;Q", "R"], pa.large_string()).dictionary_encode(), [["P", "Q"], ["R"]]),
        ("artists", pa.array([["P"], ["Q"]], pa.large_list(pa.large_string())), [["P"], ["Q"]]),
        ("artists", [[None], ["Q"]], [None, ["Q"]]),
        ("title", pa.array(["  A", "B "], pa.large_string()), ["A", "B"]),
        ("album", pa.array(["  A", ""], pa.large_string()), ["A", None]),
        ("title", [1999, 7], ["1999", "7"]),
        ("key", [11.0, float("nan")], [11, None]),
        ("key", pa.array([-1, 3], pa.int8()), [None, 3]),
        ("key", pa.array(["8A", "3"]).dictionary_encode(), [9, 3]),
        ("explicit", [1, 0], [True, False]),
        ("explicit", [True, None], [True, None]),
        ("duration_ms", [2**62 + 1, 7], [None, 7]),
        ("energy", pa.array([0.5, None], pa.float64()), [0.5, None]),
        ("energy", pa.array([float("nan"), 0.5], pa.float32()), [None, 0.5]),
        ("energy", pa.nulls(2), [None, None]),
        ("isrc", pa.nulls(2), [None, None]),
    ],
)
def test_parquet_may_hold_its_values_in_any_type_that_fits(tmp_path, name, values, read_as):
    assert read_parquet(tmp_path, **{name: values}).table[name].to_pylist() == read_as


def test_lists_and_texts_of_genres_are_put_together(tmp_path):
    genres = read_parquet(tmp_path, genres=[["a", "b"], None], genre=["b", "c"]).table["genres"].to_pylist()
    assert genres == [["a", "b"], ["c"]]
