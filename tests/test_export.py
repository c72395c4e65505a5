"""Exports: complete values, no file overwritten without force, hostile text unchanged."""

import csv
import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
from helpers.catalogues import catalogue_of, random_catalogue
from hypothesis import example, given
from hypothesis import strategies as st

from disco import export
from disco.catalogue import SCHEMA, Catalogue
from disco.errors import DataError, DiscoError
from disco.export.table import COLUMNS
from disco.playlist.cost import Knobs
from disco.playlist.playlist import Playlist
from disco.sources.files import tables

SPOTIFY_ID = "4uLU6hMCjMI75M1A2tKUQC"
TERMS = ("cost", "distance", "key_similarity", "tempo_similarity", "tempo_change")


def playlist(tracks: Catalogue, name: str = "Mine", where: str = "tracks.csv") -> Playlist:
    joins = max(0, len(tracks) - 1)
    return Playlist(
        name=name,
        tracks=tracks,
        seeds=1,
        knobs=Knobs(),
        catalogue={"where": where, "tracks": 9},
        predictor="classic",
        recommender="nearest",
        sequencer="greedy",
        terms={term: np.linspace(-0.5, 0.5, joins, dtype=np.float32) for term in TERMS},
    )


def of(**track: object) -> Playlist:
    return playlist(catalogue_of([{"track_id": "a", **track}]))


def read_back(made: Playlist, folder: Path) -> Catalogue:
    path = folder / "list.csv"
    export.write_text(export.to_csv(made), path, force=True)
    return tables.read(path)


def lines(made: Playlist) -> list[str]:
    """Lines as the strictest of players would part them."""
    return re.split(r"\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]", export.to_m3u8(made).removesuffix("\n"))


def test_json_is_the_dictionary_of_the_playlist():
    made = playlist(random_catalogue(4, unknown=0.5), name="Ä „Mix“ 🎧")
    assert json.loads(export.to_json(made)) == made.as_dict()
    assert "Ä „Mix“ 🎧" in export.to_json(made)


def test_csv_read_back_as_a_catalogue_gives_the_same_tracks(tmp_path):
    tracks = random_catalogue(50, seed=5, artists=9, unknown=0.4)
    assert read_back(playlist(tracks), tmp_path).table.equals(tracks.table)


@pytest.mark.parametrize(
    "track",
    [
        {"title": "NA"},
        {"title": "null", "album": "None", "isrc": "nan"},
        {"title": 'Say "Hi", he said'},
        {"title": "two\nlines", "album": "three\r\n\rlines"},
        {"title": "a\rb"},
        {"title": "=1+1", "album": "#EXTM3U"},
        {"title": "été 🎧 \u202egnol"},
        {"artists": ["Tyler, The Creator"]},
        {"artists": ["Tyler", "The Creator", "Tyler, The Creator"]},
        {"artists": ["A;B", "C"]},
        {"artists": ["['A']", "it's", 'a "b"']},
        {"artists": ["back\\slash", "\\, "[:2]]},
        {"genres": ["singer, songwriter", "r&b"]},
        {"genres": ["a;b", "[c]", "d;[e", "]"]},
        {"genres": ["drum and bass"], "explicit": True, "popularity": 0.0, "time_signature": 5},
        {"path": "/music/#1, \u201chit\u201d;.mp3", "duration_ms": 2**31 - 1},
        {"key": 0, "mode": 0, "tempo_bpm": np.float32(123.456).item(), "energy": 0.0, "feature_set": "audio-1"},
        {},
    ],
)
def test_csv_read_back_gives_every_odd_value_as_it_was(tmp_path, track):
    others = [{"track_id": "x", "artists": ["Tyler"]}, {"track_id": "y", "artists": ["The Creator"]}]
    tracks = catalogue_of([{"track_id": "a", **track}, *others])
    again = read_back(playlist(tracks), tmp_path).table
    for name in tracks.table.column_names:
        assert again[name].to_pylist() == tracks.table[name].to_pylist(), name


# Those that make a file binary to its readers become spaces.
CONTROLS = re.compile("[\0-\x08\x0b\x0e-\x19\x1c-\x1f]")
words = st.text(st.characters(exclude_categories=["Cs"]), max_size=12).map(lambda text: CONTROLS.sub(" ", text))
optional_words = words.map(lambda text: text.strip() or None)
durations = st.none() | st.integers(1, 10**7)
names = st.none() | st.lists(optional_words.filter(bool), min_size=1, max_size=3, unique=True)


