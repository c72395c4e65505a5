"""The server of the page is safe: who may ask, how much may be sent, which files it gives out, what it answers."""

from __future__ import annotations

import base64
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import time
import wave
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyarrow as pa
import pytest

pytest.importorskip("fastapi")
pytest.importorskip("dash_mantine_components")

import requests
from helpers.catalogues import random_catalogue
from helpers.fake import Library, Navidrome
from helpers.page import serving
from helpers.random_requests import wrong_answers

from disco.app.reading import Reading
from disco.app.server import Options, from_environment, to_environment
from disco.catalogue import SCHEMA, Catalogue
from disco.errors import DiscoError
from disco.sources.files import tables
from disco.sources.progress import Count, Interval

pytestmark = [pytest.mark.network, pytest.mark.slow, pytest.mark.xdist_group("app")]
STATE = {"seeds": ["demo-00001"], "length": 3}
PASSWORD = "correct horse ü"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with serving() as found:
        yield found


@pytest.fixture(scope="module")
def guarded() -> Iterator[str]:
    with serving(password=PASSWORD) as found:
        yield found


def post(address: str, what: str, sent: Any = None, **more: Any) -> requests.Response:
    return requests.post(f"{address}/page/{what}", json=sent, timeout=60, **more)


def raw(address: str, request: bytes, more: Iterable[bytes] = ()) -> bytes:
    """What comes back to bytes of our own, for what no client would send."""
    host, port = address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        try:
            connection.sendall(request)
            for part in more:
                connection.sendall(part)
        except OSError:
            pass  # it was refused while it was being sent
        try:
            return connection.recv(65536)
        except ConnectionResetError:
            return b""


# Who may ask


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "http://127.0.0.1:1", "null", "", "http://[", "http://localhost.evil.example"]
)
def test_another_site_may_not_ask(address: str, origin: str) -> None:
    for path in ("page/play", "v1/playlists"):
        answer = requests.post(f"{address}/{path}", json={"state": STATE}, headers={"origin": origin}, timeout=60)
        assert answer.status_code == 403
        assert "access-control-allow-origin" not in answer.headers


def test_the_page_itself_may_ask(address: str) -> None:
    assert post(address, "play", {"state": STATE}, headers={"origin": address}).status_code == 200


def test_another_site_may_not_even_if_its_browser_names_no_origin(address: str) -> None:
    assert post(address, "play", {"state": STATE}, headers={"sec-fetch-site": "cross-site"}).status_code == 403


@pytest.mark.parametrize(
    "host", ["evil.example", "[::1", "evil.example:8050", "127.0.0.1.evil.example", "169.254.169.254", "", "["]
)
def test_a_name_of_elsewhere_that_leads_here_is_refused(address: str, host: str) -> None:
    answer = raw(address, f"GET /page/ready HTTP/1.1\r\nhost: {host}\r\n\r\n".encode())
    assert answer.split(b" ", 2)[1] in (b"421", b"400")
    assert b'"tracks"' not in answer


@pytest.mark.parametrize(
    "given",
    [
        "",
        "Basic " + base64.b64encode(b"disco:wrong").decode(),
        "Basic " + base64.b64encode(b"disco:").decode(),
        "Basic " + base64.b64encode(PASSWORD.encode()).decode(),
        "Basic not base64",
        "Basic /////w==",
        "Bearer " + base64.b64encode(f"disco:{PASSWORD}".encode()).decode(),
    ],
)
def test_without_the_password_nothing_is_answered(guarded: str, given: str) -> None:
    headers = {"authorization": given} if given else {}
    for path in ("", "page/ready", "page/audio/x", "assets/style.css", "_dash-layout", "v1/openapi.json"):
        answer = requests.get(f"{guarded}/{path}", headers=headers, timeout=60)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Basic")
        assert answer.json() == {"error": "the password is missing or wrong"}


def test_with_the_password_it_is_answered(guarded: str) -> None:
    given = "Basic " + base64.b64encode(f"anybody:{PASSWORD}".encode()).decode()
    assert requests.get(f"{guarded}/page/ready", headers={"authorization": given}, timeout=60).json()["ready"]


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::", "example.org", ""])
def test_it_is_not_served_elsewhere_without_a_password(host: str) -> None:
    with pytest.raises(DiscoError, match="DISCO_APP_PASSWORD"):
        Options(host=host)
    assert "secret" not in repr(Options(host=host, password="secret"))


