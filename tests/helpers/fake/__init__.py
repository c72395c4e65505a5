"""Spotify, ReccoBeats, ListenBrainz and Navidrome on 127.0.0.1: what they did in November 2026, with made-up music.

    from helpers.fake import ListenBrainz, Navidrome, ReccoBeats, Spotify

    with Spotify("development-2026", saved=130) as fake:
        fake.url            http://127.0.0.1:PORT; also .authorize_url, .token_url, .api_url (with /v1/ at its end)
        fake.client_id      the one app there is; it is sent back to http://127.0.0.1:ANY/callback
        fake.browser(url)   a person who follows an authorize URL and agrees (fake.agrees = False: denies)
        fake.grant()        a token as the token endpoint gives it, without a login
        fake.library        tracks, saved, playlists, top: read it, or change it as if from another device
        fake.log            the requests: method, path, query, auth, body, status, answer, at
        fake.twice()        what was fetched more than once;  fake.wasted()  calls that could not succeed any more
        fake.clock          .advance(seconds): tokens grow old, windows of limits pass
        fake.fault("drop", at=3, method="POST", after=True)   see server.FAULTS and Server.fault

    with Spotify() as fake, ReccoBeats(fake.library) as features, ListenBrainz(fake.library) as similar: ...

`scenarios.SCENARIOS` has the scenarios of Spotify by name; any field of one can be given on top:
`Spotify("old-app", rate=20)`. All four have `url`, `log`, `clock`, `fault`, `twice` and `wasted`. What none of the
sources of their behaviour says is marked as a guess where it stands.
"""

from helpers.fake.library import Library, Playlist, Track
from helpers.fake.listenbrainz import ListenBrainz
from helpers.fake.navidrome import Navidrome
from helpers.fake.reccobeats import ReccoBeats
from helpers.fake.scenarios import SCENARIOS, Scenario
from helpers.fake.server import FAULTS, FORMS, Clock, Request, Server
from helpers.fake.spotify import Spotify

__all__ = [
    "FAULTS",
    "FORMS",
    "SCENARIOS",
    "Clock",
    "Library",
    "ListenBrainz",
    "Navidrome",
    "Playlist",
    "ReccoBeats",
    "Request",
    "Scenario",
    "Server",
    "Spotify",
    "Track",
]
