"""The fakes themselves: a client is only as well tested as the service it was tested against."""

from __future__ import annotations

import base64
import hashlib
import http.client
import http.server
import random
import socket
import threading
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from helpers.fake import FORMS, SCENARIOS, Library, ListenBrainz, Navidrome, ReccoBeats, Spotify
from helpers.fake.accounts import CODE_S
from helpers.fake.caller import Reply, call
from helpers.fake.fields import pick
from helpers.fake.library import HOSTILE
from helpers.fake.listenbrainz import ALGORITHMS, mbid
from helpers.fake.navidrome import song_id
from helpers.fake.reccobeats import own_id
from helpers.fake.scenarios import HOUR_S, MONTH_S

pytestmark = pytest.mark.network

SMALL = {"tracks": 300, "saved": 130}
CALLBACK = "http://127.0.0.1:9/callback"
VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


def api(fake: Spotify, method: str, where: str, body=None, token: str | None = None) -> Reply:
    return call(fake, method, f"/v1/{where}", body, token=token or fake.grant()["access_token"])


def message(reply: Reply) -> str:
    return reply.json["error"].get("message", "")


def authorize(fake: Spotify, **changes: str) -> Reply:
    query = {
        "client_id": fake.client_id,
        "response_type": "code",
        "redirect_uri": CALLBACK,
        "code_challenge_method": "S256",
        "code_challenge": CHALLENGE,
        "state": "s t&te",
        "scope": "user-library-read",
        **changes,
    }
    return call(fake, "GET", "/authorize", query={name: value for name, value in query.items() if value})


def exchange(fake: Spotify, code: str, /, **changes: str) -> Reply:
    form = {
        "client_id": fake.client_id,
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": CALLBACK,
        "code_verifier": VERIFIER,
        **changes,
    }
    return call(fake, "POST", "/api/token", form=form)


def refresh(fake: Spotify, token: str) -> Reply:
    form = {"client_id": fake.client_id, "grant_type": "refresh_token", "refresh_token": token}
    return call(fake, "POST", "/api/token", form=form)


def back(reply: Reply) -> dict[str, str]:
    assert reply.status == 302
    return dict(parse_qsl(urlsplit(reply.headers["location"]).query))


# --- the consent and its tokens


def test_a_login_gives_tokens_that_open_the_api():
    with Spotify(**SMALL) as fake:
        answer = back(authorize(fake))
        assert answer["state"] == "s t&te"
        token = exchange(fake, answer["code"]).json
        assert token["token_type"] == "Bearer"
        assert token["expires_in"] == HOUR_S
        assert token["scope"] == "user-library-read"
        assert api(fake, "GET", "me/tracks", token=token["access_token"]).status == 200
        assert message(api(fake, "GET", "me/top/tracks", token=token["access_token"])) == "Insufficient client scope"


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "another"},
        {"redirect_uri": "http://localhost:9/callback"},
        {"redirect_uri": "http://example.org/callback"},
        {"redirect_uri": "http://127.0.0.1:9/elsewhere"},
        {"response_type": "token"},
        {"code_challenge": ""},
        {"code_challenge_method": "plain"},
    ],
)
def test_a_wrong_authorization_ends_on_a_page(changes):
    with Spotify(**SMALL) as fake:
        reply = authorize(fake, **changes)
        assert reply.status == 400
        assert reply.headers["content-type"].startswith("text/html")


def test_who_says_no_is_sent_back_with_an_error():
    with Spotify(**SMALL) as fake:
        fake.agrees = False
        assert back(authorize(fake)) == {"error": "access_denied", "state": "s t&te"}


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code_verifier": "w" * 43}, "invalid_grant"),
        ({"code_verifier": "v" * 42}, "invalid_grant"),
        ({"redirect_uri": CALLBACK.replace("9", "8")}, "invalid_grant"),
        ({"code": "another"}, "invalid_grant"),
        ({"client_id": "another"}, "invalid_client"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
    ],
)
def test_a_code_is_changed_only_for_its_verifier(changes, error):
    with Spotify(**SMALL) as fake:
        code = back(authorize(fake))["code"]
        reply = exchange(fake, code, **changes)
        assert (reply.status, reply.json["error"]) == (400, error)
        assert exchange(fake, code).status == 200
        assert exchange(fake, code).json["error"] == "invalid_grant"  # a code is good once


def test_a_code_grows_old():
    with Spotify(**SMALL) as fake:
        code = back(authorize(fake))["code"]
        fake.clock.advance(CODE_S + 1)
        assert exchange(fake, code).json["error"] == "invalid_grant"


def test_refreshing_rotates_and_the_old_token_is_dead():
    with Spotify(**SMALL) as fake:
        first = fake.grant()
        fake.clock.advance(HOUR_S + 1)
        assert message(api(fake, "GET", "me", token=first["access_token"])) == "The access token expired"
        second = refresh(fake, first["refresh_token"]).json
        assert api(fake, "GET", "me", token=second["access_token"]).status == 200
        assert refresh(fake, first["refresh_token"]).json["error"] == "invalid_grant"
        assert refresh(fake, second["refresh_token"]).status == 200


