"""Small files that unpack to gigabytes, endless texts, pipes and devices end in a sentence, and soon."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import time
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from helpers.processes import forks

from disco import sources
from disco.catalogue import Catalogue
from disco.catalogue.text import LONGEST, MOST_NAMES, clean_text, song_key
from disco.cli import generate, order, settings
from disco.errors import DataError, DiscoError, NotFoundError
from disco.playlist.parsing import parse_positions
from disco.sources import corrections, histories, limits, playlist_files
from disco.sources.files import mpd, playlist_tables, spotify_export, tables
from disco.sources.tracklist import Entry, Tracklist

SLICE = {"playlists": [{"pid": 1, "name": "a", "tracks": [{"track_uri": "spotify:track:x", "track_name": "t"}]}]}


@pytest.fixture(autouse=True)
def _within_seconds():
    begin = time.process_time()
    yield
    assert time.process_time() - begin < 10


def pipe_of(content: bytes) -> str:
    """The path of a pipe that gives a text, as `<(...)` makes one in a shell."""
    read, write = os.pipe()
    if not os.fork():
        os.close(read)
        with open(write, "wb") as file:  # noqa: PTH123 - a descriptor
            file.write(content)
        os._exit(0)
    os.close(write)
    return f"/dev/fd/{read}"


@forks
def test_a_pipe_gives_all_its_ids():
    ids = [f"demo-{i:05}" for i in range(1, 5001)]
    path = pipe_of("\n".join(ids).encode())
    tracklist, catalogue = sources.open_playlist(path)
    assert tracklist.ids == ids
    assert (tracklist.match(catalogue) >= 0).all()


@forks
def test_a_pipe_may_be_a_table():
    text = "track_id,title,artists\n" + "".join(f"{i},Title {i},Artist\n" for i in range(20_000))
    assert len(sources.open(pipe_of(text.encode()))) == 20_000


@forks
def test_a_pipe_that_gives_too_much_is_refused(monkeypatch):
    monkeypatch.setattr(limits, "PIPE_BYTES", 1000)
    with pytest.raises(DataError, match="is a pipe that gives more than"):
        sources.open_playlist(pipe_of(b"x" * 5000))


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="needs /dev/zero")
@pytest.mark.parametrize(
    "read",
    [
        playlist_files.read,
        sources.open,
        corrections.read,
        settings.read,
        playlist_tables.find,
        lambda path: histories.read([path]),
        lambda path: sources.open((), path),
    ],
)
def test_a_device_is_refused(read):
    with pytest.raises(DataError, match="/dev/zero: is a device, not a file"):
        read(Path("/dev/zero"))


@forks
def test_a_pipe_in_a_folder_of_slices_is_passed_over(tmp_path):
    os.mkfifo(tmp_path / "mpd.slice.0-999.json")
    assert not mpd.can_read(tmp_path)


def zipped(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def test_zip_files_that_unpack_to_too_much_are_refused_whatever_their_parts(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "UNPACKED_BYTES", 1 << 20)
    padding = b" " * 300_000
    slices = {f"mpd.slice.{i}.json": json.dumps(SLICE).encode() + padding for i in range(4)}
    path = zipped(tmp_path / "mpd.zip", slices)
    for read in (mpd.read, playlist_tables.read):
        with pytest.raises(DataError, match="unpacks to more than 1 MB, which is not read for safety"):
            read(path)
    parts = {f"StreamingHistory_music_{i}.json": b"[]" + padding for i in range(4)}
    with pytest.raises(DataError, match="unpacks to more than 1 MB"):
        spotify_export.read(zipped(tmp_path / "export.zip", parts))


def test_a_packed_table_that_unpacks_to_too_much_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "UNPACKED_BYTES", 1 << 20)
    line = b"a," + b"x" * 1000 + b",b\n"
    path = tmp_path / "tracks.csv.gz"
    path.write_bytes(gzip.compress(b"track_id,title,artists\n" + line * 3000, 1))
    with pytest.raises(DataError, match="unpacks to more than 1 MB"):
        tables.read(path)


def test_a_packed_table_of_a_usual_size_is_read(tmp_path):
    path = tmp_path / "tracks.csv.gz"
    path.write_bytes(gzip.compress(b"track_id,title,artists\na,Night Bus,Mira Vale\n"))
    assert tables.read(path).ids(np.array([0])) == ["a"]


def test_parquet_of_more_rows_than_bytes_is_refused(tmp_path):
    path = tmp_path / "rows.parquet"
    ids = pa.DictionaryArray.from_arrays(pa.array(np.zeros(3_000_000, dtype=np.int8)), pa.array(["a"]))
    pq.write_table(pa.table({"track_id": ids, "playlist_id": ids, "position": pa.array(ids.indices)}), path)
    for read in (tables.read, playlist_tables.read):
        with pytest.raises(DataError, match="has 3,000,000 rows in"):
            read(path)


def test_long_texts_that_parquet_holds_once_stay_short(tmp_path):
    path = tmp_path / "long.parquet"
    long = pa.array(["x" * 100_000]).take(pa.array(np.zeros(1000, dtype=np.int32)))
    pq.write_table(pa.table({"track_id": pa.array(map(str, range(1000))), "title": long}), path)
    assert path.stat().st_size < 1_000_000
    titles = sources.open(path, cache=False).column("title")
    assert set(titles.to_pylist()) == {"x" * LONGEST}


@pytest.mark.parametrize("blank", [" ", "\t", "\u3000", " \n"])
def test_a_title_of_white_space_is_cut_and_costs_no_time(tmp_path, blank):
    title = "Night" + blank * 200_000 + "Bus"
    (tmp_path / "tracks.csv").write_text(f'track_id,title,artists\na,"{title}",Mira Vale\nb,Other,Bo\n')
    tracks = sources.open(tmp_path / "tracks.csv", cache=False)
    assert tracks.column("title")[0].as_py() == "Night Bus"
    assert Entry(title=title).title == "Night Bus"
    assert song_key(title[: LONGEST - 3], "Mira Vale") == song_key("Night", "Mira Vale")
    begin = time.process_time()
    assert song_key(title, "Mira Vale") == song_key("Night Bus", "Mira Vale")
    assert time.process_time() - begin < 0.5


def test_texts_of_usual_length_stay_as_they_are():
    assert clean_text("Night  Bus\t") == "Night  Bus\t"
    assert clean_text("x" * LONGEST) == "x" * LONGEST


def test_a_track_has_at_most_so_many_artists(tmp_path):
    names = ";".join(f"artist {i}" for i in range(100_000))
    (tmp_path / "tracks.csv").write_text(f"track_id,title,artists,genres\na,Night Bus,{names},{names}\n")
    track = sources.open(tmp_path / "tracks.csv", cache=False).tracks()[0]
    assert 10 < len(track["artists"]) <= MOST_NAMES
    assert 10 < len(track["genres"]) <= MOST_NAMES


HALF = "half \ud83d an emoji"


def test_half_a_character_becomes_a_question_mark_wherever_it_enters(tmp_path):
    whole = "half ? an emoji"
    assert clean_text(HALF) == whole
    tracks = Catalogue.from_tracks([{"track_id": HALF, "title": HALF, "artists": [HALF], "genres": (HALF,)}])
    assert tracks.tracks()[0]["artists"] == [whole]
    assert Tracklist("", [Entry(HALF, HALF, HALF)]).match(tracks).tolist() == [0]
    assert tracks.find(HALF).tolist() == [0]
    (tmp_path / "list.json").write_text(json.dumps({"name": HALF, "tracks": [{"id": HALF, "title": HALF}]}))
    tracklist, _ = sources.open_playlist(tmp_path / "list.json", catalogue=tracks)
    assert tracklist.match(tracks).tolist() == [0]
    literal = repr([HALF])
    (tmp_path / "tracks.csv").write_text(f'track_id,title,artists,genres\na,t,"{literal}","{literal}"\n')
    track = sources.open(tmp_path / "tracks.csv", cache=False).tracks()[0]
    assert (track["artists"], track["genres"]) == ([whole], [whole])


def damaged(path: Path, compression: int) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("StreamingHistory0.json", json.dumps([{"trackName": "a" * i} for i in range(100)]))
    content = bytearray(path.read_bytes())
    content[60:90] = bytes(30)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("compression", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_damaged_members_of_zip_files_are_named(tmp_path, compression):
    path = damaged(tmp_path / "export.zip", compression)
    with pytest.raises(DataError, match=r"StreamingHistory0\.json: cannot be read"):
        sources.open(path)


def test_a_member_whose_name_is_no_utf8_is_no_traceback(tmp_path):
    path = zipped(tmp_path / "export.zip", {"StreamingHistory0é.json": b"[]"})
    path.write_bytes(path.read_bytes().replace("é".encode(), b"\xff\xfe"))
    with pytest.raises(DiscoError):
        sources.open(path)
    assert playlist_files.source_of(path) is None
    with pytest.raises(DataError, match="is not a readable zip file"):
        playlist_tables.find(path)


def test_settings_that_nest_without_end_are_refused(tmp_path):
    path = tmp_path / "settings.toml"
    for text in ("a" + ".a" * 50_000 + " = 1", "[" + "a." * 50_000 + "a]", 'x = "' + "a" * 300_000 + '"'):
        path.write_text(text)
        with pytest.raises(DataError, match=r"nests names|is too long"):
            settings.read(path)
    path.write_text('include = "a.b.c.d.e.f.g"\n')
    with pytest.raises(DataError, match="must be a list"):
        settings.read(path)


def test_a_seed_longer_than_any_name_is_refused():
    with pytest.raises(NotFoundError, match="has 120,000 characters; a track's name or id has 1,000 at most"):
        sources.open().find("x" * 120_000)


@pytest.mark.parametrize(
    ("main", "arguments", "message"),
    [
        (generate, ["--example", "--width", "10000"], "from 1 to 1,000 wide"),
        (generate, ["--example", "--alternatives", "1000000000"], "1 to 100 alternatives"),
        (order, ["-", "--alternatives", "1000000000"], "1 to 100 alternatives"),
        (generate, ["--example", "--minutes", "1e308"], "minutes"),
    ],
)
def test_numbers_without_end_are_refused(capsys, main, arguments, message):
    assert main.main(arguments) == 1
    assert message in capsys.readouterr().err


def test_positions_without_end_are_refused():
    with pytest.raises(DiscoError, match="names more than 1,000,000 positions"):
        parse_positions(",".join(["1-999999"] * 9))


@pytest.mark.parametrize("filling", [" ", "\t", "\n", "a", "a ", '"', "a.", "a . ", ". ", "-"])
def test_settings_full_of_anything_take_no_time(tmp_path, filling):
    path = tmp_path / "settings.toml"
    path.write_text(f"flow = {filling * (150_000 // len(filling))}1.0\n")
    begin = time.process_time()
    with contextlib.suppress(DataError):
        settings.read(path)
    assert time.process_time() - begin < 2


def test_names_of_many_parts_are_refused_and_remarks_of_many_sentences_are_not(tmp_path):
    path = tmp_path / "settings.toml"
    for name in (".".join("abc" * 10), " . ".join("abc" * 10), ".\t".join(['"a"'] * 30)):
        path.write_text(f"{name} = 1\n")
        with pytest.raises(DataError, match="nests names more than 20 deep"):
            settings.read(path)
    path.write_text("# One sentence. And more. " * 30 + "\nflow = 2.0\n")
    assert settings.read(path) == {"flow": 2.0}