@pytest.mark.slow
@given(st.lists(st.tuples(optional_words, names, names, durations), min_size=1, max_size=4))
@example([("'", ["[']", ", "[:1]], ["];["], 1)])
@example([("a", None, None, 30), ("b", None, None, 999)])
@example([("0\r0", None, [",", "'"], None), ("b", None, None, 999)])
@example([("0\r\n0", None, [",", "'"], None), ("b", None, None, 999)])
def test_any_text_survives_csv(tmp_path_factory, rows):
    tracks = catalogue_of(
        [
            {"track_id": f"t{i}", "title": t, "artists": a, "genres": g, "duration_ms": d}
            for i, (t, a, g, d) in enumerate(rows)
        ]
    )
    names = ["track_id", "title", "artists", "genres", "duration_ms"]
    again = read_back(playlist(tracks), tmp_path_factory.getbasetemp()).table
    assert again.select(names).equals(tracks.table.select(names))


def test_csv_has_spaces_for_characters_that_no_text_has(tmp_path):
    odd = "a\0b\x01c\x0bd\x1f" + "e\x7f\x80\x1b"
    assert read_back(of(title=odd), tmp_path).table["title"].to_pylist() == ["a b c d e\x7f\x80\x1b"]


# The header of github.com/pavelkomarov/exportify, by which other programs find what they look for.
EXPORTIFY = (
    "Track URI,Track Name,Album Name,Artist Name(s),Release Date,Duration (ms),Popularity,Explicit,Added By,Added At,"
    "Genres,Record Label,Danceability,Energy,Key,Loudness,Mode,Speechiness,Acousticness,Instrumentalness,Liveness,"
    "Valence,Tempo,Time Signature"
).split(",")


def test_csv_names_a_track_of_spotify_as_exportify_does():
    row = next(csv.DictReader(io.StringIO(export.to_csv(of(track_id=SPOTIFY_ID, artists=["A", "B"], key=9, mode=0)))))
    assert (row["Track URI"], row["Artist Name(s)"]) == (f"spotify:track:{SPOTIFY_ID}", "A;B")
    assert (row["Key"], row["Mode"], row["Tempo"]) == ("9", "0", "")


def test_csv_has_position_seed_and_transitions():
    rows = export.to_csv(playlist(random_catalogue(3))).splitlines()
    assert rows[0].split(",")[:24] == EXPORTIFY
    others = [name for name in SCHEMA.names if name not in COLUMNS.values()]
    assert rows[0].split(",")[24:] == [*others, "position", "seed", *TERMS[:4]]
    assert [row.split(",")[0] for row in rows[1:]] == ["t00000", "t00001", "t00002"]
    assert [row.split(",")[-6:-4] for row in rows[1:]] == [["1", "True"], ["2", "False"], ["3", "False"]]
    assert [row.split(",")[-4] for row in rows[1:]] == ["", "-0.5", "0.5"]


def test_m3u8_has_seconds_name_and_location_of_each_track():
    tracks = catalogue_of(
        [
            {"track_id": "a", "title": "A", "artists": ["P", "Q"], "duration_ms": 180_600, "path": "/music/a.mp3"},
            {"track_id": SPOTIFY_ID, "title": "B", "artists": ["P"]},
            {"track_id": "c", "artists": ["P"], "duration_ms": 1000},
            {"track_id": "d"},
        ]
    )
    assert lines(playlist(tracks)) == [
        "#EXTM3U",
        "#PLAYLIST:Mine",
        "#EXTINF:181,P, Q - A",
        "/music/a.mp3",
        "#EXTINF:-1,P - B",
        f"https://open.spotify.com/track/{SPOTIFY_ID}",
        "#EXTINF:1,P",
        "c",
        "#EXTINF:-1,d",
        "d",
    ]