def test_without_rotation_no_refresh_token_comes_back():
    with Spotify(rotates=False, **SMALL) as fake:
        first = fake.grant()
        for _ in range(2):
            assert "refresh_token" not in refresh(fake, first["refresh_token"]).json


@pytest.mark.slow
def test_a_consent_dies_after_six_months_however_often_it_is_refreshed():
    with Spotify(**SMALL) as fake:
        token = fake.grant()
        for _ in range(5):
            fake.clock.advance(MONTH_S)
            token = refresh(fake, token["refresh_token"]).json
        fake.clock.advance(MONTH_S)
        reply = refresh(fake, token["refresh_token"])
        assert (reply.status, reply.json["error"]) == (400, "invalid_grant")


def test_the_browser_brings_the_code_to_the_client():
    came: list[str] = []

    class Client(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            came.append(self.path)
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with Spotify(**SMALL) as fake, http.server.HTTPServer(("127.0.0.1", 0), Client) as client:
        query = {
            "client_id": fake.client_id,
            "response_type": "code",
            "redirect_uri": f"http://127.0.0.1:{client.server_address[1]}/callback",
            "code_challenge_method": "S256",
            "code_challenge": CHALLENGE,
        }
        client.timeout = 20
        assert fake.browser(f"{fake.authorize_url}?{urlencode(query)}")
        client.handle_request()
        assert came[0].startswith("/callback?code=")


def test_an_app_without_a_user_sees_music_but_no_library():
    with Spotify(**SMALL) as fake:
        pair = f"{fake.client_id}:{fake.accounts.client_secret}".encode()
        basic = {"Authorization": "Basic " + base64.b64encode(pair).decode()}
        reply = call(fake, "POST", "/api/token", form={"grant_type": "client_credentials"}, headers=basic)
        token = reply.json["access_token"]
        assert api(fake, "GET", f"tracks/{next(iter(fake.library.tracks))}", token=token).status == 200
        assert message(api(fake, "GET", "me", token=token)) == "Valid user authentication required"


def test_spotipy_takes_the_fake_for_spotify(monkeypatch):
    spotipy = pytest.importorskip("spotipy")
    from spotipy.cache_handler import MemoryCacheHandler

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with Spotify(**SMALL) as fake:
        monkeypatch.setattr(spotipy.SpotifyPKCE, "OAUTH_AUTHORIZE_URL", fake.authorize_url)
        monkeypatch.setattr(spotipy.SpotifyPKCE, "OAUTH_TOKEN_URL", fake.token_url)
        monkeypatch.setattr("webbrowser.open", fake.browser)
        login = spotipy.SpotifyPKCE(
            client_id=fake.client_id,
            redirect_uri=f"http://127.0.0.1:{port}/callback",
            scope="user-library-read playlist-read-private playlist-modify-private",
            cache_handler=MemoryCacheHandler(),
            state="abc",
        )
        client = spotipy.Spotify(auth_manager=login)
        client.prefix = fake.api_url
        page, saved = client.current_user_saved_tracks(limit=50), []
        while page:
            saved += [entry["track"]["uri"] for entry in page["items"]]
            page = client.next(page)
        assert saved == [entry.uri for entry in fake.library.saved]
        made = client.current_user_playlist_create("Ours", public=False)
        client.playlist_add_items(made["id"], saved[:100])
        assert fake.library.playlist("Ours").uris == saved[:100]
        with pytest.raises(spotipy.SpotifyException, match="Invalid limit"):
            client.search("bus", limit=11)
        fake.clock.advance(HOUR_S + 1)
        with pytest.raises(spotipy.SpotifyException, match="access token expired"):
            client.me()
        login.refresh_access_token(login.cache_handler.get_cached_token()["refresh_token"])
        assert client.me()["account_id"]


# --- scenarios


@pytest.mark.parametrize("name", SCENARIOS)
def test_each_scenario_answers(name):
    with Spotify(name, seconds=0.01, **SMALL) as fake:
        token = fake.grant()
        replies = []
        for _ in range(30):
            try:
                replies.append(api(fake, "GET", "me/tracks", token=token["access_token"]))
            except http.client.RemoteDisconnected:
                replies.append(None)
        seen = {reply and reply.status for reply in replies}
        assert seen == {
            "development-2026": {200},
            "old-app": {200},
            "extended": {200},
            "premium-lapsed": {403},
            "not-listed": {403},
            "rate-limit": {200, 429},
            "quota": {200, 429},
            "expired": {401},
            "revoked": {401},
            "no-scope": {403},
            "slow": {200},
            "dropping": {200, None},
            "malformed": {200},
        }.get(name)
        if name in ("expired", "revoked"):
            for _ in range(2):
                reply = refresh(fake, token["refresh_token"])
                assert (reply.status, reply.json["error"]) == (400, "invalid_grant")
            assert [request.number for request in fake.wasted()] == [32]
        if name == "no-scope":
            assert len(fake.wasted()) == 29


def test_a_lapsed_premium_and_a_user_who_is_not_listed_are_refused_in_plain_text():
    for name, words in (("premium-lapsed", "Active premium subscription required"), ("not-listed", "may not be reg")):
        with Spotify(name, **SMALL) as fake:
            for where in ("me", "search?q=a&type=track"):
                reply = api(fake, "GET", where)
                assert reply.status == 403
                assert reply.headers["content-type"].startswith("text/plain")
                assert words in reply.body.decode()
            assert len(fake.wasted()) == 1  # the second call was known to fail
    with Spotify("not-listed", plain=False, **SMALL) as fake:
        assert "not registered" in message(api(fake, "GET", "me"))


# What each kind of app is answered: a new one, one from before 2026, one with extended access.
ACCESS = {
    "me": (200, 200, 200),
    "me/tracks": (200, 200, 200),
    "tracks/TRACK": (200, 200, 200),
    "tracks?ids=TRACK": (403, 200, 200),
    "audio-features?ids=TRACK": (403, 403, 200),
    "recommendations?seed_tracks=TRACK": (404, 404, 200),
    "artists/ARTIST/top-tracks": (403, 200, 200),
    "artists/ARTIST/related-artists": (404, 404, 200),
    "artists/ARTIST/albums?limit=11": (400, 200, 200),
    "search?q=a&type=track&limit=10": (200, 200, 200),
    "search?q=a&type=track&limit=11": (400, 200, 200),
    "search?q=a&type=track&limit=51": (400, 400, 400),
    "playlists/OWN/items": (200, 200, 200),
    "playlists/OWN/tracks": (403, 200, 200),
    "playlists/SHARED/items": (200, 200, 200),
    "playlists/THEIRS/items": (403, 200, 200),
    "playlists/THEIRS": (200, 200, 200),
    "playlists/SPOTIFYS": (404, 404, 200),
    "users/listener_one/playlists": (403, 200, 200),
    "markets": (403, 200, 200),
    "browse/new-releases": (403, 501, 501),  # 501: the fake does not know it
}


@pytest.mark.parametrize(("column", "name"), list(enumerate(("development-2026", "old-app", "extended"))))
def test_what_an_app_may_call(column, name):
    with Spotify(name, **SMALL) as fake:
        library = fake.library
        track = next(one for one in library.tracks.values() if one.features)
        named = {"OWN": "Mix 2", "SHARED": "Ours", "THEIRS": "Theirs", "SPOTIFYS": "Made for you"}
        ids = {word: library.playlist(title).id for word, title in named.items()}
        ids |= {"TRACK": track.id, "ARTIST": track.artists[0].id}
        found = {}
        for where in ACCESS:
            asked = where
            for word, own in ids.items():
                asked = asked.replace(word, own)
            found[where] = api(fake, "GET", asked).status
        assert found == {where: statuses[column] for where, statuses in ACCESS.items()}


def test_withdrawn_endpoints_refuse_as_they_were_seen_to():
    with Spotify(**SMALL) as fake:
        one = next(iter(fake.library.tracks))
        assert api(fake, "GET", f"audio-features?ids={one}").json == {"error": {"status": 403}}
        assert api(fake, "GET", f"recommendations?seed_tracks={one}").body == b""
        assert message(api(fake, "GET", f"tracks?ids={one}")) == "Forbidden"
        assert fake.wasted() == []
        api(fake, "GET", f"audio-features?ids={one},{one}")
        assert [request.path for request in fake.wasted()] == ["/v1/audio-features"]


def test_the_shapes_of_old_and_new_apps():
    for name, list_key, entry_key in (("development-2026", "items", "item"), ("old-app", "tracks", "track")):
        with Spotify(name, **SMALL) as fake:
            own = fake.library.playlist("Mix 2")
            reply = api(fake, "GET", f"playlists/{own.id}").json
            assert {"items", "tracks"} & set(reply) == {list_key}
            assert {"item", "track"} & set(reply[list_key]["items"][0]) == {entry_key}
            saved = api(fake, "GET", "me/tracks").json["items"][0]["track"]
            assert ("popularity" in saved) == (name == "old-app")
            assert "external_ids" in saved
            theirs = api(fake, "GET", f"playlists/{fake.library.playlist('Theirs').id}").json
            assert (list_key in theirs) == (name == "old-app")
    with Spotify(alias=True, **SMALL) as fake:
        entry = api(fake, "GET", f"playlists/{fake.library.playlist('Mix 2').id}/items").json["items"][0]
        assert entry["item"] == entry["track"]


def test_the_odd_entries_of_a_playlist():
    with Spotify(**SMALL) as fake:
        odd = next(one for one in fake.library.playlists if one.name.startswith("Odd"))
        where = f"playlists/{odd.id}/items"
        items = api(fake, "GET", f"{where}?additional_types=track,episode").json["items"]
        kinds = [entry["item"] and (entry["item"]["type"], entry["item"]["id"] is None) for entry in items]
        t = ("track", False)
        assert kinds == [t, ("track", True), t, None, ("episode", False), t, t, t]
        assert items[1]["is_local"]
        assert items[1]["item"]["name"] == "My <File> & more"
        assert items[0]["item"]["id"] == items[-1]["item"]["id"]
        assert api(fake, "GET", where).json["items"][4]["item"] is None  # episodes only when asked for


# --- limits


def test_the_rate_limit_is_a_rolling_window():
    with Spotify("rate-limit", **SMALL) as fake:
        token = fake.grant()["access_token"]
        replies = [api(fake, "GET", "me", token=token) for _ in range(12)]
        assert [reply.status for reply in replies] == [200] * 10 + [429] * 2
        assert 1 <= int(replies[-1].headers["retry-after"]) <= 31
        assert "reason" not in replies[-1].json["error"]
        fake.clock.advance(int(replies[-1].headers["retry-after"]))
        assert api(fake, "GET", "me", token=token).status == 200
        assert fake.wasted() == []  # a rate limit is no reason to give up


def test_a_quota_shuts_the_app_out_for_thirteen_hours():
    with Spotify("quota", quota=3, **SMALL) as fake:
        replies = [api(fake, "GET", "me") for _ in range(5)]
        assert [reply.status for reply in replies] == [200] * 3 + [429] * 2
        assert replies[3].headers["retry-after"] == "46800"
        assert replies[3].json["error"]["reason"] == "QUOTA_EXCEEDED"
        assert [request.number for request in fake.wasted()] == [5]
        fake.clock.advance(13 * HOUR_S - 60)
        assert api(fake, "GET", "me").status == 429
        fake.clock.advance(60)
        assert api(fake, "GET", "me").status == 200


# --- reading


@pytest.mark.parametrize(("n", "limit"), [(0, 50), (1, 1), (130, 50), (100, 50), (130, 7)])
def test_following_next_links_gives_all_saved_tracks_once(n, limit):
    with Spotify(tracks=300, saved=n) as fake:
        token, found = fake.grant()["access_token"], []
        where = f"{fake.api_url}me/tracks?limit={limit}"
        while where:
            page = call(fake, "GET", where, token=token).json
            assert page["total"] == n
            found += [entry["track"]["uri"] for entry in page["items"]]
            where = page["next"]
        assert found == [entry.uri for entry in fake.library.saved]
        assert fake.twice() == {}


@pytest.mark.parametrize(
    "where",
    ["me/tracks?limit=0", "me/tracks?limit=51", "me/tracks?offset=-1", "me/tracks?limit=x", "me/playlists?limit=51"],
)
def test_bounds_of_a_page(where):
    with Spotify(**SMALL) as fake:
        reply = api(fake, "GET", where)
        assert reply.status == 400
        assert message(reply).startswith("Invalid ")
        assert api(fake, "GET", "me/tracks?offset=9999").json["items"] == []


def test_search_finds_by_words_isrc_and_names():
    with Spotify("extended", **SMALL) as fake:
        library = fake.library
        track = next(one for one in library.tracks.values() if one.isrc and " " in one.name and one.name.isascii())
        for words in (f"isrc:{track.isrc}", f'track:"{track.name}" artist:"{track.artists[0].name}"', track.name):
            found = call(
                fake, "GET", "/v1/search", query={"q": words, "type": "track", "limit": 50}, token=_any(fake)
            )
            assert track.id in [one["id"] for one in found.json["tracks"]["items"]], words
        assert message(api(fake, "GET", "search?q=&type=track")) == "No search query"
        for hostile in HOSTILE:
            query = {"q": hostile.encode("utf-8", "replace").decode() or "x", "type": "track,artist,album,playlist"}
            assert call(fake, "GET", "/v1/search", query=query, token=_any(fake)).status in (200, 400)


def _any(fake: Spotify) -> str:
    return fake.grant()["access_token"]


def test_recommendations_keep_their_bounds_and_leave_the_seeds_out():
    with Spotify("extended", **SMALL) as fake:
        seeds = [one.id for one in fake.library.tracks.values() if one.features][:3]
        where = f"recommendations?seed_tracks={','.join(seeds)}&limit=100&min_tempo=120&max_tempo=140"
        found = api(fake, "GET", where).json
        tracks = [fake.library.tracks[one["id"]] for one in found["tracks"]]
        assert tracks
        assert all(120 <= one.features["tempo"] <= 140 for one in tracks)
        assert not {one.id for one in tracks} & set(seeds)
        assert [one["type"] for one in found["seeds"]] == ["TRACK"] * 3
        assert api(fake, "GET", "recommendations").status == 400
        assert api(fake, "GET", "recommendations?seed_genres=a,b,c,d,e,f").status == 400


def test_an_etag_saves_a_page():
    with Spotify(**SMALL) as fake:
        token = fake.grant()["access_token"]
        first = call(fake, "GET", "/v1/me/tracks", token=token)
        known = {"If-None-Match": first.headers["etag"]}
        again = call(fake, "GET", "/v1/me/tracks", token=token, headers=known)
        assert (again.status, again.body) == (304, b"")
        fake.library.saved.pop()
        assert call(fake, "GET", "/v1/me/tracks", token=token, headers=known).status == 200


def test_fields_pick_parts():
    whole = {"a": 1, "b": {"c": 2, "d": 3}, "e": [{"f": 4, "g": {"h": 5, "i": 6}}, {"f": 7, "g": None}]}
    assert pick(whole, "") == whole
    assert pick(whole, "a,b.d") == {"a": 1, "b": {"d": 3}}
    assert pick(whole, "e(f,g(h))") == {"e": [{"f": 4, "g": {"h": 5}}, {"f": 7, "g": None}]}
    assert pick(whole, "e.g.h,nothing") == {"e": [{"g": {"h": 5}}, {"g": None}]}
    assert pick(whole, "b(!c),a") == {"a": 1, "b": {"d": 3}}


# --- writing


def test_a_playlist_is_made_filled_and_read_back():
    with Spotify(**SMALL) as fake:
        token = fake.grant()["access_token"]
        made = api(fake, "POST", "me/playlists", {"name": HOSTILE[0], "public": False}, token)
        assert made.status == 201
        where, uris = f"playlists/{made.json['id']}/items", [one.uri for one in fake.library.tracks.values()][:250]
        snapshots = [made.json["snapshot_id"]]
        for i in range(0, 250, 100):
            reply = api(fake, "POST", where, {"uris": uris[i : i + 100]}, token)
            assert reply.status == 201
            snapshots.append(reply.json["snapshot_id"])
        assert len(set(snapshots)) == 4
        read = [
            entry["item"]["uri"]
            for i in range(0, 250, 50)
            for entry in api(fake, "GET", f"{where}?limit=50&offset={i}", token=token).json["items"]
        ]
        assert read == uris
        assert api(fake, "GET", f"playlists/{made.json['id']}", token=token).json["snapshot_id"] == snapshots[-1]
        assert api(fake, "GET", "me/playlists", token=token).json["items"][0]["name"] == HOSTILE[0]
        moved = {"range_start": 0, "insert_before": 5, "range_length": 2, "snapshot_id": snapshots[-1]}
        api(fake, "PUT", where, moved, token)
        order = uris[2:5] + uris[:2] + uris[5:]
        assert fake.library.playlist(made.json["id"]).uris == order
        api(fake, "DELETE", where, {"items": [{"uri": uris[0]}]}, token)
        assert fake.library.playlist(made.json["id"]).uris == [uri for uri in order if uri != uris[0]]
        api(fake, "PUT", where, {"uris": uris[:2]}, token)
        assert fake.library.playlist(made.json["id"]).uris == uris[:2]


@pytest.mark.parametrize("seed", range(20))
def test_moving_a_range_is_taking_it_out_and_putting_it_in(seed):
    draw = random.Random(seed)
    with Spotify(tracks=60, saved=0) as fake:
        made = fake.library.add_playlist("P", fake.library.playlist("Mix 2").entries)
        old = made.uris
        start = draw.randrange(len(old))
        length = draw.randint(1, len(old) - start)
        before = draw.randint(0, len(old))
        body = {"range_start": start, "insert_before": before, "range_length": length}
        assert api(fake, "PUT", f"playlists/{made.id}/items", body).status == 200
        taken = set(range(start, start + length))
        mark = [i for i in range(before) if i not in taken]
        rest = [i for i in range(before, len(old)) if i not in taken]
        assert made.uris == [old[i] for i in (*mark, *sorted(taken), *rest)]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"uris": ["spotify:track:" + "0" * 22]}, "not found"),
        ({"uris": ["spotify:artist:x"]}, "Invalid track uri"),
        ({"uris": []}, "No uris"),
        ({}, "No uris"),
        (b"{", "parsing"),
        ({"uris": ["GOOD"], "position": 9999}, "Invalid position"),
        ({"uris": ["GOOD"] * 101}, "maximum of 100"),
    ],
)
def test_a_wrong_write_changes_nothing(body, words):
    with Spotify(**SMALL) as fake:
        own = fake.library.playlist("Mix 2")
        before, snapshot = own.uris, own.snapshot
        if isinstance(body, dict) and "GOOD" in body.get("uris", ()):
            body = body | {"uris": [next(iter(fake.library.tracks.values())).uri] * len(body["uris"])}
        reply = api(fake, "POST", f"playlists/{own.id}/items", body)
        assert reply.status in (400, 404)
        assert words in message(reply)
        assert (own.uris, own.snapshot) == (before, snapshot)


