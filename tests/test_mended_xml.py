"""XML as programs really write it: what XML does not allow is mended, reported, and nothing else is changed."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disco.errors import DataError
from disco.sources.dj import rekordbox, traktor, xml
from disco.sources.dj.xml_text import Mended, mended

LIBRARY = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<DJ_PLAYLISTS><COLLECTION>\n'
    '<TRACK TrackID="1" Name="{}" Artist="Ana Vex" AverageBpm="124.00" Tonality="8A"/>\n'
    '<TRACK TrackID="2" Name="Tide" Artist="Corro"/>\n'
    '</COLLECTION><PLAYLISTS><NODE Type="0" Name="ROOT"><NODE Name="P" Type="1" KeyType="0">'
    '<TRACK Key="1"/><TRACK Key="2"/></NODE></NODE></PLAYLISTS></DJ_PLAYLISTS>\n'
)


def titles(path: Path) -> list[str]:
    return rekordbox.read(path).table["title"].to_pylist()


@pytest.mark.parametrize(
    ("written", "title", "reported"),
    [
        ("Sa\x0blt", "Salt", "1 x a control character"),
        ("Sa\x00\x1flt", "Salt", "2 x a control character"),
        ("Salt\ufffe", "Salt", "1 x a control character"),
        ("Sa&#x1f;lt", "Salt", "1 x a reference to a character"),
        ("Sa&#11;lt&#0;", "Salt", "2 x a reference to a character"),
        ("Sa&#xD800;lt&#x110000;", "Salt", "2 x a reference to a character"),
        ("Salt & Sand", "Salt & Sand", "1 x a & that should be &amp;"),
        ("Salt&Sand;&", "Salt&Sand;&", "2 x a & that should be &amp;"),
        ("Caf&eacute; &nbsp;", "Café", "2 x a & that should be &amp;"),
        ("I <3 You", "I <3 You", "1 x a < that should be &lt;"),
        ("Love < Hate & Co", "Love < Hate & Co", "1 x a < that"),
    ],
)
def test_a_title_that_xml_cannot_hold_is_read_and_reported_with_its_line(written, title, reported, tmp_path):
    where = tmp_path / "library.xml"
    where.write_text(LIBRARY.format(written), encoding="utf-8")
    catalogue = rekordbox.read(where)
    assert [name.strip() for name in catalogue.table["title"].to_pylist()] == [title, "Tide"]
    assert any(reported in note and "first in line 3" in note for note in catalogue.notes)
    assert rekordbox.playlists(where)[0].names[1] == "Tide Corro"


def test_titles_in_another_encoding_than_the_file_names_are_a_guess_that_is_reported(tmp_path):
    where = tmp_path / "library.xml"
    where.write_bytes(LIBRARY.format("Näht’s").encode("cp1252"))
    catalogue = rekordbox.read(where)
    assert catalogue.table["title"][0].as_py() == "Näht’s"
    assert any("read as Windows-1252, first in line 3" in note for note in catalogue.notes)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "iso-8859-1", "cp1252", "shift_jis", "gbk"])
def test_every_usual_encoding_is_read(encoding, tmp_path):
    where = tmp_path / "library.xml"
    title = "夜の海" if encoding in ("shift_jis", "gbk", "utf-16") else "Näht"
    named = {"utf-8-sig": "utf-8", "cp1252": "windows-1252"}.get(encoding, encoding)
    where.write_bytes(LIBRARY.replace("UTF-8", named).format(title).encode(encoding))
    assert titles(where) == [title, "Tide"]
    assert len(rekordbox.read(where).notes) == 1


def test_a_library_of_utf_8_that_says_utf_16_is_read(tmp_path):
    where = tmp_path / "library.xml"
    where.write_text(LIBRARY.replace("UTF-8", "UTF-16").format("Näht"), encoding="utf-8")
    assert titles(where) == ["Näht", "Tide"]


def test_traktor_is_mended_alike(tmp_path):
    where = tmp_path / "collection.nml"
    where.write_text(
        '<?xml version="1.0"?><NML VERSION="19"><COLLECTION><ENTRY TITLE="A & \x01B" ARTIST="Dot">'
        '<LOCATION DIR="/:m/:" FILE="a.mp3" VOLUME="C:"/></ENTRY></COLLECTION></NML>',
        encoding="utf-8",
    )
    catalogue = traktor.read(where)
    assert catalogue.table["title"].to_pylist() == ["A & B"]
    assert len([note for note in catalogue.notes if "first in line 1" in note]) == 2


@given(st.text("ab&<;#x1f\x0bé\n ", max_size=80), st.integers(1, 9))
def test_pieces_of_any_size_are_mended_to_the_same_text(text, size):
    content, path = text.encode(), Path("a.xml")

    def whole(pieces: list[bytes]) -> bytes:
        return b"".join(mended(pieces, path, Mended()))

    assert whole([content[i : i + size] for i in range(0, len(content), size)]) == whole([content])


@given(st.text(max_size=60))
def test_any_value_makes_xml_that_can_be_parsed_and_allowed_text_stays(tmp_path_factory, text):
    value = "".join(
        character for character in text if character not in '"<\r\n\t' and not 0xD800 <= ord(character) < 0xE000
    )
    where = tmp_path_factory.mktemp("xml") / "a.xml"
    where.write_text(f'<a b="{value}"/>', encoding="utf-8")
    seen: list[str] = []
    xml.parse(where, lambda _, attributes: seen.append(attributes["b"]), lambda _: None)
    assert len(seen) == 1
    if "&" not in value and not any(ord(character) < 32 or character in "\ufffe\uffff" for character in value):
        assert seen == [value]


def test_entities_stay_refused(tmp_path):
    where = tmp_path / "library.xml"
    where.write_text('<!DOCTYPE plist [<!ENTITY a "b">]><plist>&a;</plist>', encoding="utf-8")
    with pytest.raises(DataError, match="document type or entities"):
        xml.parse(where, lambda *_: None, lambda _: None, document="plist")
