"""Logging in to Spotify (PKCE, no secret) and the token that comes of it, in a file that only its owner reads."""

from __future__ import annotations

import html
import json
import logging
import os
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
from spotipy.cache_handler import MemoryCacheHandler
from spotipy.oauth2 import SpotifyOauthError, SpotifyPKCE

from disco.errors import DataError, DiscoError
from disco.sources import storage
from disco.sources.services import http
from disco.sources.services.spotify.errors import LoginNeeded, SpotifyError
from disco.sources.services.spotify.state import DAY_S, is_time

# Its messages at DEBUG hold tokens.
logging.getLogger("spotipy").setLevel(logging.WARNING)

SCOPES = (
    "user-library-read",
    "user-top-read",
    "playlist-read-private",
    "playlist-read-collaborative",
    "playlist-modify-private",
)
# A consent ends six months after it was given, however often its token is renewed.
CONSENT_S = 182 * DAY_S
# What a renewed token may be longer than the one before.
_MOST_TOKEN_BYTES = 8192
WARN_S = 152 * DAY_S
LOGIN = "run: disco spotify login"


@dataclass(frozen=True)
class Addresses:
    """Where Spotify is: `api` with a slash at its end, `authorize` and `token`."""

    api: str
    authorize: str
    token: str


def addresses() -> Addresses:
    """Spotify's addresses, or those that `$DISCO_SPOTIFY_API` and `$DISCO_SPOTIFY_ACCOUNTS` name."""
    api = os.environ.get("DISCO_SPOTIFY_API", "https://api.spotify.com/v1").rstrip("/") + "/"
    accounts = os.environ.get("DISCO_SPOTIFY_ACCOUNTS", "https://accounts.spotify.com").rstrip("/")
    for url in (api, accounts):
        try:
            parts = urlsplit(url)
        except ValueError:
            raise DiscoError(f"{url}: is no address; change DISCO_SPOTIFY_API or _ACCOUNTS") from None
        if parts.scheme != "https" and parts.hostname not in ("127.0.0.1", "::1"):
            raise DiscoError(f"{url}: a login is sent over https alone; change DISCO_SPOTIFY_API or _ACCOUNTS")
    return Addresses(api, f"{accounts}/authorize", f"{accounts}/api/token")


def path() -> Path:
    """File of the token."""
    return storage.user_config_dir() / "spotify" / "token.json"


