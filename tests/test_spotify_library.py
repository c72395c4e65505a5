"""A library read page by page: the whole of it, once, wherever it is cut off; and opened as a catalogue."""

from __future__ import annotations

import json
import random
import shutil
import sys
from pathlib import Path

import pytest
from helpers.catalogues import random_catalogue
from helpers.fake.library import USER, Entry
from helpers.spotify import Killed

from disco.errors import DataError, DiscoError, NotFoundError
from disco.sources.services import spotify as source
from disco.sources.services import spotify_values
from disco.sources.services.spotify import library, responses, tokens
from disco.sources.services.spotify.client import connect
from disco.sources.services.spotify.sync import Sync


def read(before=None):
    crawl = Sync(connect(), before)
    plan = crawl.plan()
    for _ in crawl.fetch(plan):
        pass
    return crawl.finish(plan)


def example(folder):
    """A library of five tracks: saved, top, and a playlist with one that is gone from Spotify left out."""
    tracks = random_catalogue(5)
    ids = tracks.table["track_id"].to_pylist()
    kept = library.StoredPlaylist("p" * 22, "<b>Mix", "s", 3, ids[2::-1])
    library.write(library.Library("me", 0.0, tracks, ids, 5, ids[:1], [kept], ("a note",)))
    return Path(shutil.move(library.library_dir(), folder / "library"))


def expected(fake):
    """What a person has, written down from the fake's own lists."""
    own = [one for one in fake.library.playlists if one.owner == USER or one.collaborative]
    lists = {
        one.id: [
            None if e.uri is None or ":episode:" in e.uri else e.uri if ":local:" in e.uri else e.id
            for e in one.entries
        ]
        for one in own
    }
    saved = [entry.id for entry in fake.library.saved]
    return saved, fake.library.top["medium_term"], lists


def check(made, fake):
    saved, top, lists = expected(fake)
    assert (made.saved, made.top) == (saved, top)
    assert {one.id: one.ids for one in made.playlists} == lists
    everything = {*saved, *top, *(one for ids in lists.values() for one in ids if one)}
    assert set(made.tracks.table["track_id"].to_pylist()) == everything


@pytest.mark.slow
@pytest.mark.parametrize("scenario", ["development-2026", "old-app", "extended"])
def test_all_is_read_once_and_no_other_peoples_lists(start, scenario):
    fake = start(scenario)
    check(read(), fake)
    assert (fake.twice(), fake.wasted()) == ({}, [])
    assert not [r for r in fake.log if "Theirs" in r.path]
    assert not (library.spotify_dir() / "reading").exists()


@pytest.mark.slow
def test_what_an_entry_holds_is_called_item_or_track(start):
    fake = start(alias=True)  # both names at once
    check(read(), fake)
    there = {
        "type": "track",
        "id": "a" * 22,
        "name": "N",
        "artists": [{"name": "A"}, {}],
        "external_ids": {"isrc": "X1"},
    }
    row = {"track_id": "a" * 22, "title": "N", "artists": ["A"], "isrc": "X1"}
    for result in (
        {"item": there},
        {"track": there},
        {"item": None, "track": there},
        {"item": there, "track": True},
        there,
    ):
        kept = responses.entry(result).row
        assert {name: kept[name] for name in row} == row
    assert responses.entry({"item": None}).kind == "gone"
    assert responses.entry({"item": None, "track": True}).kind == "gone"


@pytest.mark.parametrize(
    ("sentence", "tempo", "key", "mode", "energy"),
    [
        ({"tempo": 120.5, "key": 0, "mode": 1, "energy": 0.5}, 120.5, 0, 1, 0.5),
        ({"tempo": 0.0, "key": -1, "mode": 1, "energy": 1.5}, None, None, None, None),
        ({"tempo": "fast", "key": 12, "mode": 2, "energy": True}, None, None, None, None),
        ({"tempo": float("nan"), "key": 3, "mode": None, "energy": float("inf")}, None, 3, None, None),
    ],
)
def test_what_is_no_measurement_is_unknown(sentence, tempo, key, mode, energy):
    row = spotify_values.measured(sentence)
    assert (row["tempo_bpm"], row["key"], row["mode"], row["energy"]) == (tempo, key, mode, energy)


