"""The catalogue: ids and rows, what is known and comparable, and several catalogues as one."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from helpers.catalogues import catalogue_of, random_catalogue
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from disco import sources
from disco.catalogue import FEATURES, SCHEMA, Catalogue, merge
from disco.catalogue.arrays import among, ascending, without
from disco.catalogue.deduplicate import deduplicate
from disco.cli.catalogue import main
from disco.errors import DataError, NotFoundError
from disco.sources.files import tables


def track(track_id: str, value: float | None = None, feature_set: str | None = "spotify", **more: object) -> dict:
    """A track whose eight features all have one value."""
    known = {} if value is None else {**dict.fromkeys(FEATURES, value), "feature_set": feature_set}
    return {"track_id": track_id, **known, **more}


def get(catalogue: Catalogue, name: str) -> list[object]:
    return catalogue.table[name].to_pylist()


@pytest.mark.parametrize("n", [1, 5, 20, 21, 200])
def test_ids_and_rows_are_inverse_in_any_order(n):
    catalogue = random_catalogue(200)
    rows = np.random.default_rng(n).permutation(200)[:n]
    assert catalogue.rows(catalogue.ids(rows)).tolist() == rows.tolist()
    assert catalogue.rows(catalogue.ids(rows)).dtype == np.intp


def test_no_ids_give_no_rows_and_a_repeated_id_gives_its_row_twice():
    catalogue = random_catalogue(30)
    assert catalogue.rows([]).tolist() == []
    assert catalogue.rows(["t00004", "t00004"]).tolist() == [4, 4]


@pytest.mark.parametrize("others", [0, 40])
def test_the_first_unknown_id_is_named_with_the_catalogue(others):
    catalogue = random_catalogue(50)
    with pytest.raises(NotFoundError, match="'absent' in a test"):
        catalogue.rows([*catalogue.ids(np.arange(others)), "absent", "also absent"])


def test_rows_are_taken_in_the_order_asked_for():
    catalogue = random_catalogue(30)
    assert get(catalogue.take(np.array([7, 2, 7])), "track_id") == ["t00007", "t00002", "t00007"]
    assert catalogue.tracks(np.array([3, 1]))[0]["title"] == "Title 3"


def test_unknown_numbers_are_nan_and_never_zero():
    catalogue = catalogue_of(
        [track("a", tempo_bpm=None, key=None, mode=1), track("b", 0.5, tempo_bpm=120, key=0, mode=1)]
    )
    for column in (catalogue.tempos, catalogue.circle_positions, catalogue.numbers("popularity")[:1]):
        assert np.isnan(column[0])
        assert column.dtype == np.float32
    assert catalogue.circle_positions[1] == 0
    assert np.isnan(catalogue.features()[0]).all()
    assert (catalogue.features()[1] == 0.5).all()


def test_features_come_in_the_order_of_their_names():
    values = dict(zip(FEATURES, np.arange(8) / 10, strict=True))
    catalogue = catalogue_of([{"track_id": "a", **values}])
    assert catalogue.features()[0] == pytest.approx(np.arange(8) / 10)


def test_masks_of_features_and_names_need_all_of_them():
    whole = track("a", 0.5, title="A", artists=["P"])
    tracks = [whole, *({**whole, "track_id": name, name: None} for name in (*FEATURES, "title", "artists"))]
    catalogue = catalogue_of(tracks)
    assert catalogue.has_comparable_features.tolist() == [True, *[False] * 8, True, True]
    assert catalogue.has_title_and_artist.tolist() == [True, *[True] * 8, False, False]


def test_features_of_the_minority_set_are_not_compared():
    tracks = [track("a", 0.1), track("b", 0.2, "audio-1"), track("c", 0.3), track("d")]
    catalogue = catalogue_of(tracks)
    assert catalogue.feature_set == "spotify"
    assert catalogue.has_comparable_features.tolist() == [True, False, True, False]
    assert np.isnan(catalogue.features()).all(axis=1).tolist() == [False, True, False, True]
    assert catalogue.features()[2] == pytest.approx(np.full(8, 0.3))


def test_incomplete_measurements_do_not_make_a_set_the_majority():
    half = [{"track_id": f"h{i}", "energy": 0.5, "feature_set": "audio-1"} for i in range(3)]
    catalogue = catalogue_of([track("a", 0.1), *half])
    assert catalogue.feature_set == "spotify"
    assert catalogue.has_comparable_features.tolist() == [True, False, False, False]


def test_of_sets_of_equal_size_the_same_one_counts_every_time():
    tracks = [track("a", 0.1, "spotify"), track("b", 0.2, "audio-1")]
    assert catalogue_of(tracks).feature_set == catalogue_of(tracks[::-1]).feature_set == "audio-1"


def test_a_catalogue_without_features_has_no_feature_set():
    catalogue = catalogue_of([track("a")])
    assert catalogue.feature_set == "unknown"
    assert not catalogue.has_comparable_features.any()


def test_merging_keeps_the_first_known_values_and_fills_gaps():
    first = catalogue_of([track("a", 0.1, title="First", genres=["house"]), track("b", title=None)])
    second = catalogue_of(
        [
            track("b", 0.2, title="B", genres=["pop"]),
            track("a", 0.9, title="Second", album="Album", genres=["house", "pop"]),
            track("c"),
        ]
    )
    both = merge([first, second])
    assert get(both, "track_id") == ["a", "b", "c"]
    assert get(both, "title") == ["First", "B", None]
    assert get(both, "album") == ["Album", None, None]
    assert get(both, "genres") == [["house", "pop"], ["pop"], None]
    assert get(both, "energy") == pytest.approx([np.float32(0.1), np.float32(0.2), None])
    assert both.where == "a test + a test"
    assert "2 catalogues merged: 3 tracks, 2 of them known to several" in both.notes


def test_merged_features_come_from_one_measurement():
    incomplete = {"track_id": "a", "energy": 0.1, "feature_set": "audio-1", "key": 3, "tempo_bpm": 90.0}
    both = merge([catalogue_of([incomplete]), catalogue_of([track("a", 0.7, key=5, mode=0, tempo_bpm=120.0)])])
    assert both.features()[0] == pytest.approx(np.full(8, 0.7))
    assert (get(both, "feature_set"), get(both, "key"), get(both, "mode")) == (["spotify"], [5], [0])
    assert get(both, "tempo_bpm") == [90.0]


def test_one_catalogue_is_not_merged_and_notes_are_kept(tmp_path):
    alone = random_catalogue(3)
    assert merge([alone]) is alone
    (tmp_path / "a.csv").write_text("track_id,title,tempo\na,A,0\n")
    (tmp_path / "b.csv").write_text("track_id,title,tempo\na,B,120\nb,B,5\n")
    both = sources.open([tmp_path / "a.csv", str(tmp_path / "b.csv")])
    assert get(both, "title") == ["A", "B"]
    assert get(both, "tempo_bpm") == [120.0, None]
    result = " | ".join(both.notes)
    for part in (
        "a.csv: 1 rows, 1 tracks",
        "1 x tempo_bpm 0",
        "b.csv: 2 rows, 2 tracks",
        "1 of them known to several",
    ):
        assert part in result


def test_an_unreadable_file_among_several_is_named(tmp_path):
    (tmp_path / "good.csv").write_text("track_id,title\na,A\n")
    (tmp_path / "bad.csv").write_text("prose\n")
    with pytest.raises(DataError, match=r"bad\.csv"):
        sources.open([tmp_path / "good.csv", tmp_path / "bad.csv"])


def test_gaps_are_filled_from_another_catalogue_without_adding_tracks():
    gaps = catalogue_of([track("a", title="A"), track("b", 0.3)])
    filled = gaps.fill(catalogue_of([track("b", 0.9, title="B"), track("a", 0.5, title="X"), track("c", 0.5)]))
    assert get(filled, "track_id") == ["a", "b"]
    assert get(filled, "title") == ["A", "B"]
    assert get(filled, "energy") == pytest.approx([np.float32(0.5), np.float32(0.3)])


genre_lists = st.none() | st.lists(st.sampled_from(["a", "b", "c", ""]), max_size=3)


@given(
    st.lists(st.tuples(st.sampled_from("xyz"), genre_lists, st.none() | st.integers(0, 9)), min_size=1, max_size=12)
)
def test_deduplicate_agrees_with_a_plain_loop(rows):
    table = pa.Table.from_pylist(
        [{"track_id": name, "genres": genres, "duration_ms": ms} for name, genres, ms in rows], SCHEMA
    )
    expected: dict[str, dict] = {}
    for name, genres, ms in rows:
        known = expected.setdefault(name, {"genres": [], "duration_ms": ms})
        known["genres"] = list(dict.fromkeys([*known["genres"], *(genres or [])]))
        known["duration_ms"] = ms if known["duration_ms"] is None else known["duration_ms"]
    joined = deduplicate(table)
    assert joined.schema == SCHEMA
    assert joined["track_id"].to_pylist() == list(expected)
    assert joined["duration_ms"].to_pylist() == [known["duration_ms"] for known in expected.values()]
    if len(expected) < len(rows):
        assert joined["genres"].to_pylist() == [known["genres"] or None for known in expected.values()]


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        (("Halo", "Béyonnë"), ("HALO - Remastered 2011", "beyonne"), True),
        (("Halo (feat. X)", "B"), ("Halo [Live]", "B"), True),
        (("Halo", "B"), ("Halo", "C"), False),
        (("Halo", "B"), ("Halo 2", "B"), False),
        (("1999", "P"), ("1999 - 2019 Remaster", "P"), True),
        (("Paranoid", "S"), ("Paranoid - 2012 - Remaster", "S"), True),
        (("Paranoid", "S"), ("Paranoid (2009 - Remaster)", "S"), True),
        (("(Live)", "B"), ("Live", "B"), True),
        (("夜", "B"), ("朝", "B"), False),
    ],
)
def test_versions_of_a_song_share_its_key(a, b, same):
    catalogue = catalogue_of([{"track_id": t, "title": t, "artists": [artist]} for t, artist in (a, b)])
    assert (catalogue.song_key(0) == catalogue.song_key(1)) == same
    assert catalogue.song_key(0)


def test_an_untitled_track_has_no_song_key():
    catalogue = catalogue_of([track("a"), track("b", title="B")])
    assert catalogue.song_key(0) == ""
    assert catalogue.song_key(1) != ""
    assert catalogue.artists(0) == []


@pytest.fixture
def two_tables(tmp_path):
    tracks = [
        track("a", 0.5, title="A", artists=["P"], genres=["house"], tempo_bpm=120.0),
        track("b", title="B\x1b[2J"),
    ]
    pq.write_table(catalogue_of(tracks).table, tmp_path / "own.parquet")
    (tmp_path / "more.csv").write_text("track_id,track_name,genre\nc,C,house\nb,B,pop\n")
    return [str(tmp_path / "own.parquet"), str(tmp_path / "more.csv")]


def test_info_counts_tracks_what_is_covered_and_from_where(two_tables, capsys):
    assert main(["info", *two_tables, "--json"]) == 0
    out, result = capsys.readouterr()
    facts = json.loads(out)
    assert result == ""
    assert facts["tracks"] == 3
    assert facts["eight_features"] == 1
    assert (facts["covered"]["title"], facts["covered"]["tempo_bpm"], facts["covered"]["isrc"]) == (3, 1, 0)
    assert facts["feature_sets"] == {"spotify": 1}
    assert facts["genres"] == {"house": 2, "pop": 1}
    assert two_tables[0] in facts["where"]
    assert two_tables[1] in facts["where"]


def test_info_for_people_says_the_same_and_no_control_characters(two_tables, capsys):
    assert main(["info", *two_tables]) == 0
    out = capsys.readouterr().out
    for part in ("3 tracks", "2 catalogues merged", "33.3%", "house (2)", "spotify (1)", *two_tables):
        assert part in out
    assert "\x1b" not in out


def test_info_of_a_file_that_is_not_there_is_one_line_and_exit_1(capsys):
    assert main(["info", "absent.csv"]) == 1
    assert capsys.readouterr() == ("", "disco: absent.csv: there is no such file\n")


def test_info_without_a_file_is_about_the_demo_and_counts_real_samples(capsys, shared):
    assert main(["info", "--json"]) == 0
    assert "invented" in json.loads(capsys.readouterr().out)["where"]
    sample = shared / "samples" / "tidytuesday_sample.csv"
    assert main(["info", str(sample), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["tracks"] == len(tables.read(sample))


def test_a_key_without_a_mode_survives_merging():
    one = {"track_id": "a", "key": 5}
    merged = merge([catalogue_of([one]), catalogue_of([{"track_id": "a", "tempo_bpm": 120.0}])])
    assert merged.table.to_pylist()[0]["key"] == 5
    both = merge([catalogue_of([one]), catalogue_of([{"track_id": "a", "key": 7, "mode": 1}])])
    assert (both.table.to_pylist()[0]["key"], both.table.to_pylist()[0]["mode"]) == (7, 1)


def test_what_is_reported_of_a_key_goes_with_it():
    rows = [
        {"track_id": "a", "tempo_bpm": 120.0, "tempo_origin": "sound", "tempo_confidence": 0.5},
        {"track_id": "a", "key": 9, "mode": 0, "key_origin": "tag", "tempo_bpm": 121.0, "tempo_origin": "tag"},
        {"track_id": "a", "key": 0, "mode": 1, "key_origin": "sound", "key_confidence": 0.9},
    ]
    (track,) = deduplicate(pa.Table.from_pylist([dict.fromkeys(SCHEMA.names) | r for r in rows], SCHEMA)).to_pylist()
    assert (track["key"], track["mode"], track["key_origin"], track["key_confidence"]) == (9, 0, "tag", None)
    assert (track["tempo_bpm"], track["tempo_origin"], track["tempo_confidence"]) == (120, "sound", 0.5)


@given(
    arrays(np.int64, st.integers(0, 30), elements=st.integers(-5, 20)),
    arrays(np.int64, st.integers(0, 9), elements=st.integers(-5, 20)),
)
def test_sets_of_rows_are_those_of_numpy(numbers, others):
    assert ascending(numbers).tolist() == np.unique(numbers).tolist()
    assert among(numbers, others).tolist() == np.isin(numbers, others).tolist()
    assert without(numbers, others).tolist() == np.setdiff1d(numbers, others).tolist()


def test_taken_tracks_have_the_song_keys_and_artists_of_the_whole_catalogue():
    tracks = [{"track_id": "a", "title": "Halo - Live", "artists": ["Beyoncé", "X"]}, {"track_id": "b"}]
    whole = Catalogue.from_tracks([*tracks, {"track_id": "c", "title": "Tide"}])
    taken = whole.take(np.array([2, 0, 1]))
    assert [taken.song_key(i) for i in range(3)] == [whole.song_key(i) for i in (2, 0, 1)]
    assert [taken.artists(i) for i in range(3)] == [whole.artists(i) for i in (2, 0, 1)]
