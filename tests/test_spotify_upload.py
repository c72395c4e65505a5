"""Uploads to Spotify: complete and without doubles wherever they are interrupted."""

from __future__ import annotations

import json
import random
import time

import pytest
from helpers.fake.library import Entry
from helpers.spotify import Killed, kill

from disco.errors import DiscoError
from disco.sources.services.resumable import Changed
from disco.sources.services.spotify import errors, upload
from disco.sources.services.spotify.client import connect

NAME = "Sunday night"


@pytest.fixture
def ids():
    """Of n tracks there are."""
    return lambda fake, n: random.Random(n).sample(list(fake.library.tracks), n)


def made(fake):
    return [one for one in fake.library.playlists if one.name == NAME]


def check(fake, wanted):
    """The playlist is there once, with its tracks in their order and no other."""
    (playlist,) = made(fake)
    assert [entry.id for entry in playlist.entries] == wanted
    assert playlist.public is False
    assert upload.unfinished() == []


@pytest.mark.parametrize("n", [1, 100, 101, 250])
def test_it_is_written_in_hundreds_and_in_order(start, ids, n):
    fake = start()
    wanted = ids(fake, n)
    address = upload.write(connect(), NAME, wanted)
    check(fake, wanted)
    assert address == f"https://open.spotify.com/playlist/{made(fake)[0].id}"
    assert [len(r.json["uris"]) for r in fake.calls("/items", "POST")] == [100] * (n // 100) + [n % 100] * (
        n % 100 > 0
    )
    assert len(fake.calls("/v1/me/playlists$", "POST")) == 1
    assert fake.calls("/tracks", "POST") == []


def test_a_track_that_is_named_twice_is_written_once(start, ids):
    fake = start()
    few = ids(fake, 3)
    upload.write(connect(), NAME, [*few, few[0]])
    check(fake, few)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", range(1, 6))
def test_killed_at_each_request_and_run_again_it_is_whole_and_single(start, ids, monkeypatch, at, after):
    fake = start()
    wanted = ids(fake, 250)  # who is it, make it, add 100, 100, 50
    with monkeypatch.context() as patch:
        kill(patch, at, after)
        with pytest.raises(Killed):
            upload.write(connect(), NAME, wanted)
    upload.write(connect(), NAME, wanted)
    check(fake, wanted)


@pytest.mark.slow
@pytest.mark.parametrize("after", [False, True])
def test_killed_again_and_again_it_is_whole_in_the_end(start, ids, monkeypatch, after):
    fake = start()
    wanted = ids(fake, 250)
    for at in (2, 2, 3, 2, 4, 3, 2):
        with monkeypatch.context() as patch:
            kill(patch, at, after)
            try:
                upload.write(connect(), NAME, wanted)
                break
            except Killed:
                continue
    else:
        upload.write(connect(), NAME, wanted)
    check(fake, wanted)


@pytest.mark.slow
@pytest.mark.parametrize("at", range(1, 5))
@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("fault", ["drop", "error", "cut"])
def test_an_answer_that_does_not_come_is_looked_up(start, ids, fault, after, at):
    fake = start()
    wanted = ids(fake, 250)
    fake.fault(fault, at=at, method="POST", path="^/v1/", after=after)
    upload.write(connect(), NAME, wanted)
    check(fake, wanted)


@pytest.mark.slow
@pytest.mark.parametrize("form", ["half", "html", "empty", "null", "list", "hollow", "types"])
@pytest.mark.parametrize("at", range(1, 5))
def test_a_damaged_answer_is_looked_up(start, ids, form, at):
    fake = start()
    wanted = ids(fake, 250)
    fake.fault("garble", at=at, method="POST", path="^/v1/", form=form)
    upload.write(connect(), NAME, wanted)
    check(fake, wanted)


@pytest.mark.slow
def test_a_lasting_fault_is_an_error_and_the_same_command_resumes(start, ids, caplog):
    caplog.set_level("INFO", "disco")
    fake = start()
    wanted = ids(fake, 250)
    fake.fault("error", at=2, times=None, method="POST", path="/items")
    with pytest.raises(errors.UnknownOutcome, match="run the same command again to resume"):
        upload.write(connect(), NAME, wanted)
    assert len(made(fake)[0].entries) == 100
    fake.heal()
    caplog.clear()
    upload.write(connect(), NAME, wanted)
    check(fake, wanted)
    assert caplog.messages[0] == f"resuming {NAME!r}, which was begun before"