@pytest.mark.slow
def test_what_is_known_of_a_track_is_kept(start):
    fake = start("extended")
    tracks = {one["track_id"]: one for one in read().tracks.table.to_pylist()}
    for entry in fake.library.saved:
        there, here = fake.library.tracks[entry.id], tracks[entry.id]
        assert here["title"] == (there.name.encode("utf-8", "replace").decode() if there.name.strip() else None)
        assert here["isrc"] == there.isrc
        assert here["duration_ms"] == there.duration_ms
        assert here["explicit"] == there.explicit
        assert here["popularity"] == there.popularity
        assert len(here["artists"] or []) == len([one for one in there.artists if one.name.strip()])


@pytest.mark.slow
def test_the_library_is_read_back_as_it_was_written(start):
    start()
    made = read()
    again = library.read()
    assert again.tracks.table.equals(made.tracks.table)
    assert (again.saved, again.top, again.playlists, again.notes) == (
        made.saved,
        made.top,
        made.playlists,
        made.notes,
    )


@pytest.mark.slow
def test_the_cost_is_reported_before_it_is_paid(start):
    fake = start(tracks=1500, saved=1234)
    crawl = Sync(connect())
    plan = crawl.plan()
    result = plan.cost(30)
    asked = len(fake.log)
    assert asked == 4  # who, the lists, the first of saved and top
    assert result.startswith("1,234 saved tracks, 99 top tracks and 10 playlists: ")
    assert f"{len(plan.pages)} calls to make, 30 left of today's budget; it stops there, and goes on" in result
    for _ in crawl.fetch(plan):
        pass
    assert len(fake.log) - asked == len(plan.pages)
    crawl.finish(plan)
    assert len(fake.log) - asked == len(plan.pages)


@pytest.mark.slow
def test_a_second_reading_asks_only_for_what_changed(start):
    fake = start()
    read()
    fake.log.clear()
    check(read(library.read()), fake)
    assert len(fake.log) == 4  # the lists, the first saved, two of the top
    track = next(one for one in fake.library.tracks if one not in expected(fake)[0])
    mix = fake.library.playlist("Mix 2")
    mix.replace([*mix.entries, Entry(f"spotify:track:{track}", None)])
    fake.library.saved.insert(0, Entry(f"spotify:track:{track}", None))
    fake.log.clear()
    made = read(library.read())
    check(made, fake)
    assert {r.path for r in fake.calls("/items")} == {f"/v1/playlists/{mix.id}/items"}
    assert made.notes == library.read().notes


class Kill:
    """Ends the process at the nth line that is run of DISCO's Spotify; counts them where n is None."""

    def __init__(self, n: int | None = None) -> None:
        self.n, self.lines = n, 0

    def trace(self, frame, event, argument):
        if "/disco/" not in frame.f_code.co_filename:
            return None
        if event == "line":
            self.lines += 1
            if self.lines == self.n:
                raise Killed
        return self.trace

    def __enter__(self):
        sys.settrace(self.trace)
        return self

    def __exit__(self, *_):
        sys.settrace(None)


@pytest.mark.slow
def test_killed_at_any_of_50_points_and_resumed_it_is_the_same_and_at_most_one_page_was_asked_twice(start, tmp_path):
    fake = start(tracks=60, saved=60)  # two pages of saved tracks: more would be killed in the same places
    with Kill() as count:
        read()
    whole = library.read()
    draw = random.Random(6)
    for n in sorted(draw.sample(range(1, count.lines), 50)):
        library.wipe()
        fake.log.clear()
        tokens.save({name: value for name, value in tokens.read().items() if name not in ("account", "user")})
        with pytest.raises(Killed), Kill(n):
            read()
        finished = library.is_library(library.library_dir())
        if not finished:
            read()
        # Who is logged in is asked too, and is no page.
        twice = {target: times for target, times in fake.twice().items() if target != "GET /v1/me"}
        assert sum(times - 1 for times in twice.values()) <= 1, n
        made = library.read()
        assert (made.saved, made.top, made.playlists, made.notes) == (
            whole.saved,
            whole.top,
            whole.playlists,
            whole.notes,
        ), n
        assert made.tracks.table.equals(whole.tracks.table), n


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["quota", "drop", "garble"])
def test_what_stops_a_reading_loses_nothing(start, fault):
    fake = start()
    fake.fault(fault, at=9, times=3 if fault != "quota" else 1, seconds=13 * 3600)
    with pytest.raises(DiscoError):
        read()
    fake.clock.advance(13 * 3600 + 1)
    check(read(), fake)
    # What came damaged counts as asked for, three times.
    assert sum(n - 1 for n in fake.twice().values()) <= (3 if fault == "garble" else 1)


