"""Spotify's session: waits, retries, remembered refusals, changes sent once, and no secret printed or logged."""

from __future__ import annotations

import json
import logging
import stat
import time

import pytest
from helpers.fake import SCENARIOS
from helpers.spotify import log_in

from disco.cli import spotify
from disco.errors import DiscoError
from disco.sources.services.spotify import errors, responses, state, tokens
from disco.sources.services.spotify.client import connect

pytestmark = pytest.mark.network


def known_secrets(fake, *secrets):
    """Secrets that are on their way or kept."""
    token = json.loads(tokens.path().read_text())
    return [token["access_token"], token["refresh_token"], *secrets]


def test_a_short_wait_is_logged_and_waited_for_and_a_long_one_is_remembered(start, monkeypatch, caplog):
    caplog.set_level(logging.INFO, "disco")
    fake = start()
    waits = []
    monkeypatch.setattr("time.sleep", lambda s: (waits.append(s), fake.clock.advance(s)))
    client = connect()
    fake.fault("limit", seconds=7)
    assert client.saved(0).total == 130
    assert waits == [7]
    assert caplog.messages == ["Spotify asks to wait 7 s"]
    fake.fault("limit", seconds=3600)
    with pytest.raises(errors.RateLimited, match=r"accepts no call before 13:00 .*what was read is stored"):
        client.saved(0)
    assert waits == [7]
    calls = len(fake.log)
    with pytest.raises(errors.RateLimited, match="accepts no call before"):
        connect().saved(0)  # another run, the next minute
    assert len(fake.log) == calls
    fake.clock.advance(3601)
    assert connect().saved(0).total == 130


def test_an_exhausted_quota_blocks_every_call_for_its_thirteen_hours(start):
    fake = start("quota", quota=2)
    client = connect()
    client.saved(0)
    client.saved(50)
    with pytest.raises(errors.RateLimited, match="the calls of this day are used up"):
        client.saved(100)
    for _ in range(3):
        with pytest.raises(errors.RateLimited):
            connect().who()
    assert (len(fake.log), fake.wasted()) == (3, [])
    fake.clock.advance(13 * 3600 + 1)
    connect().who()


def test_a_day_has_its_budget_and_each_call_leaves_it_after_24_hours(start, monkeypatch):
    fake = start()
    monkeypatch.setenv("DISCO_SPOTIFY_BUDGET", "3")
    for offset in (0, 50, 100):
        connect().saved(offset)
        fake.clock.advance(3600)
    with pytest.raises(
        errors.RateLimited, match="budget of 3 calls a day is used up; it has room again at 2026-11-23 "
    ):
        connect().saved(0)
    assert len(fake.calls("^/v1/")) == 3
    fake.clock.advance(21 * 3600 + 1)  # the first is a day old
    connect().saved(0)
    with pytest.raises(errors.RateLimited):
        connect().saved(0)
    assert len(fake.calls("^/v1/")) == 4


def test_a_budget_that_is_no_number_is_an_error(start, monkeypatch):
    start()
    monkeypatch.setenv("DISCO_SPOTIFY_BUDGET", "many")
    with pytest.raises(DiscoError, match="must be a number of calls"):
        connect()


@pytest.mark.parametrize("fault", ["drop", "cut", "error", "garble"])
def test_a_read_is_tried_three_times_and_then_fails(start, fault):
    fake = start()
    fake.fault(fault, times=2)
    assert connect().saved(0).total == 130
    assert len(fake.log) == 3
    fake.fault(fault, times=None)
    with pytest.raises(errors.SpotifyError, match="try again"):
        connect().saved(0)
    assert len(fake.log) == 6


@pytest.mark.slow
@pytest.mark.parametrize("form", ["html", "empty", "bytes", "null", "list", "hollow", "deep", "types"])
def test_an_answer_that_is_none_is_a_sentence(start, form):
    fake = start()
    fake.fault("garble", times=None, form=form)
    client = connect()
    for ask in (
        lambda: client.saved(0),
        lambda: client.top(0),
        lambda: client.search("night"),
        client.who,
    ):
        with pytest.raises(errors.Malformed):
            ask()