def test_who_may_write_where():
    with Spotify(**SMALL) as fake:
        uri = next(iter(fake.library.tracks.values())).uri
        reading = fake.grant("user-library-read playlist-read-private")["access_token"]
        public = fake.grant("playlist-modify-public")["access_token"]

        def add(name: str, token: str) -> int:
            own = fake.library.playlist(name).id
            return api(fake, "POST", f"playlists/{own}/items", {"uris": [uri]}, token).status

        assert (add("Mix 2", public), add("Mix 2", reading)) == (201, 403)
        assert (add("Theirs", public), add("Ours", public)) == (403, 403)  # ours is private
        assert add("Ours", fake.grant()["access_token"]) == 201
        assert api(fake, "POST", "me/playlists", {"name": "x", "public": False}, public).status == 403


# --- things that go wrong


def test_a_write_that_took_effect_but_was_not_answered_doubles_when_repeated():
    with Spotify(**SMALL).listen() as fake:
        token = fake.grant()["access_token"]
        made = fake.library.add_playlist("P")
        uri = next(iter(fake.library.tracks.values())).uri
        for do in ("drop", "error", "cut"):
            made.entries.clear()
            fake.heal()
            fake.fault(do, method="POST", after=True)
            try:
                assert api(fake, "POST", f"playlists/{made.id}/items", {"uris": [uri]}, token).status == 502
            except (http.client.RemoteDisconnected, http.client.IncompleteRead):
                assert do in ("drop", "cut")
            assert made.uris == [uri]
            api(fake, "POST", f"playlists/{made.id}/items", {"uris": [uri]}, token)
            assert made.uris == [uri, uri]