HOSTILE = [
    "#EXTM3U",
    "\n#EXTM3U\nhttp://evil.example/x.mp3",
    "a\r\nhttp://evil.example",
    "a\u2028b\u2029c\x85d\x0be\x0cf\x1cg",
    "\x1b[2J\x07\0\x9b31m",
    "\u202egnp.exe\u2066\u200f",
    "# comment",
    "\ufeff#EXTINF:1,x",
    "\ud800",
    "\n",
]


@pytest.mark.parametrize("field", ["title", "artists", "album", "path", "track_id", "name", "where"])
@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_on_its_line_of_the_m3u8(text, field):
    try:
        text.encode()
    except UnicodeEncodeError:
        if field not in ("name", "where"):
            return  # no table can hold it
    track = {"track_id": "a", "title": "A", "artists": ["P"]}
    if field in ("name", "where"):
        made = playlist(catalogue_of([track]), **{field: text})
    else:
        made = playlist(catalogue_of([{**track, field: [text] if field == "artists" else text}]))
    written = lines(made)
    assert len(written) == 4
    assert written[0] == "#EXTM3U"
    assert written[1].startswith("#PLAYLIST:")
    assert written[2].startswith("#EXTINF:-1,")
    assert written[-1]
    assert not written[-1].startswith("#")
    assert all(character.isprintable() for line in written for character in line)


@given(st.text(max_size=30), st.text(max_size=30), st.text(max_size=30))
def test_every_track_has_two_lines_in_an_m3u8_whatever_its_name(title, artist, path):
    clean = [text.encode(errors="replace").decode() for text in (title, artist, path)]
    written = lines(of(title=clean[0], artists=[clean[1]], path=clean[2]))
    assert len(written) == 4
    assert not written[3].startswith("#")


def test_only_invented_tracks_are_marked_as_having_no_audio():
    assert "nothing to hear" in export.to_m3u8(playlist(random_catalogue(1), where="the demo (invented tracks)"))
    assert "nothing to hear" not in export.to_m3u8(playlist(random_catalogue(1)))


@pytest.mark.parametrize("suffix", export.FORMATS)
def test_nothing_is_overwritten_without_force(tmp_path, suffix):
    where = tmp_path / f"list{suffix}"
    export.write_text("first", where)
    with pytest.raises(DataError, match="exists already; --force"):
        export.check_output(where, False, tuple(export.FORMATS))
    with pytest.raises(DataError, match="exists already; --force"):
        export.write_text("second", where)
    assert where.read_text() == "first"
    export.write_text("third", where, force=True)
    assert where.read_text() == "third"
    assert [path.name for path in tmp_path.iterdir()] == [where.name]


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_an_interrupted_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, error):
    where = tmp_path / "list.csv"
    where.write_text("old")
    real = Path.write_bytes

    def half(self: Path, data: bytes) -> int:
        real(self, data[: len(data) // 2])
        raise error

    monkeypatch.setattr(Path, "write_bytes", half)
    with pytest.raises(DataError if isinstance(error, OSError) else KeyboardInterrupt) as raised:
        export.write_text("new and longer", where, force=True)
    if isinstance(error, OSError):
        assert str(raised.value) == f"{where}: cannot be written (No space left on device)"
    assert where.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["list.csv"]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("list.docx", "known are .json, .csv, .m3u8"),
        ("list", "known are"),
        ("absent/list.csv", "there is no folder"),
        ("folder.csv", "is a folder"),
        ("x" * 300 + ".csv", "cannot be written"),
    ],
)
def test_an_unwritable_path_is_refused_before_any_work(tmp_path, name, sentence):
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(DiscoError, match=re.escape(sentence)) as error:
        export.check_output(tmp_path / name, True, tuple(export.FORMATS))
    assert str(error.value).startswith(str(tmp_path / name))
    assert [path.name for path in tmp_path.iterdir()] == ["folder.csv"]


def test_the_longest_name_and_an_ending_in_capitals_are_written(tmp_path):
    for name in ("x" * 251 + ".csv", "LIST.M3U8"):
        export.check_output(tmp_path / name, False, tuple(export.FORMATS))
        export.write_text("text", tmp_path / name)
        assert (tmp_path / name).read_text() == "text"


def test_text_that_is_not_unicode_is_written_with_question_marks(tmp_path):
    export.write_text("caf\udce9\n", tmp_path / "list.json")
    assert (tmp_path / "list.json").read_bytes() == b"caf?\n"