def read() -> dict[str, Any]:
    """The token as it was kept.

    Raises
    ------
    LoginNeeded
        If there is none.
    """
    try:
        stored = json.loads(path().read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise LoginNeeded(f"you are not logged in; {LOGIN}") from None
    except OSError as error:
        raise DataError(path(), f"cannot be read ({error.strerror})") from None
    except (ValueError, RecursionError):
        stored = None
    texts = ("client_id", "access_token", "refresh_token")
    if not isinstance(stored, dict) or not all(isinstance(stored.get(name), str) and stored[name] for name in texts):
        raise LoginNeeded(f"the kept login ({path()}) is damaged; {LOGIN}")
    numbers = ("expires_at", "authorized_at")
    return stored | {name: stored[name] if is_time(stored.get(name)) else 0 for name in numbers}


def save(token: dict[str, Any]) -> None:
    """Keep a token."""
    storage.write_atomic(path(), json.dumps(token), private=True)


class TokenManager:
    """Gives the access token, renewed when it has ended; what spotipy calls an auth manager."""

    def get_access_token(self, as_dict: bool = False) -> str:
        """The access token; a minute before its end it counts as ended."""
        token = read()
        return str(token["access_token"]) if token["expires_at"] - 60 > time.time() else self.renew(token)

    def renew(self, old: dict[str, Any] | None = None) -> str:
        """A new access token for the refresh token.

        Raises
        ------
        LoginNeeded
            If the consent has ended; the dead token is wiped.
        """
        with storage.locked(path()):
            now = read()
            if old is not None and now["access_token"] != old["access_token"]:  # renewed by another run meanwhile
                return str(now["access_token"])
            return self._renew(now)

    def _renew(self, old: dict[str, Any]) -> str:
        pkce = _pkce(old["client_id"], "http://127.0.0.1/callback")
        try:
            # The refresh token ends with this request, so that a full disk must be noticed before it: what is
            # written now takes the room of what comes.
            with storage.atomic_file(path(), private=True) as temporary:
                room = len(json.dumps(old)) + _MOST_TOKEN_BYTES
                _write_through(temporary, b" " * room)
                granted = _granted(lambda: pkce.refresh_access_token(old["refresh_token"]))
                token = {**old, **granted, "expires_at": time.time() + granted["expires_in"]}
                _write_through(temporary, json.dumps(token).encode().ljust(room))
        except SpotifyOauthError as error:
            return self._ended(old, error)
        return str(token["access_token"])

    def _ended(self, old: dict[str, Any], error: SpotifyOauthError) -> str:
        now = read()
        if now["refresh_token"] != old["refresh_token"]:  # another run has renewed it meanwhile
            return str(now["access_token"])
        if error.error == "invalid_grant":
            path().unlink(missing_ok=True)
            given = time.strftime("%Y-%m-%d", time.localtime(old["authorized_at"]))
            raise LoginNeeded(
                f"your consent of {given} has ended (each lasts six months at most, or was taken back); {LOGIN}"
            ) from None
        raise _no_login(error) from None


def _write_through(path: Path, content: bytes) -> None:
    """Write over the beginning of a file, and wait until the disk has it."""
    with path.open("r+b") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _pkce(client_id: str, redirect: str, state: str | None = None) -> SpotifyPKCE:
    """Spotipy's PKCE without its cache file, its repetitions and its browser."""
    pkce = SpotifyPKCE(
        client_id,
        redirect,
        state,
        " ".join(SCOPES),
        requests_timeout=http.TIMEOUT_S,
        requests_session=http.without_retries(requests.Session()),
        open_browser=False,
        cache_handler=MemoryCacheHandler(),
    )
    there = addresses()
    pkce.OAUTH_AUTHORIZE_URL, pkce.OAUTH_TOKEN_URL = there.authorize, there.token
    return pkce


def _granted(ask: Callable[[], Any]) -> dict[str, Any]:
    """The token that an ask brings, checked; whatever goes wrong becomes a `SpotifyError`."""
    try:
        granted = ask()
    except requests.exceptions.SSLError:
        raise insecure() from None
    except requests.RequestException:
        raise unreachable() from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        granted = None
    if (
        not isinstance(granted, dict)
        or not isinstance(granted.get("access_token"), str)
        or not is_time(granted.get("expires_in"))
        or not isinstance(granted.get("refresh_token"), str)
    ):
        raise SpotifyError("what came back at the login is no token; try again later")
    return granted


def unreachable() -> SpotifyError:
    """The sentence for no way to Spotify."""
    return SpotifyError("cannot be reached; look whether this machine is on the network, and try again")


def insecure() -> SpotifyError:
    """The sentence for a certificate that does not hold."""
    now = time.strftime("%Y-%m-%d %H:%M")
    return SpotifyError(
        f"the secure connection fails; a wrong clock does that (this one says {now}), or a network that reads along"
    )


def _no_login(error: SpotifyOauthError) -> SpotifyError:
    if error.error == "invalid_client":
        return SpotifyError(
            "does not know this client id; look it up on developer.spotify.com/dashboard, and log in anew"
        )
    if error.error == "invalid_grant":
        return LoginNeeded(f"the login took too long or was used already; {LOGIN}")
    reason = error.error if isinstance(error.error, str) and len(error.error) < 40 else "no reason given"
    return SpotifyError(f"refuses the login ({reason}); try again later")


def login(
    client_id: str,
    port: int,
    show: Callable[[str], object],
    paste: Callable[[], str] | None = None,
    patience: float = 300,
) -> dict[str, Any]:
    """Let the user agree in a browser, and keep the token.

    Parameters
    ----------
    client_id : str
        Of the user's app on Spotify's dashboard, 32 hexadecimal digits.
    port : int
        On 127.0.0.1, where the browser is sent back to.
    show : callable
        Receives the address that the user must visit.
    paste : callable, optional
        Gives the address to which the browser was sent back, where no browser can reach this machine.
    patience : float
        Seconds to wait for the browser.

    Raises
    ------
    SpotifyError
        If the user declines, nobody comes back, or Spotify refuses.
    """
    if len(client_id) != 32 or set(client_id) - set("0123456789abcdef"):
        raise DiscoError(
            f"{client_id!r} is no client id: it has 32 digits and letters a-f; create an app on "
            "developer.spotify.com/dashboard with the redirect URI http://127.0.0.1/callback, and copy its client id"
        )
    redirect, state = f"http://127.0.0.1:{port}/callback", secrets.token_urlsafe(24)
    pkce = _pkce(client_id, redirect, state)
    address = pkce.get_authorize_url()
    if paste is None:
        code: str | None = _wait(port, state, lambda: show(address), patience)
    else:
        show(address)
        code = _code(parse_qs(urlsplit(paste()).query), state)
    if code is None:
        raise SpotifyError(
            "that is not the address the browser was sent back to (http://127.0.0.1.../callback?code=...)"
        )

    def ask() -> Any:
        pkce.get_access_token(code, check_cache=False)
        return pkce.cache_handler.get_cached_token()

    try:
        granted = _granted(ask)
    except SpotifyOauthError as error:
        raise _no_login(error) from None
    now = time.time()
    token = {**granted, "client_id": client_id, "expires_at": now + granted["expires_in"], "authorized_at": now}
    save(token)
    return token


def _code(query: dict[str, list[str]], state: str) -> str | None:
    """The code in the query of a way back; None where it is not the way back of this login."""
    if not secrets.compare_digest(query.get("state", [""])[0].encode(), state.encode()):
        return None
    if "error" in query:
        raise SpotifyError("you declined in the browser; nothing was kept")
    return query.get("code", [None])[0]


def _wait(port: int, state: str, ready: Callable[[], object], patience: float) -> str:
    """The code that the browser brings back to a server of this machine and of this login only."""
    found: list[str | SpotifyError] = []

    class RedirectHandler(BaseHTTPRequestHandler):
        timeout = 10

        def do_GET(self) -> None:
            where = urlsplit(self.path)
            try:
                code = _code(parse_qs(where.query), state) if where.path == "/callback" else None
                text = "You are logged in; close this page." if code else "This is not the page you look for."
            except SpotifyError as error:
                code, text = None, str(error)
                found.append(error)
            found.extend([code] if code else [])
            body = f"<!doctype html><meta charset=utf-8><title>DISCO</title><p>{html.escape(text)}".encode()
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing: the address holds the code."""

    try:
        server = ThreadingHTTPServer(("127.0.0.1", port), RedirectHandler)
    except (OSError, OverflowError):
        raise DiscoError(f"port {port} of this machine is taken; name another with --port") from None
    with server:
        # A connection that says nothing keeps nobody else out, and nobody waiting at the end.
        server.daemon_threads, server.block_on_close = True, False
        server.timeout = 0.2
        ready()
        end = time.monotonic() + patience
        while not found and time.monotonic() < end:
            server.handle_request()
    if not found:
        raise SpotifyError(
            "nobody came back from the browser; if it shows INVALID_CLIENT, the client id is wrong or the app's "
            "redirect URI is not http://127.0.0.1/callback"
        )
    if isinstance(found[0], SpotifyError):
        raise found[0]
    return found[0]
