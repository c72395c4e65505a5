"""Uploads to Navidrome: songs matched, complete and without doubles wherever they are interrupted."""

from __future__ import annotations

import contextlib
import json
import time

import pytest
from helpers.catalogues import catalogue_of
from helpers.fake import Library, Navidrome
from helpers.spotify import Killed, kill

from disco.cli import order
from disco.errors import DiscoError
from disco.sources import storage
from disco.sources.files import tables
from disco.sources.services import answers, http
from disco.sources.services.navidrome import client, match, upload
from disco.sources.services.resumable import Changed

pytestmark = pytest.mark.network

NAME = "Sunday night"
READS = ("getPlaylist", "getPlaylists", "search3")


@pytest.fixture
def fake(monkeypatch, tmp_path):
    """A server on which the user of the environment is known; waiting takes no time."""
    monkeypatch.setenv("DISCO_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("DISCO_CONFIG", str(tmp_path / "config"))
    monkeypatch.setattr(answers, "_blocked_until", {})
    with Navidrome(Library(tracks=600, saved=10)) as server:
        monkeypatch.setenv("DISCO_NAVIDROME_URL", server.url)
        monkeypatch.setenv("DISCO_NAVIDROME_USER", server.user)
        monkeypatch.setenv("DISCO_NAVIDROME_PASSWORD", server.password)
        monkeypatch.setattr("time.time", server.clock.now)
        monkeypatch.setattr("time.sleep", server.clock.advance)
        yield server


def connect():
    return client.Client(client.login())


def songs(fake, n):
    return list(fake.songs)[:n]


def check(fake, wanted):
    (made,) = [one for one in fake.playlists.values() if one.name == NAME]
    assert made.songs == wanted
    assert list(upload.folder().glob("*.json")) == []


def track_of(fake, own, **changes):
    one = fake.songs[own]
    row = {
        "track_id": one.id,
        "title": one.name.encode("utf-8", "replace").decode(),
        "artists": [artist.name.encode("utf-8", "replace").decode() for artist in one.artists],
        "isrc": one.isrc,
        "path": None,
        "duration_ms": one.duration_ms,
    }
    return {**row, **changes}


@pytest.mark.parametrize("n", [1, 200, 201, 450])
def test_it_is_made_once_filled_in_chunks_and_read_back(fake, n):
    wanted = songs(fake, n)
    address = upload.write(connect(), NAME, wanted)
    check(fake, wanted)
    assert address.startswith(f"{fake.url}/app/#/playlist/")
    assert len(fake.calls("createPlaylist")) == 1
    assert len(fake.calls("updatePlaylist")) == -(-n // 200)
    assert fake.log[-1].path.endswith("getPlaylist")


def test_no_word_of_the_login_is_in_an_address(fake):
    upload.write(connect(), NAME, songs(fake, 3))
    for request in fake.log:
        assert (request.method, request.pairs) == ("POST", ())
        assert fake.password not in request.form.values()
    salts = [request.form["s"] for request in fake.log]
    assert len(set(salts)) == 1
    assert connect().login.salt != salts[0]
    assert fake.password not in repr(client.login())
    assert client.login().token not in repr(client.login())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("verb", "at"), [("createPlaylist", 1), ("updatePlaylist", 1), ("updatePlaylist", 2), ("updatePlaylist", 3)]
)
@pytest.mark.parametrize("fault", ["drop", "error", "cut"])
@pytest.mark.parametrize("after", [False, True])
def test_an_answer_that_does_not_come_is_looked_up(fake, verb, fault, after, at):
    wanted = songs(fake, 450)
    fake.fault(fault, at=at, path=verb, after=after)
    upload.write(connect(), NAME, wanted)
    check(fake, wanted)


@pytest.mark.slow
@pytest.mark.parametrize("verb", ["createPlaylist", "updatePlaylist"])
@pytest.mark.parametrize("form", ["half", "html", "empty", "bytes", "null", "list", "hollow", "deep", "types"])
def test_a_damaged_answer_to_a_write_is_looked_up(fake, verb, form):
    wanted = songs(fake, 250)
    fake.fault("garble", path=verb, form=form)
    upload.write(connect(), NAME, wanted)
    check(fake, wanted)


@pytest.mark.slow
@pytest.mark.parametrize("verb", ["getPlaylists", "getPlaylist"])
@pytest.mark.parametrize("form", ["half", "html", "empty", "null", "hollow", "types"])
def test_a_damaged_answer_to_a_read_doubles_nothing(fake, verb, form):
    wanted = songs(fake, 250)
    fake.fault("drop", path="updatePlaylist", after=True)
    fake.fault("garble", path=f"{verb}$", form=form)
    for _ in range(2):  # what cannot be read even twice is reported, and the same command goes on
        with contextlib.suppress(DiscoError):
            upload.write(connect(), NAME, wanted)
            break
    check(fake, wanted)


def test_a_slow_write_that_took_effect_is_not_done_twice(fake, monkeypatch):
    monkeypatch.setattr(http, "TIMEOUT_S", 0.3)
    wanted = songs(fake, 30)
    fake.fault("slow", path="updatePlaylist", after=True, seconds=0.6)
    upload.write(connect(), NAME, wanted)
    check(fake, wanted)


@pytest.mark.slow
@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", range(1, 8))
def test_killed_at_each_request_and_run_again_it_is_whole_and_single(fake, monkeypatch, at, after):
    wanted = songs(fake, 450)
    with monkeypatch.context() as patch:
        sent = kill(patch, at, after)
        try:
            upload.write(connect(), NAME, wanted)
        except Killed:
            pass
        else:
            assert sent() < at
            return
    upload.write(connect(), NAME, wanted)
    check(fake, wanted)


@pytest.mark.slow
def test_a_lasting_fault_is_an_error_and_the_same_command_resumes(fake, caplog):
    caplog.set_level("INFO", "disco")
    wanted = songs(fake, 450)
    fake.fault("error", at=2, times=None, path="updatePlaylist")
    with pytest.raises(http.UnknownOutcome, match="run the same command again to resume"):
        upload.write(connect(), NAME, wanted)
    fake.heal()
    caplog.clear()
    upload.write(connect(), NAME, wanted)
    check(fake, wanted)
    assert caplog.messages[0] == f"resuming {NAME!r}, which was begun before"


@pytest.mark.parametrize("seconds", [1, 600])
def test_a_short_rate_limit_is_waited_for_and_a_long_one_is_an_error(fake, seconds):
    wanted = songs(fake, 450)
    fake.fault("limit", at=2, path="updatePlaylist", seconds=seconds)
    if seconds > http.MAX_SILENT_WAIT_S:
        with pytest.raises(http.RateLimited, match="accepts no request for 10 minutes; try again then; run the same"):
            upload.write(connect(), NAME, wanted)
        asked = len(fake.log)
        with pytest.raises(http.RateLimited):
            upload.write(connect(), NAME, wanted)
        assert len(fake.log) == asked
        fake.clock.advance(seconds + 1)
    upload.write(connect(), NAME, wanted)
    check(fake, wanted)


@pytest.mark.slow
@pytest.mark.parametrize("change", ["reordered", "added", "removed", "gone"])
def test_what_somebody_changed_meanwhile_is_left_alone(fake, change):
    wanted = songs(fake, 450)
    fake.fault("error", at=2, times=None, path="updatePlaylist")
    with pytest.raises(http.UnknownOutcome):
        upload.write(connect(), NAME, wanted)
    fake.heal()
    (half,) = [one for one in fake.playlists.values() if one.name == NAME]
    if change == "gone":
        del fake.playlists[half.id]
    else:
        half.songs = {
            "reordered": half.songs[::-1],
            "added": [*half.songs, list(fake.songs)[-1]],
            "removed": half.songs[1:],
        }[change]
    kept = list(half.songs)
    with pytest.raises(Changed, match="was changed or deleted since"):
        upload.write(connect(), NAME, wanted)
    assert half.songs == kept
    fake.playlists.pop(half.id, None)
    upload.write(connect(), NAME, wanted)  # a new one
    check(fake, wanted)


def test_a_song_that_the_server_drops_silently_is_an_error(fake):
    with pytest.raises(Changed):
        upload.write(connect(), NAME, [*songs(fake, 2), "nobody"])


def test_another_playlist_of_the_name_is_left_alone(fake):
    upload.write(connect(), NAME, songs(fake, 2))
    fake.fault("drop", path="createPlaylist", after=True)
    upload.write(connect(), NAME, songs(fake, 3))
    assert sorted(len(one.songs) for one in fake.playlists.values() if one.name == NAME) == [2, 3]


@pytest.mark.parametrize("name", ["", "  ", "a\nb\0c", "x" * 3000, "\ud83d half", "<b>&amp;", "\u202eesrever"])
def test_any_name_is_made_fit(fake, name):
    upload.write(connect(), name, songs(fake, 1))
    (made,) = [one for one in fake.playlists.values() if one.owner == fake.user]
    assert made.name
    assert made.name.isprintable()
    assert len(made.name) <= 200


def test_nothing_to_write_makes_no_playlist(fake):
    with pytest.raises(DiscoError, match="nothing to upload"):
        upload.write(connect(), NAME, [])
    assert fake.log == []


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"account": 1}'])
def test_a_damaged_journal_is_passed_over(fake, monkeypatch, text):
    fake.fault("error", times=None, path="updatePlaylist")
    with pytest.raises(http.UnknownOutcome):
        upload.write(connect(), NAME, songs(fake, 2))
    (path,) = upload.folder().glob("*.json")
    path.write_text(text)
    fake.heal()
    upload.write(connect(), NAME, songs(fake, 2))
    assert list(upload.folder().glob("*.json")) == []