# How much may be sent


def test_an_upload_of_a_gigabyte_is_refused_before_it_is_sent(address: str) -> None:
    head = f"POST /page/open?name=a.csv HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: {10**9}\r\n\r\n"
    answer = raw(address, head.encode())
    assert answer.startswith(b"HTTP/1.1 413")
    assert b"larger than the 24 MB" in answer


def test_an_upload_of_a_gigabyte_that_does_not_say_so_is_cut_off(address: str) -> None:
    sent = 0

    def parts() -> Iterator[bytes]:
        nonlocal sent
        part = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
        for _ in range(1000):
            sent += 1
            yield part

    head = b"POST /page/open?name=a.csv HTTP/1.1\r\nhost: 127.0.0.1\r\ntransfer-encoding: chunked\r\n\r\n"
    answer = raw(address, head, parts())
    assert not answer.startswith(b"HTTP/1.1 200")
    assert b"Traceback" not in answer
    assert sent < 200, "it was read to the end"
    assert post(address, "play", {"state": STATE}).status_code == 200


@pytest.mark.parametrize("length", ["-1", "1e3", "abc", "１２"])
def test_a_length_that_is_no_number_is_refused(address: str, length: str) -> None:
    head = f"POST /page/open HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: {length}\r\n\r\n".encode()
    assert raw(address, head).split(b" ", 2)[1] in (b"400", b"413")


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b"nul", b'{"state": NaN}', b"[" * 100_000, b'{"state": "\\ud800"}']
)
def test_what_is_no_object_of_json_is_refused_in_a_sentence(address: str, body: bytes) -> None:
    for what in ("play", "search", "choices", "names", "correct", "send", "export"):
        answer = post(address, what, data=body)
        assert answer.status_code == 400, (what, answer.text)
        assert answer.json()["error"]


@pytest.mark.parametrize(
    "name",
    ["../../../etc/passwd", "..\\..\\boot.ini", "/etc/shadow", "a\x00b.csv", "<img src=x onerror=alert(1)>.csv",
     "x" * 5000, "list.parquet", "list.db", "list.zip", "list.html", ".csv", "con", "~/.bashrc", "$(id).csv",
     "\u202evsc.exe"],
)  # fmt: skip
def test_a_hostile_name_of_an_upload_is_only_shown_and_harmless(address: str, name: str) -> None:
    for content in (b"", b"title,artist\nNight,Bus\n", b"\x89PNG\r\n\x1a\n" + bytes(range(256))):
        answer = requests.post(f"{address}/page/open", params={"name": name}, data=content, timeout=60)
        assert answer.status_code in (200, 400)
        assert "Traceback" not in answer.text
        assert "disco-upload-" not in answer.text
        assert "root:" not in answer.text
        assert "<img" not in answer.text


# Which files it gives out


def write_sound(path: Path, seconds: float = 0.5) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(int(16000 * seconds)))


