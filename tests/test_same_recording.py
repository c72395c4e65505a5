"""The one matcher: by id, path, ISRC, the end of a path, and name; what is none of these is unmatched."""

from __future__ import annotations

import pyarrow as pa
import pytest
from helpers.catalogues import catalogue_of
from hypothesis import given, settings
from hypothesis import strategies as st

from disco.catalogue.same_recording import NEAR_MS, WAYS, Recordings, same_recording
from disco.catalogue.text import fold_isrcs, recording_titles, split_names

MUSIC = catalogue_of(
    [
        {"track_id": "bus", "title": "Nite Bus", "artists": ["Ana Vex"], "path": "/music/Ana Vex/Nite Bus.mp3"},
        {"track_id": "cold", "title": "Kälte", "artists": ["Ana Vex"], "path": "/music/Ana Vex/Kälte.mp3"},
        {"track_id": "tide2", "title": "Tide - Part 2", "artists": ["Corro"], "path": "/music/Corro/Tide 2.mp3"},
        {"track_id": "pure", "title": "100% Pure", "artists": ["Dot"], "path": "/music/Dot/100% Pure.mp3"},
        {"track_id": "salt", "title": "Salt", "artists": ["Dot", "Bo"], "path": "D:\\music\\Dot\\Salt.mp3"},
        {"track_id": "code", "title": "Code", "artists": ["Eel"], "isrc": "us-abc-12-34567", "duration_ms": 200_001},
        {"track_id": "one", "title": "Intro", "artists": ["One"], "path": "/music/A/CD1/01 Intro.mp3"},
        {"track_id": "two", "title": "Intro", "artists": ["Two"], "path": "/music/B/CD1/01 Intro.mp3"},
        {"track_id": "band", "title": "Fire", "artists": ["Earth, Wind & Fire", "Kenny G"]},
        {"track_id": "yes", "title": "Yes", "artists": ["!!!"]},
        {"track_id": "majors", "title": "Majors - 2001 Remaster", "artists": ["XTC"]},
        {"track_id": "hank", "title": "Cold", "artists": ["Hank"]},
    ]
)
RECORDINGS = Recordings(MUSIC)


def found(**given):
    """Id of the row that one track is matched with, None where it is unmatched."""
    row = RECORDINGS.find(**{name: [value] for name, value in given.items()})[0]
    return None if row < 0 else MUSIC.ids([row])[0]


@pytest.mark.parametrize(
    ("path", "track_id"),
    [
        ("/music/Ana Vex/Nite Bus.mp3", "bus"),
        ("/Music/ana vex/NITE BUS.MP3", "bus"),
        ("/music/Ana%20Vex/K%C3%A4lte.mp3", "cold"),
        ("/music/Ana Vex/Ka\u0308lte.mp3", "cold"),
        ("file://localhost/music/Ana%20Vex/Nite%20Bus.mp3", "bus"),
        ("/music/./Dot/../Ana Vex//Nite Bus.mp3", "bus"),
        ("/music/Dot/100%25%20Pure.mp3", "pure"),
        ("/music/Dot/100% Pure.mp3", "pure"),
        ("d:/Music/Dot/Salt.mp3", "salt"),
        ("/Volumes/USB/Ana Vex/Nite Bus.mp3", "bus"),
        ("E:\\usb\\Dot\\Salt.mp3", "salt"),
        ("/usb/B/CD1/01 Intro.mp3", "two"),
        ("/usb/CD1/01 Intro.mp3", None),
        ("/elsewhere/Nite Bus.mp3", None),
        ("Nite Bus.mp3", None),
        ("/music/XAna Vex/Nite Bus.mp3", None),
        ("", None),
        ("\x00", None),
        ("//server/share/Nite Bus.mp3", None),
    ],
)
def test_a_path_is_found_in_any_spelling_or_by_its_longest_end(path, track_id):
    assert found(paths=path) == track_id