@pytest.mark.slow
def test_songs_are_found_by_isrc_path_id_and_name_hostile_ones_too(fake):
    who = connect()
    for own in songs(fake, 160):
        one = fake.songs[own]
        if one.isrc and one.name.strip() and len(one.name) < 1000 and "\ud83d" not in one.name:
            found = match.find(who, track_of(fake, own))
            assert fake.songs[found].isrc == one.isrc
    own = songs(fake, 1)[0]
    assert match.find(who, track_of(fake, own, track_id=own, title=None, artists=None, isrc=None)) == own
    path = "/music/" + fake.song(own)["path"]
    assert match.find(who, track_of(fake, own, isrc=None, artists=["X"], path=path)) == own
    assert match.find(who, track_of(fake, own, isrc=None)) is not None


@pytest.mark.slow
def test_what_is_another_track_is_not_taken(fake):
    who, own = connect(), songs(fake, 1)[0]
    longer = fake.songs[own].duration_ms + 60_000
    assert match.find(who, track_of(fake, own, isrc=None, artists=["Nobody at all"])) is None
    assert match.find(who, track_of(fake, own, isrc=None, duration_ms=longer)) is None
    assert match.find(who, track_of(fake, own, isrc=None, title=None, artists=None)) is None
    assert match.find(who, track_of(fake, own, isrc=None, title=' "" ', artists=[""])) is None