def test_an_upload_stopped_by_a_quota_is_resumed_when_it_is_over(start, ids):
    fake = start()
    wanted = ids(fake, 250)
    fake.fault("quota", at=2, method="POST", path="/items", seconds=13 * 3600)
    with pytest.raises(errors.RateLimited, match=r"accepts no call before .* run the same command again"):
        upload.write(connect(), NAME, wanted)
    with pytest.raises(errors.RateLimited):
        upload.write(connect(), NAME, wanted)
    fake.clock.advance(13 * 3600 + 1)
    upload.write(connect(), NAME, wanted)
    check(fake, wanted)
    assert fake.wasted() == []


@pytest.mark.slow
@pytest.mark.parametrize("change", ["reordered", "added", "removed"])
def test_what_somebody_changed_meanwhile_is_left_alone(start, ids, change):
    fake = start()
    wanted = ids(fake, 250)
    fake.fault("error", at=2, times=None, method="POST", path="/items")
    with pytest.raises(errors.UnknownOutcome):
        upload.write(connect(), NAME, wanted)
    fake.heal()
    half = made(fake)[0]
    entries = {
        "reordered": half.entries[::-1],
        "added": [*half.entries, Entry(f"spotify:track:{next(iter(fake.library.tracks))}", None)],
        "removed": [],
    }[change]
    if change == "removed":
        fake.library.playlists.remove(half)
    half.replace(entries)
    with pytest.raises(Changed, match="was changed or deleted since"):
        upload.write(connect(), NAME, wanted)
    assert half.entries == entries
    upload.write(connect(), NAME, wanted)  # a new one
    assert [entry.id for entry in made(fake)[0].entries] == wanted


def test_two_playlists_of_one_name_are_two(start, ids):
    fake = start()
    for n in (5, 6):
        upload.write(connect(), NAME, ids(fake, n))
    assert sorted(len(one.entries) for one in made(fake)) == [5, 6]


def test_another_account_finishes_nothing_of_the_first(start, ids):
    fake = start()
    wanted = ids(fake, 5)
    fake.fault("error", times=None, method="POST", path="/items")
    with pytest.raises(errors.UnknownOutcome):
        upload.write(connect(), NAME, wanted)
    assert (len(upload.unfinished()), upload.unfinished("somebody else")) == (1, [])


def test_nothing_to_write_makes_no_playlist(start):
    fake = start()
    with pytest.raises(DiscoError, match="nothing to upload"):
        upload.write(connect(), NAME, [])
    assert fake.log == []


@pytest.mark.parametrize("name", ["", "  ", "a\nb\0c", "x" * 3000, "\ud83d half", "<b>&amp;", "\u202eesrever"])
def test_any_name_is_made_fit(start, ids, name):
    fake = start()
    upload.write(connect(), name, ids(fake, 1))
    there = fake.library.playlists[0]
    assert there.name
    assert there.name == there.name.strip()
    assert len(there.name) <= 100
    assert there.name.isprintable()


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"account": 1}'])
def test_a_damaged_journal_is_passed_over(start, ids, text):
    fake = start()
    upload.folder().mkdir(parents=True)
    (upload.folder() / "x.json").write_text(text)
    upload.write(connect(), NAME, ids(fake, 2))
    assert len(made(fake)) == 1


def test_the_journal_says_before_each_call_what_is_to_come(start, ids):
    fake = start()
    seen = []

    def look():
        (path,) = upload.folder().glob("*.json")
        state = json.loads(path.read_text())
        seen.append((state["asked"], bool(state["playlist"]), state["done"]))

    fake.fault("run", times=None, method="POST", run=look)
    upload.write(connect(), NAME, ids(fake, 150))
    assert seen == [(True, False, 0), (True, True, None), (True, True, None)]


def test_a_journal_stored_by_an_earlier_version_is_resumed(start, ids):
    fake = start()
    wanted, client = ids(fake, 150), connect()
    playlist = client.create(NAME, "Put in order by DISCO (0123456789abcdef)")
    client.add(playlist, wanted[:100], 0)
    old = {"account": client.account, "name": NAME, "ids": wanted, "mark": "0123456789abcdef", "at": time.time()}
    upload.folder().mkdir(parents=True)
    (upload.folder() / "0123456789abcdef.json").write_text(
        json.dumps(old | {"playlist": "", "asked": True, "done": 0})
    )
    upload.write(connect(), NAME, wanted)
    check(fake, wanted)
