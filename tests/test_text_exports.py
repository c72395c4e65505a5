"""Playlists that DJ programs export as text, in every encoding and language, by tabs and at fixed places."""

from __future__ import annotations

from pathlib import Path

import pytest

from disco import sources
from disco.sources import playlist_files
from disco.sources.dj import text_exports

HEAD = "#\tArtwork\tTrack Title\tArtist\tAlbum\tGenre\tBPM\tRating\tTime\tKey\tDate Added"
ROWS = [
    "1\t\tNite Bus\tAna Vex\tLP\tHouse\t124.00\t****\t04:03\t8A\t2024-01-02",
    "2\t\tTide\tCorro\tLP\tHouse\t126,50\t\t04:03\tEm\t2024-01-02",
    "3\t\tNite Bus\tAna Vex\tLP\tHouse\t124.00\t\t04:03\t8A\t2024-01-02",
]


def example(folder: Path) -> Path:
    """A playlist of rekordbox for the contract of sources."""
    where = folder / "Friday.txt"
    where.write_bytes("\r\n".join([HEAD, *ROWS]).encode("utf-16"))
    return where


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8", "utf-8-sig", "cp1252"])
@pytest.mark.parametrize("ends", ["\r\n", "\n", "\r"])
def test_a_playlist_of_rekordbox_is_read_in_its_order_with_keys_and_tempos(encoding, ends, tmp_path):
    where = tmp_path / "Friday.txt"
    where.write_bytes(ends.join([HEAD, *ROWS]).replace("Tide", "Tidé").encode(encoding))
    assert sources.source_of(where) is text_exports
    tracklist = playlist_files.read(where)
    assert (tracklist.name, tracklist.names) == ("Friday", ["Nite Bus Ana Vex", "Tidé Corro", "Nite Bus Ana Vex"])
    assert tracklist.tracks.table["tempo_bpm"].to_pylist() == [124, 126.5, 124]
    assert tracklist.tracks.table["key"].to_pylist() == [9, 4, 9]
    assert len(text_exports.read(where)) == 2


@pytest.mark.parametrize(
    "header",
    [
        "#\tArtwork\tTitel\tInterpret\tBPM\tTonart",
        "#\tArtwork\tTitre du morceau\tArtiste\tBPM\tTonalité",
        "#\tArtwork\tTítulo\tArtista\tBPM\tTonalidad",
        "#\tArtwork\tTitolo\tArtista\tBPM\tTonalità",
        "#\tArtwork\tトラックタイトル\tアーティスト\tBPM\tキー",
        "#\tArtwork\t标题\t艺人\tBPM\t调",
        "#\tArtwork\t제목\t아티스트\tBPM\t키",
        "Name\tComposer\tArtist\tBPM\tKey",
    ],
)
def test_names_of_columns_are_known_in_the_languages_of_rekordbox_and_in_itunes(header, tmp_path):
    where = tmp_path / "Friday.txt"
    cells = {"Artwork": "", "Composer": "", "#": "1"}
    values = iter(["Nite Bus", "Ana Vex", "124", "8A"])
    row = "\t".join(cells[name] if name in cells else next(values) for name in header.split("\t"))
    where.write_bytes(f"{header}\n{row}\n".encode("utf-16"))
    table = playlist_files.read(where).tracks.table.to_pylist()[0]
    assert (table["title"], table["artists"], table["tempo_bpm"], table["key"]) == ("Nite Bus", ["Ana Vex"], 124, 9)


def test_text_of_serato_stands_at_fixed_places(tmp_path):
    where = tmp_path / "Friday.txt"
    where.write_text(
        "name                artist          bpm      key\n"
        "------------------------------------------------\n"
        "Nite Bus            Ana Vex         124.00   Am\n"
        "Tide                Corro           126.00   Em\n"
    )
    assert playlist_files.read(where).names == ["Nite Bus Ana Vex", "Tide Corro"]


@pytest.mark.parametrize("text", ["Ana Vex - Nite Bus\nCorro - Tide\n", "title\nNite Bus\n", "A\tB\nC\tD\n", ""])
def test_a_list_of_one_track_a_line_is_no_export(text, tmp_path):
    where = tmp_path / "list.txt"
    where.write_text(text)
    assert not text_exports.can_read(where)