@pytest.mark.parametrize(
    ("theirs", "ours", "same"),
    [
        ("A/B/01 C.flac", "/music/A/B/01 C.flac", True),
        ("A/B/01 C.flac", "D:\\music\\A\\B\\01 C.flac", True),
        ("/srv/A/C.flac", "/srv/A/C.flac", True),
        ("/srv/A/C.flac", "/mnt/srv/A/C.flac", True),
        ("C.flac", "/music/A/C.flac", False),
        ("X/C.flac", "/music/AX/C.flac", False),
        (None, "/a/b", False),
        ("a/b", None, False),
    ],
)
def test_a_song_is_matched_by_the_end_of_its_path(theirs, ours, same):
    track = {"track_id": "ours", "title": "C", "artists": ["A"], "path": ours}
    assert (match._same([{"id": "theirs", "title": "C", "artist": "X", "path": theirs}], track) == "theirs") is same


def test_a_live_take_or_a_song_of_another_isrc_is_not_taken():
    track = {"track_id": "ours", "title": "C", "artists": ["A"], "isrc": "us-abc-12-34567", "duration_ms": 200_000}
    song = {"id": "theirs", "title": "C", "artist": "A", "duration": 200}
    assert match._same([song | {"title": "C (Live)"}, song | {"isrc": ["USABC1234568"]}], track) is None
    assert match._same([song | {"title": "C (feat. B)"}], track) == "theirs"
    assert (
        match._same([song | {"id": "named"}, song | {"title": "X", "isrc": ["x", "USABC1234567"]}], track) == "theirs"
    )


def test_a_wrong_password_is_one_sentence_without_it(fake, monkeypatch):
    monkeypatch.setenv("DISCO_NAVIDROME_PASSWORD", "not this one")
    with pytest.raises(client.Failed, match="knows no user 'one' with this password") as caught:
        connect().search("x")
    assert "not this one" not in str(caught.value)


