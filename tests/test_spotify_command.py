"""The command `disco spotify` and Spotify as a source: every scenario works or ends in one clear sentence."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers.catalogues import catalogue_of
from helpers.fake import SCENARIOS, ReccoBeats
from helpers.spotify import log_in

from disco.catalogue import FEATURES
from disco.cli import generate, spotify
from disco.cli import main as command_line
from disco.sources.files import tables
from disco.sources.services import reccobeats
from disco.sources.services.spotify import candidates, features, library, state, tokens
from disco.sources.services.spotify.client import connect

pytestmark = pytest.mark.network


def run(main, *arguments, capsys):
    code = main([str(one) for one in arguments])
    return code, *capsys.readouterr()


def port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def own_table(fake, path: Path) -> Path:
    """What a person may have of features: all tracks, by Spotify's ids."""
    tracks = [
        {
            "track_id": one.id,
            "title": one.name.encode("utf-8", "replace").decode() or None,
            "artists": [artist.name.encode("utf-8", "replace").decode() for artist in one.artists],
            "feature_set": "spotify",
            "tempo_bpm": one.features["tempo"] or None,
            **{name: one.features[name] for name in FEATURES},
        }
        for one in fake.library.tracks.values()
        if one.features
    ]
    tables.write(catalogue_of(tracks), path)
    return path


def seeds(fake, n=3):
    """Ids of measured, named and playable tracks."""
    good = [one for one in fake.library.tracks.values() if one.features and one.playable and one.name.isascii()]
    return [one.id for one in good if one.name.strip()][:n]


# What each scenario ends in: for reading the library, for the published way without and with a table of one's own.
LATER = "accepts no call before"
ENDS = {
    "development-2026": ("", "recommends nothing to apps like this one", ""),
    "old-app": ("", "recommends nothing to apps like this one", ""),
    "extended": ("", "", ""),
    "premium-lapsed": ("no active Premium",) * 3,
    "not-listed": ("User Management",) * 3,
    "rate-limit": ("", "recommends nothing to apps like this one", ""),
    "quota": (LATER, "recommends nothing to apps like this one", ""),
    "expired": ("disco spotify login",) * 3,
    "revoked": ("disco spotify login",) * 3,
    "no-scope": ("did not allow", "recommends nothing to apps like this one", "did not allow"),
    "slow": ("", "recommends nothing to apps like this one", ""),
    "dropping": ("", "recommends nothing to apps like this one", ""),
    "malformed": ("", "recommends nothing to apps like this one", ""),
}


def test_the_table_of_ends_knows_every_scenario():
    assert set(ENDS) == set(SCENARIOS)


@pytest.mark.slow
@pytest.mark.parametrize("scenario", [*SCENARIOS])
def test_every_scenario_ends_in_the_right_thing_or_in_one_sentence(start, scenario, capsys, tmp_path):
    fake = start(scenario, saved=60, **({"seconds": 0.01} if scenario == "slow" else {}))
    read, published, with_table = ENDS[scenario]
    table = own_table(fake, tmp_path / "mine.parquet")

    def ends(main, arguments, sentence):
        code, out, err = run(main, *arguments, capsys=capsys)
        lines = [line for line in err.splitlines() if line.startswith("disco: ")]
        assert code == (1 if sentence else 0), err
        if sentence:
            assert len(lines) == 1
            assert sentence in lines[0]
        assert "Traceback" not in out + err

    asked = [*seeds(fake), "--candidates-from", "spotify", "--length", "5"]
    ends(generate.main, asked, published)
    ends(generate.main, [*asked, "--catalogue", table, "--upload-to", "spotify", "--title", "Through"], with_table)
    ends(spotify.main, ["sync"], read)
    ends(spotify.main, ["status"], "")
    if not with_table:
        (made,) = [one for one in fake.library.playlists if one.name == "Through"]
        assert [entry.id for entry in made.entries][:3] == seeds(fake)
        assert len({entry.id for entry in made.entries}) == 8
    if not read:
        assert library.read().saved == [entry.id for entry in fake.library.saved]
    assert fake.wasted() == []
    if scenario not in ("malformed",):
        assert not [target for target, n in fake.twice().items() if n > 1 and "/items" in target]


