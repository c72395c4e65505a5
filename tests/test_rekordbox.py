"""Libraries of rekordbox: values, playlists, hostile and damaged XML."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from xml.sax.saxutils import quoteattr

import numpy as np
import pytest

from disco.catalogue.key_names import parse_key
from disco.errors import DataError, NotFoundError
from disco.sources import entries, playlist_files
from disco.sources.dj import rekordbox

LIBRARY = """<?xml version="1.0" encoding="UTF-8"?>
<DJ_PLAYLISTS Version="1.0.0">
  <PRODUCT Name="rekordbox" Version="7.0.9" Company="AlphaTheta"/>
  <COLLECTION Entries="6">
    <TRACK TrackID="11" Name="Night Bus" Artist="Mira Vale, Dr. Oak" Album="City &amp; Late" Genre="Deep House, Pop"
           TotalTime="201" AverageBpm="122.50" Comments="8A - Energy 6" Rating="204" Tonality="Am"
           Location="file://localhost/Users/me/Night%20Bus%20%231.mp3">
      <TEMPO Inizio="0.2" Bpm="122.50" Metro="4/4" Battito="1"/>
      <POSITION_MARK Name="drop" Type="0" Start="33.1" Num="0"/>
    </TRACK>
    <TRACK TrackID="12" Name="Sun" Artist="Mira Vale" AverageBpm="0.00" TotalTime="0" Tonality="" Comments="52 energy"
           Location="file://localhost/C:/Music/Sun.flac"/>
    <TRACK TrackID="13" Name="Moon" Artist="Dr. Oak" AverageBpm="90,25" TotalTime="180" Tonality="10m"
           Location="file://localhost/Users/me/Moon.mp3"/>
    <TRACK TrackID="14" Name="Rain" Artist="Solo" AverageBpm="128.00" Tonality="what?"
           Location="file://localhostspotify:track:4uLU6hMCjMI75M1A2tKUQC"/>
    <TRACK TrackID="15" Name="Moon (again)" Artist="Solo" AverageBpm="91" Location="file://localhost/Users/me/Moon.mp3"/>
    <TRACK TrackID="16" Name="Nowhere" Artist="Solo" AverageBpm="100.00" Tonality="4A"/>
  </COLLECTION>
  <PLAYLISTS>
    <NODE Type="0" Name="ROOT" Count="2">
      <NODE Type="0" Name="Peak / time" Count="2">
        <NODE Type="0" Name="Late" Count="1">
          <NODE Name="Friday" Type="1" KeyType="0" Entries="4">
            <TRACK Key="13"/><TRACK Key="11"/><TRACK Key="99"/><TRACK Key="13"/>
          </NODE>
        </NODE>
        <NODE Name="friday" Type="1" KeyType="1" Entries="2">
          <TRACK Key="file://localhost/C:/Music/Sun.flac"/><TRACK Key="file://localhost/Users/me/gone.mp3"/>
        </NODE>
      </NODE>
      <NODE Name="Empty" Type="1" KeyType="0" Entries="0"/>
      <NODE Name="Streamed" Type="1" KeyType="0" Entries="2"><TRACK Key="14"/><TRACK Key="16"/></NODE>
    </NODE>
  </PLAYLISTS>
