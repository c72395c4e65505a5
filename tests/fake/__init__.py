"""Spotify, ReccoBeats, ListenBrainz and Navidrome on 127.0.0.1: what they did in November 2026, with made-up music.

    from fake import Spotify

    with Spotify("development-2026", saved=130) as fake:
        fake.url             http://127.0.0.1:PORT; also .authorize_url, .token_url, .api_url (ends in /v1/, spotipy's prefix)
        fake.client_id       the one app there is; redirects to http://127.0.0.1:ANY/callback
        fake.browser(url)    a person who follows an authorize URL and agrees (fake.agrees = False: denies)
        fake.grant()         a token as the token endpoint gives it, without a login
        fake.library         tracks, saved, playlists, top, features: read it, or change it as if from another device
        fake.log             the requests: method, path, query, auth, body, status, answer, at
        fake.clock           .advance(seconds): tokens grow old, windows of limits pass
        fake.fault("drop", at=3, method="POST", after=True)    see server.FAULTS and Server.fault

`scenarios.SCENARIOS` has the scenarios by name; any field of one can be given on top: `Spotify("old-app", rate=20)`.
"""

from fake.library import Library, Track
from fake.scenarios import SCENARIOS, Scenario
from fake.server import FAULTS, FORMS, Clock, Request, Server
from fake.spotify import Spotify

__all__ = ["FAULTS", "FORMS", "SCENARIOS", "Clock", "Library", "Request", "Scenario", "Server", "Spotify", "Track"]