def test_a_connection_that_is_dropped_before_takes_no_effect():
    with Spotify(**SMALL).listen() as fake:
        token, made = fake.grant()["access_token"], fake.library.add_playlist("P")
        fake.fault("drop", at=2)
        assert api(fake, "GET", "me", token=token).status == 200
        with pytest.raises(http.client.RemoteDisconnected):
            api(fake, "POST", f"playlists/{made.id}/items", {"uris": ["x"]}, token)
        assert made.uris == []
        assert api(fake, "GET", "me", token=token).status == 200
        assert [request.status for request in fake.log] == [200, None, 200]
        assert fake.log[1].faults == ("drop",)


def test_faults_come_when_they_are_due():
    with Spotify(**SMALL) as fake:
        fake.fault("error", at=2, every=3, times=2, path="^/v1/me$", status=503)
        statuses = [api(fake, "GET", where).status for where in ["me", "me/tracks"] * 9]
        assert statuses[1::2] == [200] * 9
        assert statuses[::2] == [200, 503, 200, 200, 503, 200, 200, 200, 200]


@pytest.mark.parametrize("form", FORMS)
def test_garbled_answers_are_no_answers(form):
    with Spotify(**SMALL) as fake:
        right = api(fake, "GET", "me/tracks?limit=2")
        fake.fault("garble", form=form)
        wrong = api(fake, "GET", "me/tracks?limit=2")
        assert wrong.status == 200
        assert wrong.body != right.body
        assert api(fake, "GET", "me/tracks?limit=2").body == right.body