@pytest.fixture(scope="module")
def music(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A server over a folder of sounds, beside which lie others; and the folder."""
    root = tmp_path_factory.mktemp("files")
    folder = root / "Music"
    for name in ("Mira Vale - Night Bus", "Mira Vale - Slow Train", "The Night Owls - Moon"):
        write_sound(folder / f"{name}.wav")
    write_sound(root / "Private" / "Somebody - Secret.wav")
    (folder / "Somebody - Elsewhere.wav").symlink_to(root / "Private" / "Somebody - Secret.wav")
    (folder / "passwords.txt").write_text("secret", encoding="utf-8")
    with serving((str(folder),)) as address:
        yield address, folder


def sounds(address: str) -> dict[str, str]:
    """Ids of the tracks of a server by their titles."""
    found = post(address, "search", {"text": "night"}).json() + post(address, "search", {"text": "somebody"}).json()
    return {row["title"].casefold(): row["id"] for row in found}


def test_a_sound_of_the_catalogue_is_played_and_a_part_of_it(music: tuple[str, Path]) -> None:
    address, folder = music
    track = sounds(address)["night bus"]
    content = (folder / "Mira Vale - Night Bus.wav").read_bytes()
    whole = requests.get(f"{address}/page/audio/{quote(track, safe='')}", timeout=60)
    assert (whole.status_code, whole.headers["content-type"], whole.content) == (200, "audio/wav", content)
    part = requests.get(whole.url, headers={"range": "bytes=100-199"}, timeout=60)
    assert (part.status_code, part.content) == (206, content[100:200])
    assert part.headers["content-range"] == f"bytes 100-199/{len(content)}"
    beyond = requests.get(whole.url, headers={"range": f"bytes={10**9}-"}, timeout=60)
    assert beyond.status_code == 416


def test_a_link_that_leads_out_of_the_folder_is_not_followed(music: tuple[str, Path]) -> None:
    address, folder = music
    for track in (sounds(address).get("elsewhere"), str(folder / "Somebody - Elsewhere.wav")):
        if track:
            answer = requests.get(f"{address}/page/audio/{quote(track, safe='')}", timeout=60)
            assert answer.status_code == 404


@pytest.mark.parametrize(
    "path",
    ["../Private/Somebody - Secret.wav", "..%2f..%2fetc%2fpasswd", "%2e%2e/%2e%2e/etc/passwd", "/etc/passwd",
     "passwords.txt", "....//....//etc/passwd", "%00", "file:///etc/passwd", "x" * 10_000],
)  # fmt: skip
def test_no_other_file_is_given_out(music: tuple[str, Path], path: str) -> None:
    address, folder = music
    for asked in (path, f"{folder}/{path}"):
        for place in ("page/audio", "assets"):
            answer = raw(
                address, f"GET /{place}/{quote(asked, safe='%/.')} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n".encode()
            )
            assert answer.split(b" ", 2)[1] in (b"404", b"403", b"400", b"414", b"431", b"307"), answer[:200]
            assert b"root:" not in answer
            assert b"secret" not in answer


def test_a_table_gives_out_no_files_at_all(tmp_path: Path) -> None:
    write_sound(tmp_path / "a.wav")
    tracks = random_catalogue(20, seed=1).table.to_pylist()
    tracks[0]["path"] = str(tmp_path / "a.wav")
    tables.write(Catalogue(pa.Table.from_pylist(tracks, SCHEMA), "t"), tmp_path / "tracks.parquet")
    with serving((str(tmp_path / "tracks.parquet"),)) as address:
        answer = requests.get(f"{address}/page/audio/{quote(tracks[0]['track_id'])}", timeout=60)
        assert answer.status_code == 404


# What it answers


def test_every_answer_has_the_headers_of_safety(address: str) -> None:
    for method, path in (
        ("GET", ""), ("GET", "page/ready"), ("POST", "page/play"), ("GET", "assets/style.css"), ("GET", "none"),
        ("GET", "page/audio/x"), ("DELETE", "page/play"), ("POST", "v1/search"), ("GET", "v1/openapi.json"),
    ):  # fmt: skip
        headers = requests.request(method, f"{address}/{path}", timeout=60).headers
        policy = headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "object-src 'none'" in policy
        script = next(part for part in policy.split("; ") if part.startswith("script-src"))
        assert "unsafe" not in script
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cross-origin-resource-policy"] == "same-origin"


def test_another_catalogue_begins_with_its_most_popular_track(tmp_path: Path) -> None:
    tracks = random_catalogue(80, seed=4).table.to_pylist()
    tracks[17]["popularity"] = 1e2
    tables.write(Catalogue(pa.Table.from_pylist(tracks, SCHEMA), "t"), tmp_path / "tracks.parquet")
    with serving((str(tmp_path / "tracks.parquet"),)) as address:
        first = requests.get(f"{address}/page/ready", timeout=60).json()["first"]
        assert first[0] == "t00017"
        assert len(set(first)) == 3
        assert len(post(address, "play", {"state": {"seeds": first}}).json()["rows"]) == 13


def test_hostile_titles_are_data_and_never_markup(tmp_path: Path) -> None:
    tracks = random_catalogue(60, seed=2).table.to_pylist()
    for i, track in enumerate(tracks):
        track["title"] = f"</script><img src=x onerror=alert({i})>\u202e\x1b[31m\x07"
    tables.write(Catalogue(pa.Table.from_pylist(tracks, SCHEMA), "t"), tmp_path / "tracks.parquet")
    with serving((str(tmp_path / "tracks.parquet"),)) as address:
        answer = post(address, "play", {"state": {"seeds": [tracks[0]["track_id"]], "length": 5}, "figure": "map"})
        assert answer.headers["content-type"] == "application/json"
        shown = [row["title"] for row in answer.json()["rows"]]
        assert not any(ord(character) < 32 or character in "\u202e\x1b" for title in shown for character in title)
        assert "alert" not in requests.get(address, timeout=60).text


def test_a_correction_is_kept_and_applies_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISCO_DATA", str(tmp_path))
    with serving() as address:
        assert post(address, "correct", {"id": "demo-00001", "key": "8A", "bpm": "101.5"}).json() == {"kept": True}
        first = post(address, "play", {"state": STATE}).json()["rows"][0]
        assert (first["key"], first["bpm"]) == ("8A", 101.5)
        for wrong in (
            {"id": "none", "key": "8A"},
            {"id": "demo-00001", "key": "99Z"},
            {"id": "demo-00001"},
            {"key": "8A"},
        ):
            assert post(address, "correct", wrong).status_code == 400
    with serving() as address:  # and after a start
        assert post(address, "play", {"state": STATE}).json()["rows"][0]["bpm"] == 101.5


def test_the_share_of_the_work_that_is_done_is_known_while_the_catalogue_is_read(monkeypatch, caplog) -> None:
    monkeypatch.setattr(Interval, "is_over", lambda self: True)  # not only every two seconds

    def read() -> Catalogue:
        Count(50, "tracks placed").add(12)
        seen.append((reading.progress, reading.share))
        raise DiscoError("enough")

    seen: list[Any] = []
    reading = Reading(read)
    caplog.set_level(logging.INFO, "disco")
    reading.start()
    assert reading.wait(60)
    assert seen == [("12 of 50 tracks placed", 0.24)]
    assert reading.error == "enough"


@pytest.mark.parametrize("kind", ["missing", "empty", "no tracks"])
def test_a_catalogue_that_cannot_be_used_is_explained_while_the_page_is_served(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "tracks.csv"
    if kind != "missing":
        path.write_text("" if kind == "empty" else "track_id,title,artists,tempo_bpm\n", encoding="utf-8")
    with serving((str(path),)) as address:
        assert requests.get(address, timeout=60).status_code == 200
        ready = requests.get(f"{address}/page/ready", timeout=60).json()
        assert not ready["ready"]
        assert "tracks.csv" in ready["error"]
        answer = post(address, "play", {"state": STATE})
        assert (answer.status_code, answer.json()["error"]) == (400, ready["error"])


def test_a_catalogue_without_keys_is_played_all_the_same(tmp_path: Path) -> None:
    tracks = random_catalogue(80, seed=3).table.to_pylist()
    for track in tracks:
        track |= {"key": None, "mode": None}
    tables.write(Catalogue(pa.Table.from_pylist(tracks, SCHEMA), "t"), tmp_path / "tracks.parquet")
    with serving((str(tmp_path / "tracks.parquet"),)) as address:
        answer = post(address, "play", {"state": {"seeds": [tracks[0]["track_id"]], "length": 5}}).json()
        assert [row["key"] for row in answer["rows"]] == [None] * 6
        assert {join["key"] for join in answer["joins"]} == {"unknown"}


def test_a_link_of_another_catalogue_says_what_is_not_here(address: str) -> None:
    some = post(address, "play", {"state": {"seeds": ["demo-00001", "elsewhere"], "length": 2}})
    assert any("1 tracks of this link are not in" in note for note in some.json()["notes"])
    none = post(address, "play", {"state": {"seeds": ["elsewhere"]}})
    assert none.status_code == 400
    assert "none of the tracks of this link" in none.json()["error"]


@pytest.mark.parametrize("value", [0, 10, -1e300, 1e300, 10**400, "5", None, True, [1], {}])
def test_knobs_at_their_limits_and_beyond_make_a_playlist(address: str, value: Any) -> None:
    knobs = dict.fromkeys(("flow", "spicyness", "sweetness", "smoothness", "variety", "variety_seed"), value)
    answer = post(address, "play", data=json.dumps({"state": {**STATE, **knobs}}))
    assert answer.status_code == 200, answer.text
    assert len(answer.json()["rows"]) == 4
    assert all(0 <= knob <= 10 for knob in answer.json()["knobs"].values())


@pytest.mark.process
def test_several_processes_answer_as_one_and_a_correction_reaches_all(tmp_path: Path) -> None:
    environment = {**os.environ, "DISCO_DATA": str(tmp_path)}
    command = [sys.executable, "-m", "disco", "app", "-q", "--no-browser", "--port", "0", "--workers", "2"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as server:
        try:
            assert server.stdout
            address = server.stdout.readline().split()[3].rstrip("/")
            first = {post(address, "play", {"state": STATE}).text for _ in range(8)}
            assert len(first) == 1
            assert post(address, "correct", {"id": "demo-00001", "bpm": "101.5"}).status_code == 200
            found = {post(address, "play", {"state": STATE}).json()["rows"][0]["bpm"] for _ in range(16)}
            assert found == {101.5}
            if sys.platform == "linux":
                killed, *_ = before = children(server.pid)
                assert len(before) == 2
                os.kill(killed, signal.SIGKILL)
                until(lambda: len(children(server.pid)) == 2 and killed not in children(server.pid))
                assert post(address, "play", {"state": STATE}).status_code == 200
        finally:
            server.terminate()
    assert server.returncode == 0


@pytest.mark.process
@pytest.mark.skipif(sys.platform != "linux", reason="only there processes are forked")
def test_processes_end_with_the_one_that_watches_over_them(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "disco", "app", "-q", "--no-browser", "--port", "0", "--workers", "2"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        address = server.stdout.readline().split()[3].rstrip("/")
        assert post(address, "play", {"state": STATE}).status_code == 200
        until(lambda: len(children(server.pid)) == 2)
        answering = children(server.pid)
        server.kill()
        until(lambda: not any(Path(f"/proc/{each}").exists() for each in answering))


def children(process: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_options_of_several_processes_are_those_of_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISCO_APP_OPTIONS", "")
    monkeypatch.setenv("DISCO_APP_PASSWORD", "")
    to_environment(Options(("none.csv",), "0.0.0.0", 80, "secret"))
    assert "secret" not in os.environ["DISCO_APP_OPTIONS"]
    app = from_environment()
    assert app.state.reading.wait(60)
    assert "none.csv" in app.state.reading.error


def test_random_requests_are_answered_without_an_error_of_the_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISCO_DATA", str(tmp_path))  # `python tests/helpers/random_requests.py 5000` asks more
    with serving() as address:
        wrong, statuses = wrong_answers(address, 200, seed=7)
    assert not wrong
    assert statuses[200] > 60
    assert statuses[400] > 30


def test_a_playlist_is_sent_where_somebody_is_connected(monkeypatch, tmp_path):
    monkeypatch.setenv("DISCO_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("DISCO_CONFIG", str(tmp_path / "config"))
    with Navidrome(Library(tracks=40, saved=10)) as service:
        songs = random_catalogue(3).table.to_pylist()
        for song, there in zip(songs, service.songs.values(), strict=False):
            song.update(title=there.name, artists=[artist.name for artist in there.artists], isrc=there.isrc)
        tables.write(Catalogue(pa.Table.from_pylist(songs, SCHEMA), "t"), tmp_path / "songs.parquet")
        with serving((str(tmp_path / "songs.parquet"),)) as address:
            sent = {"state": {"seeds": [songs[0]["track_id"]], "length": 2}, "to": "navidrome"}
            refused = post(address, "send", sent)
            assert refused.status_code == 400
            assert "nobody is logged in to Navidrome" in refused.json()["error"]
            monkeypatch.setenv("DISCO_NAVIDROME_URL", service.url)
            monkeypatch.setenv("DISCO_NAVIDROME_USER", service.user)
            monkeypatch.setenv("DISCO_NAVIDROME_PASSWORD", service.password)
            answer = post(address, "send", sent).json()
            assert answer["address"].startswith(f"{service.url}/app/#/playlist/")
        wanted = list(service.songs)[:3]
        assert any(sorted(made.songs) == sorted(wanted) for made in service.playlists.values())