@pytest.mark.slow
@pytest.mark.parametrize("scenario", ["extended"])
def test_the_published_way_searches_recommends_and_measures(start, scenario, capsys):
    fake = start(scenario, tracks=600)
    names = [fake.library.tracks[one].name for one in seeds(fake)]
    code, out, _ = run(generate.main, *names, "--candidates-from", "spotify", "--json", "--quiet", capsys=capsys)
    result = json.loads(out)
    assert code == 0
    assert len(result["tracks"]) == 13
    assert result["catalogue"]["where"] == "Spotify's recommendations"
    assert result["catalogue"]["tracks"] <= 403
    for track in result["tracks"]:
        there = fake.library.tracks[track["id"]]
        assert track["tempo_bpm"] == pytest.approx(there.features["tempo"] or None, abs=0.01)
        assert track["key"] == (there.features["key"] if there.features["key"] >= 0 else None)
    paths = [re.sub(r"^/v1/", "", r.path).rstrip("/") for r in fake.calls("^/v1/")]
    assert paths == ["search"] * 3 + ["recommendations"] * 4 + ["audio-features"] * paths.count("audio-features")
    assert all(int(r.query["limit"]) <= 10 for r in fake.calls("search"))
    assert all(r.query["ids"].count(",") < 100 for r in fake.calls("audio-features"))


@pytest.mark.slow
def test_the_notebook_plays_from_spotify(start, capsys):
    fake = start("extended", tracks=600)
    names = [fake.library.tracks[one].name for one in seeds(fake)]
    cells = json.loads((Path(__file__).parents[1] / "pipeline.ipynb").read_text(encoding="utf-8"))["cells"]
    source = "".join(cells[-1]["source"])
    assert source.startswith("SPOTIFY = False")
    for asked, name in zip(
        ("them changes thundercat", "cocoa butter kisses", "girlfriend is better"), names, strict=True
    ):
        source = source.replace(repr(asked).replace("'", '"'), repr(name))
    exec(source.replace("SPOTIFY = False", "SPOTIFY = True"), {})
    assert "13 tracks" in capsys.readouterr().out


@pytest.mark.slow
def test_candidates_are_the_users_own_where_spotify_recommends_nothing(start, capsys, tmp_path):
    fake = start()
    table = own_table(fake, tmp_path / "mine.parquet")
    assert run(spotify.main, "sync", "--catalogue", table, capsys=capsys)[0] == 0
    kept = library.read().tracks
    measured = [
        one for one in kept.table["track_id"].to_pylist() if getattr(fake.library.tracks.get(one), "features", None)
    ]
    assert int(kept.has_comparable_features.sum()) == len(measured) > 100
    code, _, err = run(
        generate.main, *seeds(fake), "--candidates-from", "spotify", "--catalogue", table, "--json", capsys=capsys
    )
    assert code == 0
    assert "Spotify recommends nothing to this app" in err
    assert "in order, not mixed" in err


@pytest.mark.slow
def test_features_of_reccobeats_are_asked_for_only_when_wanted(start, capsys, monkeypatch):
    fake = start()
    with ReccoBeats(fake.library, clock=fake.clock) as recco:
        monkeypatch.setenv("DISCO_RECCOBEATS", recco.api_url)
        run(spotify.main, "sync", capsys=capsys)
        assert recco.log == []
        code, _out, err = run(spotify.main, "sync", "--features-from", "reccobeats", capsys=capsys)
        assert code == 0
        assert "it receives the Spotify ids of these tracks and nothing about you" in err
        kept = library.read().tracks
        assert all(len(r.query["ids"].split(",")) <= 40 for r in recco.log)
        for track in kept.table.to_pylist():
            known = recco.known.get(track["track_id"])
            assert (track["energy"] is not None) == (known is not None)
            if known:
                assert track["energy"] == pytest.approx(known.features["energy"])
        asked = len(recco.log)
        run(spotify.main, "sync", "--features-from", "reccobeats", capsys=capsys)
        assert len(recco.log) - asked <= 3  # the unknown alone