def test_something_may_be_run_at_a_request():
    with Spotify(**SMALL) as fake:
        ran: list[int] = []
        fake.fault("run", at=2, run=lambda: ran.append(len(fake.log)))
        for _ in range(3):
            api(fake, "GET", "me")
        assert ran == [2]


def test_an_unknown_fault_is_refused():
    with Spotify(**SMALL) as fake, pytest.raises(ValueError, match="no such fault"):
        fake.fault("explode")


def test_nobody_is_served_after_the_end():
    with Spotify(**SMALL).listen() as fake:
        connection = http.client.HTTPConnection(urlsplit(fake.url).netloc, timeout=5)
        connection.request("GET", "/v1/me")
        connection.getresponse().read()

    def again() -> None:
        connection.request("GET", "/v1/me")
        connection.getresponse()

    with pytest.raises(ConnectionError):
        again()
    with pytest.raises(ConnectionRefusedError):
        call(fake, "GET", "/v1/me")


def test_many_at_once_lose_nothing():
    with Spotify(**SMALL).listen() as fake:
        token, made = fake.grant()["access_token"], fake.library.add_playlist("P")
        uris = [one.uri for one in fake.library.tracks.values()][:40]
        threads = [
            threading.Thread(target=api, args=(fake, "POST", f"playlists/{made.id}/items", {"uris": [uri]}, token))
            for uri in uris
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(made.uris) == sorted(uris)
        assert [request.number for request in fake.log] == list(range(1, 41))


# --- the library


@pytest.mark.slow
def test_a_library_comes_from_its_seed_and_has_hostile_names():
    one, same, other = Library(seed=1, tracks=500), Library(seed=1, tracks=500), Library(seed=2, tracks=500)
    assert list(one.tracks) == list(same.tracks) != list(other.tracks)
    assert [p.uris for p in one.playlists] == [p.uris for p in same.playlists]
    assert len(Library().tracks) == 3000
    names = {track.name for track in one.tracks.values()}
    assert set(HOSTILE) <= names
    isrcs = [track.isrc for track in one.tracks.values()]
    assert None in isrcs
    assert len(set(isrcs)) < len(isrcs) - isrcs.count(None)  # some are shared
    assert any(track.features is None for track in one.tracks.values())


# --- ReccoBeats


def spotify_id(href: str) -> str:
    return href.rpartition("/")[2]


def test_reccobeats_knows_features_by_spotify_id_in_no_order():
    library = Library(tracks=300)
    with ReccoBeats(library) as fake:
        asked = [*list(library.tracks)[:39], "0" * 22]
        content = call(fake, "GET", "/v1/audio-features", query={"ids": ",".join(asked)}).json["content"]
        found = [spotify_id(one["href"]) for one in content]
        assert set(found) == set(asked) & set(fake.known)
        assert found != [one for one in asked if one in fake.known]
        for one in content:
            track = library.tracks[spotify_id(one["href"])]
            assert one["energy"] == track.features["energy"]
            assert one["isrc"] == track.isrc
            assert "time_signature" not in one
        repeated = call(fake, "GET", "/v1/audio-features", query=[("ids", one) for one in asked]).json["content"]
        assert {one["href"] for one in repeated} == {one["href"] for one in content}


def test_reccobeats_drops_what_is_above_forty():
    with ReccoBeats(Library(tracks=300), known=1.0) as fake:
        asked = list(fake.known)[:60]
        content = call(fake, "GET", "/v1/audio-features", query={"ids": ",".join(asked)}).json["content"]
        assert {spotify_id(one["href"]) for one in content} == set(asked[:40])


def test_reccobeats_own_ids_isrcs_and_errors():
    with ReccoBeats(Library(tracks=300), known=1.0) as fake:
        track = next(one for one in fake.known.values() if one.isrc)
        assert call(fake, "GET", f"/v1/track/{own_id(track)}/audio-features").json["href"].endswith(track.id)
        reply = call(fake, "GET", f"/v1/track/{track.id}/audio-features")
        assert (reply.status, reply.json["code"]) == (404, 4041)
        assert call(fake, "GET", "/v1/audio-features").status == 400
        isrcs = [one.isrc for one in fake.known.values() if one.isrc]
        shared = next(one for one in isrcs if isrcs.count(one) == 2)
        assert len(call(fake, "GET", "/v1/track", query={"ids": shared}).json["content"]) == 2
        assert call(fake, "GET", "/v1/track", query={"ids": track.id}).json["content"][0]["trackTitle"] == track.name


def test_reccobeats_recommends_others():
    with ReccoBeats(Library(tracks=300)) as fake:
        seeds = list(fake.known)[:3]
        query = {"size": 10, "seeds": ",".join(seeds)}
        content = call(fake, "GET", "/v1/track/recommendation", query=query).json["content"]
        assert len(content) == 10
        assert not {spotify_id(one["href"]) for one in content} & set(seeds)
        for wrong in (
            {"size": 0, "seeds": "a"},
            {"size": 101, "seeds": "a"},
            {"size": 5},
            {"size": 5, "seeds": "a,b,c,d,e,f"},
        ):
            assert call(fake, "GET", "/v1/track/recommendation", query=wrong).status == 400
        assert call(fake, "GET", "/v1/track/recommendation", query={"size": 5, "seeds": "0" * 22}).json == {
            "content": []
        }


def test_reccobeats_limits_and_uploads():
    with ReccoBeats(Library(tracks=300), rate=2) as fake:
        replies = [call(fake, "GET", "/v1/track", query={"ids": "x"}) for _ in range(3)]
        assert [reply.status for reply in replies] == [200, 200, 429]
        fake.clock.advance(int(replies[-1].headers["retry-after"]))
        kind = {"Content-Type": "multipart/form-data; boundary=x"}
        found = call(fake, "POST", "/v1/analysis/audio-features", b"--x--", headers=kind).json
        assert not {"key", "mode"} & set(found)
        assert call(fake, "POST", "/v1/analysis/audio-features", b"x" * 5_000_001, headers=kind).status == 400


# --- ListenBrainz


def test_listenbrainz_finds_similar_recordings_and_their_spotify_ids():
    library = Library(tracks=300)
    with ListenBrainz(library) as fake:
        seeds = [own for own, track in fake.recordings.items() if track.features][:2]
        query = {"recording_mbids": ",".join(seeds), "algorithm": ALGORITHMS[0]}
        rows = call(fake, "GET", "/similar-recordings/json", query=query).json
        assert 50 <= len(rows) <= 100
        assert [row["score"] for row in rows] == sorted((row["score"] for row in rows), reverse=True)
        assert {row["reference_mbid"] for row in rows} <= set(seeds)
        assert not {row["recording_mbid"] for row in rows} & set(seeds)
        posted = [{"recording_mbids": seeds, "algorithm": ALGORITHMS[0]}]
        assert call(fake, "POST", "/similar-recordings/json", posted).json == rows
        asked = [{"recording_mbid": row["recording_mbid"]} for row in rows]
        for row in call(fake, "POST", "/spotify-id-from-mbid/json", asked).json:
            mapped = row["recording_mbid"] in fake.mapped
            assert row["spotify_track_ids"] == ([fake.recordings[row["recording_mbid"]].id] if mapped else [])
        assert call(fake, "GET", "/similar-recordings/json", query=query | {"algorithm": "magic"}).status == 400
        assert call(fake, "GET", "/similar-recordings/json", query=query | {"recording_mbids": "x"}).status == 400
        unknown = query | {"recording_mbids": "00000000-0000-0000-0000-000000000000"}
        assert call(fake, "GET", "/similar-recordings/json", query=unknown).json == []


def test_listenbrainz_looks_names_and_isrcs_up():
    with ListenBrainz(Library(tracks=300)) as fake:
        track = next(one for one in fake.recordings.values() if one.isrc and one.name.startswith("Night"))
        query = {"artist_name": track.artists[0].name.upper(), "recording_name": track.name}
        found = call(fake, "GET", "/1/metadata/lookup/", query=query)
        assert fake.recordings[found.json["recording_mbid"]].name == track.name
        assert set(found.headers) >= {"x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset-in"}
        assert call(fake, "GET", "/1/metadata/lookup/", query=query | {"recording_name": "no such"}).json == {}
        ids = [one["id"] for one in call(fake, "GET", f"/ws/2/isrc/{track.isrc}").json["recordings"]]
        assert mbid(track) in ids
        assert call(fake, "GET", "/ws/2/isrc/XX").status == 404


def test_listenbrainz_tells_when_to_come_again():
    with ListenBrainz(Library(tracks=300), rate=2) as fake:
        replies = [call(fake, "GET", "/1/metadata/lookup/") for _ in range(3)]
        assert [reply.headers["x-ratelimit-remaining"] for reply in replies] == ["1", "0", "0"]
        assert replies[-1].status == 429
        fake.clock.advance(int(replies[-1].headers["x-ratelimit-reset-in"]))
        assert call(fake, "GET", "/1/metadata/lookup/").status == 400


# --- Navidrome


def rest(fake: Navidrome, endpoint: str, *pairs: tuple[str, str], post: bool = False, **auth: str) -> dict:
    salt = "sa1t"
    token = hashlib.md5((fake.password + salt).encode(), usedforsecurity=False).hexdigest()
    known = {"u": fake.user, "t": token, "s": salt, "v": "1.16.1", "c": "test", "f": "json", **auth}
    query = [(name, value) for name, value in known.items() if value] + list(pairs)
    where = f"/rest/{endpoint}"
    reply = call(fake, "POST", where, form=query) if post else call(fake, "GET", where, query=query)
    assert reply.status == 200
    return reply.json["subsonic-response"]


def test_navidrome_lets_in_whom_it_knows():
    with Navidrome(Library(tracks=100)) as fake:
        assert rest(fake, "ping")["status"] == "ok"
        assert rest(fake, "ping.view", post=True)["status"] == "ok"
        hexed = "enc:" + fake.password.encode().hex()
        assert rest(fake, "ping", t="", s="", p=hexed)["status"] == "ok"
        for wrong, code in (
            ({"t": "0" * 32}, 40),
            ({"s": "other"}, 40),
            ({"u": "two"}, 40),
            ({"p": "x"}, 43),
            ({"u": ""}, 10),
            ({"c": ""}, 10),
            ({"v": "2.0.0"}, 30),
        ):
            answer = rest(fake, "ping", **wrong)
            assert (answer["status"], answer["error"]["code"]) == ("failed", code)
        assert {one["name"] for one in rest(fake, "getOpenSubsonicExtensions", u="")["openSubsonicExtensions"]} >= {
            "formPost"
        }


def test_navidrome_answers_in_xml_unless_asked():
    from xml.etree import ElementTree

    with Navidrome(Library(tracks=300)) as fake:
        query = {"u": fake.user, "p": fake.password, "v": "1.16.1", "c": "t", "query": "", "songCount": "300"}
        reply = call(fake, "GET", "/rest/search3", query=query)
        assert reply.headers["content-type"].startswith("application/xml")
        assert len(ElementTree.fromstring(reply.body)[0]) == 300


def test_navidrome_finds_all_songs_in_pages():
    with Navidrome(Library(tracks=130)) as fake:
        found = []
        while songs := rest(fake, "search3", ("query", ""), ("songCount", "50"), ("songOffset", str(len(found))))[
            "searchResult3"
        ].get("song"):
            found += songs
        assert [song["id"] for song in found] == list(fake.songs)
        track = next(one for one in fake.songs.values() if one.isrc and one.features)
        song = rest(fake, "getSong", ("id", song_id(track)))["song"]
        assert (song["isrc"], song["bpm"], song["title"]) == (
            [track.isrc],
            round(track.features["tempo"]),
            track.name,
        )
        assert rest(fake, "getSong", ("id", "none"))["error"]["code"] == 70
        assert rest(fake, "search3")["error"]["code"] == 10


def test_navidrome_keeps_playlists():
    with Navidrome(Library(tracks=300)) as fake:
        songs = list(fake.songs)
        pairs = [("name", HOSTILE[1]), *[("songId", one) for one in songs[:200]], ("songId", "unknown")]
        made = rest(fake, "createPlaylist", *pairs, post=True)["playlist"]
        assert (made["name"], made["songCount"]) == (HOSTILE[1], 200)  # what it does not know is dropped silently
        own = made["id"]
        change = [("songIndexToRemove", "0"), ("songIndexToRemove", "2"), ("songIdToAdd", songs[5]), ("name", "N")]
        assert rest(fake, "updatePlaylist", ("playlistId", own), *change)["status"] == "ok"
        read = rest(fake, "getPlaylist", ("id", own))["playlist"]
        assert [song["id"] for song in read["entry"]] == [songs[1], *songs[3:200], songs[5]]
        assert read["name"] == "N"
        rest(fake, "createPlaylist", ("playlistId", own), ("songId", songs[9]))
        assert fake.playlists[own].songs == [songs[9]]
        assert len(rest(fake, "getPlaylists")["playlists"]["playlist"]) == 2
        assert rest(fake, "updatePlaylist", ("playlistId", "theirs"))["error"]["code"] == 50
        assert rest(fake, "getPlaylist", ("id", "none"))["error"]["code"] == 70
        assert rest(fake, "createPlaylist")["error"]["code"] == 10
        assert rest(fake, "deletePlaylist", ("id", own))["status"] == "ok"
        assert own not in fake.playlists
