"""Tracks that were played are left out of new playlists, of what comes next, and of orders."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

import disco
from disco.catalogue import Catalogue
from disco.errors import DiscoError
from disco.playlist.played import parse_since, played_rows
from disco.sources import play_log
from disco.sources.plays import Play, PlayedSet
from disco.sources.tracklist import Entry

NOW = datetime.now().replace(microsecond=0)


def play(track_id: str, days_ago: int | None) -> Play:
    return Play(Entry(title=track_id, artist="Solo"), None if days_ago is None else NOW - timedelta(days=days_ago))


@pytest.fixture
def tracks() -> Catalogue:
    return Catalogue.from_tracks(
        {
            "track_id": name,
            "title": name,
            "artists": ["Solo" if name in "abc" else f"Artist {name}"],
            "key": 9,
            "mode": 0,
            "tempo_bpm": 120 + number,
        }
        for number, name in enumerate("abcdefgh")
    )


@pytest.fixture
def log(tmp_path, monkeypatch):
    monkeypatch.setenv("DISCO_DATA", str(tmp_path / "data"))
    play_log.add(
        [PlayedSet("one", [play("a", 10), play("b", 100)]), PlayedSet("two", [play("c", None), play("a", 90)])]
    )


def left_out(tracks: Catalogue, **wished: object) -> list[str]:
    return tracks.ids(played_rows(tracks, **wished)[0])


def test_unplayed_leaves_out_whatever_was_ever_played(tracks, log):
    assert left_out(tracks, unplayed=True) == ["a", "b", "c"]
    assert left_out(tracks, unplayed=True, not_played_since="30d") == ["a", "b", "c"]
    assert left_out(tracks) == []


def test_what_was_played_before_a_span_may_be_played_again(tracks, log):
    assert left_out(tracks, not_played_since="30d") == ["a", "c"]
    assert left_out(tracks, not_played_since="1y") == ["a", "b", "c"]
    assert left_out(tracks, not_played_since=NOW.date() - timedelta(days=9)) == ["c"]
    assert left_out(tracks, not_played_since=NOW.date() - timedelta(days=10)) == ["a", "c"]
    _, notes = played_rows(tracks, not_played_since="2020-01-01")
    assert len(notes) == 1
    assert "you have played since 2020-01-01, or at an unknown time (1 of them)" in notes[0]


def test_new_playlists_and_what_comes_next_leave_played_tracks_out(tracks, log):
    options = {"recommender": "content", "artist_gap": 0, "max_per_artist": 0}
    made = disco.make(tracks, ["d"], length=4, unplayed=True, **options)
    assert not {"a", "b", "c"} & set(made.tracks.column("track_id").to_pylist())
    assert made.notes[0].startswith("3 tracks of ")
    found = disco.next_tracks(tracks, "d", n=7, not_played_since="30d", recommender="content")
    assert not {"a", "c"} & set(found.tracks.column("track_id").to_pylist())
    assert "b" in found.tracks.column("track_id").to_pylist()


def test_an_order_names_what_it_leaves_out(tracks, log):
    ordered = disco.reorder(tracks, list("abcdefg"), not_played_since="30d")
    assert sorted(ordered.tracks.column("track_id").to_pylist()) == list("bdefg")
    assert "left out, since you have played them: a by Solo; c by Solo" in ordered.notes


def test_a_seed_may_be_a_track_that_was_played(tracks, log):
    made = disco.make(tracks, ["a"], length=2, unplayed=True, recommender="content", artist_gap=0)
    assert made.tracks.column("track_id")[0].as_py() == "a"


def test_without_a_history_and_with_nothing_left_one_sentence_says_so(tracks, tmp_path, monkeypatch, log):
    with pytest.raises(DiscoError, match="you have played all 3 tracks"):
        disco.make(tracks.take([0, 1, 2]), ["a"], unplayed=True)
    monkeypatch.setenv("DISCO_DATA", str(tmp_path / "none"))
    with pytest.raises(DiscoError, match="run disco learn with your histories first"):
        disco.make(tracks, ["a"], unplayed=True)


@pytest.mark.parametrize("span", ["", "soon", "30", "30x", "-3d", "2026-13-01", "99999y", "30 days"])
def test_what_is_no_span_of_time_is_refused(span):
    with pytest.raises(DiscoError, match="write 30d, 4w, 6m or 1y, or a date as 2026-01-31"):
        parse_since(span)


@given(st.integers(0, 3000), st.dates(date(2000, 1, 1), date(2100, 1, 1)))
def test_spans_are_counted_back_from_today(days, today):
    assert (today - parse_since(f"{days}d", today)).days == days
    assert parse_since(f"{days // 7}w", today) == parse_since(f"{days // 7 * 7}D ", today)
    assert parse_since(today.isoformat()) == today