</DJ_PLAYLISTS>
"""
MOON, BUS = "/Users/me/Moon.mp3", "/Users/me/Night Bus #1.mp3"


def example(folder: Path) -> Path:
    """A small library as rekordbox writes it."""
    where = folder / "library.xml"
    where.write_text(LIBRARY, encoding="utf-8")
    return where


@pytest.fixture
def where(tmp_path):
    return example(tmp_path)


def test_tracks_have_the_values_of_the_library(where):
    assert rekordbox.can_read(where)
    catalogue = rekordbox.read(where)
    tracks = {track["track_id"]: track for track in catalogue.table.to_pylist()}
    assert len(tracks) == 5
    bus = tracks[BUS]
    assert (bus["path"], bus["title"], bus["album"]) == (BUS, "Night Bus", "City & Late")
    assert bus["artists"] == ["Mira Vale", "Dr. Oak"]  # each is an artist elsewhere
    assert bus["genres"] == ["Deep House", "Pop"]
    assert (bus["duration_ms"], bus["tempo_bpm"], bus["key"], bus["mode"]) == (201_000, 122.5, 9, 0)
    assert (bus["energy"], bus["feature_set"]) == (np.float32(0.6), "comment")
    sun = tracks["C:/Music/Sun.flac"]
    assert [sun[name] for name in ("tempo_bpm", "duration_ms", "key", "energy", "feature_set")] == [None] * 5
    assert (tracks[MOON]["tempo_bpm"], tracks[MOON]["key"], tracks[MOON]["mode"]) == (90.25, 0, 0)
    rain = tracks["4uLU6hMCjMI75M1A2tKUQC"]
    assert (rain["path"], rain["key"]) == (None, None)
    assert {track["title"] for track in tracks.values()} >= {"Nowhere"}
    assert catalogue.notes[0] == f"{where}: 6 tracks (rekordbox XML)"
    assert any("1 rows joined to a track of the same id" in note for note in catalogue.notes)
    assert any("1 x a key that is no key's name" in note for note in catalogue.notes)
    assert any("energy of 1 tracks from their comments" in note for note in catalogue.notes)


@pytest.mark.parametrize("spelling", ["Am", "8A", "1m", "A minor", "08A", "Amin"])
def test_tonality_is_read_in_every_spelling(where, spelling):
    assert parse_key(spelling) == (9, 0)
    where.write_text(LIBRARY.replace('Tonality="Am"', f'Tonality="{spelling}"'))
    bus = next(t for t in rekordbox.read(where).table.to_pylist() if t["track_id"] == BUS)
    assert (bus["key"], bus["mode"]) == (9, 0)


def test_playlists_keep_their_order_folders_and_unmatched_entries(where):
    found = rekordbox.playlists(where)
    assert [listed.full_name for listed in found] == [
        "Peak / time / Late / Friday",
        "Peak / time / friday",
        "Empty",
        "Streamed",
    ]
    friday = found[0]
    assert friday.ids == [MOON, BUS, "TrackID 99", MOON]
    assert friday.unmatched == (2,)
    assert friday.tracks.tempos.tolist()[:2] == [90.25, 122.5]
    assert np.isnan(friday.tracks.tempos[2])
    assert friday.match(friday.tracks).tolist() == [0, 1, -1, 0]
    assert found[1].ids == ["C:/Music/Sun.flac", "/Users/me/gone.mp3"]
    assert found[1].unmatched == (1,)
    assert found[2].ids == []
    assert found[3].ids[0] == "4uLU6hMCjMI75M1A2tKUQC"
    assert found[3].unmatched == ()


def test_a_playlist_is_found_by_its_name_and_the_error_lists_the_names(where):
    assert playlist_files.read(where, "Streamed").names == ["Rain Solo", "Nowhere Solo"]
    assert playlist_files.read(where, "Friday").ids[0] == MOON
    assert playlist_files.read(where, " peak / time / friday ").ids == ["C:/Music/Sun.flac", "/Users/me/gone.mp3"]
    for name, sentence in [
        (
            None,
            "has 3 playlists; choose one with --playlist: 'Peak / time / Late / Friday', 'Peak / time / friday', 'S",
        ),
        ("FRIDAY", "has 2 playlists called 'FRIDAY': 'Peak / time / Late / Friday', 'Peak / time / friday'"),
        ("Empty", "the playlist 'Empty' is empty"),
        ("Saturday", "has no playlist 'Saturday'; it has 'Peak / time / Late / Friday', "),
    ]:
        with pytest.raises(DataError, match=sentence):
            playlist_files.read(where, name)


def test_a_library_without_playlists_is_one_playlist_of_its_tracks(where):
    where.write_text(LIBRARY.split("<PLAYLISTS>")[0] + "</DJ_PLAYLISTS>")
    assert rekordbox.playlists(where) == []
    assert len(playlist_files.read(where).ids) == 5
    with pytest.raises(DataError, match="has no playlist 'Friday'"):
        playlist_files.read(where, "Friday")


@pytest.mark.parametrize(
    ("comment", "energy"),
    [
        ("8A - Energy 6", 0.6),
        ("Energy 10", 1.0),
        ("energy: 3", 0.3),
        ("Am / 124 / Energy Level 7 / great", 0.7),
        ("8A - 6", None),
        ("Energy 52", None),
        ("Energy 0", None),
        ("Energy 11", None),
        ("high energy 90s anthem", None),
        ("renewable energy 5", None),
        ("", None),
        (None, None),
    ],
)
def test_energy_is_read_only_from_clear_comments(comment, energy):
    assert entries.energy(comment) == energy


BOMB = """<?xml version="1.0"?>
<!DOCTYPE lolz [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>
<DJ_PLAYLISTS><COLLECTION><TRACK Name="&b;" Location="file://localhost/a.mp3"/></COLLECTION></DJ_PLAYLISTS>"""
OUTSIDE = """<?xml version="1.0"?><!DOCTYPE DJ_PLAYLISTS SYSTEM "file:///etc/passwd"><DJ_PLAYLISTS/>"""
ENTITY = '<!DOCTYPE DJ_PLAYLISTS [<!ENTITY x SYSTEM "file:///etc/passwd">]><DJ_PLAYLISTS>&x;</DJ_PLAYLISTS>'
DEEP = "<DJ_PLAYLISTS><PLAYLISTS>" + "<NODE Type='0' Name='x'>" * 5000


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (BOMB.encode(), "line 2: declares a document type or entities"),
        (OUTSIDE.encode(), "line 1: declares a document type or entities"),
        (ENTITY.encode(), "line 1: declares a document type or entities"),
        (DEEP.encode(), "nests elements more than 200 deep"),
        (LIBRARY.encode()[:900], "the XML ends too soon: the file is cut off"),
        (LIBRARY.encode()[:-20], "the XML ends too soon: the file is cut off"),
        (b"<DJ_PLAYLISTS ", "the XML ends too soon: the file is cut off"),
        (b"", "is empty"),
        (b"\x89PNG\r\n\x1a\n" * 30, "is not readable XML"),
        (LIBRARY.replace("UTF-8", "klingon").encode(), "save it as UTF-8"),
        (b"<NML></NML>", "is XML, but not of rekordbox: it begins with <NML>"),
        (b"<html><body/></html>", "is XML, but not of rekordbox: it begins with <html>"),
        (b"<DJ_PLAYLISTS><COLLECTION/></DJ_PLAYLISTS>", "holds no tracks"),
        (b"<DJ_PLAYLISTS><COLLECTION><TRACK/></COLLECTION></DJ_PLAYLISTS>", "has no row with a track id"),
        (LIBRARY.replace("</COLLECTION>", "</COLLECTIONS>").encode(), "is not readable XML (mismatched tag)"),
    ],
)
def test_an_unreadable_library_gives_one_sentence(content, sentence, tmp_path):
    where = tmp_path / "library.xml"
    where.write_bytes(content)
    with pytest.raises(DataError) as error:
        rekordbox.read(where)
    assert str(error.value).startswith(str(where))
    assert "\n" not in str(error.value)
    assert sentence.replace("(.*;", "(not well-formed (invalid token);") in str(error.value)


def test_encodings_that_the_file_declares_are_read(tmp_path):
    where = tmp_path / "library.xml"
    for encoding in ("utf-8-sig", "utf-16", "iso-8859-1", "windows-1252"):
        named = {"utf-8-sig": "UTF-8", "utf-16": "UTF-16"}.get(encoding, encoding)
        where.write_bytes(LIBRARY.replace("UTF-8", named).replace("Night Bus", "Näht").encode(encoding))
        assert rekordbox.can_read(where), encoding
        assert "Näht" in rekordbox.read(where).table["title"].to_pylist()


def test_a_missing_file_and_a_folder_give_errors(tmp_path):
    for name in ("absent.xml", "a\0b.xml"):
        assert not rekordbox.can_read(tmp_path / name)
        with pytest.raises(NotFoundError, match="there is no such file"):
            rekordbox.read(tmp_path / name)
    assert not rekordbox.can_read(tmp_path)
    with pytest.raises(DataError, match="cannot be read"):
        rekordbox.read(tmp_path)


@pytest.mark.parametrize(
    "content", ["", "<DJ", "{}", "a,b\n1,2\n", "PAR1", "<plist/>", "<?xml version='1.0'?><NML/>", "x <DJ_PLAYLISTS>"]
)
def test_other_files_are_not_recognised(content, tmp_path):
    (tmp_path / "a.xml").write_text(content)
    assert not rekordbox.can_read(tmp_path / "a.xml")


def test_hostile_text_is_read_unchanged(tmp_path):
    odd = "<b>&amp;\"'\n\t../../\u202e夜 \U0001f3a7" + "x" * 400
    track = (
        f"<TRACK TrackID='1' Name={quoteattr(odd)} Artist={quoteattr(odd)} Location='file://localhost/..%2f%00a'/>"
    )
    (tmp_path / "a.xml").write_text(
        f"<DJ_PLAYLISTS><COLLECTION>{track}</COLLECTION></DJ_PLAYLISTS>", encoding="utf-8"
    )
    read = rekordbox.read(tmp_path / "a.xml").table.to_pylist()[0]
    assert (read["title"], read["artists"]) == (odd, [odd])
    assert read["path"] == "/../\0a"


@pytest.mark.process
def test_an_xml_bomb_takes_no_memory(tmp_path):
    entities = "".join(f'<!ENTITY e{i} "{f"&e{i - 1};" * 20 if i else "x" * 100}">' for i in range(12))
    where = tmp_path / "bomb.xml"
    where.write_text(f"<!DOCTYPE a [{entities}]><DJ_PLAYLISTS>&e11;</DJ_PLAYLISTS>")
    code = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30));"
        "from pathlib import Path; from disco.sources.dj import rekordbox; from disco.errors import DataError\n"
        "try: rekordbox.read(Path(sys.argv[1]))\nexcept DataError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code, where], capture_output=True, text=True, check=True)
    assert "declares a document type or entities" in done.stdout


@pytest.mark.slow
def test_a_tag_without_an_end_is_refused_after_16_mb(tmp_path):
    where = tmp_path / "library.xml"
    where.write_bytes(b"<DJ_PLAYLISTS><COLLECTION><TRACK Name='" + b"x" * (20 << 20))
    with pytest.raises(DataError, match="line 1: holds a tag of more than 16 MB"):
        rekordbox.read(where)