@pytest.mark.parametrize("fault", ["drop", "error", "garble", "quota"])
def test_reccobeats_that_fails_is_a_note_and_what_it_gave_is_kept(start, monkeypatch, fault):
    fake = start()
    with ReccoBeats(fake.library, known=1.0, clock=fake.clock) as recco:
        monkeypatch.setenv("DISCO_RECCOBEATS", recco.api_url)
        recco.fault(fault, at=2, times=None, seconds=3600)
        rows = [{"track_id": one.id} for one in fake.library.tracks.values() if one.features][:100]
        filled = features.fill(catalogue_of(rows), recco=True)
    assert int(filled.has_comparable_features.sum()) == 40
    assert "features of 60 tracks not asked for: ReccoBeats" in filled.notes[0]


def test_reccobeats_is_mapped_by_href_and_nobody_elses_tracks_are_taken(start, monkeypatch):
    fake = start()
    with ReccoBeats(fake.library, known=1.0) as recco:
        monkeypatch.setenv("DISCO_RECCOBEATS", recco.api_url)
        some = [one for one in fake.library.tracks.values() if one.features][:40]
        rows = {row["track_id"]: row for row in reccobeats.features([one.id for one in some] + ["z" * 22])}
    assert set(rows) == {one.id for one in some}
    for one in some:
        assert rows[one.id]["valence"] == one.features["valence"]
        assert rows[one.id]["tempo_bpm"] == (one.features["tempo"] or None)
        assert rows[one.id]["key"] == (one.features["key"] if one.features["key"] >= 0 else None)


def full(**known):
    return {**dict.fromkeys(FEATURES, 0.5), "feature_set": "spotify", "key": 5, "mode": 1, **known}


def test_features_are_joined_by_id_then_isrc_then_name_and_length():
    own = catalogue_of(
        [
            full(track_id="a", energy=0.1),
            full(track_id="b", isrc="XXAAA0000001", energy=0.2),
            full(track_id="c", title="Héllo!", artists=["Some Óne", "Other"], duration_ms=200_000, energy=0.3),
            {"track_id": "d", "isrc": "XXAAA0000002"},  # has none itself
            full(track_id="e", title=None, artists=None, energy=0.9),
        ]
    )
    asked = [
        {"track_id": "a", "isrc": "XXAAA0000001"},
        {"track_id": "B", "isrc": "XXAAA0000001"},
        {"track_id": "C", "title": "hello", "artists": ["Some One"], "duration_ms": 202_000, "tempo_bpm": 99.0},
        {"track_id": "C2", "title": "hello", "artists": ["Some One"], "duration_ms": 240_000},  # another recording
        {"track_id": "C3", "title": "hello", "artists": ["Some One"]},
        {"track_id": "D", "isrc": "XXAAA0000002"},
        {"track_id": "E"},
        {"track_id": "F", "title": "", "artists": []},
    ]
    joined = features.join(catalogue_of(asked), own)
    energy = joined.numbers("energy")
    np.testing.assert_allclose(energy, [0.1, 0.2, 0.3, np.nan, 0.3, np.nan, np.nan, np.nan], rtol=1e-6)
    assert joined.table["track_id"].to_pylist() == [one["track_id"] for one in asked]
    assert joined.table["key"].to_pylist() == [5, 5, 5, None, 5, None, None, None]
    assert joined.tempos[2] == 99


def test_features_that_are_there_are_not_replaced():
    tracks = catalogue_of([full(track_id="a", energy=0.7)])
    assert features.join(tracks, catalogue_of([full(track_id="a", energy=0.1)])).numbers("energy")[0] == np.float32(
        0.7
    )


@pytest.mark.slow
def test_tracks_that_spotify_does_not_have_are_reported_and_left_out(start, capsys, tmp_path):
    fake = start()
    there = next(one for one in fake.library.tracks.values() if one.isrc and one.isrc.endswith("2"))
    tracks = [
        full(track_id="/music/one.mp3", title="One", artists=["A"]),
        full(track_id="/music/two.mp3", title="Two", artists=["B"], isrc=there.isrc),
    ]
    tables.write(catalogue_of(tracks), tmp_path / "mine.parquet")
    where = ["--catalogue", tmp_path / "mine.parquet"]
    code, _, err = run(
        generate.main, "two", *where, "--upload-to", "spotify", "--title", "X", "--length", 1, capsys=capsys
    )
    assert code == 0
    assert "1 tracks left out, which have no id or ISRC that Spotify knows: One by A" in err
    assert [entry.id for entry in fake.library.playlist("X").entries] == [there.id]