def test_a_token_and_its_salt_do_as_well(fake, monkeypatch):
    who = client.login()
    monkeypatch.delenv("DISCO_NAVIDROME_PASSWORD")
    monkeypatch.setenv("DISCO_NAVIDROME_TOKEN", who.token)
    monkeypatch.setenv("DISCO_NAVIDROME_SALT", who.salt)
    assert connect().playlists("nothing") == []


@pytest.fixture
def unset(fake, monkeypatch):
    """The login is in the user's file, or nowhere."""
    login = {"url": fake.url, "user": fake.user, "password": fake.password}
    for name in login:
        monkeypatch.delenv(f"DISCO_NAVIDROME_{name.upper()}")
    return json.dumps(login)


def test_the_login_is_read_from_a_file_that_nobody_else_can_read(unset):
    path = storage.user_config_dir() / "navidrome.json"
    with pytest.raises(DiscoError, match="nobody is logged in to Navidrome; set DISCO_NAVIDROME_URL"):
        client.login()
    storage.write_atomic(path, unset, private=True)
    assert connect().playlists("nothing") == []
    path.chmod(0o644)
    with pytest.raises(DiscoError, match="can be read by others; run: chmod 600"):
        client.login()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"url": 1}', "null"])
def test_a_damaged_file_of_the_login_is_one_sentence(unset, text):
    storage.write_atomic(storage.user_config_dir() / "navidrome.json", text, private=True)
    with pytest.raises(DiscoError, match=r"navidrome\.json: cannot be read; write"):
        client.login()


@pytest.mark.parametrize("url", ["music.example", "ftp://music.example", "http://[", "file:///etc/passwd"])
def test_an_address_that_is_none_is_one_sentence(fake, monkeypatch, url):
    monkeypatch.setenv("DISCO_NAVIDROME_URL", url)
    with pytest.raises(DiscoError, match="is no address of a server"):
        client.login()


@pytest.mark.slow
def test_the_command_uploads_and_names_unmatched_tracks(fake, tmp_path, capsys):
    wanted = [own for own in songs(fake, 60) if fake.songs[own].isrc and fake.songs[own].name.isascii()][:8]
    rows = [track_of(fake, own, tempo_bpm=120.0, key=0, mode=1) for own in wanted]
    rows.append({"track_id": "lost", "title": "Nowhere", "artists": ["No One"], "tempo_bpm": 120.0, "key": 0})
    table, listed = tmp_path / "t.parquet", tmp_path / "list.txt"
    tables.write(catalogue_of(rows), table)
    listed.write_text("\n".join(row["track_id"] for row in rows))
    arguments = [
        str(listed),
        "--catalogue",
        str(table),
        "--title",
        NAME,
        "--upload-to",
        "navidrome",
        "--iterations",
        "5",
    ]
    assert order.main(arguments) == 0
    err = capsys.readouterr().err
    (made,) = [one for one in fake.playlists.values() if one.name == NAME]
    assert {fake.songs[own].isrc for own in made.songs} == {fake.songs[own].isrc for own in wanted}
    assert "1 tracks left out, which are not on the server: Nowhere by No One" in err
    assert f"made: {fake.url}/app/#/playlist/{made.id}/show" in err
    assert fake.password not in err


def test_no_network_is_one_sentence(fake, monkeypatch):
    monkeypatch.setenv("DISCO_NAVIDROME_URL", "http://127.0.0.1:9")
    with pytest.raises(http.UnknownOutcome, match=r"^Navidrome cannot be reached"):
        connect().search("x")


@pytest.mark.parametrize(
    ("url", "clear"),
    [("https://music.example", False), ("http://localhost:4533", False), ("http://192.168.1.2:4533", True)],
)
def test_a_login_without_encryption_is_recognised(url, clear):
    assert client.Client(client.Login(url, "one", "t", "s")).unencrypted is clear


def test_a_journal_stored_by_an_earlier_version_is_resumed(fake):
    wanted, server = songs(fake, 250), connect()
    playlist = server.create(NAME)
    server.add(playlist, wanted[:200])
    old = {"account": server.account, "name": NAME, "ids": wanted, "at": time.time(), "before": []}
    upload.folder().mkdir(parents=True)
    (upload.folder() / "0123456789abcdef.json").write_text(json.dumps(old | {"playlist": "", "done": 0}))
    upload.write(server, NAME, wanted)
    check(fake, wanted)