def test_a_symbolic_link_leads_to_its_file(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.mp3").touch()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    music = catalogue_of([{"track_id": "a", "path": str(tmp_path / "real" / "a.mp3")}])
    assert Recordings(music).find(paths=[str(tmp_path / "link" / "a.mp3")]).tolist() == [0]


def test_relative_paths_begin_in_the_current_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    music = catalogue_of([{"track_id": "a", "path": "music/a.mp3"}])
    paths = ["music/a.mp3", str(tmp_path / "music" / "a.mp3"), str(tmp_path / "a.mp3")]
    assert Recordings(music).find(paths=paths).tolist() == [0, 0, -1]


def test_files_that_differ_in_case_alone_stay_apart():
    music = catalogue_of([{"track_id": "a", "path": "/m/x/Song.mp3"}, {"track_id": "b", "path": "/m/x/song.mp3"}])
    paths = ["/m/x/song.mp3", "/m/x/SONG.mp3"]
    assert Recordings(music).find(paths=paths).tolist() == [1, -1]


@pytest.mark.parametrize(
    ("contradiction", "track_id"),
    [({}, "bus"), ({"titles": "Nite Bus (Live)"}, None), ({"titles": "nite bus"}, "bus")],
)
def test_another_title_contradicts_the_end_of_a_path(contradiction, track_id):
    assert found(paths="/usb/Ana Vex/Nite Bus.mp3", **contradiction) == track_id


@pytest.mark.parametrize(
    ("title", "artist", "track_id"),
    [
        ("Nite Bus", "Ana Vex", "bus"),
        ("NITE BUS (feat. Bo)", "ana vex", "bus"),
        ("Nite Bus - 2011 Remaster", "Ana Vex", "bus"),
        ("Kalte", "Ana Vex & Bo", "cold"),
        ("Salt", "Dot", "salt"),
        ("Salt", "Dot, Bo", "salt"),
        ("Salt", "Bo", None),
        ("Fire", "Earth, Wind & Fire", "band"),
        ("Fire", "Earth, Wind & Fire, Kenny G", "band"),
        ("Yes", "!!!", "yes"),
        ("Nite Bus (Live)", "Ana Vex", None),
        ("Nite Bus (Kolo Remix)", "Ana Vex", None),
        ("Tide - Part 1", "Corro", None),
        ("Tide (Part 2)", "Corro", "tide2"),
        ("Majors - 2001 - Remaster", "XTC", "majors"),
        ("Cold", "Hank, Jr.", None),
        ("Salt (Extended Mix)", "Dot", None),
        ("Nite Bus", "Zorblax Quint", None),
        ("Nite Bus", None, None),
        (None, "Ana Vex", None),
        ("?!", "Ana Vex", None),
    ],
)
def test_a_name_matches_releases_of_a_recording_and_no_other_version_or_artist(title, artist, track_id):
    assert found(titles=title, artists=artist) == track_id


def test_a_credit_that_is_an_artist_of_the_catalogue_is_not_shortened():
    music = catalogue_of(
        [
            {"track_id": "a", "title": "Intro", "artists": ["Simon"]},
            {"track_id": "b", "title": "Mrs", "artists": ["Simon & Garfunkel"]},
        ]
    )
    found = Recordings(music).find(titles=["Intro", "Intro"], artists=["Simon & Garfunkel", "Simon & Bo"])
    assert found.tolist() == [-1, 0]


@pytest.mark.parametrize(
    ("isrc", "duration_ms", "track_id"),
    [
        (None, None, "code"),
        ("USABC1234567", None, "code"),
        ("usabc1234568", None, None),
        ("no isrc", 200_000, "code"),
        (None, 200_001 + NEAR_MS, "code"),
        (None, 200_002 + NEAR_MS, None),
        (None, 204_000, "code"),
        (None, 205_000, None),
    ],
)
def test_another_isrc_or_duration_contradicts_a_name(isrc, duration_ms, track_id):
    assert found(titles="Code", artists="Eel", isrcs=isrc, durations_ms=duration_ms) == track_id


def test_an_isrc_is_enough_whatever_the_title_and_duration():
    assert found(isrcs="US-ABC-1234567", titles="コード", artists="鰻", durations_ms=9) == "code"
    assert found(isrcs="US-ABC-12-3456", titles="コード") is None


def test_the_surest_way_wins_and_is_reported():
    matches = RECORDINGS.find_all(
        ids=["spotify:track:salt", "x", "x", "x", "x"],
        paths=["/music/Ana Vex/Nite Bus.mp3", "/music/Ana Vex/Nite Bus.mp3", None, "/usb/Dot/Salt.mp3", None],
        titles=["Code", "Code", "Code", None, "Intro"],
        artists=["Eel", "Eel", "Eel", None, "Two"],
    )
    assert MUSIC.ids(matches.rows) == ["salt", "bus", "code", "salt", "two"]
    assert [WAYS[way] for way in matches.ways] == ["id", "path", "name", "path end", "name"]
    assert matches.given.tolist() == [0, 1, 2, 3, 4]


def test_of_several_the_same_title_counts_then_duration_then_popularity_then_the_first():
    song = {"artists": ["A"], "title": "Song"}
    music = catalogue_of(
        [
            song | {"track_id": "feat", "title": "Song (feat. B)", "popularity": 99.0},
            song | {"track_id": "far", "duration_ms": 202_000, "popularity": 50.0},
            song | {"track_id": "near", "duration_ms": 200_100},
            song | {"track_id": "same", "duration_ms": 200_100},
            song | {"track_id": "unknown", "popularity": 98.0},
        ]
    )
    recordings = Recordings(music)
    given = {"titles": ["Song", "Song", "Song (feat. B)"], "artists": ["A"] * 3}
    assert music.ids(recordings.find(**given, durations_ms=[200_000, None, None])) == ["near", "unknown", "feat"]
    every = recordings.find_all(titles=["Song"], artists=["A"])
    assert music.ids(every.rows) == ["unknown", "far", "near", "same", "feat"]


def test_texts_that_part_artist_and_title_by_a_dash():
    texts = ["Corro - Tide - Part 2", "Nite Bus – Ana Vex", "Ana Vex Nite Bus", "Ana Vex - Other", ""]
    assert RECORDINGS.find_names(texts).tolist() == [2, 0, -1, -1, -1]
    assert split_names("no dash") == []


def test_hostile_and_missing_texts_are_unmatched():
    texts = ["\ud83d", "\n\t", None, "a" * 100_000, "../" * 1000]
    assert RECORDINGS.find(texts, texts, texts, texts, texts).tolist() == [-1] * 5
    assert len(RECORDINGS.find()) == 0
    assert len(RECORDINGS.find_names([])) == 0
    assert Recordings(catalogue_of([])).find(["a"], ["b"], ["c/d"], ["e"], ["f"]).tolist() == [-1]
    with pytest.raises(ValueError, match="differ in length: 1, 2"):
        RECORDINGS.find(["a"], titles=["b", "c"])


def test_isrcs_have_one_spelling_and_other_texts_are_none():
    texts = pa.array(["us-abc-12-34567", " USABC1234567", "USABC123456", "000000000000", "", None])
    assert fold_isrcs(texts).to_pylist() == ["USABC1234567", "USABC1234567", None, None, None, None]


def test_a_title_that_is_nothing_but_marks_is_no_name():
    assert recording_titles(pa.array(["", "?!", None, "Don't Stop"])).to_pylist() == [None, None, None, "dont stop"]


def plainly_the_same(a, b):
    """The rules of the module for two tracks without paths, written plainly."""
    if a["track_id"] == b["track_id"]:
        return True
    isrcs = [track["isrc"].replace("-", "").upper() if track["isrc"] else None for track in (a, b)]
    if None not in isrcs:
        return isrcs[0] == isrcs[1]
    names = [
        (track["title"].replace(" (feat. X)", "").lower(), track["artists"][0].lower())
        for track in (a, b)
        if track["title"] and track["artists"]
    ]
    lengths = [track["duration_ms"] for track in (a, b)]
    near = None in lengths or abs(lengths[0] - lengths[1]) <= NEAR_MS + 1000 * any(ms % 1000 == 0 for ms in lengths)
    return len(names) == 2 and names[0] == names[1] and near


tracks = st.fixed_dictionaries(
    {
        "track_id": st.sampled_from(["a", "b", "c"]),
        "title": st.sampled_from([None, "Song", "song (feat. X)", "Song (Live)"]),
        "artists": st.sampled_from([None, ["Ana"], ["ANA", "Bo"], ["Bo"]]),
        "isrc": st.sampled_from([None, "USABC1234567", "us-abc-12-34567", "USABC1234568"]),
        "duration_ms": st.sampled_from([None, 200_000, 200_001, 204_000, 203_001, 203_002, 204_001]),
    }
)


@pytest.mark.slow
@given(tracks, tracks)
def test_it_agrees_with_the_rules_written_plainly(a, b):
    assert same_recording(a, b) == same_recording(b, a) == plainly_the_same(a, b)


@pytest.mark.slow
@settings(max_examples=30)
@given(st.lists(tracks, max_size=6), st.lists(tracks, max_size=6))
def test_many_at_once_are_matched_as_each_alone(ours, theirs):
    given, among = catalogue_of(ours), catalogue_of(theirs)
    recordings = Recordings(among)
    rows = recordings.find_tracks(given).tolist()
    assert rows == [int(recordings.find_tracks(given.take([i]))[0]) for i in range(len(ours))]
    assert [row >= 0 for row in rows] == [any(plainly_the_same(a, b) for b in theirs) for a in ours]


@pytest.mark.parametrize(
    "other",
    [
        "Halo - 2009 Remaster - Extended Mix",
        "Halo - Remastered (Radio Edit)",
        "Halo - 2009 Remaster, Pt. 2",
        "Halo - Single Version II",
        "Halo - Original Mix - Live at Wembley",
        "Halo feat. Bo, Pt. 2",
        "Halo - Album Version - Kolo Remix",
    ],
)
def test_what_follows_a_remark_on_the_release_may_make_another_recording(other):
    song = {"track_id": "a", "title": "Halo - 2009 Remaster", "artists": ["Ana"]}
    assert not same_recording(song, {"title": other, "artists": ["Ana"]})
    assert same_recording({**song, "title": other}, {"title": other, "artists": ["Ana"]})
    for release in ("Halo", "Halo (feat. Bo)", "Halo - Original Mix", "Halo - Remastered 1999", "Halo feat. Bo"):
        assert same_recording(song, {"title": release, "artists": ["Ana"]})
