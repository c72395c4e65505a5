"""The fake of Spotify against Spotify's own description of its API, with every deviation and its reason."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from helpers.catalogues import SHARED
from helpers.fake import Spotify
from helpers.fake.caller import call
from helpers.fake.contract import Contract
from helpers.fake.library import FRIEND
from helpers.fake.server import Request
from helpers.fake.spotify import ROUTES, SCOPES

pytestmark = pytest.mark.network

PLAYLISTS = (
    "playlist-modify-public",
    "playlist-modify-private",
    "playlist-read-private",
    "playlist-read-collaborative",
)
pytest.importorskip("yaml")
pytest.importorskip("jsonschema")
DESCRIPTION = SHARED.parent / "research" / "spotify-openapi.yaml"

# Where the fake does not do what is described: the complaint, and why the fake is right. None may be idle.
GONE = "an entry whose track is gone from the service has null there"
LOCAL = "a file of the user's own has null for its id, its links and the dates of its album"
EVERYWHERE = {
    r"\.added_at: None is not of type 'string'": "very old playlists have null, as the text beside the schema says",
    r"items\.\d+\.(item|track): None is not valid": GONE,
    r"items\.\d+\.(item|track): .*'href': None, 'id': None": LOCAL,
    r"items 200 : '\w+' is a required property": "`fields` asked for less",
    r"/me/playlists 200 \.items\.\d+\.description: None": "null where it was never set, as the text says",
}
DEVIATIONS = {
    "development-2026": {
        **EVERYWHERE,
        r"(related-artists|recommendations|genre-seeds) 404: no JSON": "withdrawn in 2024: 404 without a body",
    },
    "extended": {
        **EVERYWHERE,
        r"\.(primary_color|video_thumbnail): not described": "always sent, never described",
        r"GET /v1/audio-features 200 \.audio_features\.\d+: None": "null stands for a track that was never analysed",
        r"GET /v1/tracks 200 \.tracks\.\d+: None": "null stands for an id that nobody knows",
        r"GET /v1/recommendations 200 \.seeds\.\d+\.href: None": "a genre has none, as the text says",
        r"/users/listener_one/playlists 200 .*description: None": "null where it was never set, as the text says",
    },
}


@pytest.fixture(scope="module")
def contract() -> Contract:
    if not DESCRIPTION.is_file():
        pytest.skip(f"the description of the API is not here ({DESCRIPTION.name})")
    return Contract(DESCRIPTION)


def calls(fake: Spotify) -> Iterator[tuple[str, str, Any]]:
    """At least one call of each endpoint; later ones use what earlier ones made."""
    library = fake.library
    track = next(one for one in library.tracks.values() if one.features)
    artist, album = track.artists[0].id, track.album.id
    uris = [one.uri for one in list(library.tracks.values())[:100]]
    name = "items" if fake.scenario.february else "tracks"
    yield "GET", "/me", None
    for words in ("night bus", f"isrc:{track.isrc}", 'artist:"paper" track:bus'):
        yield "GET", f"/search?type=track,artist,album,playlist&limit=10&q={quote(words)}", None
    yield "GET", f"/tracks/{track.id}", None
    yield "GET", f"/tracks?ids={track.id},{'0' * 22}", None
    yield "GET", f"/artists/{artist}", None
    yield "GET", f"/artists?ids={artist}", None
    yield "GET", f"/artists/{artist}/albums?limit=10&offset=1", None
    yield "GET", f"/artists/{artist}/top-tracks", None
    yield "GET", f"/artists/{artist}/related-artists", None
    yield "GET", f"/albums/{album}", None
    yield "GET", f"/albums/{album}/tracks?limit=2", None
    yield "GET", "/markets", None
    yield "GET", "/users/listener_one", None
    yield "GET", f"/audio-features?ids={','.join(list(library.tracks)[:100])}", None
    yield "GET", f"/audio-features/{track.id}", None
    seeds = f"seed_tracks={track.id}&seed_genres=house"
    yield "GET", f"/recommendations?{seeds}&limit=20&target_energy=0.5&min_tempo=90", None
    yield "GET", "/recommendations/available-genre-seeds", None
    yield "GET", "/me/top/tracks?time_range=long_term&limit=20", None
    yield "GET", "/me/top/artists", None
    yield "GET", "/me/tracks?limit=20&offset=50", None
    yield "PUT", "/me/tracks", {"ids": [track.id]}
    yield "DELETE", f"/me/tracks?ids={track.id}", None
    yield "GET", f"/me/tracks/contains?ids={track.id}", None
    yield "PUT", f"/me/library?uris={','.join(uris[:40])}", None
    yield "DELETE", f"/me/library?uris={uris[0]}", None
    yield "GET", f"/me/library/contains?uris={uris[0]},{uris[1]}", None
    yield "GET", "/me/playlists?limit=50", None
    yield "POST", "/me/playlists", {"name": "Ours", "public": False, "description": "d"}
    made = library.playlists[0]
    yield "GET", "/users/listener_one/playlists", None
    yield "POST", "/users/listener_one/playlists", {"name": "Old", "public": True}
    yield "POST", f"/playlists/{made.id}/items", {"uris": uris, "position": 0}
    yield "POST", f"/playlists/{made.id}/items?uris={uris[0]}&position=0", None
    yield "POST", f"/playlists/{made.id}/tracks", {"uris": uris[:2]}
    yield "PUT", f"/playlists/{made.id}/items", {"range_start": 0, "insert_before": 3, "range_length": 2}
    yield "PUT", f"/playlists/{made.id}/tracks", {"uris": uris[:3]}
    yield "PUT", f"/playlists/{made.id}/items", {"uris": uris}
    yield "DELETE", f"/playlists/{made.id}/tracks", {"tracks": [{"uri": uris[0]}]}
    yield "DELETE", f"/playlists/{made.id}/items", {"items": [{"uri": uris[1]}]}
    yield "PUT", f"/playlists/{made.id}", {"name": "Other", "public": True}
    for playlist in (one for one in library.playlists if len(one.entries) < 50):
        yield "GET", f"/playlists/{playlist.id}?additional_types=track,episode", None
        yield "GET", f"/playlists/{playlist.id}/{name}?additional_types=track,episode&limit=20", None
    yield "GET", f"/playlists/{made.id}/items?fields=total,limit", None
    theirs = next(one for one in library.playlists if one.owner == FRIEND)
    yield "PUT", f"/playlists/{theirs.id}/followers", None
    yield "DELETE", f"/playlists/{theirs.id}/followers", None
    yield "GET", "/me/tracks?limit=51", None  # errors have a shape too
    yield "GET", f"/tracks/{'0' * 22}", None


@functools.cache
def tour(scenario: str) -> Spotify:
    """A fake that was called everywhere, for its log."""
    with Spotify(scenario, tracks=400, saved=120) as fake:
        token = fake.grant(SCOPES + " user-read-email")["access_token"]
        for method, where, body in calls(fake):
            call(fake, method, "/v1" + where, body, token=token)
        call(fake, "GET", "/v1/me", token="wrong")
    return fake


@pytest.fixture(scope="module", params=DEVIATIONS)
def called(request: pytest.FixtureRequest) -> Spotify:
    return tour(request.param)


def scenario_of(fake: Spotify) -> str:
    return "development-2026" if fake.scenario.february else "extended"


def test_each_endpoint_is_called_and_answers(called):
    def line(request: Request) -> str:
        return f"{request.method} {request.path.removeprefix('/v1')}"

    served = [r for r in called.log if r.status in (200, 201)]
    dead = [route.where for route in ROUTES if not any(re.fullmatch(route.where, line(r)) for r in served)]
    withheld = {r.refused for r in called.log if r.refused}
    assert [where for where in dead if not any(_same(where, other) for other in withheld)] == []
    assert not [line(r) for r in called.log if r.status == 501]


def _same(route: str, withheld: str) -> bool:
    """Whether an endpoint is one of those that the app may not call."""
    example = re.sub(r"\(\?P<name>items\|tracks\)", "tracks", route)
    return re.fullmatch(withheld, re.sub(r"\(\?P<\w+>\[\^/\]\+\)", "x", example)) is not None


def test_answers_are_as_described(called, contract):
    deviations = dict(DEVIATIONS[scenario_of(called)])
    wrong = [text for request in called.log for text in contract.answer(request)]
    used = {where for where in deviations for text in wrong if re.search(where, text)}
    rest = [text for text in wrong if not any(re.search(where, text) for where in deviations)]
    assert rest == []
    assert set(deviations) - used == set()


def test_requests_are_as_described(called, contract):
    wrong = [text for request in called.log for text in contract.request(request)]
    assert wrong == ["GET /v1/me/tracks limit: 51: 51 is greater than the maximum of 50"]  # meant to be refused


def test_a_new_app_gets_no_field_that_february_2026_took(contract):
    fake = tour("development-2026")
    found = set()
    for request in fake.log:
        operation = contract.operation(request)
        if request.status in (200, 201) and request.answer and operation:
            schema = contract.find(operation["responses"][str(request.status)])["content"]["application/json"][
                "schema"
            ]
            found |= set(contract.extra(request.json_answer, schema, deprecated=True))
    # Artists keep a list of genres that is empty; the previews of episodes went years before.
    assert {text.rpartition(".")[2] for text in found} == {"genres: deprecated", "audio_preview_url: deprecated"}


def test_a_new_app_is_refused_all_that_the_description_calls_deprecated(contract):
    fake = tour("development-2026")
    served = {r.target for r in fake.log if r.status in (200, 201)}
    assert not [r.target for r in fake.log if contract.deprecated(r) and r.target in served]
    assert sum(contract.deprecated(r) for r in fake.log) >= 20


def test_scopes_are_those_of_the_description(contract):
    for route in ROUTES:
        if route.scopes:
            method, where = re.sub(r"\(\?P<(\w+)>.*?\)", "x", route.where).split(" ")
            request = Request(method, "/v1" + where.replace("/x/x", "/x/items"), {}, {}, b"", 0.0, 0)
            described = contract.operation(request)["security"][0]["oauth_2_0"]
            assert set(described) <= set(route.scopes) | {"user-follow-modify", "user-follow-read", *PLAYLISTS}, route


@pytest.mark.parametrize(
    ("method", "where", "body", "complaint"),
    [
        ("GET", "/search?q=a&type=track&limit=11", None, "greater than the maximum of 10"),
        ("GET", "/search?type=track", None, "q: required"),
        ("GET", "/search?q=a&type=song", None, "'song' is not one of"),
        ("GET", "/me/tracks?limit=0", None, "less than the minimum"),
        ("GET", "/me/tracks?limit=many", None, "not of type 'integer'"),
        ("GET", "/me/tracks?page=2", None, "page: not described"),
        ("GET", "/me/nothing", None, "no such operation"),
        ("GET", "/audio-features?ids=" + ",".join("a" * 101), None, "101 are more than 100"),
        ("PUT", "/me/library?uris=" + ",".join("a" * 41), None, "41 are more than 40"),
        ("POST", "/playlists/x/items", ["spotify:track:x"], "not of type 'object'"),
        ("POST", "/playlists/x/items", {"uris": ["a"] * 101}, "101 are more than 100"),
        ("DELETE", "/playlists/x/items", {"tracks": []}, "'items' is a required property"),
        ("POST", "/me/playlists", {"public": True}, "'name' is a required property"),
    ],
)
def test_the_contract_sees_wrong_requests(contract, method, where, body, complaint):
    with Spotify(tracks=20, saved=0) as fake:
        call(fake, method, "/v1" + where, body, token="any")
    assert any(complaint in text for text in contract.request(fake.log[0])), contract.request(fake.log[0])


def test_the_contract_sees_wrong_answers(contract):
    with Spotify(tracks=40, saved=20) as fake:
        call(fake, "GET", "/v1/me/tracks", token=fake.grant()["access_token"])
    request = fake.log[0]
    assert contract.answer(request) == []
    right = request.answer
    for old, new, complaint in (
        (b'"total"', b'"Total"', "'total' is a required property"),
        (b'"name": "', b'"name": 1, "title": "', "is not of type 'string'"),
        (b'"is_local"', b'"is_lokal"', "is_lokal: not described"),
        (b'{"href"', b'["href"', "no JSON"),
    ):
        assert old in right
        request.answer = right.replace(old, new)
        assert any(complaint in text for text in contract.answer(request)), complaint
