"""Numbers at the beginnings of files' names: those of tracks are left out, those of titles stay."""

import pytest
from helpers.catalogues import catalogue_of

from disco.catalogue.paths import file_title, numbered_folders, without_number
from disco.sources import playlist_files
from disco.sources.entries import named_after_file

TITLES = [
    *("7 Rings", "24K Magic", "99 Problems", "99 Luftballons", "50 Ways to Leave", "10,000 Reasons", "4 Minutes"),
    *("3.5 Seconds", "22", "2 + 2 = 5", "24-7", "20-20", "9.81", "8 (circle)", "100%", "1-800-273-8255", "505"),
    *("007", "1979"),
]
NUMBERED = {
    "01 - Intro": "Intro",
    "1-03 Song": "Song",
    "1-03 - Song": "Song",
    "22. Song": "Song",
    "22.Song": "Song",
    "7. Rings": "Rings",
    "01 Intro": "Intro",
    "01-intro": "intro",
    "03) Song": "Song",
    "07 - 99 Luftballons": "99 Luftballons",
    "01 7 Rings": "7 Rings",
    "12 - Song": "Song",
    "101 - Ana Vex - Song": "Ana Vex - Song",
}


@pytest.mark.parametrize("title", TITLES)
def test_a_number_of_a_title_stays(title):
    assert without_number(title) == file_title(f"/music/{title}.mp3") == title
    assert named_after_file(title) == ("", title)


@pytest.mark.parametrize(("name", "title"), NUMBERED.items())
def test_the_number_of_a_track_is_left_out(name, title):
    assert without_number(name) == file_title(f"/music/{name}.mp3") == title


def test_a_band_called_by_a_number_is_an_artist():
    assert named_after_file("311 - Amber") == ("311", "Amber")
    assert named_after_file("03. Ana Vex - 7 Rings") == ("Ana Vex", "7 Rings")
    assert named_after_file("02_Ana Vex - Tide") == ("Ana Vex", "Tide")


def test_a_number_alone_is_that_of_a_track_where_all_files_beside_it_have_one():
    album = [f"/album/{n} {title}.mp3" for n, title in enumerate(["Tide", "Salt", "99 Reeds", "Moss"], 1)]
    titles = [f"/music/{title}.mp3" for title in (*TITLES, *NUMBERED)]
    numbered = numbered_folders([*album, *titles])
    assert numbered == {"/album"}
    assert [file_title(path, numbered) for path in album] == ["Tide", "Salt", "99 Reeds", "Moss"]
    assert [file_title(path, numbered) for path in titles[: len(TITLES)]] == TITLES


@pytest.mark.parametrize(
    "names",
    [
        ["7 Rings", "24K Magic", "99 Problems", "50 Ways to Leave"],
        ["1 Tide", "2 Salt"],
        ["1 Tide", "1 Salt", "1 Reed"],
        ["1 Tide", "2 Salt", "3 Reed", "Moss"],
        ["4 Minutes", "7 Rings", "21 Guns"],
    ],
)
def test_numbers_are_those_of_titles_where_files_are_few_or_others_have_none_or_gaps_are_large(names):
    assert numbered_folders(f"C:\\music\\{name}.mp3" for name in names) == set()


def test_files_of_a_list_are_matched_by_their_titles(tmp_path):
    known = catalogue_of(
        [{"track_id": t, "title": t, "artists": ["Ana Vex"]} for t in ("99 Problems", "Tide", "Moss")]
    )
    lines = ["99 Problems - Ana Vex.mp3", "01 - Ana Vex - Tide.mp3", "album/1 Ana Vex - Moss.mp3"]
    lines += [f"album/{n} Bo - Reed.mp3" for n in (2, 3)]
    (tmp_path / "list.m3u8").write_text("\n".join(lines) + "\n")
    assert playlist_files.read(tmp_path / "list.m3u8").match(known).tolist() == [0, 1, 2, -1, -1]