@pytest.mark.slow
def test_a_reading_that_was_left_for_a_week_begins_anew(start):
    fake = start()
    fake.fault("quota", at=9, seconds=60 * 60)
    with pytest.raises(DiscoError):
        read()
    fake.clock.advance(8 * 86400)
    fake.library.saved.pop()
    check(read(), fake)


@pytest.mark.slow
def test_another_account_gets_nothing_of_the_first(start):
    fake = start()
    first = read()
    tokens.save(tokens.read() | {"account": "somebody-else"})
    crawl = Sync(connect(), first)
    assert crawl.plan().unchanged == {}
    assert len(fake.calls("/v1/me/tracks")) == 4


@pytest.mark.slow
def test_a_list_that_changes_while_it_is_read_is_reported(start):
    fake = start()
    fake.fault("run", at=2, path="/me/tracks", run=lambda: fake.library.saved.pop())
    assert "1 lists changed while they were read; sync again to have them exactly" in read().notes


@pytest.mark.slow
def test_a_list_that_is_deleted_while_it_is_read_is_left_out(start):
    fake = start()
    mix = fake.library.playlist("Mix 2")
    fake.fault("run", path="/me/tracks", run=lambda: fake.library.playlists.remove(mix))
    made = read()
    assert [one.ids for one in made.playlists if one.id == mix.id] == [[]]


def test_an_empty_account_has_an_empty_library(start):
    fake = start()
    fake.library.saved.clear()
    fake.library.playlists.clear()
    fake.library.top["medium_term"] = []
    read()
    assert len(library.read().tracks) == 0


@pytest.mark.slow
def test_it_is_opened_by_its_name_and_by_its_folder(start):
    start()
    place = Path("spotify")
    with pytest.raises(NotFoundError, match="run: disco spotify sync"):
        source.read(place)
    made = read()
    for where in (place, library.library_dir()):
        assert source.can_read(where)
        assert source.read(where).table.equals(made.tracks.table)
        assert source.read(where).notes[0] == f"{len(made.tracks)} tracks of your Spotify library, read today"
        assert [one.name for one in source.playlists(where)][:2] == ["Saved tracks", "Top tracks"]
    assert not source.can_read(Path("tracks.parquet"))
    assert not source.can_read(Path("spotify\0"))


def test_a_file_called_spotify_is_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("spotify").touch()
    assert not source.can_read(Path("spotify"))


@pytest.mark.slow
def test_entries_that_are_no_tracks_keep_their_places(start):
    start()
    made = read()
    odd = next(one for one in source.playlists(library.library_dir()) if one.name.startswith("Odd ones"))
    found = odd.match(made.tracks)
    assert (len(odd.ids), [place for place, row in enumerate(found) if row < 0]) == (8, [3, 4])
    assert odd.names[1] == "My <File> & more Some One"


@pytest.mark.slow
def test_an_old_library_reminds_of_the_terms(start):
    fake = start()
    read()
    fake.clock.advance(31 * 86400)
    assert "sync it again, or disconnect" in source.read(library.library_dir()).notes[0]


@pytest.mark.slow
@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"format": 1}', '{"format": 99}', "[" * 100_000])
def test_a_damaged_library_is_reported(start, text):
    start()
    read()
    (library.library_dir() / "library.json").write_text(text)
    with pytest.raises(DataError, match="disco spotify sync"):
        library.read()


@pytest.mark.slow
def test_a_library_whose_table_is_gone_is_reported(start):
    start()
    read()
    next(library.library_dir().glob("*.parquet")).unlink()
    with pytest.raises(DataError, match="damaged"):
        library.read()


@pytest.mark.slow
def test_a_full_disk_is_reported_and_the_library_before_is_whole(start, monkeypatch):
    fake = start()
    before = read()
    fake.library.saved.pop()

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pyarrow.parquet.write_table", full)
    with pytest.raises(DataError, match="cannot be written"):
        read(library.read())
    assert library.read().saved == before.saved
    monkeypatch.undo()


@pytest.mark.slow
def test_the_library_is_for_its_owner_alone(start):
    start()
    read()
    assert library.library_dir().stat().st_mode & 0o077 == 0
    assert json.loads((library.library_dir() / "library.json").read_text())["format"] == 1