@pytest.mark.parametrize("fault", ["drop", "error", "cut"])
@pytest.mark.parametrize("after", [True, False])
def test_a_change_is_sent_once_whatever_comes_of_it(start, fault, after):
    fake = start()
    client = connect()
    playlist = client.create("Mine", "")
    track = next(iter(fake.library.tracks))
    fake.fault(fault, method="POST", after=after)
    if fault == "cut":
        fake.heal()
        fake.fault("cut", method="POST")
    with pytest.raises(errors.UnknownOutcome, match="it is unknown whether"):
        client.add(playlist, [track], 0)
    assert len(fake.calls("/items", "POST")) == 1


def test_a_change_that_was_refused_for_a_moment_is_sent_again(start):
    fake = start()
    fake.fault("limit", method="POST", seconds=2)
    assert responses.ID.fullmatch(connect().create("Mine", ""))
    assert len([one for one in fake.library.playlists if one.name == "Mine"]) == 1


def test_an_access_token_that_has_ended_is_renewed_once_and_kept(start):
    fake = start()
    before = json.loads(tokens.path().read_text())
    fake.accounts.expire()  # earlier than the clock here knows
    assert connect().saved(0).total == 130
    after = json.loads(tokens.path().read_text())
    assert after["access_token"] != before["access_token"]
    assert after["refresh_token"] != before["refresh_token"]
    assert after["authorized_at"] == before["authorized_at"]
    fake.clock.advance(3601)
    connect().saved(0)
    assert [r.status for r in fake.calls("/v1/me/tracks")] == [401, 200, 200]


def test_a_login_renewed_by_another_run_is_used(start):
    fake = start()
    old = tokens.read()
    tokens.TokenManager().renew()
    new = tokens.read()["access_token"]
    assert tokens.TokenManager().renew(old) == new
    assert len(fake.calls("token")) == 1


def test_a_dead_consent_is_wiped_and_the_next_run_asks_nobody(start):
    fake = start("revoked")
    with pytest.raises(errors.LoginNeeded, match=r"your consent of 2026-11-22 has ended .*disco spotify login"):
        connect().saved(0)
    assert not tokens.path().exists()
    calls = len(fake.log)
    with pytest.raises(errors.LoginNeeded, match="you are not logged in"):
        connect()
    assert len(fake.log) == calls


def test_a_warning_is_logged_a_month_before_the_consent_ends(start, caplog):
    fake = start(login=False)
    log_in(fake)
    tokens.save(tokens.read() | {"authorized_at": time.time() - 160 * 86400})
    connect()
    assert caplog.messages == ["Spotify's consent ends in 22 days; log in again before then: disco spotify login"]


@pytest.mark.slow
@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"access_token": 3}', "[" * 100_000])
def test_a_damaged_token_file_asks_for_a_login(start, text):
    start(login=False)
    tokens.path().parent.mkdir(parents=True)
    tokens.path().write_text(text)
    with pytest.raises(errors.LoginNeeded, match="damaged"):
        connect()


def test_the_token_is_readable_by_its_owner_alone(start):
    start()
    assert stat.S_IMODE(tokens.path().stat().st_mode) == 0o600
    assert stat.S_IMODE(tokens.path().parent.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    "text", ["", "{", "[1]", '{"cc": 4}', '{"X": {"calls": ["a", 1e99], "shut": 3, "may": {"x": 1}}}']
)
def test_a_damaged_memory_is_forgotten(start, text):
    fake = start()
    state.path().write_text(text.replace("X", fake.client_id))
    assert connect().saved(0).total == 130
    assert state.State.read(fake.client_id).made == 1


def test_a_clock_that_was_set_back_does_not_block_calls_for_ever(start):
    fake = start()
    fake.clock.advance(400 * 86400)
    memory = state.State.read(fake.client_id)
    memory.count()
    memory.block(13 * 3600, "the calls of this day are used up")
    fake.clock.advance(-400 * 86400)
    memory = state.State.read(fake.client_id)
    memory.check()
    assert memory.made == 0


@pytest.mark.parametrize(
    ("off", "message"), [(7200, "120 minutes ahead of"), (-7200, "120 minutes behind"), (60, "")]
)
def test_a_wrong_clock_is_logged_once_and_the_work_continues(start, monkeypatch, caplog, off, message):
    fake = start()
    monkeypatch.setattr("time.time", lambda: fake.clock.now() + off)
    client = connect()
    for offset in (0, 50):
        assert client.saved(offset).total == 130
    assert len(caplog.messages) == bool(message)
    assert all(message in text for text in caplog.messages)


