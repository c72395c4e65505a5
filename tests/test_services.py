"""Candidates from ListenBrainz and ReccoBeats, asked only by name: tracks of the catalogue, or one sentence."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import numpy as np
import pytest
from helpers.catalogues import catalogue_of
from helpers.contracts import RecommenderTests
from helpers.fake import Library, ListenBrainz, ReccoBeats
from helpers.fake.listenbrainz import mbid

from disco.catalogue import FEATURES
from disco.catalogue.same_recording import Recordings
from disco.cli import generate
from disco.errors import DiscoError
from disco.models.recommenders import ONLINE, RECOMMENDERS, Query, load_recommender
from disco.models.recommenders.online import evenly_spaced, top_candidates
from disco.sources import storage
from disco.sources.files import tables
from disco.sources.services import answers, http

pytestmark = pytest.mark.network

NAMES = tuple(ONLINE)
FORMS = ("half", "html", "empty", "bytes", "null", "list", "hollow", "deep", "types")


def clean(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def rows_of(library: Library) -> list[dict[str, Any]]:
    return [
        {
            "track_id": one.id,
            "title": clean(one.name) or None,
            "artists": [clean(artist.name) for artist in one.artists],
            "isrc": one.isrc,
            "duration_ms": one.duration_ms,
            "feature_set": "spotify",
            "tempo_bpm": 120.0,
            **{name: (one.features or {}).get(name) for name in FEATURES},
        }
        for one in library.tracks.values()
    ]


@pytest.fixture
def services(monkeypatch, tmp_path) -> Iterator[Any]:
    """Both fakes on one library, whose clock we go by; waiting takes no time."""
    monkeypatch.setenv("DISCO_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(answers, "_blocked_until", {})
    library = Library(tracks=300, saved=10)
    with ExitStack() as stack:
        both = {
            "listenbrainz": stack.enter_context(ListenBrainz(library)),
            "reccobeats": stack.enter_context(ReccoBeats(library)),
        }
        monkeypatch.setenv("DISCO_RECCOBEATS", both["reccobeats"].api_url)
        for name in ("DISCO_LISTENBRAINZ", "DISCO_LISTENBRAINZ_LABS", "DISCO_MUSICBRAINZ"):
            monkeypatch.setenv(name, both["listenbrainz"].url)
        clock = both["listenbrainz"].clock = both["reccobeats"].clock
        slept = []

        def sleep(seconds: float) -> None:
            slept.append(seconds)
            clock.advance(seconds)

        monkeypatch.setattr(http.time, "time", clock.now)
        monkeypatch.setattr(http.time, "sleep", sleep)
        both["slept"] = slept
        both["catalogue"] = catalogue_of(rows_of(library))
        yield both


def known_rows(services, n: int = 3) -> list[int]:
    """Rows that both services know by an ISRC of their own."""
    ids = list(services["reccobeats"].library.tracks)
    tracks = services["reccobeats"].library.tracks
    isrcs = [one.isrc for one in tracks.values()]
    return [
        i
        for i, one in enumerate(ids)
        if one in services["reccobeats"].known
        and mbid(tracks[one]) in services["listenbrainz"].recordings
        and isrcs.count(tracks[one].isrc) == 1
        and tracks[one].name.isascii()
    ][:n]


def query(rows, allowed=None) -> Query:
    return Query(np.array(rows, dtype=np.intp), "", allowed)


class OnlineTests(RecommenderTests):
    """The contract of all recommenders; what rows 40 to 59 are the service does not know."""

    name = ""

    @pytest.fixture(autouse=True)
    def _served(self, services):
        library = services["reccobeats"].library
        for one in list(library.tracks)[40:60]:
            track = library.tracks[one]
            services["reccobeats"].known.pop(one, None)
            services["listenbrainz"].recordings.pop(mbid(track), None)
        # Who has another's name, or ISRC, could be found in its stead.
        rows = [
            {**row, "title": f"Title {i}", "isrc": None} if 40 <= i < 60 else row
            for i, row in enumerate(rows_of(library))
        ]
        self.catalogue = catalogue_of(rows)

    def recommender(self):
        return load_recommender(self.name, self.catalogue)

    # A service knows a hundred answers, not all tracks.
    @pytest.mark.parametrize("n", [1, 7, 20, 10_000])
    def test_candidates_are_unique_best_first_and_never_seeds(self, n):
        question = query([5, 200, 17])
        found = self.recommender().recommend(question, n)
        self.check(found, question, n)
        assert len(found.rows) == n or 20 < len(found.rows) <= 100 < n

    def test_only_allowed_tracks_are_candidates_and_filters_act_before_the_ranking(self):
        allowed = np.arange(300) % 7 == 0
        everything = self.recommender().recommend(query([5, 200, 17]), 300).rows
        found = self.recommender().recommend(query([5, 200, 17], allowed), 300).rows
        assert 0 < len(found) < len(everything)
        assert found.tolist() == [row for row in everything if allowed[row]]


class TestListenBrainz(OnlineTests):
    name = "listenbrainz"


class TestReccoBeats(OnlineTests):
    name = "reccobeats"


def test_they_are_asked_by_name_alone():
    assert not set(ONLINE) & set(RECOMMENDERS)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_asked_before_a_question(services, name):
    load_recommender(name, services["catalogue"])
    assert services[name].log == []


def test_listenbrainz_gives_what_it_has_in_its_own_order(services):
    fake, catalogue = services["listenbrainz"], services["catalogue"]
    (seed,) = known_rows(services, 1)
    found = load_recommender("listenbrainz", catalogue).recommend(query([seed]), 400)
    own = mbid(list(fake.library.tracks.values())[seed])
    oracle = {fake.recordings[other].id: score for other, score in fake._near(own)}
    # Of two recordings with one artist and title the catalogue has one row for the name: the higher score is its.
    scores = dict(zip(catalogue.ids(found.rows), found.scores.tolist(), strict=True))
    assert len(scores) >= 0.8 * len(oracle)
    same = [one for one in scores if one in oracle]
    assert len(same) >= 0.9 * len(scores)
    assert all(scores[one] >= oracle[one] for one in same)


@pytest.mark.slow
def test_listenbrainz_finds_what_has_another_name_by_spotifys_id(services):
    fake = services["listenbrainz"]
    rows = [{**row, "title": f"Another {i}"} for i, row in enumerate(rows_of(fake.library))]
    catalogue = catalogue_of(rows)
    found = load_recommender("listenbrainz", catalogue).recommend(query(known_rows(services)), 400)
    mapped = {fake.recordings[own].id for own in fake.mapped}
    assert len(found.rows)
    assert set(catalogue.ids(found.rows)) <= mapped
    assert len(fake.calls("spotify-id-from-mbid")) <= 2


@pytest.mark.slow
def test_listenbrainz_finds_a_seed_without_isrc_by_its_name(services):
    fake = services["listenbrainz"]
    catalogue = catalogue_of([{**row, "isrc": None} for row in rows_of(fake.library)])
    assert len(load_recommender("listenbrainz", catalogue).recommend(query(known_rows(services)), 9).rows) == 9
    assert not fake.calls("/ws/2")


def test_reccobeats_keeps_its_order_and_maps_by_the_link(services):
    fake, catalogue = services["reccobeats"], services["catalogue"]
    seeds = known_rows(services, 3)
    found = load_recommender("reccobeats", catalogue).recommend(query(seeds), 400)
    answered = [one["href"].rpartition("/")[2] for one in fake.log[0].json_answer["content"]]
    assert catalogue.ids(found.rows) == answered
    assert found.scores[0] == pytest.approx(1 / 61)


@pytest.mark.parametrize("by", ["isrc", "name"])
def test_reccobeats_finds_what_has_no_spotify_id(services, by):
    fake = services["reccobeats"]
    seeds = known_rows(services, 2)
    lost = {"isrc": "title", "name": "isrc"}[by]
    rows = [
        row if i in seeds else {**row, "track_id": f"file {i}", lost: None}
        for i, row in enumerate(rows_of(fake.library))
    ]
    found = load_recommender("reccobeats", catalogue_of(rows)).recommend(query(seeds), 400)
    answered = {one["isrc"] for one in fake.log[0].json_answer["content"]}
    assert len(found.rows) > 50
    if by == "isrc":
        assert {rows[row]["isrc"] for row in found.rows} <= answered


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_at_most_ten_seeds_are_asked_for_and_each_answer_once(services, name):
    made, rows = load_recommender(name, services["catalogue"]), known_rows(services, 40)
    first = made.recommend(query(rows), 50)
    assert len(services[name].log) <= 22
    asked = len(services[name].log)
    again = load_recommender(name, services["catalogue"]).recommend(query(rows), 50)
    assert len(services[name].log) == asked
    assert (again.rows == first.rows).all()


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_an_answer_grows_old(services, name):
    made, rows = load_recommender(name, services["catalogue"]), known_rows(services, 1)
    made.recommend(query(rows), 5)
    asked = len(services[name].log)
    services[name].clock.advance(answers.MAX_AGE_S + 60)
    made.recommend(query(rows), 5)
    assert len(services[name].log) == 2 * asked


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("fault", ["drop", "cut", "error"])
@pytest.mark.parametrize("at", [1, 2])
def test_one_fault_is_got_over(services, name, fault, at):
    rows = known_rows(services)
    services[name].fault(fault, at=at)
    assert len(load_recommender(name, services["catalogue"]).recommend(query(rows), 9).rows) == 9


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("fault", ["drop", "error"])
def test_a_fault_that_lasts_is_one_sentence(services, name, fault):
    services[name].fault(fault, times=None)
    with pytest.raises(DiscoError, match=r"^(ReccoBeats|MusicBrainz) (cannot be reached|has an internal error)"):
        load_recommender(name, services["catalogue"]).recommend(query(known_rows(services)), 9)
    assert len(services[name].log) == http.TRIES
    assert max(services["slept"]) <= http.MAX_SILENT_WAIT_S


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("name", "path"),
    [("listenbrainz", "/ws/2"), ("listenbrainz", "similar"), ("reccobeats", "recommendation")],
)
def test_nonsense_is_one_error_line_or_left_out(services, name, path, form, tmp_path, capsys):
    table = tmp_path / "t.parquet"
    tables.write(services["catalogue"], table)
    services[name].fault("garble", path=path, form=form, times=None)
    seeds = services["catalogue"].ids(np.array(known_rows(services)))
    code = generate.main([*seeds, "--catalogue", str(table), "--recommender", name, "--quiet", "--length", "3"])
    captured = capsys.readouterr()
    assert services[name].calls(path)
    assert "Traceback" not in captured.err
    if code:
        assert code == 1
        assert len(captured.err.strip().splitlines()) == 1
    if form in ("half", "html", "empty", "bytes", "deep"):
        assert "its answer cannot be read" in captured.err


@pytest.mark.parametrize("name", NAMES)
def test_a_slow_answer_is_given_up(services, name, monkeypatch):
    monkeypatch.setattr(http, "TIMEOUT_S", 0.1)
    services[name].fault("slow", seconds=0.5, times=None)
    with pytest.raises(DiscoError, match="cannot be reached"):
        load_recommender(name, services["catalogue"]).recommend(query(known_rows(services)), 9)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_long_rate_limit_is_an_error_and_respected_by_later_runs(services, name, monkeypatch):
    services[name].fault("limit", seconds=600)
    made = load_recommender(name, services["catalogue"])
    with pytest.raises(http.RateLimited, match="accepts no request for 10 minutes"):
        made.recommend(query(known_rows(services)), 9)
    monkeypatch.setattr(answers, "_blocked_until", {})  # another run
    with pytest.raises(http.RateLimited, match="for another 10 minutes"):
        made.recommend(query(known_rows(services)), 9)
    assert len(services[name].log) == 1
    assert services["slept"] == []
    services[name].clock.advance(601)
    assert len(made.recommend(query(known_rows(services)), 9).rows) == 9


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_short_rate_limit_is_waited_for(services, name):
    services[name].fault("limit", seconds=1)
    found = load_recommender(name, services["catalogue"]).recommend(query(known_rows(services)), 9)
    assert len(found.rows) == 9


def test_a_window_is_respected_before_it_is_overrun(services):
    services["listenbrainz"].rate = 2
    with pytest.raises(http.RateLimited):
        load_recommender("listenbrainz", services["catalogue"]).recommend(query(known_rows(services, 5)), 9)
    assert [one.status for one in services["listenbrainz"].log] == [200, 200]


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_network_is_one_error_line(services, name, monkeypatch, tmp_path, capsys):
    table = tmp_path / "t.parquet"
    tables.write(services["catalogue"], table)
    for variable in ("DISCO_RECCOBEATS", "DISCO_LISTENBRAINZ", "DISCO_MUSICBRAINZ"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")
    (seed,) = services["catalogue"].ids(np.array(known_rows(services, 1)))
    assert generate.main([seed, "--catalogue", str(table), "--recommender", name]) == 1
    err = capsys.readouterr().err
    assert "cannot be reached" in err
    assert "Traceback" not in err
    assert {"listenbrainz": "receive the ISRCs", "reccobeats": "receives the Spotify ids"}[name] in err


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_playlist_comes_of_it(services, name, tmp_path, capsys):
    table = tmp_path / "t.parquet"
    tables.write(services["catalogue"], table)
    seeds = services["catalogue"].ids(np.array(known_rows(services)))
    assert generate.main([*seeds, "--catalogue", str(table), "--recommender", name, "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["recommender"] == name


@pytest.mark.parametrize("name", NAMES)
def test_seeds_that_nobody_knows_are_a_sentence(services, name, tmp_path, capsys):
    table = tmp_path / "t.parquet"
    rows = rows_of(services["reccobeats"].library)
    rows[0] |= {"track_id": "mine", "title": "Never played", "artists": ["Nobody at all"], "isrc": None}
    rows = [{**row, **dict.fromkeys(FEATURES, 0.5)} for row in rows]  # what has none is found by key and tempo
    tables.write(catalogue_of(rows), table)
    assert generate.main(["mine", "--catalogue", str(table), "--recommender", name]) == 1
    assert f"{name} knows none of the seeds" in capsys.readouterr().err


def test_an_address_is_https_or_this_machine(services, monkeypatch):
    monkeypatch.setenv("DISCO_RECCOBEATS", "http://example.invalid")
    with pytest.raises(DiscoError, match="over https alone; change DISCO_RECCOBEATS"):
        load_recommender("reccobeats", services["catalogue"]).recommend(query(known_rows(services)), 9)


@pytest.mark.parametrize("text", [b"", b"no database", b"SQLite format 3\0" + b"x" * 5000])
def test_a_damaged_memory_is_no_reason_to_stop(services, text):
    storage.user_data_dir().mkdir(parents=True)
    (storage.user_data_dir() / "answers.sqlite").write_bytes(text)
    assert len(load_recommender("reccobeats", services["catalogue"]).recommend(query(known_rows(services)), 9).rows)


@pytest.mark.slow
def test_the_memory_is_its_owners_alone_and_bounded(services, monkeypatch):
    monkeypatch.setattr(answers, "MAX_ANSWERS", 3)
    for row in known_rows(services, 8):
        load_recommender("reccobeats", services["catalogue"]).recommend(query([row]), 1)
    path = storage.user_data_dir() / "answers.sqlite"
    assert path.stat().st_mode & 0o077 == 0
    with answers._open() as store:
        assert store.execute("SELECT count(*) FROM answers").fetchone() == (3,)


def test_a_clock_that_was_set_back_does_not_shut_a_service_out(services, monkeypatch):
    services["reccobeats"].fault("limit", seconds=3600)
    made = load_recommender("reccobeats", services["catalogue"])
    with pytest.raises(http.RateLimited):
        made.recommend(query(known_rows(services)), 9)
    monkeypatch.setattr(answers, "_blocked_until", {})
    services["reccobeats"].clock.advance(-30 * 24 * 3600)
    assert len(made.recommend(query(known_rows(services)), 9).rows) == 9


def test_tracks_of_a_service_are_matched_by_name_isrc_and_id():
    tracks = [
        {"track_id": "a", "title": "Halo (feat. X)", "artists": ["Beyoncé", "X"], "isrc": "us-abc-12-34567"},
        {"track_id": "b", "title": "Halo - Live", "artists": ["Beyoncé"]},
        {"track_id": "c", "title": None, "artists": None, "isrc": None},
    ]
    recordings = Recordings(catalogue_of(tracks))
    artists, titles = ["Beyonce & X", "BEYONCÉ", "", "Beyonce"], ["Halo", "halo - live", "", "Crazy"]
    assert recordings.find(artists=artists, titles=titles).tolist() == [0, 1, -1, -1]
    assert recordings.find(isrcs=["USABC1234567", "", "XX"]).tolist() == [0, -1, -1]
    assert recordings.find(ids=["c", "d"]).tolist() == [2, -1]


def test_the_best_score_counts_and_ties_go_to_the_lower_row():
    found = top_candidates([5, 3, -1, 5, 1], [1.0, 2.0, 9.0, 2.0, 8.0], query([1]), 9)
    assert found.rows.tolist() == [3, 5]
    assert found.scores.tolist() == [2.0, 2.0]


def test_seeds_are_spread_from_the_first_to_the_last():
    assert evenly_spaced(np.array([7, 7, 8]), 10).tolist() == [7, 8]
    assert evenly_spaced(np.arange(100), 3).tolist() == [0, 50, 99]