@pytest.fixture
def browser(monkeypatch):
    """The fake's person at the browser."""
    return lambda fake: monkeypatch.setattr("webbrowser.open", fake.browser)


def test_login_keeps_the_token_greets_and_tells_the_terms(start, browser, capsys):
    fake = start(login=False)
    browser(fake)
    code, out, _ = run(spotify.main, "login", "--client-id", fake.client_id, "--port", port(), capsys=capsys)
    assert code == 0
    assert out.startswith("logged in as One; the token is stored in ")
    assert "never mixed or faded" in out
    assert tokens.read()["account"] == "aB3dE5fG7h"
    query = fake.calls("/authorize")[0].query
    assert query["redirect_uri"].startswith("http://127.0.0.1:")
    assert (query["code_challenge_method"], len(query["state"])) == ("S256", 32)
    assert "client_secret" not in fake.calls("/api/token")[0].form
    code, out, _ = run(spotify.main, "login", "--port", port(), capsys=capsys)  # the last client id
    assert code == 0


def test_declining_keeps_nothing(start, browser, capsys):
    fake = start(login=False)
    browser(fake)
    fake.agrees = False
    code, _, err = run(spotify.main, "login", "--client-id", fake.client_id, "--port", port(), capsys=capsys)
    assert (code, tokens.path().exists()) == (1, False)
    assert "you declined in the browser" in err


def test_a_login_that_allows_less_says_so(start, browser, capsys):
    fake = start("no-scope", login=False)
    browser(fake)
    code, out, _ = run(spotify.main, "login", "--client-id", fake.client_id, "--port", port(), capsys=capsys)
    assert code == 0
    assert "not allowed, and therefore not possible: playlist-modify-private, playlist-read-collaborative" in out


@pytest.mark.parametrize("text", ["", "abc", "C" * 32, "g" * 32, "http://x"])
def test_a_client_id_that_is_none_is_reported_before_anything_is_sent(start, capsys, text):
    fake = start(login=False)
    code, _, err = run(spotify.main, "login", "--client-id", text, capsys=capsys)
    assert code == 1
    assert "developer.spotify.com/dashboard" in err
    assert fake.log == []


@pytest.mark.slow
def test_a_wrong_client_id_is_reported(start, browser, monkeypatch):
    fake = start(login=False)
    browser(fake)
    with pytest.raises(Exception, match="nobody came back from the browser; if it shows INVALID_CLIENT"):
        tokens.login("d" * 32, port(), fake.browser, patience=1)
    log_in(fake)
    tokens.save(tokens.read() | {"client_id": "d" * 32, "expires_at": 0})
    with pytest.raises(Exception, match="does not know this client id"):
        connect().saved(0)


def test_the_address_can_be_pasted(start, capsys, monkeypatch):
    fake = start(login=False)
    from urllib.parse import parse_qs, urlsplit

    from helpers.fake.caller import call

    shown = []
    monkeypatch.setattr("disco.cli.console.say", shown.append)

    class Hand(io.StringIO):
        def readline(self, *_):
            address = shown[0].partition("agree: ")[2]
            return call(fake, "GET", address).headers["location"] + "\n"

    monkeypatch.setattr("sys.stdin", Hand())
    code, _out, _ = run(spotify.main, "login", "--client-id", fake.client_id, "--paste", capsys=capsys)
    assert code == 0
    assert parse_qs(urlsplit(fake.calls("/authorize")[0].path).query) == {}
    assert tokens.read()["client_id"] == fake.client_id


def test_a_callback_from_elsewhere_does_not_log_in(start):
    fake = start(login=False)
    from urllib.request import urlopen

    where = port()

    def show(address):
        import threading

        def visit():
            for query in ("code=evil&state=guess", "code=evil", "error=access_denied&state=x"):
                with contextlib.suppress(OSError):
                    urlopen(f"http://127.0.0.1:{where}/callback?{query}", timeout=5)
            fake.browser(address)

        threading.Thread(target=visit, daemon=True).start()

    tokens.login(fake.client_id, where, show, patience=20)
    assert [r.form["code"] for r in fake.calls("/api/token")] != ["evil"]