def test_an_endpoint_is_tried_once_and_its_refusal_remembered_for_30_days(start):
    fake = start()
    track = next(iter(fake.library.tracks))
    for _ in range(2):
        with pytest.raises(errors.Withheld, match="has withdrawn audio-features"):
            connect().features([track])
        with pytest.raises(errors.Withheld, match="has withdrawn recommendations"):
            connect().recommended([track])
    assert (len(fake.calls("audio-features")), len(fake.calls("recommendations"))) == (1, 1)
    assert fake.wasted() == []
    fake.clock.advance(31 * 86400)
    with pytest.raises(errors.Withheld):
        connect().features([track])
    assert len(fake.calls("audio-features")) == 2


@pytest.mark.parametrize("scenario", ["premium-lapsed", "not-listed"])
def test_where_all_is_refused_nothing_is_learnt_of_an_endpoint(start, scenario):
    fake = start(scenario)
    for _ in range(3):
        with pytest.raises(errors.AppRefused):
            connect().features(["x" * 22])
    assert state.State.read(fake.client_id).can_call("audio-features") is None
    assert len(fake.log) == 1
    fake.clock.advance(3601)
    with pytest.raises(errors.AppRefused):
        connect().who()
    assert len(fake.calls("^/v1/")) == 2  # once an hour


def test_a_refusal_that_names_no_reason_is_held_against_all_before_it_is_learnt(start):
    fake = start()
    fake.fault("error", status=403, times=None)  # now and for everything
    with pytest.raises(errors.Refused):
        connect().features(["x" * 22])
    assert state.State.read(fake.client_id).can_call("audio-features") is None


def test_what_was_not_allowed_at_the_login_is_not_asked(start):
    fake = start("no-scope")
    with pytest.raises(errors.LoginNeeded, match="you did not allow user-library-read"):
        connect().saved(0)
    assert fake.log == []


def test_a_missing_network_is_an_error_at_once(start, monkeypatch):
    start()
    monkeypatch.setenv("DISCO_SPOTIFY_API", "http://127.0.0.1:1/v1")
    with pytest.raises(errors.SpotifyError, match="cannot be reached; look whether this machine is on the network"):
        connect().saved(0)
    monkeypatch.setenv("DISCO_SPOTIFY_ACCOUNTS", "http://127.0.0.1:1")
    tokens.save(tokens.read() | {"expires_at": 0})
    with pytest.raises(errors.SpotifyError, match="cannot be reached"):
        connect().saved(0)
    assert tokens.path().exists()


@pytest.mark.parametrize("url", ["http://example.org/v1", "ftp://127.0.0.2"])
def test_a_login_goes_over_no_open_line(start, monkeypatch, url):
    start()
    monkeypatch.setenv("DISCO_SPOTIFY_API", url)
    with pytest.raises(DiscoError, match="https alone"):
        connect()


def test_a_search_asks_for_ten_at_most(start):
    fake = start()
    assert len(connect().search("night", 50)) <= 10
    assert fake.log[-1].query["limit"] == "10"


@pytest.mark.parametrize("scenario", [*SCENARIOS])
def test_no_secret_is_ever_printed_or_logged(start, scenario, caplog, capsys):
    caplog.set_level(logging.DEBUG)
    fake = start(scenario)
    secrets = known_secrets(fake)
    spotify.main(["sync", "--dry-run"])
    spotify.main(["status"])
    out, err = capsys.readouterr()
    printed = out + err + caplog.text
    secrets += known_secrets(fake) if tokens.path().exists() else []
    secrets += [*fake.accounts.access, *(one.refresh for one in fake.accounts.consents)]
    assert not [secret for secret in secrets if secret and secret in printed]


def test_a_full_disk_is_an_error_and_the_old_token_is_still_there(start, monkeypatch):
    fake = start()
    before = tokens.path().read_text()

    def full(*_: object, **__: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.open", full)
    with pytest.raises(DiscoError, match="cannot be written \\(No space left on device\\)"):
        connect().saved(0)
    assert tokens.path().read_text() == before
    assert fake.log == []
