"""What was played is kept once, privately, and found again in a catalogue."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from disco.catalogue import Catalogue
from disco.errors import DataError
from disco.sources import play_log
from disco.sources.plays import Play, PlayedSet
from disco.sources.tracklist import Entry

BUS = Entry(title="Night Bus", artist="Mira Vale", path="/music/bus.mp3")
SUN = Entry(title="Sun", artist="Solo")
FIRST, LAST = datetime(2026, 1, 1, 22), datetime(2026, 5, 31, 23, 5)


@pytest.fixture(autouse=True)
def data(tmp_path, monkeypatch):
    monkeypatch.setenv("DISCO_DATA", str(tmp_path / "data"))


def catalogue() -> Catalogue:
    return Catalogue.from_tracks(
        [
            {"track_id": "a", "title": "Rain", "artists": ["Solo"]},
            {"track_id": "b", "title": "Night Bus", "artists": ["Mira Vale"]},
            {"track_id": "c", "title": "Sun", "artists": ["Solo"]},
        ]
    )


def test_plays_are_counted_and_the_last_is_known():
    play_log.add([PlayedSet("one", [Play(BUS, LAST), Play(SUN)]), PlayedSet("two", [Play(BUS, FIRST)])])
    found = play_log.plays_of(catalogue())
    assert found.times.tolist() == [0, 2, 1]
    assert found.last[1] == np.datetime64(LAST)
    assert np.isnat(found.last[[0, 2]]).all()


def test_the_same_history_read_again_adds_nothing():
    sets = [PlayedSet("one", [Play(BUS, LAST), Play(SUN)])]
    assert play_log.add(sets) == (2, 2)
    assert play_log.add(sets) == (0, 2)
    assert play_log.add([*sets, PlayedSet("two", [Play(SUN)])]) == (1, 3)


def test_the_file_is_the_owners_alone_and_can_be_removed():
    play_log.add([PlayedSet("one", [Play(BUS, LAST)])])
    path = play_log.user_file()
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert [play_log.forget(), play_log.forget()] == [True, False]
    assert play_log.plays_of(catalogue()).times.sum() == 0


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe", b"a,b\r\n", b"started,artist,title,path,set\r\nyesterday,a,b,c,d\r\n"]
)
def test_a_damaged_file_says_what_to_do(content):
    play_log.add([PlayedSet("one", [Play(BUS, LAST)])])
    play_log.user_file().write_bytes(content)
    with pytest.raises(DataError, match="is damaged; run disco learn --forget"):
        play_log.plays_of(catalogue())


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@given(titles=st.lists(TEXTS, min_size=1, max_size=5), name=TEXTS)
def test_hostile_names_come_back_as_they_were(tmp_path_factory, titles, name):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DISCO_DATA", str(tmp_path_factory.mktemp("data")))
        plays = [
            Play(Entry(title=title, path=f"/{number}"), FIRST.replace(minute=number))
            for number, title in enumerate(titles)
        ]
        assert play_log.add([PlayedSet(name, plays)]) == (len(plays), len(plays))
        assert play_log.add([PlayedSet(name, plays)]) == (0, len(plays))