def test_a_port_that_is_taken_is_reported(start):
    fake = start(login=False)
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        with pytest.raises(Exception, match="is taken; name another with --port"):
            tokens.login(fake.client_id, busy.getsockname()[1], lambda address: None)


@pytest.mark.slow
def test_disconnect_removes_all_but_the_count_of_calls(start, capsys, monkeypatch):
    fake = start("extended")
    run(spotify.main, "sync", capsys=capsys)
    made = state.State.read(fake.client_id).made
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    assert run(spotify.main, "disconnect", capsys=capsys)[0] == 1
    assert tokens.path().exists()
    assert run(spotify.main, "disconnect", "--yes", capsys=capsys)[0] == 0
    kept = [path for root in (os.environ["DISCO_DATA"], os.environ["DISCO_CONFIG"]) for path in Path(root).rglob("*")]
    assert [path.name for path in kept if path.is_file()] == ["state.json"]
    assert set(json.loads(state.path().read_text())[fake.client_id]) == {"calls", "shut"}
    assert state.State.read(fake.client_id).made == made > 0
    _code, out, _ = run(spotify.main, "status", capsys=capsys)
    assert "you are not logged in" in out
    assert run(spotify.main, "disconnect", "--yes", capsys=capsys)[0] == 0  # twice does no harm


@pytest.mark.slow
def test_status_asks_nobody_and_speaks_json(start, capsys):
    fake = start()
    run(spotify.main, "sync", capsys=capsys)
    calls = len(fake.log)
    code, out, _ = run(spotify.main, "status", "--json", capsys=capsys)
    result = json.loads(out)
    assert (code, len(fake.log)) == (0, calls)
    assert set(result) == {"login", "calls", "app", "wait", "library", "unfinished"}
    assert result["app"]["audio-features"] == "withdrawn from this app"


@pytest.mark.slow
def test_sync_finishes_a_playlist_that_was_cut_off(start, capsys):
    from disco.sources.services.spotify import upload

    fake = start()
    wanted = list(fake.library.tracks)[:150]
    fake.fault("error", at=2, times=None, method="POST", path="/items")
    with pytest.raises(Exception, match="same command"):
        upload.write(connect(), "Half", wanted)
    assert "Half is incomplete" in run(spotify.main, "status", capsys=capsys)[1]
    fake.heal()
    assert (
        "finished uploading Half: https://open.spotify.com/playlist/" in run(spotify.main, "sync", capsys=capsys)[1]
    )
    assert [entry.id for entry in fake.library.playlist("Half").entries] == wanted


@pytest.mark.process
@pytest.mark.parametrize("way", [["-m", "disco", "spotify"]])
def test_the_command_runs_from_the_shell(way, tmp_path):
    environment = {**os.environ, "DISCO_CONFIG": str(tmp_path), "DISCO_DATA": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, *way, "status"], capture_output=True, text=True, check=True, env=environment
    )
    assert "you are not logged in; run: disco spotify login" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["--candidates-from", "spotify"], 2, "give seeds"),
        (["--title", "x", "--candidates-from", "spotify"], 2, "--candidates-from finds tracks for seeds"),
        (["--example", "--upload-to", "spotify"], 2, "invented tracks"),
        (["a", "--upload-to", "nowhere"], 2, "invalid choice"),
        (["", "--candidates-from", "spotify"], 1, "a seed is empty"),
    ],
)
def test_generate_says_what_cannot_be(start, arguments, code, sentence, capsys):
    start()
    found, _, err = run(generate.main, *arguments, capsys=capsys)
    assert found == code
    assert sentence in err


def test_a_text_that_spotify_finds_nothing_for_is_reported(start, capsys):
    start()
    code, _, err = run(generate.main, "zzzyyyxxx", "--candidates-from", "spotify", capsys=capsys)
    assert code == 1
    assert "Spotify finds no track for 'zzzyyyxxx'" in err


def test_help_is_there():
    assert command_line.main(["spotify", "--help"]) == 0
    assert candidates.Gathered
