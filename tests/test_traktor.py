"""Traktor NML: its numbers for keys, its paths, its playlists."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from disco.catalogue.music import camelot, key_name
from disco.errors import DataError
from disco.sources import playlist_files
from disco.sources.dj import traktor

LIBRARY = """<?xml version="1.0" encoding="UTF-8" standalone="no" ?>
<NML VERSION="19"><HEAD COMPANY="www.native-instruments.com" PROGRAM="Traktor"></HEAD>
<MUSICFOLDERS></MUSICFOLDERS>
<COLLECTION ENTRIES="4">
<ENTRY MODIFIED_DATE="2026/1/1" TITLE="Night Bus" ARTIST="Mira Vale">
<LOCATION DIR="/:Users/:me/:Music/:" FILE="Night // Bus.mp3" VOLUME="osx" VOLUMEID="osx"></LOCATION>
<ALBUM TRACK="1" TITLE="City, Late"></ALBUM>
<INFO BITRATE="320000" GENRE="House" COMMENT="10m - energy 4" KEY="10m"
 PLAYTIME="193" PLAYTIME_FLOAT="192.078369"></INFO>
<TEMPO BPM="139.999924" BPM_QUALITY="100.000000"></TEMPO>
<MUSICAL_KEY VALUE="12"></MUSICAL_KEY>
<CUE_V2 NAME="AutoGrid" TYPE="4" START="52.3" LEN="0.0" REPEATS="-1" HOTCUE="0"></CUE_V2>
</ENTRY>
<ENTRY TITLE="Sun" ARTIST="Solo"><LOCATION DIR="/:Music/:" FILE="Sun.flac" VOLUME="C:" VOLUMEID="1"></LOCATION>
<INFO KEY="10m" PLAYTIME="60"></INFO></ENTRY>
<ENTRY TITLE="Rain" ARTIST="Solo"><LOCATION DIR="/:Sets/:" FILE="rain.wav" VOLUME="SSD" VOLUMEID="SSD"></LOCATION>
<TEMPO BPM="90"></TEMPO><MUSICAL_KEY VALUE="24"></MUSICAL_KEY></ENTRY>
<ENTRY TITLE="Nowhere" ARTIST="Solo"></ENTRY>
</COLLECTION>
<SETS ENTRIES="0"></SETS>
<PLAYLISTS><NODE TYPE="FOLDER" NAME="$ROOT"><SUBNODES COUNT="3">
<NODE TYPE="PLAYLIST" NAME="_LOOPS"><PLAYLIST ENTRIES="0" TYPE="LIST" UUID="0"></PLAYLIST></NODE>
<NODE TYPE="SMARTLIST" NAME="Fast"><SMARTLIST UUID="3"><SEARCH_EXPRESSION VERSION="1" QUERY="x"/></SMARTLIST></NODE>
<NODE TYPE="FOLDER" NAME="Peak"><SUBNODES COUNT="1">
<NODE TYPE="PLAYLIST" NAME="Friday"><PLAYLIST ENTRIES="3" TYPE="LIST" UUID="1">
<ENTRY><PRIMARYKEY TYPE="TRACK" KEY="SSD/:Sets/:rain.wav"></PRIMARYKEY></ENTRY>
<ENTRY><PRIMARYKEY TYPE="TRACK" KEY="osx/:Users/:me/:Music/:Night // Bus.mp3"></PRIMARYKEY></ENTRY>
<ENTRY><PRIMARYKEY TYPE="TRACK" KEY="C:/:Music/:gone.mp3"></PRIMARYKEY></ENTRY>
</PLAYLIST></NODE>
</SUBNODES></NODE>
</SUBNODES></NODE></PLAYLISTS>
<INDEXING></INDEXING>
</NML>
"""
BUS = "/Users/me/Music/Night : Bus.mp3"


def example(folder: Path) -> Path:
    """A small library as Traktor writes it."""
    where = folder / "collection.nml"
    where.write_text(LIBRARY, encoding="utf-8")
    return where


@pytest.fixture
def where(tmp_path):
    return example(tmp_path)


def test_tracks_have_the_values_of_the_library(where):
    assert traktor.can_read(where)
    catalogue = traktor.read(where)
    bus, sun, rain, nowhere = catalogue.table.to_pylist()
    assert (bus["track_id"], bus["path"], bus["title"], bus["artists"]) == (BUS, BUS, "Night Bus", ["Mira Vale"])
    assert (bus["album"], bus["genres"], bus["duration_ms"]) == ("City, Late", ["House"], 192_078)
    assert bus["tempo_bpm"] == np.float32(139.999924)
    assert (bus["energy"], bus["feature_set"]) == (np.float32(0.4), "comment")
    assert sun["path"] == "C:/Music/Sun.flac"
    assert rain["path"] == "/Volumes/SSD/Sets/rain.wav"
    assert (rain["key"], rain["mode"]) == (None, None)
    assert nowhere["track_id"].startswith("n:")
    assert catalogue.notes[0] == f"{where}: 4 tracks (Traktor NML)"


def test_10m_is_read_as_open_key_notation_for_c_minor(where):
    bus, sun, *_ = traktor.read(where).table.to_pylist()
    for track in (bus, sun):  # by its number, and by its text alone
        assert (key_name(track["key"], track["mode"]), camelot(track["key"], track["mode"])) == ("C minor", "5A")


@pytest.mark.parametrize(
    ("value", "name"),
    [("0", "C major"), ("11", "B major"), ("12", "C minor"), ("21", "A minor"), ("23", "B minor")]
    + [(value, "C minor") for value in ("24", "-1", "x", "", "²", "9" * 5000)],  # what is no number of a key: by KEY
)
def test_a_musical_key_number_is_read_as_key_and_mode(where, value, name):
    where.write_text(LIBRARY.replace('<MUSICAL_KEY VALUE="12">', f'<MUSICAL_KEY VALUE="{value}">'))
    bus = traktor.read(where).table.to_pylist()[0]
    assert key_name(bus["key"], bus["mode"]) == name


def test_playlists_keep_their_order_folders_and_unmatched_entries(where):
    loops, friday = traktor.playlists(where)
    assert (loops.full_name, loops.ids) == ("_LOOPS", [])
    assert friday.full_name == "Peak / Friday"
    assert friday.ids == ["/Volumes/SSD/Sets/rain.wav", BUS, "C:/Music/gone.mp3"]
    assert friday.unmatched == (2,)
    assert friday.names[:2] == ["Rain Solo", "Night Bus Mira Vale"]
    assert friday.tracks.tempos[0] == 90
    assert playlist_files.read(where).name == "Friday"  # the only one with tracks
    assert playlist_files.read(where, "peak / friday").name == "Friday"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("<DJ_PLAYLISTS/>", "is XML, but not of Traktor: it begins with <DJ_PLAYLISTS>"),
        ("<NML><COLLECTION></COLLECTION></NML>", "holds no tracks"),
        ("<!DOCTYPE NML [<!ENTITY a 'b'>]><NML/>", "declares a document type or entities"),
        (LIBRARY[:1200], "the file is cut off"),
        ("", "is empty"),
    ],
)
def test_an_unreadable_library_gives_one_sentence(content, sentence, tmp_path):
    where = tmp_path / "collection.nml"
    where.write_text(content)
    for read in (traktor.read, traktor.playlists):
        if read is traktor.playlists and sentence == "holds no tracks":
            assert read(where) == []
            continue
        with pytest.raises(DataError, match=sentence) as error:
            read(where)
        assert "\n" not in str(error.value)


def test_xml_of_another_program_is_named_in_the_error(tmp_path):
    (tmp_path / "iTunes.xml").write_text('<?xml version="1.0"?><plist version="1.0"><dict/></plist>')
    with pytest.raises(
        DataError, match=r"is XML, but not a library of rekordbox or Traktor|is a property list of Apple"
    ):
        playlist_files.read(tmp_path / "iTunes.xml")
